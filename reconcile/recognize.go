package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/spec"
)

// Recognize says whom found transfers were for, where the market's lists leave
// no doubt; now is the time of a proven block, in Unix seconds, up to which the
// book knows all that its wallets did (see [Knows]). A wrong answer would have
// somebody's gift bought again, so all of this has to hold:
//
//   - every row of the list could be read;
//   - a group of transfers and rows (see match) has as many rows as transfers,
//     and no other purchase may own one of the rows;
//   - the hour after the transfers is over, so that no row is missing only
//     because it is not there yet;
//   - each row names somebody for whom exactly one key gives this product, and
//     no date;
//   - with all that is recognized, each such key has exactly what is written,
//     and nothing of it waits for a person, may still be paid, or was issued
//     again.
//
// Everything else stays open until a person says.
func Recognize(book *ledger.State, want []spec.Occurrence, lists map[product.Kind]List, now uint32) []ledger.Event {
	r := recognizer{book: book, want: want}
	for _, kind := range []product.Kind{product.Stars, product.Premium, product.TopUp} {
		list, known := lists[kind]
		if !known || list.Unread > 0 {
			continue
		}
		for _, group := range match(book, claims(book, kind), list.Rows) {
			if g, ok := r.named(group, now); ok {
				r.groups = append(r.groups, g)
			}
		}
	}
	// A group that falls may leave a key short, and with it other groups.
	for n := -1; n != len(r.groups); {
		n = len(r.groups)
		sums := map[string]int64{}
		for _, g := range r.groups {
			for _, m := range g {
				sums[m.key.Key] += m.found.Item.Quantity
			}
		}
		r.groups = slices.DeleteFunc(r.groups, func(g []recognized) bool {
			return slices.ContainsFunc(g, func(m recognized) bool { return book.Given(m.key.Key)+sums[m.key.Key] != m.key.Item.Quantity })
		})
	}
	return r.events()
}

type recognizer struct {
	book   *ledger.State
	want   []spec.Occurrence
	groups [][]recognized
}

// recognized is a found transfer with its row and the key that it was for.
type recognized struct {
	found *ledger.Found
	row   ledger.Row
	key   spec.Occurrence
	of    int // such transfers in its group
}

// named finds the key of each transfer of a group. It reports false if one is
// in doubt.
func (r *recognizer) named(group []pair, now uint32) (list []recognized, ok bool) {
	for _, p := range group {
		f := p.claim.found
		if f == nil || !f.Open() || now < f.Time || now-f.Time < near {
			return nil, false
		}
		key, ok := r.keyOf(p.row)
		if !ok {
			return nil, false
		}
		list = append(list, recognized{f, p.row, key, len(group)})
	}
	return list, true
}

// keyOf is the only key under which a row's recipient is given its product.
func (r *recognizer) keyOf(row ledger.Row) (key spec.Occurrence, ok bool) {
	for _, o := range r.want {
		named := o.Handle == row.Handle || slices.ContainsFunc(o.Was, func(was string) bool { return strings.TrimPrefix(was, "@") == row.Handle })
		if o.Item.Kind != row.Item.Kind || !named {
			continue
		}
		if ok || o.Rule != "" || o.Date != 0 {
			return spec.Occurrence{}, false // which of them, or of its dates, is a person's to say
		}
		key, ok = o, true
	}
	if !ok || r.book.Generation(key.Key) > 1 {
		return spec.Occurrence{}, false
	}
	for _, o := range r.book.ByKey(key.Key) {
		if o.Phase.Live() || o.Phase == ledger.Held || o.Phase.Spent() && o.Item.Kind != key.Item.Kind {
			return spec.Occurrence{}, false
		}
	}
	return key, true
}

func (r *recognizer) events() (events []ledger.Event) {
	next, given, part := r.book.LastOrder, map[string]int64{}, map[string]int{}
	for _, g := range r.groups {
		for _, m := range g {
			key := m.key.Key
			if _, begun := part[key]; !begun {
				given[key], part[key] = r.book.Given(key), r.book.NextPart(key)
			}
			next++
			events = append(events, ledger.FoundAssigned{
				Found: m.found.ID, Order: next, Key: key, Generation: r.book.Generation(key), Part: part[key], Prior: given[key],
				Person: m.key.Person, Handle: m.row.Handle, Single: m.key.Single, Row: m.row, Reason: m.reason(),
			})
			given[key] += m.found.Item.Quantity
			part[key]++
		}
	}
	return events
}

func (m recognized) reason() string {
	text := fmt.Sprintf("Fragment lists %s for @%s at %s", m.row.Item, m.row.Handle, time.Unix(int64(m.row.Time), 0).UTC().Format(time.RFC3339))
	if m.of > 1 {
		text += fmt.Sprintf(", one of %d that were found and are listed", m.of)
	}
	return text
}
