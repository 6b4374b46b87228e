package reconcile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// What stands beside a plan: what was paid this month and the last, what goods
// without a price of today cost last, and what a grant's date before gave.
func TestBehind(t *testing.T) {
	day := func(date string) uint32 { return uint32(on(date).Midnight().Unix()) }
	paid := func(id ledger.OrderID, key, date string, phase ledger.Phase, stars int64, price ton.Nano) *ledger.Order {
		return &ledger.Order{ID: id, Key: key, Generation: 1, Part: 1, Phase: phase, Item: product.Item{Kind: product.Stars, Quantity: stars}, Time: day(date), Invoice: &ledger.Invoice{Price: price.Amount()}}
	}
	book := ledger.NewState()
	for _, o := range []*ledger.Order{
		paid(1, "thanks/ann@2026-10-01", "2026-10-01", ledger.Delivered, 50, ton.TON),
		paid(2, "thanks/ann@2026-11-01", "2026-11-01", ledger.Delivered, 50, 2*ton.TON),
		paid(3, "thanks/bob@2026-11-01", "2026-11-30", ledger.Paid, 50, 2*ton.TON),
		paid(4, "prize/ann", "2026-12-02", ledger.Delivered, 100, 3*ton.TON),
		paid(5, "prize/bob", "2026-12-02", ledger.Released, 100, 9*ton.TON),
	} {
		book.Add(o)
		book.LastOrder = o.ID
	}
	buy := func(key string, kind product.Kind, quantity int64) reconcile.Action {
		most := (100 * ton.TON).Amount()
		return reconcile.Action{Verb: reconcile.Buy, Key: key, Item: product.Item{Kind: kind, Quantity: quantity}, Part: 1, Cap: most, Estimate: most}
	}
	plan := &reconcile.Plan{Actions: []reconcile.Action{
		buy("thanks/ann@2026-12-01", product.Stars, 50), buy("thanks/bob@2026-12-01", product.Stars, 50), buy("thanks/cleo@2026-12-01", product.Stars, 50),
		buy("new/ann@2026-12-01", product.Stars, 150), buy("prize/cleo", product.Premium, 3), buy("ads/ann", product.TopUp, 5),
	}}
	stars := func(n int64) product.Item { return product.Item{Kind: product.Stars, Quantity: n} }
	want := &reconcile.Background{
		Month: "2026-12", Paid: []ton.Amount{(3 * ton.TON).Amount()}, Before: []ton.Amount{(4 * ton.TON).Amount()},
		Prices: []reconcile.LastPrice{
			{Item: stars(50), Price: (2 * ton.TON).Amount(), Time: int64(day("2026-11-30"))},
			{Item: stars(150), Price: (4*ton.TON + ton.TON/2).Amount(), Time: int64(day("2026-12-02"))}, // at the rate of the newest
		},
		Series: []reconcile.Change{{Grant: "thanks",
			Then: reconcile.Given{Date: on("2026-11-01"), People: 2, Items: []product.Item{stars(100)}},
			Now:  reconcile.Given{Date: on("2026-12-01"), People: 3, Items: []product.Item{stars(150)}},
		}},
	}
	at := time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC).Unix()
	if d := cmp.Diff(want, reconcile.Behind(plan, book, at)); d != "" {
		t.Error(d)
	}
	digest := plan.Digest()
	plan.Behind = want
	if plan.Digest() != digest {
		t.Error("the digest covers what only stands beside the plan")
	}
}
