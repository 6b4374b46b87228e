package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Moves give keys other names before anything else is decided:
//
//   - A key takes all that is recorded of it along, with all of its dates; a
//     grant takes all of its keys and its rules along.
//   - The ledger remembers a move, so it may stand in the files for ever or be
//     taken out again.
//   - The name that a key had is used up: it would look as if nothing was given.

// moving is the ledger as it will be when the moves are recorded.
type moving struct {
	have   *ledger.State
	moves  []ledger.KeyMoved
	rules  []ledger.RuleSeen
	failed []Violation
}

// move finds what the moves are about that the ledger does not know yet.
func (w Desired) move(have *ledger.State) moving {
	m := moving{have: have}
	if len(w.Edits.Moves) == 0 {
		return m
	}
	now := w.Edits.Follow()
	taken := map[string]string{} // by new name: the key that gets it
	for _, key := range recorded(have) {
		to := now(key)
		if to == key {
			continue
		}
		if problem := m.problem(key, to, taken[to]); problem != "" {
			m.failed = append(m.failed, Violation{Rule: "moved", Place: w.placeOf(key), Message: problem})
			continue
		}
		taken[to] = key
		m.moves = append(m.moves, ledger.KeyMoved{From: key, To: to})
	}
	m.carryRules(w.Edits.Moves, now)
	events := make([]ledger.Event, 0, len(m.moves)+len(m.rules))
	for _, e := range m.moves {
		events = append(events, e)
	}
	for _, e := range m.rules {
		events = append(events, e)
	}
	next, err := have.After(events...)
	if err != nil { // what problem has let pass may follow
		panic(fmt.Sprintf("reconcile: moves: %v", err))
	}
	m.have = next
	return m
}

// Moving lists the moves that the ledger does not know yet: until it does, what
// is written under a new name seems to be without a history.
func (w Desired) Moving(have *ledger.State) []ledger.KeyMoved { return w.move(have).moves }

