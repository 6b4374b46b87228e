package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
)

func moves(pairs ...string) spec.Edits {
	var e spec.Edits
	for i := 0; i < len(pairs); i += 2 {
		e.Moves = append(e.Moves, spec.Move{From: pairs[i], To: pairs[i+1], Written: true, Pos: spec.Pos{File: "g.yaml", Line: i + 1}})
	}
	return e
}

// unwritten has nothing written under the name that the i-th move leads to.
func unwritten(e spec.Edits, i int) spec.Edits {
	e.Moves[i].Written = false
	return e
}

func settled(key, reason string) spec.Edits {
	return spec.Edits{Settled: []spec.Settled{{Key: key, Reason: reason}}}
}

// noted is the ledger after the plan's edits were recorded in it.
func noted(t *testing.T, have *ledger.State, w reconcile.Desired) *ledger.State {
	t.Helper()
	for _, e := range reconcile.NewEdits(w.Diff(have, nil, limits), have) {
		if err := have.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	return have
}

// Each row is what a person says of a key's past, and what it means.
func TestEdits(t *testing.T) {
	given := func() *ledger.State { return past(order("old/ann", ledger.Delivered, product.Stars, 100)) }
	tried := func() *ledger.State {
		return past(order("old/ann", ledger.Delivered, product.Stars, 100), order("new/ann", ledger.Released, product.Stars, 100))
	}
	wanted := func(key string, n int64) []spec.Occurrence {
		return []spec.Occurrence{wants(key, product.Stars, n)}
	}
	single := wanted("prize/bob", 100)
	single[0].Single = true
	for name, c := range map[string]struct {
		want reconcile.Desired
		have *ledger.State
		out  []string // verb, key, quantity, code
		stop []string // rules
	}{
		"a moved key was given":                        {reconcile.Desired{Want: wanted("new/ann", 100), Edits: moves("old/ann", "new/ann")}, given(), []string{"→ new/ann 100 ", "  new/ann 100 "}, nil},
		"a moved grant was given":                      {reconcile.Desired{Want: wanted("new/ann", 100), Edits: moves("old", "new")}, given(), []string{"→ new/ann 100 ", "  new/ann 100 "}, nil},
		"the move of a key goes before its grant's":    {reconcile.Desired{Want: wanted("x/ann", 100), Edits: moves("old", "new", "old/ann", "x/ann")}, given(), []string{"→ x/ann 100 ", "  x/ann 100 "}, nil},
		"a key of a moved grant moves on":              {reconcile.Desired{Want: wanted("x/ann", 100), Edits: unwritten(moves("old", "new", "new/ann", "x/ann"), 0)}, given(), []string{"→ x/ann 100 ", "  x/ann 100 "}, nil},
		"it moves on to a name that nothing writes":    {reconcile.Desired{Want: wanted("new/bob", 100), Edits: unwritten(moves("old", "new", "new/ann", "x/ann"), 1)}, given(), []string{"→ x/ann 100 ", "+ new/bob 100 ", ". x/ann 100 "}, []string{"moved"}},
		"tried only, it may be another's name":         {reconcile.Desired{Want: wanted("new/ann", 100)}, tried(), []string{"+ new/ann 100 ", ". old/ann 100 "}, []string{"suspected_rename"}},
		"tried only, it takes no history":              {reconcile.Desired{Want: wanted("new/ann", 100), Edits: moves("old/ann", "new/ann")}, tried(), nil, []string{"moved", "suspected_rename"}},
		"a moved and raised key is topped up":          {reconcile.Desired{Want: wanted("new/ann", 150), Edits: moves("old", "new")}, given(), []string{"→ new/ann 100 ", "~ new/ann 50 "}, nil},
		"a chain leads to its end":                     {reconcile.Desired{Want: wanted("c/ann", 100), Edits: moves("b", "c", "old", "b")}, given(), []string{"→ c/ann 100 ", "  c/ann 100 "}, nil},
		"a move of nothing is harmless":                {reconcile.Desired{Want: wanted("old/ann", 100), Edits: moves("x", "y")}, given(), []string{"  old/ann 100 "}, nil},
		"two keys can't become one":                    {reconcile.Desired{Want: wanted("new/ann", 100), Edits: moves("old", "new", "too/ann", "new/ann")}, past(order("old/ann", ledger.Paid, product.Stars, 100), order("too/ann", ledger.Paid, product.Stars, 100)), nil, []string{"moved"}},
		"a name that was moved away is used up":        {reconcile.Desired{Want: wanted("old/ann", 100)}, noted(t, given(), reconcile.Desired{Want: wanted("new/ann", 100), Edits: moves("old", "new")}), []string{"! old/ann 100 moved_away", ". new/ann 100 "}, nil},
		"a payment in flight moves along":              {reconcile.Desired{Want: wanted("new/ann", 100), Edits: moves("old", "new")}, past(order("old/ann", ledger.Armed, product.Stars, 100)), []string{"→ new/ann 100 ", "? new/ann 100 "}, nil},
		"what is settled is not bought":                {reconcile.Desired{Want: wanted("old/bob", 100), Edits: settled("old/bob", "by hand")}, past(), []string{"= old/bob 100 settled"}, nil},
		"the missing part of it is settled":            {reconcile.Desired{Want: wanted("old/ann", 250), Edits: settled("old/ann", "by hand")}, given(), []string{"= old/ann 150 settled"}, nil},
		"more than is written can be meant":            {reconcile.Desired{Want: wanted("old/ann", 60), Edits: settled("old/ann", "meant")}, given(), []string{"= old/ann 100 settled"}, nil},
		"and stays meant":                              {reconcile.Desired{Want: wanted("old/ann", 60)}, noted(t, given(), reconcile.Desired{Want: wanted("old/ann", 60), Edits: settled("old/ann", "meant")}), []string{"  old/ann 60 settled"}, nil},
		"the same reason says nothing of a raise":      {reconcile.Desired{Want: wanted("old/ann", 350), Edits: settled("old/ann", "by hand")}, noted(t, given(), reconcile.Desired{Want: wanted("old/ann", 250), Edits: settled("old/ann", "by hand")}), []string{"~ old/ann 100 "}, nil},
		"nor of a total that was lowered since":        {reconcile.Desired{Want: wanted("old/ann", 60), Edits: settled("old/ann", "by hand")}, noted(t, given(), reconcile.Desired{Want: wanted("old/ann", 250), Edits: settled("old/ann", "by hand")}), []string{"! old/ann 60 over_granted"}, nil},
		"what was given needs no statement":            {reconcile.Desired{Want: wanted("old/ann", 100), Edits: settled("old/ann", "by hand")}, given(), []string{"  old/ann 100 "}, nil},
		"a payment in flight is settled first":         {reconcile.Desired{Want: wanted("old/ann", 100), Edits: settled("old/ann", "by hand")}, past(order("old/ann", ledger.Armed, product.Stars, 100)), []string{"? old/ann 100 "}, nil},
		"a held order is resolved first":               {reconcile.Desired{Want: wanted("old/ann", 200), Edits: settled("old/ann", "by hand")}, past(order("old/ann", ledger.Held, product.Stars, 100)), []string{"! old/ann 200 held"}, nil},
		"also one of before it was issued again":       {reconcile.Desired{Want: wanted("g/ann", 100), Edits: settled("g/ann", "by hand")}, reissued(past(order("g/ann", ledger.Held, product.Stars, 100))), []string{"! g/ann 100 held"}, nil},
		"a settled prize has its winner":               {reconcile.Desired{Want: single}, noted(t, past(), reconcile.Desired{Want: wanted("prize/ann", 100), Edits: settled("prize/ann", "by hand")}), []string{"! prize/bob 100 one_winner"}, nil},
		"a settled key keeps its product":              {reconcile.Desired{Want: []spec.Occurrence{wants("old/bob", product.Premium, 3)}}, noted(t, past(), reconcile.Desired{Want: wanted("old/bob", 100), Edits: settled("old/bob", "by hand")}), []string{"! old/bob 3 bound"}, nil},
		"and its person":                               {reconcile.Desired{Want: []spec.Occurrence{renamed(wanted("old/bob", 100)[0], "eve")}}, noted(t, past(), reconcile.Desired{Want: wanted("old/bob", 100), Edits: settled("old/bob", "by hand")}), []string{"! old/bob 100 handle_changed"}, nil},
		"a settled key that seems renamed stops":       {reconcile.Desired{Want: wanted("new/bob", 100)}, noted(t, past(), reconcile.Desired{Want: wanted("old/bob", 100), Edits: settled("old/bob", "by hand")}), []string{"+ new/bob 100 "}, []string{"suspected_rename"}},
		"an import that was not looked for yet blocks": {reconcile.Desired{Want: wanted("old/bob", 100), Edits: spec.Edits{Imports: []spec.Import{{Key: "old/bob"}}}}, past(), []string{"! old/bob 100 import"}, nil},
		"nothing written beside a full ledger stops":   {reconcile.Desired{Empty: true}, given(), []string{". old/ann 100 "}, []string{"empty"}},
		"nothing written beside an empty one is fine":  {reconcile.Desired{Empty: true}, past(), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			plan := c.want.Diff(c.have, nil, limits)
			var got, rules []string
			for _, a := range plan.Actions {
				got = append(got, strings.Join([]string{string(rune(a.Verb)), a.Key, itoa(a.Item.Quantity), string(a.Code)}, " "))
			}
			for _, v := range plan.Violations {
				rules = append(rules, v.Rule)
			}
			if d := cmp.Diff(c.out, got); d != "" && c.out != nil {
				t.Error(d)
			}
			if d := cmp.Diff(c.stop, rules); d != "" {
				t.Errorf("violations: %s\n%+v", d, plan.Violations)
			}
		})
	}
}

