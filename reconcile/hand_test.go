package reconcile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// ask has a person asked to pay what is written, as apply -unsigned does.
func (w *world) ask(want []spec.Occurrence) (reconcile.Result, error) {
	w.t.Helper()
	w.setup = func(u *reconcile.Setup) { u.Unsigned = true }
	defer func() { w.setup = nil }()
	return w.apply(want, plenty)
}

// phone pays transfers with a wallet application.
func (w *world) phone(transfers ...ton.Transfer) {
	w.t.Helper()
	w.chain.produce(5, func() {
		w.execute(ton.Payload{Wallet: w.wallet.Version, WalletID: w.wallet.ID(), Seqno: w.account.Data.Seqno, ValidUntil: w.time + 60, Transfers: transfers})
	})
}

// acknowledged is a world in which batches of four are allowed.
func acknowledged(t *testing.T, version ton.WalletVersion) *world {
	t.Helper()
	w := newWorld(t, version)
	if _, err := w.apply([]spec.Occurrence{wants("first/ann", product.Stars, 100)}, plenty); err != nil {
		t.Fatal(err)
	}
	return w
}

func kept(want []spec.Occurrence) []spec.Occurrence {
	return append([]spec.Occurrence{wants("first/ann", product.Stars, 100)}, want...)
}

// A person is asked in one request, which is recorded before anybody sees it.
// Nothing is signed. When it is paid, any apply finds it, tells Fragment with
// the message that the chain holds, and buys nothing again.
func TestAskedAndPaid(t *testing.T) {
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		w := acknowledged(t, version)
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Hand); ok {
				if got := w.phases()[1:5]; !slices.Equal(got, all(ledger.Offered, 4)) {
					t.Errorf("handed over while the orders are %v", got)
				}
				if len(f.Handout.Transfers) != 4 || len(f.Handout.Keys) != 4 || f.Handout.Wallet != w.account.Address || f.Handout.ValidUntil <= w.time {
					t.Errorf("%+v", f.Handout)
				}
			}
			return nil
		}
		result, err := w.ask(kept(stars(6)))
		if err != nil || len(result.Offered) != 4 || result.Left != 2 || len(result.Bought) != 0 || len(w.handed) != 1 || count[reconcile.Sign](w)+count[reconcile.Send](w) > 0 {
			t.Fatalf("%+v, %v, %d requests", result, err, len(w.handed))
		}
		w.answer = nil
		plan := reconcile.Diff(kept(stars(4)), w.book(), nil, plenty)
		if sum := plan.Summary(); sum.Unknown != 4 || sum.Buy != 0 || plan.Changes() {
			t.Errorf("%+v", sum)
		}
		w.phone(w.handed[0].Transfers...)
		paid := len(w.paid())
		result, err = w.apply(kept(stars(4)), plenty)
		if err != nil || len(result.Bought) != 4 || result.Settled != 1 || result.Payments != 1 || len(w.told) != 5 || len(w.paid()) != paid {
			t.Errorf("%s: %+v, %v, %d told", version, result, err, len(w.told))
		}
		for id := ledger.OrderID(2); id <= 5; id++ {
			if o := w.book().Orders[id]; o.Phase != ledger.Delivered || o.Payment != 0 {
				t.Errorf("%+v", o)
			}
		}
		for _, f := range w.effects {
			if tell, ok := f.(reconcile.Tell); ok && !slices.ContainsFunc(w.history, func(t ton.Transaction) bool { return bodyOf(w.t, tell.Message) == ton.Hash(t.External.Hash()) }) {
				t.Error("Fragment is told of a message that the chain does not hold")
			}
		}
		if result, err := w.apply(kept(stars(4)), plenty); err != nil || len(result.Bought) != 0 {
			t.Errorf("once more: %+v, %v", result, err)
		}
		if findings := reconcile.Audit(w.book(), w.account.Address, w.history); len(findings) != 0 {
			t.Errorf("%+v", findings)
		}
	}
}

