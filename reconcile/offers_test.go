package reconcile_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// A batch leaves before the offer that ends first, wherever it stands in it.
func TestABatchLeavesBeforeItsOffersEnd(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(30), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	var last reconcile.Ask
	w.answer = func(f reconcile.Effect) reconcile.Event {
		ask, ok := f.(reconcile.Ask)
		if !ok {
			return nil
		}
		offer := w.offer(ask)
		if strings.HasSuffix(ask.Handle, "31") {
			offer.Invoice.ValidUntil = w.time + 150
		}
		if strings.HasSuffix(ask.Handle, "34") { // this answer does not come
			last = ask
			return silence{}
		}
		return reconcile.Offered{Order: ask.Order, Offer: offer}
	}
	w.begin(stars(35), plenty)
	for len(w.queue) > 0 && !w.stopped {
		w.next()
	}
	if got := len(w.paid()); got != 34 {
		t.Errorf("%d paid while %s was not answered, want 34", got, last.Handle)
	}
}

// applyPlan runs a plan that is already made.
func (w *world) applyPlan(plan *reconcile.Plan) (reconcile.Result, error) {
	w.t.Helper()
	w.start(plan, w.book())
	return w.finish()
}

// An offer that ends before a message could is never paid: it is asked anew, a
// few times, and then set aside.
func TestOffersThatEndTooSoon(t *testing.T) {
	for name, c := range map[string]struct{ short, paid int }{"the first": {1, 1}, "all": {100, 0}} {
		w := newWorld(t, ton.V5R1)
		w.answer = func(f reconcile.Effect) reconcile.Event {
			ask, ok := f.(reconcile.Ask)
			if !ok {
				return nil
			}
			offer := w.offer(ask)
			if w.offers <= c.short {
				offer.Invoice.ValidUntil = w.time + 100
			}
			return reconcile.Offered{Order: ask.Order, Offer: offer}
		}
		result, err := w.apply(stars(1), plenty)
		if err != nil || len(w.paid()) != c.paid || len(result.Problems) != 1-c.paid || w.offers > 3 {
			t.Errorf("%s: %+v, %v, %d offers", name, result, err, w.offers)
		}
	}
}

// A message ends a minute before the first of the offers that it pays: what it
// can still pay later, Fragment may no longer count.
func TestAMessageEndsBeforeItsOffers(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(2), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	ends := map[ledger.OrderID]uint32{}
	w.answer = func(f reconcile.Effect) reconcile.Event {
		switch f := f.(type) {
		case reconcile.Ask:
			offer := w.offer(f)
			offer.Invoice.ValidUntil = w.time + 600
			if strings.HasSuffix(f.Handle, "03") {
				offer.Invoice.ValidUntil = w.time + 200
			}
			ends[f.Order] = offer.Invoice.ValidUntil
			return reconcile.Offered{Order: f.Order, Offer: offer}
		case reconcile.Sign:
			for _, id := range w.book().Payments[f.Payment].Orders {
				if f.Payload.ValidUntil+60 > ends[id] {
					t.Errorf("the message lives until %d, the offer of order %d ends at %d", f.Payload.ValidUntil, id, ends[id])
				}
			}
		}
		return nil
	}
	if _, err := w.apply(stars(5), plenty); err != nil || len(w.paid()) != 5 {
		t.Errorf("%v, %d paid", err, len(w.paid()))
	}
}

// Offers are answered in any order and paid in the plan's: with money for some
// the first are bought, not the ones whose offer came first.
func TestThePlansOrderHolds(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.account.Balance = 3*ton.TON + ton.TON/2
	w.begin(stars(12), plenty)
	for !w.stopped {
		// Everything else comes before the questions, and of these the newest
		// is answered first.
		slices.SortStableFunc(w.queue, func(a, b reconcile.Effect) int { return cmp.Compare(newest(a), newest(b)) })
		w.next()
	}
	if !errors.Is(w.err, reconcile.ErrFunds) {
		t.Error(w.err)
	}
	for id, o := range w.book().Orders {
		if o.Phase.Spent() != (id <= 3) {
			t.Errorf("order %d is %s", id, o.Phase)
		}
	}
}

func newest(f reconcile.Effect) ledger.OrderID {
	if f, ok := f.(reconcile.Ask); ok {
		return 1_000_000 - f.Order
	}
	return 0
}

// An order that has to be asked for again keeps its place, and nobody waits
// for ever.
func TestAskedAgainKeepsItsPlace(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(30), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	dead := false
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Wait); ok && !dead {
			dead = true
			w.pool = nil // the first message is lost until it has ended
			w.time += 600
			return w.sight(f.Look)
		}
		return nil
	}
	if result, err := w.apply(stars(400), plenty); err != nil || len(result.Bought) != 370 || len(w.paid()) != 400 {
		t.Errorf("%d bought, %v", len(result.Bought), err)
	}
}
