package reconcile_test

import (
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// wrote takes note of what a process has made durable.
func (s *sim) wrote(p *process, events []ledger.Event) {
	c := s.checker
	c.recognized(p, events)
	for _, e := range events {
		s.counter.add("wrote " + ledger.KindOf(e))
		s.tracef("p%d wrote %s", p.id, ledger.KindOf(e))
		switch e := e.(type) {
		case ledger.OrderReserved:
			p.orders[e.Order] = e
		case ledger.OrderQuoted:
			p.terms[e.Order] = termsIn(e.Invoice)
		case ledger.TransferFound:
			if p.founds[e.Found] = s.market.known[terms{e.Ref, e.Amount}]; p.founds[e.Found] == nil {
				c.violate(23, "p%d finds %s under %s, which the market never asked for", p.id, e.Amount, e.Ref)
			}
		case ledger.TransferReceived:
			c.receives(p, e.Order)
		case ledger.OrderHeld:
			c.holds(p, e)
			if !e.Row.IsZero() {
				s.counter.add("held, listed for somebody else")
			}
			s.market.known[p.terms[e.Order]].settled = true
			if p.taken[e.Order] && !e.Bounce.IsZero() {
				s.counter.add("held, of a found transfer")
			}
		case ledger.PaymentRequested:
			p.requests[e.Request] = true
		case ledger.RequestPaid:
			if len(e.Sent) > 0 {
				s.counter.add("sent by a person")
			}
			for _, id := range e.Orders() {
				if sold := s.market.known[p.terms[id]]; sold == nil || sold.left == 0 {
					c.violate(7, "p%d records order %d as paid by a person, and it was not", p.id, id)
				}
			}
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
			p.terms[e.Order], p.taken[e.Order] = p.founds[e.Found].terms, true
			if e.Row.IsZero() { // else see recognized
				c.assigned(p.founds[e.Found], e)
			}
		case ledger.OrderDelivered:
			c.delivered(p, e)
		}
	}
}

func (s *sim) noteExecuted(e ledger.PaymentExecutedEvent) {
	switch {
	case len(e.Paid)+len(e.Sent) == 0:
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
	c.approve(payload, armed{p, p.limits, p.worst})
}

// approve: the payload may be signed, here or by a person who was asked to.
func (c *checker) approve(payload ton.Payload, by armed) {
	hash, err := payload.Hash()
	if err != nil {
		c.violate(4, "a payload was recorded that can't be encoded: %v", err)
		return
	}
	if _, known := c.armed[hash]; !known {
		c.armed[hash] = by
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

// receives checks I7 for USDT: what is recorded as arrived has arrived.
func (c *checker) receives(p *process, id ledger.OrderID) {
	if s := c.market.known[p.terms[id]]; s == nil || s.paid == 0 {
		c.violate(7, "p%d records the USDT of order %d as arrived, and it has not", p.id, id)
	}
}

// holds checks I7 for USDT: what the engine holds because it came back can't
// arrive any more.
func (c *checker) holds(p *process, e ledger.OrderHeld) {
	if s := c.market.known[p.terms[e.Order]]; p.state != nil && e.Row.IsZero() && s.inUSDT() && s.out() {
		c.violate(7, "p%d holds order %d (%s), and its USDT is on its way or has arrived", p.id, e.Order, e.Reason)
	}
}

// tells checks I7 for USDT: the market is told of what has arrived.
func (c *checker) tells(p *process, f reconcile.Tell) {
	if s := c.market.known[termsIn(f.Invoice)]; s.inUSDT() && s.paid == 0 {
		c.violate(7, "p%d tells the market of order %d, and its USDT has not arrived", p.id, f.Order)
	}
}

// reissued: a person has a key bought again, beside what was paid for it.
func (c *checker) reissued(key string) {
	for _, s := range c.market.sales {
		if origin(s.key) == origin(key) && s.left > 0 {
			s.closed = true
		}
	}
	for _, most := range c.most[origin(key)] {
		c.more[origin(key)] += most
	}
}

// assigned: a person, or a ref that was known, said whom a transfer was for. A
// wrong answer allows for a purchase too many.
func (c *checker) assigned(sold *sale, e ledger.FoundAssigned) {
	if was, now := origin(sold.key), origin(e.Key); was != now {
		c.more[was] += sold.item.Quantity // may be bought again
		c.misled[was], c.misled[now] = true, true
	}
}