// recorded lists the keys of which the ledger knows anything, in one order.
func recorded(have *ledger.State) []string {
	keys := make([]string, 0, len(have.Keys()))
	for key := range have.Keys() {
		keys = append(keys, key)
	}
	for key := range have.Settled {
		if _, ordered := have.Keys()[key]; !ordered {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// problem says why a key can't have another name.
func (m *moving) problem(key, to, taken string) string {
	switch before := m.have.Names[to]; {
	case taken != "":
		return fmt.Sprintf("%s and %s are both moved to %s, and both have a history: two keys can't become one. Give each a name of its own", taken, key, to)
	case m.have.Known(to) && !slices.ContainsFunc(m.have.ByKey(to), func(o *ledger.Order) bool { return o.Phase != ledger.Released }) && len(m.have.Settled[to]) == 0:
		return fmt.Sprintf("%s is moved to %s, under which something was tried and nothing given, so that it can't take a history: move it to a name that was never used", key, to)
	case m.have.Known(to):
		return fmt.Sprintf("%s is moved to %s, which has a history of its own: both were given, so take the move out", key, to)
	case before != "" && before != key:
		return fmt.Sprintf("%s is moved to %s, which is an earlier name of %s: take another name", key, to, before)
	}
	return ""
}

// carryRules has recurring grants keep, under their new name, the rules by which
// they made dates: otherwise an edited rule could make dates in the past.
func (m *moving) carryRules(moves []spec.Move, now func(string) string) {
	done := map[string]bool{}
	carry := func(from, to string) {
		if from == to || done[to] || len(m.have.Rules[to]) > 0 {
			return
		}
		for _, r := range m.have.Rules[from] {
			done[to] = true
			m.rules = append(m.rules, ledger.RuleSeen{Grant: to, Rule: r.Text, Since: r.Since})
		}
	}
	for _, v := range moves {
		if !strings.Contains(v.From, "/") {
			carry(v.From, now(v.From))
		}
	}
	for _, e := range m.moves {
		carry(grantOf(e.From), grantOf(e.To))
	}
}

// placeOf is where the first move of a key is written.
func (w Desired) placeOf(key string) string {
	for _, side := range sides(key) {
		for _, v := range w.Edits.Moves {
			if v.From == side {
				return at(v.Pos)
			}
		}
	}
	return ""
}

func at(p spec.Pos) string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// sides are what a move may name a key by, the most exact first: itself, all of
// its dates, its grant.
func sides(key string) []string {
	list := []string{key}
	if dateOf(key) != 0 {
		list = append(list, key[:len(key)-len("@2026-12-01")])
	}
	return append(list, grantOf(key))
}

// moved are the lines that say which keys get another name.
func (d *differ) moved() (lines []Action) {
	for _, e := range d.moves {
		a := Action{
			Verb: Moved, Key: e.To, Generation: d.have.Generation(e.To),
			Cap: ton.Nano(0).Amount(), Estimate: ton.Nano(0).Amount(),
			Reason: "was " + e.From + "; what was given stays given",
		}
		given, _ := bought(d.have, e.To)
		if orders := d.have.ByKey(e.To); len(orders) > 0 {
			last := orders[len(orders)-1]
			a.Person, a.Handle, a.Single, a.Item.Kind = last.Person, last.Handle, last.Single, last.Item.Kind
		} else {
			last := d.have.Settled[e.To][len(d.have.Settled[e.To])-1]
			a.Person, a.Handle, a.Item.Kind = last.Person, last.Handle, last.Item.Kind
		}
		a.Item.Quantity, a.Have, a.Name = given, given, d.people.pins[a.Handle].Name
		lines = append(lines, a)
	}
	return lines
}

// movedAway blocks what is written under a name that is used up.
func (d *differ) movedAway(o spec.Occurrence) (Verb, Code, string) {
	now := d.have.Names[o.Key]
	if now == "" {
		return 0, "", ""
	}
	return Blocked, CodeMovedAway, fmt.Sprintf("this key was moved to %s, with what was given: write that name; or, to go back to this one, write moved: [{from: %s, to: %s}] and no other move of it; or give something else under a name that was never used", now, now, o.Key)
}

// aimless judges moves from names under which nothing is recorded. Most are
// harmless, but where somebody is about to be given what was given under some
// other name, the move may name the wrong one. lost are the keys that were given
// and are not written any more, by person and product.
func (d *differ) aimless(actions []Action, lost map[gift][]string) (failed []Violation, warned []Warning) {
	if len(d.Edits.Moves) == 0 {
		return nil, nil
	}
	known := map[string]bool{}
	for old := range d.have.Names {
		for _, side := range sides(old) {
			known[side] = true
		}
	}
	for _, key := range recorded(d.have) {
		for _, side := range sides(key) {
			known[side] = true
		}
	}
	moves := map[string]spec.Move{} // by new name, those from nothing
	for _, v := range d.Edits.Moves {
		if !known[v.From] {
			moves[v.To] = v
		}
	}
	for _, a := range actions {
		if !a.Buys() || a.Have > 0 {
			continue
		}
		for _, side := range sides(a.Key) {
			v, is := moves[side]
			if !is {
				continue
			}
			delete(moves, side) // once is enough
			keys := lost[gift{a.Handle, product.Item{Kind: a.Item.Kind}}]
			if len(keys) == 0 {
				warned = append(warned, Warning{Rule: "moved", Places: []string{at(v.Pos)}, Message: fmt.Sprintf("nothing was given under %s, so there is nothing to move to %s, and %s is bought", v.From, v.To, a.Key)})
				continue
			}
			failed = append(failed, Violation{Rule: "moved", Place: at(v.Pos), Message: fmt.Sprintf("%s is moved to %s, and nothing was ever given under %s; but @%s was given the same product under %s, which is no longer written. Name the key that was meant, or take the move out", v.From, v.To, v.From, a.Handle, strings.Join(keys, ", "))})
		}
	}
	return failed, warned
}

// strayed finds keys that this plan moves to a name that nothing writes: a slip
// there would have the key that was meant bought.
func (d *differ) strayed() (failed []Violation) {
	if len(d.moves) == 0 {
		return nil
	}
	moves := map[string]spec.Move{}
	for _, v := range d.Edits.Moves {
		moves[v.From] = v
	}
	said := map[string]bool{}
	for _, e := range d.moves {
		v := lastMove(moves, e.From)
		if v.Written || said[v.From] {
			continue
		}
		said[v.From] = true
		failed = append(failed, Violation{Rule: "moved", Place: at(v.Pos),
			Message: fmt.Sprintf("%s is moved to %s, and nothing writes that name: mend it, or take the move out", v.From, v.To)})
	}
	return failed
}

// lastMove is the one that leads a key to the name that it has in the end: that of
// a grant may be followed by that of a key.
func lastMove(moves map[string]spec.Move, key string) (v spec.Move) {
	for range moves { // Load has made sure that they end
		for _, side := range sides(key) {
			if next, is := moves[side]; is {
				v, key = next, next.To+key[len(side):]
				break
			}
		}
	}
	return v
}
