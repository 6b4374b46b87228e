package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// spent is an order of 100 stars that cost 1.3 TON on a day.
func spent(key, day string, phase ledger.Phase) ledger.Order {
	o := order(key, phase, product.Stars, 100)
	if strings.HasPrefix(key, "h/") {
		o.Item.Quantity = 90 // no suspected rename
	}
	o.Reserve, o.Cap = (1300 * ton.TON / 1000).Amount(), (1300 * ton.TON / 1000).Amount()
	o.Time = uint32(on(day).Midnight().Unix())
	return o
}

func tons(milli int64) []ton.Amount { return []ton.Amount{(ton.Nano(milli) * ton.TON / 1000).Amount()} }

func forGood(milli int64) []policy.Rate { return []policy.Rate{{Max: tons(milli)[0]}} }

// Every limit blocks the line that it forbids, under its own code and with what
// to edit, counts what was bought before as it is meant, and leaves the other
// lines alone.
func TestLimitsOfAPlan(t *testing.T) {
	monthly := func(milli int64) []policy.Rate {
		return []policy.Rate{{Max: tons(milli)[0], Per: policy.PerMonth}}
	}
	scoped := func(scope string, milli int64) []policy.Scoped {
		return []policy.Scoped{{Scope: scope, Max: forGood(milli)}}
	}
	of := func(o ledger.Order, scopes ...string) ledger.Order {
		o.Scopes = scopes
		return o
	}
	ann, bob := wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 100)
	winter := bob
	winter.Labels = []spec.Label{{Name: "season", Value: "winter"}}
	premium := product.Item{Kind: product.Premium, Quantity: 3}
	dated := func(day string, stars int64) spec.Occurrence {
		o := wants("g/ann@"+day, product.Stars, stars)
		o.Person, o.Handle, o.Today = "ann", "ann", on("2026-12-20")
		return o
	}
	for name, c := range map[string]struct {
		change func(*policy.Limits)
		have   *ledger.State
		want   []spec.Occurrence
		blocks string // "key code", "" for none
	}{
		"day, the second does not fit": {func(l *policy.Limits) { l.Day = tons(2000) }, past(), []spec.Occurrence{ann, bob}, "g/bob day_limit"},
		"day, with what was paid today": {func(l *policy.Limits) { l.Day = tons(2000) },
			past(spent("h/eve", "2026-12-20", ledger.Delivered)), []spec.Occurrence{ann}, "g/ann day_limit"},
		"day, with what was paid yesterday": {func(l *policy.Limits) { l.Day = tons(2000) },
			past(spent("h/eve", "2026-12-19", ledger.Delivered)), []spec.Occurrence{ann}, ""},
		"day, with what a person was asked to pay": {func(l *policy.Limits) { l.Day = tons(2000) },
			past(spent("h/eve", "2026-12-01", ledger.Offered)), []spec.Occurrence{ann}, "g/ann day_limit"},
		"month": {func(l *policy.Limits) { l.Month = tons(2000) },
			past(spent("h/eve", "2026-12-01", ledger.Paid)), []spec.Occurrence{ann}, "g/ann month_limit"},
		"month, what was given up": {func(l *policy.Limits) { l.Month = tons(2000) },
			past(spent("h/eve", "2026-12-01", ledger.Released)), []spec.Occurrence{ann}, ""},
		"person": {func(l *policy.Limits) { l.Person = forGood(2000) },
			past(spent("h/ann", "2025-01-01", ledger.Delivered)), []spec.Occurrence{ann, bob}, "g/ann person_limit"},
		"person, in another month": {func(l *policy.Limits) { l.Person = monthly(2000) },
			past(spent("h/ann", "2026-11-30", ledger.Delivered)), []spec.Occurrence{ann, bob}, ""},
		"person, under an earlier user name": {func(l *policy.Limits) { l.Person = forGood(2000) },
			past(spent("h/old", "2025-01-01", ledger.Delivered)), []spec.Occurrence{renamed(ann, "new", "@old")}, "g/ann person_limit"},
		"person, whose user name has changed": {func(l *policy.Limits) { l.Person = forGood(2000) },
			past(spent("h/ann", "2025-01-01", ledger.Delivered)), []spec.Occurrence{renamed(ann, "new")}, "g/ann person_limit"},
		"person, whose id has changed": {func(l *policy.Limits) { l.Person = forGood(2000) },
			past(spent("h/old", "2025-01-01", ledger.Delivered)), []spec.Occurrence{renamed(ann, "old")}, "g/ann person_limit"},
		"campaign, as it was then": {func(l *policy.Limits) {
			l.Scoped = scoped(policy.CampaignScope("winter"), 2000)
			l.Campaigns = []policy.Campaign{{Name: "winter", Grants: []string{"g"}}}
		}, past(of(spent("gone/eve", "2025-01-01", ledger.Delivered), policy.CampaignScope("winter"))), []spec.Occurrence{ann}, "g/ann campaign_limit"},
		"campaign, as it is now": {func(l *policy.Limits) {
			l.Scoped = scoped(policy.CampaignScope("*"), 2000)
			l.Campaigns = []policy.Campaign{{Name: "winter", Grants: []string{"g"}}}
		}, past(spent("g/eve", "2025-01-01", ledger.Delivered)), []spec.Occurrence{ann}, "g/ann campaign_limit"},
		"no campaign": {func(l *policy.Limits) { l.Scoped = scoped(policy.CampaignScope("*"), 0) }, past(), []spec.Occurrence{ann}, ""},
		"label": {func(l *policy.Limits) { l.Scoped = scoped(policy.LabelScope("season", "*"), 2000) },
			past(of(spent("gone/eve", "2025-01-01", ledger.Delivered), policy.LabelScope("season", "winter"))), []spec.Occurrence{ann, winter}, "g/bob label_limit"},
		"asset": {func(l *policy.Limits) { l.Asset = forGood(2000) },
			past(spent("h/eve", "2020-01-01", ledger.Delivered)), []spec.Occurrence{ann}, "g/ann asset_limit"},
		"increase": {func(l *policy.Limits) { l.Increase = 5 },
			past(spent("g/ann", "2026-12-01", ledger.Delivered)), []spec.Occurrence{wants("g/ann", product.Stars, 501)}, "g/ann increase_limit"},
		"increase, just so": {func(l *policy.Limits) { l.Increase = 5 },
			past(spent("g/ann", "2026-12-01", ledger.Delivered)), []spec.Occurrence{wants("g/ann", product.Stars, 500)}, ""},
		"increase since the date before": {func(l *policy.Limits) { l.Increase = 5 },
			past(spent("g/ann@2026-11-01", "2026-11-01", ledger.Delivered), spent("g/ann@2026-10-01", "2026-10-01", ledger.Delivered)),
			[]spec.Occurrence{dated("2026-12-01", 600)}, "g/ann@2026-12-01 increase_limit"},
		"no increase of something else": {func(l *policy.Limits) { l.Increase = 1 },
			past(order("g/ann@2026-11-01", ledger.Delivered, product.Premium, premium.Quantity)), []spec.Occurrence{dated("2026-12-01", 600)}, ""},
		"nothing before is no increase": {func(l *policy.Limits) { l.Increase = 1 }, past(), []spec.Occurrence{ann}, ""},
		"balance":                       {func(l *policy.Limits) { l.Balance = tons(98_000) }, past(), []spec.Occurrence{ann, bob}, "g/bob balance_limit"},
		"balance, just so":              {func(l *policy.Limits) { l.Balance = tons(97_400) }, past(), []spec.Occurrence{ann, bob}, ""},
	} {
		l := limits
		c.change(&l)
		plan := reconcile.Diff(c.want, c.have, nil, l)
		plan.Judge(c.have, reconcile.Moment{Time: uint32(on("2026-12-20").Midnight().Unix()) + 3600, Held: tons(100_000)})
		var blocked []string
		for _, a := range plan.Actions {
			if a.Verb != reconcile.Blocked {
				continue
			}
			blocked = append(blocked, a.Key+" "+string(a.Code))
			limit, _, _ := strings.Cut(string(a.Code), "_limit")
			if !strings.Contains(a.Reason, "limits."+limit) || !strings.Contains(a.Reason, "in a reviewed commit") {
				t.Errorf("%s: the reason does not say what to edit: %s", name, a.Reason)
			}
		}
		if got := strings.Join(blocked, ", "); got != c.blocks || len(plan.Violations) > 0 {
			t.Errorf("%s: %q is blocked, want %q; %+v", name, got, c.blocks, plan.Violations)
		}
	}
}

