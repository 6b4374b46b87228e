package reconcile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// hundred is a row of 100 Stars at the price that they have in these tests.
func hundred(handle string, at uint32) ledger.Row {
	return ledger.Row{Handle: handle, Item: product.Item{Kind: product.Stars, Quantity: 100}, Price: ton.TON.Amount(), Time: at}
}

// lists answers inquiries with rows, and with the page's word.
func (w *world) lists(done bool, rows func() []ledger.Row) {
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Inquire); ok {
			return reconcile.Learned{Kind: f.Kind, Done: done, List: reconcile.List{Rows: rows()}}
		}
		return nil
	}
}

// evidence says of each order how it is known that it was delivered.
func (w *world) evidence() (list []string) {
	book := w.book()
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		text := o.Key + " " + string(o.Phase)
		if o.Evidence != "" {
			text += " " + o.Evidence
		}
		list = append(list, text)
	}
	return list
}

// both are two grants of the same for the same person.
func both() []spec.Occurrence {
	a, b := wants("a/ann", product.Stars, 100), wants("b/ann", product.Stars, 100)
	return []spec.Occurrence{a, b}
}

// Rows are matched one to one. As many rows as purchases that they may be of:
// each has its own. Otherwise it isn't known whose they are, and they are no
// evidence.
func TestRowsAreMatchedOneToOne(t *testing.T) {
	const two = 2
	none := []string{"a/ann acknowledged", "b/ann acknowledged"}
	all := []string{"a/ann delivered history", "b/ann delivered history"}
	for name, c := range map[string]struct {
		rows func(now uint32) []ledger.Row
		want []string
	}{
		"two rows":         {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now), hundred("ann", now+1)} }, all},
		"in another order": {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now+1), hundred("ann", now)} }, all},
		"among others": {func(now uint32) []ledger.Row {
			return []ledger.Row{hundred("bob", now), hundred("ann", now+1), hundred("ann", now)}
		}, all},
		"without a price": {func(now uint32) []ledger.Row {
			a, b := hundred("ann", now), hundred("ann", now+1)
			a.Price, b.Price = ton.Amount{}, ton.Amount{}
			return []ledger.Row{a, b}
		}, all},
		"each listed twice": {func(now uint32) []ledger.Row {
			a, b := hundred("ann", now), hundred("ann", now+1)
			return []ledger.Row{a, b, b, a}
		}, all},
		"nothing":               {func(now uint32) []ledger.Row { return nil }, none},
		"one row":               {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now)} }, none},
		"one row, listed twice": {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now), hundred("ann", now)} }, none},
		"one row too many": {func(now uint32) []ledger.Row {
			return []ledger.Row{hundred("ann", now), hundred("ann", now+1), hundred("ann", now+2)}
		}, none},
		"one of another person": {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now), hundred("bob", now+1)} }, none},
		"one of another price": {func(now uint32) []ledger.Row {
			b := hundred("ann", now+1)
			b.Price.Units++
			return []ledger.Row{hundred("ann", now), b}
		}, none},
		"one of another number": {func(now uint32) []ledger.Row {
			b := hundred("ann", now+1)
			b.Item.Quantity = 200
			return []ledger.Row{hundred("ann", now), b}
		}, none},
		"one of before the offers": {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now), hundred("ann", 1)} }, none},
		"one of days later":        {func(now uint32) []ledger.Row { return []ledger.Row{hundred("ann", now), hundred("ann", now+200_000)} }, none},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ton.V5R1)
			w.lists(false, func() []ledger.Row { return c.rows(w.chain.time) })
			if result, err := w.apply(both(), plenty); err != nil || len(result.Bought) != two {
				t.Fatal(result, err)
			}
			if d := cmp.Diff(c.want, w.evidence()); d != "" {
				t.Error(d)
			}
		})
	}
}

// What is the evidence of an order is not another's, in this run and in every
// later one; and what was delivered on weaker evidence may own a row.
func TestARowIsNotUsedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		page   bool // says that all is handed over in the first run
		listed bool // by then
		want   string
	}{
		"it has its order":          {false, true, "b/ann acknowledged"},
		"its order has no evidence": {false, false, "b/ann acknowledged"},
		"its order had the page":    {true, false, "b/ann acknowledged"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ton.V5R1)
			var row ledger.Row
			shown := c.listed
			w.lists(c.page, func() []ledger.Row {
				if row.IsZero() {
					row = hundred("ann", w.chain.time+600) // after what the next run is offered
				}
				if shown {
					return []ledger.Row{row}
				}
				return nil
			})
			if _, err := w.apply(both()[:1], plenty); err != nil {
				t.Fatal(err)
			}
			first, listing := w.evidence()[0], w.answer
			shown = true
			w.answer = func(f reconcile.Effect) reconcile.Event {
				if e, ok := listing(f).(reconcile.Learned); ok {
					e.Done = false
					return e
				}
				return nil
			}
			if _, err := w.apply(both(), plenty); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{first, c.want}, w.evidence()); d != "" {
				t.Error(d)
			}
		})
	}
}

// What an earlier run left acknowledged is looked for once more in each later
// one.
func TestRowsServeEarlierRuns(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	var rows []ledger.Row
	w.lists(false, func() []ledger.Row { return rows })
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"g/p00 acknowledged"}, w.evidence()); d != "" {
		t.Error(d)
	}
	rows = []ledger.Row{hundred("p00", w.chain.time)}
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"g/p00 delivered history"}, w.evidence()); d != "" {
		t.Error(d)
	}
	asked := 0
	for _, f := range w.effects {
		if _, ok := f.(reconcile.Inquire); ok {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// Without a list, or with one that says nothing of an order, the page's word
// is evidence; with both, the row is.
func TestThePageIsTheWeakerWord(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.lists(true, func() []ledger.Row { return []ledger.Row{hundred("p01", w.chain.time)} })
	if _, err := w.apply(stars(2), plenty); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"g/p00 delivered page", "g/p01 delivered history"}, w.evidence()); d != "" {
		t.Error(d)
	}
}
