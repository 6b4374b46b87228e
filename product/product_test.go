package product_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/product"
)

// What is sold, and what isn't.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		item product.Item
		ok   bool
	}{
		{product.Item{Kind: product.Stars, Quantity: 49}, false},
		{product.Item{Kind: product.Stars, Quantity: 50}, true},
		{product.Item{Kind: product.Stars, Quantity: 10_000_000}, true},
		{product.Item{Kind: product.Stars, Quantity: 10_000_001}, false},
		{product.Item{Kind: product.Premium, Quantity: 3}, true},
		{product.Item{Kind: product.Premium, Quantity: 9}, false},
		{product.Item{Kind: product.TopUp, Quantity: 0}, false},
		{product.Item{Kind: product.TopUp, Quantity: 1}, true},
		{product.Item{Kind: "gifts", Quantity: 1}, false},
	} {
		if err := tt.item.Check(); (err == nil) != tt.ok {
			t.Errorf("%s: %v, want sold: %t", tt.item, err, tt.ok)
		}
	}
}

// The parts of any number of Stars add up to it, and each is sold.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(
			rapid.Int64Range(product.MinStars, product.MaxTotalStars),
			rapid.Int64Range(product.MaxStars-60, product.MaxStars+60),
			rapid.Int64Range(2*product.MaxStars-60, 2*product.MaxStars+60),
		).Draw(t, "stars")
		parts, ok := product.Item{Kind: product.Stars, Quantity: n}.Parts()
		if !ok {
			t.Fatalf("%d Stars have no parts", n)
		}
		var sum int64
		for _, p := range parts {
			if err := p.Check(); err != nil {
				t.Errorf("%d Stars: %v", n, err)
			}
			sum += p.Quantity
		}
		if sum != n {
			t.Errorf("the parts of %d add up to %d", n, sum)
		}
	})
}

// A total beyond every purpose is refused, not split into billions of parts.
func TestPartsAreBounded(t *testing.T) {
	for _, n := range []int64{-1, 0, 49, product.MaxTotalStars + 1, 1<<63 - 1} {
		if parts, ok := (product.Item{Kind: product.Stars, Quantity: n}).Parts(); ok {
			t.Errorf("%d Stars have %d parts, want none", n, len(parts))
		}
	}
}

// The targets around an amount are reached by purchases that are sold.
func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		kind                     product.Kind
		have, want, below, above int64
	}{
		{product.Stars, 100, 120, 100, 150},
		{product.Stars, 0, 20, 0, 50},
		{product.Premium, 3, 12, 9, 15},
		{product.Premium, 0, 9, 6, 12},
	} {
		below, above := product.Targets(tt.kind, tt.have, tt.want)
		if below != tt.below || above != tt.above {
			t.Errorf("%s, %d given, %d wanted: %d and %d, want %d and %d", tt.kind, tt.have, tt.want, below, above, tt.below, tt.above)
		}
	}
}