func bodyOf(t *testing.T, message ton.BoC) ton.Hash {
	t.Helper()
	_, _, body, err := ton.ParseExternal(message)
	if err != nil {
		t.Fatal(err)
	}
	return ton.Hash(body.Hash())
}

// Nobody is said to be asked before the request is handed over: a run that can't
// record it ends there, and has nothing to show.
func TestNobodyIsAskedBeforeTheRequestIsRecorded(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	asked := -1
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if _, ok := f.(reconcile.Hand); ok {
			asked = len(w.state.Result().Offered)
		}
		return nil
	}
	result, err := w.ask(stars(1))
	if err != nil || asked != 0 || len(result.Offered) != 1 {
		t.Errorf("%d are said to be asked before, %d after: %v", asked, len(result.Offered), err)
	}
}

// What is not found stays live, whatever the time: it is not bought again, it
// counts against the limits, and only a person ends it.
func TestAskedAndNeverPaid(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.ask(stars(1)); err != nil {
		t.Fatal(err)
	}
	w.time += 40 * 24 * 3600
	limits := plenty
	limits.Month = []ton.Amount{(3 * ton.TON / 2).Amount()}
	if result, err := w.apply(stars(1), limits); err != nil || len(w.paid()) != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	other := append(stars(1), wants("other/bob", product.Stars, 100))
	if result, err := w.apply(other, limits); err != nil || len(result.Problems) != 1 || result.Problems[0].Code != "month_limit" || len(w.paid()) != 0 {
		t.Errorf("the month holds 1.5 TON, and 1 is offered: %+v, %v", result, err)
	}
	limits = plenty
	limits.Undelivered = []ton.Amount{(2 * ton.TON).Amount()}
	w.price = func(product.Item) ton.Nano { return 3 * ton.TON / 2 }
	if _, err := w.apply(other, limits); !errors.Is(err, reconcile.ErrBreaker) || len(w.paid()) != 0 {
		t.Errorf("the breaker counts what may be paid: %v", err)
	}
	if diff := gocmp.Diff(ledger.Offered, w.phases()[0]); diff != "" {
		t.Fatal(diff)
	}
	if findings := reconcile.Audit(w.book(), w.account.Address, w.history); len(findings) != 1 || findings[0].Code != reconcile.FindingRequest {
		t.Errorf("%+v", findings)
	}
	w.log = append(w.log, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "never scanned"})
	if _, err := w.apply(stars(1), plenty); err != nil || len(w.paid()) != 1 {
		t.Errorf("after a person's word: %v, %d paid", err, len(w.paid()))
	}
}

// A request that was given up, and whose key counts as given otherwise since, may
// be paid all the same: what it paid is taken in beside the statement, so that the
// next apply can go on.
func TestAskedAndPaidAfterItWasSettled(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.ask(stars(1)); err != nil {
		t.Fatal(err)
	}
	w.log = append(w.log, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "nobody will pay it"})
	said := reconcile.Desired{Want: stars(1), Edits: settled("g/p00", "Kim gave them in another way")}
	w.log = append(w.log, reconcile.NewEdits(said.Diff(w.book(), nil, plenty), w.book())...)
	w.phone(w.handed[0].Transfers...)
	if _, err := w.apply(stars(1), plenty); !errors.Is(err, reconcile.ErrTide) {
		t.Fatal(err)
	}
	book := w.book()
	for _, e := range reconcile.TakeIn(book, w.account.Address, w.history, "it was me") {
		if err := book.Apply(e); err != nil {
			t.Fatalf("the ledger refuses what happened: %v", err)
		}
		w.log = append(w.log, e)
	}
	if given := book.Given("g/p00"); given != 200 {
		t.Errorf("%d count as given, want 100 settled and 100 paid", given)
	}
	if _, err := w.apply(stars(1), plenty); err != nil || len(w.paid()) != 1 {
		t.Errorf("%v, %d payments", err, len(w.paid()))
	}
}

