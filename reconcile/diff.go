package reconcile

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Goods are an item that is paid in an asset.
type Goods struct {
	Item  product.Item
	Asset ton.Asset
}

// Diff compares what is wanted with what was given and returns what to do
// about it, in the order of Want, retired keys last. It has no input or
// output, no clock, no randomness and no map order.
func (w Desired) Diff(have *ledger.State, prices Prices, limits policy.Limits) *Plan {
	m, want := w.move(have), w.Want
	have = m.have
	d := differ{Desired: w, have: have, prices: prices, limits: limits, premium: premiumInFlight(have), wanted: map[string]bool{}, people: peopleOf(have), scopes: campaignsOf(limits),
		moves: m.moves, rules: m.rules, says: map[string]spec.Settled{}, pending: map[string]string{}}
	for _, o := range want {
		d.wanted[o.Key] = o.Due()
	}
	d.edits()
	d.dates(want)
	d.findWinners(want)
	p := &Plan{FormatVersion: FormatVersion, Ledger: have.Ledger, Limits: limits, Priced: len(prices) > 0, Prices: prices.list(), Actions: make([]Action, 0, len(want)), Open: underWay(have), Moves: m.moves}
	p.Actions = append(append(p.Actions, d.moved()...), d.taken()...)
	for _, o := range want {
		p.Today = max(p.Today, o.Today)
		if o.Due() {
			p.Actions = append(p.Actions, d.actions(o)...)
		}
	}
	p.Actions = append(p.Actions, d.retired()...)
	p.Rules, p.Settled = d.rules, d.statements
	lost := d.lost()
	aimless, warned := d.aimless(p.Actions, lost)
	p.Violations = slices.Concat(d.gone(), m.failed, d.strayed(), aimless, d.empty(p.Actions), d.renames(want))
	p.Warnings = append(warned, d.alikes(p.Actions)...)
	return p
}

type differ struct {
	Desired
	have    *ledger.State // with the moves of this plan
	prices  Prices
	limits  policy.Limits
	premium map[string]bool // handles for whom an unpaid Premium order exists
	wanted  map[string]bool // keys
	people  people
	scopes  map[string][]string      // by grant
	winners map[string]*ledger.Order // prize with one winner → an order that was paid or may be

	moves      []ledger.KeyMoved       // that the ledger does not know yet
	grants     map[string]bool         // that give something to somebody, now or as their next date
	says       map[string]spec.Settled // what the files say was given otherwise, by key
	statements []ledger.KeySettled     // that the ledger does not know yet
	pending    map[string]string       // imports that the ledger does not hold, by key: what stands in their way

	dated     map[string]verdict       // what is known of a key because of its date
	recurring map[string]bool          // grants
	rules     []ledger.RuleSeen        // that the ledger does not know yet
	newest    map[string]schedule.Date // on which something was given, by series
	made      map[string]schedule.Rule // rules of earlier days, read
}

// premiumInFlight: Fragment refuses a second Premium while one runs, so at
// most one unpaid order a person may exist. Judge keeps to that among the lines
// of a plan.
func premiumInFlight(have *ledger.State) map[string]bool {
	handles := map[string]bool{}
	for _, o := range have.Orders {
		if o.Item.Kind == product.Premium && o.Phase.Out() {
			handles[o.Handle] = true
		}
	}
	return handles
}

