package ledger

import "fmt"

// Rule is the schedule of a recurring grant, since the day on which it was
// first acted upon. The ledger keeps it so that an edited rule makes no dates
// in the past: which dates a rule made while it held is known for ever.
type Rule struct {
	Text  string // as package schedule prints it; opaque here
	Since int64  // days from 1970-01-01; 0 for a grant's first
}

// see takes a grant's newest rule.
func (s *State) see(e RuleSeen) error {
	rules := s.Rules[e.Grant]
	switch n := len(rules); {
	case e.Grant == "" || e.Rule == "" || e.Since < 0:
		return fmt.Errorf("rule %q of %q: %w", e.Rule, e.Grant, ErrTransition)
	case n == 0 && e.Since != 0, n > 0 && (e.Since < 1 || e.Since < rules[n-1].Since || e.Rule == rules[n-1].Text):
		return fmt.Errorf("rule %q of %s since day %d: %w", e.Rule, e.Grant, e.Since, ErrTransition)
	}
	s.Rules[e.Grant] = append(rules, Rule{e.Rule, e.Since})
	return nil
}
