package reconcile_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/xssnick/tonutils-go/tlb"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// Errors of servers and signers that misbehave.
var (
	errServer = errors.New("lite server: timeout")
	errProof  = errors.New("lite server: its proof does not hold")
	errSigner = errors.New("signer: timeout")
	errHand   = errors.New("the request can't be written")
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
		offer, err := s.market.quote(intent{p.branch, o.Key, o.Generation, o.Part}, f.Handle, f.Item, f.Asset)
		s.tracef("the market offers %s for order %d: %s until %d, %v", offer.Invoice.Ref, f.Order, offer.Invoice.Price, offer.Invoice.ValidUntil, err)
		return reconcile.Offered{Order: f.Order, Offer: offer, Err: err}
	case reconcile.Trace:
		return s.follow(p, f)
	case reconcile.Try:
		if s.hit(emulationFails) {
			return reconcile.Tried{Err: errServer}
		}
		if s.hit(emulationForged) {
			return reconcile.Tried{Emulation: reconcile.Emulation{Accepted: true, Sent: len(f.Payload.Transfers)}, Err: errProof}
		}
		behind := 0
		if s.hit(emulationIsStale) {
			behind = s.IntN(10)
		}
		return reconcile.Tried{Emulation: s.chain.emulate(f.Payload, behind)}
	case reconcile.Sign:
		p.moved++
		return s.sign(f)
	case reconcile.Hand:
		p.moved++
		return s.hand(p, f.Handout)
	case reconcile.Send:
		p.moved++
		s.checker.sent(f.Message)
		s.broadcast(f.Message)
		return nil
	case reconcile.Tell:
		p.moved++
		p.told[f.Order] = true
		s.checker.tells(p, f)
		return reconcile.Told{Order: f.Order, Err: s.market.confirm(f.Invoice)}
	case reconcile.Inquire:
		p.asked++
		done, err := s.market.delivered(f.Kind)
		return reconcile.Learned{Kind: f.Kind, Done: done, Err: err, List: s.market.list(f.Kind)}
	}
	panic(fmt.Sprintf("no way to carry out %T", f))
}

// sighted is a proven state, which may be old but never older than one that
// this process has proven before.
func (s *sim) sighted(p *process, f reconcile.Look) reconcile.Event {
	if s.hit(lookFails) {
		return reconcile.Sighted{Wallet: f.Wallet, Err: errServer}
	}
	if s.hit(lookForged) {
		return s.forged(f)
	}
	if s.hit(historyCut) {
		sight, err := s.chain.look(f, 0)
		sight.History = sight.History[:len(sight.History)/2]
		return reconcile.Sighted{Wallet: f.Wallet, Sight: sight, Err: errors.Join(errProof, err)}
	}
	behind := s.behind(p, lookIsStale, 29)
	sight, err := s.chain.look(f, behind)
	if err == nil && f.USDT {
		sight.USDT, err = s.balance(p, behind)
	}
	return reconcile.Sighted{Wallet: f.Wallet, Sight: sight, Err: err}
}

// forged is what a client makes of an answer whose proof does not hold: an
// error. The lie beside it says that all is settled and dead; whoever believes
// it pays twice.
func (s *sim) forged(f reconcile.Look) reconcile.Event {
	account := s.chain.account
	account.Data.Seqno++
	account.Time, account.Block, account.Balance = s.chain.time+1000, s.chain.block+1000, account.Balance+1000*ton.TON
	usdt := ton.Jetton{Wallet: purse, Balance: s.chain.purse.balance + 1_000_000_000}
	return reconcile.Sighted{Wallet: f.Wallet, Sight: reconcile.Sight{Account: account, USDT: usdt}, Err: errProof}
}

func (s *sim) sign(f reconcile.Sign) reconcile.Event {
	s.checker.signs(f.Payload)
	if s.hit(signerDown) {
		s.signerBack = s.chain.block + uint32(s.IntN(100))
	}
	answer := reconcile.Signed{Payment: f.Payment, Burn: f.Burn}
	if s.hit(signerFails) || s.chain.block < s.signerBack && !s.calm {
		answer.Err = errSigner
		return answer
	}
	switch {
	case s.hit(signerHasWrongKey):
		answer.Message = signedWith(otherKey, s.chain.wallet, f.Payload, f.Deploys, 0)
		return answer
	case s.hit(signatureWrong):
		answer.Message = signedWith(privateKey, s.chain.wallet, f.Payload, f.Deploys, 1<<s.IntN(8))
		return answer
	case s.hit(signsAnother):
		other := f.Payload
		other.Seqno++
		answer.Message = s.chain.sign(other, f.Deploys)
		return answer
	}
	message := s.chain.sign(f.Payload, f.Deploys)
	if s.hit(signerFailsAfterSigning) {
		s.leaked = append(s.leaked, message)
		answer.Err = errSigner
		return answer
	}
	if s.hit(signsTwice) {
		s.leaked = append(s.leaked, message)
		s.pool = append(s.pool, floating{s.chain.sign(f.Payload, f.Deploys), s.chain.time})
	}
	answer.Message = message
	return answer
}

