// Package policy says which spending is allowed: it judges amounts against
// the limits and the price ceilings that a project sets.
//
// It knows no YAML, no network and no clock: what was used already is an
// argument.
package policy

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Names of the limits, as they stand in YAML.
const (
	Order       = "order"       // one purchase
	Run         = "run"         // one apply
	Day         = "day"         // one day
	Month       = "month"       // one calendar month
	Undelivered = "undelivered" // paid and not yet acknowledged
	FirstTime   = "first_time"  // for somebody who was never given anything
	Person      = "person"      // for one person
	Campaigned  = "campaign"    // for one campaign
	Labeled     = "label"       // for one label
	InAsset     = "asset"       // in one asset
	NewGrants   = "new_grants"  // keys that one apply buys for the first time
	Increase    = "increase"    // how many times what was given before
	Slippage    = "slippage"    // how much dearer than planned
	Balance     = "balance"     // what must be left in the wallet
	Duplicates  = "duplicates"  // what looks like another gift
)

// Limits bound what may be spent. Each list holds at most one amount an
// asset, or one an asset and period; an asset that isn't listed is limited to 0,
// so the zero Limits allow nothing. Where a list may be empty, that means that
// nothing is limited.
type Limits struct {
	Order       []ton.Amount // one purchase
	Run         []ton.Amount // one apply
	Month       []ton.Amount // one calendar month
	Undelivered []ton.Amount // paid and not yet acknowledged
	FirstTime   []ton.Amount `json:",omitempty"` // for somebody who was never given anything; empty means that it is not limited
	Price       []Ceiling    // what a product may cost; at most one an item and asset

	Day    []ton.Amount `json:",omitempty"` // one day; may be empty
	Person []Rate       `json:",omitempty"` // for one person; may be empty
	Asset  []Rate       `json:",omitempty"` // in one asset, whatever it is for; may be empty
	Scoped []Scoped     `json:",omitempty"` // for campaigns and labels, at most one each

	NewGrants int64        `json:",omitempty"` // keys that one apply may buy for the first time; 0 means that they are not limited
	Increase  int64        `json:",omitempty"` // how many times what was given before may be given; 0 means that it is not limited
	Slippage  Share        `json:",omitempty"` // by how much an offer may be above the price of the plan; 0 means up to the ceiling
	Balance   []ton.Amount `json:",omitempty"` // what must be left in the wallet; nothing of an asset that isn't listed

	NoDuplicates bool `json:",omitempty"` // what looks like another gift stops the plan, and is not only warned of

	Campaigns []Campaign `json:",omitempty"` // budgets of files of grants
	Rules     []Rule     `json:",omitempty"` // what a team demands beside limits
	Approvals *Approvals `json:",omitempty"` // who must have signed a plan; nil for nobody

	Destinations []ton.Address `json:",omitempty"` // the accounts that may be paid
}

// A Rule says in CEL which purchases are denied, or warned of.
type Rule struct {
	Name string
	When string // the expression
	Deny string `json:",omitempty"` // what is said of what must not be bought; "" for a rule that only warns
	Warn string `json:",omitempty"` // what is said of what may be bought all the same
}

// A Ceiling is the most that an item may cost. A ceiling for Stars holds pro
// rata for other quantities; a ceiling for Premium holds for its months only.
type Ceiling struct {
	Item product.Item
	Max  ton.Amount
}

// CapIn is the most that one purchase of item may cost that is paid in the given
// asset. It reports false if no ceiling speaks of the item.
//
// Of several ceilings for Stars, the one with the largest quantity that isn't
// above the item's decides, or else the smallest. Fractions are rounded up. A
// top-up costs its own amount, in TON only.
func (l Limits) CapIn(asset ton.Asset, item product.Item) (ton.Amount, bool) {
	if item.Quantity < 1 {
		return ton.Amount{}, false
	}
	switch item.Kind {
	case product.TopUp:
		return ton.Amount{Asset: asset, Units: scale(int64(ton.TON), item.Quantity, 1)}, asset == ton.AssetTON
	case product.Premium:
		for _, c := range l.Price {
			if c.Item == item && c.Max.Asset == asset {
				return c.Max, true
			}
		}
	case product.Stars:
		if c, ok := l.starsCeiling(asset, item.Quantity); ok {
			return ton.Amount{Asset: asset, Units: scale(c.Max.Units, item.Quantity, c.Item.Quantity)}, true
		}
	}
	return ton.Amount{}, false
}

func (l Limits) starsCeiling(asset ton.Asset, quantity int64) (best Ceiling, ok bool) {
	for _, c := range l.Price {
		if c.Item.Kind != product.Stars || c.Item.Quantity < 1 || c.Max.Asset != asset {
			continue
		}
		fits, bestFits := c.Item.Quantity <= quantity, best.Item.Quantity <= quantity
		switch {
		case !ok,
			fits && (!bestFits || c.Item.Quantity > best.Item.Quantity),
			!fits && !bestFits && c.Item.Quantity < best.Item.Quantity:
			best, ok = c, true
		}
	}
	return best, ok
}

// scale returns units·n/d rounded up, or the largest int64 where that is more
// than fits: no limit allows so much, so the purchase is refused.
func scale(units, n, d int64) int64 {
	if units < 0 || n < 0 || d < 1 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(units), uint64(n))
	lo, carry := bits.Add64(lo, uint64(d-1), 0)
	hi += carry
	if hi >= uint64(d) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(d))
	return int64(min(q, math.MaxInt64))
}

