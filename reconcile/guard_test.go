package reconcile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// What would cost more fees than plans count is not signed, and not recorded.
func TestFeesAreBounded(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Try); ok {
			n := len(f.Payload.Transfers)
			return reconcile.Tried{Emulation: reconcile.Emulation{Accepted: true, Sent: n, Fees: firewall.Fees(n) + 1}}
		}
		return nil
	}
	_, err := w.apply(stars(3), plenty)
	var refusal *firewall.Refusal
	if !errors.As(err, &refusal) || refusal.Code != firewall.FeeAllowance {
		t.Errorf("got %v", err)
	}
	if n := count[reconcile.Sign](w); n != 0 || len(w.book().Payments) != 0 {
		t.Errorf("%d signatures were asked for, %d payments are recorded", n, len(w.book().Payments))
	}
}

// A price that is a tenth of the last one or less is refused, in whatever
// quantity; one that has merely fallen is not.
func TestPricesAreLikeThoseBefore(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	first := w.price
	for _, c := range []struct {
		divisor ton.Nano
		bought  int
	}{{20, 0}, {5, 1}} {
		w.price = func(i product.Item) ton.Nano { return first(i) / c.divisor }
		want := append(stars(1), wants("more/ann", product.Stars, 5000))
		result, err := w.apply(want, plenty)
		if err != nil || len(result.Bought) != c.bought {
			t.Errorf("at a price divided by %d: %d bought, %v, %+v", c.divisor, len(result.Bought), err, result.Problems)
		}
		if c.bought == 0 && (len(result.Problems) != 1 || result.Problems[0].Code != string(firewall.AmountBand)) {
			t.Errorf("problems: %+v", result.Problems)
		}
	}
}

// Who asks for another account is refused with the line that a person would
// have to review.
func TestARefusedAccountShowsWhatToReview(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Ask); ok {
			offer := w.offer(f)
			offer.Invoice.Transfer.To = stranger
			return reconcile.Offered{Order: f.Order, Offer: offer}
		}
		return nil
	}
	result, err := w.apply(stars(1), plenty)
	if err != nil || len(result.Problems) != 1 {
		t.Fatalf("%v, %+v", err, result.Problems)
	}
	p := result.Problems[0]
	line := firewall.Line(append(firewall.DefaultDestinations(), stranger))
	if p.Code != string(firewall.Destination) || !strings.Contains(p.Reason, "received "+stranger.String()) || !strings.HasSuffix(p.Reason, line) {
		t.Errorf("%s: %s", p.Code, p.Reason)
	}
	if n := count[reconcile.Sign](w); n != 0 {
		t.Errorf("%d signatures", n)
	}
}
