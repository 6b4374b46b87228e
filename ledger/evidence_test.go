package ledger_test

import (
	"errors"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// listed is the row of Fragment's list that names order 1 of these tests.
func listed(change func(*ledger.Row)) ledger.OrderDelivered {
	e := ledger.OrderDelivered{Order: 1, Evidence: ledger.EvidenceHistory, Row: ledger.Row{
		Handle: "ann", Item: product.Item{Kind: product.Stars, Quantity: 50}, Price: ton.Nano(5).Amount(), Time: 600,
	}}
	if change != nil {
		change(&e.Row)
	}
	return e
}

// A row is evidence only for what it names: the same recipient, product,
// quantity and price, and no earlier than the offer.
func TestARowIsEvidenceForWhatItNames(t *testing.T) {
	book := func() *ledger.State {
		s, q := ledger.NewState(), quoted(1, "a")
		q.Invoice.Quoted = 600
		apply(t, s, ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), q, armed(1, 3, q), executed1, ledger.OrderAcknowledged{Order: 1})
		return s
	}
	for name, change := range map[string]func(*ledger.Row){
		"another person":   func(r *ledger.Row) { r.Handle = "bob" },
		"another number":   func(r *ledger.Row) { r.Item.Quantity = 100 },
		"another product":  func(r *ledger.Row) { r.Item.Kind = product.TopUp },
		"another price":    func(r *ledger.Row) { r.Price.Units = 6 },
		"another coin":     func(r *ledger.Row) { r.Price.Asset = ton.AssetUSDT },
		"before the offer": func(r *ledger.Row) { r.Time = 599 },
		"no row":           func(r *ledger.Row) { *r = ledger.Row{} },
	} {
		if err := book().Apply(listed(change)); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	page := listed(nil)
	page.Evidence = ledger.EvidencePage
	if err := book().Apply(page); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("a row as another kind of evidence: %v", err)
	}
	for name, change := range map[string]func(*ledger.Row){
		"just this": nil, "without a price": func(r *ledger.Row) { r.Price = ton.Amount{} },
	} {
		s := book()
		apply(t, s, listed(change))
		if o := s.Orders[1]; o.Phase != ledger.Delivered || o.Evidence != ledger.EvidenceHistory || !s.RowUsed(o.Row) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// Each row is the evidence of one order, for ever: of one that was bought, or
// of one that was made from a found transfer.
func TestARowIsUsedOnce(t *testing.T) {
	s := ledger.NewState()
	one, two := quoted(1, "a"), quoted(2, "b")
	apply(t, s, ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), reserved(2, "b/ann"), one, two, armed(1, 3, one, two),
		ledger.PaymentExecutedEvent{Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1, 2}},
		listed(nil))
	again := listed(nil)
	again.Order = 2
	if err := s.Apply(again); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("a second order: %v", err)
	}
	transfer := found(1, "r")
	transfer.Amount = ton.Nano(5).Amount()
	apply(t, s, ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "by hand"}, transfer)
	e := assigned(3, "c/ann")
	e.Row = again.Row
	if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("a found transfer: %v", err)
	}
	for name, change := range map[string]func(*ledger.Row){
		"another person": func(r *ledger.Row) { r.Handle = "bob" }, "another number": func(r *ledger.Row) { r.Item.Quantity++ }, "another price": func(r *ledger.Row) { r.Price.Units++ },
	} {
		e.Row = again.Row
		e.Row.Time++
		change(&e.Row)
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("a found transfer, %s: %v", name, err)
		}
	}
	e.Row = again.Row
	e.Row.Time++
	apply(t, s, e)
	if o := s.Orders[3]; o.Evidence != ledger.EvidenceHistory || o.Row != e.Row {
		t.Errorf("%+v", o)
	}
	again.Row = e.Row
	if err := s.Apply(again); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("what a found transfer has: %v", err)
	}
}
