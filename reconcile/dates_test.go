package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

func on(s string) schedule.Date {
	d, err := schedule.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func every(interval, starting string) schedule.Rule {
	r, err := schedule.Every(interval, on(starting), 0)
	if err != nil {
		panic(err)
	}
	return r
}

// monthly is a grant of 100 Stars to ann, every month from 2026-12-01.
func monthly(change func(*spec.Grant)) []spec.Grant {
	g := spec.Grant{Name: "g", Item: product.Item{Kind: product.Stars, Quantity: 100}, Rule: every("month", "2026-12-01"),
		CatchUp: spec.CatchLatest, MaxCatchUp: 3, To: []spec.Recipient{{Person: "ann", Handle: "ann"}}}
	if change != nil {
		change(&g)
	}
	return []spec.Grant{g}
}

// paidOn has 100 Stars given to ann on each date, by the rule of monthly.
func paidOn(dates ...string) *ledger.State {
	var orders []ledger.Order
	for _, d := range dates {
		orders = append(orders, order("g/ann@"+d, ledger.Delivered, product.Stars, 100))
	}
	s := past(orders...)
	for _, o := range s.Orders {
		o.Person, o.Handle = "ann", "ann"
	}
	s.Rules["g"] = []ledger.Rule{{Text: every("month", "2026-12-01").String()}}
	return s
}

// Each row is what is written, what was given, and what that means on a day.
func TestDates(t *testing.T) {
	catch := func(c spec.CatchUp, most int) []spec.Grant {
		return monthly(func(g *spec.Grant) { g.CatchUp, g.MaxCatchUp = c, most })
	}
	amount := func(n int64) []spec.Grant { return monthly(func(g *spec.Grant) { g.Item.Quantity = n }) }
	rule := func(r schedule.Rule, c spec.CatchUp) []spec.Grant {
		return monthly(func(g *spec.Grant) { g.Rule, g.CatchUp = r, c })
	}
	to := func(person string, single bool) []spec.Grant {
		return monthly(func(g *spec.Grant) {
			g.To, g.Single = []spec.Recipient{{Person: person, Handle: person}}, single
		})
	}
	premium := monthly(func(g *spec.Grant) {
		g.Item, g.Wait = product.Item{Kind: product.Premium, Quantity: 3}, 30
		g.Rule = every("3 months", "2026-12-01")
	})
	once := []spec.Grant{{Name: "g", Item: product.Item{Kind: product.Stars, Quantity: 100}, To: []spec.Recipient{{Person: "ann", Handle: "ann"}}}}
	atDay := func(s *ledger.State, when string) *ledger.State {
		for _, o := range s.Orders {
			o.Time = uint32(on(when).Midnight().Unix())
		}
		return s
	}
	held := paidOn("2026-12-01", "2027-01-01")
	held.Orders[1].Phase, held.Orders[1].Reason = ledger.Held, "it came back"
	flying := paidOn("2026-12-01")
	flying.Orders[1].Phase = ledger.Armed
	again := paidOn("2026-12-01", "2027-01-01")
	again.Reissues["g/ann@2027-01-01"] = ledger.Reissue{Generation: 2, Reason: "stolen"}
	for name, c := range map[string]struct {
		today string
		want  []spec.Grant
		have  *ledger.State
		out   []string
	}{
		"the first date is bought on its day":                {"2026-12-01", monthly(nil), past(), []string{"+ g/ann@2026-12-01 100 "}},
		"and nothing before it":                              {"2026-11-30", monthly(nil), past(), nil},
		"what was given on a date is left alone":             {"2026-12-20", monthly(nil), paidOn("2026-12-01"), []string{"  g/ann@2026-12-01 100 "}},
		"the next date is a gift of its own":                 {"2027-01-01", monthly(nil), paidOn("2026-12-01"), []string{"+ g/ann@2027-01-01 100 "}},
		"a date that was missed is made up for":              {"2027-01-09", monthly(nil), paidOn("2026-12-01"), []string{"+ g/ann@2027-01-01 100 "}},
		"of several, the latest is":                          {"2027-03-09", monthly(nil), paidOn("2026-12-01"), []string{"+ g/ann@2027-03-01 100 "}},
		"none: not even the latest":                          {"2027-03-09", catch(spec.CatchNone, 0), paidOn("2026-12-01"), []string{"  g/ann@2027-03-01 100 passed"}},
		"none: a date on its day":                            {"2027-03-01", catch(spec.CatchNone, 0), paidOn("2026-12-01"), []string{"+ g/ann@2027-03-01 100 "}},
		"all: each of them":                                  {"2027-03-09", catch(spec.CatchAll, 3), paidOn("2027-01-01"), []string{"+ g/ann@2026-12-01 100 ", "  g/ann@2027-01-01 100 ", "+ g/ann@2027-02-01 100 ", "+ g/ann@2027-03-01 100 "}},
		"all: but not more than the cap":                     {"2027-03-09", catch(spec.CatchAll, 2), paidOn("2026-12-01"), []string{"  g/ann@2026-12-01 100 ", "! g/ann@2027-01-01 100 catch_up", "! g/ann@2027-02-01 100 catch_up", "! g/ann@2027-03-01 100 catch_up"}},
		"a raise is for later dates":                         {"2026-12-20", amount(250), paidOn("2026-12-01"), []string{"  g/ann@2026-12-01 100 "}},
		"and holds for them":                                 {"2027-01-01", amount(250), paidOn("2026-12-01"), []string{"+ g/ann@2027-01-01 250 "}},
		"so is a lower amount":                               {"2026-12-20", amount(50), paidOn("2026-12-01"), []string{"  g/ann@2026-12-01 100 "}},
		"another day of the month makes no date in the past": {"2027-01-15", rule(every("month", "2026-12-05"), spec.CatchLatest), paidOn("2026-12-01", "2027-01-01"), []string{"  g/ann@2027-01-05 100 passed"}},
		"but the next one":                                   {"2027-02-05", rule(every("month", "2026-12-05"), spec.CatchLatest), paidOn("2026-12-01", "2027-01-01"), []string{"+ g/ann@2027-02-05 100 "}},
		"a shorter interval makes no dates in the past":      {"2027-01-31", rule(every("week", "2026-12-01"), spec.CatchAll), paidOn("2026-12-01", "2027-01-01"), []string{"  g/ann@2026-12-01 100 ", "  g/ann@2026-12-08 100 passed", "  g/ann@2026-12-15 100 passed", "  g/ann@2026-12-22 100 passed", "  g/ann@2026-12-29 100 passed", "  g/ann@2027-01-05 100 passed", "  g/ann@2027-01-12 100 passed", "  g/ann@2027-01-19 100 passed", "  g/ann@2027-01-26 100 passed"}},
		"an earlier beginning makes no dates in the past":    {"2027-01-15", rule(every("month", "2026-10-01"), spec.CatchAll), paidOn("2026-12-01", "2027-01-01"), []string{"  g/ann@2026-10-01 100 passed", "  g/ann@2026-11-01 100 passed", "  g/ann@2026-12-01 100 ", "  g/ann@2027-01-01 100 "}},
		"a past date that is still written waits on":         {"2027-01-15", rule(every("2 months", "2026-11-01"), spec.CatchAll), paidOn("2026-12-01"), []string{"  g/ann@2026-11-01 100 passed", "+ g/ann@2027-01-01 100 "}},
		"a later gift of another rule stands for the latest": {"2027-01-09", monthly(nil), editedAndBack(), []string{"  g/ann@2027-01-01 100 passed"}},
		"Premium is waited for so many days":                 {"2026-12-31", premium, past(), []string{"+ g/ann@2026-12-01 3 "}},
		"and no longer":                                      {"2027-01-01", premium, past(), []string{"  g/ann@2026-12-01 3 passed"}},
		"a date of the past that is held stays in sight":     {"2027-02-01", monthly(nil), held, []string{"+ g/ann@2027-02-01 100 ", "! g/ann@2026-12-01 100 held"}},
		"and so does one in flight":                          {"2027-02-01", monthly(nil), flying, []string{"+ g/ann@2027-02-01 100 ", "? g/ann@2026-12-01 100 "}},
		"a date that was issued again is bought again":       {"2027-01-20", monthly(nil), again, []string{"+ g/ann@2027-01-01 100 reissued"}},
		"a date has one winner, if it is a prize":            {"2027-01-01", to("bob", true), paidOn("2026-12-01", "2027-01-01"), []string{"! g/bob@2027-01-01 100 one_winner"}},
		"and the next one another":                           {"2027-02-01", to("bob", true), paidOn("2026-12-01", "2027-01-01"), []string{"+ g/bob@2027-02-01 100 "}},
		"what was given once recurs":                         {"2027-01-01", monthly(nil), atDay(past(order("g/ann", ledger.Paid, product.Stars, 100)), "2026-12-15"), []string{"+ g/ann@2027-01-01 100 ", ". g/ann 100 "}},
		"but not for a day before it":                        {"2026-12-20", monthly(nil), atDay(past(order("g/ann", ledger.Paid, product.Stars, 100)), "2026-12-15"), []string{"+ g/ann@2026-12-01 100 ", ". g/ann 100 ", "suspected_rename"}},
		"a grant under another name is not another gift":     {"2027-01-01", rename(monthly(nil), "h"), paidOn("2026-12-01", "2027-01-01"), []string{"+ h/ann@2027-01-01 100 ", ". g/ann@2026-12-01 100 ", ". g/ann@2027-01-01 100 ", "suspected_rename"}},
		"its next date is":                                   {"2027-02-01", rename(monthly(nil), "h"), paidOn("2026-12-01", "2027-01-01"), []string{"+ h/ann@2027-02-01 100 ", ". g/ann@2026-12-01 100 ", ". g/ann@2027-01-01 100 "}},
		"an id under another name is not another person":     {"2027-01-01", monthly(func(g *spec.Grant) { g.To = []spec.Recipient{{Person: "anna", Handle: "ann"}} }), paidOn("2026-12-01", "2027-01-01"), []string{"+ g/anna@2027-01-01 100 ", "suspected_rename"}},
		"what recurred is given once":                        {"2027-01-01", once, paidOn("2026-12-01"), []string{"+ g/ann 100 ", ". g/ann@2026-12-01 100 ", "suspected_rename"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &spec.Project{Grants: c.want}
			plan := reconcile.Diff(p.Written(on(c.today)), c.have, nil, limits)
			var got []string
			for _, a := range plan.Actions {
				quantity := a.Item.Quantity
				if a.Verb == reconcile.NoOp && a.Code == "" {
					quantity = a.Want
				}
				got = append(got, fmt.Sprintf("%c %s %d %s", a.Verb, a.Key, quantity, a.Code))
				if a.Code == reconcile.CodePassed && (a.Reason == "" || a.Failure()) {
					t.Errorf("%+v", a)
				}
			}
			for _, v := range plan.Violations {
				got = append(got, v.Rule)
			}
			if d := cmp.Diff(c.out, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// editedAndBack has the rule of monthly edited to the fifth, by which January
// was given, and written back.
func editedAndBack() *ledger.State {
	s := paidOn("2026-12-01", "2027-01-05")
	s.Rules["g"] = append(s.Rules["g"], ledger.Rule{Text: every("month", "2026-12-05").String(), Since: int64(on("2027-01-03"))})
	return s
}

func rename(grants []spec.Grant, name string) []spec.Grant {
	grants[0].Name = name
	return grants
}

// The ledger notes a rule once, and an edited one since the day it is acted upon.
func TestRulesAreNoted(t *testing.T) {
	have := past()
	see := func(today string, rule schedule.Rule) []ledger.Event {
		p := &spec.Project{Grants: monthly(func(g *spec.Grant) { g.Rule = rule })}
		events := reconcile.NewRules(reconcile.Diff(p.Written(on(today)), have, nil, limits), have)
		for _, e := range events {
			if err := have.Apply(e); err != nil {
				t.Error(err)
			}
		}
		return events
	}
	a, b := every("month", "2026-12-01"), every("week", "2026-12-01")
	for _, c := range []struct {
		today string
		rule  schedule.Rule
		want  []ledger.Event
	}{
		{"2026-11-30", a, []ledger.Event{ledger.RuleSeen{Grant: "g", Rule: a.String()}}},
		{"2026-12-09", a, nil},
		{"2026-12-10", b, []ledger.Event{ledger.RuleSeen{Grant: "g", Rule: b.String(), Since: int64(on("2026-12-10"))}}},
		{"2026-12-10", a, []ledger.Event{ledger.RuleSeen{Grant: "g", Rule: a.String(), Since: int64(on("2026-12-10"))}}},
		{"2026-12-05", b, []ledger.Event{ledger.RuleSeen{Grant: "g", Rule: b.String(), Since: int64(on("2026-12-10"))}}}, // another clock
	} {
		if d := cmp.Diff(c.want, see(c.today, c.rule)); d != "" {
			t.Errorf("on %s, %s: %s", c.today, c.rule, d)
		}
	}
}

// A plan that was saved notes its rule as what the ledger knows by now demands:
// as the grant's first if the ledger is an older copy or was made anew, and
// behind whatever another run has noted since.
func TestASavedRuleIsNotedAsTheLedgerNowDemands(t *testing.T) {
	a, b, c := every("month", "2026-12-01").String(), every("week", "2026-12-01").String(), every("year", "2026-12-01").String()
	today := on("2026-12-10")
	for name, saved := range map[string]struct {
		rule ledger.RuleSeen
		have []ledger.Rule
		want int64
	}{
		"an older copy":  {ledger.RuleSeen{Grant: "g", Rule: b, Since: int64(today)}, nil, 0},
		"a run tomorrow": {ledger.RuleSeen{Grant: "g", Rule: b, Since: int64(today)}, []ledger.Rule{{Text: a}, {Text: c, Since: int64(today) + 1}}, int64(today) + 1},
	} {
		have := ledger.NewState()
		have.Rules["g"] = saved.have
		events := reconcile.NewRules(&reconcile.Plan{Rules: []ledger.RuleSeen{saved.rule}, Today: today}, have)
		if len(events) != 1 || events[0].(ledger.RuleSeen).Since != saved.want {
			t.Errorf("%s: %+v, want since %d", name, events, saved.want)
			continue
		}
		if err := have.Apply(events[0]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A year in which a project is applied on some days and its rule is edited on
// others: no date is bought twice, none that the rule of its day did not make,
// and with catch_up: latest none before one that was bought.
func TestAYearOfEdits(t *testing.T) {
	rules := []schedule.Rule{
		every("month", "2026-12-01"), every("month", "2026-12-05"), every("month", "2026-10-31"), every("week", "2026-12-01"),
		every("2 weeks", "2026-12-03"), every("day", "2027-02-01"), every("quarter", "2026-12-01"),
	}
	rapid.Check(t, func(r *rapid.T) {
		have := past()
		limits := generous()
		grants := monthly(func(g *spec.Grant) {
			g.CatchUp = rapid.SampledFrom([]spec.CatchUp{spec.CatchNone, spec.CatchLatest, spec.CatchAll}).Draw(r, "catch up")
			g.MaxCatchUp = 100
		})
		held := map[schedule.Date]schedule.Rule{} // the rule by which the project was applied last, by day
		latest := schedule.Date(0)
		start := on("2026-11-20")
		for day := start; day < start+200; day++ {
			if rapid.IntRange(0, 30).Draw(r, "edit") == 0 {
				grants[0].Rule = rapid.SampledFrom(rules).Draw(r, "rule")
			}
			if rapid.IntRange(0, 2).Draw(r, "apply") == 0 {
				plan := reconcile.Diff((&spec.Project{Grants: grants}).Written(day), have, nil, limits)
				if len(plan.Violations) > 0 {
					r.Fatalf("%+v", plan.Violations)
				}
				for _, e := range reconcile.NewRules(plan, have) {
					if err := have.Apply(e); err != nil {
						r.Fatal(err)
					}
				}
				held[day] = grants[0].Rule
				for _, a := range plan.Actions {
					if !a.Buys() {
						continue
					}
					date := on(strings.TrimPrefix(a.Key, "g/ann@"))
					switch {
					case len(have.ByKey(a.Key)) > 0:
						r.Fatalf("on %s: %s is bought twice", day, a.Key)
					case date > day || grants[0].CatchUp == spec.CatchNone && date != day:
						r.Fatalf("on %s: %s is bought", day, a.Key)
					case grants[0].CatchUp == spec.CatchLatest && date < latest:
						r.Fatalf("on %s: %s is bought after %s", day, a.Key, latest)
					case !ruleOf(held, date, grants[0].Rule).Has(date):
						r.Fatalf("on %s: %s is bought, which the rule of that day did not make", day, a.Key)
					}
					latest = max(latest, date)
					have.Add(&ledger.Order{ID: have.LastOrder + 1, Key: a.Key, Generation: 1, Part: 1, Person: a.Person, Handle: a.Handle, Item: a.Item, Phase: ledger.Paid})
				}
			}
		}
	})
}

// ruleOf is the rule by which the project was applied last up to a day; before
// the first, it is the first.
func ruleOf(held map[schedule.Date]schedule.Rule, day schedule.Date, now schedule.Rule) schedule.Rule {
	var days []schedule.Date
	for d := range held {
		days = append(days, d)
	}
	slices.Sort(days)
	if len(days) == 0 {
		return now
	}
	rule := held[days[0]]
	for _, d := range days {
		if d <= day {
			rule = held[d]
		}
	}
	return rule
}
