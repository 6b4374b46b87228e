package reconcile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// A run that dies between Fragment's acknowledgement and its word that the
// goods were handed over leaves orders acknowledged. The next one asks again,
// once where nothing was bought, and records the answer when it comes.
func TestAcknowledgedByARunThatDied(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.begin(stars(3), plenty)
	for count[reconcile.Inquire](w) == 0 {
		w.next()
	}
	if d := cmp.Diff(all(ledger.Acknowledged, 3), w.phases()); d != "" {
		t.Fatal(d)
	}
	for _, done := range []bool{false, true} {
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Inquire); ok {
				return reconcile.Learned{Kind: f.Kind, Done: done}
			}
			return nil
		}
		if _, err := w.apply(stars(3), plenty); err != nil || count[reconcile.Inquire](w) != 1 {
			t.Fatalf("%v, asked %d times", err, count[reconcile.Inquire](w))
		}
		want := map[bool]ledger.Phase{false: ledger.Acknowledged, true: ledger.Delivered}[done]
		if d := cmp.Diff(all(want, 3), w.phases()); d != "" {
			t.Errorf("done %t: %s", done, d)
		}
	}
	if _, err := w.apply(stars(3), plenty); err != nil || count[reconcile.Inquire](w) != 0 || len(w.paid()) != 3 {
		t.Errorf("%v, asked %d times, %d paid", err, count[reconcile.Inquire](w), len(w.paid()))
	}
}
