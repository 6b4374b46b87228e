package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// drawLimits draws what may be spent: now and then too little.
func (s *sim) drawLimits() {
	usdt := s.IntN(4) > 0 // else nothing may be paid in it
	limit := func(low, high int) []ton.Amount {
		list := []ton.Amount{(s.between(low, high) * ton.TON).Amount()}
		if usdt {
			list = append(list, ton.Amount{Asset: ton.AssetUSDT, Units: int64(s.between(low, high)) * 1_500_000})
		}
		return list
	}
	s.limits = policy.Limits{Order: limit(3, 40), Run: limit(5, 80), Month: limit(5, 150), Undelivered: limit(1, 40)}
	s.limits.Price = ceilings(s.between(100, 200) * ton.TON / 100)
	if s.IntN(4) == 0 {
		s.limits.FirstTime = limit(1, 10)
	}
	if s.IntN(4) == 0 {
		s.limits.Day = limit(2, 60)
	}
	if s.IntN(8) == 0 {
		s.limits.Slippage = policy.Share(s.between(1, 50) * 100)
	}
	if s.IntN(8) == 0 {
		s.limits.NewGrants = int64(s.between(1, 6))
	}
	if s.IntN(8) == 0 {
		s.limits.Price = s.limits.Price[:1+s.IntN(2)] // Premium has no ceiling, and perhaps nothing in USDT
	}
}

// generous forbids nothing that happens here.
func generous() policy.Limits {
	plenty := []ton.Amount{(10_000 * ton.TON).Amount(), {Asset: ton.AssetUSDT, Units: 15_000_000_000}}
	return policy.Limits{Order: plenty, Run: plenty, Month: plenty, Undelivered: plenty, Price: ceilings(4 * ton.TON)}
}

// ceilings allows so much for 100 Stars, and what Premium costs.
func ceilings(stars ton.Nano) []policy.Ceiling {
	inUSDT := func(n ton.Nano) ton.Amount { return ton.Amount{Asset: ton.AssetUSDT, Units: int64(n) * 15 / 10_000} }
	hundred := product.Item{Kind: product.Stars, Quantity: 100}
	list := []policy.Ceiling{{Item: hundred, Max: stars.Amount()}, {Item: hundred, Max: inUSDT(stars)}}
	for _, months := range []int64{3, 6, 12} {
		item, most := product.Item{Kind: product.Premium, Quantity: months}, ton.Nano(months)*ton.TON
		list = append(list, policy.Ceiling{Item: item, Max: most.Amount()}, policy.Ceiling{Item: item, Max: inUSDT(most)})
	}
	return list
}

func (s *sim) drawPerson() string { return fmt.Sprint("p", s.IntN(5)) }

// today is the day on which everything happens here.
func (s *sim) today() schedule.Date { return schedule.Day(time.Unix(1_800_000_000, 0), time.UTC) }

// drawRule draws how a grant recurs. Every rule makes today's date.
func (s *sim) drawRule() string {
	return fmt.Sprintf("every %d %s from %s", 2+s.IntN(3), []string{"weeks", "months"}[s.IntN(2)], s.today())
}

// drawGoods draws what is given, and in which money it is paid. A top-up is
// paid in TON.
func (s *sim) drawGoods() (product.Item, ton.Asset) {
	item, asset := s.drawItem(), s.drawAsset()
	if item.Kind == product.TopUp {
		asset = ton.AssetTON
	}
	return item, asset
}

// drawAsset draws the money that pays.
func (s *sim) drawAsset() ton.Asset {
	if s.IntN(3) == 0 {
		return ton.AssetUSDT
	}
	return ton.AssetTON
}

// drawWant writes the first grants.
func (s *sim) drawWant() {
	for g := range 1 + s.IntN(3) {
		item, asset := s.drawGoods()
		o := spec.Occurrence{Grant: fmt.Sprint("g", g), Item: item, PayWith: asset, Single: s.IntN(6) == 0}
		if s.IntN(6) == 0 {
			o.Rule = s.drawRule()
		}
		for range 1 + s.IntN(4) {
			o.Person = s.drawPerson()
			s.write(o)
			if o.Single {
				break
			}
		}
	}
}

func (s *sim) drawItem() product.Item {
	switch s.IntN(5) {
	case 0:
		return product.Item{Kind: product.Premium, Quantity: []int64{3, 6, 12}[s.IntN(3)]}
	case 1:
		return product.Item{Kind: product.TopUp, Quantity: 1 + int64(s.IntN(4))}
	}
	return product.Item{Kind: product.Stars, Quantity: 50 + 10*int64(s.IntN(30))}
}

