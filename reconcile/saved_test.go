package reconcile_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
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

// A plan is not carried out by a ledger that does not know of a move which the
// plan took for granted, as an older copy does: what it buys would stand under
// the new name and what was given under the old one.
func TestASavedPlanSaysEveryMove(t *testing.T) {
	w := reconcile.Desired{Want: []spec.Occurrence{wants("new/ann", product.Stars, 150)}, Edits: moves("old", "new")}
	older := func() *ledger.State { return past(order("old/ann", ledger.Released, product.Stars, 150)) }
	plan := w.Diff(noted(t, older(), w), nil, limits)
	if !plan.Changes() || len(plan.Moves) > 0 {
		t.Fatalf("%+v", plan)
	}
	if err := w.CheckSaved(plan, plan.Wallet, older(), limits, reconcile.Moment{}); !errors.Is(err, reconcile.ErrStale) || !strings.Contains(err.Error(), "moved") {
		t.Errorf("over an older ledger: %v", err)
	}
	if err := w.CheckSaved(plan, plan.Wallet, noted(t, older(), w), limits, reconcile.Moment{}); err != nil {
		t.Errorf("over the ledger that it was made from: %v", err)
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
		for bit := range 8 {
			bad := append([]byte{}, file...)
			bad[i] ^= 1 << bit
			if _, err := reconcile.DecodePlan(bad); !errors.Is(err, reconcile.ErrPlanFile) {
				t.Fatalf("bit %d of byte %d changed and the plan was taken", bit, i)
			}
		}
		for _, bad := range [][]byte{file[:i], slices.Insert(slices.Clone(file), i, ' ')} {
			if _, err := reconcile.DecodePlan(bad); !errors.Is(err, reconcile.ErrPlanFile) {
				t.Fatalf("a byte was put in or the end cut off at %d, and the plan was taken", i)
			}
		}
	}
}

// A stale plan names each purchase that is no longer what was approved, and why.
func TestAStalePlanSaysWhichAndWhy(t *testing.T) {
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 50), wants("g/cleo", product.Stars, 50), wants("g/dan", product.Stars, 50), wants("g/eve", product.Stars, 50)}
	plan := reconcile.Diff(want, past(), nil, limits)
	now := slices.Clone(want[:4])
	now[0].Item.Quantity = 200
	now[2].Handle = "cleopatra"
	cheaper := past(order("g/bob", ledger.Paid, product.Stars, 50))
	err := reconcile.CheckSaved(plan, plan.Wallet, now, cheaper, limits, reconcile.Moment{})
	var stale *reconcile.Stale
	if !errors.Is(err, reconcile.ErrStale) || !errors.As(err, &stale) {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range stale.Lines {
		got[l.Key] = l.Why
	}
	if d := cmp.Diff(map[string]string{
		"g/ann": "100 stars were approved, and now it is 200 stars", "g/bob": "it was given meanwhile",
		"g/cleo": "it was for @cleo, and now it is for @cleopatra", "g/eve": "it is no longer written",
	}, got); d != "" {
		t.Error(d)
	}
}

// A plan is good until a time, by the chain's clock, and no longer than plans may
// be; the budget of another campaign does not matter to it.
func TestAPlanExpires(t *testing.T) {
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100)}
	plan := reconcile.Diff(want, past(), nil, limits)
	plan.Expires = 1_000_000
	check := func(l policy.Limits, at reconcile.Moment) error {
		return reconcile.CheckSaved(plan, plan.Wallet, want, past(), l, at)
	}
	if err := check(limits, reconcile.Moment{Time: 1_000_000, Lasts: 3600}); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	if err := check(limits, reconcile.Moment{Time: 1_000_001, Lasts: 3600}); !errors.Is(err, reconcile.ErrStale) {
		t.Errorf("after it: %v", err)
	}
	if err := check(limits, reconcile.Moment{Time: 900_000, Lasts: 3600}); !errors.Is(err, reconcile.ErrStale) {
		t.Errorf("made to last for ever: %v", err)
	}
	other := limits
	other.Campaigns = []policy.Campaign{{Name: "other", Grants: []string{"h"}}}
	if err := check(other, reconcile.Moment{Time: 999_999, Lasts: 3600}); err != nil {
		t.Errorf("another campaign: %v", err)
	}
}

// A part of a plan is what was named; whoever names nothing is told.
func TestAPartOfAPlan(t *testing.T) {
	winter := wants("h/ann", product.Stars, 50)
	winter.Labels = []spec.Label{{Name: "season", Value: "winter"}}
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 50), winter}
	for name, c := range map[string]struct {
		target, exclude []string
		keys            string // "" for an error
	}{
		"all":               {nil, nil, "g/ann g/bob h/ann"},
		"a grant":           {[]string{"g"}, nil, "g/ann g/bob"},
		"a key":             {[]string{"g/bob"}, nil, "g/bob"},
		"a beginning":       {[]string{"g/*", "h/a*"}, []string{"g/ann"}, "g/bob h/ann"},
		"a label":           {[]string{"season=winter"}, nil, "h/ann"},
		"all but a label":   {nil, []string{"season=winter"}, "g/ann g/bob"},
		"nothing":           {[]string{"gg"}, nil, ""},
		"nothing left out":  {nil, []string{"season=spring"}, ""},
		"a key's beginning": {[]string{"g/an"}, nil, ""},
	} {
		plan := reconcile.Diff(want, past(), nil, limits)
		err := plan.Only(c.target, c.exclude)
		var keys []string
		for _, a := range plan.Actions {
			keys = append(keys, a.Key)
		}
		if got := strings.Join(keys, " "); (err != nil) != (c.keys == "") || err == nil && (got != c.keys || plan.Partial != (len(keys) < 3)) {
			t.Errorf("%s: %s, partial %t, %v", name, got, plan.Partial, err)
		}
	}
}

