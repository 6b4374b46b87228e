package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// A projection changes the tables as events say. What may not follow is refused
// by the schema, or by a WHERE that no row fits.
//
// Its statements are those that SQLite and PostgreSQL read alike.
type projection struct{ Writer }

// one runs a statement that must change exactly one row.
func (s projection) one(ctx context.Context, query string, args ...any) error {
	return s.Change(ctx, 1, query, args...)
}

// any runs a statement that may change any number of rows.
func (s projection) any(ctx context.Context, query string, args ...any) error {
	return s.Change(ctx, AnyRows, query, args...)
}

func (s projection) project(ctx context.Context, e ledger.Event) error {
	switch e := e.(type) {
	case ledger.Opened:
		return s.one(ctx, `INSERT INTO ledger (one, id) VALUES (1, ?)`, e.Ledger)
	case ledger.Anchored:
		return s.one(ctx, `INSERT INTO wallet (address, version, anchor_lt, anchor_hash, block, reason) VALUES (?, ?, ?, ?, ?, ?)`,
			e.Wallet.Raw(), string(e.Version), int64(e.Anchor.LT), e.Anchor.Hash[:], e.Block, e.Reason)
	case ledger.EpochTaken:
		return s.one(ctx, `UPDATE ledger SET epoch = ?`, e.Epoch)
	case ledger.RunStarted:
		return s.one(ctx, `INSERT INTO run (id, digest, nonce, host) VALUES (?, ?, ?, ?)`, int64(e.Run), e.Digest[:], e.Nonce, e.Host)
	case ledger.RunFinished:
		return s.one(ctx, `UPDATE run SET outcome = ? WHERE id = ?`, e.Outcome, int64(e.Run))
	case ledger.AllWell:
		return s.one(ctx, `INSERT INTO well (one, time) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET time = excluded.time, told = 0`, e.Time)
	case ledger.SilenceTold:
		return s.one(ctx, `UPDATE well SET told = 1 WHERE told = 0 AND time = ?`, e.Since)
	case ledger.OrderReserved:
		return s.reserve(ctx, e)
	case ledger.OrderQuoted:
		return s.quote(ctx, e)
	case ledger.PersonPinned:
		return s.pin(ctx, e)
	case ledger.InvoiceDropped:
		return s.one(ctx, `UPDATE orders SET phase = 'reserved', reason = ?, invoice = NULL WHERE id = ? AND phase = 'quoted'`, e.Reason, int64(e.Order))
	case ledger.OrderReleased:
		return s.one(ctx, `UPDATE orders SET phase = 'released', reason = ?, invoice = NULL WHERE id = ? AND phase IN ('reserved', 'quoted')`, e.Reason, int64(e.Order))
	case ledger.PaymentRequested:
		return s.request(ctx, e)
	case ledger.RequestPaid:
		return s.answer(ctx, e)
	case ledger.PaymentArmedEvent:
		return s.arm(ctx, e)
	case ledger.PaymentSignedEvent:
		return s.one(ctx, `UPDATE payment SET phase = 'signed', message = ? WHERE id = ?`, []byte(e.Message), int64(e.Payment))
	case ledger.PaymentExecutedEvent:
		return s.execute(ctx, e)
	case ledger.PaymentDeadEvent:
		return s.bury(ctx, e)
	case ledger.TransferReceived:
		return s.one(ctx, `UPDATE transit SET received_lt = ?, received_hash = ? WHERE order_id = ?`, int64(e.Transaction.LT), e.Transaction.Hash[:], int64(e.Order))
	case ledger.OrderAcknowledged:
		return s.acknowledge(ctx, e)
	case ledger.OrderDelivered:
		return s.deliver(ctx, e)
	case ledger.OrderHeld:
		return s.hold(ctx, e)
	case ledger.WalletChecked:
		return s.one(ctx, `UPDATE wallet SET checked_lt = ?, checked_hash = ? WHERE address = ?`, int64(e.Position.LT), e.Position.Hash[:], e.Wallet.Raw())
	case ledger.RuleSeen:
		return s.one(ctx, `INSERT INTO rule (grant_name, n, text, since)
			VALUES (?1, (SELECT count(*) + 1 FROM rule WHERE grant_name = ?1), ?2, ?3)`, e.Grant, e.Rule, e.Since)
	case ledger.BurnArmed:
		return s.armBurn(ctx, e)
	case ledger.BurnSigned:
		return s.one(ctx, `UPDATE burn SET message = ? WHERE payment = ? AND message IS NULL`, []byte(e.Message), int64(e.Payment))
	}
	return s.decide(ctx, e)
}

