package reconcile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A forecast adds up, by month and asset, what a plan buys now and what falls
// due later, at known prices and otherwise at ceilings; and says on which day
// the balance is not enough.
func TestForesee(t *testing.T) {
	stars, premium, none := product.Item{Kind: product.Stars, Quantity: 100}, product.Item{Kind: product.Premium, Quantity: 3}, product.Item{Kind: product.Premium, Quantity: 12}
	plan := &reconcile.Plan{Actions: []reconcile.Action{
		{Verb: reconcile.Buy, Key: "g/ann", Item: stars, Estimate: (1 * ton.TON).Amount()},
		{Verb: reconcile.Blocked, Key: "g/bob", Item: stars, Estimate: (9 * ton.TON).Amount()},
	}}
	later := []spec.Coming{
		{Date: on("2026-12-31"), Grant: "a", Item: stars, People: 2},
		{Date: on("2027-02-01"), Grant: "b", Item: premium, People: 1},
		{Date: on("2027-02-02"), Grant: "c", Item: none, People: 1},
	}
	prices := reconcile.Prices{{Item: stars, Asset: ton.AssetTON}: (2 * ton.TON).Amount()}
	premiumCap, _ := limits.CapIn(ton.AssetTON, premium)
	first := func(s string) schedule.Date { return on(s) }
	want := []reconcile.Month{
		{First: first("2026-12-01"), Gifts: 3, Cost: []ton.Amount{(5 * ton.TON).Amount()}},
		{First: first("2027-01-01")},
		{First: first("2027-02-01"), Gifts: 1, Cost: []ton.Amount{premiumCap}},
	}
	for balance, dry := range map[ton.Nano][]reconcile.Dry{
		100 * ton.TON:                          nil,
		5*ton.TON + ton.Nano(premiumCap.Units): nil,
		5 * ton.TON:                            {{Asset: ton.AssetTON, Date: on("2027-02-01"), Grant: "b"}},
		4 * ton.TON:                            {{Asset: ton.AssetTON, Date: on("2026-12-31"), Grant: "a"}},
		0:                                      {{Asset: ton.AssetTON, Date: on("2026-12-10"), Grant: "g"}},
	} {
		f := reconcile.Foresee(plan, later, on("2026-12-10"), on("2027-02-28"), prices, limits, []ton.Amount{balance.Amount()})
		if d := cmp.Diff(want, f.Months); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(dry, f.Dry); d != "" {
			t.Errorf("with %s: %s", balance, d)
		}
		if len(f.Unpriced) != 1 || f.Unpriced[0] != none {
			t.Error(f.Unpriced)
		}
	}
	if f := reconcile.Foresee(plan, later, on("2026-12-10"), on("2027-02-28"), nil, limits, nil); f.Balances != nil || f.Dry != nil || f.Priced {
		t.Errorf("%+v", f)
	}
}

// Each money that pays runs dry by itself, on a day of its own: TON does not
// stand in for USDT.
func TestForeseeEachAsset(t *testing.T) {
	stars := product.Item{Kind: product.Stars, Quantity: 100}
	later := []spec.Coming{
		{Date: on("2026-12-31"), Grant: "u", Item: stars, People: 2, PayWith: ton.AssetUSDT},
		{Date: on("2027-01-31"), Grant: "t", Item: stars, People: 1},
		{Date: on("2027-02-01"), Grant: "u", Item: stars, People: 2, PayWith: ton.AssetUSDT},
	}
	prices := reconcile.Prices{
		{Item: stars, Asset: ton.AssetTON}:  (2 * ton.TON).Amount(),
		{Item: stars, Asset: ton.AssetUSDT}: {Asset: ton.AssetUSDT, Units: 3},
	}
	foresee := func(balances ...ton.Amount) []reconcile.Dry {
		return reconcile.Foresee(&reconcile.Plan{}, later, on("2026-12-10"), on("2027-02-28"), prices, limits, balances).Dry
	}
	usdt := func(n int64) ton.Amount { return ton.Amount{Asset: ton.AssetUSDT, Units: n} }
	inUSDT, inTON := reconcile.Dry{Asset: ton.AssetUSDT, Date: on("2027-02-01"), Grant: "u"}, reconcile.Dry{Asset: ton.AssetTON, Date: on("2027-01-31"), Grant: "t"}
	for _, c := range []struct {
		name      string
		got, want []reconcile.Dry
	}{
		{"enough of both", foresee((9 * ton.TON).Amount(), usdt(12)), nil},
		{"no USDT left in February", foresee((900 * ton.TON).Amount(), usdt(8)), []reconcile.Dry{inUSDT}},
		{"both", foresee((1 * ton.TON).Amount(), usdt(11)), []reconcile.Dry{inTON, inUSDT}},
		{"not known", foresee((9 * ton.TON).Amount()), nil},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
