package storetest

import (
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// Any text of UTF-8 without NUL is read back as it was, from the tables and from
// the log, and every other one is refused, with nothing of its batch written:
// what one store could hold and another could not is in neither.
func (k kit) TextsAreReadBack(t *testing.T) {
	s, _ := k.locked(t)
	names := map[string]string{}
	for i, name := range []string{"Ann \U0001F60A\U0001D49C\U0010FFFF", "\uFFFD", `\u0000 \ufffd \\`, "a\nb\t\x01\x7f", "\u202eevil\u2028<&>", "O'Neil; --", "\u200b", "e\u0301"} {
		id := i + 1
		quote := quoted(id, 1)
		quote.Invoice.Name = name
		order := reserved(id)
		order.Handle = order.Person
		pin := ledger.PersonPinned{Order: ledger.OrderID(id), Identity: ledger.Identity{Name: ledger.NormalName(name), Photo: ton.Hash{7}}, Reason: name}
		put(t, s, order, quote, pin, ledger.OrderReleased{Order: order.Order, Reason: name})
		names[order.Handle] = name
	}
	next := len(names) + 1
	before, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"\x00", "a\x00b", `\` + "\x00", "\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"} {
		quote := quoted(next, 1)
		quote.Invoice.Name = name
		refused(t, s, ledger.ErrText, reserved(next), quote)
		refused(t, s, ledger.ErrText, reserved(next), ledger.OrderReleased{Order: ledger.OrderID(next), Reason: name})
	}
	if after, err := s.Verify(t.Context()); err != nil || after != before {
		t.Errorf("the ledger ended with %v and ends with %v: %v", before, after, err)
	}
	state, err := s.LoadFull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for handle, name := range names {
		if got := state.Pins[handle].Name; got != ledger.NormalName(name) {
			t.Errorf("%q became %q", ledger.NormalName(name), got)
		}
	}
	for _, o := range state.Orders {
		if want := names[o.Handle]; o.Reason != want {
			t.Errorf("%q became %q", want, o.Reason)
		}
	}
	put(t, s, reserved(next)) // and it goes on
}