// A person may pay a part of a request, and the rest in another way or never.
// Each order has its own verdict.
func TestAskedAndPaidInPart(t *testing.T) {
	w := acknowledged(t, ton.V5R1)
	if _, err := w.ask(kept(stars(4))); err != nil {
		t.Fatal(err)
	}
	asked := w.handed[0].Transfers
	w.phone(asked[2], asked[0])
	w.phone(asked[3])
	result, err := w.apply(kept(stars(4)), plenty)
	if err != nil || len(result.Bought) != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	if diff := gocmp.Diff([]ledger.Phase{ledger.Delivered, ledger.Delivered, ledger.Offered, ledger.Delivered, ledger.Delivered}, w.phases()); diff != "" {
		t.Error(diff)
	}
	w.phone(asked[1])
	if result, err := w.apply(kept(stars(4)), plenty); err != nil || len(result.Bought) != 1 || w.phases()[2] != ledger.Delivered {
		t.Errorf("%+v, %v", result, err)
	}
}

// Whoever pays twice, or something beside the request, or another sum, is told:
// nothing more is bought until a person has looked. What was asked for is paid
// by its own transfer alone. Another one under its ref counts as given all the
// same: Fragment may have taken it, and so the request is given up, not bought
// again.
func TestWhatWasNotAskedForStops(t *testing.T) {
	for name, c := range map[string]struct {
		pay  func(*world, ton.Transfer)
		want ledger.Phase
		more int // events that take in what the ledger can't explain
	}{
		"paid twice":                 {func(w *world, x ton.Transfer) { w.phone(x); w.phone(x) }, ledger.Delivered, 1},
		"paid twice at once":         {func(w *world, x ton.Transfer) { w.phone(x, x) }, ledger.Delivered, 1},
		"paid with something beside": {func(w *world, x ton.Transfer) { y := x; y.Amount = 7; w.phone(x, y) }, ledger.Delivered, 1},
		"paid too much":              {func(w *world, x ton.Transfer) { x.Amount++; w.phone(x) }, ledger.Offered, 4},
		"paid too little":            {func(w *world, x ton.Transfer) { x.Amount--; w.phone(x) }, ledger.Offered, 4},
		"paid to somebody else":      {func(w *world, x ton.Transfer) { x.To = w.account.Address; w.phone(x) }, ledger.Offered, 4},
	} {
		w := newWorld(t, ton.V5R1)
		if _, err := w.ask(stars(1)); err != nil {
			t.Fatal(err)
		}
		c.pay(w, w.handed[0].Transfers[0])
		before := len(w.paid())
		for range 2 {
			if _, err := w.apply(stars(3), plenty); !errors.Is(err, reconcile.ErrTide) || len(w.paid()) != before {
				t.Fatalf("%s: %v", name, err)
			}
		}
		got := w.book().Orders[1].Phase
		if got == ledger.Acknowledged || got == ledger.Paid {
			got = ledger.Delivered // it is told while the run stops
		}
		if got != c.want {
			t.Errorf("%s: the order is %s", name, got)
		}
		events := reconcile.TakeIn(w.book(), w.account.Address, w.history, "it was me")
		w.log = append(w.log, events...)
		if len(events) != c.more || w.book().Given("g/p00") != 100 {
			t.Errorf("%s: taken in as %+v", name, events)
		}
		// Now it goes on. What was offered is not bought.
		if _, err := w.apply(stars(3), plenty); err != nil || len(w.paid()) != before+2 {
			t.Errorf("%s: %v, %d transfers after %d", name, err, len(w.paid()), before)
		}
		// Nor does the request pay again unseen.
		w.phone(w.handed[0].Transfers[0])
		if _, err := w.apply(stars(3), plenty); !errors.Is(err, reconcile.ErrTide) {
			t.Errorf("%s: paid once more: %v", name, err)
		}
		w.log = append(w.log, reconcile.TakeIn(w.book(), w.account.Address, w.history, "it was me")...)
		if given := w.book().Given("g/p00"); given != 100 {
			t.Errorf("%s: %d given", name, given)
		}
	}
}

