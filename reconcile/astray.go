package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
)

// ErrAstray: Fragment lists somebody else for what was bought.
var ErrAstray = errors.New("Fragment lists somebody else for what was bought, so nothing more is bought")

// astray holds orders that were handed over, are not listed for the person that
// they were for, and may be what is listed for somebody whom nothing here was
// bought for. A token that is another's shows itself in this way alone. It
// reports false if the run is over.
func (s *State) astray(kind product.Kind, list List) bool {
	for _, e := range strays(s.book, kind, list, s.aliases()) {
		o := s.book.Orders[e.Order]
		if !s.record(e) {
			return false
		}
		s.result.Bought = slices.DeleteFunc(s.result.Bought, func(id ledger.OrderID) bool { return id == o.ID })
		s.noticeOrder("held", o)
		s.result.Problems = append(s.result.Problems, Problem{o.Key, string(CodeAstray), e.Reason})
		s.stop(fmt.Errorf("%s: %w", o.Key, ErrAstray))
	}
	return true
}

// aliases are other user names of people, by the one that they are bought for:
// those that are written, and those under which somebody has said that it came.
func (s *State) aliases() map[string][]string {
	names := map[string][]string{}
	for _, a := range s.plan.Actions {
		for _, was := range a.Was {
			names[a.Handle] = append(names[a.Handle], ledger.Handle(was))
		}
	}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Astray() && o.Phase == ledger.Delivered {
			names[o.Handle] = append(names[o.Handle], o.Row.Handle)
		}
	}
	return names
}

// strays pairs what is listed for nobody that anything was bought for with
// purchases that are listed for nobody, by item, price and time. Where a row
// could not be read it may be the missing one, and nothing is concluded.
func strays(book *ledger.State, kind product.Kind, list List, aliases map[string][]string) (events []ledger.OrderHeld) {
	if list.Unread > 0 {
		return nil
	}
	all := claims(book, kind)
	rows := slices.DeleteFunc(slices.Clone(list.Rows), func(r ledger.Row) bool {
		return book.RowUsed(r) || slices.ContainsFunc(all, func(c claim) bool { return c.fits(r) })
	})
	for _, c := range all {
		o := c.order
		if o == nil || o.Invoice == nil || o.Phase != ledger.Acknowledged && (o.Phase != ledger.Delivered || o.Evidence != ledger.EvidencePage) {
			continue
		}
		// It may be listed, also in a row that is another order's evidence: two
		// purchases of a second have equal rows, which count once.
		if slices.ContainsFunc(list.Rows, c.fits) {
			continue
		}
		i := slices.IndexFunc(rows, func(r ledger.Row) bool {
			return c.from <= r.Time && r.Time <= c.until && r.Of(c.item, c.price) && !slices.Contains(aliases[o.Handle], r.Handle)
		})
		if i < 0 {
			continue
		}
		r := rows[i]
		rows = slices.DeleteFunc(rows, func(other ledger.Row) bool { return other == r })
		events = append(events, ledger.OrderHeld{Order: o.ID, Row: r, Reason: fmt.Sprintf("Fragment lists %s for @%s at %s, and none for @%s",
			r.Item, r.Handle, time.Unix(int64(r.Time), 0).UTC().Format(time.RFC3339), o.Handle)})
	}
	return events
}

// gone stops a plan as long as nobody has looked at what went to somebody else:
// the session may be in another's hands, and the next purchase would go there
// too.
func (d *differ) gone() (found []Violation) {
	for id := ledger.OrderID(1); id <= d.have.LastOrder; id++ {
		if o := d.have.Orders[id]; o != nil && o.Phase == ledger.Held && o.Astray() {
			found = append(found, Violation{Rule: string(CodeAstray), Message: fmt.Sprintf("order %d for %s: %s. Look at fragment.com what was bought and for whom, and log out everywhere if it was nobody you know. If that is another user name of the same person, or they have it all the same: fragplan ledger resolve %s -as delivered -reason TEXT. If it is to be bought again: -as returned",
				o.ID, o.Key, o.Reason, o.Key)})
		}
	}
	return found
}