// write puts an occurrence into what is wanted, if its key is not there. A grant
// that recurs goes on recurring, whatever is written of it later.
func (s *sim) write(o spec.Occurrence) {
	o.Grant, _, _ = strings.Cut(s.called(o.Grant+"/"+o.Person), "/")
	o.Key, o.Handle, o.Pos = o.Grant+"/"+o.Person, o.Person, spec.Pos{File: "g.yaml", Line: len(s.want) + 1}
	if rule, known := s.rules[o.Grant]; known {
		o.Rule = rule
	}
	s.rules[o.Grant] = o.Rule
	o.Date, o.Today, o.CatchUp = 0, 0, ""
	if o.Rule != "" {
		o.Date, o.Today, o.CatchUp = s.today(), s.today(), spec.CatchLatest
		o.Key += "@" + o.Date.String()
	}
	if slices.ContainsFunc(s.want, func(other spec.Occurrence) bool { return other.Key == o.Key }) {
		return
	}
	s.want = append(slices.Clone(s.want), o)
	s.checker.written(s.want)
}

// edit changes one thing in what is wanted.
func (s *sim) edit() {
	if len(s.want) == 0 || s.IntN(4) == 0 {
		item, asset := s.drawGoods()
		s.write(spec.Occurrence{Grant: fmt.Sprint("g", s.IntN(4)), Person: s.drawPerson(), Item: item, PayWith: asset})
		return
	}
	i := s.IntN(len(s.want))
	want := slices.Clone(s.want)
	switch o := &want[i]; s.IntN(8) {
	case 0:
		o.Item.Quantity += 50 // a raise, for Stars
	case 1:
		o.Item.Quantity++
	case 2:
		o.Item.Quantity = max(1, o.Item.Quantity-50)
	case 3:
		o.Item, o.PayWith = s.drawGoods()
	case 4:
		s.gone = append(s.gone, *o)
		want = slices.Delete(want, i, i+1)
	case 5:
		if o.Item.Kind != product.TopUp {
			o.PayWith = s.drawAsset()
		}
	case 6:
		if len(s.gone) > 0 {
			s.write(s.gone[s.IntN(len(s.gone))])
			return
		}
	case 7:
		if o.Rule != "" {
			rule := s.drawRule()
			s.rules[o.Grant] = rule
			for i := range want {
				if want[i].Grant == o.Grant {
					want[i].Rule = rule
				}
			}
		}
	}
	s.want = want
	s.checker.written(want)
}

// rename gives a grant another name, which a person must not do.
func (s *sim) rename() {
	if len(s.want) == 0 {
		return
	}
	i := s.IntN(len(s.want))
	o := s.want[i]
	s.gone = append(s.gone, o)
	s.want = slices.Delete(slices.Clone(s.want), i, i+1)
	o.Grant = "new" + strings.ReplaceAll(o.Grant, ".", "-")
	s.write(o)
}

// unrename writes the old keys back, as the plan asks for: now both are wanted.
func (s *sim) unrename() {
	for _, o := range s.gone {
		s.write(o)
	}
}

// rehandle writes another user name for a key, as if it were somebody else's.
func (s *sim) rehandle() {
	if len(s.want) == 0 {
		return
	}
	i := s.IntN(len(s.want))
	s.want = slices.Clone(s.want)
	s.want[i].Handle = s.want[i].Person + "x"
	s.checker.written(s.want)
}

// right does what the plan asks for where a key was paid under another user name:
// a slip is written back, and a name that was used too goes into was. It reports
// whether there was anything.
func (s *sim) right(p *process) bool {
	if s.planned == nil || p.branch != s.branch {
		return false
	}
	acted := false
	for _, a := range s.planned.Actions {
		i := slices.IndexFunc(s.want, func(o spec.Occurrence) bool { return o.Key == a.Key })
		if a.Code != reconcile.CodeHandle || i < 0 {
			continue
		}
		var names []string
		for _, o := range p.book.ByKey(a.Key) {
			if w := s.want[i]; o.Phase.Spent() && o.Handle != w.Handle && !slices.Contains(w.Was, o.Handle) && !slices.Contains(names, o.Handle) {
				names = append(names, o.Handle)
			}
		}
		if len(names) == 0 {
			continue
		}
		s.want, acted = slices.Clone(s.want), true
		if w := &s.want[i]; len(names) == 1 && len(w.Was) == 0 && s.IntN(2) == 0 {
			w.Was = []string{w.Handle}
			w.Handle = names[0]
		} else {
			w.Was = append(slices.Clone(w.Was), names...)
		}
	}
	s.checker.written(s.want)
	return acted
}
