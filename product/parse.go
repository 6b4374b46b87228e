package product

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseItem reads an item as String prints it, and "25 TON" for a top-up. It
// refuses what is not sold in one purchase.
func ParseItem(s string) (Item, error) {
	words := strings.Fields(strings.ToLower(s))
	item := Item{}
	number := ""
	switch {
	case len(words) == 2 && (words[1] == "stars" || words[1] == "star"):
		item.Kind, number = Stars, words[0]
	case len(words) == 3 && words[0] == "premium" && (words[2] == "months" || words[2] == "month"):
		item.Kind, number = Premium, words[1]
	case len(words) >= 2 && len(words) <= 3 && (words[1] == "ton" || words[1] == "gram") && (len(words) == 2 || words[2] == "top-up"):
		item.Kind, number = TopUp, words[0]
	default:
		return Item{}, fmt.Errorf("%.100q is no item: write it like 100 stars, premium 3 months or 25 TON", s)
	}
	n, err := strconv.ParseUint(number, 10, 62)
	if err != nil {
		return Item{}, fmt.Errorf("%.100q: %.40q is no whole number", s, number)
	}
	item.Quantity = int64(n)
	return item, item.Check()
}
