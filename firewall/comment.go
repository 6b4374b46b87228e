package firewall

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// separator stands between what is bought and the ref.
const separator = " \n\nRef#"

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

// CommentOf is the comment that Fragment asks for when the item is bought
// under the ref.
func CommentOf(i product.Item, ref string) string { return description(i) + separator + ref }

// Recognize reads what a transfer with that comment and amount bought on
// Fragment. A top-up's quantity is its amount, in whole TON.
func Recognize(comment string, amount ton.Nano) (item product.Item, ref string, ok bool) {
	what, ref, ok := strings.Cut(comment, separator)
	if !ok || !ValidRef(ref) {
		return product.Item{}, "", false
	}
	if n, found := strings.CutSuffix(what, " Telegram Stars"); found {
		quantity, err := strconv.ParseInt(n, 10, 64)
		item = product.Item{Kind: product.Stars, Quantity: quantity}
		return item, ref, err == nil && quantity > 0 && description(item) == what
	}
	for _, months := range []int64{3, 6, 12} {
		if item = (product.Item{Kind: product.Premium, Quantity: months}); description(item) == what {
			return item, ref, true
		}
	}
	item = product.Item{Kind: product.TopUp, Quantity: int64(amount / ton.TON)}
	return item, ref, description(item) == what && item.Quantity > 0 && amount%ton.TON == 0
}
