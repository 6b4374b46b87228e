package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

const paidAt = 1_800_000_000

// foundBook is a rebuilt ledger: each found transfer bought 100 Stars for 1 TON.
func foundBook(t *testing.T, n int, more ...ledger.Event) *ledger.State {
	t.Helper()
	wallet := ton.Address{Account: [32]byte{1}}
	at := ton.Position{LT: 7, Hash: ton.Hash{7}}
	events := []ledger.Event{ledger.Opened{Ledger: "test"}, ledger.Anchored{Wallet: wallet}, ledger.TransactionExplained{Wallet: wallet, Transaction: at, Reason: "lost"}}
	for i := range n {
		events = append(events, ledger.TransferFound{Found: ledger.FoundID(i + 1), Wallet: wallet, Transaction: at, Time: paidAt,
			Item: product.Item{Kind: product.Stars, Quantity: 100}, Amount: ton.TON.Amount(), Ref: fmt.Sprint("ref", i+1)})
	}
	s := ledger.NewState()
	for i, e := range append(events, more...) {
		if err := s.Apply(e); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	return s
}

// A ledger knows a history if all of it is explained: one transaction that is
// new is enough to doubt whose the rows of a list are.
func TestKnows(t *testing.T) {
	book, wallet := foundBook(t, 1), ton.Address{Account: [32]byte{1}}
	known := ton.Transaction{Position: ton.Position{LT: 7, Hash: ton.Hash{7}}, Success: true}
	fresh := ton.Transaction{Position: ton.Position{LT: 9, Hash: ton.Hash{9}}, Success: true, Out: []ton.Out{{To: wallet, Amount: ton.TON}}}
	if !reconcile.Knows(book, wallet, []ton.Transaction{known}) {
		t.Error("what it explains is new to it")
	}
	if reconcile.Knows(book, wallet, []ton.Transaction{known, fresh}) {
		t.Error("what it has never seen is known to it")
	}
}

// A found transfer is recognized only where the list leaves no doubt. In every
// other case nothing is said, and what it may have paid stays unbought.
func TestRecognizedOnlyWithoutDoubt(t *testing.T) {
	ann, bob := wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 100)
	early, late := hundred("ann", paidAt-10), hundred("bob", paidAt+20)
	type rows = []ledger.Row
	type people = []spec.Occurrence
	set := func(o spec.Occurrence, change func(*spec.Occurrence)) spec.Occurrence { change(&o); return o }
	row := func(r ledger.Row, change func(*ledger.Row)) ledger.Row { change(&r); return r }
	assigned := func(order int, person, reason string) ledger.FoundAssigned {
		return ledger.FoundAssigned{Found: ledger.FoundID(order), Order: ledger.OrderID(order), Key: "g/" + person, Generation: 1, Part: 1, Person: person, Handle: person, Reason: reason}
	}
	reissued := []ledger.Event{assigned(1, "ann", "hers"), ledger.KeyReissued{Key: "g/ann", Generation: 2, Reason: "lost on its way"}}
	for name, c := range map[string]struct {
		found  int
		more   []ledger.Event
		want   people
		rows   rows
		unread int
		now    uint32
		keys   []string
	}{
		"one":                           {1, nil, people{ann, bob}, rows{early}, 0, paidAt + 3600, []string{"g/ann"}},
		"two, with a row each":          {2, nil, people{ann, bob}, rows{late, early}, 0, paidAt + 3600, []string{"g/ann", "g/bob"}},
		"a row listed twice":            {1, nil, people{ann, bob}, rows{early, early}, 0, paidAt + 3600, []string{"g/ann"}},
		"an old handle":                 {1, nil, people{set(ann, func(o *spec.Occurrence) { o.Handle, o.Was = "anna", []string{"@ann"} })}, rows{early}, 0, paidAt + 3600, []string{"g/ann"}},
		"two parts of one key":          {2, nil, people{set(ann, func(o *spec.Occurrence) { o.Item.Quantity = 200 })}, rows{early, row(early, func(r *ledger.Row) { r.Time++ })}, 0, paidAt + 3600, []string{"g/ann", "g/ann"}},
		"the rest of a key":             {2, []ledger.Event{assigned(1, "ann", "hers")}, people{set(ann, func(o *spec.Occurrence) { o.Item.Quantity = 200 })}, rows{early, row(early, func(r *ledger.Row) { r.Time++ })}, 0, paidAt + 3600, nil}, // the other row may be either's
		"no rows":                       {1, nil, people{ann, bob}, nil, 0, paidAt + 3600, nil},
		"a row is missing":              {2, nil, people{ann, bob}, rows{early}, 0, paidAt + 3600, nil},
		"missing, the other twice":      {2, nil, people{ann, bob}, rows{early, early}, 0, paidAt + 3600, nil},
		"a row too many":                {1, nil, people{ann, bob}, rows{early, late}, 0, paidAt + 3600, nil},
		"a row could not be read":       {1, nil, people{ann, bob}, rows{early}, 1, paidAt + 3600, nil},
		"the hour is not over":          {1, nil, people{ann, bob}, rows{early}, 0, paidAt + 3599, nil},
		"a clock before the transfer":   {1, nil, people{ann, bob}, rows{early}, 0, paidAt - 1, nil},
		"an hour before":                {1, nil, people{ann, bob}, rows{row(early, func(r *ledger.Row) { r.Time = paidAt - 3601 })}, 0, paidAt + 3600, nil},
		"an hour after":                 {1, nil, people{ann, bob}, rows{row(early, func(r *ledger.Row) { r.Time = paidAt + 3601 })}, 0, paidAt + 9999, nil},
		"another price":                 {1, nil, people{ann, bob}, rows{row(early, func(r *ledger.Row) { r.Price.Units++ })}, 0, paidAt + 3600, nil},
		"another number":                {1, nil, people{ann, bob}, rows{row(early, func(r *ledger.Row) { r.Item.Quantity++ })}, 0, paidAt + 3600, nil},
		"somebody who is not written":   {1, nil, people{bob}, rows{early}, 0, paidAt + 3600, nil},
		"one of two is not written":     {2, nil, people{bob}, rows{early, late}, 0, paidAt + 3600, nil},
		"another product is written":    {1, nil, people{wants("g/ann", product.TopUp, 100)}, rows{early}, 0, paidAt + 3600, nil},
		"two keys of the person":        {1, nil, people{ann, wants("h/ann", product.Stars, 100)}, rows{early}, 0, paidAt + 3600, nil},
		"a grant that recurs":           {1, nil, people{set(ann, func(o *spec.Occurrence) { o.Key, o.Rule = "g/ann@2027-01-15", "FREQ=MONTHLY" })}, rows{early}, 0, paidAt + 3600, nil},
		"a grant of a date":             {1, nil, people{set(ann, func(o *spec.Occurrence) { o.Date = schedule.Date(20_000) })}, rows{early}, 0, paidAt + 3600, nil},
		"two people of the handle":      {1, nil, people{ann, set(bob, func(o *spec.Occurrence) { o.Was = []string{"@ann"} })}, rows{early}, 0, paidAt + 3600, nil},
		"more is written":               {1, nil, people{set(ann, func(o *spec.Occurrence) { o.Item.Quantity = 200 })}, rows{early}, 0, paidAt + 3600, nil},
		"less is written":               {1, nil, people{set(ann, func(o *spec.Occurrence) { o.Item.Quantity = 50 })}, rows{early}, 0, paidAt + 3600, nil},
		"it is given already":           {2, []ledger.Event{assigned(1, "ann", "hers"), ledger.FoundSetAside{Found: 2, Reason: "nobody's"}}, people{ann, bob}, rows{early, late}, 0, paidAt + 3600, nil},
		"another was set aside":         {2, []ledger.Event{ledger.FoundSetAside{Found: 2, Reason: "nobody's"}}, people{ann, bob}, rows{early, late}, 0, paidAt + 3600, nil},
		"issued again":                  {2, reissued, people{ann, bob}, rows{early, late}, 0, paidAt + 3600, nil},
		"the list of another product":   {1, nil, people{ann, bob}, rows{row(early, func(r *ledger.Row) { r.Item.Kind = product.TopUp })}, 0, paidAt + 3600, nil},
		"one key of a pair has no room": {2, nil, people{ann, set(bob, func(o *spec.Occurrence) { o.Item.Quantity = 150 })}, rows{early, late}, 0, paidAt + 3600, nil},
	} {
		t.Run(name, func(t *testing.T) {
			book := foundBook(t, c.found, c.more...)
			events := reconcile.Recognize(book, c.want, map[product.Kind]reconcile.List{product.Stars: {Rows: c.rows, Unread: c.unread}}, c.now)
			var keys []string
			for _, e := range events {
				keys = append(keys, e.(ledger.FoundAssigned).Key)
				if err := book.Apply(e); err != nil {
					t.Error(err)
				}
			}
			if d := cmp.Diff(c.keys, keys); d != "" {
				t.Error(d)
			}
			for _, a := range reconcile.Diff(c.want, book, nil, plenty).Actions {
				if a.Buys() && (slices.Contains(keys, a.Key) || len(book.Unclaimed(a.Item.Kind)) > 0) {
					t.Errorf("%s is bought", a.Key)
				}
			}
		})
	}
	if events := reconcile.Recognize(foundBook(t, 1), people{ann}, nil, paidAt+3600); events != nil {
		t.Errorf("without a list: %v", events)
	}
}