func (s projection) reserve(ctx context.Context, e ledger.OrderReserved) error {
	scopes, err := json.Marshal(append([]string{}, e.Scopes...))
	if err != nil {
		return err
	}
	return s.one(ctx, `INSERT INTO orders (id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet,
			cap_asset, cap, reserve_asset, reserve, scopes, phase)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'reserved')`,
		int64(e.Order), int64(e.Run), e.Key, e.Generation, e.Part, e.Prior, e.Person, e.Handle, e.Single, string(e.Item.Kind), e.Item.Quantity, e.Wallet.Raw(),
		string(e.Cap.Asset), e.Cap.Units, string(e.Reserve.Asset), e.Reserve.Units, string(scopes))
}

func (s projection) quote(ctx context.Context, e ledger.OrderQuoted) error {
	i := e.Invoice
	if err := i.Check(); err != nil {
		return err
	}
	params, err := json.Marshal(i.Params)
	if err != nil {
		return err
	}
	err = s.one(ctx, `INSERT INTO invoice (order_id, n, request_id, ref, recipient, name, destination, bounce, amount, body,
			price_asset, price, quoted, valid_until, confirm, params, session)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(e.Order), i.N, i.RequestID, i.Ref, i.Recipient, i.Name, i.Transfer.To.Raw(), i.Transfer.Bounce, int64(i.Transfer.Amount), []byte(i.Transfer.Body),
		string(i.Price.Asset), i.Price.Units, i.Quoted, i.ValidUntil, i.Confirm, string(params), i.Session)
	if err != nil {
		return err
	}
	return s.one(ctx, `UPDATE orders SET phase = 'quoted', reason = '', invoice = ?, invoices = ?, reserve_asset = ?, reserve = ?
		WHERE id = ? AND phase = 'reserved' AND invoices = ? - 1`,
		i.N, i.N, string(i.Price.Asset), i.Price.Units, int64(e.Order), i.N)
}

func (s projection) arm(ctx context.Context, e ledger.PaymentArmedEvent) error {
	p := e.Payload
	if len(e.Orders) == 0 || len(e.Orders) != len(p.Transfers) {
		return fmt.Errorf("payment %d: %d orders, %d transfers: %w", e.Payment, len(e.Orders), len(p.Transfers), ledger.ErrTransition)
	}
	c, err := p.Encode()
	if err != nil {
		return err
	}
	err = s.one(ctx, `INSERT INTO payment (id, run, wallet, version, wallet_id, seqno, valid_until, hash, payload, deploys, base_lt, base_hash, phase)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'armed')`,
		int64(e.Payment), int64(e.Run), e.Wallet.Raw(), string(p.Wallet), p.WalletID, p.Seqno, p.ValidUntil, c.Hash(), []byte(ton.BoCOf(c)), e.Deploys,
		int64(e.Base.LT), e.Base.Hash[:])
	if err != nil {
		return err
	}
	for i, id := range e.Orders {
		if err := s.one(ctx, `INSERT INTO payment_order (payment, idx, order_id) VALUES (?, ?, ?)`, int64(e.Payment), i, int64(id)); err != nil {
			return err
		}
		if err := s.one(ctx, `UPDATE orders SET phase = 'armed', payment = ?, idx = ? WHERE id = ? AND phase = 'quoted'`, int64(e.Payment), i, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

func (s projection) execute(ctx context.Context, e ledger.PaymentExecutedEvent) error {
	lt, hash, payment := int64(e.Transaction.LT), e.Transaction.Hash[:], int64(e.Payment)
	message, recorded := `message`, `message IS NOT NULL`
	args := []any{lt, hash, e.Time, int64(e.Fees), payment}
	if len(e.Message) > 0 { // our own was never recorded
		message, recorded = `?6`, `message IS NULL`
		args = append(args, []byte(e.Message))
	}
	err := s.one(ctx, `UPDATE payment SET message = `+message+`, phase = 'executed', settled_lt = ?1, settled_hash = ?2, time = ?3, fees = ?4
		WHERE id = ?5 AND `+recorded, args...)
	if err != nil {
		return err
	}
	for _, id := range e.Sent {
		if err := s.one(ctx, `INSERT INTO transit (order_id) VALUES (?)`, int64(id)); err != nil {
			return err
		}
	}
	for _, id := range slices.Concat(e.Paid, e.Sent) {
		err := s.one(ctx, `UPDATE orders SET phase = 'paid', settled_lt = ?, settled_hash = ?, time = ? WHERE id = ? AND payment = ? AND phase = 'armed'`,
			lt, hash, e.Time, int64(id), payment)
		if err != nil {
			return err
		}
	}
	for _, id := range e.Skipped {
		err := s.one(ctx, `UPDATE orders SET phase = 'released', reason = ?, invoice = NULL WHERE id = ? AND payment = ? AND phase = 'armed'`,
			ledger.ReasonSkipped, int64(id), payment)
		if err != nil {
			return err
		}
	}
	// A settled payment says of each order what became of it.
	return s.None(ctx, `SELECT 1 FROM orders WHERE payment = ? AND phase = 'armed'`, payment)
}

func (s projection) bury(ctx context.Context, e ledger.PaymentDeadEvent) error {
	c, payment := e.Certificate, int64(e.Payment)
	err := s.one(ctx, `UPDATE payment SET phase = 'dead', taken_lt = ?, taken_hash = ?, proof_seqno = ?, proof_time = ?, proof_block = ? WHERE id = ?`,
		int64(c.Taken.LT), c.Taken.Hash[:], c.Seqno, c.Time, c.Block, payment)
	if err != nil {
		return err
	}
	return s.any(ctx, `UPDATE orders SET phase = 'reserved', invoice = NULL, payment = NULL, idx = NULL, deaths = deaths + 1
		WHERE payment = ? AND phase = 'armed'`, payment)
}

// acknowledge raises the wallet's ramp when it was the last order of its batch.
func (s projection) acknowledge(ctx context.Context, e ledger.OrderAcknowledged) error {
	if err := s.one(ctx, `UPDATE orders SET phase = 'acknowledged', reason = '' WHERE id = ? AND phase = 'paid'`, int64(e.Order)); err != nil {
		return err
	}
	err := s.any(ctx, `UPDATE wallet SET ramp = o.n
		FROM (SELECT payment, wallet, (SELECT count(*) FROM orders b WHERE b.payment = a.payment AND phase IN ('acknowledged', 'delivered')) AS n FROM orders a WHERE id = ?) AS o
		WHERE address = o.wallet AND ramp < o.n AND NOT EXISTS (SELECT 1 FROM orders WHERE payment = o.payment AND phase IN ('paid', 'held'))`, int64(e.Order))
	if err != nil {
		return err
	}
	return s.any(ctx, `UPDATE wallet SET ramp = o.n
		FROM (SELECT request, wallet, (SELECT count(*) FROM orders b WHERE b.request = a.request AND phase IN ('acknowledged', 'delivered')) AS n FROM orders a WHERE id = ?) AS o
		WHERE address = o.wallet AND ramp < o.n AND NOT EXISTS (SELECT 1 FROM orders WHERE request = o.request AND phase IN ('offered', 'paid', 'held'))`, int64(e.Order))
}

// deliver keeps the row of Fragment's list that is the evidence, if it is one.
func (s projection) deliver(ctx context.Context, e ledger.OrderDelivered) error {
	if err := s.list(ctx, e.Order, e.Row); err != nil {
		return err
	}
	return s.one(ctx, `UPDATE orders SET phase = 'delivered', reason = '', evidence = ? WHERE id = ? AND phase IN ('paid', 'acknowledged')`,
		e.Evidence, int64(e.Order))
}

func (s projection) list(ctx context.Context, id ledger.OrderID, r ledger.Row) error {
	if r.IsZero() {
		return nil
	}
	return s.one(ctx, `INSERT INTO listed (order_id, handle, kind, quantity, asset, price, time) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		int64(id), r.Handle, string(r.Item.Kind), r.Item.Quantity, string(r.Price.Asset), r.Price.Units, r.Time)
}
