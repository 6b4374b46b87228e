package reconcile

import (
	"cmp"
	"slices"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Prices are what goods cost now. What is missing has no known price.
type Prices map[Goods]ton.Amount

// A Price is one of them, as a plan keeps it.
type Price struct {
	Item  product.Item `json:"item"`
	Asset ton.Asset    `json:"asset"` // that it is paid in
	Price ton.Amount   `json:"price"`
}

// list is the prices in one order.
func (p Prices) list() (list []Price) {
	for g, price := range p {
		list = append(list, Price{g.Item, g.Asset, price})
	}
	slices.SortFunc(list, func(a, b Price) int {
		return cmp.Or(cmp.Compare(a.Item.Kind, b.Item.Kind), cmp.Compare(a.Item.Quantity, b.Item.Quantity), cmp.Compare(a.Asset, b.Asset))
	})
	return list
}

// prices are those that the plan was made with. What it says of its purchases
// counts: these are approved.
func (p *Plan) prices() Prices {
	prices := Prices{}
	for _, c := range p.Prices {
		prices[Goods{c.Item, c.Asset}] = c.Price
	}
	for _, a := range p.Actions {
		if a.Buys() {
			prices[Goods{a.Item, a.Cap.Asset}] = a.Estimate
		}
	}
	return prices
}
