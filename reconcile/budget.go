package reconcile

import (
	"errors"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// take reserves all of the spendings, each in another asset, or none.
func (s *State) take(bill []policy.Spending) error {
	for _, b := range bill {
		if err := s.accounts.Check(b); err != nil {
			return err
		}
		if err := s.budget.Check(b.Amount); err != nil {
			return err
		}
	}
	s.spend(bill...)
	return nil
}

// retake changes what an order holds of the budgets. What costs no more than
// was held always fits; if it does not fit, the order holds what it held.
func (s *State) retake(held, want []policy.Spending) error {
	s.giveBack(held...)
	err := s.take(want)
	if err != nil && within(want, held) {
		err = nil
		s.spend(want...)
	} else if err != nil {
		s.spend(held...)
	}
	return err
}

// within: nothing of want is more than what was held of the same asset.
func within(want, held []policy.Spending) bool {
	return !slices.ContainsFunc(want, func(a policy.Spending) bool {
		return !slices.ContainsFunc(held, func(b policy.Spending) bool {
			return a.Amount.Asset == b.Amount.Asset && a.Amount.Units <= b.Amount.Units
		})
	})
}

// spend counts what is gone or promised, whatever the limits say.
func (s *State) spend(bill ...policy.Spending) {
	for _, b := range bill {
		s.budget.Spend(b.Amount)
		s.accounts.Spend(b)
	}
}

// spendFees counts what the network took, which is for nobody.
func (s *State) spendFees(fees ton.Nano) {
	if s.accounts != nil { // nothing is counted before the run begins
		s.spend(policy.Spending{Amount: fees.Amount()})
	}
}

func (s *State) giveBack(bill ...policy.Spending) {
	for _, b := range bill {
		s.budget.Release(b.Amount)
		s.accounts.Release(b)
	}
}

// held is what an order holds of the budgets now.
func (s *State) held(o *ledger.Order) []policy.Spending { return s.counts.bill(o, holding(o)...) }

// limitCode names for programs which limit an error is of.
func limitCode(err error) string {
	if e := (*policy.Exceeded)(nil); errors.As(err, &e) {
		return e.Code()
	}
	if e := (*policy.Slipped)(nil); errors.As(err, &e) {
		return string(CodeSlippage)
	}
	return "limit"
}

// counting says for whom and for what a purchase counts: what was bought for a
// person under an earlier name is the person's, and what was bought for a grant
// counts for the campaign and the labels that were written then and for those
// that are written now.
type counting struct {
	persons map[string]string   // id → handle, as it is written now
	renamed map[string]string   // earlier handle → handle
	scopes  map[string][]string // grant → as it is written now
}

func countingOf(p *Plan) counting {
	c := counting{map[string]string{}, map[string]string{}, map[string][]string{}}
	for _, a := range p.Actions {
		if a.Verb == Retire {
			continue // its names are the ledger's
		}
		c.persons[a.Person] = a.Handle
		if len(a.Scopes) > 0 {
			c.scopes[grantOf(a.Key)] = a.Scopes
		}
		for _, was := range a.Was {
			c.renamed[ledger.Handle(was)] = a.Handle
		}
	}
	return c
}

// people are the names for whom something counts.
func (c counting) people(person, handle string) []string {
	if now, ok := c.renamed[handle]; ok {
		handle = now
	}
	if now := c.persons[person]; now != "" && now != handle {
		return []string{now, handle}
	}
	return []string{handle}
}

// bill is what an order takes of the limits: its price for its person, and
// what comes with it for nobody.
func (c counting) bill(o *ledger.Order, amounts ...ton.Amount) []policy.Spending {
	scopes := o.Scopes
	for _, now := range c.scopes[grantOf(o.Key)] {
		if !slices.Contains(scopes, now) {
			scopes = append(slices.Clip(scopes), now)
		}
	}
	return billOf(c.people(o.Person, o.Handle), scopes, amounts)
}

// planned is what an action would take of them.
func (c counting) planned(a Action) policy.Spending {
	return policy.Spending{Amount: a.Estimate, People: c.people(a.Person, a.Handle), Scopes: a.Scopes}
}

func billOf(people, scopes []string, amounts []ton.Amount) []policy.Spending {
	bill := make([]policy.Spending, len(amounts))
	for i, a := range amounts {
		bill[i] = policy.Spending{Amount: a}
	}
	if len(bill) > 0 {
		bill[0].People, bill[0].Scopes = people, scopes
	}
	return bill
}

// accounts count all that left the ledger's wallets or may leave them, by the
// chain's time. now says of which day and month it is asked, in Unix seconds.
func (c counting) accounts(limits policy.Limits, book *ledger.State, now uint32) *policy.Accounts {
	accounts := limits.Accounts(now)
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		if o == nil || !o.Phase.Spent() && !o.Phase.Out() {
			continue
		}
		for _, b := range c.bill(o, holding(o)...) {
			if o.Phase.Spent() { // others may be paid at any time
				b.Time = o.Time
			}
			accounts.Spend(b)
		}
	}
	for _, t := range book.Outside {
		accounts.Spend(policy.Spending{Amount: t.Fees.Amount(), Time: t.Time})
	}
	for id := ledger.PaymentID(1); id <= book.LastPayment; id++ {
		if p := book.Payments[id]; p != nil && p.Phase == ledger.PaymentExecuted {
			accounts.Spend(policy.Spending{Amount: p.Fees.Amount(), Time: p.Time})
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		// What was assigned is an order by now.
		if f := book.Founds[id]; f.Order == 0 {
			accounts.Spend(policy.Spending{Amount: f.Amount, Time: f.Time})
		}
	}
	return accounts
}

// unacknowledged lists what was paid or sent and Fragment has not answered for, and
// what a person may pay at any time.
func unacknowledged(book *ledger.State) []ton.Amount {
	var sum []ton.Amount
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; o != nil && (o.Phase == ledger.Paid || o.Phase == ledger.Sent || o.Phase == ledger.Offered) {
			sum = append(sum, o.Reserve)
		}
	}
	return sum
}
