package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// An Explanation says of one key why the plan does with it what it does.
type Explanation struct {
	Key      string
	Written  *spec.Occurrence // nil if nothing of that name is written
	Lines    []Action         // the plan's, none if the key is unknown everywhere
	Before   []string         // earlier names of the key
	Said     []string         // why something counts as given that this ledger did not pay
	Item     product.Item     // what was given or is on its way, of the newest generation
	InFlight int64            // the part of Item that a payment under way is for
	Guards   []Guard          // each that was asked, in the order of asking
	Next     string           // the edit or the command that would change the outcome

	// What only the files say; Explain leaves it to its caller.
	Through  []spec.Step   // the lines through which it is written
	NextDate schedule.Date // on which the same recipient is given something; zero for none
	Not      string        // why the plan has no line for it
}

// A Guard is what one limit or rule says of a purchase.
type Guard struct {
	Name   string // "limits.order"
	Allows bool
	Text   string
}

// Explain takes apart what the plan, made of want and have, decided for a key.
// at is when the plan was judged; an apply asks the chain.
func Explain(p *Plan, want []spec.Occurrence, have *ledger.State, key string, at Moment) Explanation {
	e := Explanation{Key: key}
	if next, err := have.After(movesOf(p, have)...); err == nil {
		have = next
	}
	e.past(have)
	for i := range want {
		if want[i].Key == key {
			e.Written = &want[i]
		}
	}
	for _, a := range p.Actions {
		if a.Key == key {
			e.Lines = append(e.Lines, a)
		}
	}
	for _, o := range have.ByKey(key) {
		if o.Generation != have.Generation(key) || !o.Phase.Spent() && !o.Phase.Out() {
			continue
		}
		e.Item.Kind = o.Item.Kind
		e.Item.Quantity += o.Item.Quantity
		if o.Phase.Out() {
			e.InFlight += o.Item.Quantity
		}
	}
	e.judge(p, have, at)
	if len(e.Lines) > 0 {
		last := e.Lines[len(e.Lines)-1]
		e.Next = next(last)
		if len(p.Violations) > 0 && (last.Buys() || last.Verb == Moved || last.Verb == Settle) {
			e.Next = fmt.Sprintf("the plan is stopped, and nothing of it is bought, by %s: %s", p.Violations[0].Rule, p.Violations[0].Message)
		}
	}
	return e
}

// past is what people have said of the key.
func (e *Explanation) past(have *ledger.State) {
	for old, now := range have.Names {
		if now == e.Key {
			e.Before = append(e.Before, old)
		}
	}
	slices.Sort(e.Before)
	for _, t := range have.Settled[e.Key] {
		if t.Generation == have.Generation(e.Key) {
			e.Item.Kind = t.Item.Kind
			e.Item.Quantity += t.Item.Quantity
			e.Said = append(e.Said, t.Reason)
		}
	}
	for _, o := range have.ByKey(e.Key) {
		if o.Found != 0 {
			e.Said = append(e.Said, o.Reason)
		}
	}
}

// judge asks every guard about each line that would buy or that a limit
// stopped, as Diff, Judge and apply do.
func (e *Explanation) judge(p *Plan, have *ledger.State, at Moment) {
	j := newJudge(p, have, at)
	run, undelivered := p.Limits.Of(policy.Run), p.Limits.Of(policy.Undelivered, unacknowledged(have)...)
	for _, a := range p.Actions {
		if a.Key == e.Key && (a.Buys() || limited[a.Code]) {
			e.ceiling(p, a)
			if a.Cap.Units > 0 {
				e.ask(policy.Order, p.Limits.Of(policy.Order), a.Estimate)
				e.ask(policy.Run, run, a.Estimate)
				for _, v := range j.accounts.Verdicts(j.counts.planned(a)) {
					e.count(v)
				}
				e.ask(policy.Undelivered, undelivered, a.Estimate)
				if j.limitedAtFirst(a) {
					e.ask(policy.FirstTime, j.atFirst(a.Handle), a.Estimate)
				}
				e.budgets(p, j, a)
				e.others(j, a, at)
			}
		}
		if a.Buys() { // what stands before it in the plan is bought before it
			run.Spend(a.Estimate)
			j.count(a)
		}
	}
	if fresh := int64(len(fresh(p.Actions))); j.limits.NewGrants > 0 && fresh <= j.limits.NewGrants && len(e.Lines) > 0 && e.Lines[0].Verb == Buy {
		e.Guards = append(e.Guards, Guard{"limits.new_grants", true, fmt.Sprintf("up to %d keys in one apply, and the plan has %d", j.limits.NewGrants, fresh)})
	}
	for _, v := range p.Violations {
		e.Guards = append(e.Guards, Guard{v.Rule, false, v.Message})
	}
}

