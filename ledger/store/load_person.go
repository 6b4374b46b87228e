package store

import (
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Burns are few and small: they are always read whole.
func (l *loader) burn(r *Row) error {
	id, version, payload := ledger.PaymentID(r.number()), ton.WalletVersion(r.word()), r.blob()
	p := l.state.Payments[id]
	if p == nil {
		return fmt.Errorf("no payment %d: %w", id, ErrCorrupt)
	}
	b := &ledger.Burn{Message: r.blob(), Reason: r.text()}
	var err error
	if b.Payload, err = payloadOf(version, payload); err == nil {
		b.Hash, err = b.Payload.Hash()
	}
	if err != nil {
		return fmt.Errorf("burn of payment %d: %w: %w", id, ErrCorrupt, err)
	}
	p.Burn = b
	return nil
}

func (l *loader) noted(r *Row) error {
	l.state.Noted[ton.Position{LT: uint64(r.number()), Hash: r.hash()}] = r.text()
	return nil
}

// bounce keeps the newest of an order, which comes last.
func (l *loader) bounce(r *Row) error {
	id := ledger.OrderID(r.number())
	o := l.state.Orders[id]
	if o == nil {
		return fmt.Errorf("no order %d: %w", id, ErrCorrupt)
	}
	o.Bounce = ton.Position{LT: uint64(r.number()), Hash: r.hash()}
	return nil
}

func (l *loader) found(r *Row) error {
	f := &ledger.Found{
		ID: ledger.FoundID(r.number()), Wallet: r.address(), Transaction: ton.Position{LT: uint64(r.number()), Hash: r.hash()}, Time: uint32(r.number()),
		Item: product.Item{Kind: product.Kind(r.word()), Quantity: r.number()}, Amount: ton.Amount{Asset: ton.Asset(r.word()), Units: r.number()},
		Ref: r.text(), Order: ledger.OrderID(r.number()), Reason: r.text(),
	}
	l.state.Founds[f.ID] = f
	l.state.LastFound = max(l.state.LastFound, f.ID)
	l.state.Refs[f.Ref] = f.Order
	return nil
}

// pin keeps the newest of a handle, which comes last.
func (l *loader) pin(r *Row) error {
	handle := r.text()
	l.state.Pins[handle] = l.state.Pins[handle].Next(ledger.PersonPinned{
		Order: ledger.OrderID(r.number()), Identity: ledger.Identity{Name: r.text(), Photo: r.hash()}, Reason: r.word(),
	})
	return nil
}

func (l *loader) name(r *Row) error {
	key := r.text()
	l.state.Names[key] = r.text()
	return nil
}

func (l *loader) settled(r *Row) error {
	key := l.state.Now(r.text())
	l.state.Settled[key] = append(l.state.Settled[key], ledger.Settlement{
		Generation: int(r.number()), Person: r.text(), Handle: r.text(), Item: product.Item{Kind: product.Kind(r.word()), Quantity: r.number()}, Reason: r.text(),
	})
	return nil
}

// reissue keeps the newest of a key, which comes last.
func (l *loader) reissue(r *Row) error {
	key := l.state.Now(r.text())
	l.state.Reissues[key] = ledger.Reissue{Generation: int(r.number()), Reason: r.text()}
	return nil
}

func (l *loader) rule(r *Row) error {
	grant := r.text()
	l.state.Rules[grant] = append(l.state.Rules[grant], ledger.Rule{Text: r.text(), Since: r.number()})
	return nil
}