// A plan that buys for more new keys than one apply may is stopped whole; what
// was bought for before is not new.
func TestNewGrants(t *testing.T) {
	l := limits
	l.NewGrants = 2
	have := past(order("g/ann", ledger.Delivered, product.Stars, 50))
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 100), wants("g/eve", product.Stars, 100)}
	plan := reconcile.Diff(want, have, nil, l)
	plan.Judge(have, reconcile.Moment{})
	if len(plan.Violations) > 0 {
		t.Errorf("two new ones and a larger one: %+v", plan.Violations)
	}
	plan = reconcile.Diff(append(want, wants("h/bob", product.Stars, 100)), have, nil, l)
	plan.Judge(have, reconcile.Moment{})
	if len(plan.Violations) != 1 || plan.Violations[0].Rule != "new_grants" || !strings.Contains(plan.Violations[0].Message, "3 keys would be bought for the first time: limits.new_grants allows 2") {
		t.Errorf("three new ones: %+v", plan.Violations)
	}
}

// A part of a key is not bought before the one that precedes it.
func TestABlockedPartBlocksThoseBehindIt(t *testing.T) {
	l := limits
	l.Order, l.Run, l.Month, l.Undelivered = tons(1e9), tons(1e9), tons(1e9), tons(1e9)
	l.Person = forGood(135_000_000)
	plan := reconcile.Diff([]spec.Occurrence{wants("g/ann", product.Stars, 10_000_100)}, past(), nil, l)
	plan.Judge(past(), reconcile.Moment{})
	if len(plan.Actions) != 2 {
		t.Fatalf("%d parts", len(plan.Actions))
	}
	l.Person = forGood(100_000)
	plan = reconcile.Diff([]spec.Occurrence{wants("g/ann", product.Stars, 10_000_100)}, past(), nil, l)
	plan.Judge(past(), reconcile.Moment{})
	for i, a := range plan.Actions {
		if a.Buys() {
			t.Errorf("part %d is bought", i+1)
		}
	}
}