// budgets asks the budgets of the line's campaigns, which count the highest
// price. Those that are exceeded stop the plan and are said with what does.
func (e *Explanation) budgets(p *Plan, j *judge, a Action) {
	for _, c := range j.limits.Campaigns {
		scope, asset := policy.CampaignScope(c.Name), a.Cap.Asset
		if len(c.Max) == 0 || !slices.Contains(a.Scopes, scope) {
			continue
		}
		used := j.budgetUsed(c)[asset]
		for _, before := range p.Actions {
			if before.Key == a.Key && before.Part == a.Part {
				break
			}
			if before.Buys() && before.Cap.Asset == asset && slices.Contains(before.Scopes, scope) {
				used = sum(used, before.Cap.Units)
			}
		}
		if c.Over(ton.Amount{Asset: asset, Units: used}, a.Cap) != nil {
			continue
		}
		text := fmt.Sprintf("up to %s", c.Of(asset))
		if used > 0 {
			text += fmt.Sprintf(", of which %s is used before it", ton.Amount{Asset: asset, Units: used})
		}
		e.Guards = append(e.Guards, Guard{"budget of " + c.Name, true, text + fmt.Sprintf(", and this takes up to %s", a.Cap)})
	}
}

// others asks the limits that count no money, and those of what is left.
func (e *Explanation) others(j *judge, a Action, at Moment) {
	if j.limits.Increase > 0 {
		g := Guard{"limits.increase", true, fmt.Sprintf("at most %d times what was given before", j.limits.Increase)}
		if v, over := j.increase(a); over {
			g.Allows, g.Text = false, v.reason
		}
		e.Guards = append(e.Guards, g)
	}
	if least := j.limits.Left(a.Estimate.Asset); least.Units > 0 {
		g := Guard{"limits.balance", true, fmt.Sprintf("%s is left in the wallet", least)}
		if at.Held == nil {
			g.Text += "; what it holds was not asked for, and apply asks"
		}
		if err := j.left(a, at.Held); err != nil {
			g.Allows, g.Text = false, err.Error()
		}
		e.Guards = append(e.Guards, g)
	}
	if j.limits.Slippage > 0 {
		e.Guards = append(e.Guards, Guard{"limits.slippage", true, fmt.Sprintf("an offer may be %s above the price of the plan", j.limits.Slippage)})
	}
	if a.Verb == Blocked {
		a.Verb = Buy // as it was when the rules were asked
		if a.Have > 0 {
			a.Verb = TopUp
		}
	}
	for _, s := range j.asks(a) {
		g := Guard{"rules." + s.rule.Name, !s.forbids(), s.String()}
		switch {
		case s.err == nil && !s.holds:
			g.Text = "does not speak of it: " + s.rule.When
		case g.Allows:
			g.Text = "and warns: " + g.Text
		}
		e.Guards = append(e.Guards, g)
	}
}

// OfLimit reports whether a limit, a ceiling, a budget or a rule is meant.
func (c Code) OfLimit() bool {
	return limited[c] || c == CodeNewGrants || c == CodeSlippage || c == CodeNoBudget || c == "run_limit" || c == "undelivered_limit"
}

