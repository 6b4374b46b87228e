package reconcile_test

import (
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// checker watches the chain and knows what was written by people, what the
// market offered and what was made durable. It never asks package ledger what
// any of it means.
type checker struct {
	*sim
	most    map[string]map[product.Kind]int64 // the largest total that was ever written for a key
	handles map[string]string                 // of the keys
	more    map[string]int64                  // what people's decisions allow beyond it
	misled  map[string]bool                   // keys for which a person said something wrong

	armed    map[ton.Hash]armed // durable payloads, burns among them
	executed map[ton.Hash]int   // payloads that the chain has taken, and what left with them
	dead     map[ton.Hash]bool  // payloads that never must be
	readied  map[string]bool    // durable messages
	paid     map[intent]*sale   // what was paid for each part
	refs     map[string]int     // how often each ref was paid
	spent    map[*process]ton.Nano
	inMonths map[period][]*sale
}

// armed says who made a payload durable, under which limits.
type armed struct {
	process *process
	limits  policy.Limits
}

// intent is what a purchase was for, as the run that made it had it.
type intent struct {
	branch           int
	key              string
	generation, part int
}

type period struct {
	branch int
	year   int
	month  time.Month
}

func newChecker(s *sim) *checker {
	c := &checker{sim: s, most: map[string]map[product.Kind]int64{}, handles: map[string]string{}, more: map[string]int64{}, misled: map[string]bool{},
		armed: map[ton.Hash]armed{}, executed: map[ton.Hash]int{}, dead: map[ton.Hash]bool{}, readied: map[string]bool{}, paid: map[intent]*sale{}, refs: map[string]int{}, spent: map[*process]ton.Nano{}, inMonths: map[period][]*sale{}}
	s.chain.observe = s.transacted
	return c
}

// written takes note of what people want.
func (c *checker) written(want []spec.Occurrence) {
	for _, o := range want {
		c.handles[o.Key] = o.Handle
		if c.most[o.Key] == nil {
			c.most[o.Key] = map[product.Kind]int64{}
		}
		c.most[o.Key][o.Item.Kind] = max(c.most[o.Key][o.Item.Kind], o.Item.Quantity)
	}
}

// forgotten: a ledger was lost, and with it what people decided.
func (c *checker) forgotten() {
	for _, s := range c.market.sales {
		s.closed = false
	}
}

// wrote takes note of what a process has made durable.
func (s *sim) wrote(p *process, events []ledger.Event) {
	c := s.checker
	for _, e := range events {
		s.counter.add("wrote " + ledger.KindOf(e))
		s.tracef("p%d wrote %s", p.id, ledger.KindOf(e))
		switch e := e.(type) {
		case ledger.OrderReserved:
			p.orders[e.Order] = e
		case ledger.OrderQuoted:
			p.terms[e.Order] = terms{e.Invoice.Ref, e.Invoice.Transfer.Amount}
		case ledger.TransferFound:
			p.founds[e.Found] = s.market.known[terms{e.Ref, ton.Nano(e.Amount.Units)}]
		case ledger.OrderHeld:
			s.market.known[p.terms[e.Order]].settled = true
		case ledger.PaymentArmedEvent:
			c.opened(p, e)
		case ledger.BurnArmed:
			c.arm(p, e.Payload)
			p.burns[string(p.messages[e.Payment])] = true
		case ledger.PaymentSignedEvent:
			c.readied[string(e.Message)] = true
			p.messages[e.Payment] = e.Message
		case ledger.BurnSigned:
			c.readied[string(e.Message)] = true
		case ledger.PaymentExecutedEvent:
			c.settled(p, e.Payment, false)
			s.noteExecuted(e)
		case ledger.PaymentDeadEvent:
			c.settled(p, e.Payment, true)
			if e.Certificate.Taken.IsZero() {
				s.counter.add("verdict: dead by time")
			} else {
				s.counter.add("verdict: displaced")
			}
		case ledger.KeyReissued:
			c.reissued(e.Key)
		case ledger.FoundAssigned:
			c.assigned(p.founds[e.Found], e)
		}
	}
}

func (s *sim) noteExecuted(e ledger.PaymentExecutedEvent) {
	switch {
	case len(e.Paid) == 0:
		s.counter.add("verdict: all skipped")
	case len(e.Skipped) > 0:
		s.counter.add("verdict: some skipped")
	default:
		s.counter.add("verdict: executed")
	}
	if len(e.Message) > 0 {
		s.counter.add("verdict: executed, signed unseen")
	}
}

func (c *checker) arm(p *process, payload ton.Payload) {
	hash, err := payload.Hash()
	if err != nil {
		c.violate(4, "a payload was recorded that can't be encoded: %v", err)
		return
	}
	if _, known := c.armed[hash]; !known {
		c.armed[hash] = armed{p, p.limits}
	}
}

// opened checks I3: a wallet has one payment that may be executed, and no more.
func (c *checker) opened(p *process, e ledger.PaymentArmedEvent) {
	if len(p.open) > 0 {
		c.violate(3, "p%d arms payment %d beside an open one", p.id, e.Payment)
	}
	if hash, err := e.Payload.Hash(); err == nil {
		p.open[e.Payment] = hash
	}
	c.arm(p, e.Payload)
}

// settled checks I7: a payment that is recorded as executed stands in the
// chain. One that is recorded as dead must never pay anything; that it took its
// seqno and skipped everything can't be seen while the account is frozen, and
// does not matter.
func (c *checker) settled(p *process, id ledger.PaymentID, dead bool) {
	hash := p.open[id]
	delete(p.open, id)
	_, taken := c.executed[hash]
	switch {
	case dead && c.executed[hash] > 0:
		c.violate(6, "p%d records payment %d as dead, and it was executed", p.id, id)
	case dead:
		c.dead[hash] = true
	case !taken:
		c.violate(7, "p%d records payment %d as executed, and it was not", p.id, id)
	}
}

// reissued: a person has a key bought again, beside what was paid for it.
func (c *checker) reissued(key string) {
	for _, s := range c.market.sales {
		if s.key == key && s.paid > 0 {
			s.closed = true
		}
	}
	for _, most := range c.most[key] {
		c.more[key] += most
	}
}

// assigned: a person, or a ref that was known, said whom a transfer was for. A
// wrong answer allows for a purchase too many.
func (c *checker) assigned(sold *sale, e ledger.FoundAssigned) {
	if sold.key != e.Key {
		c.more[sold.key] += sold.item.Quantity // may be bought again
		c.misled[sold.key], c.misled[e.Key] = true, true
	}
}

// signs checks I4 for the key: what it is to sign is durable.
func (c *checker) signs(payload ton.Payload) {
	hash, err := payload.Hash()
	if _, known := c.armed[hash]; err != nil || !known {
		c.violate(4, "seqno %d is to be signed and is not recorded", payload.Seqno)
	}
}

// sent checks I4 for the network: what leaves is durable.
func (c *checker) sent(message ton.BoC) {
	if !c.readied[string(message)] {
		c.violate(4, "a message leaves that is not recorded")
	}
}

// decides checks I5: a process that knows of a burn does not send its payment
// again.
func (c *checker) decides(p *process, f reconcile.Effect) {
	if f, ok := f.(reconcile.Send); ok && p.burns[string(f.Message)] {
		c.violate(5, "p%d sends a payment that is being burned", p.id)
	}
}

// transaction checks what left the wallet.
func (c *checker) transaction(t ton.Transaction, m *external) {
	if m == nil || !t.Success {
		return // nothing of ours, or rolled back
	}
	hash, err := m.payload.Hash()
	if err != nil {
		c.violate(4, "%v", err)
		return
	}
	if c.executed[hash] = len(t.Out); c.dead[hash] && len(t.Out) > 0 {
		c.violate(6, "seqno %d was executed, and is recorded as dead", m.payload.Seqno)
	}
	by, ours := c.armed[hash]
	if !ours {
		return // somebody else's
	}
	for _, out := range t.Out {
		sold := c.market.sold(out)
		if sold == nil || out.To != sold.to || out.Amount != sold.amount || out.Comment != firewall.CommentOf(sold.item, sold.ref) {
			c.violate(10, "%s TON left for %s with %q, which nobody offered", out.Amount, out.To, out.Comment)
			continue
		}
		c.offerKept(t, out, sold, by)
		c.paidOnce(sold)
		c.withinTotals(sold)
		c.withinLimits(t, out, sold, by)
	}
}

// offerKept is I10: every transfer is what was offered and approved: to an
// allowed account, within the cap and before the offer's end.
func (c *checker) offerKept(t ton.Transaction, out ton.Out, sold *sale, by armed) {
	most, known := by.limits.Cap(sold.item)
	switch {
	case !slices.Contains(firewall.DefaultDestinations(), out.To):
		c.violate(10, "%s was paid to %s", sold.ref, out.To)
	case !known || int64(out.Amount) > most.Units:
		c.violate(10, "%s TON were paid for %s, above the cap", out.Amount, sold.item)
	case t.Time >= sold.until:
		c.violate(10, "%s was paid at %d and had ended at %d", sold.ref, t.Time, sold.until)
	}
}

// paidOnce is I14 and I2: no ref is paid twice, and no part of a key either.
func (c *checker) paidOnce(sold *sale) {
	if c.refs[sold.ref]++; c.refs[sold.ref] > 1 {
		c.violate(14, "%s was paid %d times", sold.ref, c.refs[sold.ref])
	}
	if first := c.paid[sold.intent]; first != nil && first != sold && first.given() {
		c.violate(2, "%+v was paid with %s and with %s", sold.intent, first.ref, sold.ref)
	}
	c.paid[sold.intent] = sold
}

// withinTotals is I2: nobody has more of a key than was ever written for it,
// but for what a person decided.
func (c *checker) withinTotals(sold *sale) {
	var sum int64
	for _, s := range c.market.sales {
		if s.key == sold.key && s.item.Kind == sold.item.Kind && s.given() {
			sum += s.item.Quantity
		}
	}
	if most := c.most[sold.key][sold.item.Kind] + c.more[sold.key]; sum > most {
		c.violate(2, "%d %s were paid for %s, and never more than %d were written", sum, sold.item.Kind, sold.key, most)
	}
}

// withinLimits is I8: what left stays within the limits of the run, of the
// month, and of what is paid and unacknowledged.
func (c *checker) withinLimits(t ton.Transaction, out ton.Out, sold *sale, by armed) {
	at := time.Unix(int64(t.Time), 0).UTC()
	month := period{by.process.branch, at.Year(), at.Month()}
	c.spent[by.process] += out.Amount
	c.inMonths[month] = append(c.inMonths[month], sold)
	var inMonth, unacknowledged ton.Nano
	for _, s := range c.inMonths[month] {
		if s.given() { // what came back may be spent again
			inMonth += s.amount
		}
	}
	for _, s := range c.market.sales {
		if s.branch == by.process.branch && s.given() && !s.confirmed && !s.settled {
			unacknowledged += s.amount
		}
	}
	for _, l := range []struct {
		name  string
		spent ton.Nano
		most  []ton.Amount
	}{
		{"order", out.Amount, by.limits.Order}, {"run", c.spent[by.process], by.limits.Run},
		{"month", inMonth, by.limits.Month}, {"undelivered", unacknowledged, by.limits.Undelivered},
	} {
		if int64(l.spent) > l.most[0].Units {
			c.violate(8, "limits.%s: %s TON have left with %s, of %s", l.name, l.spent, sold.ref, l.most[0])
		}
	}
}

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
		times := s.paid
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

// refAt reads the ref of the transfer that paid an order from the chain.
func (c *checker) refAt(o *ledger.Order) string {
	i, found := slices.BinarySearchFunc(c.chain.history, o.Settled.LT, func(t ton.Transaction, lt uint64) int { return int(int64(t.LT) - int64(lt)) })
	if found {
		for _, out := range c.chain.history[i].Out {
			if s := c.market.sold(out); s != nil && s.key == o.Key && s.generation == o.Generation && s.part == o.Part && s.item == o.Item {
				return s.ref
			}
		}
	}
	return "nothing"
}

// ended is I24: no order waits for anything.
func (c *checker) ended(book *ledger.State) {
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; o.Phase != ledger.Acknowledged && o.Phase != ledger.Delivered && o.Phase != ledger.Released {
			c.violate(24, "order %d of %s is %s in the end", id, o.Key, o.Phase)
		}
	}
}

