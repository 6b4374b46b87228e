package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// A Handout is a request to pay that is given to a person: one message of the
// wallet with these transfers, before that time.
type Handout struct {
	Request    ledger.RequestID
	Wallet     ton.Address
	ValidUntil uint32 // Unix seconds
	Transfers  []ton.Transfer
	Keys       []string     // of the orders that they pay
	Prices     []ton.Amount // of those; what goes along with USDT is gas
}

// hand asks a person to pay the draft. It is recorded before anybody sees it:
// from then on it may be paid at any time, whatever becomes of this program.
func (s *State) hand() {
	d := s.draft
	s.draft = nil
	now := s.account.Time
	h := Handout{Request: s.book.LastRequest + 1, Wallet: s.self, ValidUntil: ^uint32(0)}
	for _, id := range d.orders {
		o := s.book.Orders[id]
		h.ValidUntil = min(h.ValidUntil, o.Invoice.ValidUntil-expiryMargin)
		h.Transfers = append(h.Transfers, o.Invoice.Transfer)
		h.Keys = append(h.Keys, o.Key)
		h.Prices = append(h.Prices, o.Invoice.Price)
	}
	payload := d.payload
	payload.ValidUntil = h.ValidUntil
	if err := firewall.CheckPayload(payload, firewall.Approved{Wallet: s.wallet, Seqno: s.account.Data.Seqno, Now: now, Latest: h.ValidUntil, Transfers: h.Transfers}); err != nil {
		s.stop(err)
		return
	}
	if !s.record(ledger.PaymentRequested{Request: h.Request, Run: s.run, Wallet: s.self, ValidUntil: h.ValidUntil, Orders: d.orders, Base: d.base}) {
		return
	}
	for _, id := range d.orders {
		delete(s.jobs, id)
		s.noticeOrder("offered", s.book.Orders[id])
	}
	s.ready = slices.DeleteFunc(s.ready, func(id ledger.OrderID) bool { return slices.Contains(d.orders, id) })
	s.handing = true
	s.do(Hand{h})
}

// handed ends a run that signs nothing: one request is enough to look after.
// What did not fit into it is given up until it is paid.
func (s *State) handed(e Handed) {
	s.handing = false
	s.result.Offered = append(s.result.Offered, s.book.Requests[e.Request].Orders...)
	if e.Err != nil {
		s.stop(fmt.Errorf("request %d is recorded and could not be handed over, so it counts as if somebody had it. If nobody can have seen it, say so for each key: fragplan ledger resolve KEY -as unpaid -reason TEXT: %w", e.Request, e.Err))
	}
	s.leave()
}

// leave gives up what is not in the request. The run stays unfinished, so that
// a saved plan may go on with it.
func (s *State) leave() {
	var releases []ledger.Event
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if s.jobs[id] {
			s.giveBack(s.counts.bill(s.book.Orders[id], s.book.Orders[id].Reserve)...)
			delete(s.jobs, id)
			s.result.Left++
			releases = append(releases, ledger.OrderReleased{Order: id, Reason: "it did not fit into the request"})
		}
	}
	s.waiting, s.quoting, s.ready = nil, nil, nil
	if len(releases) > 0 {
		s.record(releases...)
	}
}

// answered settles what people were asked to pay, from a wallet's proven
// history. It reports false if the book refuses.
func (s *State) answered(wallet ton.Address, history []ton.Transaction) bool {
	for _, t := range history {
		if s.payment(wallet, t) != nil {
			continue
		}
		e, paid := s.book.Answer(wallet, t)
		if !paid {
			continue
		}
		if !s.record(e) {
			return false
		}
		if s.run == 0 {
			s.result.Settled++
		}
		s.result.Payments++
		s.result.Fees += e.Fees
		s.spendFees(e.Fees)
		for _, id := range e.Paid {
			s.bought(id)
		}
		s.sent(e.Sent)
	}
	return true
}
