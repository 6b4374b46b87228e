package reconcile

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// A Background is what a reviewer wants to know beside a plan. It decides
// nothing and is not in the digest.
type Background struct {
	Month  string       `json:"month"`            // the calendar month (UTC) of the plan: 2026-11
	Paid   []ton.Amount `json:"paid,omitempty"`   // in that month so far, one an asset
	Before []ton.Amount `json:"before,omitempty"` // in the whole month before
	Prices []LastPrice  `json:"prices,omitempty"` // of what is bought without a price of today
	Series []Change     `json:"series,omitempty"` // grants that recur and are bought, with what their last date gave
}

// A LastPrice is what an item cost when it was last paid for.
type LastPrice struct {
	Item  product.Item `json:"item"`
	Price ton.Amount   `json:"price"` // of another quantity of Stars, pro rata
	Time  int64        `json:"time"`  // Unix seconds of the block that paid it
}

// A Change is what a date of a grant gives, beside the newest date before on
// which something of it was given.
type Change struct {
	Grant string `json:"grant"`
	Then  Given  `json:"then"`
	Now   Given  `json:"now"`
}

// Given is what one date of a grant gives.
type Given struct {
	Date   schedule.Date  `json:"date"`
	People int            `json:"people"`
	Items  []product.Item `json:"items"` // sums, one a product
}

// Behind collects the background of a plan that was made at an instant, in Unix
// seconds.
func Behind(p *Plan, have *ledger.State, at int64) *Background {
	year, month, _ := time.Unix(at, 0).UTC().Date()
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	b := &Background{Month: first.Format("2006-01")}
	last := first.AddDate(0, -1, 0).Unix()
	paid := map[Goods]*ledger.Order{} // the newest of each
	rate := map[ton.Asset]*ledger.Order{}
	for id := ledger.OrderID(1); id <= have.LastOrder; id++ {
		o := have.Orders[id]
		if o == nil || !o.Phase.Spent() {
			continue
		}
		switch t := int64(o.Time); {
		case t >= first.Unix():
			b.Paid = total(b.Paid, []ton.Amount{asked(o)})
		case t >= last:
			b.Before = total(b.Before, []ton.Amount{asked(o)})
		}
		goods := Goods{o.Item, asked(o).Asset}
		if old := paid[goods]; old == nil || old.Time <= o.Time {
			paid[goods] = o
		}
		if old := rate[goods.Asset]; o.Item.Kind == product.Stars && (old == nil || old.Time <= o.Time) {
			rate[goods.Asset] = o
		}
	}
	listed := map[Goods]bool{}
	for _, a := range p.Actions {
		goods := Goods{a.Item, a.Cap.Asset}
		if !a.Buys() || a.Item.Kind == product.TopUp || p.Priced && a.Estimate != a.Cap || listed[goods] {
			continue
		}
		listed[goods] = true
		o := paid[goods]
		if o == nil && a.Item.Kind == product.Stars {
			o = rate[a.Cap.Asset]
		}
		if o != nil {
			b.Prices = append(b.Prices, LastPrice{a.Item, proRata(asked(o), a.Item.Quantity, o.Item.Quantity), int64(o.Time)})
		}
	}
	b.Series = changes(p, have)
	return b
}

// asked is what an order cost.
func asked(o *ledger.Order) ton.Amount {
	if o.Invoice != nil {
		return o.Invoice.Price
	}
	return o.Reserve
}

// proRata is a·n/d, rounded up.
func proRata(a ton.Amount, n, d int64) ton.Amount {
	if d < 1 || n == d {
		return a
	}
	x := new(big.Int).Mul(big.NewInt(a.Units), big.NewInt(n))
	x.Add(x, big.NewInt(d-1)).Div(x, big.NewInt(d))
	if !x.IsInt64() {
		return a
	}
	a.Units = x.Int64()
	return a
}

// changes compares the newest date that the plan buys of each grant that recurs
// with the one before.
func changes(p *Plan, have *ledger.State) (list []Change) {
	of := map[string]int{} // grant → place in list
	last := ""
	for _, a := range p.Actions {
		date, grant := dateOf(a.Key), grantOf(a.Key)
		if date == 0 || !a.Buys() {
			continue
		}
		i, known := of[grant]
		if !known {
			i, of[grant] = len(list), len(list)
			list = append(list, Change{Grant: grant})
		}
		list[i].Now.add(date, a.Key != last, a.Item) // parts of a key stand together
		last = a.Key
	}
	if len(list) == 0 {
		return nil
	}
	for key := range have.Keys() {
		i, planned := of[grantOf(key)]
		if date := dateOf(key); planned && date != 0 && date < list[i].Now.Date {
			if given, _ := bought(have, key); given > 0 {
				orders := have.ByKey(key)
				list[i].Then.add(date, true, product.Item{Kind: orders[len(orders)-1].Item.Kind, Quantity: given})
			}
		}
	}
	return slices.DeleteFunc(list, func(c Change) bool { return c.Then.Date == 0 }) // first dates
}

// add counts a gift if no later date is known; the sums do not depend on the
// order of the calls.
func (g *Given) add(date schedule.Date, person bool, item product.Item) {
	if date < g.Date {
		return
	}
	if date > g.Date {
		*g = Given{Date: date}
	}
	if person {
		g.People++
	}
	g.Items = added(g.Items, item)
}

// added counts an item among others, one a product.
func added(items []product.Item, i product.Item) []product.Item {
	at := slices.IndexFunc(items, func(j product.Item) bool { return j.Kind == i.Kind })
	if at < 0 {
		items = append(items, i)
		slices.SortFunc(items, func(a, b product.Item) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
		return items
	}
	items[at].Quantity += i.Quantity
	return items
}
