package firewall

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// readBody returns the text of a body that is a plain comment and nothing else.
func readBody(b ton.BoC) (string, error) {
	if len(b) == 0 || len(b) > MaxBody {
		return "", refuse(BodySize, "the body must be small", fmt.Sprintf("1 to %d bytes", MaxBody), "%d bytes", len(b))
	}
	root, err := b.Cell()
	if err != nil {
		return "", refuse(BodyForm, "the body must be a bag of cells", "one root", "%v", err)
	}
	n := 0
	if err := walk(root, &n); err != nil {
		return "", err
	}
	text, err := ton.Comment(root)
	if err != nil {
		return "", refuse(BodyComment, "the body must be a text comment", "zero operation and UTF-8", "%v", err)
	}
	return text, nil
}

// rootText is how many bytes of a comment Fragment puts into its first cell; the
// rest is in one child.
const rootText = 35

// Body packs a text of at most 162 bytes as Fragment does.
func Body(text string) ton.BoC {
	b := cell.BeginCell().MustStoreUInt(0, 32)
	first := text[:min(len(text), rootText)]
	b.MustStoreSlice([]byte(first), uint(len(first))*8)
	if rest := text[len(first):]; rest != "" {
		b.MustStoreRef(cell.BeginCell().MustStoreSlice([]byte(rest), uint(len(rest))*8).EndCell())
	}
	return ton.BoCOf(b.EndCell())
}

// checkRebuilt builds the body anew, from the text that was read of it alone.
// What is signed is then what fragplan itself would have written: no cell of
// Fragment's passes through with anything in it that was not read.
func checkRebuilt(body ton.BoC, text string) error {
	want, err := Body(text).Hash()
	if err != nil {
		return refuse(BodyRebuilt, "the body must be the comment as Fragment packs it", "a text that fits", "%v", err)
	}
	if got, err := body.Hash(); err != nil || got != want {
		return refuse(BodyRebuilt, "the body must be the comment as Fragment packs it", "cell "+want.String(), "%s", got)
	}
	return nil
}

// walk counts the cells, each as often as it is referred to, and refuses the
// kinds whose content is not what their bits say.
func walk(c *cell.Cell, n *int) error {
	if *n++; *n > MaxCells {
		return refuse(BodySize, "the body must be small", fmt.Sprintf("at most %d cells", MaxCells), "more")
	}
	if c.IsSpecial() {
		return refuse(BodyForm, "the body must hold ordinary cells only", "ordinary cells", "a special one")
	}
	for i := range int(c.RefsNum()) {
		child, err := c.PeekRef(i)
		if err != nil {
			return refuse(BodyForm, "the body must be a bag of cells", "readable cells", "%v", err)
		}
		if err := walk(child, n); err != nil {
			return err
		}
	}
	return nil
}

// checkText compares the comment with the one that Fragment writes for item.
func checkText(r Rules, item product.Item, text string) error {
	what, ref, ok := strings.Cut(text, separator)
	if !ok {
		return refuse(BodyComment, "the comment must be Fragment's", strconv.Quote(description(item)+separator+"…"), "%q", text)
	}
	if what != description(item) {
		return refuse(WrongItem, "the comment must name the approved item", strconv.Quote(description(item)), "%q", what)
	}
	if !ValidRef(ref) {
		return refuse(WrongRef, "the ref must be well-formed", "6 to 16 letters, digits, - or _", "%q", ref)
	}
	if r.RefKnown == nil || r.RefKnown(ref) {
		return refuse(KnownRef, "a ref must not be paid twice", "a ref new to the ledger", "%q", ref)
	}
	return nil
}
