package reconcile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// askMore asks for offers, no further ahead than the next batch: an offer
// that waits too long expires.
func (s *State) askMore() {
	for len(s.waiting) > 0 && s.quoting+len(s.ready) < s.batchLimit()+askAhead {
		id := s.waiting[0]
		s.waiting = s.waiting[1:]
		o := s.book.Orders[id]
		s.quoting++
		s.do(Ask{Order: id, Handle: o.Handle, Item: o.Item})
	}
}

// batchLimit is the ramp: at most 4 times the largest batch that Fragment has
// acknowledged for this wallet, beginning with 1.
func (s *State) batchLimit() int {
	ramp := s.book.Wallets[s.self].Ramp
	if ramp == 0 {
		return 1
	}
	return min(4*ramp, s.wallet.Version.MaxTransfers())
}

func (s *State) offered(e Offered) {
	s.quoting--
	o := s.book.Orders[e.Order]
	j := s.jobs[e.Order]
	if o == nil || j == nil || o.Phase != ledger.Reserved {
		return
	}
	var refusal *Refusal
	switch {
	case errors.As(e.Err, &refusal):
		s.giveUp(o, refusal.Code, refusal.Reason)
		return
	case e.Err != nil:
		s.stop(fmt.Errorf("%s: %w", o.Key, e.Err))
		return
	}
	j.invoices++
	invoice := e.Offer.Invoice
	invoice.N = o.Invoices + 1
	if err := s.inspect(o, e.Offer.From, invoice); err != nil {
		code := "firewall"
		if r := (*firewall.Refusal)(nil); errors.As(err, &r) {
			code = string(r.Code)
		}
		s.giveUp(o, code, err.Error())
		return
	}
	err := s.plan.Limits.CheckOrder(invoice.Price)
	if err == nil {
		err = s.retake(o.Reserve, invoice.Price)
	}
	if err != nil {
		s.giveUp(o, "limit", err.Error())
		return
	}
	if s.record(ledger.OrderQuoted{Order: o.ID, Invoice: invoice}) {
		// Offers are answered in any order; they are paid in the plan's.
		at, _ := slices.BinarySearch(s.ready, o.ID)
		s.ready = slices.Insert(s.ready, at, o.ID)
		s.noticeOrder("quoted", o)
	}
}

// inspect has the firewall decode the offer to the last bit.
func (s *State) inspect(o *ledger.Order, from ton.Address, invoice ledger.Invoice) error {
	rules := s.rules
	rules.Wallet = s.self
	rules.RefKnown = func(ref string) bool { _, known := s.book.Refs[ref]; return known }
	want := firewall.Want{Item: o.Item, Amount: ton.Nano(invoice.Price.Units), Cap: ton.Nano(o.Cap.Units), Now: s.account.Time}
	t := invoice.Transfer
	return firewall.Check(rules, want, firewall.Offer{
		From: from, ValidUntil: invoice.ValidUntil,
		Messages: []firewall.Message{{To: t.To, Bounce: t.Bounce, Amount: t.Amount, Payload: t.Body}},
	})
}

// giveUp releases an order that can't be bought in this run.
func (s *State) giveUp(o *ledger.Order, code, reason string) {
	s.giveBack(o.Reserve)
	delete(s.jobs, o.ID)
	if s.record(ledger.OrderReleased{Order: o.ID, Reason: reason}) {
		s.problem(o.Key, code, reason)
	}
}

// prepare begins a batch when it is full, when its oldest offer would not
// outlive it, or when nothing more is coming. It starts with a fresh look.
func (s *State) prepare() {
	if s.draft != nil || len(s.book.Open()) > 0 || s.braked {
		return
	}
	full := len(s.ready) >= s.batchLimit()
	last := len(s.waiting) == 0 && s.quoting == 0
	if len(s.ready) == 0 || !full && !last && !s.hurry() {
		return
	}
	s.draft = &draft{}
	s.do(s.look(s.self))
}

// hurry: an offer ends so soon that its batch must leave now.
func (s *State) hurry() bool {
	soon := s.account.Time + validity + 2*expiryMargin
	return slices.ContainsFunc(s.ready, func(id ledger.OrderID) bool { return s.book.Orders[id].Invoice.ValidUntil < soon })
}

