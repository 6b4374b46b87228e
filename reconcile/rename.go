package reconcile

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// gift is what a key gave: keys with the same gift may be names of one thing.
type gift struct {
	handle string
	item   product.Item
}

// renames finds keys that look renamed: one that was given vanished, and one
// with the same person, product and amount appeared. Buying would pay twice.
// Keys of one grant that look like keys of another are one finding.
func (d *differ) renames(want []spec.Occurrence) []Violation {
	vanished := map[gift][]*ledger.Order{}
	for _, last := range d.vanished() {
		given, _ := bought(d.have, last.Key)
		g := gift{last.Handle, product.Item{Kind: last.Item.Kind, Quantity: given}}
		vanished[g] = append(vanished[g], last)
	}
	found := map[string]*renamed{} // by both grants
	var order []*renamed
	for _, o := range want {
		if !o.Due() || d.begun(o.Key) || d.have.Names[o.Key] != "" || d.dated[o.Key].verb == NoOp || d.decided(o.Key) {
			continue
		}
		for _, handle := range append([]string{o.Handle}, o.Was...) {
			var keys []string
			for _, old := range vanished[gift{strings.TrimPrefix(handle, "@"), o.Item}] {
				if d.alike(o, old) {
					keys = append(keys, old.Key)
				}
			}
			if len(keys) == 0 {
				continue
			}
			sort.Strings(keys)
			grants := grantOf(keys[0]) + " " + o.Grant
			if found[grants] == nil {
				found[grants] = &renamed{place: at(o.Pos)}
				order = append(order, found[grants])
			}
			found[grants].pairs = append(found[grants].pairs, [2]string{strings.Join(keys, ", "), o.Key})
			if d.have.Known(o.Key) && found[grants].tried == "" {
				found[grants].tried = o.Key
			}
			break
		}
	}
	var list []Violation
	for _, r := range order {
		list = append(list, r.violation(d.wholeGrant(r)))
	}
	return list
}

// begun reports whether anything was given under a key, or may have been. One
// that was only tried and released may still be another's name.
func (d *differ) begun(key string) bool {
	return len(d.have.Settled[key]) > 0 || slices.ContainsFunc(d.have.ByKey(key), func(o *ledger.Order) bool { return o.Phase != ledger.Released })
}

// vanished lists, sorted by key, the newest order of each key that was given and
// is not written any more.
func (d *differ) vanished() (list []*ledger.Order) {
	for _, key := range recorded(d.have) {
		if given, _ := bought(d.have, key); given == 0 || d.wanted[key] {
			continue
		}
		if orders := d.have.ByKey(key); len(orders) > 0 {
			list = append(list, orders[len(orders)-1])
			continue
		}
		t := d.have.Settled[key][len(d.have.Settled[key])-1]
		list = append(list, &ledger.Order{Key: key, Person: t.Person, Handle: t.Handle, Item: t.Item})
	}
	return list
}

// lost are the keys that were given once and are not written any more, by person
// and product.
func (d *differ) lost() map[gift][]string {
	if len(d.Edits.Moves) == 0 {
		return nil
	}
	lost := map[gift][]string{}
	for _, o := range d.vanished() {
		if g := (gift{o.Handle, product.Item{Kind: o.Item.Kind}}); !d.history(o.Key) {
			lost[g] = append(lost[g], o.Key)
		}
	}
	return lost
}

// renamed are keys of one grant that look like keys of another.
type renamed struct {
	place string
	pairs [][2]string // the old key, or several that it may have been, and the new one
	tried string      // a new key that has orders, none of which gave anything
}

// maxPairs is how many renamed keys a message names.
const maxPairs = 3

// violation names the keys and prints the move that may be missing.
func (r *renamed) violation(whole bool) Violation {
	var text []string
	for _, p := range r.pairs[:min(len(r.pairs), maxPairs)] {
		text = append(text, fmt.Sprintf("%s looks like %s under another name", p[1], p[0]))
	}
	if more := len(r.pairs) - maxPairs; more > 0 {
		text = append(text, fmt.Sprintf("and %d more of the same grants", more))
	}
	const same = ": same person, product and amount. Buying it would pay twice. "
	v := Violation{
		Rule: "suspected_rename", Place: r.place, Paste: "moved:\n",
		Message: strings.Join(text, "; ") + same + "If it is the same gift, write the move below into a file of grants; if a second one is meant, keep the old key beside it",
	}
	if r.tried != "" {
		v.Paste, v.Message = "", strings.Join(text, "; ")+same+"If it is the same gift, write its old name again; "+r.tried+" was tried once and can't take its history, but a name that was never used can, with a move. If a second one is meant, keep the old key beside it"
		return v
	}
	if whole {
		v.Paste += fmt.Sprintf("  - {from: %s, to: %s}\n", grantOf(r.pairs[0][0]), grantOf(r.pairs[0][1]))
		return v
	}
	done := map[string]bool{}
	for _, p := range r.pairs {
		from, _, _ := strings.Cut(p[0], ", ")
		to := p[1]
		if dateOf(from) != 0 && dateOf(to) != 0 {
			from, to = from[:len(from)-len("@2026-12-01")], to[:len(to)-len("@2026-12-01")]
		}
		if line := fmt.Sprintf("  - {from: %s, to: %s}\n", from, to); !done[from] && !done[to] {
			done[from], done[to] = true, true
			v.Paste += line
		}
	}
	return v
}

// wholeGrant reports whether one move of the old grant would be right: it is not
// written any more, and every member keeps its name.
func (d *differ) wholeGrant(r *renamed) bool {
	from, to := grantOf(r.pairs[0][0]), grantOf(r.pairs[0][1])
	if from == to || d.grants[from] {
		return false
	}
	for _, p := range r.pairs {
		if p[0][len(from):] != p[1][len(to):] {
			return false
		}
	}
	return true
}

// alike reports whether a vanished key may be the new one, by their dates. A
// grant that recurs gives the same thing to the same person again and again.
func (d *differ) alike(o spec.Occurrence, old *ledger.Order) bool {
	before, after := dateOf(old.Key), schedule.Date(0)
	if o.Rule != "" {
		after = o.Date
	}
	written := d.history(old.Key)
	grant, _, _ := strings.Cut(old.Key, "/")
	switch {
	case after != 0 && before != 0:
		return after == before && (!written || grant == o.Grant)
	case after != 0: // what was given once recurs now: its later dates are new
		return old.Time == 0 || after <= schedule.Day(time.Unix(int64(old.Time), 0), time.UTC)
	}
	return !written
}