// The move that a suspected rename prints is the one that ends it: for a whole
// grant one line, otherwise a line for each key, without dates where all dates
// were renamed.
func TestTheMoveThatIsPrinted(t *testing.T) {
	for name, c := range map[string]struct {
		have  *ledger.State
		want  []spec.Occurrence
		paste string
	}{
		"a grant": {past(order("old/ann", ledger.Paid, product.Stars, 100), order("old/bob", ledger.Paid, product.Stars, 100)),
			[]spec.Occurrence{wants("new/ann", product.Stars, 100), wants("new/bob", product.Stars, 100)}, "moved:\n  - {from: old, to: new}\n"},
		"a key of a grant that stays": {past(order("old/ann", ledger.Paid, product.Stars, 100), order("old/bob", ledger.Paid, product.Stars, 100)),
			[]spec.Occurrence{wants("old/ann", product.Stars, 100), wants("new/bob", product.Stars, 100)}, "moved:\n  - {from: old/bob, to: new/bob}\n"},
		"a person's id": {past(order("old/ann", ledger.Paid, product.Stars, 100)),
			[]spec.Occurrence{renamed(wants("old/anna", product.Stars, 100), "ann")}, "moved:\n  - {from: old/ann, to: old/anna}\n"},
	} {
		plan := reconcile.Diff(c.want, c.have, nil, limits)
		if len(plan.Violations) != 1 || plan.Violations[0].Paste != c.paste {
			t.Errorf("%s: %+v", name, plan.Violations)
		}
	}
}

