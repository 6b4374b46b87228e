package reconcile

import (
	"fmt"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// maxTraces is how often the chain is asked what became of USDT before people
// are told and the next run goes on.
const maxTraces = 20

// A way is where USDT goes: from a jetton wallet of ours to an account.
type way struct {
	wallet, owner ton.Address
}

// wayOf is the way of an order that was sent, and whether it has one.
func wayOf(o *ledger.Order) (way, bool) {
	wallet, owner, sent := ledger.Route(o)
	return way{wallet, owner}, sent
}

func jettonOf(t ton.Transfer) (ton.JettonTransfer, bool) {
	c, err := t.Body.Cell()
	if err != nil {
		return ton.JettonTransfer{}, false
	}
	j, err := ton.ParseJettonTransfer(c)
	return j, err == nil
}

// sentOn lists the orders whose USDT is on a way.
func (s *State) sentOn(w way) (orders []*ledger.Order) {
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if v, ok := wayOf(s.book.Orders[id]); ok && v == w {
			orders = append(orders, s.book.Orders[id])
		}
	}
	return orders
}

// follow asks what became of all USDT that was sent, once for each way.
func (s *State) follow() {
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if w, ok := wayOf(s.book.Orders[id]); ok && !s.tracing[w] {
			s.trace(w, 0)
		}
	}
}

func (s *State) trace(w way, pause time.Duration) {
	after := uint64(0)
	for i, o := range s.sentOn(w) {
		if i == 0 || o.Settled.LT < after {
			after = o.Settled.LT
		}
	}
	s.tracing[w] = true
	s.do(Trace{Wallet: w.wallet, Owner: w.owner, After: after, Pause: pause})
}

// traced takes in what the chain shows. Without an answer the order stays sent:
// it is asked about again, by this run and by every later one.
func (s *State) traced(e Traced) {
	w := way{e.Wallet, e.Owner}
	delete(s.tracing, w)
	s.braked = false
	if e.Err == nil {
		for _, o := range s.sentOn(w) {
			if o.Settled.LT < e.After {
				continue // the trail begins later
			}
			if !s.receipt(o, e.Trail) {
				return
			}
		}
	}
	rest := s.sentOn(w)
	if len(rest) == 0 {
		delete(s.traces, w)
		return
	}
	s.traces[w]++
	if e.Err != nil {
		s.traces[w] += 2 // mostly it can't be read at all
	}
	if n := s.traces[w]; n < maxTraces && s.stopped == nil {
		s.trace(w, s.patience(n))
		return
	}
	text := "it is not known yet whether its USDT arrived; the next apply asks again"
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	for _, o := range rest {
		s.notice(Progress{Stage: "undelivered", Key: o.Key, Handle: o.Handle, Item: o.Item, Order: o.ID, Amount: o.Reserve, Text: text})
	}
}

// receipt records what the trail says of one order. It reports false if the
// run is over.
func (s *State) receipt(o *ledger.Order, trail ledger.Trail) bool {
	event, err := ledger.ReceiptOf(o, trail)
	if err != nil {
		s.stop(err)
		return true
	}
	switch event := event.(type) {
	case ledger.TransferReceived:
		if !s.record(event) {
			return false
		}
		s.result.Bought = append(s.result.Bought, o.ID)
		s.result.SpentUSDT.Units += o.Reserve.Units
		s.noticeOrder("paid", o)
		s.tell(o)
	case ledger.OrderHeld:
		if !s.record(event) {
			return false
		}
		s.noticeOrder("held", o)
		s.result.Problems = append(s.result.Problems, Problem{o.Key, "bounced", event.Reason})
	}
	return true
}

// gasBack takes in a transfer of USDT that came back to the wallet because its
// jetton wallet refused it. Its query id and its amount say whose it was. If
// they are those of several orders, whatever became of them, the trails alone
// tell which was refused.
func (s *State) gasBack(wallet ton.Address, t ton.Transaction, query uint64, units int64) bool {
	orders := s.asking(wallet, t, query, units)
	if len(orders) != 1 || orders[0].Phase != ledger.Sent && orders[0].Phase != ledger.Held {
		s.puzzle(wallet, t)
		return true
	}
	o := orders[0]
	reason := fmt.Sprintf("its jetton wallet refused the transfer: no USDT left it, and %s", broughtBack(t))
	if o.Phase == ledger.Held {
		return s.record(ledger.TransactionExplained{Wallet: wallet, Transaction: t.Position, Reason: fmt.Sprintf("order %d: %s", o.ID, reason)})
	}
	if !s.record(ledger.OrderHeld{Order: o.ID, Reason: reason, Bounce: t.Position}) {
		return false
	}
	s.noticeOrder("held", o)
	s.result.Problems = append(s.result.Problems, Problem{o.Key, "bounced", reason})
	return true
}

// asking lists the orders whose transfer of USDT may have come back with t: all
// that asked the same jetton wallet for as much under that query id.
func (s *State) asking(wallet ton.Address, t ton.Transaction, query uint64, units int64) (orders []*ledger.Order) {
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		o := s.book.Orders[id]
		if o == nil || o.Wallet != wallet || o.Invoice == nil || o.Invoice.Transfer.To != t.In.From || o.Settled.LT >= t.LT || o.Settled.IsZero() && o.Phase != ledger.Armed {
			continue
		}
		if j, ok := jettonOf(o.Invoice.Transfer); ok && j.QueryID == query && j.Amount == units && o.Invoice.Transfer.Amount >= t.In.Amount {
			orders = append(orders, o)
		}
	}
	return orders
}
