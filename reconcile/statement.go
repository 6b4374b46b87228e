package reconcile

import (
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/spec"
)

// What is said to be settled counts as given from the plan on in which it is
// said. The ledger remembers it with its reason, so that what is written later
// is compared with that: the same reason says nothing new.

// unsaid is what the files say of a key and the ledger does not know yet.
func (d *differ) unsaid(key string) (s spec.Settled, ok bool) {
	s, ok = d.says[key]
	if ok && slices.ContainsFunc(d.have.Settled[key], func(t ledger.Settlement) bool { return t.Reason == s.Reason }) {
		return s, false
	}
	return s, ok
}

// settle is the line of a key that is said to be settled: what is missing counts
// as given, and more than is written is meant, once no order of it waits for a
// person any more. It reports false if there is nothing to say.
func (d *differ) settle(a Action, given int64) (Action, bool) {
	s, ok := d.unsaid(a.Key)
	if !ok || given == a.Item.Quantity {
		return a, false
	}
	for _, o := range d.have.ByKey(a.Key) {
		// Also of an earlier generation: the ledger takes no statement beside it.
		if v, waits := awaits(o); waits {
			a.Verb, a.Code, a.Reason = v.verb, v.code, v.reason
			return a, true
		}
	}
	missing := product.Item{Kind: a.Item.Kind, Quantity: max(0, a.Item.Quantity-given)}
	d.statements = append(d.statements, ledger.KeySettled{
		Key: a.Key, Generation: a.Generation, Prior: given, Person: a.Person, Handle: a.Handle, Item: missing, Reason: s.Reason,
	})
	a.Verb, a.Code, a.Item, a.Reason = Settle, CodeSettled, missing, "counts as given: "+s.Reason
	if missing.Quantity == 0 {
		a.Item, a.Reason = product.Item{Kind: missing.Kind, Quantity: given}, "more was given than is written, which is meant: "+s.Reason
	}
	return a, true
}

// meant is why more was given to a key than is written, if somebody has said so.
func (d *differ) meant(key string) (reason string, ok bool) {
	for _, t := range d.have.Settled[key] {
		if t.Generation == d.have.Generation(key) && t.Item.Quantity == 0 {
			reason, ok = t.Reason, true
		}
	}
	return reason, ok
}

// NewEdits are the events that note what a plan says of the past of keys, and
// the rules of grants, without what the ledger has by now. They come before
// anything is bought by them.
func NewEdits(p *Plan, have *ledger.State) []ledger.Event {
	var events []ledger.Event
	for _, e := range p.Moves {
		if have.Names[e.From] == "" {
			events = append(events, e)
		}
	}
	for _, e := range p.Settled {
		if waits(have, e.Key) {
			continue // since the plan: the next one says so
		}
		if !slices.ContainsFunc(have.Settled[e.Key], func(t ledger.Settlement) bool { return t.Reason == e.Reason }) {
			events = append(events, e)
		}
	}
	return append(events, NewRules(p, have)...)
}

// waits reports whether an order of a key waits for the chain or for a person.
func waits(have *ledger.State, key string) bool {
	return slices.ContainsFunc(have.ByKey(key), func(o *ledger.Order) bool { _, ok := awaits(o); return ok })
}

// movesOf are the moves of a plan that the ledger does not know.
func movesOf(p *Plan, have *ledger.State) (events []ledger.Event) {
	for _, e := range NewEdits(p, have) {
		if m, ok := e.(ledger.KeyMoved); ok {
			events = append(events, m)
		}
	}
	return events
}
