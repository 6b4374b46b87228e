package reconcile_test

import (
	"slices"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// final checks what everything came to.
func (c *checker) final() {
	if len(c.violations) > 0 {
		return
	}
	book, err := c.disk.audit()
	if err != nil {
		c.violate(19, "the ledger is not sound: %v", err)
		return
	}
	c.conserved(book)
	c.arrived(book)
	c.audited(book)
	c.ended(book)
	for _, o := range c.want {
		c.served(book, o)
	}
	c.handlesServed()
}

// conserved is I23: what the market received is what the ledger holds as paid
// or as found, and nothing else.
func (c *checker) conserved(book *ledger.State) {
	var settled, found []string
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; !o.Settled.IsZero() && o.Found == 0 {
			settled = append(settled, c.refAt(o))
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		found = append(found, book.Founds[id].Ref)
	}
	held := slices.Sorted(slices.Values(slices.Concat(settled, found)))
	var received []string
	for _, s := range c.market.sales {
		times := s.left
		if s.key == "" { // a person may pay twice, and it is found once
			times = min(times, 1)
		}
		for range times {
			received = append(received, s.ref)
		}
	}
	if !slices.Equal(held, slices.Sorted(slices.Values(received))) {
		c.violate(23, "the market received %v, and the ledger holds %v as paid and %v as found", received, settled, found)
	}
}

// arrived is I7 for USDT: what the ledger holds as paid has arrived, and what
// it gave up, or a person did, has not.
func (c *checker) arrived(book *ledger.State) {
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		if o.Cap.Asset != ton.AssetUSDT || o.Found != 0 || o.Settled.IsZero() {
			continue
		}
		s := c.saleAt(o)
		switch given := o.Phase == ledger.Acknowledged || o.Phase == ledger.Delivered; {
		case s == nil:
			c.violate(7, "order %d is recorded as sent, and nothing was", id)
		case given && s.paid != 1 || !given && s.out():
			c.violate(7, "order %d is %s, and its USDT arrived %d times", id, o.Phase, s.paid)
		case !o.Received.IsZero() && s.paid != 1:
			c.violate(7, "order %d is recorded as received at %d, and its USDT arrived %d times", id, o.Received.LT, s.paid)
		}
	}
	var held int64
	for _, s := range c.market.sales {
		if s.inUSDT() {
			held += int64(s.paid) * s.amount.Units
		}
	}
	if held != c.chain.till.balance {
		c.violate(23, "the market's sales come to %d micro-USDT, and its jetton wallet was sent %d", held, c.chain.till.balance)
	}
}

// refAt reads the ref of the transfer that paid an order from the chain.
func (c *checker) refAt(o *ledger.Order) string {
	if s := c.saleAt(o); s != nil {
		return s.ref
	}
	return "nothing"
}

func (c *checker) saleAt(o *ledger.Order) *sale {
	i, found := slices.BinarySearchFunc(c.chain.history, o.Settled.LT, func(t ton.Transaction, lt uint64) int { return int(int64(t.LT) - int64(lt)) })
	if found {
		for _, out := range c.chain.history[i].Out {
			if s := c.market.sold(out); s != nil && origin(s.key) == origin(o.Key) && s.generation == o.Generation && s.part == o.Part && s.item == o.Item {
				return s
			}
		}
	}
	return nil
}

// ended is I24: no order waits for anything.
func (c *checker) ended(book *ledger.State) {
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; o.Phase != ledger.Acknowledged && o.Phase != ledger.Delivered && o.Phase != ledger.Released {
			c.violate(24, "order %d of %s is %s in the end", id, o.Key, o.Phase)
		}
	}
}

// followed is I24 for one run that ended well: the market was told of all that
// is paid, and asked for what it has acknowledged.
func (c *checker) followed(p *process) {
	for id := ledger.OrderID(1); id <= p.book.LastOrder && p.err == nil; id++ {
		switch o := p.book.Orders[id]; {
		case o.Phase == ledger.Paid && !p.told[id]:
			c.violate(24, "order %d is paid, and the market was not told", id)
		case o.Phase == ledger.Acknowledged && p.asked == 0:
			c.violate(24, "order %d is acknowledged, and nobody asked whether it was delivered", id)
		}
	}
}

// audited: the program's own audit finds nothing either.
func (c *checker) audited(book *ledger.State) {
	for _, f := range reconcile.Audit(book, c.chain.account.Address, c.chain.history) {
		c.violate(13, "audit: %s: %s", f.Code, f.Text)
	}
}

// served is I24: whoever is written has it, or there is a reason.
func (c *checker) served(book *ledger.State, o spec.Occurrence) {
	var given int64
	for _, s := range c.market.sales {
		if origin(s.key) == origin(o.Key) && s.item.Kind == o.Item.Kind && s.given() && !s.closed {
			given += s.item.Quantity
		}
	}
	rest := product.Item{Kind: o.Item.Kind, Quantity: o.Item.Quantity - given}
	if rest.Quantity <= 0 || c.misled[origin(o.Key)] || c.byHand[origin(o.Key)] || o.Rule != "" && c.begun(o.Key) {
		return
	}
	code := reconcile.Code("")
	for _, a := range c.desired(c.want).Diff(book, nil, c.limits).Actions {
		if a.Key == o.Key {
			code = a.Code
		}
	}
	_, sold := rest.Parts()
	switch {
	case code == reconcile.CodeNotSold && !sold:
	case code == reconcile.CodeBound && len(c.most[origin(o.Key)]) > 1:
	case code == reconcile.CodeOneWinner && o.Single && c.othersWon(o):
	case code == reconcile.CodeNotSold && o.Item.Check() != nil:
	default:
		c.violate(24, "%s has %d of %s, and the plan says %q", o.Key, given, o.Item, code)
	}
}

// begun reports whether anything was given on a date: then it is settled, and
// what is written later holds for later dates.
func (c *checker) begun(key string) bool {
	return slices.ContainsFunc(c.market.sales, func(s *sale) bool { return origin(s.key) == origin(key) && s.given() && !s.closed })
}

func (c *checker) othersWon(o spec.Occurrence) bool {
	return slices.ContainsFunc(c.market.sales, func(s *sale) bool {
		return origin(s.key) != origin(o.Key) && strings.HasPrefix(origin(s.key), originOf(o.Grant)+"/") && s.left > 0
	}) || len(c.misled) > 0 || slices.ContainsFunc(c.want, func(w spec.Occurrence) bool { return w.Grant == o.Grant && c.byHand[origin(w.Key)] })
}

// handlesServed is I2 once more, without the keys: nobody was given more than
// was ever written for all of their keys.
func (c *checker) handlesServed() {
	type gift struct {
		handle string
		kind   product.Kind
	}
	given, most := map[gift]int64{}, map[gift]int64{}
	for _, s := range c.market.sales {
		if s.given() && s.key != "" {
			given[gift{s.handle, s.item.Kind}] += s.item.Quantity
		}
	}
	for key, handles := range c.handles {
		for kind, n := range c.most[key] {
			for _, handle := range handles {
				most[gift{handle, kind}] += n + c.more[key]
			}
		}
	}
	for g, n := range given {
		if n > most[g] {
			c.violate(2, "@%s was given %d %s, and never more than %d were written", g.handle, n, g.kind, most[g])
		}
	}
}
