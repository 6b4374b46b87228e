package ledger_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// A name that reads the same is the same, and one that only looks the same is
// another.
func TestNormalName(t *testing.T) {
	for _, c := range []struct{ is, name, want string }{
		{"decomposed letters", "Ame\u0301lie", "Am\u00e9lie"},
		{"spaces around and between", "  Ann \t\n Petrova ", "Ann Petrova"},
		{"a hard space", "Ann\u00a0P.", "Ann P."},
		{"no UTF-8", "Ann\xff", "Ann\ufffd"},
		{"what can't be seen", "Ann\u200b", "Ann\u200b"},
		{"a letter of another script", "\u0410nn", "\u0410nn"},
		{"no name", " \n", ""},
	} {
		if got := ledger.NormalName(c.name); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.is, c.name, got, c.want)
		}
	}
}

// A normal name is valid, bounded, in NFC and one line's worth of words, and it
// stays as it is.
func FuzzNormalName(f *testing.F) {
	for _, s := range []string{"Ann P.", "Ame\u0301lie", strings.Repeat("\U0001f600", 400), strings.Repeat("a\u0301", 2000), "\xff\xfe", "\x1b[2J\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := ledger.NormalName(s)
		switch {
		case !utf8.ValidString(n), len(n) > 1024, !norm.NFC.IsNormalString(n), strings.ContainsAny(n, "\n\r\t\u0085\u2028"):
			t.Errorf("%q becomes %q", s, n)
		case ledger.NormalName(n) != n:
			t.Errorf("%q becomes %q and then %q", s, n, ledger.NormalName(n))
		}
	})
}

// A picture is known by its path: mirrors and signatures come and go.
func TestPhotoHash(t *testing.T) {
	same := ledger.PhotoHash("https://cdn4.cdn-telegram.org/file/a.jpg")
	if same.IsZero() || ledger.PhotoHash("https://cdn1.cdn-telegram.org/file/a.jpg?sig=1") != same {
		t.Error("the mirror or the signature counts")
	}
	if ledger.PhotoHash("https://cdn4.cdn-telegram.org/file/b.jpg") == same {
		t.Error("another picture has the same hash")
	}
	for _, none := range []string{"", "https://cdn4.cdn-telegram.org", "%zz"} {
		if ledger.PhotoHash(none) != (ton.Hash{}) {
			t.Errorf("%q has a hash", none)
		}
	}
}

// A pin stands with a quoted order, goes by the handle, and says something new.
func TestPins(t *testing.T) {
	s := ledger.NewState()
	apply := func(e ledger.Event) error { t.Helper(); return s.Apply(e) }
	ok := func(e ledger.Event) {
		t.Helper()
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	pin := func(id ledger.OrderID, name string) ledger.PersonPinned {
		return ledger.PersonPinned{Order: id, Identity: ledger.Identity{Name: name}, Reason: ledger.PinFirst}
	}
	ok(ledger.OrderReserved{Order: 1, Key: "g/ann", Generation: 1, Part: 1, Person: "ann", Handle: "ann_p", Cap: ton.TON.Amount(), Reserve: ton.TON.Amount()})
	if apply(pin(1, "Ann")) == nil {
		t.Error("pinned without an offer")
	}
	ok(ledger.OrderQuoted{Order: 1, Invoice: ledger.Invoice{N: 1, Ref: "r1", Price: ton.Nano(0).Amount()}})
	if apply(pin(1, "Ann ")) == nil {
		t.Error("pinned to a name that is not normal")
	}
	if apply(ledger.PersonPinned{Order: 1}) == nil {
		t.Error("pinned without a reason")
	}
	ok(pin(1, "Ann"))
	if apply(pin(1, "Ann")) == nil {
		t.Error("pinned twice alike")
	}
	ok(pin(1, "Anna"))
	ok(ledger.PersonPinned{Order: 1, Identity: ledger.Identity{Name: "Anne"}, Reason: ledger.PinChanged})
	confirmed := ledger.PersonPinned{Order: 1, Identity: ledger.Identity{Name: "Anne"}, Reason: ledger.PinConfirmed}
	ok(confirmed)
	if apply(confirmed) == nil {
		t.Error("confirmed twice alike")
	}
	if got := s.Pins["ann_p"].Vouched; got != "Anne" {
		t.Errorf("confirmed, and %q is vouched for", got)
	}
	ok(ledger.PersonPinned{Order: 1, Identity: ledger.Identity{Name: "Eve"}, Reason: ledger.PinChanged})
	if p, known := s.Pins.Of("ann_q", []string{"@Ann_P"}); !known || p.Name != "Eve" || p.Vouched != "Anne" || p.N != 5 || p.Order != 1 || p.Since != 1 {
		t.Errorf("of an earlier handle: %+v, %v", p, known)
	}
	if _, known := s.Pins.Of("bob", nil); known {
		t.Error("somebody else is pinned")
	}
}