// Apply keeps to each limit by the offers that it gets, also where its plan
// knows nothing of them: what does not fit is set aside under its own code.
func TestLimitsBindAtApply(t *testing.T) {
	both := func(milli int64) []policy.Rate { return forGood(milli) }
	for name, c := range map[string]struct {
		change func(*policy.Limits)
		code   string
		paid   int // of three
	}{
		"day":    {func(l *policy.Limits) { l.Day = tons(2500) }, "day_limit", 1},
		"month":  {func(l *policy.Limits) { l.Month = tons(2500) }, "month_limit", 1},
		"asset":  {func(l *policy.Limits) { l.Asset = both(2500) }, "asset_limit", 1},
		"person": {func(l *policy.Limits) { l.Person = both(1000) }, "person_limit", 0},
		"campaign": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: policy.CampaignScope("*"), Max: both(2500)}}
		}, "campaign_limit", 1},
		"slippage": {func(l *policy.Limits) { l.Slippage = 4999 }, "slippage", 0},
		"new":      {func(l *policy.Limits) { l.NewGrants = 2 }, "new_grants", 2},
	} {
		w := newWorld(t, ton.V5R1)
		l := plenty
		l.Campaigns = []policy.Campaign{{Name: "winter", Grants: []string{"gift"}}}
		for _, o := range stars(3) {
			l.Campaigns[0].Grants = append(l.Campaigns[0].Grants, o.Grant)
		}
		c.change(&l)
		want := stars(3)
		// Planned at 1 TON each, they turn out to cost 1.5.
		plan := reconcile.Diff(want, w.book(), reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, l)
		w.price = func(product.Item) ton.Nano { return 3 * ton.TON / 2 }
		result, err := w.applyPlan(plan)
		if err != nil || len(w.paid()) != c.paid || len(result.Problems) != 3-c.paid {
			t.Errorf("%s: %d paid, %+v, %v", name, len(w.paid()), result.Problems, err)
		}
		for _, p := range result.Problems {
			if p.Code != c.code {
				t.Errorf("%s: set aside as %s: %s", name, p.Code, p.Reason)
			}
		}
	}
}

