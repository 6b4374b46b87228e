package firewall

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
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

// separator stands between what is bought and the ref.
const separator = " \n\nRef#"

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

// description is what Fragment writes before the ref. A top-up's comment does
// not say how much; only the invoice does.
func description(i product.Item) string {
	switch i.Kind {
	case product.Stars:
		return fmt.Sprintf("%d Telegram Stars", i.Quantity)
	case product.Premium:
		if i.Quantity == 12 {
			return "Telegram Premium for 1 year"
		}
		return fmt.Sprintf("Telegram Premium for %d months", i.Quantity)
	}
	return "Telegram account top up"
}

// ValidRef reports whether s is a ref as Fragment makes them: 6 to 16 letters
// of the URL alphabet of base64.
func ValidRef(s string) bool {
	if len(s) < 6 || len(s) > 16 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
