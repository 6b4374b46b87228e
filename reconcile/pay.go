package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// prepare begins a batch when it is full, when its oldest offer would not
// outlive it, or when nothing more is coming. It starts with a fresh look.
func (s *State) prepare() {
	if s.draft != nil || len(s.book.Open()) > 0 || s.braked || s.handing || s.byhand && len(s.result.Offered) > 0 {
		return
	}
	full := len(s.next()) >= s.batchLimit()
	last := (len(s.waiting) == 0 || s.short) && len(s.quoting) == 0
	if len(s.ready) == 0 || !full && !last && !s.hurry() {
		return
	}
	if len(s.tracing) > 0 && slices.ContainsFunc(s.next(), s.inUSDT) {
		return // how much is left is only known when what was sent has arrived
	}
	s.draft = &draft{}
	s.do(s.look(s.self))
}

// next are the orders whose turn it is in the plan: those before the first
// that still waits for an offer, or all of them if an offer can't wait.
func (s *State) next() []ledger.OrderID {
	if s.hurry() {
		return s.ready
	}
	end := len(s.ready)
	for _, awaited := range [][]ledger.OrderID{s.waiting, s.quoting} {
		if len(awaited) > 0 {
			at, _ := slices.BinarySearch(s.ready, awaited[0])
			end = min(end, at)
		}
	}
	return s.ready[:end]
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
	orders := s.next()
	if s.stopped != nil || len(orders) == 0 {
		s.draft = nil
		return
	}
	orders = orders[:min(len(orders), s.batchLimit())]
	if o := s.book.Orders[orders[0]]; o.Cap.Asset == ton.AssetUSDT {
		if err := s.holds(o, o.Invoice.Price, o.Invoice.Price.Units); err != nil {
			s.ready = slices.DeleteFunc(s.ready, func(id ledger.OrderID) bool { return id == o.ID })
			s.giveUp(o, "funds", err.Error())
			if !s.ended {
				s.compose()
			}
			return
		}
	}
	if orders = s.affordable(orders); len(orders) == 0 {
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

// affordable cuts a batch to the prefix, in plan order, that the balance and
// the breaker allow. If not even one order fits, the run stops.
func (s *State) affordable(orders []ledger.OrderID) []ledger.OrderID {
	breaker := s.plan.Limits.Of(policy.Undelivered, unacknowledged(s.book)...)
	var sum ton.Nano
	usdt := s.free().Units
	for i, id := range orders {
		o := s.book.Orders[id]
		if o.Cap.Asset == ton.AssetUSDT {
			if usdt -= o.Invoice.Price.Units; usdt < 0 || s.purse.Locked {
				return orders[:i] // the first one is covered
			}
		}
		sum += o.Invoice.Transfer.Amount
		if sum+firewall.Fees(i+1)+ton.Nano(s.countUSDT(orders[:i+1]))*firewall.JettonFee > s.available() {
			if i == 0 && o.Cap.Asset == ton.AssetUSDT {
				s.stop(s.shortOfGas(o, o.Invoice.Transfer.Amount))
			} else if i == 0 {
				s.stop(s.shortOfTON(o, o.Invoice.Price))
			}
			return orders[:i]
		}
		if err := breaker.Reserve(o.Invoice.Price); err != nil {
			switch {
			case i > 0:
			case len(s.telling)+len(s.tracing) > 0:
				s.braked = true // until a confirm call was answered, or USDT has arrived
			default:
				s.stop(fmt.Errorf("%s: %w: %w", o.Key, ErrBreaker, err))
			}
			return orders[:i]
		}
	}
	return orders
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
		s.retry(fmt.Errorf("%w: emulating the payment: %w", ErrChain, e.Err))
	case !sum.Accepted:
		s.retry(fmt.Errorf("the wallet %s would not take the payment (exit code %d)", s.self, sum.ExitCode))
	case sum.Skipped == 0 && sum.Sent == len(d.orders) && sum.ExitCode == 0:
		s.failed = 0
		if err := firewall.CheckFees(sum.Fees, len(d.orders), s.countUSDT(d.orders)); err != nil {
			s.draft = nil
			s.stop(err)
			return
		}
		if s.byhand {
			s.hand()
		} else {
			s.arm()
		}
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
	s.do(Wait{Look: s.look(s.self), Pause: s.patience(s.failed)})
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
	s.remember(p)
	s.notice(Progress{Stage: "armed", Payment: id, Orders: len(d.orders)})
	s.do(s.sign(p))
}

func (s *State) sign(p *ledger.Payment) Sign {
	keys := make([]string, len(p.Orders))
	for i, id := range p.Orders {
		keys[i] = s.book.Orders[id].Key
	}
	return Sign{Payment: p.ID, Payload: p.Payload, Deploys: p.Deploys, Keys: keys}
}

func (s *State) signed(e Signed) {
	p := s.book.Payments[e.Payment]
	if e.Err == nil {
		payload := p.Payload
		if e.Burn {
			payload = p.Burn.Payload
		}
		e.Err = firewall.CheckMessage(e.Message, payload, s.wallet, p.Deploys)
	}
	if e.Burn && e.Err == nil {
		s.burning(p, e.Message)
		return
	}
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
