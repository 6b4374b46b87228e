package reconcile

import (
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/rule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A ruling is what one rule says of a line.
type ruling struct {
	rule  rule.Rule
	holds bool
	err   error // it can't be judged, so the line must not be bought
}

// forbids reports whether the line must not be bought.
func (s ruling) forbids() bool { return s.err != nil || s.holds && s.rule.Deny != "" }

func (s ruling) String() string {
	switch {
	case s.err != nil:
		return s.err.Error()
	case s.rule.Deny != "":
		return s.rule.Deny
	}
	return s.rule.Warn
}

// asks has every rule judge a line.
func (j *judge) asks(a Action) (list []ruling) {
	if len(j.rules) == 0 {
		return nil
	}
	f := j.facts(a)
	for _, r := range j.rules {
		holds, err := r.Holds(f)
		list = append(list, ruling{r, holds, err})
	}
	return list
}

// obeys applies the rules to a line: the first that denies it is its verdict, and
// the others that speak of it are warnings.
func (j *judge) obeys(a *Action) (verdict, bool) {
	for _, s := range j.asks(*a) {
		switch {
		case s.forbids():
			return verdict{Blocked, CodeRule, fmt.Sprintf("rule %s: %s. If it is meant, change the grant, or the rule under rules: in %s in a reviewed commit", s.rule.Name, strings.TrimSuffix(s.String(), "."), spec.MainFile)}, true
		case s.holds:
			a.Warn = append(a.Warn, fmt.Sprintf("rule %s: %s", s.rule.Name, s))
		}
	}
	return verdict{}, false
}

func (j *judge) facts(a Action) rule.Facts {
	f := rule.Facts{
		Key: a.Key, Grant: grantOf(a.Key), Person: a.Person, Handle: a.Handle, Product: string(a.Item.Kind), Quantity: a.Item.Quantity,
		Want: a.Want, Have: a.Have, New: a.Verb == Buy, First: !j.people.known(a.Handle, a.Was),
		Labels: map[string]string{}, Date: dateOf(a.Key).String(), Reason: a.Why,
	}
	if a.Estimate.Asset == ton.AssetUSDT {
		f.CostUSDT, f.MaxUSDT = a.Estimate.Units, a.Cap.Units
	} else {
		f.CostTON, f.MaxTON = a.Estimate.Units, a.Cap.Units
	}
	for _, s := range a.Scopes {
		if name, ok := strings.CutPrefix(s, policy.CampaignScope("")); ok {
			f.Campaign = name
		}
	}
	for _, l := range a.Labels {
		f.Labels[l.Name] = l.Value
	}
	return f
}
