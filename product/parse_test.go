package product_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/product"
)

// What an item prints reads back as itself, and nothing else does.
func TestParseItem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := product.Item{Kind: product.Kind(rapid.SampledFrom([]string{"stars", "premium", "ton"}).Draw(t, "kind")), Quantity: rapid.Int64Range(1, 20_000_000).Draw(t, "quantity")}
		got, err := product.ParseItem(item.String())
		if sold := item.Check() == nil; sold != (err == nil) || sold && got != item {
			t.Errorf("%v became %v, %v", item, got, err)
		}
	})
	for _, text := range []string{"100 STARS", " premium 3 months", "5 gram"} {
		if _, err := product.ParseItem(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "100", "stars 100", "-100 stars", "1e3 stars", "premium 4 months", "1.5 TON", "100 stars more", "0x64 stars"} {
		if got, err := product.ParseItem(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
