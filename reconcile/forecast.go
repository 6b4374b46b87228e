package reconcile

import (
	"slices"
	"strings"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A Forecast is what will be paid for, month by month. Fees of the network are
// not in it.
type Forecast struct {
	Today    schedule.Date
	Through  schedule.Date
	Months   []Month        // the current one first, without gaps
	Priced   bool           // false: costs are ceilings
	Unpriced []product.Item // that have neither a price nor a ceiling, and are in no sum

	Balances []ton.Amount // of the wallet, one an asset; an asset that isn't listed is not known
	Dry      []Dry        // one an asset of which the wallet runs dry, the first of them first
}

// A Month is what a calendar month of the project's time zone costs.
type Month struct {
	First schedule.Date // its first day
	Gifts int
	Cost  []ton.Amount // one an asset, by asset
	Over  bool         // above limits.month
}

// Dry is when the wallet runs dry of an asset.
type Dry struct {
	Asset ton.Asset
	Date  schedule.Date
	Grant string // the first that can't be paid
}

// Foresee adds up what a plan would buy now and what falls due later. Prices
// are today's where they are known, and the ceilings otherwise.
func Foresee(plan *Plan, later []spec.Coming, today, through schedule.Date, prices Prices, limits policy.Limits, balances []ton.Amount) Forecast {
	f := Forecast{Today: today, Through: through, Priced: len(prices) > 0, Balances: balances}
	left := map[ton.Asset]int64{}
	for _, b := range balances {
		left[b.Asset] = b.Units
	}
	for m := month(today); m <= through; m = month(m + 31) {
		f.Months = append(f.Months, Month{First: m})
	}
	spend := func(date schedule.Date, grant string, item product.Item, cost ton.Amount, people int) {
		i := slices.IndexFunc(f.Months, func(m Month) bool { return m.First == month(date) })
		if i < 0 {
			return
		}
		m := &f.Months[i]
		m.Gifts += people
		for range people {
			m.Cost = add(m.Cost, cost)
			before, known := left[cost.Asset]
			if known && cost.Units > before {
				f.Dry = append(f.Dry, Dry{cost.Asset, date, grant})
				delete(left, cost.Asset) // once is enough
			} else if known {
				left[cost.Asset] = before - cost.Units
			}
		}
	}
	for _, a := range plan.Actions {
		if a.Buys() {
			grant, _, _ := strings.Cut(a.Key, "/")
			spend(today, grant, a.Item, a.Estimate, 1)
		}
	}
	for _, c := range later {
		parts, _ := c.Item.Parts()
		for _, part := range parts {
			cost, known := prices[Goods{part, c.Asset()}]
			if !known {
				cost, known = limits.CapIn(c.Asset(), part)
			}
			if !known {
				if !slices.Contains(f.Unpriced, part) {
					f.Unpriced = append(f.Unpriced, part)
				}
				continue
			}
			spend(c.Date, c.Grant, part, cost, c.People)
		}
	}
	for i := range f.Months {
		for _, cost := range f.Months[i].Cost {
			f.Months[i].Over = f.Months[i].Over || limits.Of(policy.Month).Check(cost) != nil
		}
	}
	return f
}

// month is the first day of a date's month.
func month(d schedule.Date) schedule.Date {
	year, m, _ := d.Midnight().Date()
	return schedule.DateOf(year, m, 1)
}

func add(sums []ton.Amount, a ton.Amount) []ton.Amount {
	i, found := slices.BinarySearchFunc(sums, a.Asset, func(b ton.Amount, asset ton.Asset) int {
		return strings.Compare(string(b.Asset), string(asset))
	})
	if !found {
		return slices.Insert(sums, i, a)
	}
	sums[i].Units += a.Units
	return sums
}
