package reconcile_test

import (
	"encoding/binary"
	"slices"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// USDT stands in jetton wallets, which are contracts of their own: the wallet's
// (purse) and the market's (till). What pays in USDT is a row of messages: the
// wallet asks its jetton wallet, that one tells the market's, and what is left
// of the gas comes back. Each may be late or be refused, and the wallet's own
// transaction shows none of it.

// jettonWallet is a jetton wallet's part of the chain.
type jettonWallet struct {
	address ton.Address
	balance int64 // micro-USDT
	locked  bool  // by who makes USDT: nothing leaves it
	history []ton.Transaction
}

// What becomes of the gas, and the least with which a transfer gets through.
const (
	gasUsed   = 27_000_000
	gasBounce = 10_000_000
)

// Exit codes of the contract.
const (
	exitLocked = 45
	exitUSDT   = 47
	exitGas    = 48
	exitOwner  = 73
	exitWallet = 74
)

// transact appends a transaction to a jetton wallet's history.
func (c *chain) transact(w *jettonWallet, in ton.In, exit int32, out ...ton.Out) {
	c.lt += 10
	t := ton.Transaction{Position: ton.Position{LT: c.lt}, Time: c.time, In: &in, Out: out, Success: exit == 0, ExitCode: exit}
	binary.BigEndian.PutUint64(t.Hash[:], t.LT)
	t.Hash[31] = w.address.Account[0]
	if n := len(w.history); n > 0 {
		t.Prev = w.history[n-1].Position
	}
	w.history = append(w.history, t)
}

// trail is what servers show of both jetton wallets that are so many blocks
// behind with each.
func (c *chain) trail(f reconcile.Trace, sent, received int) ledger.Trail {
	return ledger.Trail{
		Wallet: f.Wallet, Receiver: till,
		Sent:     after(c.purse.history[:c.ago(sent).sent], f.After),
		Received: after(c.till.history[:c.ago(received).received], f.After),
	}
}

// post is a message on its way between accounts.
type post struct {
	route   route
	due     uint32 // the block that may hold it
	deliver func()
}

// route is from whom to whom: what is sent later on one arrives later.
type route int

const (
	toPurse route = iota // from the wallet
	toTill               // from the purse
	back                 // from the till to the purse
	home                 // from the purse to the wallet
	excess               // from the till to the wallet
)

// mail sends a message, which may be late.
func (s *sim) mail(r route, deliver func()) {
	due := s.chain.block + 1
	if !s.calm {
		due = s.chain.block + uint32(s.IntN(3))
	}
	if s.hit(jettonLate) {
		due += uint32(s.IntN(80))
	}
	for _, p := range s.post {
		if p.route == r {
			due = max(due, p.due)
		}
	}
	s.post = append(s.post, post{r, due, deliver})
}

// deliver hands over what is due. What that sends in turn may be due at once.
func (s *sim) deliver() {
	for {
		i := slices.IndexFunc(s.post, func(p post) bool { return p.due <= s.chain.block })
		if i < 0 {
			return
		}
		p := s.post[i]
		s.post = slices.Delete(s.post, i, i+1)
		p.deliver()
	}
}

// askPurse is told of a transfer of jettons that has left the wallet.
func (s *sim) askPurse(x ton.Transfer, sold *sale) {
	body := cellOf(x.Body)
	transfer, err := ton.ParseJettonTransfer(body)
	if err != nil {
		panic(err)
	}
	s.mail(toPurse, func() { s.purseTakes(x, transfer, body, sold) })
	if sold != nil && s.hit(strangerAsks) {
		// The same body, but not from the owner.
		s.chain.transact(&s.chain.purse, ton.In{From: stranger, Amount: x.Amount, Body: body}, exitOwner)
	}
}

// purseTakes is what the wallet's jetton wallet does with it.
func (s *sim) purseTakes(x ton.Transfer, j ton.JettonTransfer, body *cell.Cell, sold *sale) {
	c, w := s.chain, &s.chain.purse
	in := ton.In{From: c.account.Address, Amount: x.Amount, Body: body}
	exit := int32(0)
	switch {
	case w.locked:
		s.counter.add("refused: locked")
		exit = exitLocked
	case j.Amount > w.balance:
		s.counter.add("refused: not enough USDT")
		exit = exitUSDT
	case x.Amount < gasUsed:
		s.counter.add("refused: not enough gas")
		exit = exitGas
	case s.hit(purseRefuses):
		exit = exitGas
	}
	if exit != 0 {
		s.tracef("the wallet's jetton wallet refuses %d micro-USDT, exit code %d", j.Amount, exit)
		c.transact(w, in, exit)
		sold.refuse()
		if x.Bounce {
			whole := s.IntN(2) == 0
			s.mail(home, func() {
				c.receive(ton.In{From: w.address, Amount: x.Amount - gasBounce, Bounced: true, Body: bounced(body, whole)})
				s.returned[c.account.Last] = sold
				if sold == nil {
					s.returned[c.account.Last] = &sale{} // nobody's here
				}
			})
		}
		return
	}
	w.balance -= j.Amount
	internal := cell.BeginCell().MustStoreUInt(0x178d4519, 32).MustStoreUInt(j.QueryID, 64).MustStoreCoins(uint64(j.Amount)).
		MustStoreAddr(c.account.Address.TLB()).MustStoreAddr(j.Response.TLB()).MustStoreCoins(1).MustStoreBoolBit(true).MustStoreRef(cellOf(j.Payload)).EndCell()
	to := till
	if j.Destination != firewall.DefaultDestinations()[0] {
		to = stranger
	}
	c.transact(w, in, 0, ton.Out{To: to, Amount: x.Amount - gasBounce, BodyHash: ton.Hash(internal.Hash())})
	if to == stranger {
		return
	}
	s.tracef("%d micro-USDT leave the wallet's jetton wallet", j.Amount)
	s.mail(toTill, func() { s.tillTakes(j, internal, sold) })
	if s.hit(strangerDelivers) {
		// The same body, but not from the wallet's jetton wallet.
		c.transact(&c.till, ton.In{From: stranger, Amount: 1, Body: internal}, exitWallet)
	}
}

// tillTakes is what the market's jetton wallet does with it.
func (s *sim) tillTakes(j ton.JettonTransfer, internal *cell.Cell, sold *sale) {
	c := s.chain
	in := ton.In{From: purse, Amount: gasBounce, Body: internal}
	if s.hit(tillRefuses) {
		s.tracef("the market's jetton wallet refuses %d micro-USDT", j.Amount)
		c.transact(&c.till, in, exitLocked)
		sold.refuse()
		whole := s.IntN(2) == 0
		s.mail(back, func() {
			c.purse.balance += j.Amount
			c.transact(&c.purse, ton.In{From: till, Bounced: true, Body: bounced(internal, whole)}, 0)
		})
		return
	}
	s.tracef("%d micro-USDT arrive at the market", j.Amount)
	c.till.balance += j.Amount
	c.transact(&c.till, in, 0)
	if sold != nil {
		s.market.arrive(sold)
	}
	s.mail(excess, func() {
		c.receive(ton.In{From: till, Amount: gasBounce, Body: cell.BeginCell().MustStoreUInt(0xd53276db, 32).MustStoreUInt(j.QueryID, 64).EndCell()})
	})
}

// others pay the market too, now and then the same.
func (s *sim) othersPay() {
	units := int64(1 + s.IntN(1_000_000))
	if n := len(s.market.sales); n > 0 && s.IntN(2) == 0 {
		units = max(1, s.market.sales[s.IntN(n)].amount.Units)
	}
	body := cell.BeginCell().MustStoreUInt(0x178d4519, 32).MustStoreUInt(uint64(len(s.market.sales)), 64).MustStoreCoins(uint64(units)).
		MustStoreAddr(stranger.TLB()).MustStoreAddr(stranger.TLB()).MustStoreCoins(1).MustStoreBoolBit(true).MustStoreRef(cellOf(comment("thanks"))).EndCell()
	s.chain.transact(&s.chain.till, ton.In{From: ton.Address{Account: [32]byte{0x13}}, Body: body}, 0)
}

// topUpUSDT gives the wallet USDT.
func (s *sim) topUpUSDT(units int64) {
	s.chain.purse.balance += units
	s.chain.transact(&s.chain.purse, ton.In{From: ton.Address{Account: [32]byte{0x13}}}, 0)
}

// stealUSDT is a message of the wallet's key that no ledger knows and that
// sends a stranger most of the wallet's USDT.
func (s *sim) stealUSDT() ton.BoC {
	body, err := ton.JettonTransfer{QueryID: 1, Amount: 1 + s.chain.purse.balance*9/10, Destination: stranger, Response: stranger, Forward: 1, Payload: comment("thanks")}.Encode()
	if err != nil {
		panic(err)
	}
	return s.chain.own(ton.Transfer{To: purse, Bounce: true, Amount: ton.TON / 20, Body: ton.BoCOf(body)})
}

// follow answers what became of USDT that was sent.
func (s *sim) follow(p *process, f reconcile.Trace) reconcile.Event {
	e := reconcile.Traced{Wallet: f.Wallet, Owner: f.Owner, After: f.After}
	switch {
	case s.hit(trailFails):
		e.Err = errServer
		return e
	case s.hit(trailForged):
		e.Trail, e.Err = s.forgedTrail(f), errProof
		return e
	case s.hit(trailCut):
		e.Trail = s.chain.trail(f, 0, 0)
		e.Trail.Received, e.Err = e.Trail.Received[:len(e.Trail.Received)/2], errProof
		return e
	}
	sent := s.behind(p, trailIsStale, 60)
	e.Trail = s.chain.trail(f, sent, s.behind(p, trailIsStale, sent))
	return e
}

// forgedTrail says that nothing of what was asked for has left: whoever
// believes it buys it again.
func (s *sim) forgedTrail(f reconcile.Trace) ledger.Trail {
	trail := ledger.Trail{Wallet: f.Wallet, Receiver: till}
	for _, t := range s.chain.history {
		for _, out := range t.Out {
			if out.Jetton == nil || t.LT < f.After {
				continue
			}
			body, err := out.Jetton.Encode()
			if err != nil {
				panic(err)
			}
			trail.Sent = append(trail.Sent, ton.Transaction{Position: ton.Position{LT: t.LT + 1, Hash: ton.Hash{66}}, In: &ton.In{From: s.chain.account.Address, Body: body}, ExitCode: exitUSDT})
		}
	}
	return trail
}

// balance is what a server shows of the wallet's USDT, which is read after the
// wallet itself: it is never older.
func (s *sim) balance(p *process, behind int) (ton.Jetton, error) {
	if s.hit(balanceFails) {
		return ton.Jetton{}, errServer
	}
	if s.hit(balanceForged) {
		return ton.Jetton{Wallet: stranger, Balance: 1_000_000_000_000}, errProof
	}
	return s.chain.ago(s.behind(p, balanceIsStale, behind)).usdt, nil
}

// behind is by how many blocks a server is, at most, if it is. No process is
// shown something older than what it has been shown before.
func (s *sim) behind(p *process, f fault, most int) int {
	behind := 0
	if s.hit(f) {
		behind = s.IntN(most + 1)
	}
	behind = min(behind, int(s.chain.block-max(p.seen, 101)))
	p.seen = s.chain.block - uint32(behind)
	return behind
}

// onItsWay reports whether USDT may still arrive or come back.
func (s *sim) onItsWay() bool { return len(s.post) > 0 }

func cellOf(b ton.BoC) *cell.Cell {
	c, err := b.Cell()
	if err != nil {
		panic(err)
	}
	return c
}