// CheckOrder returns nil if one purchase may cost a, and *Exceeded if not.
func (l Limits) CheckOrder(a ton.Amount) error {
	return (&Budget{Limit: Order, Max: l.Order}).Reserve(a)
}

// CheckFirst returns nil if a may be spent on somebody who was never given
// anything and for whom used is spent or promised already, and *Exceeded if
// not.
func (l Limits) CheckFirst(a ton.Amount, used ...ton.Amount) error {
	if len(l.FirstTime) == 0 {
		return nil
	}
	return l.Of(FirstTime, used...).Check(a)
}

// Of returns a budget for the limit with the given name, of which used is
// taken already. An unknown name has a budget of nothing.
func (l Limits) Of(limit string, used ...ton.Amount) *Budget {
	b := &Budget{Limit: limit}
	switch limit {
	case Order:
		b.Max = l.Order
	case Run:
		b.Max = l.Run
	case Month:
		b.Max = l.Month
	case Undelivered:
		b.Max = l.Undelivered
	case FirstTime:
		b.Max = l.FirstTime
	}
	for _, a := range used {
		b.add(a)
	}
	return b
}

// A Budget counts what is taken of one limit. It is not safe for concurrent
// use.
type Budget struct {
	Limit string       // which limit, for the error
	Max   []ton.Amount // at most one amount an asset; an asset that isn't listed is limited to 0
	used  []ton.Amount
}

// Check returns nil if a more may be taken, and *Exceeded if not.
func (b *Budget) Check(a ton.Amount) error {
	most, used := of(b.Max, a.Asset), b.Used(a.Asset)
	// Written as a difference because a sum could overflow.
	if a.Units < 0 || used.Units > most.Units || a.Units > most.Units-used.Units {
		return &Exceeded{Limit: b.Limit, Max: most, Used: used, Want: a}
	}
	return nil
}

// Reserve takes a, or returns *Exceeded and takes nothing.
func (b *Budget) Reserve(a ton.Amount) error {
	if err := b.Check(a); err != nil {
		return err
	}
	b.add(a)
	return nil
}

// Spend takes a without asking: it is gone already.
func (b *Budget) Spend(a ton.Amount) { b.add(a) }

// Release gives back what was taken by Reserve.
func (b *Budget) Release(a ton.Amount) {
	for i := range b.used {
		if b.used[i].Asset == a.Asset {
			b.used[i].Units = max(0, b.used[i].Units-a.Units)
		}
	}
}

// Most is how much of the asset the limit allows in all.
func (b *Budget) Most(asset ton.Asset) ton.Amount { return of(b.Max, asset) }

// Used is how much of the asset is taken.
func (b *Budget) Used(asset ton.Asset) ton.Amount { return of(b.used, asset) }

func (b *Budget) add(a ton.Amount) {
	for i := range b.used {
		if b.used[i].Asset == a.Asset {
			if a.Units > math.MaxInt64-b.used[i].Units {
				b.used[i].Units = math.MaxInt64
				return
			}
			b.used[i].Units += a.Units
			return
		}
	}
	b.used = append(b.used, a)
}

func of(list []ton.Amount, asset ton.Asset) ton.Amount {
	for _, a := range list {
		if a.Asset == asset {
			return a
		}
	}
	return ton.Amount{Asset: asset}
}

// Exceeded is the error of a purchase that a limit forbids.
type Exceeded struct {
	Limit   string     // the limit's name
	Subject string     // the person, campaign or label whose limit it is; "" for one of all purchases
	Per     Period     // for which it holds
	Max     ton.Amount // what the limit allows
	Used    ton.Amount // what is taken already
	Want    ton.Amount // what the purchase would take
}

// Over reports whether the purchase is above the limit. Of the errors that
// this package returns, it always is.
func (e *Exceeded) Over() bool {
	// Written as a difference because a sum could overflow.
	return e.Want.Units < 0 || e.Used.Units > e.Max.Units || e.Want.Units > e.Max.Units-e.Used.Units
}

// Code names the refusal for programs.
func (e *Exceeded) Code() string {
	if e.Limit == FirstTime {
		return e.Limit
	}
	return e.Limit + "_limit"
}

// Allowance is what the limit allows, as it stands in YAML, and for whom.
func (e *Exceeded) Allowance() string {
	text := Rate{e.Max, e.Per}.String()
	if e.Limit == Day || e.Limit == Month {
		text = e.Max.String() // the name says for how long
	}
	if e.Subject != "" {
		text += " for " + e.Subject
	}
	return text
}

func (e *Exceeded) Error() string {
	if e.Used.Units == 0 {
		return fmt.Sprintf("limits.%s allows %s, and this takes %s", e.Limit, e.Allowance(), e.Want)
	}
	return fmt.Sprintf("limits.%s allows %s, of which %s is used, and this takes %s", e.Limit, e.Allowance(), e.Used, e.Want)
}

// Remedy is what a person can do about it.
func (e *Exceeded) Remedy() string {
	text := "raise limits." + e.Limit + " in a reviewed commit"
	if e.Per != Ever {
		text += ", or wait for the next " + string(e.Per)
	}
	return text
}
