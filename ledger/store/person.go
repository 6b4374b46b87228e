package store

import (
	"context"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// hold notes the transaction that brought an order's money back, if that is why.
func (s projection) hold(ctx context.Context, e ledger.OrderHeld) error {
	if !e.Row.IsZero() {
		if err := s.list(ctx, e.Order, e.Row); err != nil {
			return err
		}
		return s.one(ctx, `UPDATE orders SET phase = 'held', reason = ? WHERE id = ? AND (phase = 'acknowledged' OR phase = 'delivered' AND evidence = 'page')
			AND EXISTS (SELECT 1 FROM listed l WHERE l.order_id = orders.id AND l.handle <> orders.handle)`, e.Reason, int64(e.Order))
	}
	if e.Bounce.IsZero() {
		return s.one(ctx, `UPDATE orders SET phase = 'held', reason = ? WHERE id = ? AND phase IN ('paid', 'acknowledged')`, e.Reason, int64(e.Order))
	}
	lt, hash := int64(e.Bounce.LT), e.Bounce.Hash[:]
	if err := s.any(ctx, `INSERT INTO noted (lt, hash, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, lt, hash, e.Reason); err != nil {
		return err
	}
	err := s.one(ctx, `INSERT INTO bounce (id, order_id, lt, hash, reason) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM bounce), ?, ?, ?, ?)`,
		int64(e.Order), lt, hash, e.Reason)
	if err != nil {
		return err
	}
	if err := s.one(ctx, `UPDATE noted SET reason = ? WHERE lt = ? AND hash = ?`, e.Reason, lt, hash); err != nil {
		return err
	}
	return s.one(ctx, `UPDATE orders SET phase = 'held', reason = ?, bounces = bounces + 1 WHERE id = ? AND phase IN ('paid', 'acknowledged', 'delivered', 'held')`,
		e.Reason, int64(e.Order))
}

func (s projection) armBurn(ctx context.Context, e ledger.BurnArmed) error {
	p := e.Payload
	if len(p.Transfers) > 0 {
		return fmt.Errorf("payment %d: a burn with %d transfers: %w", e.Payment, len(p.Transfers), ledger.ErrTransition)
	}
	c, err := p.Encode()
	if err != nil {
		// No wallet of this program would be asked for such a payload.
		return fmt.Errorf("payment %d: %w: %w", e.Payment, ledger.ErrTransition, err)
	}
	return s.one(ctx, `INSERT INTO burn (payment, version, wallet_id, seqno, valid_until, hash, payload, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(e.Payment), string(p.Wallet), p.WalletID, p.Seqno, p.ValidUntil, c.Hash(), []byte(ton.BoCOf(c)), e.Reason)
}

