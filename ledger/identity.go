package ledger

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/fragplan/fragplan/ton"
)

// Identity is how Fragment shows the person behind a handle. The chain says
// nothing of persons, so this is all by which it can be noticed that a handle
// leads to somebody else.
type Identity struct {
	Name  string   `json:"name"`           // the display name, as NormalName makes it; hostile
	Photo ton.Hash `json:"photo,omitzero"` // of the picture's place, as PhotoHash makes it; zero if there is none
}

// A Pin is the identity with which a handle was bought for the last time.
type Pin struct {
	Identity
	N      int     // of the handle, from 1
	Order  OrderID // with whose offer it was recorded
	Since  OrderID // with whose offer the handle's first pin was
	Reason string  // PinFirst, PinChanged or PinConfirmed

	// Vouched is the display name of the first use, or the one that somebody has
	// confirmed since. One that changed by itself is known, and vouched for by
	// nobody.
	Vouched string
}

// Next is the pin that follows p, which is the zero Pin before the first.
func (p Pin) Next(e PersonPinned) Pin {
	next := Pin{Identity: e.Identity, N: p.N + 1, Order: e.Order, Since: cmp.Or(p.Since, e.Order), Reason: e.Reason, Vouched: e.Name}
	if e.Reason == PinChanged {
		next.Vouched = p.Vouched
	}
	return next
}

// Why a handle has its pin.
const (
	PinFirst     = "first use"
	PinChanged   = "changed since the last use"
	PinConfirmed = "confirmed in YAML"
)

// maxName bounds a display name in bytes. Telegram's own longest, 129
// characters, fits whatever they are.
const maxName = 1024

// NormalName makes display names comparable: valid UTF-8 in the normal form
// NFC, runs of spaces as one, of bounded length. What can't be seen is kept,
// because a name that differs in it is another name.
func NormalName(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), 4*maxName)], "\uFFFD") // spaces may go
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if len(s) <= maxName {
		return s
	}
	end := maxName
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// PhotoHash hashes the path of a picture's address. The host is one of several
// mirrors, and a query may be a signature that expires. Nobody has seen how
// long a path stays the same, so another hash alone is never held against
// somebody.
func PhotoHash(address string) ton.Hash {
	_, rest, _ := strings.Cut(address, "://")
	_, path, found := strings.Cut(rest, "/")
	if !found {
		return ton.Hash{}
	}
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	return sha256.Sum256([]byte("/" + path))
}

// pin records how Fragment showed the person when an order was quoted.
func (s *State) pin(e PersonPinned) error {
	o := s.Orders[e.Order]
	if o == nil || o.Phase != Quoted || e.Reason == "" || e.Identity.Name != NormalName(e.Identity.Name) {
		return fmt.Errorf("order %d: %w", e.Order, ErrTransition)
	}
	last, known := s.Pins[o.Handle]
	// A name that changed by itself may be confirmed as it is.
	if known && last.Identity == e.Identity && (e.Reason != PinConfirmed || last.Reason == PinConfirmed) {
		return fmt.Errorf("@%s is pinned so already: %w", o.Handle, ErrTransition)
	}
	s.Pins[o.Handle] = last.Next(e)
	return nil
}

// Pins are the newest pins, by handle in lower case.
type Pins map[string]Pin

// Handle makes a user name comparable: in lower case, without "@".
func Handle(s string) string { return strings.ToLower(strings.TrimPrefix(s, "@")) }

// Of finds the pin of a person by the handle, or else by one that the person
// had earlier, in the order of was.
func (p Pins) Of(handle string, was []string) (Pin, bool) {
	for _, h := range append([]string{handle}, was...) {
		if pin, ok := p[Handle(h)]; ok {
			return pin, true
		}
	}
	return Pin{}, false
}
