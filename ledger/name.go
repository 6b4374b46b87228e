package ledger

import (
	"cmp"
	"fmt"
)

// Now is the name that a key has now: what it was moved to, or itself.
func (s *State) Now(key string) string { return cmp.Or(s.Names[key], key) }

// Known reports whether anything is recorded under a key that it did not have
// under another name only.
func (s *State) Known(key string) bool {
	return len(s.keys[key]) > 0 || len(s.Settled[key]) > 0
}

// rename gives a key another name, with all that is recorded of it. The name
// that it had is used up: nothing is ever bought under it, unless the key is
// moved back.
func (s *State) rename(e KeyMoved) error {
	switch now := s.Names[e.To]; {
	case e.From == e.To || e.From == "" || e.To == "":
		return fmt.Errorf("%q to %q: %w", e.From, e.To, ErrTransition)
	case !s.Known(e.From):
		return fmt.Errorf("nothing is recorded under %s: %w", e.From, ErrTransition)
	case s.Known(e.To):
		return fmt.Errorf("%s has a history of its own: %w", e.To, ErrTransition)
	case now != "" && now != e.From:
		return fmt.Errorf("%s is an earlier name of %s: %w", e.To, now, ErrTransition)
	}
	for _, id := range s.keys[e.From] {
		s.Orders[id].Key = e.To
	}
	move(s.keys, e.From, e.To)
	move(s.Reissues, e.From, e.To)
	move(s.Settled, e.From, e.To)
	for old, now := range s.Names {
		if now == e.From {
			s.Names[old] = e.To
		}
	}
	delete(s.Names, e.To)
	s.Names[e.From] = e.To
	return nil
}

func move[V any](m map[string]V, from, to string) {
	if v, ok := m[from]; ok {
		delete(m, from)
		m[to] = v
	}
}
