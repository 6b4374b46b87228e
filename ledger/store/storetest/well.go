package storetest

import (
	"testing"

	"github.com/fragplan/fragplan/ledger"
)

// A silence is told once: it begins with a run that ended well, and only the
// next such run ends it.
func (k kit) ASilenceIsToldOnce(t *testing.T) {
	s, path := k.locked(t)
	for _, e := range []ledger.Event{ledger.SilenceTold{}, ledger.SilenceTold{Since: 5}, ledger.AllWell{}, ledger.AllWell{Time: -1}} {
		refused(t, s, ledger.ErrTransition, e)
	}
	put(t, s, ledger.AllWell{Time: 5})
	refused(t, s, ledger.ErrTransition, ledger.SilenceTold{Since: 4})
	put(t, s, ledger.SilenceTold{Since: 5})
	refused(t, s, ledger.ErrTransition, ledger.SilenceTold{Since: 5})
	if got, want := load(t, s).Well, (ledger.Well{Time: 5, Told: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	put(t, s, ledger.AllWell{Time: 5}, ledger.SilenceTold{Since: 5}, ledger.AllWell{Time: 3})
	if got, want := load(t, s).Well, (ledger.Well{Time: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range []struct{ statement, reason string }{
		{`UPDATE well SET time = 4, told = 1`, "told after it has begun"},
		{`DELETE FROM well`, "never deleted"},
		{`INSERT INTO well VALUES (2, 1, 0)`, "CHECK constraint failed|violates check constraint"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
