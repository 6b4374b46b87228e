package reconcile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Only the list shows that another's token was paid for. What is handed over,
// is not listed for the person, and may be what is listed for somebody whom
// nothing was bought for, is held; whatever explains the row otherwise, isn't.
func TestWhatIsListedForSomebodyElseIsHeld(t *testing.T) {
	held, page, waits := "a/ann held", "a/ann delivered page", "a/ann acknowledged"
	for name, c := range map[string]struct {
		rows   func(now uint32) []ledger.Row
		unread int
		done   bool
		want   string
	}{
		"for a stranger":           {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now)} }, 0, true, held},
		"for a stranger, twice":    {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now), hundred("eve", now)} }, 0, true, held},
		"before it is handed over": {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now)} }, 0, false, waits},
		"a row can't be read":      {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now)} }, 1, true, page},
		"for both":                 {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now), hundred("ann", now)} }, 0, true, "a/ann delivered history"},
		"for the person, too often": {func(now uint32) []ledger.Row {
			return []ledger.Row{hundred("eve", now), hundred("ann", now), hundred("ann", now+1)}
		}, 0, true, page},
		"at another price":           {func(now uint32) []ledger.Row { r := hundred("eve", now); r.Price.Units++; return []ledger.Row{r} }, 0, true, page},
		"another number":             {func(now uint32) []ledger.Row { r := hundred("eve", now); r.Item.Quantity++; return []ledger.Row{r} }, 0, true, page},
		"before the offer":           {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now-100_000)} }, 0, true, page},
		"long after it was paid":     {func(now uint32) []ledger.Row { return []ledger.Row{hundred("eve", now+100_000)} }, 0, true, page},
		"under an earlier user name": {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann_old", now)} }, 0, true, page},
		"nothing":                    {func(now uint32) []ledger.Row { return nil }, 0, true, page},
	} {
		w := newWorld(t, ton.V5R1)
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Inquire); ok {
				return reconcile.Learned{Kind: f.Kind, Done: c.done, List: reconcile.List{Rows: c.rows(w.time), Unread: c.unread}}
			}
			return nil
		}
		want := wants("a/ann", product.Stars, 100)
		want.Was = []string{"@Ann_old"}
		result, err := w.apply([]spec.Occurrence{want}, plenty)
		if got := w.evidence()[0]; got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		if errors.Is(err, reconcile.ErrAstray) != (c.want == held) || err != nil && (len(result.Bought) != 0 || len(result.Problems) != 1) {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
}

// As long as nobody has looked, nothing at all is bought: the next purchase
// would go the same way. A person's word ends it, and the name under which it
// came is that person's from then on.
func TestNothingIsBoughtWhileSomethingWentAstray(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	whom := "ann_also"
	w.lists(true, func() (rows []ledger.Row) {
		for i := range w.told {
			rows = append(rows, hundred(whom, w.time-uint32(10*i)))
		}
		return rows
	})
	first := []spec.Occurrence{wants("a/ann", product.Stars, 100)}
	if _, err := w.apply(first, plenty); !errors.Is(err, reconcile.ErrAstray) {
		t.Fatal(err)
	}
	more := append(first, wants("a/bob", product.Stars, 100))
	plan := reconcile.Diff(more, w.book(), nil, plenty)
	if len(plan.Violations) != 1 || plan.Violations[0].Rule != string(reconcile.CodeAstray) || !strings.Contains(plan.Violations[0].Message, "@ann_also") {
		t.Fatalf("%+v", plan.Violations)
	}
	w.log = append(w.log, ledger.OrderResolved{Order: 1, As: ledger.Delivered, Reason: "it is ann's other name"})
	if plan := reconcile.Diff(more, w.book(), nil, plenty); len(plan.Violations) != 0 {
		t.Fatalf("%+v", plan.Violations)
	}
	again := []spec.Occurrence{wants("a/ann", product.Stars, 100), wants("b/ann", product.Stars, 100)}
	if _, err := w.apply(again, plenty); err != nil {
		t.Errorf("listed under the same name again: %v", err)
	}
	if d := cmp.Diff([]string{"a/ann delivered person", "b/ann delivered page"}, w.evidence()); d != "" {
		t.Error(d)
	}
}

// A row may come after the page's word, which is no evidence against it.
func TestALaterRowShowsThatItWentAstray(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	listed := false
	w.lists(true, func() []ledger.Row {
		if !listed {
			return nil
		}
		return []ledger.Row{hundred("eve", w.book().Orders[1].Time), hundred("bob", w.time)}
	})
	if _, err := w.apply([]spec.Occurrence{wants("a/ann", product.Stars, 100)}, plenty); err != nil {
		t.Fatal(err)
	}
	listed = true
	if _, err := w.apply([]spec.Occurrence{wants("a/ann", product.Stars, 100), wants("a/bob", product.Stars, 100)}, plenty); !errors.Is(err, reconcile.ErrAstray) {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"a/ann held page", "a/bob delivered history"}, w.evidence()); d != "" {
		t.Error(d)
	}
}

// Two purchases for one person in one second have equal rows, which count once:
// the one that has none of its own is not what is listed for somebody else.
func TestTheRowOfAnotherOrderOfThePerson(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	at := w.time + 300
	rows := []ledger.Row{hundred("ann", at)}
	w.lists(true, func() []ledger.Row { return rows })
	want := []spec.Occurrence{wants("a/ann", product.Stars, 100)}
	if _, err := w.apply(want, plenty); err != nil {
		t.Fatal(err)
	}
	want[0].Item.Quantity = 200
	if _, err := w.apply(want, plenty); err != nil {
		t.Fatal(err)
	}
	rows = append(rows, hundred("eve", at))
	want = append(want, wants("b/cleo", product.Stars, 100))
	if _, err := w.apply(want, plenty); !errors.Is(err, reconcile.ErrAstray) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/ann delivered history", "a/ann delivered page", "b/cleo held"}, w.evidence()); diff != "" {
		t.Error(diff)
	}
}