// limited are the codes of lines that a limit or a ceiling has blocked.
var limited = map[Code]bool{
	CodeOrderLimit: true, CodeNoCeiling: true, CodePrice: true, CodeFirstTime: true, CodeDay: true, CodeMonth: true, CodePerson: true,
	CodeCampaign: true, CodeLabel: true, CodeAsset: true, CodeIncrease: true, CodeBalance: true, CodeRule: true,
}

func (e *Explanation) ceiling(p *Plan, a Action) {
	v := Guard{Name: "limits.price", Allows: a.Code != CodeNoCeiling && a.Code != CodePrice, Text: a.Reason}
	switch {
	case !v.Allows:
	case a.Item.Kind == product.TopUp:
		v.Text = "a top-up costs what it tops up by"
	case !p.Priced || a.Estimate == a.Cap:
		v.Text = fmt.Sprintf("%s may cost at most %s; its price was not asked for", a.Item, a.Cap)
	default:
		v.Text = fmt.Sprintf("%s costs %s now and may cost at most %s", a.Item, a.Estimate, a.Cap)
	}
	e.Guards = append(e.Guards, v)
}

func (e *Explanation) ask(name string, b *policy.Budget, a ton.Amount) {
	e.count(policy.Exceeded{Limit: name, Max: b.Most(a.Asset), Used: b.Used(a.Asset), Want: a})
}

// count is what a limit says that sums up.
func (e *Explanation) count(v policy.Exceeded) {
	g := Guard{Name: "limits." + v.Limit, Allows: !v.Over()}
	switch {
	case !g.Allows:
		g.Text = v.Error()
	case v.Used.Units == 0:
		g.Text = fmt.Sprintf("up to %s, and this takes %s", v.Allowance(), v.Want)
	default:
		g.Text = fmt.Sprintf("up to %s, of which %s is used before it, and this takes %s", v.Allowance(), v.Used, v.Want)
	}
	e.Guards = append(e.Guards, g)
}

// next is what a person can do if the line is not what was meant.
func next(a Action) string {
	at := ""
	if a.Place != "" {
		at = " at " + a.Place
	}
	switch a.Code {
	case CodeHeld:
		return fmt.Sprintf("say how it ended: fragplan ledger resolve %s -as delivered|returned -reason TEXT", a.Key)
	case CodeUnclaimed, CodeNotSold, CodeHandle, CodeBound, CodeOneWinner, CodeFirstTime,
		CodeDay, CodeMonth, CodePerson, CodeCampaign, CodeLabel, CodeAsset, CodeIncrease, CodeBalance, CodeRule:
		return a.Reason
	case CodeOffered:
		return a.Reason
	case CodePremiumRuns:
		return "nothing is to be done: a later apply buys it, when no other Premium of this person is under way"
	case CodeOverGranted:
		return fmt.Sprintf("write %d%s, or, if less is meant, say why: settled: {%s: \"…\"}; what was given stays given", a.Have, at, a.Key)
	case CodeSettled:
		return fmt.Sprintf("to give it all the same: fragplan reissue %s -reason TEXT", a.Key)
	case CodeMovedAway, CodeImport:
		return a.Reason
	case CodeNoCeiling:
		return fmt.Sprintf("write what it may cost under limits.price in %s", spec.MainFile)
	case CodeReissued:
		return "an apply of a saved plan, with its digest, or of somebody who says yes buys it; to prevent that, take it out" + at + " before"
	case CodePrice, CodeOrderLimit:
		return "wait for a better price, or raise that limit in " + spec.MainFile
	}
	switch a.Verb {
	case Moved:
		return "apply notes the new name; it buys nothing for that"
	case Buy, TopUp:
		return "apply buys it; to prevent that, take it out" + at + " before"
	case Unknown:
		return "fragplan apply settles it first"
	case Retire:
		return fmt.Sprintf("to give it once more: write it again, and fragplan reissue %s -reason TEXT", a.Key)
	case NoOp:
		return fmt.Sprintf("to give more, write a larger amount%s; to give it once more: fragplan reissue %s -reason TEXT", at, a.Key)
	}
	return ""
}
