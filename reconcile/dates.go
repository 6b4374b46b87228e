package reconcile

import (
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// What becomes of the dates of grants that recur:
//
//   - A date on which something was given is settled. Another amount or product
//     that is written later holds for later dates.
//   - Of dates on which nothing was given, the grant's catch_up says which are
//     made up for.
//   - A rule makes dates only while it is the one that is written: editing it
//     makes none in the past. The ledger knows since when each rule holds.

// verdict is what is done about an occurrence without looking at its price.
type verdict struct {
	verb   Verb
	code   Code
	reason string
}

// dates judges the dates of every recipient. Those that it says nothing of are
// decided like anything else.
func (d *differ) dates(want []spec.Occurrence) {
	d.dated, d.recurring, d.made = map[string]verdict{}, map[string]bool{}, map[string]schedule.Rule{}
	d.newest = map[string]schedule.Date{}
	for key := range d.have.Keys() {
		date := dateOf(key)
		if date == 0 {
			continue
		}
		if given, _ := bought(d.have, key); given > 0 {
			series := key[:len(key)-len("@2026-12-01")]
			d.newest[series] = max(d.newest[series], date)
		}
	}
	for i, j := 0, 0; i < len(want); i = j {
		j = i + 1
		if want[i].Rule == "" {
			d.once(want[i])
			continue
		}
		if grant := want[i].Grant; !d.recurring[grant] {
			d.recurring[grant] = true
			d.see(want[i])
		}
		if !want[i].Due() {
			continue
		}
		for series := want[i].Series(); j < len(want) && want[j].Rule != "" && want[j].Series() == series; {
			j++
		}
		d.series(want[i:j])
	}
}

// once judges what is given once, on a day.
func (d *differ) once(o spec.Occurrence) {
	if given, _ := bought(d.have, o.Key); given == 0 && late(o) && !d.reissued(o.Key) && !d.decided(o.Key) {
		d.dated[o.Key] = waited(o)
	}
}

func late(o spec.Occurrence) bool { return o.Last != 0 && o.Today > o.Last }

func waited(o spec.Occurrence) verdict {
	return verdict{NoOp, CodePassed, fmt.Sprintf("nothing was given by %s; if_subscribed waits no longer", o.Last)}
}

// see notes a rule that the ledger does not know as the newest.
func (d *differ) see(o spec.Occurrence) {
	rules := d.have.Rules[o.Grant]
	switch n := len(rules); {
	case n == 0:
		d.rules = append(d.rules, ledger.RuleSeen{Grant: o.Grant, Rule: o.Rule})
	case rules[n-1].Text != o.Rule:
		since := max(int64(o.Today), rules[n-1].Since)
		d.rules = append(d.rules, ledger.RuleSeen{Grant: o.Grant, Rule: o.Rule, Since: since})
	}
}

// series judges the dates of one recipient, the oldest first.
func (d *differ) series(list []spec.Occurrence) {
	var open []spec.Occurrence
	for _, o := range list {
		given, _ := bought(d.have, o.Key)
		switch {
		case given > 0:
			d.dated[o.Key] = d.settled(o.Key)
		case d.reissued(o.Key), d.inFlight(o.Key), d.decided(o.Key): // a person decided, or it is decided already
		case late(o):
			d.dated[o.Key] = waited(o)
		case !d.makes(o):
			d.dated[o.Key] = verdict{NoOp, CodePassed, "the rule that makes this date was written after it: an edited rule makes no dates in the past"}
		default:
			open = append(open, o)
		}
	}
	for _, o := range open {
		switch {
		case o.CatchUp == spec.CatchNone && o.Date != o.Today:
			d.dated[o.Key] = verdict{NoOp, CodePassed, "its day is over, and catch_up: none makes up for nothing"}
		case o.CatchUp == spec.CatchLatest && (o.Key != list[len(list)-1].Key || o.Date < d.newest[o.Series()]):
			d.dated[o.Key] = verdict{NoOp, CodePassed, "a later date is due or given, and catch_up: latest makes up for that only"}
		case o.CatchUp == spec.CatchAll && len(open) > o.MaxCatchUp:
			d.dated[o.Key] = verdict{Blocked, CodeCatchUp, fmt.Sprintf("nothing was given on %d dates since %s, more than max_catch_up: %d: write catch_up: latest, or max_catch_up: %d if all are meant", len(open), open[0].Date, o.MaxCatchUp, len(open))}
		}
	}
}

// settled is what is said of a date on which something was given. The author
// may have other amounts in mind by now, for other dates.
func (d *differ) settled(key string) verdict {
	for _, o := range d.have.ByKey(key) {
		if v, ok := awaits(o); ok {
			return v
		}
	}
	return verdict{verb: NoOp}
}

func (d *differ) reissued(key string) bool { return d.have.Generation(key) > 1 }

// decided reports whether a person has said what becomes of a key in this plan.
func (d *differ) decided(key string) bool {
	_, says := d.unsaid(key)
	return says || d.have.Names[key] != "" || d.pending[key] != ""
}

func (d *differ) inFlight(key string) bool {
	for _, o := range d.have.ByKey(key) {
		if o.Phase.Out() || o.Phase == ledger.Held {
			return true
		}
	}
	return false
}

// makes reports whether the rule that held on the date makes it.
func (d *differ) makes(o spec.Occurrence) bool {
	rules := d.have.Rules[o.Grant]
	if n := len(rules); n == 0 {
		return true // the first rule holds from its first date
	} else if rules[n-1].Text != o.Rule {
		rules = append(rules[:n:n], ledger.Rule{Text: o.Rule, Since: max(int64(o.Today), rules[n-1].Since)})
	}
	text := rules[0].Text
	for _, r := range rules {
		if r.Since <= int64(o.Date) {
			text = r.Text
		}
	}
	if text == o.Rule {
		return true
	}
	rule, known := d.made[text]
	if !known {
		rule, _ = schedule.Parse(text) // one that can't be read makes nothing
		d.made[text] = rule
	}
	return rule.Has(o.Date)
}

// NewRules are the events that note a plan's rules, without those that the
// ledger has by now. The rules of a grant that was moved come from its first on.
// The ledger may be another one than when the plan was made; then since when
// they hold follows from it.
func NewRules(p *Plan, have *ledger.State) []ledger.Event {
	var events []ledger.Event
	at := map[string]int{}              // by grant: how many of its rules were passed
	newest := map[string]*ledger.Rule{} // by grant, of those that are noted here too
	for _, r := range p.Rules {
		rules, n := have.Rules[r.Grant], at[r.Grant]
		at[r.Grant]++
		whole := n > 0 || r.Since == 0 // from the first one on
		if whole && n < len(rules) || len(rules) > 0 && rules[len(rules)-1].Text == r.Rule {
			continue
		}
		if newest[r.Grant] == nil && len(rules) > 0 {
			newest[r.Grant] = &rules[len(rules)-1]
		}
		if last := newest[r.Grant]; last == nil {
			r.Since = 0
		} else {
			r.Since = max(r.Since, last.Since)
		}
		newest[r.Grant] = &ledger.Rule{Text: r.Rule, Since: r.Since}
		events = append(events, r)
	}
	return events
}

// dateOf is the date in a key, zero if it has none.
func dateOf(key string) schedule.Date {
	at := len(key) - len("@2026-12-01")
	if at < 0 || key[at] != '@' {
		return 0
	}
	date, _ := schedule.ParseDate(key[at+1:])
	return date
}

// history reports whether a key is a past date of a grant that still recurs.
// It is no longer listed because later ones are.
func (d *differ) history(key string) bool {
	grant, _, _ := strings.Cut(key, "/")
	return d.recurring[grant] && dateOf(key) != 0
}