// otherKey is nobody's here.
var otherKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// signedWith makes a message with any key, and with those bits of the signature
// flipped.
func signedWith(key ed25519.PrivateKey, wallet ton.Wallet, p ton.Payload, deploys bool, flip byte) ton.BoC {
	hash, err := p.Hash()
	if err != nil {
		panic(fmt.Sprintf("hashing: %v", err))
	}
	signature := ed25519.Sign(key, hash[:])
	signature[20] ^= flip
	body, err := p.Sign(signature)
	if err != nil {
		panic(fmt.Sprintf("signing: %v", err))
	}
	var init *tlb.StateInit
	if deploys {
		init = wallet.StateInit()
	}
	message, err := ton.External(wallet.Address(), init, body)
	if err != nil {
		panic(fmt.Sprintf("wrapping: %v", err))
	}
	return message
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
		s.deliver()
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
	if s.chain.block >= s.thawed {
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
	if a.Active && s.hit(codeChanged) {
		a.CodeHash = ton.Hash{13}
		s.thawed = s.chain.block + 1 + uint32(s.IntN(60))
	}
	if s.hit(purseLocked) {
		s.chain.purse.locked = true
		s.thawed = s.chain.block + 1 + uint32(s.IntN(60))
	}
	if s.hit(usdtToppedUp) {
		s.topUpUSDT(int64(s.between(1, 20_000_000)))
	}
	if s.hit(othersPayAlike) {
		s.othersPay()
	}
	switch {
	case !a.Active || a.CodeHash != s.chain.wallet.Version.CodeHash():
	case s.hit(seqnoTaken):
		s.chain.accept(s.chain.own())
	case s.chain.wallet.Version == ton.V5R1 && s.hit(seqnoRelayed):
		s.chain.relay()
	case s.hit(drained):
		s.chain.accept(s.chain.own(ton.Transfer{To: stranger, Amount: a.Balance * 9 / 10, Body: comment("thanks")}))
	case s.hit(usdtStolen):
		s.chain.accept(s.stealUSDT())
	case len(s.asked) > 0 && s.hit(phonePays):
		s.phone(s.IntN(len(s.asked)))
	case s.hit(boughtByHand):
		item := product.Item{Kind: product.Stars, Quantity: 50 * (1 + int64(s.IntN(3)))}
		transfer := s.market.sell(intent{}, "friend", item, s.drawAsset()).transfer()
		s.chain.accept(s.chain.own(transfer))
		if s.hit(paidTwiceByHand) {
			s.chain.accept(s.chain.own(transfer))
		}
	}
}

// hand gives a request to a person. One that could not be handed over may have
// been seen all the same.
func (s *sim) hand(p *process, h reconcile.Handout) reconcile.Event {
	if !p.requests[h.Request] {
		s.violate(4, "request %d is handed over and is not recorded", h.Request)
	}
	failed := s.hit(handFails)
	if s.alone(p) && (!failed || s.IntN(2) == 0) {
		s.asked = append(s.asked, request{h, armed{p, p.limits, p.worst}})
	}
	if failed {
		return reconcile.Handed{Request: h.Request, Err: errHand}
	}
	return reconcile.Handed{Request: h.Request}
}

// alone reports whether only this run's ledger can pay. Nothing but the seqno
// keeps two ledgers of one wallet apart, and a request has none; so people are
// told not to use one beside another ledger, and to wait after a restore until
// what the other one has signed is over.
func (s *sim) alone(p *process) bool {
	if p.branch != s.branch || slices.ContainsFunc(s.live, func(other *process) bool { return !other.ended && other.branch != p.branch }) {
		return false
	}
	return s.apart == 0 || s.chain.time >= s.apart+600
}

// phone pays a request with a wallet application: all of it or a part, while
// the application still signs it.
func (s *sim) phone(i int) {
	h := &s.asked[i]
	if s.chain.time >= h.ValidUntil {
		s.asked = slices.Delete(s.asked, i, i+1)
		return
	}
	n := len(h.Transfers)
	if s.hit(phonePaysPart) {
		n = 1 + s.IntN(n)
	}
	message := s.chain.own(h.Transfers[:n]...)
	s.checker.approve(s.chain.signed[string(message)].payload, h.by)
	taken := s.chain.accept(message)
	s.tracef("a person pays %d of %d transfers of a request by phone: %t", n, len(h.Transfers), taken)
	if !taken {
		return
	}
	// What the wallet could not pay for is not asked for again either: the
	// application said that it was sent.
	if h.Transfers = h.Transfers[n:]; len(h.Transfers) == 0 {
		s.asked = slices.Delete(s.asked, i, i+1)
	}
}

// wanted reports whether somebody still has a request for a transfer.
func (s *sim) wanted(t ton.Transfer) bool {
	return slices.ContainsFunc(s.asked, func(h request) bool {
		return s.chain.time < h.ValidUntil && slices.ContainsFunc(h.Transfers, t.Equal)
	})
}

// thaw ends what keeps the wallet from paying.
func (s *sim) thaw() {
	a := &s.chain.account
	if a.Frozen {
		a.Active, a.Frozen = true, false
	}
	if a.Active {
		a.CodeHash = s.chain.wallet.Version.CodeHash()
	}
	s.chain.purse.locked = false
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
		if out.To == purse && m != nil {
			i := slices.IndexFunc(m.payload.Transfers, out.Is)
			s.askPurse(m.payload.Transfers[i], sold)
			continue
		}
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
