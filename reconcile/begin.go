package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// start looks at every wallet of the ledger, configured or not: each payment
// that may live is settled before anything else.
func (s *State) start() {
	if s.book.Wallets[s.self] == nil {
		s.stop(fmt.Errorf("%s: %w", s.self, ErrNoAnchor))
		return
	}
	for _, a := range s.book.Addresses() {
		s.unseen[a] = true
		s.seen[a] = s.book.Wallets[a].Since()
		s.do(s.look(a))
	}
}

func (s *State) look(a ton.Address) Look {
	since := s.seen[a]
	if p := s.open(a); p != nil && !s.unseen[a] {
		since = p.Base
	}
	return Look{Wallet: a, Version: s.book.Wallets[a].Version, Since: since, USDT: s.usdt && a == s.self}
}

func (s *State) open(a ton.Address) *ledger.Payment {
	for _, p := range s.book.Open() {
		if p.Wallet == a {
			return p
		}
	}
	return nil
}

// begin starts the run proper: orders that were only reserved or quoted are
// given up, paid ones are confirmed, and the plan's actions are reserved.
func (s *State) begin() {
	s.stage = buying
	if moves := movesOf(s.plan, s.book); len(moves) > 0 && !s.record(moves...) {
		return // limits count by the names that are written
	}
	s.counts = countingOf(s.plan)
	s.accounts = s.counts.accounts(s.plan.Limits, s.book, s.account.Time)
	s.learnPrices()
	s.people = peopleOf(s.book)
	s.checkpoint()
	var releases []ledger.Event
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		switch o := s.book.Orders[id]; {
		case o == nil:
		case o.Phase == ledger.Reserved || o.Phase == ledger.Quoted:
			reason := "an interrupted run had not armed a payment for it"
			if o.Deaths > 0 {
				reason = "its payment can't be executed any more, and the run that made it is over"
			}
			releases = append(releases, ledger.OrderReleased{Order: id, Reason: reason})
		case o.Phase == ledger.Paid && s.telling[id] == 0:
			s.tell(o)
		}
	}
	releases = append(releases, NewEdits(s.plan, s.book)...)
	if len(releases) > 0 && !s.record(releases...) {
		return
	}
	s.follow()
	s.reserve()
}

// checkpoint notes how far each wallet's history is explained. The next run
// begins there: public lite servers forget what is older than some weeks, so a
// run must not need what an earlier one has looked at.
func (s *State) checkpoint() {
	for _, a := range s.book.Addresses() {
		at := s.seen[a]
		if s.puzzled[a] || at.LT <= s.book.Wallets[a].Since().LT {
			continue
		}
		if p := s.open(a); p != nil && p.Base.LT < at.LT {
			continue // its verdict needs everything after its base
		}
		if !s.record(ledger.WalletChecked{Wallet: a, Position: at}) {
			return
		}
	}
}

// reserve takes the budget of every action, or sets the action aside.
func (s *State) reserve() {
	run := s.book.LastRun + 1
	events := []ledger.Event{ledger.RunStarted{Run: run, Digest: s.plan.Digest(), Nonce: s.plan.Nonce, Host: s.host}}
	next := s.book.LastOrder
	fresh := s.takeEarlier()
	left := map[string]bool{} // keys of which a part was set aside: a later one would not follow what is recorded
	for _, a := range s.plan.Actions {
		if !a.Buys() || left[a.Key] || boughtFor(s.book, a) != nil {
			continue // an earlier run of the same plan did it
		}
		if a.Verb == Buy && !fresh[a.Key] {
			if most := s.plan.Limits.NewGrants; most > 0 && int64(len(fresh)) >= most {
				s.problem(a.Key, string(CodeNewGrants), tooManyNew(most))
				left[a.Key] = true
				continue
			}
		}
		if err := s.take([]policy.Spending{s.counts.planned(a)}); err != nil {
			s.problem(a.Key, limitCode(err), err.Error())
			left[a.Key] = true
			continue
		}
		if a.Verb == Buy {
			fresh[a.Key] = true
		}
		next++
		s.jobs[next] = true
		s.whom[next] = whom{a.Was, a.Confirmed, a.Estimate}
		s.newcomers[a.Handle] = append(s.newcomers[a.Handle], next)
		s.waiting = append(s.waiting, next)
		events = append(events, ledger.OrderReserved{
			Order: next, Run: run, Key: a.Key, Generation: a.Generation, Part: a.Part, Prior: a.Have,
			Person: a.Person, Handle: a.Handle, Single: a.Single, Item: a.Item, Wallet: s.self, Cap: a.Cap, Reserve: a.Estimate, Scopes: a.Scopes,
		})
	}
	if len(s.jobs) == 0 {
		return // nothing to buy: no run
	}
	s.run, s.result.Run = run, run
	s.record(events...)
}

// takeEarlier counts what interrupted runs of the same saved plan have spent,
// and what they asked people to pay, with gas and fees: the plan as a whole
// keeps to the limits of one run. It returns the keys that they bought for the
// first time.
func (s *State) takeEarlier() (fresh map[string]bool) {
	fresh = map[string]bool{}
	if s.plan.Nonce == "" {
		return fresh
	}
	digest := s.plan.Digest()
	ours := func(id ledger.RunID) bool {
		r := s.book.Runs[id]
		return r != nil && r.Nonce == s.plan.Nonce && r.Digest == digest
	}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		o := s.book.Orders[id]
		if o == nil || !o.Phase.Spent() && !o.Phase.Out() || !ours(o.Run) {
			continue
		}
		for _, a := range holding(o) {
			s.budget.Spend(a)
		}
		if o.Part == 1 {
			fresh[o.Key] = true
		}
	}
	for _, p := range s.book.Payments {
		if p.Phase == ledger.PaymentExecuted && ours(p.Run) {
			s.budget.Spend(p.Fees.Amount())
		}
	}
	for _, t := range s.book.Outside {
		if slices.ContainsFunc(t.Orders, func(id ledger.OrderID) bool { return ours(s.book.Orders[id].Run) }) {
			s.budget.Spend(t.Fees.Amount())
		}
	}
	return fresh
}
