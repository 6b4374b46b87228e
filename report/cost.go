package report

import (
	"slices"
	"strings"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// sums are what a plan costs. Assets are never added to one another.
type sums struct {
	cost, max []ton.Amount // sorted by asset
	exact     bool         // every line costs just its own amount
	partly    bool         // some lines have no price; their ceilings are in cost
}

func sumsOf(p *reconcile.Plan) sums {
	s := sums{exact: true}
	for _, a := range p.Actions {
		if a.Buys() {
			s.cost, s.max = plus(s.cost, a.Estimate), plus(s.max, a.Cap)
			s.exact = s.exact && exact(a)
			s.partly = s.partly || !exact(a) && a.Estimate == a.Cap
		}
	}
	return s
}

func plus(amounts []ton.Amount, a ton.Amount) []ton.Amount {
	i, found := slices.BinarySearchFunc(amounts, a.Asset, func(b ton.Amount, asset ton.Asset) int {
		return strings.Compare(string(b.Asset), string(asset))
	})
	if found {
		amounts[i].Units += a.Units
		return amounts
	}
	return slices.Insert(amounts, i, a)
}

// exact: a top-up costs what it tops up by; everything else has a price.
func exact(a reconcile.Action) bool { return a.Item.Kind == product.TopUp && a.Estimate == a.Cap }

// cost is what a line says of its price.
func cost(p *reconcile.Plan, a reconcile.Action) string {
	switch {
	case !a.Buys():
		return ""
	case exact(a):
		return a.Cap.String()
	case !p.Priced || a.Estimate == a.Cap:
		return "at most " + a.Cap.String()
	}
	return a.Estimate.String()
}

// sentence is what the last line says of the sums.
func (s sums) sentence(priced bool) string {
	switch {
	case s.exact:
		return "Cost: " + join(s.max) + "."
	case !priced || slices.Equal(s.cost, s.max):
		return "Cost: at most " + join(s.max) + "."
	}
	if s.partly {
		return "Cost: up to " + join(s.cost) + " at the plan's prices (at most " + join(s.max) + ")."
	}
	return "Cost: " + join(s.cost) + " (at most " + join(s.max) + ")."
}

func join(amounts []ton.Amount) string {
	words := make([]string, len(amounts))
	for i, a := range amounts {
		words[i] = a.String()
	}
	return strings.Join(words, " and ")
}

// worst is the line of every plan that says how much can leave the wallet.
func worst(p *reconcile.Plan) string {
	w := p.Worst()
	if len(w.Total) == 0 {
		return "Nothing can leave the wallet."
	}
	return "At most " + join(w.Total) + " can leave the wallet: " + strings.Join(worstParts(w), ", ") + "."
}

// worstParts says what the most is made of.
func worstParts(w reconcile.Worst) (parts []string) {
	for _, part := range []struct {
		amounts []ton.Amount
		what    string
	}{{w.Bought, "for what is bought"}, {w.Open, "for what is under way"}, {positive(w.Gas), "of gas for what is paid in USDT"}, {positive(w.Fees), "for the network's fees"}} {
		if len(part.amounts) > 0 {
			parts = append(parts, join(part.amounts)+" "+part.what)
		}
	}
	return parts
}

func positive(n ton.Nano) []ton.Amount {
	if n == 0 {
		return nil
	}
	return []ton.Amount{n.Amount()}
}
