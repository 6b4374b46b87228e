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
	return text, checkRebuilt(root, text)
}

// checkRebuilt builds the body anew, from the text that was read of it alone,
// cut where the body cuts it. If that is not the same cell, the body holds
// something that was not read.
func checkRebuilt(root *cell.Cell, text string) error {
	const rule = "the body must hold its text and nothing else"
	again, err := rebuild(root, text, 32)
	if err != nil {
		return refuse(BodyRebuilt, rule, "a text that fits", "%v", err)
	}
	if want, got := ton.Hash(again.Hash()), ton.Hash(root.Hash()); want != got {
		return refuse(BodyRebuilt, rule, "cell "+want.String(), "%s", got)
	}
	return nil
}

// rebuild puts into new cells what the cells like it could hold of the text,
// after so many zero bits.
func rebuild(like *cell.Cell, text string, zeros uint) (*cell.Cell, error) {
	b := cell.BeginCell()
	if err := b.StoreUInt(0, zeros); err != nil {
		return nil, err
	}
	n := min(len(text), max(0, int(like.BitsSize())-int(zeros))/8)
	if err := b.StoreSlice([]byte(text[:n]), uint(n)*8); err != nil {
		return nil, err
	}
	if like.RefsNum() == 0 {
		return b.EndCell(), nil
	}
	next, err := like.PeekRef(0)
	if err != nil {
		return nil, err
	}
	child, err := rebuild(next, text[n:], 0)
	if err != nil {
		return nil, err
	}
	if err := b.StoreRef(child); err != nil {
		return nil, err
	}
	return b.EndCell(), nil
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
