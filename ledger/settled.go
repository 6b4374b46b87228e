package ledger

import (
	"fmt"

	"github.com/fragplan/fragplan/product"
)

// A Settlement is a person's statement that something was given to a key
// otherwise, of which this ledger has no payment. With a quantity of zero it
// says that what was given is meant, although less is written.
type Settlement struct {
	Generation int
	Person     string
	Handle     string
	Item       product.Item
	Reason     string
}

// SettledFor is what was given otherwise to a key's current generation.
func (s *State) SettledFor(key string) (sum int64) {
	generation := s.Generation(key)
	for _, t := range s.Settled[key] {
		if t.Generation == generation {
			sum += t.Item.Quantity
		}
	}
	return sum
}

// settleKey takes a statement. An order that may still be paid, or that waits
// for a person, is decided first: what was given is not known before.
func (s *State) settleKey(e KeySettled) error {
	switch {
	case e.Key == "" || e.Reason == "" || e.Item.Quantity < 0 || s.Names[e.Key] != "":
		return fmt.Errorf("%q: %w", e.Key, ErrTransition)
	}
	for _, id := range s.keys[e.Key] {
		if o := s.Orders[id]; o.Phase.Live() || o.Phase == Held {
			return fmt.Errorf("%s: order %d is %s: %w", e.Key, id, o.Phase, ErrTransition)
		}
	}
	if e.Generation != s.Generation(e.Key) || e.Prior != s.Given(e.Key) {
		return fmt.Errorf("%s: %d was given when this was decided, %d now: %w", e.Key, e.Prior, s.Given(e.Key), ErrPrior)
	}
	s.Settled[e.Key] = append(s.Settled[e.Key], Settlement{e.Generation, e.Person, e.Handle, e.Item, e.Reason})
	return nil
}
