package policy_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

func amount(t *testing.T, s string) ton.Amount {
	t.Helper()
	a, err := ton.ParseAmount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func stars(n int64) product.Item   { return product.Item{Kind: product.Stars, Quantity: n} }
func premium(n int64) product.Item { return product.Item{Kind: product.Premium, Quantity: n} }
func topUp(n int64) product.Item   { return product.Item{Kind: product.TopUp, Quantity: n} }

// A ceiling for Stars holds pro rata and rounded up, one for Premium holds for
// its months only, and a top-up costs its own amount.
func TestCap(t *testing.T) {
	l := policy.Limits{Price: []policy.Ceiling{
		{Item: stars(1000), Max: amount(t, "12 TON")},
		{Item: stars(100), Max: amount(t, "1.30 TON")},
		{Item: stars(3), Max: amount(t, "7 USDT")},
		{Item: premium(3), Max: amount(t, "10 TON")},
	}}
	for _, tt := range []struct {
		item product.Item
		want string
		ok   bool
	}{
		{stars(100), "1.3 TON", true},
		{stars(150), "1.95 TON", true},
		{stars(50), "0.65 TON", true}, // below every ceiling: the smallest decides
		{stars(999), "12.987 TON", true},
		{stars(1000), "12 TON", true},
		{stars(1500), "18 TON", true},
		{premium(3), "10 TON", true},
		{premium(6), "0 ", false},
		{topUp(25), "25 TON", true},
		{stars(0), "0 ", false},
	} {
		got, ok := l.CapIn(ton.AssetTON, tt.item)
		if ok != tt.ok || ok && got.String() != tt.want {
			t.Errorf("CapIn(%s) = %s, %t, want %s, %t", tt.item, got, ok, tt.want, tt.ok)
		}
	}
	if got, ok := l.CapIn(ton.AssetUSDT, stars(50)); !ok || got.String() != "116.666667 USDT" {
		t.Errorf("50 stars in USDT: %s, %t, want the exact share rounded up", got, ok)
	}
	if _, ok := l.CapIn(ton.AssetUSDT, topUp(1)); ok {
		t.Error("a top-up in USDT has a cap, want none")
	}
	if _, ok := (policy.Limits{}).CapIn(ton.AssetTON, stars(50)); ok {
		t.Error("a product without a ceiling has a cap, want none")
	}
}

// A cap is exactly the share of the ceiling, rounded up, and never wraps.
func TestCapIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		top := rapid.Int64Range(0, math.MaxInt64).Draw(t, "max")
		per := rapid.Int64Range(1, math.MaxInt64).Draw(t, "per")
		n := rapid.Int64Range(1, math.MaxInt64).Draw(t, "n")
		l := policy.Limits{Price: []policy.Ceiling{{Item: stars(per), Max: ton.Nano(top).Amount()}}}
		got, ok := l.CapIn(ton.AssetTON, stars(n))
		want := new(big.Int).Mul(big.NewInt(top), big.NewInt(n))
		want.Add(want, big.NewInt(per-1)).Div(want, big.NewInt(per))
		if !want.IsInt64() {
			want.SetInt64(math.MaxInt64)
		}
		if !ok || got.Units != want.Int64() {
			t.Fatalf("CapIn = %d, %t, want %s", got.Units, ok, want)
		}
	})
}

// An asset that isn't listed is limited to 0, and the zero Limits allow nothing.
func TestUnlistedAssetIsLimitedToZero(t *testing.T) {
	l := policy.Limits{Order: []ton.Amount{amount(t, "20 TON")}}
	if err := l.CheckOrder(amount(t, "20 TON")); err != nil {
		t.Errorf("the limit itself: %v", err)
	}
	for _, s := range []string{"20.000000001 TON", "0.000001 USDT"} {
		var e *policy.Exceeded
		if err := l.CheckOrder(amount(t, s)); !errors.As(err, &e) {
			t.Errorf("%s: %v, want *Exceeded", s, err)
		}
	}
	if err := (policy.Limits{}).CheckOrder(amount(t, "0.000000001 TON")); err == nil {
		t.Error("the zero Limits allowed a nanoTON")
	}
	if err := l.CheckOrder(ton.Amount{Asset: ton.AssetTON, Units: -1}); err == nil {
		t.Error("a negative amount was allowed")
	}
}

// A refusal names the limit, what it allows, what is used and what it would
// take; and it takes nothing.
func TestBudget(t *testing.T) {
	l := policy.Limits{Run: []ton.Amount{amount(t, "60 TON"), amount(t, "5 USDT")}}
	b := l.Of(policy.Run, amount(t, "50 TON"))
	if err := b.Reserve(amount(t, "5 TON")); err != nil {
		t.Fatal(err)
	}
	err := b.Reserve(amount(t, "6 TON"))
	var got *policy.Exceeded
	if !errors.As(err, &got) {
		t.Fatalf("%v, want *Exceeded", err)
	}
	want := &policy.Exceeded{Limit: "run", Max: amount(t, "60 TON"), Used: amount(t, "55 TON"), Want: amount(t, "6 TON")}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got, want := err.Error(), "limits.run allows 60 TON, of which 55 TON is used, and this takes 6 TON"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := b.Reserve(amount(t, "5 TON")); err != nil {
		t.Errorf("what was refused was taken: %v", err)
	}
	b.Release(amount(t, "1 TON"))
	if got := b.Used(ton.AssetTON); got != amount(t, "59 TON") {
		t.Errorf("used %s after a release, want 59 TON", got)
	}
	if err := b.Reserve(ton.Nano(math.MaxInt64).Amount()); err == nil {
		t.Error("an amount that overflows the sum was allowed")
	}
	if err := b.Reserve(amount(t, "5 USDT")); err != nil {
		t.Errorf("assets share a budget: %v", err)
	}
}
