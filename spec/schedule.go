package spec

import (
	"fmt"
	"regexp"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
)

// CatchUp says which of the dates that nothing was bought on are made up for.
type CatchUp string

// The ways to catch up.
const (
	CatchNone   CatchUp = "none"   // none: a date is bought on its day or never
	CatchLatest CatchUp = "latest" // the latest date; earlier ones are passed over
	CatchAll    CatchUp = "all"    // all of them, if they are not too many
)

const (
	// DefaultCatchUp is how many dates are made up for with CatchAll, unless
	// the grant says another number. More stop the purchase.
	DefaultCatchUp = 3
	// maxDates is how many dates back CatchAll looks, and the most that may be
	// made up for.
	maxDates = 100
)

// timing is when a grant falls due, as it is being read.
type timing struct {
	at       map[string]*yaml.Node // fields by name
	every    string
	rrule    string
	starting schedule.Date
	until    schedule.Date
}

// field reads one of the fields that say when a grant falls due.
func (t *timing) field(d *doc, g *Grant, f entry) {
	if t.at == nil {
		t.at = map[string]*yaml.Node{}
	}
	t.at[f.name] = f.value
	switch f.name {
	case "every":
		t.every, _ = d.text(f.value, "every", "month, 2 weeks or the like")
	case "rrule":
		t.rrule, _ = d.text(f.value, "rrule", "a rule of RFC 5545: FREQ=MONTHLY;BYDAY=1MO")
	case "starting":
		t.starting, _ = d.date(f.value, "starting")
	case "until":
		t.until, _ = d.date(f.value, "until")
	case "on":
		g.On, _ = d.date(f.value, "on")
	case "catch_up":
		s, ok := d.text(f.value, "catch_up", "none, latest or all")
		switch c := CatchUp(s); c {
		case CatchNone, CatchLatest, CatchAll:
			g.CatchUp = c
		default:
			if ok {
				d.bad(f.value, "catch-up", "write none, latest or all", "catch_up can't be %s", clip(s))
			}
		}
	case "max_catch_up":
		n, ok := d.number(f.value, "max_catch_up", "write max_catch_up: 3")
		if ok && (n < 1 || n > maxDates) {
			d.bad(f.value, "catch-up", "write max_catch_up: 3", "max_catch_up must be from 1 to %d", maxDates)
		}
		g.MaxCatchUp = int(n)
	case "if_subscribed":
		g.Wait = d.wait(f.value)
	}
}

var waiting = regexp.MustCompile(`^wait ([1-9][0-9]{0,2}) days?$`)

// wait reads how long Premium waits for one that still runs: "wait", without
// end, or "wait 30 days".
func (d *doc) wait(n *yaml.Node) int {
	const example = "wait, or wait 30 days"
	s, ok := d.text(n, "if_subscribed", example)
	if !ok || s == "wait" {
		return 0
	}
	m := waiting.FindStringSubmatch(s)
	if m == nil {
		d.bad(n, "if-subscribed", "write "+example, "if_subscribed can't be %s", clip(s))
		return 0
	}
	return int(mustInt(m[1]))
}

// date reads "2026-12-01".
func (d *doc) date(n *yaml.Node, what string) (schedule.Date, bool) {
	const example = "2026-12-01"
	switch {
	case n.Kind == yaml.AliasNode:
		return 0, false
	case n.Kind != yaml.ScalarNode:
		d.bad(n, "type", "write a date: "+example, "%s must be a date, not %s", what, kind(n))
		return 0, false
	}
	date, err := schedule.ParseDate(n.Value)
	if err != nil {
		d.bad(n, "date", "write a date: "+example, "%s: %v", what, clipError(err))
	}
	return date, err == nil
}