// A request that could not be handed over counts all the same: half of it may
// have been seen. The error says what a person can do.
func TestARequestThatIsNotHandedOver(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Hand); ok {
			return reconcile.Handed{Request: f.Handout.Request, Err: errors.New("disk full")}
		}
		return nil
	}
	_, err := w.ask(stars(2))
	if err == nil || !strings.Contains(err.Error(), "disk full") || !strings.Contains(err.Error(), "-as unpaid") {
		t.Fatal(err)
	}
	w.answer = nil
	if _, err := w.apply(stars(2), plenty); err != nil || len(w.paid()) != 1 || w.phases()[0] != ledger.Offered {
		t.Errorf("%v, %d paid, %v", err, len(w.paid()), w.phases())
	}
}

// While somebody may pay by phone, the program may sign for other orders. Both
// use the wallet's one seqno; whoever comes second is done again, and nothing
// is paid twice.
func TestAskedBesideSigning(t *testing.T) {
	w := acknowledged(t, ton.V5R1)
	if _, err := w.ask(kept(stars(1))); err != nil {
		t.Fatal(err)
	}
	asked := w.handed[0].Transfers
	done := false
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if _, ok := f.(reconcile.Send); ok && !done {
			done = true
			w.phone(asked...) // a moment before ours arrives
		}
		return nil
	}
	result, err := w.apply(kept(stars(3)), plenty)
	if err != nil || len(result.Bought) != 3 || len(w.paid()) != 4 {
		t.Errorf("%+v, %v, %d paid", result, err, len(w.paid()))
	}
	if diff := gocmp.Diff(all(ledger.Delivered, 4), w.phases()); diff != "" {
		t.Error(diff)
	}
}

// A saved plan that asks a person goes on where it was: what was asked for is
// not asked for again, and what did not fit comes next.
func TestASavedPlanIsAskedForInParts(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	want := stars(2)
	book := w.book()
	plan := reconcile.Diff(want, book, nil, plenty)
	plan.Wallet = w.account.Address
	w.setup = func(u *reconcile.Setup) { u.Unsigned = true }
	w.start(plan, book)
	if result, err := w.finish(); err != nil || len(result.Offered) != 1 || result.Left != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	book = w.book()
	if err := reconcile.CheckSaved(plan, w.account.Address, want, book, plenty, reconcile.Moment{}); err != nil {
		t.Fatal(err)
	}
	w.start(plan, book)
	if _, err := w.finish(); err != nil {
		t.Fatal(err)
	}
	if err := reconcile.CheckSaved(plan, w.account.Address, want, w.book(), plenty, reconcile.Moment{}); !errors.Is(err, reconcile.ErrApplied) {
		t.Error(err)
	}
	if len(w.handed) != 2 || w.handed[0].Keys[0] == w.handed[1].Keys[0] {
		t.Errorf("%+v", w.handed)
	}
}

// A process may die at any turn of asking somebody. What was recorded counts,
// whether anybody saw the request or not; what was not is bought anew, once.
func TestADeathWhileAsking(t *testing.T) {
	for turns := range 40 {
		w := newWorld(t, ton.V5R1)
		w.setup = func(u *reconcile.Setup) { u.Unsigned = true }
		w.begin(stars(2), plenty)
		for n := 0; n < turns && !w.stopped && len(w.queue) > 0; n++ {
			w.next()
		}
		seen := slices.Clone(w.handed)
		offered := slices.Contains(w.phases(), ledger.Offered)
		if len(seen) > 0 && !offered {
			t.Fatalf("turn %d: somebody saw a request that is not recorded", turns)
		}
		w.setup = nil
		for range 2 {
			if _, err := w.apply(stars(2), plenty); err != nil {
				t.Fatalf("turn %d: %v", turns, err)
			}
		}
		if want := map[bool]int{false: 2, true: 1}[offered]; len(w.paid()) != want {
			t.Errorf("turn %d: %d paid, want %d", turns, len(w.paid()), want)
		}
		for _, h := range seen {
			w.phone(h.Transfers...)
		}
		if _, err := w.apply(stars(2), plenty); err != nil || len(seen) > 0 && len(w.paid()) != 2 {
			t.Errorf("turn %d, paid by phone: %v, %d paid", turns, err, len(w.paid()))
		}
	}
}
