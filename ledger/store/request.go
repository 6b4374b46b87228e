package store

import (
	"context"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

func (s projection) request(ctx context.Context, e ledger.PaymentRequested) error {
	if len(e.Orders) == 0 {
		return fmt.Errorf("request %d for nothing: %w", e.Request, ledger.ErrTransition)
	}
	err := s.one(ctx, `INSERT INTO request (id, run, wallet, valid_until, base_lt, base_hash) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(e.Request), int64(e.Run), e.Wallet.Raw(), e.ValidUntil, int64(e.Base.LT), e.Base.Hash[:])
	if err != nil {
		return err
	}
	for i, id := range e.Orders {
		if err := s.one(ctx, `INSERT INTO request_order (request, idx, order_id) VALUES (?, ?, ?)`, int64(e.Request), i, int64(id)); err != nil {
			return err
		}
		if err := s.one(ctx, `UPDATE orders SET phase = 'offered', request = ? WHERE id = ? AND phase = 'quoted'`, int64(e.Request), int64(id)); err != nil {
			return err
		}
	}
	return nil
}

func (s projection) answer(ctx context.Context, e ledger.RequestPaid) error {
	orders := e.Orders()
	if len(orders) == 0 {
		return fmt.Errorf("transaction %d paid nothing: %w", e.Transaction.LT, ledger.ErrTransition)
	}
	lt, hash := int64(e.Transaction.LT), e.Transaction.Hash[:]
	var message []byte // NULL if there is none
	if len(e.Message) > 0 {
		message = e.Message
	}
	err := s.one(ctx, `INSERT INTO outside (lt, hash, wallet, time, fees, message) VALUES (?, ?, ?, ?, ?, ?)`, lt, hash, e.Wallet.Raw(), e.Time, int64(e.Fees), message)
	if err != nil {
		return err
	}
	for i, id := range orders {
		if err := s.one(ctx, `INSERT INTO outside_order (lt, hash, idx, order_id) VALUES (?, ?, ?, ?)`, lt, hash, i, int64(id)); err != nil {
			return err
		}
		if i >= len(e.Paid) {
			if err := s.one(ctx, `INSERT INTO transit (order_id) VALUES (?)`, int64(id)); err != nil {
				return err
			}
		}
		err := s.one(ctx, `UPDATE orders SET phase = 'paid', settled_lt = ?, settled_hash = ?, time = ? WHERE id = ? AND phase = 'offered'`, lt, hash, e.Time, int64(id))
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) request(r *Row) error {
	q := &ledger.Request{
		ID: ledger.RequestID(r.number()), Run: ledger.RunID(r.number()), Wallet: r.address(), ValidUntil: uint32(r.number()),
		Base: ton.Position{LT: uint64(r.number()), Hash: r.hash()},
	}
	l.state.Requests[q.ID] = q
	l.state.LastRequest = max(l.state.LastRequest, q.ID)
	return nil
}

func (l *loader) requestOrder(r *Row) error {
	id := ledger.RequestID(r.number())
	q := l.state.Requests[id]
	if q == nil {
		return fmt.Errorf("no request %d: %w", id, ErrCorrupt)
	}
	q.Orders = append(q.Orders, ledger.OrderID(r.number()))
	return nil
}

func (l *loader) outside(r *Row) error {
	t := &ledger.Outside{
		Transaction: ton.Position{LT: uint64(r.number()), Hash: r.hash()}, Wallet: r.address(), Time: uint32(r.number()), Fees: ton.Nano(r.number()),
	}
	if message := r.blob(); len(message) > 0 {
		t.Message = message
	}
	l.state.Outside[t.Transaction] = t
	return nil
}

func (l *loader) outsideOrder(r *Row) error {
	at := ton.Position{LT: uint64(r.number()), Hash: r.hash()}
	t := l.state.Outside[at]
	if t == nil {
		return fmt.Errorf("no transaction %d: %w", at.LT, ErrCorrupt)
	}
	t.Orders = append(t.Orders, ledger.OrderID(r.number()))
	return nil
}
