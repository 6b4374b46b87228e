package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/policy"
)

// Only leaves the lines of a plan that one of target names, or all of them if
// there is none, and that none of exclude names. A name is a key, a grant, a
// beginning of a key with * behind it, or a label with its value (season=winter).
// What the plan as a whole must not do, it must not do in part either.
func (p *Plan) Only(target, exclude []string) error {
	if len(target)+len(exclude) == 0 {
		return nil
	}
	used := map[string]bool{}
	named := func(list []string, a Action) (any bool) {
		for _, name := range list {
			if names(name, a) {
				used[name], any = true, true
			}
		}
		return any
	}
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool {
		in, out := len(target) == 0 || named(target, a), named(exclude, a)
		if in && !out {
			return false
		}
		p.Partial = true
		return true
	})
	for _, name := range slices.Concat(target, exclude) {
		if !used[name] {
			return fmt.Errorf("%q names no line of the plan: give a key, a grant, thanks/* or a label such as season=winter", name)
		}
	}
	return nil
}

// leaveTo leaves only purchases under keys for which another plan buys something.
// The other lines stay, for they say what counts for whom.
func (p *Plan) leaveTo(other *Plan) {
	buys := map[string]bool{}
	for _, a := range other.Actions {
		buys[a.Key] = buys[a.Key] || a.Buys()
	}
	for i := range p.Actions {
		if a := &p.Actions[i]; a.Buys() && !buys[a.Key] {
			a.Verb = NoOp
		}
	}
}

func names(name string, a Action) bool {
	if head, ok := strings.CutSuffix(name, "*"); ok {
		return strings.HasPrefix(a.Key, head)
	}
	return name == a.Key || name == grantOf(a.Key) || slices.Contains(a.Scopes, policy.Labeled+" "+name)
}

// WithinBudgets blocks what no budget of a campaign allows, for a run that
// nobody watches. Judge comes after it: what is left out counts for no limit.
func (p *Plan) WithinBudgets() {
	budgeted := map[string]bool{}
	for _, c := range p.Limits.Campaigns {
		budgeted[policy.CampaignScope(c.Name)] = len(c.Max) > 0
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Buys() && !slices.ContainsFunc(a.Scopes, func(s string) bool { return budgeted[s] }) {
			a.Verb, a.Code = Blocked, CodeNoBudget
			a.Reason = fmt.Sprintf("no campaign budget allows it, so apply -within-budget leaves it: write campaign: and budget: on the top of its file, or apply it with a person who looks (%s)", a.Estimate)
		}
	}
}

// Unasked blocks what is given once more because somebody said so, for a run
// whose plan nobody has looked at: what was paid twice by a slip can't come
// back. Judge comes after it.
func (p *Plan) Unasked() {
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Buys() && a.Code == CodeReissued {
			a.Verb, a.Code = Blocked, CodeUnasked
			a.Reason += "; that waits for somebody who has looked at its plan: fragplan plan -out FILE, then fragplan apply FILE"
		}
	}
}
