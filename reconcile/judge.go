package reconcile

import (
	"errors"
	"fmt"
	"slices"

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

// Judge asks the limits and rules about each line that would be bought, in the
// order of the plan. Lines that one forbids are blocked, and count for nothing
// that comes after them; what is wrong with the plan as a whole becomes a
// violation, and nothing is bought then. Apply keeps to the same limits once
// more, by the offers that it gets.
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
	p.Violations = slices.Concat(p.Violations, j.runLimit(p.Actions), j.newGrants(p.Actions), j.budgets(p.Actions))
	if p.Limits.NoDuplicates {
		p.denyDoubles()
	}
}

type judge struct {
	have     *ledger.State
	limits   policy.Limits
	now      uint32
	counts   counting
	accounts *policy.Accounts
	people   people
	rules    []rule.Rule
	broken   string // why the rules can't be asked

	// Of the lines before that are bought:
	spent   policy.Budget
	premium map[string]bool           // handles for whom Premium is bought
	first   map[string]*policy.Budget // by handle, of somebody new

	lasts map[string]last // by series: the newest that was given
}

func newJudge(p *Plan, have *ledger.State, at Moment) *judge {
	j := &judge{have: have, limits: p.Limits, now: at.Time, counts: countingOf(p), people: peopleOf(have), premium: map[string]bool{}, first: map[string]*policy.Budget{}}
	j.accounts = j.counts.accounts(p.Limits, have, at.Time)
	var problems map[int][]*rule.Problem
	if j.rules, problems = rule.Compile(p.Limits.Rules); len(problems) > 0 {
		j.broken = "the rules can't be read; fragplan validate says which" // a saved plan of other hands
	}
	return j
}

// line says why a line must not be bought, or counts it. What counts for the
// lines behind it is bought: a line that is denied keeps nobody waiting.
func (j *judge) line(a *Action, held []ton.Amount) (verdict, bool) {
	if a.Item.Kind == product.Premium && j.premium[a.Handle] {
		verb, code, reason := premiumRuns(a.Handle)
		return verdict{verb, code, reason}, true
	}
	if v, over := j.order(*a); over {
		return v, true
	}
	if v, over := j.firstTime(*a); over {
		return v, true
	}
	if v, denied := j.obeys(a); denied {
		return v, true
	}
	if v, over := j.increase(*a); over {
		return v, true
	}
	if err := j.accounts.Check(j.counts.planned(*a)); err != nil {
		return overLimit(err), true
	}
	if err := j.left(*a, held); err != nil {
		return verdict{Blocked, CodeBalance, err.Error()}, true
	}
	j.count(*a)
	return verdict{}, false
}

// count takes a line that is bought into account for those behind it.
func (j *judge) count(a Action) {
	j.accounts.Spend(j.counts.planned(a))
	j.spent.Spend(a.Estimate)
	if j.limitedAtFirst(a) {
		j.atFirst(a.Handle).Spend(a.Estimate)
	}
	if a.Item.Kind == product.Premium {
		j.premium[a.Handle] = true
	}
}

// order stops one purchase that is too large. Paid and not yet acknowledged, it
// must not close the breaker alone.
func (j *judge) order(a Action) (verdict, bool) {
	err := j.limits.CheckOrder(a.Estimate)
	if err == nil {
		err = j.limits.Of(policy.Undelivered).Check(a.Estimate)
	}
	if err != nil {
		return verdict{Blocked, CodeOrderLimit, err.Error()}, true
	}
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

// runLimit stops a plan whose purchases are together above the limit of one run.
func (j *judge) runLimit(actions []Action) []Violation {
	budget := j.limits.Of(policy.Run)
	for _, a := range actions {
		if !a.Buys() {
			continue
		}
		if err := budget.Reserve(a.Estimate); err != nil {
			return []Violation{{Rule: "run_limit", Place: a.Place, Message: fmt.Sprintf("%s: %v. Raise limits.run in a reviewed commit, or split the change", a.Key, err)}}
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
	if places := fresh(actions); int64(len(places)) > most {
		return []Violation{{Rule: string(CodeNewGrants), Place: places[most], Message: fmt.Sprintf("%d keys would be bought for the first time: %s", len(places), tooManyNew(most))}}
	}
	return nil
}

// fresh are the keys of which something is bought for the first time: where each
// is written.
func fresh(actions []Action) (places []string) {
	seen := map[string]bool{}
	for _, a := range actions {
		if a.Verb == Buy && !seen[a.Key] {
			seen[a.Key] = true
			places = append(places, a.Place)
		}
	}
	return places
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
