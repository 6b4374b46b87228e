package reconcile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

var limits = policy.Limits{
	Order: []ton.Amount{(20 * ton.TON).Amount()},
	Run:   []ton.Amount{(60 * ton.TON).Amount()},
	Month: []ton.Amount{(200 * ton.TON).Amount()},

	Undelivered: []ton.Amount{(25 * ton.TON).Amount()},
	Price: []policy.Ceiling{
		{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: (1300 * ton.TON / 1000).Amount()},
		{Item: product.Item{Kind: product.Premium, Quantity: 3}, Max: (10 * ton.TON).Amount()},
	},
}

// wants builds an occurrence from "grant/person kind quantity".
func wants(key string, kind product.Kind, quantity int64) spec.Occurrence {
	grant, person, _ := strings.Cut(key, "/")
	return spec.Occurrence{Key: key, Grant: grant, Person: person, Handle: person, Item: product.Item{Kind: kind, Quantity: quantity}, Pos: spec.Pos{File: "g.yaml", Line: 3}}
}

// past builds a ledger state in which the given orders stand in these phases.
func past(orders ...ledger.Order) *ledger.State {
	s := ledger.NewState()
	for i, o := range orders {
		o.ID = ledger.OrderID(i + 1)
		if o.Generation == 0 {
			o.Generation = 1
		}
		if o.Part == 0 {
			o.Part = 1
		}
		_, person, _ := strings.Cut(o.Key, "/")
		o.Person, o.Handle = person, person
		s.Add(&o)
	}
	return s
}

func order(key string, phase ledger.Phase, kind product.Kind, quantity int64) ledger.Order {
	return ledger.Order{Key: key, Phase: phase, Item: product.Item{Kind: kind, Quantity: quantity}}
}

func renamed(o spec.Occurrence, handle string, was ...string) spec.Occurrence {
	o.Handle, o.Was = handle, was
	return o
}

// reissued has g/ann issued again, with the orders of the second generation.
func reissued(s *ledger.State, orders ...ledger.Order) *ledger.State {
	s.Reissues["g/ann"] = ledger.Reissue{Generation: 2, Reason: "the account was stolen"}
	for _, o := range orders {
		o.ID = s.LastOrder + 1
		s.Add(&o)
	}
	return s
}

func again(key string, quantity int64) ledger.Order {
	o := order(key, ledger.Paid, product.Stars, quantity)
	o.Generation, o.Part, o.Person, o.Handle = 2, 1, "ann", "ann"
	return o
}

// unclaimed puts a payment for so many Stars into the chain that nobody made.
func unclaimed(s *ledger.State, quantity int64) *ledger.State {
	s.LastFound = 1
	s.Founds[1] = &ledger.Found{ID: 1, Item: product.Item{Kind: product.Stars, Quantity: quantity}, Ref: "Abcdef123"}
	return s
}

