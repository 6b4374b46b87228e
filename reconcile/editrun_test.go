package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A run notes the moves and statements of its plan before it reserves anything,
// also what an earlier run had begun under the old name, and buys only the
// difference. Killed at any place and applied again, it comes to the same end.
func TestARunNotesEditsBeforeItBuys(t *testing.T) {
	edited := reconcile.Desired{
		Want:  []spec.Occurrence{wants("h/p00", product.Stars, 150), wants("h/p01", product.Stars, 100), wants("s/p02", product.Stars, 100)},
		Edits: moves("g", "h"),
	}
	edited.Edits.Settled = settled("s/p02", "by hand").Settled
	begun := func() *world {
		w := newWorld(t, ton.V5R1)
		if _, err := w.apply(stars(2), plenty); err != nil {
			t.Fatal(err)
		}
		w.begin([]spec.Occurrence{wants("g/p00", product.Stars, 200), wants("g/p01", product.Stars, 100)}, plenty)
		for w.state != nil && !slices.ContainsFunc(w.log, func(e ledger.Event) bool { r, ok := e.(ledger.OrderReserved); return ok && r.Prior > 0 }) {
			w.next() // killed when 100 more are reserved
		}
		return w
	}
	run := func(w *world, steps int) (over bool) {
		book := w.book()
		w.start(edited.Diff(book, nil, plenty), book)
		for n := 0; !w.stopped && n < steps; n++ {
			if len(w.queue) == 0 {
				t.Fatal("the run hangs")
			}
			w.next()
		}
		return w.stopped
	}
	places := 0
	for steps := 0; ; steps++ {
		w := begun()
		over := run(w, steps)
		places++
		if !over && !run(w, 1000) {
			t.Fatal("the run does not end")
		}
		if w.err != nil {
			t.Fatalf("killed after %d steps: %v", steps, w.err)
		}
		moved := slices.IndexFunc(w.log, func(e ledger.Event) bool { _, ok := e.(ledger.KeyMoved); return ok })
		reserved := slices.IndexFunc(w.log, func(e ledger.Event) bool { r, ok := e.(ledger.OrderReserved); return ok && r.Key == "h/p00" })
		said := slices.IndexFunc(w.log, func(e ledger.Event) bool { _, ok := e.(ledger.KeySettled); return ok })
		if moved < 0 || said < 0 || reserved < moved || reserved < said {
			t.Errorf("killed after %d steps: moved at %d, settled at %d, reserved at %d", steps, moved, said, reserved)
		}
		book := w.book()
		for key, want := range map[string]int64{"h/p00": 150, "h/p01": 100, "s/p02": 100, "g/p00": 0} {
			if got := book.Given(key); got != want {
				t.Errorf("killed after %d steps: %s was given %d, want %d", steps, key, got, want)
			}
		}
		paid := 0
		for _, o := range book.Orders {
			if o.Phase.Spent() {
				paid++
			}
		}
		if paid != 3 {
			t.Errorf("killed after %d steps: %d orders were paid, want 3", steps, paid)
		}
		if over {
			break
		}
	}
	if places < 10 {
		t.Errorf("only %d places", places)
	}
}

// A statement that can't be taken yet, because an order from before the key was
// issued again is held, stops its own line alone: the others are bought, and the
// line says which command ends it.
func TestAStatementThatMustWaitStopsNobodyElse(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	w.log = append(w.log, ledger.KeyReissued{Key: "g/p00", Generation: 2, Reason: "the account was stolen"},
		ledger.OrderHeld{Order: 1, Reason: "TON came back", Bounce: ton.Position{LT: 1 << 40, Hash: ton.Hash{7}}})
	said := reconcile.Desired{Want: stars(3), Edits: settled("g/p00", "Kim gave them")}
	run := func() *reconcile.Plan {
		plan := said.Diff(w.book(), nil, plenty)
		plan.Wallet = w.account.Address
		w.start(plan, w.book())
		if _, err := w.finish(); err != nil {
			t.Fatal(err)
		}
		return plan
	}
	if a := run().Actions[0]; a.Verb != reconcile.Blocked || !strings.Contains(a.Reason, "fragplan ledger resolve g/p00") {
		t.Errorf("%c %s", a.Verb, a.Reason)
	}
	if n := len(w.paid()); n != 3 {
		t.Errorf("%d payments, want those of the two others beside the first", n)
	}
	w.log = append(w.log, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "it came back"})
	run()
	if book := w.book(); book.SettledFor("g/p00") != 100 || len(w.paid()) != 3 {
		t.Errorf("resolved, and %d count as given otherwise; %d payments", book.SettledFor("g/p00"), len(w.paid()))
	}
}

// An order that is held after the plan was made keeps the plan's statement from
// being noted, and nothing else.
func TestAStatementOfAPlanMayHaveToWait(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	w.log = append(w.log, ledger.KeyReissued{Key: "g/p00", Generation: 2, Reason: "the account was stolen"})
	plan := reconcile.Desired{Want: stars(2), Edits: settled("g/p00", "Kim gave them")}.Diff(w.book(), nil, plenty)
	plan.Wallet = w.account.Address
	w.log = append(w.log, ledger.OrderHeld{Order: 1, Reason: "TON came back", Bounce: ton.Position{LT: 1 << 40, Hash: ton.Hash{7}}})
	w.start(plan, w.book())
	if _, err := w.finish(); err != nil || len(w.paid()) != 2 || w.book().SettledFor("g/p00") != 0 {
		t.Errorf("%v, %d payments, %d settled", err, len(w.paid()), w.book().SettledFor("g/p00"))
	}
}