// A recurring grant under another name keeps the rule by which it made dates,
// also if that is edited in the same commit: no date in the past is made.
func TestAMovedGrantKeepsItsRules(t *testing.T) {
	have := past(ledger.Order{Key: "g/ann@2026-12-01", Phase: ledger.Delivered, Item: product.Item{Kind: product.Stars, Quantity: 100}})
	have.Orders[1].Person, have.Orders[1].Handle = "ann", "ann"
	have.Rules["g"] = []ledger.Rule{{Text: every("month", "2026-12-01").String()}}
	p := &spec.Project{Edits: moves("g", "h"), Grants: rename(monthly(func(g *spec.Grant) {
		g.Rule, g.CatchUp, g.MaxCatchUp = every("week", "2026-12-01"), spec.CatchAll, 100
	}), "h")}
	plan := reconcile.Desired{Want: p.Written(on("2026-12-20")), Edits: p.Edits}.Diff(have, nil, generous())
	for _, a := range plan.Actions {
		if a.Buys() {
			t.Errorf("%s is bought", a.Key)
		}
	}
	for _, e := range reconcile.NewEdits(plan, have) {
		if err := have.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	want := []ledger.Rule{{Text: every("month", "2026-12-01").String()}, {Text: every("week", "2026-12-01").String(), Since: int64(on("2026-12-20"))}}
	if d := cmp.Diff(want, have.Rules["h"]); d != "" {
		t.Error(d)
	}
	if len(reconcile.NewEdits(plan, have)) != 0 {
		t.Error("what is noted is noted again")
	}
}

// A saved plan with moves and statements is applied once they are approved, by
// an interrupted run too, and not where another was said meanwhile.
func TestSavedPlansHoldTheirEdits(t *testing.T) {
	have := func() *ledger.State { return past(order("old/ann", ledger.Delivered, product.Stars, 100)) }
	w := reconcile.Desired{Want: []spec.Occurrence{wants("new/ann", product.Stars, 200), wants("new/bob", product.Stars, 100)}, Edits: moves("old", "new")}
	w.Edits.Settled = settled("new/bob", "by hand").Settled
	plan := w.Diff(have(), nil, limits)
	if err := w.CheckSaved(plan, plan.Wallet, have(), limits, reconcile.Moment{}); err != nil {
		t.Error(err)
	}
	if err := w.CheckSaved(plan, plan.Wallet, noted(t, have(), w), limits, reconcile.Moment{}); err != nil {
		t.Errorf("after a run that noted the moves and died: %v", err)
	}
	for name, edits := range map[string]spec.Edits{"no move": {Settled: w.Edits.Settled}, "another statement": {Moves: w.Edits.Moves, Settled: settled("new/bob", "by Kim").Settled}} {
		other := reconcile.Desired{Want: w.Want, Edits: edits}
		if err := other.CheckSaved(plan, plan.Wallet, have(), limits, reconcile.Moment{}); err == nil {
			t.Errorf("%s: it is applied", name)
		}
		if other.Diff(have(), nil, limits).Digest() == plan.Digest() {
			t.Errorf("%s: the digest is the same", name)
		}
	}
}

// However keys are moved, renamed without a move, taken out and written back,
// with moves kept or taken out: nobody is given more than the highest total that
// was ever written for their gift.
func TestNothingIsBoughtTwiceByMoving(t *testing.T) {
	bought := 0
	rapid.Check(t, func(r *rapid.T) {
		type gift struct {
			name               string // grant
			total, most, given int64
			written            bool
		}
		have := past()
		gifts := []*gift{}
		for i := range 3 {
			gifts = append(gifts, &gift{name: fmt.Sprint("g", i), total: 100 + int64(i), most: 100 + int64(i), written: true})
		}
		var edits spec.Edits
		fresh, noted := 0, true // noted: the ledger knows all moves
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			g := rapid.SampledFrom(gifts).Draw(r, "gift")
			switch rapid.IntRange(0, 6).Draw(r, "edit") {
			case 0, 1: // renamed, with a move, of the grant or of the key
				fresh++
				to := fmt.Sprint("n", fresh)
				from, target := g.name, to
				if rapid.Bool().Draw(r, "key") {
					from, target = from+"/ann", to+"/ann"
				}
				edits.Moves = append(edits.Moves, spec.Move{From: from, To: target, Written: true})
				g.name, noted = to, false
			case 2: // back to an earlier name
				for _, old := range slices.Sorted(maps.Keys(have.Names)) {
					if now := have.Names[old]; noted && now == g.name+"/ann" && old < now {
						edits.Moves, noted = []spec.Move{{From: now, To: old, Written: true}}, false
						g.name = strings.TrimSuffix(old, "/ann")
						break
					}
				}
			case 3:
				g.written = !g.written
			case 4:
				g.total += 50
			case 5:
				if noted {
					edits.Moves = nil
				}
			case 6: // git revert: an earlier name is written
				for _, old := range slices.Sorted(maps.Keys(have.Names)) {
					if now := have.Names[old]; now == g.name+"/ann" && old < now {
						w := reconcile.Desired{Want: []spec.Occurrence{wants(old, product.Stars, g.total)}}
						for _, a := range w.Diff(have, nil, generous()).Actions {
							if a.Buys() {
								r.Fatalf("%s is bought: %+v", old, a)
							}
						}
						break
					}
				}
			}
			w := reconcile.Desired{Edits: edits}
			for _, g := range gifts {
				if g.written {
					g.most = max(g.most, g.total)
					w.Want = append(w.Want, wants(g.name+"/ann", product.Stars, g.total))
				}
			}
			plan := w.Diff(have, nil, generous())
			if len(plan.Violations) > 0 || !rapid.Bool().Draw(r, "apply") {
				continue
			}
			noted = true
			for _, e := range reconcile.NewEdits(plan, have) {
				if err := have.Apply(e); err != nil {
					r.Fatal(err)
				}
			}
			for _, a := range plan.Actions {
				if !a.Buys() {
					continue
				}
				o := order(a.Key, ledger.Delivered, a.Item.Kind, a.Item.Quantity)
				o.ID, o.Generation, o.Part, o.Person, o.Handle = have.LastOrder+1, a.Generation, a.Part, "ann", "ann"
				have.Add(&o)
				for _, g := range gifts {
					if g.name+"/ann" == a.Key {
						if g.given += a.Item.Quantity; g.given > g.most {
							r.Fatalf("%s was given %d of at most %d", a.Key, g.given, g.most)
						}
						bought++
					}
				}
			}
		}
	})
	if bought == 0 {
		t.Error("nothing was ever bought")
	}
}
