// Package product names what can be given: Telegram Stars, Premium and a
// top-up of a Telegram balance, in the quantities in which Fragment sells
// them.
//
// It knows no prices, no people and no network.
package product

import (
	"fmt"
	"strings"
)

// A Kind is one of the things that Fragment sells.
type Kind string

// The products.
const (
	Stars   Kind = "stars"   // counted in Stars
	Premium Kind = "premium" // counted in months
	TopUp   Kind = "ton"     // counted in whole TON, credited to a Telegram balance
)

// An Item is so much of one product.
type Item struct {
	Kind     Kind  `json:"kind"`
	Quantity int64 `json:"quantity"`
}

// String prints the item as people write it: "1500 stars", "premium 3 months",
// "25 TON top-up".
func (i Item) String() string {
	switch i.Kind {
	case Premium:
		return fmt.Sprintf("premium %d months", i.Quantity)
	case TopUp:
		return fmt.Sprintf("%d TON top-up", i.Quantity)
	}
	return fmt.Sprintf("%d %s", i.Quantity, i.Kind)
}

// What Fragment sells. The page offers 50 to 10,000,000 Stars; Premium in
// three lengths; top-ups in whole TON, for which the largest amount that any
// client was seen to send is used.
const (
	MinStars = 50
	MaxStars = 10_000_000
	MaxTopUp = 1_000_000_000

	// MaxTotalStars bounds what one grant may ask for in all its parts.
	MaxTotalStars = 1_000_000_000
)

// Check reports why an item can't be bought in one purchase, or nil.
func (i Item) Check() error {
	switch i.Kind {
	case Stars:
		if i.Quantity < MinStars || i.Quantity > MaxStars {
			return fmt.Errorf("Stars are sold from %d to %d a purchase, not %d", MinStars, MaxStars, i.Quantity)
		}
	case Premium:
		if i.Quantity != 3 && i.Quantity != 6 && i.Quantity != 12 {
			return fmt.Errorf("Premium is sold for 3, 6 or 12 months, not %d", i.Quantity)
		}
	case TopUp:
		if i.Quantity < 1 || i.Quantity > MaxTopUp {
			return fmt.Errorf("a top-up is 1 to %d whole TON, not %d", MaxTopUp, i.Quantity)
		}
	default:
		return fmt.Errorf("unknown product %q", i.Kind)
	}
	return nil
}

// Parts splits an item into purchases that are sold. Only Stars may need more
// than one: each part is at most MaxStars and none is below MinStars. It
// reports false if no purchases add up to the item, or if it is more than
// MaxTotalStars.
func (i Item) Parts() ([]Item, bool) {
	if i.Kind != Stars || i.Quantity <= MaxStars {
		return []Item{i}, i.Check() == nil
	}
	if i.Quantity > MaxTotalStars {
		return nil, false
	}
	var parts []Item
	left := i.Quantity
	for left > MaxStars {
		take := int64(MaxStars)
		if rest := left - take; rest < MinStars {
			take -= MinStars - rest
		}
		parts = append(parts, Item{Stars, take})
		left -= take
	}
	return append(parts, Item{Stars, left}), true
}

// Targets returns the nearest totals at or around want that can be reached
// from what was given already: the largest below and the smallest above whose
// difference to have is sold. Either may be have itself, which costs nothing.
func Targets(kind Kind, have, want int64) (below, above int64) {
	steps := map[Kind][]int64{Stars: {0, MinStars}, Premium: {0, 3, 6, 12}, TopUp: {0, 1}}[kind]
	below, above = have, have+steps[len(steps)-1]
	for _, s := range steps {
		if have+s <= want {
			below = have + s
		}
	}
	for _, s := range steps {
		if have+s >= want {
			above = have + s
			break
		}
	}
	return below, above
}

// ParseKind reads a product's name as it stands in YAML. "gram" is another
// name of "ton".
func ParseKind(s string) (Kind, error) {
	switch k := strings.ToLower(s); k {
	case "gram":
		return TopUp, nil
	case string(Stars), string(Premium), string(TopUp):
		return Kind(k), nil
	}
	return "", fmt.Errorf("unknown product %q: write stars, premium or ton", s)
}
