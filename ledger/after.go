package ledger

import (
	"fmt"
	"maps"
)

// After is the state as it would be after some moves of keys and rules of
// grants; the state itself stays as it is. Other events are refused.
func (s *State) After(events ...Event) (*State, error) {
	if len(events) == 0 {
		return s, nil
	}
	next := *s
	next.Orders, next.keys, next.Reissues = maps.Clone(s.Orders), maps.Clone(s.keys), maps.Clone(s.Reissues)
	next.Names, next.Settled, next.Rules = maps.Clone(s.Names), maps.Clone(s.Settled), maps.Clone(s.Rules)
	for _, e := range events {
		switch e := e.(type) {
		case KeyMoved:
			for _, id := range next.keys[e.From] {
				o := *next.Orders[id]
				next.Orders[id] = &o
			}
		case RuleSeen:
		default:
			return nil, fmt.Errorf("%s: %w", e.kind(), ErrTransition)
		}
		if err := next.Apply(e); err != nil {
			return nil, err
		}
	}
	return &next, nil
}