// Each row is what a person edits and what it means, given that money can't
// come back.
func TestDiff(t *testing.T) {
	single := func(o spec.Occurrence) spec.Occurrence { o.Single = true; return o }
	for name, c := range map[string]struct {
		want []spec.Occurrence
		have *ledger.State
		out  []string // verb, key, quantity, code
	}{
		"a new grant is bought":                        {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, past(), []string{"+ g/ann 100 "}},
		"what was given is left alone":                 {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, past(order("g/ann", ledger.Delivered, product.Stars, 100)), []string{"  g/ann 100 "}},
		"a raise buys the difference only":             {[]spec.Occurrence{wants("g/ann", product.Stars, 250)}, past(order("g/ann", ledger.Acknowledged, product.Stars, 100)), []string{"~ g/ann 150 "}},
		"a difference that isn't sold is blocked":      {[]spec.Occurrence{wants("g/ann", product.Stars, 120)}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"! g/ann 120 not_sold"}},
		"a lower total takes nothing back":             {[]spec.Occurrence{wants("g/ann", product.Stars, 60)}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"! g/ann 60 over_granted"}},
		"a deleted key retires":                        {nil, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{". g/ann 100 "}},
		"a released order counts nothing":              {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, past(order("g/ann", ledger.Released, product.Stars, 100)), []string{"+ g/ann 100 "}},
		"a reserved order counts nothing":              {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, past(order("g/ann", ledger.Reserved, product.Stars, 100)), []string{"+ g/ann 100 "}},
		"a payment in flight is settled first":         {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, past(order("g/ann", ledger.Armed, product.Stars, 100)), []string{"? g/ann 100 "}},
		"what is in flight is not retired yet":         {nil, past(order("g/ann", ledger.Armed, product.Stars, 100)), []string{"? g/ann 100 "}},
		"what is held is not retired yet":              {nil, past(order("g/ann", ledger.Held, product.Stars, 100)), []string{"! g/ann 100 held"}},
		"a held order is never bought again":           {[]spec.Occurrence{wants("g/ann", product.Stars, 200)}, past(order("g/ann", ledger.Held, product.Stars, 100)), []string{"! g/ann 200 held"}},
		"a key keeps its product":                      {[]spec.Occurrence{wants("g/ann", product.Premium, 3)}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"! g/ann 3 bound"}},
		"a prize has one winner":                       {[]spec.Occurrence{single(wants("g/bob", product.Stars, 100))}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"! g/bob 100 one_winner", ". g/ann 100 "}},
		"a list may grow":                              {[]spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 100)}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"  g/ann 100 ", "+ g/bob 100 "}},
		"a second Premium waits":                       {[]spec.Occurrence{wants("g/ann", product.Premium, 3), wants("h/ann", product.Premium, 3)}, past(), []string{"+ g/ann 3 ", "! h/ann 3 premium_runs"}},
		"nobody waits for Premium that isn't sold":     {[]spec.Occurrence{wants("g/ann", product.Premium, 12), wants("h/ann", product.Premium, 3)}, past(), []string{"! g/ann 12 no_ceiling", "+ h/ann 3 "}},
		"nine months of Premium can't be made up":      {[]spec.Occurrence{wants("g/ann", product.Premium, 12)}, past(order("g/ann", ledger.Paid, product.Premium, 3)), []string{"! g/ann 12 not_sold"}},
		"a product without a ceiling isn't bought":     {[]spec.Occurrence{wants("g/ann", product.Premium, 12)}, past(), []string{"! g/ann 12 no_ceiling"}},
		"a reissued key is bought again":               {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, reissued(past(order("g/ann", ledger.Held, product.Stars, 100))), []string{"+ g/ann 100 reissued"}},
		"a reissued key is bought again once":          {[]spec.Occurrence{wants("g/ann", product.Stars, 100)}, reissued(past(order("g/ann", ledger.Paid, product.Stars, 100)), again("g/ann", 100)), []string{"  g/ann 100 "}},
		"a payment of nobody's holds what it may be":   {[]spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/cleo", product.Premium, 3)}, unclaimed(past(), 80), []string{"! g/ann 100 unclaimed", "+ g/cleo 3 "}},
		"and it may be of a total lowered since":       {[]spec.Occurrence{wants("g/bob", product.Stars, 50)}, unclaimed(past(), 80), []string{"! g/bob 50 unclaimed"}},
		"another user name is another person":          {[]spec.Occurrence{renamed(wants("g/ann", product.Stars, 250), "bob")}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"! g/ann 250 handle_changed"}},
		"unless it is written that she was it":         {[]spec.Occurrence{renamed(wants("g/ann", product.Stars, 250), "anna", "@ann")}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"~ g/ann 150 "}},
		"a changed name counts though all is given":    {[]spec.Occurrence{renamed(wants("g/ann", product.Stars, 100), "bob")}, past(order("g/ann", ledger.Paid, product.Stars, 100)), []string{"! g/ann 100 handle_changed"}},
		"one purchase above its limit isn't bought":    {[]spec.Occurrence{wants("g/ann", product.TopUp, 21)}, past(), []string{"! g/ann 21 order_limit"}},
		"no part is bought before the one ahead of it": {[]spec.Occurrence{wants("g/ann", product.Stars, product.MaxStars+10)}, past(), []string{"! g/ann 9999960 order_limit", "! g/ann 50 order_limit"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range judged(c.want, c.have, limits).Actions {
				got = append(got, strings.Join([]string{string(rune(a.Verb)), a.Key, itoa(a.Item.Quantity), string(a.Code)}, " "))
			}
			if d := cmp.Diff(c.out, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func itoa(n int64) string {
	return strings.TrimSpace(strings.Split(product.Item{Kind: product.Stars, Quantity: n}.String(), " ")[0])
}

// judged is the plan of what is wanted without prices.
func judged(want []spec.Occurrence, have *ledger.State, limits policy.Limits) *reconcile.Plan {
	plan := reconcile.Diff(want, have, nil, limits)
	plan.Judge(have, reconcile.Moment{})
	return plan
}

// A key that vanished while a like one appeared stops the whole plan: buying
// would pay the same person twice for the same thing.
func TestSuspectedRename(t *testing.T) {
	have := past(order("old/ann", ledger.Delivered, product.Stars, 100))
	plan := reconcile.Diff([]spec.Occurrence{wants("new/ann", product.Stars, 100)}, have, nil, limits)
	if len(plan.Violations) != 1 || plan.Violations[0].Rule != "suspected_rename" {
		t.Fatalf("violations: %+v", plan.Violations)
	}
	both := []spec.Occurrence{wants("new/ann", product.Stars, 100), wants("old/ann", product.Stars, 100)}
	if plan := reconcile.Diff(both, have, nil, limits); len(plan.Violations) != 0 {
		t.Errorf("both keys are written, so nothing was renamed: %+v", plan.Violations)
	}
}

// What a run may cost bounds the whole plan.
func TestRunLimit(t *testing.T) {
	var want []spec.Occurrence
	for _, p := range []string{"a", "b", "c", "d"} {
		want = append(want, wants("g/"+p, product.TopUp, 16))
	}
	if v := judged(want, past(), limits).Violations; len(v) != 1 || v[0].Rule != "run_limit" {
		t.Errorf("64 TON under a limit of 60: %+v", v)
	}
	if v := judged(want[:3], past(), limits).Violations; len(v) != 0 {
		t.Errorf("48 TON under a limit of 60: %+v", v)
	}
}

// What would close the breaker alone is not bought: nothing could ever be paid
// after it.
func TestAboveTheBreaker(t *testing.T) {
	tight := limits
	tight.Undelivered = []ton.Amount{(5 * ton.TON).Amount()}
	p := judged([]spec.Occurrence{wants("g/ann", product.TopUp, 6), wants("g/bob", product.TopUp, 5)}, past(), tight)
	if p.Actions[0].Code != reconcile.CodeOrderLimit || !p.Actions[1].Buys() {
		t.Errorf("%+v", p.Actions)
	}
}

// A price above its ceiling blocks its line only.
func TestPriceAboveCeiling(t *testing.T) {
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 50)}
	prices := reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: (2 * ton.TON).Amount(), {Item: want[1].Item, Asset: ton.AssetTON}: (ton.TON / 2).Amount()}
	p := reconcile.Diff(want, past(), prices, limits)
	if p.Actions[0].Code != reconcile.CodePrice || !p.Actions[1].Buys() || p.Actions[1].Estimate != prices[reconcile.Goods{Item: want[1].Item, Asset: ton.AssetTON}] {
		t.Errorf("%+v", p.Actions)
	}
}