// compose builds the payload of the batch from a fresh sight of the wallet.
func (s *State) compose() {
	s.dropExpired()
	if err := s.sound(); err != nil {
		s.stop(err)
	}
	if s.stopped != nil || len(s.ready) == 0 {
		s.draft = nil
		return
	}
	orders := s.ready[:min(len(s.ready), s.batchLimit())]
	orders = s.affordable(orders)
	if len(orders) == 0 {
		s.draft = nil
		return
	}
	s.draft = &draft{orders: append([]ledger.OrderID{}, orders...), deploys: !s.account.Active, base: s.account.Last}
	s.try()
}

func (s *State) try() {
	d := s.draft
	until := s.account.Time + validity
	var transfers []ton.Transfer
	for _, id := range d.orders {
		invoice := s.book.Orders[id].Invoice
		until = min(until, invoice.ValidUntil-expiryMargin)
		transfers = append(transfers, invoice.Transfer)
	}
	d.payload = ton.Payload{Wallet: s.wallet.Version, WalletID: s.wallet.ID(), Seqno: s.account.Data.Seqno, ValidUntil: until, Transfers: transfers}
	s.do(Try{Wallet: s.wallet, Payload: d.payload})
}

// dropExpired sends orders back whose offer would not outlive a message.
func (s *State) dropExpired() {
	var keep []ledger.OrderID
	for _, id := range s.ready {
		o := s.book.Orders[id]
		if o.Invoice.ValidUntil >= s.account.Time+2*expiryMargin {
			keep = append(keep, id)
			continue
		}
		if !s.record(ledger.InvoiceDropped{Order: id, Reason: "the offer expired unpaid"}) {
			return
		}
		s.again(o, "offers expired before they could be paid")
	}
	s.ready = keep
}

// again puts a reserved order back into the queue, or gives it up if that has
// happened too often.
func (s *State) again(o *ledger.Order, why string) {
	j := s.jobs[o.ID]
	if j == nil || j.invoices >= maxInvoices || o.Deaths >= maxDeaths {
		s.giveUp(o, "retries", fmt.Sprintf("%d %s; the next apply tries again", maxInvoices, why))
		return
	}
	s.waiting = append(s.waiting, o.ID)
}

// sound checks that the wallet is the one we know how to pay from.
func (s *State) sound() error {
	switch a := s.account; {
	case a.Frozen:
		return fmt.Errorf("the wallet %s is frozen: it owes storage fees", s.self)
	case a.Active && a.CodeHash != s.wallet.Version.CodeHash():
		return fmt.Errorf("the code of wallet %s is not that of a %s wallet", s.self, s.wallet.Version)
	case a.Active && (!a.Data.Plain || a.Data.ID != s.wallet.ID()):
		return fmt.Errorf("the wallet %s has extensions, plugins or another id: somebody else may be able to spend from it", s.self)
	}
	return nil
}

// fees is what is kept back for a message with n transfers; measured costs
// are 1.42 mTON a transfer and 3 mTON a message.
func fees(n int) ton.Nano { return ton.Nano(n)*1_500_000 + 10_000_000 }

// affordable cuts a batch to the prefix, in plan order, that the balance and
// the breaker allow. If not even one order fits, the run stops.
func (s *State) affordable(orders []ledger.OrderID) []ledger.OrderID {
	breaker := s.plan.Limits.Of(policy.Undelivered, s.unacknowledged()...)
	var sum ton.Nano
	for i, id := range orders {
		o := s.book.Orders[id]
		sum += o.Invoice.Transfer.Amount
		if sum+fees(i+1) > s.account.Balance {
			if i == 0 {
				s.stop(fmt.Errorf("the wallet %s holds %s TON; %s costs %s and about %s TON of fees. Top it up and run apply again: %w",
					s.self, s.account.Balance, o.Key, o.Invoice.Price, fees(1), ErrFunds))
			}
			return orders[:i]
		}
		if err := breaker.Reserve(o.Invoice.Price); err != nil {
			switch {
			case i > 0:
			case len(s.telling) > 0:
				s.braked = true // until a confirm call was answered
			default:
				s.stop(fmt.Errorf("%s: %w: %w", o.Key, ErrBreaker, err))
			}
			return orders[:i]
		}
	}
	return orders
}

