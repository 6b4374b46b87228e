package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// A row of Fragment's list is the evidence of one order, for ever, and only of
// one that it names; it is read back as it was written.
func (k kit) ARowIsEvidenceOnce(t *testing.T) {
	s, path := k.locked(t)
	one, two := quoted(1, 1), quoted(2, 1)
	one.Invoice.Quoted, two.Invoice.Quoted = 500, 500
	put(t, s, ledger.RunStarted{Run: 1}, reserved(1), reserved(2), one, two, armed(1, 1, one, two),
		ledger.PaymentSignedEvent{Payment: 1, Message: body("m")},
		ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 101, Hash: ton.Hash{3}}, Time: 510, Paid: []ledger.OrderID{1, 2}},
		explained(), found(1, "r"))
	row := ledger.Row{Handle: "h", Item: product.Item{Kind: product.Stars, Quantity: 50}, Price: ton.Nano(5).Amount(), Time: 520}
	put(t, s, ledger.OrderDelivered{Order: 1, Evidence: ledger.EvidenceHistory, Row: row})
	refused(t, s, ledger.ErrTransition, ledger.OrderDelivered{Order: 2, Evidence: ledger.EvidenceHistory, Row: row})
	if got := load(t, s); got.Orders[1].Row != row || got.Orders[2].Row != (ledger.Row{}) || !got.RowUsed(row) {
		t.Error(cmp.Diff(row, got.Orders[1].Row))
	}
	for _, c := range []struct{ statement, reason string }{
		{`INSERT INTO listed SELECT 2, handle, kind, quantity, asset, price, time FROM listed`, "UNIQUE constraint failed: listed.handle|row_is_used_once"},
		{`INSERT INTO listed SELECT 2, 'other', kind, quantity, asset, price, time + 1 FROM listed`, "of the order that it names"},
		{`INSERT INTO listed SELECT 2, handle, 'ton', quantity, asset, price, time + 1 FROM listed`, "of the order that it names"},
		{`INSERT INTO listed SELECT 2, handle, kind, quantity + 1, asset, price, time + 1 FROM listed`, "of the order that it names"},
		{`INSERT INTO listed SELECT 2, handle, kind, quantity, asset, price + 1, time + 1 FROM listed`, "of the order that it names"},
		{`INSERT INTO listed SELECT 2, handle, kind, quantity, asset, price, 499 FROM listed`, "of the order that it names"},
		{`INSERT INTO listed SELECT 3, handle, kind, quantity, asset, price, time + 1 FROM listed`, "of the order that it names"},
		{`UPDATE orders SET phase = 'delivered', evidence = 'history' WHERE id = 2`, "where a row of it is the order's"},
		{`INSERT INTO listed SELECT 2, handle, kind, quantity, asset, price, time + 1 FROM listed; UPDATE orders SET phase = 'delivered', evidence = 'page' WHERE id = 2`, "where a row of it is the order's"},
		{`UPDATE listed SET time = time + 1`, "evidence is never changed"},
		{`DELETE FROM listed`, "evidence is never deleted"},
	} {
		refuses(t, path, `BEGIN; `+c.statement+`; COMMIT`, c.reason)
	}
	e := assigned(1, 3, "a/ann")
	e.Row = ledger.Row{Handle: e.Handle, Item: row.Item, Time: 700}
	put(t, s, e, ledger.OrderDelivered{Order: 2, Evidence: ledger.EvidencePage})
	if got := load(t, s).Orders[3]; got.Row != e.Row || got.Evidence != ledger.EvidenceHistory {
		t.Errorf("%+v", got)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A row that names somebody else holds its order, and is nobody's evidence. The
// file refuses that such an order is taken for delivered by itself, and that a
// row takes back what a better one has shown.
func (k kit) ARowThatNamesSomebodyElseHoldsItsOrder(t *testing.T) {
	s, path := k.locked(t)
	one, two := quoted(1, 1), quoted(2, 1)
	put(t, s, ledger.RunStarted{Run: 1}, reserved(1), reserved(2), one, two, armed(1, 1, one, two),
		ledger.PaymentSignedEvent{Payment: 1, Message: body("m")},
		ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 101, Hash: ton.Hash{3}}, Time: 510, Paid: []ledger.OrderID{1, 2}})
	row := ledger.Row{Handle: "eve", Item: product.Item{Kind: product.Stars, Quantity: 50}, Price: ton.Nano(5).Amount(), Time: 520}
	gone := ledger.OrderHeld{Order: 1, Reason: "listed for eve", Row: row}
	refused(t, s, ledger.ErrTransition, gone) // it is only paid
	put(t, s, ledger.OrderAcknowledged{Order: 1}, ledger.OrderAcknowledged{Order: 2})
	listed := `INSERT INTO listed SELECT 1, 'eve', 'stars', 50, 'TON', 5, 520; `
	refuses(t, path, `BEGIN; `+listed+`UPDATE orders SET phase = 'delivered', evidence = 'page' WHERE id = 1`, "where a row of it is the order's")
	refuses(t, path, `BEGIN; `+listed+`UPDATE orders SET phase = 'delivered', evidence = 'history' WHERE id = 1`, "where a row of it is the order's")
	put(t, s, gone)
	own := ledger.Row{Handle: "h", Item: row.Item, Price: row.Price, Time: 521}
	put(t, s, ledger.OrderDelivered{Order: 2, Evidence: ledger.EvidenceHistory, Row: own})
	gone.Order, gone.Row.Time = 2, 522
	refused(t, s, ledger.ErrTransition, gone)
	refuses(t, path, `UPDATE orders SET phase = 'held', reason = 'x' WHERE id = 2`, "only for a bounce")
	if got := load(t, s); got.Orders[1].Phase != ledger.Held || got.Orders[1].Row != row || !got.Orders[1].Astray() || got.Orders[2].Astray() || !got.RowUsed(row) {
		t.Errorf("%+v", got.Orders[1])
	}
	put(t, s, ledger.OrderResolved{Order: 1, As: ledger.Delivered, Reason: "her other name"})
	if o := load(t, s).Orders[1]; o.Phase != ledger.Delivered || o.Evidence != ledger.EvidencePerson || !o.Astray() {
		t.Errorf("%+v", o)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