// Without a person, only what a campaign's budget allows is bought.
func TestWithinBudgets(t *testing.T) {
	l := limits
	l.Campaigns = []policy.Campaign{{Name: "regular", Grants: []string{"g"}, Max: []policy.Rate{{Max: tons(100_000)[0]}}}, {Name: "free", Grants: []string{"h"}}}
	plan := reconcile.Diff([]spec.Occurrence{wants("g/ann", product.Stars, 100), wants("h/ann", product.Stars, 50), wants("i/ann", product.Stars, 60)}, past(), nil, l)
	plan.WithinBudgets()
	for i, want := range []reconcile.Code{"", reconcile.CodeNoBudget, reconcile.CodeNoBudget} {
		if a := plan.Actions[i]; a.Code != want || a.Buys() != (want == "") || a.Failure() {
			t.Errorf("%s: %c %s", a.Key, a.Verb, a.Code)
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

// A plan is not stale the moment it is made: its prices are those of the whole,
// also of lines that were left out of it or are too dear, and only what it buys
// counts for a limit.
func TestASavedPlanIsNotStaleAtOnce(t *testing.T) {
	price := func(kind product.Kind, quantity, milli int64) reconcile.Prices {
		return reconcile.Prices{{Item: product.Item{Kind: kind, Quantity: quantity}, Asset: ton.AssetTON}: tons(milli)[0]}
	}
	for name, c := range map[string]struct {
		limits func(*policy.Limits)
		want   []spec.Occurrence
		prices []reconcile.Prices
		target []string
		buys   int
	}{
		"a part of what fits one run": {
			func(l *policy.Limits) { l.Run = tons(2350) },
			[]spec.Occurrence{wants("g/ann", product.Stars, 100), wants("h/bob", product.Stars, 90)},
			[]reconcile.Prices{price(product.Stars, 100, 1200), price(product.Stars, 90, 1100)}, []string{"g"}, 1},
		"a part behind what fits one day": {
			func(l *policy.Limits) { l.Day = tons(2350) },
			[]spec.Occurrence{wants("g/ann", product.Stars, 90), wants("h/bob", product.Stars, 100)},
			[]reconcile.Prices{price(product.Stars, 100, 1200), price(product.Stars, 90, 1100)}, []string{"h"}, 1},
		"beside a line above its ceiling": {
			func(l *policy.Limits) { l.Run = tons(12_000) },
			[]spec.Occurrence{wants("g/ann", product.Stars, 500), wants("h/bob", product.Premium, 3)},
			[]reconcile.Prices{price(product.Stars, 500, 6000), price(product.Premium, 3, 10_500)}, nil, 1},
		"beside lines that wait for another day": {
			func(l *policy.Limits) { l.Day, l.Run = tons(3000), tons(3000) },
			stars(10), []reconcile.Prices{price(product.Stars, 100, 1200)}, nil, 2},
	} {
		l := limits
		c.limits(&l)
		prices := reconcile.Prices{}
		for _, p := range c.prices {
			maps.Copy(prices, p)
		}
		plan := reconcile.Diff(c.want, past(), prices, l)
		plan.Judge(past(), reconcile.Moment{})
		if err := plan.Only(c.target, nil); err != nil || len(plan.Violations) > 0 || plan.Summary().Buy != c.buys {
			t.Fatalf("%s: %v, %+v", name, err, plan)
		}
		b, err := plan.Encode()
		if err != nil {
			t.Fatal(err)
		}
		read, err := reconcile.DecodePlan(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := reconcile.CheckSaved(read, read.Wallet, c.want, past(), l, reconcile.Moment{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(read.Prices) != len(prices) || read.Digest() != reconcile.Diff(buysOf(c.want, plan), past(), nil, l).Digest() {
			t.Errorf("%s: %d prices, or they are in the digest", name, len(read.Prices))
		}
	}
}

// buysOf is what is wanted of what a plan buys.
func buysOf(want []spec.Occurrence, plan *reconcile.Plan) []spec.Occurrence {
	return slices.DeleteFunc(slices.Clone(want), func(o spec.Occurrence) bool {
		return !slices.ContainsFunc(plan.Actions, func(a reconcile.Action) bool { return a.Key == o.Key && a.Buys() })
	})
}

// What was approved does not grow over a limit by prices that it hides.
func TestASavedPlanIsJudgedByWhatItBuys(t *testing.T) {
	l := limits
	l.Run = tons(2000)
	plan := reconcile.Diff(stars(2), past(), nil, l) // 1.3 TON each
	plan.Prices = []reconcile.Price{{Item: stars(1)[0].Item, Asset: ton.AssetTON, Price: tons(900)[0]}}
	if err := reconcile.CheckSaved(plan, plan.Wallet, stars(2), past(), l, reconcile.Moment{}); !errors.Is(err, reconcile.ErrStale) {
		t.Errorf("2.6 TON under a limit of 2: %v", err)
	}
}
