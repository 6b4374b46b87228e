package spec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

const comeAndGo = `people:
  ann: "@ann_petrova"
  vera: {username: "@vera_new", was: ["@vera"]}
  zoe: "@zoe_z"
groups:
  mods:
    ann: {since: 2026-11-01}
    vera: {since: 2026-12-10}
    zoe: {until: 2027-01-31}
`

func load(t testing.TB, files ...string) *spec.Project {
	t.Helper()
	p, err := spec.Load(project(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day(t testing.TB, s string) schedule.Date {
	t.Helper()
	d, err := schedule.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Whoever comes later has no part in earlier dates, and who left none in later
// ones; a date is due on its day, not before.
func TestRecurringGrants(t *testing.T) {
	p := load(t, "people.yaml", comeAndGo, "grants/a.yaml", `grants:
  thanks: {to: mods, stars: 250, every: month, starting: 2026-12-01}
  weekly: {to: mods, stars: 50, rrule: "FREQ=WEEKLY;BYDAY=FR", starting: 2026-12-01, until: 2026-12-20, catch_up: all}
  new-year: {to: mods, stars: 500, on: 2026-12-31}
  premium: {to: [ann], premium: 3 months, every: 3 months, starting: 2026-12-01, if_subscribed: wait 30 days}
`)
	for today, want := range map[string]string{
		"2026-11-30": "",
		"2026-12-01": "thanks/ann@2026-12-01 thanks/zoe@2026-12-01 premium/ann@2026-12-01",
		"2026-12-12": "thanks/ann@2026-12-01 thanks/zoe@2026-12-01 " +
			"weekly/ann@2026-12-04 weekly/ann@2026-12-11 weekly/vera@2026-12-11 weekly/zoe@2026-12-04 weekly/zoe@2026-12-11 premium/ann@2026-12-01",
		"2027-02-01": "thanks/ann@2027-02-01 thanks/vera@2027-02-01 thanks/zoe@2027-01-01 " +
			"weekly/ann@2026-12-04 weekly/ann@2026-12-11 weekly/ann@2026-12-18 weekly/vera@2026-12-11 weekly/vera@2026-12-18 " +
			"weekly/zoe@2026-12-04 weekly/zoe@2026-12-11 weekly/zoe@2026-12-18 new-year/ann new-year/vera new-year/zoe premium/ann@2026-12-01",
	} {
		var got []string
		for _, o := range p.Occurrences(day(t, today)) {
			got = append(got, o.Key)
			if o.Rule != "" && (o.Key != o.Series()+"@"+o.Date.String() || o.Today != day(t, today)) {
				t.Errorf("%+v", o)
			}
			if premium := o.Grant == "premium"; premium != (o.Last != 0) || premium && o.Last != o.Date+30 {
				t.Errorf("%s is bought until %s", o.Key, o.Last)
			}
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
			t.Errorf("on %s:\n%s", today, d)
		}
	}
}

// A day begins by the clocks of the project's time zone.
func TestToday(t *testing.T) {
	p := load(t, "fragplan.yaml", mainFile+"timezone: Pacific/Kiritimati\n")
	if got := p.Today(time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)); got != day(t, "2026-12-01") {
		t.Error(got)
	}
	if p = load(t); p.Today(time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)) != day(t, "2026-11-30") {
		t.Error("without a time zone it is that of UTC")
	}
}

// Defaults hold for schedules too; a grant that is given on a day takes none.
func TestScheduleDefaults(t *testing.T) {
	p := load(t, "people.yaml", comeAndGo, "grants/a.yaml", `defaults: {to: mods, stars: 50, every: month, starting: 2026-12-01, catch_up: all, max_catch_up: 5}
grants:
  monthly: {}
  weekly: {every: week, catch_up: latest, until: 2027-01-01}
  once: {on: 2026-12-31}
`)
	for i, want := range []string{"every month from 2026-12-01 all 5 ", "every week from 2026-12-01 until 2027-01-01 latest 3 ", "  0 2026-12-31"} {
		g := p.Grants[i]
		if got := fmt.Sprintf("%s %s %d %s", g.Rule, g.CatchUp, g.MaxCatchUp, g.On); got != want {
			t.Errorf("%s: %q, want %q", g.Name, got, want)
		}
	}
}

// The dates that were ever listed are listed for ever, or later ones in their
// place: what is due only grows with time.
func TestDueOnlyGrows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		every := rapid.SampledFrom([]string{"day", "week", "month", "quarter"}).Draw(r, "every")
		catch := rapid.SampledFrom([]string{"none", "latest", "all"}).Draw(r, "catch up")
		from, until := rapid.IntRange(1, 28).Draw(r, "since"), rapid.IntRange(1, 28).Draw(r, "until")
		p := load(t, "people.yaml", fmt.Sprintf(`people: {ann: "@ann_petrova", vera: "@vera_new"}
groups: {mods: {ann: {since: 2026-12-%02d}, vera: {until: 2027-02-%02d}}}
`, from, until), "grants/a.yaml", fmt.Sprintf("grants: {g: {to: mods, stars: 50, every: %s, starting: 2026-12-01, catch_up: %s}}", every, catch))
		day := schedule.DateOf(2026, 11, 25)
		latest := map[string]schedule.Date{}
		before := map[string]bool{}
		for range 120 {
			day++
			now := map[string]bool{}
			for _, o := range p.Occurrences(day) {
				now[o.Key] = true
				if o.Date > day || o.Date < latest[o.Series()] && catch != "all" {
					r.Fatalf("on %s %s is due", day, o.Key)
				}
				if !before[o.Key] && o.Date != day && catch == "all" && o.Date+100 > day {
					r.Fatalf("%s appears only on %s", o.Key, day)
				}
				latest[o.Series()] = max(latest[o.Series()], o.Date)
			}
			for key := range before {
				if !now[key] && catch == "all" && every != "day" {
					r.Fatalf("%s is gone on %s", key, day)
				}
			}
			before = now
		}
	})
}

// So many different rules that following them would take a minute are refused,
// and one that stands often is followed once.
func TestManyRules(t *testing.T) {
	grants := func(n int, starting func(i int) string) string {
		var b strings.Builder
		b.WriteString("grants:\n")
		for i := range n {
			fmt.Fprintf(&b, "  g%d: {to: ann, stars: 50, rrule: \"FREQ=MONTHLY;BYDAY=1MO\", starting: %s}\n", i, starting(i))
		}
		return b.String()
	}
	same := func(int) string { return "2026-12-01" }
	each := func(i int) string { return schedule.DateOf(2026, 12, 1+i).String() }
	if _, err := spec.Load(project(t, "grants/a.yaml", grants(1000, same))); err != nil {
		t.Error(err)
	}
	if _, err := spec.Load(project(t, "grants/a.yaml", grants(200, each))); err != nil {
		t.Error(err)
	}
	_, err := spec.Load(project(t, "grants/a.yaml", grants(201, each)))
	check(t, err, "grants/a.yaml:202:37 schedule: every: month")
}