// schedule makes a grant's rule of what was read, once all fields are.
func (l *loader) schedule(d *doc, g *Grant, t *timing, e entry) {
	at := func(names ...string) *yaml.Node {
		for _, name := range names {
			if t.at[name] != nil {
				return t.at[name]
			}
		}
		return e.key
	}
	recurs := t.at["every"] != nil || t.at["rrule"] != nil
	switch {
	case t.at["every"] != nil && t.at["rrule"] != nil:
		d.bad(at("rrule"), "schedule", "take one of them out", "grant %s has both every and rrule", clip(g.Name))
		return
	case recurs && t.at["on"] != nil:
		d.bad(at("on"), "schedule", "take one of them out", "grant %s is given on one day and again and again", clip(g.Name))
		return
	case recurs && t.at["starting"] == nil:
		d.bad(at("every", "rrule"), "schedule", "write starting: and the first date", "grant %s does not say from when on it recurs", clip(g.Name))
		return
	case !recurs:
		for _, name := range []string{"starting", "until", "catch_up", "max_catch_up"} {
			if t.at[name] != nil {
				d.bad(t.at[name], "schedule", "write every: month or the like; what is given once, on a day, has on:", "%s is for grants that recur", name)
			}
		}
		if g.Wait > 0 && t.at["on"] == nil {
			d.bad(at("if_subscribed"), "schedule", "write on: and the day, or only: wait", "grant %s does not say from when on the days are counted", clip(g.Name))
		}
	}
	if t.at["if_subscribed"] != nil && g.Item.Kind != product.Premium && g.Item.Kind != "" {
		d.bad(at("if_subscribed"), "schedule", "take it out", "if_subscribed is for Premium")
	}
	if t.at["max_catch_up"] != nil && g.CatchUp != CatchAll && recurs {
		d.bad(at("max_catch_up"), "catch-up", "write catch_up: all, or take it out", "max_catch_up is for catch_up: all")
	}
	if !recurs || t.starting == 0 || t.at["until"] != nil && t.until == 0 || t.every == "" && t.rrule == "" {
		return
	}
	if t.until != 0 && t.until < t.starting {
		d.bad(at("until"), "schedule", "write a later until, or take it out", "grant %s ends on %s, before it begins on %s", clip(g.Name), t.until, t.starting)
		return
	}
	var err error
	if t.every != "" {
		g.Rule, err = schedule.Every(t.every, t.starting, t.until)
	} else {
		g.Rule, err = l.recurs(t.rrule, t.starting, t.until)
	}
	if err != nil {
		d.bad(at("every", "rrule"), "schedule", "write every: month, 2 weeks, quarter or the like, or a rule of RFC 5545 with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY", "%v", clipError(err))
		g.Rule = schedule.Rule{}
	}
	if g.CatchUp == "" {
		g.CatchUp = CatchLatest
	}
	if g.MaxCatchUp == 0 {
		g.MaxCatchUp = DefaultCatchUp
	}
	if parts, _ := g.Item.Parts(); len(parts) > 1 {
		d.bad(e.key, "product", "make two grants", "a date of grant %s gives more than one purchase holds, which is %d", clip(g.Name), product.MaxStars)
	}
}

// timezone reads the place whose clocks say when a day begins.
func (l *loader) timezone(d *doc, n *yaml.Node) {
	const example = "the name of a time zone: Europe/Berlin"
	s, ok := d.text(n, "timezone", example)
	if !ok {
		return
	}
	where, err := time.LoadLocation(s)
	if err != nil || s == "" || s == "Local" {
		d.bad(n, "timezone", "write "+example, "there is no time zone %s", clip(s))
		return
	}
	l.p.Timezone = where
}

// dated checks that a grant to people who come and go says on which day it is
// given.
func (g *pendingGrant) dated(n *yaml.Node, r Recipient) bool {
	if r.Since == 0 && r.Until == 0 || !g.Rule.IsZero() || g.On != 0 || g.timing.at["on"] != nil || g.timing.at["every"] != nil || g.timing.at["rrule"] != nil {
		return true
	}
	g.d.bad(n, "schedule", "write on: and the day on which it is given; who belongs to the group that day is given it",
		"%s belongs to group %s not at all times, and grant %s does not say when it is given", clip(r.Person), clip(n.Value), clip(g.Name))
	return false
}

// belongs reports whether a recipient has a part in a date.
func (r Recipient) belongs(date schedule.Date) bool {
	return date >= r.Since && (r.Until == 0 || date <= r.Until)
}

// Today is which day it is at an instant, by the project's clocks.
func (p *Project) Today(at time.Time) schedule.Date { return schedule.Day(at, p.Timezone) }

// Dated reports whether anything that is written depends on the day.
func (p *Project) Dated() bool {
	for _, g := range p.Grants {
		if g.On != 0 || !g.Rule.IsZero() {
			return true
		}
	}
	return false
}

// maxRecurrences bounds how many different rules of RFC 5545 are read: one may
// have to be followed to the end of the calendar to see that it makes a date.
const maxRecurrences = 200

// A recurrence is a rule as it is written, and recurred what it means.
type recurrence struct {
	text            string
	starting, until schedule.Date
}

type recurred struct {
	rule schedule.Rule
	err  error
}

// recurs reads a rule of RFC 5545, each once.
func (l *loader) recurs(text string, starting, until schedule.Date) (schedule.Rule, error) {
	this := recurrence{text, starting, until}
	r, known := l.recurring[this]
	switch {
	case known:
		return r.rule, r.err
	case len(l.recurring) == maxRecurrences:
		return schedule.Rule{}, fmt.Errorf("there are more than %d different rules; grants that fall due together can have the same", maxRecurrences)
	case l.recurring == nil:
		l.recurring = map[recurrence]recurred{}
	}
	r.rule, r.err = schedule.Recur(text, starting, until)
	l.recurring[this] = r
	return r.rule, r.err
}