// audited: the program's own audit finds nothing either.
func (c *checker) audited(book *ledger.State) {
	for _, f := range reconcile.Audit(book, c.chain.account.Address, c.chain.history) {
		if f.Code != reconcile.FindingBounce { // of a transfer that another ledger made
			c.violate(13, "audit: %s: %s", f.Code, f.Text)
		}
	}
}

// served is I24: whoever is written has it, or there is a reason.
func (c *checker) served(book *ledger.State, o spec.Occurrence) {
	var given int64
	for _, s := range c.market.sales {
		if s.key == o.Key && s.item.Kind == o.Item.Kind && s.given() && !s.closed {
			given += s.item.Quantity
		}
	}
	rest := product.Item{Kind: o.Item.Kind, Quantity: o.Item.Quantity - given}
	if rest.Quantity <= 0 || c.misled[o.Key] {
		return
	}
	code := reconcile.Code("")
	for _, a := range reconcile.Diff(c.want, book, nil, c.limits).Actions {
		if a.Key == o.Key {
			code = a.Code
		}
	}
	_, sold := rest.Parts()
	switch {
	case code == reconcile.CodeNotSold && !sold:
	case code == reconcile.CodeBound && len(c.most[o.Key]) > 1:
	case code == reconcile.CodeOneWinner && o.Single && c.othersWon(o):
	case code == reconcile.CodeNotSold && o.Item.Check() != nil:
	default:
		c.violate(24, "%s has %d of %s, and the plan says %q", o.Key, given, o.Item, code)
	}
}

func (c *checker) othersWon(o spec.Occurrence) bool {
	return slices.ContainsFunc(c.market.sales, func(s *sale) bool {
		return s.key != o.Key && strings.HasPrefix(s.key, o.Grant+"/") && s.paid > 0
	}) || len(c.misled) > 0
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
	for key, handle := range c.handles {
		for kind, n := range c.most[key] {
			most[gift{handle, kind}] += n + c.more[key]
		}
	}
	for g, n := range given {
		if n > most[g] {
			c.violate(2, "@%s was given %d %s, and never more than %d were written", g.handle, n, g.kind, most[g])
		}
	}
}