// decide projects what a person decided.
func (s projection) decide(ctx context.Context, e ledger.Event) error {
	switch e := e.(type) {
	case ledger.OrderResolved:
		return s.resolve(ctx, e)
	case ledger.KeyReissued:
		return s.one(ctx, `INSERT INTO reissue (key, generation, reason) VALUES (?, ?, ?)`, e.Key, e.Generation, e.Reason)
	case ledger.KeyMoved:
		return s.rename(ctx, e)
	case ledger.KeySettled:
		return s.one(ctx, `INSERT INTO settled (id, key, generation, prior, person, handle, kind, quantity, reason)
			VALUES ((SELECT coalesce(max(id), 0) + 1 FROM settled), ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.Key, e.Generation, e.Prior, e.Person, e.Handle, string(e.Item.Kind), e.Item.Quantity, e.Reason)
	case ledger.TransactionExplained:
		return s.one(ctx, `INSERT INTO noted (lt, hash, wallet, reason) VALUES (?, ?, ?, ?)`,
			int64(e.Transaction.LT), e.Transaction.Hash[:], e.Wallet.Raw(), e.Reason)
	case ledger.TransferFound:
		return s.one(ctx, `INSERT INTO found (id, wallet, lt, hash, time, kind, quantity, asset, amount, ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(e.Found), e.Wallet.Raw(), int64(e.Transaction.LT), e.Transaction.Hash[:], e.Time, string(e.Item.Kind), e.Item.Quantity,
			string(e.Amount.Asset), e.Amount.Units, e.Ref)
	case ledger.FoundAssigned:
		return s.assign(ctx, e)
	case ledger.FoundSetAside:
		return s.one(ctx, `UPDATE found SET reason = ? WHERE id = ?`, e.Reason, int64(e.Found))
	}
	return fmt.Errorf("unknown event %T: %w", e, ledger.ErrTransition)
}

// rename has all names of a key stand for another one. What was recorded under
// them stays as it is.
func (s projection) rename(ctx context.Context, e ledger.KeyMoved) error {
	if err := s.one(ctx, `INSERT INTO moved (id, from_key, to_key) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM moved), ?, ?)`, e.From, e.To); err != nil {
		return err
	}
	if err := s.any(ctx, `UPDATE name SET now = ? WHERE now = ?`, e.To, e.From); err != nil {
		return err
	}
	return s.any(ctx, `INSERT INTO name (key, now) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM name WHERE key = ?1)`, e.From, e.To)
}

func (s projection) resolve(ctx context.Context, e ledger.OrderResolved) error {
	switch e.As {
	case ledger.Delivered:
		return s.one(ctx, `UPDATE orders SET phase = 'delivered', reason = ?, evidence = ? WHERE id = ? AND phase = 'held'`,
			e.Reason, ledger.EvidencePerson, int64(e.Order))
	case ledger.Released:
		return s.one(ctx, `UPDATE orders SET phase = 'released', reason = ?, invoice = NULL, evidence = CASE phase WHEN 'offered' THEN ? ELSE evidence END WHERE id = ? AND phase IN ('held', 'offered')`,
			e.Reason, ledger.EvidencePerson, int64(e.Order))
	}
	return fmt.Errorf("order %d as %q: %w", e.Order, e.As, ledger.ErrTransition)
}

// assign makes a delivered order of a found transfer: all that it bought is
// copied from there.
func (s projection) assign(ctx context.Context, e ledger.FoundAssigned) error {
	if err := s.one(ctx, `UPDATE found SET order_id = ?, reason = ? WHERE id = ?`, int64(e.Order), e.Reason, int64(e.Found)); err != nil {
		return err
	}
	if !e.Row.IsZero() && e.Row.Handle != e.Handle {
		return fmt.Errorf("found transfer %d: the row names @%s: %w", e.Found, e.Row.Handle, ledger.ErrTransition)
	}
	if err := s.list(ctx, e.Order, e.Row); err != nil {
		return err
	}
	evidence := ledger.EvidencePerson
	if !e.Row.IsZero() {
		evidence = ledger.EvidenceHistory
	}
	return s.one(ctx, `INSERT INTO orders (id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet,
			cap_asset, cap, reserve_asset, reserve, phase, reason, settled_lt, settled_hash, time, evidence, found)
		SELECT ?, 0, ?, ?, ?, ?, ?, ?, ?, kind, quantity, wallet, asset, amount, asset, amount, 'delivered', reason, lt, hash, time, ?, id
		FROM found WHERE id = ?`,
		int64(e.Order), e.Key, e.Generation, e.Part, e.Prior, e.Person, e.Handle, e.Single, evidence, int64(e.Found))
}

// pin records how Fragment showed the person of an order.
func (s projection) pin(ctx context.Context, e ledger.PersonPinned) error {
	if e.Name != ledger.NormalName(e.Name) {
		return fmt.Errorf("order %d: %w", e.Order, ledger.ErrTransition)
	}
	var photo []byte // NULL for none
	if !e.Photo.IsZero() {
		photo = e.Photo[:]
	}
	return s.one(ctx, `INSERT INTO pin (handle, n, order_id, name, photo, reason)
		SELECT handle, (SELECT coalesce(max(n), 0) + 1 FROM pin WHERE pin.handle = orders.handle), id, ?, ?, ? FROM orders WHERE id = ?`,
		e.Name, photo, e.Reason, int64(e.Order))
}