// An offer just within the slippage is paid.
func TestSlippageIsOfThePlan(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	l := plenty
	l.Slippage = 5000
	want := stars(1)
	plan := reconcile.Diff(want, w.book(), reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, l)
	w.price = func(product.Item) ton.Nano { return 3 * ton.TON / 2 }
	if result, err := w.applyPlan(plan); err != nil || len(w.paid()) != 1 {
		t.Errorf("%+v, %v", result.Problems, err)
	}
}

// What must be left in the wallet is not spent: the run stops there, as if it
// were not in it, and says so.
func TestTheBalanceThatIsLeft(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.account.Balance = 10 * ton.TON
	l := plenty
	l.Balance = tons(8_000)
	want := stars(3)
	plan := reconcile.Diff(want, w.book(), reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, l)
	_, err := w.applyPlan(plan)
	if len(w.paid()) != 1 || err == nil || !strings.Contains(err.Error(), "limits.balance leaves 8 TON in it") {
		t.Errorf("%d paid, %v", len(w.paid()), err)
	}
	if w.account.Balance < 8*ton.TON {
		t.Errorf("%s TON are left", w.account.Balance)
	}
}

// An order remembers what it counts for, whatever is written later.
func TestScopesAreRecorded(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	l := plenty
	want := stars(1)
	want[0].Labels = []spec.Label{{Name: "season", Value: "winter"}}
	l.Campaigns = []policy.Campaign{{Name: "party", Grants: []string{want[0].Grant}}}
	if _, err := w.apply(want, l); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.book().Orders[1].Scopes, ", "); got != "campaign party, label season=winter" {
		t.Errorf("%q", got)
	}
}

// A line that is not bought keeps nobody back: neither another Premium of the
// same person, nor what the limit of the first time or of a run leaves, and
// explain says the same as the plan.
func TestALineThatIsNotBoughtKeepsNobodyBack(t *testing.T) {
	denied := func(l policy.Limits) policy.Limits {
		l.Rules = []policy.Rule{{Name: "old", When: `grant == "a"`, Deny: "no more of these"}}
		return l
	}
	spent := func(l policy.Limits) policy.Limits {
		l.Scoped = []policy.Scoped{{Scope: policy.CampaignScope("a"), Max: []policy.Rate{{Max: tons(1)[0]}}}}
		l.Campaigns = []policy.Campaign{{Name: "a", Grants: []string{"a"}}}
		return l
	}
	newcomers := limits
	newcomers.FirstTime = tons(2000)
	for name, c := range map[string]struct {
		kind     product.Kind
		quantity int64
		limits   policy.Limits
	}{
		"Premium of a denied grant":         {product.Premium, 3, denied(limits)},
		"Premium of a campaign that is out": {product.Premium, 3, spent(limits)},
		"a denied first gift":               {product.Stars, 100, denied(newcomers)},
		"the first gift of a campaign":      {product.Stars, 100, spent(newcomers)},
	} {
		want := []spec.Occurrence{wants("a/ann", c.kind, c.quantity), wants("b/ann", c.kind, c.quantity)}
		plan := judged(want, past(), c.limits)
		if a, b := plan.Actions[0], plan.Actions[1]; a.Buys() || !a.Failure() || !b.Buys() {
			t.Errorf("%s: %c %s, %c %s", name, a.Verb, a.Code, b.Verb, b.Reason)
		}
		for _, g := range reconcile.Explain(plan, want, past(), "b/ann", reconcile.Moment{}).Guards {
			if !g.Allows {
				t.Errorf("%s: %s says %s", name, g.Name, g.Text)
			}
		}
	}
}

