package reconcile_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A saved plan is applied only while each purchase in it is what would be
// decided today.
func TestASavedPlanIsCheckedAgain(t *testing.T) {
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 50)}
	other := func(change func(*spec.Occurrence)) []spec.Occurrence {
		o := want[0]
		change(&o)
		return []spec.Occurrence{o, want[1]}
	}
	higher, wallet := limits, ton.MustParseAddress("UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz")
	higher.Order = []ton.Amount{(21 * ton.TON).Amount()}
	for name, c := range map[string]struct {
		wallet ton.Address
		want   []spec.Occurrence
		have   *ledger.State
		limits policy.Limits
		stale  bool
	}{
		"nothing changed":                 {wallet, want, past(), limits, false},
		"somebody else was added":         {wallet, append(want[:2:2], wants("h/eve", product.Stars, 50)), past(), limits, false},
		"an order was given up meanwhile": {wallet, want, past(order("g/ann", ledger.Released, product.Stars, 100)), limits, false},
		"one was bought meanwhile":        {wallet, want, past(order("g/bob", ledger.Paid, product.Stars, 50)), limits, true},
		"one may be paid":                 {wallet, want, past(order("g/bob", ledger.Armed, product.Stars, 50)), limits, true},
		"one is no longer written":        {wallet, want[:1], past(), limits, true},
		"another amount":                  {wallet, other(func(o *spec.Occurrence) { o.Item.Quantity = 200 }), past(), limits, true},
		"another product":                 {wallet, other(func(o *spec.Occurrence) { o.Item = product.Item{Kind: product.Premium, Quantity: 3} }), past(), limits, true},
		"another user name":               {wallet, other(func(o *spec.Occurrence) { o.Handle = "anna" }), past(), limits, true},
		"another person under the key":    {wallet, other(func(o *spec.Occurrence) { o.Person = "anna" }), past(), limits, true},
		"it became a prize":               {wallet, other(func(o *spec.Occurrence) { o.Single = true }), past(), limits, true},
		"other limits":                    {wallet, want, past(), higher, true},
		"another wallet":                  {ton.Address{}, want, past(), limits, true},
		"a rename is suspected":           {wallet, want, past(order("old/ann", ledger.Paid, product.Stars, 100)), limits, true},
	} {
		plan := reconcile.Diff(want, past(), nil, limits)
		plan.Wallet = wallet
		err := reconcile.CheckSaved(plan, c.wallet, c.want, c.have, c.limits, reconcile.Moment{})
		if c.stale != errors.Is(err, reconcile.ErrStale) || !c.stale && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A plan is good for one run: after it has ended, it is refused; if it was
// interrupted, it may go on with what it has not bought, and only with that.
func TestASavedPlanIsGoodForOneRun(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	want := stars(6)
	plan := reconcile.Diff(want, w.book(), nil, plenty)
	w.start(plan, w.book())
	for len(w.paid()) < 5 {
		w.next()
	}
	w.step(reconcile.Interrupted{})
	if _, err := w.finish(); !errors.Is(err, reconcile.ErrInterrupted) {
		t.Fatal(err)
	}
	if err := reconcile.CheckSaved(plan, plan.Wallet, want, w.book(), plenty, reconcile.Moment{}); err != nil {
		t.Fatalf("interrupted, it may go on: %v", err)
	}
	if err := reconcile.CheckSaved(plan, plan.Wallet, want[:5], w.book(), plenty, reconcile.Moment{}); !errors.Is(err, reconcile.ErrStale) {
		t.Errorf("what is left is no longer written: %v", err)
	}
	if _, err := w.applyPlan(plan); err != nil {
		t.Fatal(err)
	}
	if len(w.paid()) != 6 {
		t.Errorf("%d paid", len(w.paid()))
	}
	if err := reconcile.CheckSaved(plan, plan.Wallet, want, w.book(), plenty, reconcile.Moment{}); !errors.Is(err, reconcile.ErrApplied) {
		t.Errorf("applied whole: %v", err)
	}
}

// A later plan that would do the same is another plan: what failed once may be
// tried again.
func TestAnotherPlanMayDoTheSame(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	want := stars(1)
	plan := func(nonce string) *reconcile.Plan {
		p := reconcile.Diff(want, w.book(), nil, plenty)
		p.Nonce = nonce
		return p
	}
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Ask); ok {
			return reconcile.Offered{Order: f.Order, Err: &reconcile.Refusal{Code: "no_recipient", Reason: "unknown"}}
		}
		return nil
	}
	first := plan("first")
	if _, err := w.applyPlan(first); err != nil || len(w.paid()) != 0 {
		t.Fatalf("%v, %d paid", err, len(w.paid()))
	}
	w.answer = nil
	if err := reconcile.CheckSaved(first, first.Wallet, want, w.book(), plenty, reconcile.Moment{}); !errors.Is(err, reconcile.ErrApplied) {
		t.Errorf("the same plan again: %v", err)
	}
	second := plan("second")
	second.Wallet = first.Wallet
	if err := reconcile.CheckSaved(second, first.Wallet, want, w.book(), plenty, reconcile.Moment{}); err != nil {
		t.Errorf("a new plan: %v", err)
	}
}

// A plan file comes back as it went, and any changed byte is refused.
func TestPlanFile(t *testing.T) {
	plan := reconcile.Diff([]spec.Occurrence{wants("g/ann", product.Stars, 100)}, past(), nil, limits)
	plan.Wallet = ton.MustParseAddress("UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz")
	file, err := plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := reconcile.DecodePlan(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(plan, again); d != "" {
		t.Error(d)
	}
	if plan.Digest() != again.Digest() {
		t.Error("the digest changed on the way through a file")
	}
	for i := range file {
		bad := append([]byte{}, file...)
		bad[i] ^= 0x01
		if p, err := reconcile.DecodePlan(bad); err == nil && cmp.Diff(plan, p) != "" {
			t.Fatalf("byte %d changed and the plan was taken", i)
		}
	}
}

// A later program may add fields to a plan; another major version is refused.
func TestPlanVersions(t *testing.T) {
	for version, ok := range map[string]bool{"1.0": true, "1.7": true, "2.0": false, "": false, "10.0": false} {
		plan := reconcile.Diff(nil, past(), nil, limits)
		plan.FormatVersion = version
		file, err := plan.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reconcile.DecodePlan(file); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}