// Errors that stop a run cleanly.
var (
	// ErrFunds: the wallet can't pay for the next order.
	ErrFunds = errors.New("not enough TON in the wallet")
	// ErrBreaker: too much is paid and not acknowledged.
	ErrBreaker = errors.New("Fragment has not acknowledged what was paid, so nothing more is signed")
)

func (s *State) unacknowledged() []ton.Amount {
	var sum []ton.Amount
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Phase == ledger.Paid {
			sum = append(sum, o.Reserve)
		}
	}
	return sum
}

// tried judges the emulation. A sound batch is armed; one that would skip
// transfers is cut and emulated again; one that the wallet would not even take
// is composed anew from a fresh look.
func (s *State) tried(e Tried) {
	d := s.draft
	if d == nil {
		return
	}
	sum := e.Emulation
	switch {
	case s.stopped != nil:
		s.draft = nil
	case e.Err != nil:
		s.retry(fmt.Errorf("emulating the payment: %w", e.Err))
	case !sum.Accepted:
		s.retry(fmt.Errorf("the wallet %s would not take the payment (exit code %d)", s.self, sum.ExitCode))
	case sum.Skipped == 0 && sum.Sent == len(d.orders) && sum.ExitCode == 0:
		s.failed = 0
		s.arm()
	case len(d.orders) > 1:
		d.orders = d.orders[:max(1, len(d.orders)-max(1, sum.Skipped))]
		s.try()
	default:
		s.draft = nil
		s.stop(fmt.Errorf("the wallet %s would not send the payment (exit code %d, %d skipped): %w", s.self, sum.ExitCode, sum.Skipped, ErrFunds))
	}
}

// retry begins the batch again after a pause, a few times.
func (s *State) retry(err error) {
	s.draft = nil
	if s.failed++; s.failed > maxMisses {
		s.stop(err)
		return
	}
	s.notice(Progress{Stage: "unreadable", Text: err.Error()})
	s.draft = &draft{}
	s.do(Wait{Look: s.look(s.self), Pause: patience(s.failed)})
}

// arm writes the whole unsigned payload before the key may touch it.
func (s *State) arm() {
	d := s.draft
	s.draft = nil
	approved := make([]ton.Transfer, len(d.orders))
	for i, id := range d.orders {
		approved[i] = s.book.Orders[id].Invoice.Transfer
	}
	if err := firewall.CheckPayload(d.payload, firewall.Approved{Wallet: s.wallet, Seqno: s.account.Data.Seqno, Now: s.account.Time, Latest: s.account.Time + validity, Transfers: approved}); err != nil {
		s.stop(err)
		return
	}
	id := s.book.LastPayment + 1
	if !s.record(ledger.PaymentArmedEvent{Payment: id, Run: s.run, Wallet: s.self, Payload: d.payload, Deploys: d.deploys, Orders: d.orders, Base: d.base}) {
		return
	}
	// Offers that came meanwhile may stand before those of this batch.
	s.ready = slices.DeleteFunc(s.ready, func(id ledger.OrderID) bool { return slices.Contains(d.orders, id) })
	p := s.book.Payments[id]
	s.byHash[p.Hash] = p.ID
	s.notice(Progress{Stage: "armed", Payment: id, Orders: len(d.orders)})
	s.do(Sign{Payment: id, Payload: p.Payload, Deploys: p.Deploys})
}

func (s *State) signed(e Signed) {
	p := s.book.Payments[e.Payment]
	if e.Err != nil {
		// The payment stays armed: a signer outside may hold a signature.
		s.blind = true
		s.stop(fmt.Errorf("signing payment %d: %w", e.Payment, e.Err))
		return
	}
	if p.Phase != ledger.PaymentArmed || !s.record(ledger.PaymentSignedEvent{Payment: p.ID, Message: e.Message}) {
		return
	}
	s.notice(Progress{Stage: "signed", Payment: p.ID, Orders: len(p.Orders)})
	s.broadcast(p)
}

func (s *State) broadcast(p *ledger.Payment) {
	after := uint32(0)
	if p.Wallet == s.self {
		after = s.account.Block
	}
	s.do(Send{p.Message}, Wait{After: after, Look: s.look(p.Wallet)})
}
