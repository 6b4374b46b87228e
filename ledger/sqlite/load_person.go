package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Burns are few and small: they are always read whole.
func (l *loader) burn(rows *sql.Rows) error {
	b := &ledger.Burn{}
	var id ledger.PaymentID
	var version ton.WalletVersion
	var payload, message sql.RawBytes
	err := rows.Scan(&id, &version, &payload, &message, &b.Reason)
	if err != nil {
		return err
	}
	p := l.state.Payments[id]
	if p == nil {
		return fmt.Errorf("no payment %d: %w", id, ErrCorrupt)
	}
	if b.Payload, err = payloadOf(version, payload); err == nil {
		b.Hash, err = b.Payload.Hash()
	}
	if err != nil {
		return fmt.Errorf("burn of payment %d: %w: %w", id, ErrCorrupt, err)
	}
	if len(message) > 0 {
		b.Message = append(ton.BoC(nil), message...)
	}
	p.Burn = b
	return nil
}

func (l *loader) noted(rows *sql.Rows) error {
	var at ton.Position
	var hash sql.RawBytes
	var reason string
	if err := rows.Scan(&at.LT, &hash, &reason); err != nil {
		return err
	}
	if err := into(&at.Hash, hash); err != nil {
		return err
	}
	l.state.Noted[at] = reason
	return nil
}

func (l *loader) found(rows *sql.Rows) error {
	f := &ledger.Found{}
	var wallet, hash, kind, asset sql.RawBytes
	err := rows.Scan(&f.ID, &wallet, &f.Transaction.LT, &hash, &f.Time, &kind, &f.Item.Quantity, &asset, &f.Amount.Units, &f.Ref, &f.Order, &f.Reason)
	if err != nil {
		return err
	}
	f.Item.Kind, f.Amount.Asset = product.Kind(kind), ton.Asset(asset)
	if f.Wallet, err = l.address(string(wallet)); err != nil {
		return err
	}
	l.state.Founds[f.ID] = f
	l.state.LastFound = max(l.state.LastFound, f.ID)
	l.state.Refs[f.Ref] = f.Order
	return into(&f.Transaction.Hash, hash)
}

// reissue keeps the newest of a key, which comes last.
func (l *loader) reissue(rows *sql.Rows) error {
	var key string
	var r ledger.Reissue
	if err := rows.Scan(&key, &r.Generation, &r.Reason); err != nil {
		return err
	}
	l.state.Reissues[key] = r
	return nil
}
