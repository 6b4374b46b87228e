package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// What looks like something else is bought, and said with both places: the same
// gift to the same person under two keys, and a user name that may be taken for
// another one's.

const (
	// nearDays is how long ago the same gift is called to mind.
	nearDays = 14
	// maxAlike bounds the warnings of a plan.
	maxAlike = 50
	// ruleDouble is what a warning of the same gift twice is called.
	ruleDouble = "double"
)

// alikes warns of what a plan would buy.
func (d *differ) alikes(actions []Action) (warned []Warning) {
	want := map[string]spec.Occurrence{}
	var fresh []spec.Occurrence // that nothing was given to, each key once
	for _, o := range d.Want {
		want[o.Key] = o
	}
	seen := map[string]bool{}
	for _, a := range actions {
		if a.Buys() && a.Have == 0 && !seen[a.Key] {
			seen[a.Key] = true
			fresh = append(fresh, want[a.Key])
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	warned = append(d.doubles(fresh, want), d.strangers(fresh)...)
	if more := len(warned) - maxAlike; more > 0 {
		warned = append(warned[:maxAlike], Warning{Rule: "lookalike", Message: fmt.Sprintf("and %d more like these", more)})
	}
	return warned
}

// doubles finds keys that give somebody what another key gives, in this plan or
// some days ago. Grants that recur give the same again and again, and where a
// grant says why, it is meant.
func (d *differ) doubles(fresh []spec.Occurrence, want map[string]spec.Occurrence) (warned []Warning) {
	before := map[gift][]*ledger.Order{} // by person and product: the newest order of each key
	for _, key := range recorded(d.have) {
		var last *ledger.Order
		for _, o := range d.have.ByKey(key) {
			if o.Phase.Spent() || o.Phase.Out() {
				last = o
			}
		}
		if last != nil && d.near(last) {
			g := gift{last.Handle, product.Item{Kind: last.Item.Kind}}
			before[g] = append(before[g], last)
		}
	}
	first := map[gift]spec.Occurrence{}
	for _, o := range fresh {
		if o.Double != "" {
			continue
		}
		g := gift{o.Handle, o.Item}
		if other, twice := first[g]; !twice {
			first[g] = o
		} else if d.double(o, other.Grant) {
			warned = append(warned, Warning{Rule: ruleDouble, Places: []string{at(o.Pos), at(other.Pos)},
				Message: fmt.Sprintf("%s and %s both give @%s %s: if one is meant, take the other one out; if both are, say why in one of the grants, with allow_duplicates: TEXT", o.Key, other.Key, o.Handle, o.Item)})
		}
		for _, handle := range append([]string{o.Handle}, o.Was...) {
			for _, last := range before[gift{ledger.Handle(handle), product.Item{Kind: o.Item.Kind}}] {
				if w, ok := d.given(o, last, want); ok {
					warned = append(warned, w)
				}
			}
		}
	}
	return warned
}

// double reports whether a key of another grant may be the same gift.
func (d *differ) double(o spec.Occurrence, grant string) bool {
	return o.Grant != grant && !(d.recurring[o.Grant] && d.recurring[grant])
}

// near reports whether an order was paid some days ago, or is under way.
func (d *differ) near(o *ledger.Order) bool {
	return o.Time == 0 || d.Day == 0 || paidOn(o)+nearDays >= d.Day
}

func paidOn(o *ledger.Order) schedule.Date {
	return schedule.Day(time.Unix(int64(o.Time), 0), time.UTC)
}

// given warns of a key that gives what was given under another one lately: the
// same amount, or any under a key that is no longer written.
func (d *differ) given(o spec.Occurrence, last *ledger.Order, want map[string]spec.Occurrence) (Warning, bool) {
	sum, _ := bought(d.have, last.Key)
	other, written := want[last.Key]
	if last.Key == o.Key || !d.double(o, grantOf(last.Key)) || sum == 0 || other.Double != "" || written && sum != o.Item.Quantity {
		return Warning{}, false
	}
	when := "is being given"
	if last.Time != 0 {
		when = "was given on " + paidOn(last).String()
	}
	w := Warning{Rule: ruleDouble, Places: []string{at(o.Pos)}, Message: fmt.Sprintf("%s gives @%s %s, and %s %s under %s (order %d)",
		o.Key, o.Handle, o.Item, product.Item{Kind: last.Item.Kind, Quantity: sum}, when, last.Key, last.ID)}
	if written {
		w.Places = append(w.Places, at(other.Pos))
		w.Message += ": if both are meant, say why in one of the grants, with allow_duplicates: TEXT"
	} else {
		w.Message += fmt.Sprintf(", which is no longer written: if it is the same gift, write moved: [{from: %s, to: %s}]", last.Key, o.Key)
	}
	return w, true
}

// strangers finds people to whom nothing came yet and whose user names look like
// those of others, to whom something did or who are written too.
func (d *differ) strangers(fresh []spec.Occurrence) (warned []Warning) {
	type known struct {
		handle, place string
	}
	like := map[string][]known{} // by what they look like: those to look for
	for _, o := range fresh {
		if !d.people.known(o.Handle, o.Was) {
			like[spec.Lookalike(o.Handle)] = nil
		}
	}
	add := func(handle, place string) {
		as := spec.Lookalike(handle)
		list, asked := like[as]
		if asked && !slices.ContainsFunc(list, func(k known) bool { return k.handle == handle }) {
			like[as] = append(list, known{handle, place})
		}
	}
	for _, o := range d.Want {
		add(o.Handle, at(o.Pos))
	}
	for id := ledger.OrderID(1); id <= d.have.LastOrder; id++ {
		if o := d.have.Orders[id]; o != nil && o.Phase.Spent() {
			add(o.Handle, "")
		}
	}
	said := map[string]bool{}
	for _, o := range fresh {
		for _, k := range like[spec.Lookalike(o.Handle)] {
			if k.handle == o.Handle || said[o.Handle] || said[k.handle] || slices.ContainsFunc(o.Was, func(was string) bool { return ledger.Handle(was) == k.handle }) || d.people.known(o.Handle, o.Was) {
				continue
			}
			said[o.Handle] = true
			w := Warning{Rule: "lookalike", Places: []string{at(o.Pos)}, Message: fmt.Sprintf("nothing was given to @%s yet, and the name looks like @%s, to whom something was: make sure that it is the one that is meant", o.Handle, k.handle)}
			if k.place != "" {
				w.Places = append(w.Places, k.place)
				w.Message = fmt.Sprintf("@%s looks like @%s, who is written too: make sure that each is the one that is meant", o.Handle, k.handle)
			}
			warned = append(warned, w)
		}
	}
	return warned
}

// denyDoubles stops a plan for what it only warned of.
func (p *Plan) denyDoubles() {
	p.Warnings = slices.DeleteFunc(p.Warnings, func(w Warning) bool {
		if w.Rule != ruleDouble {
			return false
		}
		p.Violations = append(p.Violations, Violation{Rule: policy.Duplicates, Message: w.Message, Place: strings.Join(w.Places, ", ")})
		return true
	})
}
