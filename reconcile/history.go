package reconcile

import (
	"cmp"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// List is what the market lists of what its account bought. That something is
// not listed says nothing.
type List struct {
	Rows   []ledger.Row
	Unread int // further rows, which could not be read
}

// A claim is a purchase that was paid and has no row yet, and what a row of it
// would say.
type claim struct {
	order       *ledger.Order // nil for a found transfer
	found       *ledger.Found // nil for an order
	handle      string        // "" where nobody knows for whom it was
	item        product.Item
	price       ton.Amount
	from, until uint32 // Unix seconds
}

// How far a row's time may lie from the transfer that paid it, in seconds. What
// this ledger bought has an offer, which no row of it is older than.
const (
	near     = 60 * 60
	lateRows = 24 * 60 * 60
)

// claims are the purchases of a product that a row may be of. Those that were
// delivered on weaker evidence are among them: a row may be theirs.
func claims(book *ledger.State, kind product.Kind) (list []claim) {
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		if o == nil || o.Item.Kind != kind || !o.Phase.Spent() || !o.Row.IsZero() {
			continue
		}
		c := claim{order: o, handle: o.Handle, item: o.Item, price: o.Reserve, from: o.Time - min(o.Time, near), until: o.Time + near}
		if o.Invoice != nil {
			c.price, c.from, c.until = o.Invoice.Price, o.Invoice.Quoted, o.Time+lateRows
		}
		list = append(list, c)
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		if f := book.Founds[id]; f.Order == 0 && f.Item.Kind == kind {
			list = append(list, claim{found: f, item: f.Item, price: f.Amount, from: f.Time - min(f.Time, near), until: f.Time + near})
		}
	}
	return list
}

func (c claim) fits(r ledger.Row) bool {
	return c.from <= r.Time && r.Time <= c.until && (c.handle == "" || c.handle == r.Handle) && r.Of(c.item, c.price)
}

// A pair is a purchase and its row.
type pair struct {
	claim claim
	row   ledger.Row
}

// match counts. Purchases and rows that may belong together, directly or by way
// of others, are a group. In a group with as many rows as purchases, and a row
// for each, every purchase has its row; in any other group it is not known
// which has one, and nothing is concluded. Rows that are the evidence of
// something already don't count, and equal rows count once: a list may repeat a
// row.
func match(book *ledger.State, list []claim, rows []ledger.Row) (groups [][]pair) {
	rows = slices.DeleteFunc(slices.Clone(rows), book.RowUsed)
	slices.SortFunc(rows, func(a, b ledger.Row) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Handle, b.Handle), cmp.Compare(a.Item.Kind, b.Item.Kind),
			cmp.Compare(a.Item.Quantity, b.Item.Quantity), cmp.Compare(a.Price.Asset, b.Price.Asset), cmp.Compare(a.Price.Units, b.Price.Units))
	})
	rows = slices.Compact(rows)
	m := matcher{fits: make([][]int, len(list)), owner: make([]int, len(rows))}
	group := newGroups(len(list) + len(rows))
	for i, c := range list {
		first, _ := slices.BinarySearchFunc(rows, c.from, func(r ledger.Row, t uint32) int { return cmp.Compare(r.Time, t) })
		for j := first; j < len(rows) && rows[j].Time <= c.until; j++ {
			if c.fits(rows[j]) {
				m.fits[i] = append(m.fits[i], j)
				group.join(i, len(list)+j)
			}
		}
	}
	purchases, found := map[int][]int{}, map[int]int{}
	var order []int
	for i := range list {
		g := group.of(i)
		if len(purchases[g]) == 0 {
			order = append(order, g)
		}
		purchases[g] = append(purchases[g], i)
	}
	for j := range rows {
		found[group.of(len(list)+j)]++
	}
	for _, g := range order {
		if len(purchases[g]) != found[g] || !m.perfect(purchases[g]) {
			continue
		}
		var pairs []pair
		for j, i := range m.owner {
			if i != 0 && group.of(i-1) == g {
				pairs = append(pairs, pair{list[i-1], rows[j]})
			}
		}
		groups = append(groups, pairs)
	}
	return groups
}

// A matcher gives each purchase a row that fits it and is no other's.
type matcher struct {
	fits  [][]int // rows, by purchase
	owner []int   // of a row: its purchase and one, 0 for none
}

// perfect reports whether all of these purchases got one.
func (m *matcher) perfect(purchases []int) bool {
	for _, i := range purchases {
		if !m.place(i, map[int]bool{}) {
			return false
		}
	}
	return true
}

// place finds a row for a purchase; others may have to move for it.
func (m *matcher) place(i int, tried map[int]bool) bool {
	for _, j := range m.fits[i] {
		if tried[j] {
			continue
		}
		tried[j] = true
		if m.owner[j] == 0 || m.place(m.owner[j]-1, tried) {
			m.owner[j] = i + 1
			return true
		}
	}
	return false
}

// groups knows which of n things belong together.
type groups []int

func newGroups(n int) groups {
	g := make(groups, n)
	for i := range g {
		g[i] = i
	}
	return g
}

func (g groups) of(i int) int {
	for g[i] != i {
		g[i] = g[g[i]]
		i = g[i]
	}
	return i
}

func (g groups) join(a, b int) { g[g.of(a)] = g.of(b) }

// listed are the acknowledged orders that a list proves to be delivered.
func listed(book *ledger.State, kind product.Kind, rows []ledger.Row) (events []ledger.Event) {
	for _, group := range match(book, claims(book, kind), rows) {
		for _, p := range group {
			if o := p.claim.order; o != nil && o.Phase == ledger.Acknowledged {
				events = append(events, ledger.OrderDelivered{Order: o.ID, Evidence: ledger.EvidenceHistory, Row: p.row})
			}
		}
	}
	return events
}