// Whatever blocks a line at first, a guard of explain says so.
func TestExplainForbidsWhatTheFirstTimeForbids(t *testing.T) {
	l := limits
	l.FirstTime = tons(2000)
	want := []spec.Occurrence{wants("a/ann", product.Stars, 100), wants("b/ann", product.Stars, 100)}
	plan := judged(want, past(), l)
	e := reconcile.Explain(plan, want, past(), "b/ann", reconcile.Moment{})
	if plan.Actions[1].Code != reconcile.CodeFirstTime || !slices.ContainsFunc(e.Guards, func(g reconcile.Guard) bool { return g.Name == "limits.first_time" && !g.Allows }) {
		t.Errorf("%s, and %+v", plan.Actions[1].Code, e.Guards)
	}
}

// What another limit blocks, or a schedule leaves out, is not bought in this
// run, and does not stop it.
func TestBlockedLinesAreOfNoRun(t *testing.T) {
	l := limits
	l.Day, l.Run = tons(3000), tons(5000)
	plan := reconcile.Diff(stars(10), past(), nil, l)
	plan.Judge(past(), reconcile.Moment{Time: uint32(on("2026-12-20").Midnight().Unix()) + 3600})
	if s := plan.Summary(); len(plan.Violations) > 0 || s.Buy == 0 || s.Blocked == 0 {
		t.Errorf("what does not fit into the day: %+v, %+v", s, plan.Violations)
	}
	l = limits
	l.Run, l.NewGrants = tons(5000), 1
	l.Campaigns = []policy.Campaign{{Name: "winter", Max: []policy.Rate{{Max: tons(9000)[0]}}, Grants: []string{"w"}}}
	plan = reconcile.Diff(append(stars(10), wants("w/ann", product.Stars, 100)), past(), nil, l)
	plan.WithinBudgets()
	plan.Judge(past(), reconcile.Moment{})
	if s := plan.Summary(); len(plan.Violations) > 0 || s.Buy != 1 || s.Blocked != 10 {
		t.Errorf("what has no budget: %+v, %+v", s, plan.Violations)
	}
}

// A ceiling above a limit is no price above it: prices are asked for, and they
// decide.
func TestALineIsJudgedByItsPrice(t *testing.T) {
	item := product.Item{Kind: product.Premium, Quantity: 3}
	want := []spec.Occurrence{wants("h/bob", item.Kind, item.Quantity)}
	for name, tight := range map[string]func(*policy.Limits){
		"order":       func(l *policy.Limits) { l.Order = tons(5000) },
		"undelivered": func(l *policy.Limits) { l.Undelivered = tons(5000) },
		"first_time":  func(l *policy.Limits) { l.FirstTime = tons(5000) },
	} {
		l := limits
		tight(&l)
		if plan := reconcile.Diff(want, past(), nil, l); !plan.Changes() {
			t.Errorf("%s: no price is asked for: %s", name, plan.Actions[0].Reason)
		}
		if plan := judged(want, past(), l); plan.Changes() {
			t.Errorf("%s: bought by its ceiling", name)
		}
		for price, buys := range map[int64]bool{4500: true, 5500: false} {
			plan := reconcile.Diff(want, past(), reconcile.Prices{{Item: item, Asset: ton.AssetTON}: tons(price)[0]}, l)
			if plan.Judge(past(), reconcile.Moment{}); plan.Changes() != buys {
				t.Errorf("%s of 5 TON, and it costs %d thousandths: bought %t", name, price, !buys)
			}
		}
	}
}
