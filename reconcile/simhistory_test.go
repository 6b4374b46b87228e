package reconcile_test

import (
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// row is how the market lists a sale.
func (s *sale) row() ledger.Row {
	r := ledger.Row{Handle: s.handle, Item: s.item, Price: s.amount, Time: s.at}
	if s.item.Kind == product.TopUp {
		r.Price = ton.Amount{}
	}
	return r
}

// handedOver reports whether the person has it by now.
func (s *sale) handedOver() bool { return s.given() && s.at != 0 && s.late == 0 }

// list is what the market's page of purchases shows, with whatever is wrong
// with it. It never shows what nobody has.
func (m *market) list(kind product.Kind) reconcile.List {
	var list reconcile.List
	if m.hit(listFails) {
		return list
	}
	for _, s := range m.sales {
		switch {
		case s.item.Kind != kind || !s.handedOver():
			continue
		case s.hidden > 0:
			s.hidden--
			continue
		case m.hit(rowMissing):
			continue
		case m.hit(rowUnreadable):
			list.Unread++
			continue
		case m.hit(rowRepeated):
			list.Rows = append(list.Rows, s.row())
		}
		list.Rows = append(list.Rows, s.row())
	}
	if m.hit(rowsReordered) {
		m.Shuffle(len(list.Rows), func(i, j int) { list.Rows[i], list.Rows[j] = list.Rows[j], list.Rows[i] })
	}
	return list
}

// handOver: from now on the sale is listed, or soon.
func (m *market) handOver(s *sale) {
	s.at = m.chain.time
	if m.hit(rowLate) {
		s.hidden = 1 + m.IntN(10)
	}
}

// recognizes is what the commands do with open found transfers before they ask
// a person.
func (p *process) recognizes(book *ledger.State) []ledger.Event {
	lists := map[product.Kind]reconcile.List{}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		if f := book.Founds[id]; f.Open() {
			if _, read := lists[f.Item.Kind]; !read {
				lists[f.Item.Kind] = p.market.list(f.Item.Kind)
			}
		}
	}
	if len(lists) == 0 {
		return nil
	}
	wallet := p.chain.account.Address
	e := p.sighted(p, reconcile.Look{Wallet: wallet, Since: book.Wallets[wallet].Anchor}).(reconcile.Sighted)
	if e.Err != nil || !reconcile.Knows(book, wallet, e.Sight.History) {
		return nil
	}
	unmoved := p.files.moving(book) // what is given to those is under another name yet
	want := slices.DeleteFunc(slices.Clone(p.want), func(o spec.Occurrence) bool { return unmoved[o.Key] })
	events := reconcile.Recognize(book, want, lists, e.Sight.Account.Time)
	if len(events) == 0 {
		p.counter.add("nothing is recognized")
	}
	return events
}

// delivered checks I14: a row is the evidence of one order of a ledger, and
// only of something that was handed over.
func (c *checker) delivered(p *process, e ledger.OrderDelivered) {
	c.counter.add("delivered by " + e.Evidence)
	if e.Evidence != ledger.EvidenceHistory {
		return
	}
	used := usedRow{p.branch, e.Row}
	if c.rows[used]++; c.rows[used] > 1 {
		c.violate(14, "p%d: row %v is the evidence of %d orders", p.id, e.Row, c.rows[used])
	}
	if s := c.market.known[p.terms[e.Order]]; s == nil || !s.handedOver() {
		c.violate(14, "p%d: order %d is recorded as delivered by row %v, and nobody has it", p.id, e.Order, e.Row)
	}
}

// usedRow is a row that one ledger holds as evidence.
type usedRow struct {
	branch int
	row    ledger.Row
}

// recognized checks I2 for what was concluded without a person: of every kind
// of purchase, each handle is given as many as were truly for it. Which of
// several equal transfers was whose changes nothing. A purchase may have been
// for another key of the same person, one that is no longer written; it isn't
// bought for the key that is, and may be for the other one.
func (c *checker) recognized(p *process, events []ledger.Event) {
	type purchase struct {
		name   string
		item   product.Item
		amount ton.Amount
	}
	handles, keys := map[purchase]int{}, map[purchase]int{}
	for _, e := range events {
		e, ok := e.(ledger.FoundAssigned)
		if !ok || e.Row.IsZero() {
			continue
		}
		c.counter.add("recognized")
		s := p.founds[e.Found]
		handles[purchase{e.Row.Handle, s.item, s.amount}]++
		handles[purchase{s.handle, s.item, s.amount}]--
		keys[purchase{origin(e.Key), s.item, s.amount}]++
		keys[purchase{origin(s.key), s.item, s.amount}]--
	}
	for g, n := range handles {
		if n > 0 {
			c.violate(2, "p%d: %d times %s at %s are recognized as @%s's, and were not", p.id, n, g.item, g.amount, g.name)
		}
	}
	for g, n := range keys {
		if n < 0 {
			c.more[g.name] -= int64(n) * g.item.Quantity
		}
		if n != 0 {
			c.misled[g.name] = true
			c.counter.add("recognized for another key of the person")
		}
	}
}
