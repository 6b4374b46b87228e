package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// An Explanation says of one key why the plan does with it what it does.
type Explanation struct {
	Key      string
	Written  *spec.Occurrence // nil if nothing of that name is written
	Lines    []Action         // the plan's, none if the key is unknown everywhere
	Item     product.Item     // what was given or is on its way, of the newest generation
	InFlight int64            // the part of Item that a payment under way is for
	Guards   []Guard          // each that was asked, in the order of asking
	Next     string           // the edit or the command that would change the outcome
}

// A Guard is what one limit or rule says of a purchase.
type Guard struct {
	Name   string // "limits.order"
	Allows bool
	Text   string
}

// Explain takes apart what the plan, made of want and have, decided for a key.
// now says which month is counted, in Unix seconds; an apply asks the chain.
func Explain(p *Plan, want []spec.Occurrence, have *ledger.State, key string, now uint32) Explanation {
	e := Explanation{Key: key}
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
	e.judge(p, have, now)
	if len(e.Lines) > 0 {
		e.Next = next(e.Lines[0])
	}
	return e
}

// judge asks every guard about each line that would buy or that a limit
// stopped, as Diff and apply do.
func (e *Explanation) judge(p *Plan, have *ledger.State, now uint32) {
	run, month := p.Limits.Of(policy.Run), p.Limits.Of(policy.Month, spentInMonth(have, now)...)
	undelivered := p.Limits.Of(policy.Undelivered, unacknowledged(have)...)
	who, first := peopleOf(have), map[string][]ton.Amount{}
	for _, a := range p.Actions {
		if a.Key == e.Key && (a.Buys() || limited[a.Code]) {
			e.ceiling(p, a)
			if a.Cap.Units > 0 {
				e.ask(policy.Order, p.Limits.Of(policy.Order), a.Estimate)
				e.ask(policy.Run, run, a.Estimate)
				e.ask(policy.Month, month, a.Estimate)
				e.ask(policy.Undelivered, undelivered, a.Estimate)
				if len(p.Limits.FirstTime) > 0 && a.Confirmed == "" && !who.known(a.Handle, a.Was) {
					e.ask(policy.FirstTime, p.Limits.Of(policy.FirstTime, slices.Concat(who.open[a.Handle], first[a.Handle])...), a.Estimate)
				}
			}
		}
		if a.Buys() { // what stands before it in the plan is bought before it
			run.Spend(a.Estimate)
			month.Spend(a.Estimate)
			first[a.Handle] = append(first[a.Handle], a.Estimate)
		}
	}
	for _, v := range p.Violations {
		e.Guards = append(e.Guards, Guard{v.Rule, false, v.Message})
	}
}

// limited are the codes of lines that a limit or a ceiling has blocked.
var limited = map[Code]bool{CodeOrderLimit: true, CodeNoCeiling: true, CodePrice: true, CodeFirstTime: true}

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
	v := Guard{Name: "limits." + name, Allows: true}
	err := b.Check(a)
	switch used := b.Used(a.Asset); {
	case err != nil:
		v.Allows, v.Text = false, err.Error()
	case used.Units == 0:
		v.Text = fmt.Sprintf("up to %s, and this takes %s", b.Most(a.Asset), a)
	default:
		v.Text = fmt.Sprintf("up to %s, of which %s is used before it, and this takes %s", b.Most(a.Asset), used, a)
	}
	e.Guards = append(e.Guards, v)
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
	case CodeUnclaimed, CodeNotSold, CodeHandle, CodeBound, CodeOneWinner, CodeFirstTime:
		return a.Reason
	case CodeOffered:
		return a.Reason
	case CodePremiumRuns:
		return "nothing is to be done: a later apply buys it, when no other Premium of this person is under way"
	case CodeOverGranted:
		return fmt.Sprintf("write %d%s, or leave it: what was given stays given", a.Have, at)
	case CodeNoCeiling:
		return fmt.Sprintf("write what it may cost under limits.price in %s", spec.MainFile)
	case CodePrice, CodeOrderLimit:
		return "wait for a better price, or raise that limit in " + spec.MainFile
	}
	switch a.Verb {
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
