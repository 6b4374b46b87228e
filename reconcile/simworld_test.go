package reconcile_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// Errors of servers and signers that misbehave.
var (
	errServer = errors.New("lite server: timeout")
	errSigner = errors.New("signer: timeout")
)

// perform does in the world what an effect asks for, and returns what the
// engine is told of it.
func (s *sim) perform(p *process, f reconcile.Effect) reconcile.Event {
	s.counter.add("effect " + nameOf(f))
	switch f := f.(type) {
	case reconcile.Look:
		return s.sighted(p, f)
	case reconcile.Wait:
		if s.hit(waitFails) {
			return reconcile.Sighted{Wallet: f.Look.Wallet, Err: errServer}
		}
		return s.sighted(p, f.Look)
	case reconcile.Ask:
		p.moved++
		o := p.orders[f.Order]
		offer, err := s.market.quote(intent{p.branch, o.Key, o.Generation, o.Part}, f.Handle, f.Item)
		s.tracef("the market offers %s for order %d: %s until %d, %v", offer.Invoice.Ref, f.Order, offer.Invoice.Price, offer.Invoice.ValidUntil, err)
		return reconcile.Offered{Order: f.Order, Offer: offer, Err: err}
	case reconcile.Try:
		if s.hit(emulationFails) {
			return reconcile.Tried{Err: errServer}
		}
		behind := 0
		if s.hit(emulationIsStale) {
			behind = s.IntN(10)
		}
		return reconcile.Tried{Emulation: s.chain.emulate(f.Payload, behind)}
	case reconcile.Sign:
		p.moved++
		return s.sign(f)
	case reconcile.Send:
		p.moved++
		s.checker.sent(f.Message)
		s.broadcast(f.Message)
		return nil
	case reconcile.Tell:
		p.moved++
		return reconcile.Told{Order: f.Order, Err: s.market.confirm(f.Invoice)}
	case reconcile.Inquire:
		p.asked++
		done, err := s.market.delivered(f.Kind)
		return reconcile.Learned{Kind: f.Kind, Done: done, Err: err}
	}
	panic(fmt.Sprintf("no way to carry out %T", f))
}

// sighted is a proven state, which may be old but never older than one that
// this process has proven before.
func (s *sim) sighted(p *process, f reconcile.Look) reconcile.Event {
	if s.hit(lookFails) {
		return reconcile.Sighted{Wallet: f.Wallet, Err: errServer}
	}
	behind := 0
	if s.hit(lookIsStale) {
		behind = s.IntN(30)
	}
	behind = min(behind, int(s.chain.block-max(p.seen, 101)))
	p.seen = s.chain.block - uint32(behind)
	sight, err := s.chain.look(f, behind)
	return reconcile.Sighted{Wallet: f.Wallet, Sight: sight, Err: err}
}

func (s *sim) sign(f reconcile.Sign) reconcile.Event {
	s.checker.signs(f.Payload)
	if s.hit(signerFails) {
		return reconcile.Signed{Payment: f.Payment, Burn: f.Burn, Err: errSigner}
	}
	message := s.chain.sign(f.Payload, f.Deploys)
	if s.hit(signerFailsAfterSigning) {
		s.leaked = append(s.leaked, message)
		return reconcile.Signed{Payment: f.Payment, Burn: f.Burn, Err: errSigner}
	}
	return reconcile.Signed{Payment: f.Payment, Burn: f.Burn, Message: message}
}

// broadcast hands a message to the network, which may lose it.
func (s *sim) broadcast(message ton.BoC) {
	if !slices.ContainsFunc(s.ever, func(m ton.BoC) bool { return slices.Equal(m, message) }) {
		s.ever = append(s.ever, message)
		if s.hit(messageOnTheBrink) {
			s.brink = message
			s.pool = append(s.pool, floating{message, s.chain.signed[string(message)].payload.ValidUntil - 1 - uint32(s.IntN(20))})
		}
	}
	if slices.Equal(s.brink, message) || s.hit(messageDropped) {
		return
	}
	due := s.chain.time
	if s.hit(messageDelayed) {
		due += uint32(s.IntN(180))
	}
	s.pool = append(s.pool, floating{message, due})
	if s.hit(messageAddedTwice) {
		s.pool = append(s.pool, floating{message, due + uint32(s.IntN(60))})
	}
}

