package storetest

import "testing"

// An offer keeps which session it was made in, and never changes it: the
// confirmation goes there, also in a later run.
func (k kit) OfferKeepsItsSession(t *testing.T) {
	s, path := k.locked(t)
	night := quoted(1, 1)
	night.Invoice.Session = "night"
	put(t, s, reserved(1), night, reserved(2), quoted(2, 1))
	state := load(t, s)
	if got := state.Orders[1].Invoice.Session; got != "night" {
		t.Errorf("the session became %q", got)
	}
	if got := state.Orders[2].Invoice.Session; got != "" {
		t.Errorf("the only session became %q", got)
	}
	refuses(t, path, `UPDATE invoice SET session = 'day'`, "an invoice is never changed")
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
