package ledger

import (
	"fmt"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// The kinds of evidence that an order was delivered, as its record keeps them.
const (
	EvidenceHistory = "history" // Fragment's list of what the account bought names it, with a row that is no other order's
	EvidencePage    = "page"    // Fragment's page said that everything bought in the session has been handed over
	EvidencePerson  = "person"  // a person said so
)

// Row is one line of Fragment's list of what an account bought. It has no
// number there, so that two lines that are equal can't be told from one that is
// listed twice: they are one row.
type Row struct {
	Handle string       `json:"handle"` // the recipient's user name, lower case, without @
	Item   product.Item `json:"item"`
	Price  ton.Amount   `json:"price,omitzero"` // zero where the list gives none
	Time   uint32       `json:"time"`           // Unix seconds, by Fragment's clock
}

// IsZero reports whether there is no row.
func (r Row) IsZero() bool { return r == Row{} }

// Names reports whether the row may be of a purchase of that item for that
// handle at that price.
func (r Row) Names(handle string, item product.Item, price ton.Amount) bool {
	return r.Handle == handle && r.Of(item, price)
}

// Of is Names for a purchase of which nobody knows for whom it was.
func (r Row) Of(item product.Item, price ton.Amount) bool {
	return r.Item == item && (r.Price == ton.Amount{} || r.Price == price)
}

// RowUsed reports whether a row is the evidence of an order already.
func (s *State) RowUsed(r Row) bool { return s.rows[r] != 0 }

// Astray reports whether Fragment's list names somebody else for what the order
// bought. The row that does is kept, and is evidence of nothing.
func (o *Order) Astray() bool { return !o.Row.IsZero() && o.Row.Handle != o.Handle }

// holdAstray stops an order of which a row names somebody else. The page's word
// is no evidence against a row.
func (s *State) holdAstray(e OrderHeld) error {
	o := s.Orders[e.Order]
	switch {
	case o == nil || o.Phase != Acknowledged && (o.Phase != Delivered || o.Evidence != EvidencePage):
		return fmt.Errorf("order %d can't have gone astray: %w", e.Order, ErrTransition)
	case !e.Bounce.IsZero() || s.RowUsed(e.Row) || !o.Row.IsZero():
		return fmt.Errorf("order %d: row %v: %w", e.Order, e.Row, ErrTransition)
	case e.Row.Handle == o.Handle || o.Invoice == nil || !e.Row.Of(o.Item, o.Invoice.Price) || e.Row.Time < o.Invoice.Quoted:
		return fmt.Errorf("order %d: row %v does not name somebody else for it: %w", e.Order, e.Row, ErrTransition)
	}
	if err := s.move(e.Order, Held, e.Reason, Acknowledged, Delivered); err != nil {
		return err
	}
	o.Row = e.Row
	s.rows[e.Row] = o.ID
	return nil
}

// deliver takes a row as evidence only where it names what the order bought,
// is no older than the offer, and is no other order's.
func (s *State) deliver(e OrderDelivered) error {
	o := s.Orders[e.Order]
	if (e.Evidence == EvidenceHistory) != !e.Row.IsZero() {
		return fmt.Errorf("order %d: evidence %q and row %v: %w", e.Order, e.Evidence, e.Row, ErrTransition)
	}
	if o != nil && !e.Row.IsZero() {
		switch {
		case s.RowUsed(e.Row):
			return fmt.Errorf("order %d: row %v is the evidence of order %d: %w", e.Order, e.Row, s.rows[e.Row], ErrTransition)
		case o.Invoice == nil || !e.Row.Names(o.Handle, o.Item, o.Invoice.Price) || e.Row.Time < o.Invoice.Quoted:
			return fmt.Errorf("order %d: row %v is not of it: %w", e.Order, e.Row, ErrTransition)
		}
	}
	if err := s.move(e.Order, Delivered, "", Paid, Acknowledged); err != nil {
		return err
	}
	o.Evidence, o.Row = e.Evidence, e.Row
	if !e.Row.IsZero() {
		s.rows[e.Row] = o.ID
	}
	return nil
}