// produce makes the next block.
func (s *sim) produce() {
	seconds := uint32(1 + s.IntN(5))
	switch {
	case s.hit(chainStalls):
		seconds = 0
	case s.hit(chainJumps):
		seconds = uint32(50 + s.IntN(600))
	}
	s.chain.produce(seconds, func() {
		s.strangers()
		s.include()
		s.bounce()
	})
}

// include takes what may be included, in any order.
func (s *sim) include() {
	if len(s.ever) > 0 && s.hit(messageOfferedAgain) {
		s.pool = append(s.pool, floating{s.ever[s.IntN(len(s.ever))], 0})
	}
	if len(s.leaked) > 0 && s.IntN(4) == 0 {
		s.pool = append(s.pool, floating{s.leaked[s.IntN(len(s.leaked))], 0})
	}
	var now, later []floating
	for _, f := range s.pool {
		if f.due <= s.chain.time {
			now = append(now, f)
		} else {
			later = append(later, f)
		}
	}
	s.pool = later
	if !s.calm {
		s.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
	}
	for _, f := range now {
		s.chain.fails = s.chain.wallet.Version == ton.V4R2 && s.hit(actionFails)
		s.chain.accept(f.message)
	}
}

// bounce brings back what is due.
func (s *sim) bounce() {
	s.returns = slices.DeleteFunc(s.returns, func(r returning) bool {
		if r.block > s.chain.block {
			return false
		}
		s.chain.receive(r.in)
		s.returned[s.chain.account.Last] = r.sale
		return true
	})
}

// strangers do what others can do to the wallet, some of them with its key.
func (s *sim) strangers() {
	a := &s.chain.account
	if a.Frozen && s.chain.block >= s.thawed {
		s.thaw()
	}
	if s.hit(storageFees) {
		s.chain.owed += a.Balance / 100 * s.between(0, 110)
	}
	if s.hit(toppedUp) {
		s.topUp(s.between(1, 20) * ton.TON)
	}
	if s.hit(dust) {
		for range 80 {
			s.chain.receive(ton.In{From: stranger, Amount: 1})
		}
	}
	if a.Active && s.hit(freezes) {
		a.Active, a.Frozen = false, true
		s.thawed = s.chain.block + 1 + uint32(s.IntN(60))
	}
	switch {
	case !a.Active:
	case s.hit(seqnoTaken):
		s.chain.accept(s.chain.own())
	case s.hit(drained):
		s.chain.accept(s.chain.own(ton.Transfer{To: stranger, Amount: a.Balance * 9 / 10, Body: comment("thanks")}))
	case s.hit(boughtByHand):
		item := product.Item{Kind: product.Stars, Quantity: 50 * (1 + int64(s.IntN(3)))}
		transfer := s.market.sell(intent{}, "friend", item).transfer()
		s.chain.accept(s.chain.own(transfer))
		if s.hit(paidTwiceByHand) {
			s.chain.accept(s.chain.own(transfer))
		}
	}
}

func (s *sim) thaw() {
	s.chain.account.Active, s.chain.account.Frozen = true, false
}

func (s *sim) topUp(amount ton.Nano) {
	s.chain.receive(ton.In{From: stranger, Amount: amount})
}

// transacted is told of every transaction of the wallet. m is the message that
// caused it, or nil.
func (s *sim) transacted(t ton.Transaction, m *external) {
	if m != nil {
		s.tracef("transaction %d: seqno %d, %d of %d transfers left, ok %t", t.LT, m.payload.Seqno, len(t.Out), len(m.payload.Transfers), t.Success)
	}
	s.market.receive(t)
	s.checker.transaction(t, m)
	for _, out := range t.Out {
		sold := s.market.sold(out)
		if sold == nil || !s.hit(bounces) {
			continue
		}
		sold.bounced++
		due := s.chain.block + uint32(s.IntN(3))
		if s.hit(bouncesLate) {
			due += uint32(s.IntN(60))
		}
		lost := s.between(0, 1_000_000)
		if s.hit(bouncesShort) {
			lost = out.Amount / 2
		}
		body, err := sold.transfer().Body.Cell()
		if err != nil {
			panic(err)
		}
		s.returns = append(s.returns, returning{ton.In{From: out.To, Amount: out.Amount - lost, Bounced: true, Body: bounced(body, s.IntN(2) == 0)}, sold, due})
	}
}
