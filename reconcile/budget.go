package reconcile

import (
	"slices"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// take reserves all of the amounts, each of another asset, or none.
func (s *State) take(amounts []ton.Amount) error {
	for _, a := range amounts {
		if err := s.month.Check(a); err != nil {
			return err
		}
		if err := s.budget.Check(a); err != nil {
			return err
		}
	}
	s.spend(amounts...)
	return nil
}

// retake changes what an order holds of the budgets. What costs no more than
// was held always fits; if it does not fit, the order holds what it held.
func (s *State) retake(held, want []ton.Amount) error {
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
func within(want, held []ton.Amount) bool {
	return !slices.ContainsFunc(want, func(a ton.Amount) bool {
		return !slices.ContainsFunc(held, func(b ton.Amount) bool { return a.Asset == b.Asset && a.Units <= b.Units })
	})
}

// spend counts what is gone or promised, whatever the limits say.
func (s *State) spend(amounts ...ton.Amount) {
	for _, a := range amounts {
		s.budget.Spend(a)
		s.month.Spend(a)
	}
}

func (s *State) giveBack(amounts ...ton.Amount) {
	for _, a := range amounts {
		s.budget.Release(a)
		s.month.Release(a)
	}
}

// spentInMonth sums what left in the calendar month (UTC) of now, in Unix
// seconds.
func spentInMonth(book *ledger.State, now uint32) []ton.Amount {
	t := time.Unix(int64(now), 0).UTC()
	first := uint32(time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Unix())
	var used []ton.Amount
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		// What a person was asked to pay may be paid at any time.
		if o := book.Orders[id]; o != nil && (o.Phase.Spent() && o.Time >= first || o.Phase == ledger.Offered) {
			used = append(used, holding(o)...)
		}
	}
	for _, t := range book.Outside {
		if t.Time >= first {
			used = append(used, t.Fees.Amount())
		}
	}
	for id := ledger.PaymentID(1); id <= book.LastPayment; id++ {
		if p := book.Payments[id]; p != nil && p.Phase == ledger.PaymentExecuted && p.Time >= first {
			used = append(used, p.Fees.Amount())
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		// What was assigned is an order by now.
		if f := book.Founds[id]; f.Order == 0 && f.Time >= first {
			used = append(used, f.Amount)
		}
	}
	return used
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