func (d *differ) findWinners(want []spec.Occurrence) {
	single := map[string]bool{}
	for _, o := range want {
		if o.Single {
			single[o.Grant] = true
		}
	}
	d.winners = map[string]*ledger.Order{}
	for key := range d.have.Keys() {
		grant, _, _ := strings.Cut(key, "/")
		if !single[grant] {
			continue
		}
		for _, o := range d.have.ByKey(key) {
			prize := prizeOf(grant, dateOf(key))
			if first := d.winners[prize]; (o.Phase.Spent() || o.Phase.Out()) && (first == nil || o.ID < first.ID) {
				d.winners[prize] = o
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.have.Settled)) {
		prize, t := prizeOf(grantOf(key), dateOf(key)), d.have.Settled[key][0]
		if single[grantOf(key)] && d.winners[prize] == nil && t.Item.Quantity > 0 {
			d.winners[prize] = &ledger.Order{ID: math.MaxInt64, Key: key, Person: t.Person, Handle: t.Handle}
		}
	}
}

// prizeOf names what has one winner: a grant, or a date of one that recurs.
func prizeOf(grant string, date schedule.Date) string { return grant + "@" + date.String() }

// actions decides one occurrence. More Stars than one purchase holds become
// several lines.
func (d *differ) actions(o spec.Occurrence) []Action {
	given, part := bought(d.have, o.Key)
	a := Action{
		Verb: NoOp, Key: o.Key, Person: o.Person, Handle: o.Handle, Was: o.Was, Confirmed: o.Confirmed, Single: o.Single, Item: o.Item,
		Want: o.Item.Quantity, Have: given, Generation: d.have.Generation(o.Key), Part: part + 1,
		Cap: ton.Amount{Asset: o.Asset()}, Estimate: ton.Amount{Asset: o.Asset()},
		Why: o.Reason, Labels: o.Labels, Scopes: d.scopesOf(o), Place: fmt.Sprintf("%s:%d", o.Pos.File, o.Pos.Line),
	}
	pin, _ := d.people.pins.Of(o.Handle, o.Was)
	a.Name = pin.Name
	if verb, code, reason := d.claimed(o); verb != 0 {
		a.Verb, a.Code, a.Reason = verb, code, reason
		return []Action{a}
	}
	if v, known := d.dated[o.Key]; known {
		if a.Verb, a.Code, a.Reason = v.verb, v.code, v.reason; given > 0 {
			a.Want = given
		}
		return []Action{a}
	}
	if verb, code, reason := d.standing(o, given); verb != 0 {
		a.Verb, a.Code, a.Reason = verb, code, reason
		return []Action{a}
	}
	if line, said := d.settle(a, given); said {
		return []Action{line}
	}
	if given == o.Item.Quantity {
		return []Action{a}
	}
	rest := product.Item{Kind: o.Item.Kind, Quantity: o.Item.Quantity - given}
	parts, sold := rest.Parts()
	if !sold {
		below, above := product.Targets(o.Item.Kind, given, o.Item.Quantity)
		a.Verb, a.Code = Blocked, CodeNotSold
		a.Reason = fmt.Sprintf("the difference of %s is not sold; write %d or %d", rest, below, above)
		return []Action{a}
	}
	if again := d.have.Reissues[o.Key]; again.Generation > 1 && given == 0 {
		a.Code, a.Reason = CodeReissued, "bought again: "+again.Reason
	}
	var actions []Action
	for _, part := range parts {
		line := a
		line.Item = part
		d.price(&line)
		actions = append(actions, line)
		a.Have += part.Quantity
		a.Part++
	}
	return actions
}

// bought is what was paid for a key or may be, with what was given otherwise, and
// the highest part of it.
// Orders that were only reserved or quoted count nothing: apply releases them
// before it reserves anew.
func bought(have *ledger.State, key string) (sum int64, part int) {
	generation := have.Generation(key)
	for _, o := range have.ByKey(key) {
		if o.Generation == generation && (o.Phase.Spent() || o.Phase.Out()) {
			sum += o.Item.Quantity
			part = max(part, o.Part)
		}
	}
	return sum + have.SettledFor(key), part
}

// standing looks for what keeps an occurrence from being bought at all, or
// for a payment that decides it. It returns a zero verb if there is nothing.
func (d *differ) standing(o spec.Occurrence, given int64) (Verb, Code, string) {
	orders := d.have.ByKey(o.Key)
	generation := d.have.Generation(o.Key)
	for _, order := range orders {
		switch {
		case order.Phase == ledger.Released:
		case order.Generation != generation && !order.Phase.Out() && order.Item.Kind == o.Item.Kind:
			// A person had it issued again: what was paid before is closed.
		case order.Item.Kind != o.Item.Kind:
			return Blocked, CodeBound, fmt.Sprintf("%s was bought under this key; a key keeps its product, so give %s a key of its own", order.Item, o.Item)
		case order.Phase == ledger.Held:
			v, _ := awaits(order)
			return v.verb, v.code, v.reason
		case order.Phase.Spent() && !isFor(o, order.Handle):
			return Blocked, CodeHandle, fmt.Sprintf("it was given to @%s, and now @%s is written: if that is the same person, write was: [\"@%s\"]; for another one use another key", order.Handle, o.Handle, order.Handle)
		default:
			if v, ok := awaits(order); ok {
				return v.verb, v.code, v.reason
			}
		}
	}
	for _, t := range d.have.Settled[o.Key] {
		switch {
		case t.Generation != generation:
		case t.Item.Kind != o.Item.Kind:
			return Blocked, CodeBound, fmt.Sprintf("%s counts as given under this key (%s); a key keeps its product, so give %s a key of its own", t.Item, t.Reason, o.Item)
		case !isFor(o, t.Handle):
			return Blocked, CodeHandle, fmt.Sprintf("it counts as given to @%s (%s), and now @%s is written: if that is the same person, write was: [\"@%s\"]; for another one use another key", t.Handle, t.Reason, o.Handle, t.Handle)
		}
	}
	if o.Single {
		date := o.Date
		if o.Rule == "" {
			date = 0 // the day is not in the key
		}
		if w := d.winners[prizeOf(o.Grant, date)]; w != nil && w.Key != o.Key {
			return Blocked, CodeOneWinner, fmt.Sprintf("%s has one winner and %s (@%s) got it: %s (@%s) can't get it too; use another key", o.Grant, w.Person, w.Handle, o.Person, o.Handle)
		}
	}
	if _, says := d.unsaid(o.Key); given < o.Item.Quantity && !says {
		if found := d.have.Unclaimed(o.Item.Kind); len(found) > 0 {
			more := ""
			if len(found) > 1 {
				more = fmt.Sprintf(" and %d more like it", len(found)-1)
			}
			return Blocked, CodeUnclaimed, fmt.Sprintf("%s (ref %s)%s in the chain may have been for it: say whom it was for with fragplan ledger assign %s KEY -reason TEXT", found[0].Item, found[0].Ref, more, found[0].Ref)
		}
	}
	if _, says := d.unsaid(o.Key); given > o.Item.Quantity && !says {
		if reason, meant := d.meant(o.Key); meant {
			return NoOp, CodeSettled, "more was given than is written, which is meant: " + reason
		}
		return Blocked, CodeOverGranted, fmt.Sprintf("%d was given already, %d more than is written; it can't be taken back: write %d again, or, if less is meant, say why: settled: {%s: \"…\"}", given, given-o.Item.Quantity, given, o.Key)
	}
	if _, says := d.unsaid(o.Key); given < o.Item.Quantity && !says && o.Item.Kind == product.Premium && d.premium[o.Handle] {
		return premiumRuns(o.Handle)
	}
	return 0, "", ""
}

func premiumRuns(handle string) (Verb, Code, string) {
	return Blocked, CodePremiumRuns, "Premium runs or is bought for @" + handle + "; this waits for its turn"
}

// isFor reports whether a user name is, or was, that of an occurrence's person.
func isFor(o spec.Occurrence, handle string) bool {
	return handle == o.Handle || slices.Contains(o.Was, "@"+handle) || slices.Contains(o.Was, handle)
}

// askedFor says of an offered order what it waits for.
func askedFor(o *ledger.Order) string {
	return fmt.Sprintf("a person was asked to pay it (request %d); apply finds it when it is paid. Who knows that nobody has paid it and nobody will, says so: fragplan ledger resolve %s -as unpaid -reason TEXT", o.Request, o.Key)
}

// price fills in what the line may cost, or blocks it.
func (d *differ) price(a *Action) {
	a.Verb = Buy
	if a.Have > 0 {
		a.Verb = TopUp
	}
	asset := a.Cap.Asset
	limit, ok := d.limits.CapIn(asset, a.Item)
	if !ok {
		a.Verb, a.Code = Blocked, CodeNoCeiling
		a.Reason = fmt.Sprintf("limits.price has no ceiling for %s", a.Item)
		if asset != ton.AssetTON {
			a.Reason = fmt.Sprintf("limits.price has no ceiling in %s for %s", asset, a.Item)
		}
		return
	}
	a.Cap, a.Estimate = limit, limit
	if price, known := d.prices[Goods{a.Item, asset}]; known {
		a.Estimate = price
		if price.Asset != limit.Asset || price.Units > limit.Units {
			a.Verb, a.Code = Blocked, CodePrice
			a.Reason = fmt.Sprintf("it costs %s now, above the ceiling of %s", price, limit)
			return
		}
	}
}

// retired lists the keys that were given and are no longer wanted. What was
// given stays; writing the key again later buys nothing.
func (d *differ) retired() []Action {
	var actions []Action
	for key := range d.have.Keys() {
		given, _ := bought(d.have, key)
		if d.wanted[key] || given == 0 {
			continue
		}
		v := d.left(key)
		if d.history(key) {
			if v = d.settled(key); v.verb == NoOp {
				continue
			}
		}
		orders := d.have.ByKey(key)
		last := orders[len(orders)-1]
		actions = append(actions, Action{
			Verb: v.verb, Code: v.code, Key: key, Person: last.Person, Handle: last.Handle, Name: d.people.pins[last.Handle].Name, Single: last.Single,
			Item: product.Item{Kind: last.Item.Kind, Quantity: given}, Have: given,
			Generation: last.Generation, Part: last.Part,
			Cap: ton.Nano(0).Amount(), Estimate: ton.Nano(0).Amount(),
			Reason: v.reason,
		})
	}
	sort.Slice(actions, func(i, j int) bool { return actions[i].Key < actions[j].Key })
	return actions
}

// left is what is said of a key that is no longer written. What is on its way is
// not given yet, and may still be taken back.
func (d *differ) left(key string) verdict {
	for _, o := range d.have.ByKey(key) {
		v, ok := awaits(o)
		switch {
		case !ok:
		case o.Phase == ledger.Armed:
			v.reason += fmt.Sprintf("; it is no longer written: fragplan payment cancel %d -reason TEXT takes it back, if the chain has not taken it first", o.Payment)
			return v
		default:
			v.reason += "; it is no longer written"
			return v
		}
	}
	return verdict{Retire, "", "no longer written; what was given stays given"}
}

// awaits is what is said of an order that the chain or a person decides before
// anything else; ok is false for any other order.
func awaits(o *ledger.Order) (v verdict, ok bool) {
	switch o.Phase {
	case ledger.Offered:
		return verdict{Unknown, CodeOffered, askedFor(o)}, true
	case ledger.Armed:
		return verdict{Unknown, "", "a payment for it is in flight and is settled first"}, true
	case ledger.Sent:
		return verdict{Unknown, "", "its USDT has left the wallet; whether it arrived is asked first"}, true
	case ledger.Held:
		return verdict{Blocked, CodeHeld, fmt.Sprintf("order %d is held: %s. To say how it ended: fragplan ledger resolve %s", o.ID, o.Reason, o.Key)}, true
	}
	return verdict{}, false
}
