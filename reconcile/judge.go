package reconcile

import (
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/rule"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// A Moment is when a plan is judged, and what the wallet holds then.
type Moment struct {
	Time  uint32       // Unix seconds, of the chain
	Held  []ton.Amount // one amount an asset; nil if it is not known
	Lasts uint32       // seconds for which a saved plan is good; 0 if nobody says
}

// Judge asks the limits that depend on what was bought before and when. Lines
// that one forbids are blocked, in the order of the plan; what is wrong with the
// plan as a whole becomes a violation, and nothing is bought then. Apply keeps
// to the same limits once more, by the offers that it gets.
func (p *Plan) Judge(have *ledger.State, at Moment) {
	if next, err := have.After(movesOf(p, have)...); err == nil {
		have = next // limits count by the names that are written
	}
	j := newJudge(p, have, at)
	if len(j.broken) > 0 {
		p.Violations = append(p.Violations, Violation{Rule: "rules", Message: j.broken})
		return
	}
	blocked := map[string]verdict{} // by key: a part can't be bought before the one that precedes it
	for i := range p.Actions {
		a := &p.Actions[i]
		if !a.Buys() {
			if a.Verb == Blocked {
				blocked[a.Key] = verdict{a.Verb, a.Code, a.Reason}
			}
			continue
		}
		v, ok := blocked[a.Key]
		if !ok {
			v, ok = j.line(a, at.Held)
		}
		if ok {
			a.Verb, a.Code, a.Reason = v.verb, v.code, v.reason
			blocked[a.Key] = v
		}
	}
	p.Violations = append(p.Violations, j.newGrants(p.Actions)...)
	p.Violations = append(p.Violations, j.budgets(p.Actions)...)
}

type judge struct {
	have     *ledger.State
	limits   policy.Limits
	now      uint32
	counts   counting
	accounts *policy.Accounts
	spent    policy.Budget // by the lines before
	people   people
	rules    []rule.Rule
	broken   string // why the rules can't be asked

	lasts map[string]last // by series: the newest that was given
}

func newJudge(p *Plan, have *ledger.State, at Moment) *judge {
	j := &judge{have: have, limits: p.Limits, now: at.Time, counts: countingOf(p)}
	j.accounts = j.counts.accounts(p.Limits, have, at.Time)
	var problems map[int][]*rule.Problem
	if j.rules, problems = rule.Compile(p.Limits.Rules); len(problems) > 0 {
		j.broken = "the rules can't be read; fragplan validate says which" // a saved plan of other hands
	}
	if len(j.rules) > 0 {
		j.people = peopleOf(have)
	}
	return j
}

// line says why a line must not be bought, or counts it.
func (j *judge) line(a *Action, held []ton.Amount) (verdict, bool) {
	if v, denied := j.obeys(a); denied {
		return v, true
	}
	if v, over := j.increase(*a); over {
		return v, true
	}
	bill := j.counts.planned(*a)
	if err := j.accounts.Check(bill); err != nil {
		return overLimit(err), true
	}
	if err := j.left(*a, held); err != nil {
		return verdict{Blocked, CodeBalance, err.Error()}, true
	}
	j.accounts.Spend(bill)
	j.spent.Spend(a.Estimate)
	return verdict{}, false
}

// overLimit is the verdict of a limit, with what to edit.
func overLimit(err error) verdict {
	text := err.Error()
	if e := (*policy.Exceeded)(nil); errors.As(err, &e) {
		text += ": " + e.Remedy()
	}
	return verdict{Blocked, Code(limitCode(err)), text}
}

// left is why a line would leave too little in the wallet, or nil. The network's
// fees are not in it; apply counts them.
func (j *judge) left(a Action, held []ton.Amount) error {
	least := j.limits.Left(a.Estimate.Asset)
	if least.Units == 0 {
		return nil
	}
	for _, h := range held {
		if h.Asset != least.Asset {
			continue
		}
		if free := h.Units - j.spent.Used(h.Asset).Units; free-a.Estimate.Units < least.Units {
			before := ""
			if spent := j.spent.Used(h.Asset); spent.Units > 0 {
				before = fmt.Sprintf(", the lines before it take %s", spent)
			}
			return fmt.Errorf("limits.balance leaves %s in the wallet; it holds %s%s, and this takes %s: fill it up, or lower limits.balance in a reviewed commit", least, h, before, a.Estimate)
		}
	}
	return nil
}

// newGrants stops a plan that buys too much for the first time: a list that was
// pasted, or a ledger that is not the right one.
func (j *judge) newGrants(actions []Action) []Violation {
	most := j.limits.NewGrants
	if most == 0 {
		return nil
	}
	fresh, place := map[string]bool{}, ""
	for _, a := range actions {
		if a.Verb == Buy && !fresh[a.Key] {
			if fresh[a.Key] = true; int64(len(fresh)) == most+1 {
				place = a.Place
			}
		}
	}
	if n := int64(len(fresh)); n > most {
		return []Violation{{Rule: string(CodeNewGrants), Place: place, Message: fmt.Sprintf("%d keys would be bought for the first time: %s", n, tooManyNew(most))}}
	}
	return nil
}

func tooManyNew(most int64) string {
	return fmt.Sprintf("limits.new_grants allows %d in one apply; raise it in a reviewed commit, or split the change", most)
}

// A last is what was given on a date, of one kind.
type last struct {
	date schedule.Date
	item product.Item
}

// increase stops a line that gives many times what the same recipient had from
// the same grant: on the date before, or in all where it does not recur.
func (j *judge) increase(a Action) (verdict, bool) {
	if j.limits.Increase == 0 {
		return verdict{}, false
	}
	before, when := a.Have, "was given already"
	if date := dateOf(a.Key); date != 0 {
		l := j.lastOf(a.Key, date)
		if l.item.Kind != a.Item.Kind {
			return verdict{}, false
		}
		before, when = l.item.Quantity, "was given on "+l.date.String()
	} else if a.Verb != TopUp {
		return verdict{}, false
	}
	if before == 0 || a.Want/j.limits.Increase < before || a.Want == before*j.limits.Increase {
		return verdict{}, false
	}
	return verdict{Blocked, CodeIncrease, fmt.Sprintf("%d is written and %d %s: limits.increase allows %d times as much. If it is meant, raise limits.increase in a reviewed commit", a.Want, before, when, j.limits.Increase)}, true
}

// lastOf is what was given last on a date before this one in the same series.
func (j *judge) lastOf(key string, before schedule.Date) last {
	if j.lasts == nil {
		j.lasts = map[string]last{}
		for key := range j.have.Keys() {
			date := dateOf(key)
			given, _ := bought(j.have, key)
			if series := seriesOf(key); date != 0 && given > 0 && date > j.lasts[series].date {
				orders := j.have.ByKey(key)
				j.lasts[series] = last{date, product.Item{Kind: orders[len(orders)-1].Item.Kind, Quantity: given}}
			}
		}
	}
	l := j.lasts[seriesOf(key)]
	if l.date >= before {
		return last{} // a date that is made up for
	}
	return l
}

// seriesOf is a key without its date.
func seriesOf(key string) string {
	if dateOf(key) == 0 {
		return key
	}
	return key[:len(key)-len("@2026-12-01")]
}
