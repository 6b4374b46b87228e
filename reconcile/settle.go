package reconcile

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// sighted takes in a wallet's proven state: it checks the tide, settles what
// the chain has decided, and goes on with a payment that was being prepared.
func (s *State) sighted(e Sighted) {
	if e.Err != nil {
		s.missed(e)
		return
	}
	delete(s.misses, e.Wallet)
	if e.Wallet == s.self {
		s.account = e.Sight.Account
		if s.usdt {
			s.purse = e.Sight.USDT
		}
	}
	// What became of our own payment is recorded first: it stays true
	// whatever else the history holds.
	p := s.open(e.Wallet)
	if p != nil && !s.judge(p, e.Sight) {
		return
	}
	if !s.answered(e.Wallet, e.Sight.History) {
		return
	}
	if err := s.tide(e.Wallet, e.Sight.History); err != nil {
		s.puzzled[e.Wallet] = true
		s.stop(err)
		s.draft = nil
	} else if !s.bounces(e.Wallet, e.Sight.History) {
		return
	}
	if p != nil && p.Phase.Open() {
		if !s.abandoned() {
			s.pursue(p, e.Sight)
		}
		return
	}
	s.seen[e.Wallet] = e.Sight.Account.Last
	if s.stopped == nil {
		delete(s.unseen, e.Wallet)
	}
	if s.draft != nil && e.Wallet == s.self && len(s.draft.orders) == 0 {
		s.compose()
	}
}

// missed looks again after a while, a few times: one server's bad moment
// should not end a run.
func (s *State) missed(e Sighted) {
	s.misses[e.Wallet]++
	wanted := s.stopped == nil || s.open(e.Wallet) != nil && !s.abandoned()
	if n := s.misses[e.Wallet]; wanted && n <= maxMisses {
		s.notice(Progress{Stage: "unreadable", Text: e.Err.Error()})
		s.do(Wait{Look: s.look(e.Wallet), Pause: s.patience(n)})
		return
	}
	s.draft = nil
	s.blind = true
	s.stop(fmt.Errorf("%w: %w", ErrChain, e.Err))
}

// patience is the pause before the n-th repetition: 1, 2, 4, 8 and then 10
// times the shortest.
func (s *State) patience(n int) time.Duration { return min(s.pause<<(n-1), 10*s.pause) }

// tide: every transfer that left the wallet must belong to a payment of the
// ledger. If the chain is ahead, the ledger is old, lost or not the only one,
// and buying could pay twice.
func (s *State) tide(wallet ton.Address, history []ton.Transaction) error {
	unexplained := s.unexplained(wallet, history)
	if unexplained == nil {
		return nil
	}
	var strange []string
	for _, t := range unexplained[:min(5, len(unexplained))] {
		strange = append(strange, describe(t))
	}
	if len(unexplained) > 5 {
		strange = append(strange, "…")
	}
	return fmt.Errorf("%w (%s):\n  %s", ErrTide, wallet, strings.Join(strange, "\n  "))
}

func describe(t ton.Transaction) string {
	return fmt.Sprintf("%s  %s", time.Unix(int64(t.Time), 0).UTC().Format(time.RFC3339), left(t))
}

// left says what left the wallet with a transaction.
func left(t ton.Transaction) string {
	var sum ton.Nano
	usdt := ton.Amount{Asset: ton.AssetUSDT}
	for _, o := range t.Out {
		sum += o.Amount
		if o.Jetton != nil && o.Jetton.Amount <= math.MaxInt64-usdt.Units {
			usdt.Units += o.Jetton.Amount
		}
	}
	if usdt.Units > 0 {
		return fmt.Sprintf("%s TON, and perhaps %s, in %s  %s", sum, usdt, count(len(t.Out), "transfer"), t.Hash)
	}
	return fmt.Sprintf("%s TON in %s  %s", sum, count(len(t.Out), "transfer"), t.Hash)
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// judge asks the chain's evidence what became of a payment and records it. It
// reports false if the evidence contradicts itself.
func (s *State) judge(p *ledger.Payment, sight Sight) bool {
	verdict, err := ledger.Verdict(p, sight.Account, sight.History)
	if err != nil {
		s.blind = true
		s.stop(err)
		return false
	}
	if s.run == 0 && verdict != nil {
		s.result.Settled++
	}
	switch verdict := verdict.(type) {
	case ledger.PaymentExecutedEvent:
		s.executed(verdict)
	case ledger.PaymentDeadEvent:
		s.dead(p, verdict)
	}
	return !s.ended
}

// pursue goes on with a payment of which nothing is known yet: the same bytes
// again, and wait. An armed one is signed anew; equal payloads are one
// payment, whoever signed them.
func (s *State) pursue(p *ledger.Payment, sight Sight) {
	wait := Wait{After: sight.Account.Block, Look: s.look(p.Wallet)}
	if p.Burn == nil && p.ID == s.cancel && p.Wallet == s.self && !s.armBurn(p, sight.Account.Time) {
		return
	}
	switch {
	case p.Burn != nil:
		s.pursueBurn(p, wait)
	case p.Phase == ledger.PaymentArmed && p.Wallet == s.self && !s.byhand:
		s.do(s.sign(p))
	case p.Phase == ledger.PaymentArmed:
		s.do(wait) // its key is not here: it ends at its valid_until
	default:
		s.notice(Progress{Stage: "waiting", Payment: p.ID, Orders: len(p.Orders)})
		s.do(Send{p.Message}, wait)
	}
}

// bought counts an order that is paid in TON, and tells of it.
func (s *State) bought(id ledger.OrderID) {
	o := s.book.Orders[id]
	s.result.Bought = append(s.result.Bought, id)
	s.result.Spent += ton.Nano(o.Reserve.Units)
	s.noticeOrder("paid", o)
	s.tell(o)
}

// sent counts orders in USDT that left the wallet, and asks what becomes of it.
func (s *State) sent(orders []ledger.OrderID) {
	for _, id := range orders {
		o := s.book.Orders[id]
		s.result.Gas += o.Invoice.Transfer.Amount
		delete(s.jobs, id)
		s.noticeOrder("sent", o)
	}
	if len(orders) > 0 {
		s.follow()
	}
}

func (s *State) executed(verdict ledger.PaymentExecutedEvent) {
	held := map[ledger.OrderID][]policy.Spending{} // a skipped order's offer is gone when that is recorded
	for _, id := range verdict.Skipped {
		held[id] = s.held(s.book.Orders[id])
	}
	if !s.record(verdict) {
		return
	}
	s.result.Payments++
	s.result.Fees += verdict.Fees
	s.spendFees(verdict.Fees)
	for _, id := range verdict.Paid {
		delete(s.jobs, id)
		s.bought(id)
	}
	s.sent(verdict.Sent)
	for _, id := range verdict.Skipped {
		o := s.book.Orders[id]
		if s.accounts != nil {
			s.giveBack(held[id]...)
		}
		delete(s.jobs, id)
		s.problem(o.Key, "skipped", ledger.ReasonSkipped)
	}
}

func (s *State) dead(p *ledger.Payment, verdict ledger.PaymentDeadEvent) {
	for _, id := range p.Orders {
		if s.jobs[id] {
			s.giveBackGas(s.book.Orders[id])
		}
	}
	if !s.record(verdict) {
		return
	}
	s.notice(Progress{Stage: "dead", Payment: p.ID, Orders: len(p.Orders)})
	for _, id := range p.Orders {
		// Orders of an earlier run are released by begin with the other
		// leftovers; those of this run are offered anew.
		if s.jobs[id] {
			s.again(s.book.Orders[id], "payments died")
		}
	}
}
