package spec

import (
	"cmp"
	"slices"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// A Coming is what a grant gives on a day that is still to come.
type Coming struct {
	Date   schedule.Date `json:"date"`
	Grant  string        `json:"grant"`
	Item   product.Item  `json:"item"` // to each
	People int           `json:"people"`

	PayWith ton.Asset `json:"pay_with,omitempty"` // the money that pays; "" is TON
}

// Asset is the money that pays.
func (c Coming) Asset() ton.Asset { return cmp.Or(c.PayWith, ton.AssetTON) }

// Calendar lists what falls due after a day, through another: by date, then in
// the order of the files.
func (p *Project) Calendar(after, through schedule.Date) []Coming {
	var list []Coming
	for _, g := range p.Grants {
		if g.On > after && g.On <= through {
			list = append(list, g.coming(g.On)...)
		}
		for _, d := range g.Rule.Through(through) {
			if d > after {
				list = append(list, g.coming(d)...)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Coming) int { return cmp.Compare(a.Date, b.Date) })
	return list
}

// Next lists the dates after a day that come first, n at most.
func (p *Project) Next(after schedule.Date, n int) []Coming {
	var list []Coming
	for _, g := range p.Grants {
		dates := g.Rule.After(after, n)
		if g.On > after {
			dates = append(dates, g.On)
		}
		for _, d := range dates {
			list = append(list, g.coming(d)...)
		}
	}
	slices.SortStableFunc(list, func(a, b Coming) int { return cmp.Compare(a.Date, b.Date) })
	return list[:min(n, len(list))]
}

// coming is what a date gives: a line for each item.
func (g Grant) coming(date schedule.Date) (list []Coming) {
	for _, r := range g.To {
		if !r.belongs(date) {
			continue
		}
		item := g.item(r)
		i := slices.IndexFunc(list, func(c Coming) bool { return c.Item == item })
		if i < 0 {
			i = len(list)
			list = append(list, Coming{Date: date, Grant: g.Name, Item: item, PayWith: g.PayWith})
		}
		list[i].People++
	}
	return list
}
