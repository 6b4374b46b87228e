package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Load reads the state from the tables. What is settled is read without its
// bulk: the params and transfer body of the invoices of acknowledged and
// delivered orders; the message and the payload's transfers of payments that
// are dead, or executed with every order acknowledged.
func (s *Store) Load(ctx context.Context) (*ledger.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view(ctx, false)
}

// LoadFull is Load with the bulk of what is settled, for audits: every transfer,
// message, body and parameter that the ledger ever held.
func (s *Store) LoadFull(ctx context.Context) (*ledger.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view(ctx, true)
}

func (s *Store) view(ctx context.Context, full bool) (*ledger.State, error) {
	var state *ledger.State
	err := s.read(ctx, func() (err error) {
		state, err = s.load(ctx, full)
		return err
	})
	return state, err
}

// read runs do on one unchanging view of the file.
func (s *Store) read(ctx context.Context, do func() error) error {
	if err := s.patient(ctx, `BEGIN`); err != nil {
		return s.failed("begin", err)
	}
	err := do()
	if end := s.rollback(context.WithoutCancel(ctx)); err == nil {
		err = end
	}
	return err
}

// loader holds what is read many times and parsed once.
type loader struct {
	state     *ledger.State
	full      bool
	addresses map[string]ton.Address
}

func (s *Store) load(ctx context.Context, full bool) (*ledger.State, error) {
	l := loader{ledger.NewState(), full, map[string]ton.Address{}}
	err := s.conn.QueryRowContext(ctx, `SELECT id, epoch FROM ledger`).Scan(&l.state.Ledger, &l.state.Epoch)
	if err != nil {
		return nil, s.failed("id", err)
	}
	bulky := `phase <> 'dead' AND (phase <> 'executed' OR EXISTS (SELECT 1 FROM orders WHERE orders.payment = payment.id AND orders.phase = 'paid'))`
	if full {
		bulky = `1`
	}
	for _, q := range []struct {
		table, query string
		row          func(*sql.Rows) error
	}{
		{"wallet", `SELECT address, version, anchor_lt, anchor_hash, block, reason, ramp, coalesce(checked_lt, 0), checked_hash FROM wallet`, l.wallet},
		{"run", `SELECT id, digest, host, outcome FROM run`, l.run},
		{"orders", `SELECT id, run, key, generation, part, person, handle, single, kind, quantity, wallet, cap_asset, cap, reserve_asset, reserve,
			phase, reason, invoice, invoices, deaths, coalesce(payment, 0), coalesce(idx, -1), coalesce(settled_lt, 0), settled_hash, coalesce(time, 0), evidence, coalesce(found, 0)
			FROM orders ORDER BY id`, l.order},
		{"invoice", `SELECT i.order_id, i.n, i.ref, o.invoice IS i.n, i.request_id, i.recipient, i.name, i.destination, i.bounce, i.amount, i.price_asset, i.price,
			i.valid_until, i.confirm, iif(o.phase IN ('acknowledged', 'delivered'), NULL, i.body), iif(o.phase IN ('acknowledged', 'delivered'), NULL, i.params)
			FROM orders o JOIN invoice i ON i.order_id = o.id`, l.invoice},
		{"payment", `SELECT id, run, wallet, version, wallet_id, seqno, valid_until, hash, deploys, base_lt, base_hash, phase,
			coalesce(settled_lt, 0), settled_hash, coalesce(time, 0), coalesce(fees, 0), coalesce(taken_lt, 0), taken_hash,
			coalesce(proof_seqno, 0), coalesce(proof_time, 0), coalesce(proof_block, 0), iif(` + bulky + `, payload, NULL), iif(` + bulky + `, message, NULL)
			FROM payment`, l.payment},
		{"payment_order", `SELECT payment, order_id FROM payment_order ORDER BY payment, idx`, l.paymentOrder},
		{"burn", `SELECT payment, version, payload, message, reason FROM burn`, l.burn},
		{"noted", `SELECT lt, hash, reason FROM noted`, l.noted},
		{"found", `SELECT id, wallet, lt, hash, time, kind, quantity, asset, amount, ref, coalesce(order_id, 0), reason FROM found`, l.found},
		{"reissue", `SELECT key, generation, reason FROM reissue ORDER BY key, generation`, l.reissue},
	} {
		if full && q.table == "invoice" {
			q.query = `SELECT i.order_id, i.n, i.ref, o.invoice IS i.n, i.request_id, i.recipient, i.name, i.destination, i.bounce, i.amount, i.price_asset, i.price,
				i.valid_until, i.confirm, i.body, i.params FROM orders o JOIN invoice i ON i.order_id = o.id`
		}
		if err := s.each(ctx, q.query, q.row); err != nil {
			return nil, s.failed(q.table, err)
		}
	}
	return l.state, nil
}

func (s *Store) each(ctx context.Context, query string, row func(*sql.Rows) error) error {
	rows, err := s.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (l *loader) wallet(rows *sql.Rows) error {
	var w ledger.Wallet
	var address string
	var hash, checked []byte
	err := rows.Scan(&address, &w.Version, &w.Anchor.LT, &hash, &w.Block, &w.Reason, &w.Ramp, &w.Checked.LT, &checked)
	if err != nil {
		return err
	}
	if w.Address, err = l.address(address); err != nil {
		return err
	}
	l.state.Wallets[w.Address] = &w
	if err := into(&w.Checked.Hash, checked); err != nil {
		return err
	}
	return into(&w.Anchor.Hash, hash)
}

func (l *loader) run(rows *sql.Rows) error {
	var r ledger.Run
	var digest []byte
	if err := rows.Scan(&r.ID, &digest, &r.Host, &r.Outcome); err != nil {
		return err
	}
	l.state.Runs[r.ID] = &r
	l.state.LastRun = max(l.state.LastRun, r.ID)
	return into(&r.Digest, digest)
}

func (l *loader) order(rows *sql.Rows) error {
	o := &ledger.Order{}
	var wallet, settled sql.RawBytes
	var kind, capAsset, reserveAsset, phase sql.RawBytes
	var invoice sql.NullInt64
	err := rows.Scan(&o.ID, &o.Run, &o.Key, &o.Generation, &o.Part, &o.Person, &o.Handle, &o.Single, &kind, &o.Item.Quantity, &wallet,
		&capAsset, &o.Cap.Units, &reserveAsset, &o.Reserve.Units, &phase, &o.Reason, &invoice, &o.Invoices, &o.Deaths,
		&o.Payment, &o.Index, &o.Settled.LT, &settled, &o.Time, &o.Evidence, &o.Found)
	if err != nil {
		return err
	}
	o.Item.Kind, o.Cap.Asset, o.Reserve.Asset, o.Phase = product.Kind(kind), ton.Asset(capAsset), ton.Asset(reserveAsset), ledger.Phase(phase)
	if o.Wallet, err = l.address(string(wallet)); err != nil {
		return err
	}
	l.state.Add(o)
	return into(&o.Settled.Hash, settled)
}

func (l *loader) invoice(rows *sql.Rows) error {
	i := &ledger.Invoice{}
	var id ledger.OrderID
	var current bool
	var to, asset, body, params sql.RawBytes
	err := rows.Scan(&id, &i.N, &i.Ref, &current, &i.RequestID, &i.Recipient, &i.Name, &to, &i.Transfer.Bounce, &i.Transfer.Amount,
		&asset, &i.Price.Units, &i.ValidUntil, &i.Confirm, &body, &params)
	if err != nil {
		return err
	}
	l.state.Refs[i.Ref] = id
	if !current {
		return nil
	}
	if i.Transfer.To, err = l.address(string(to)); err != nil {
		return err
	}
	i.Price.Asset = ton.Asset(asset)
	if len(body) > 0 {
		i.Transfer.Body = append(ton.BoC(nil), body...)
	}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &i.Params); err != nil {
			return fmt.Errorf("order %d: params: %w", id, err)
		}
	}
	l.state.Orders[id].Invoice = i
	return nil
}

func (l *loader) payment(rows *sql.Rows) error {
	p := &ledger.Payment{}
	var c ledger.Certificate
	var wallet string
	var hash, base, settled, taken, payload, message sql.RawBytes
	err := rows.Scan(&p.ID, &p.Run, &wallet, &p.Payload.Wallet, &p.Payload.WalletID, &p.Seqno, &p.Payload.ValidUntil, &hash, &p.Deploys, &p.Base.LT, &base, &p.Phase,
		&p.Settled.LT, &settled, &p.Time, &p.Fees, &c.Taken.LT, &taken, &c.Seqno, &c.Time, &c.Block, &payload, &message)
	if err != nil {
		return err
	}
	if p.Wallet, err = l.address(wallet); err != nil {
		return err
	}
	p.Payload.Seqno = p.Seqno
	for _, f := range []struct {
		hash *ton.Hash
		from []byte
	}{{&p.Hash, hash}, {&p.Base.Hash, base}, {&p.Settled.Hash, settled}, {&c.Taken.Hash, taken}} {
		if err := into(f.hash, f.from); err != nil {
			return err
		}
	}
	if len(message) > 0 {
		p.Message = append(ton.BoC(nil), message...)
	}
	if p.Phase == ledger.PaymentDead {
		p.Certificate = &c
	}
	l.state.Payments[p.ID] = p
	l.state.LastPayment = max(l.state.LastPayment, p.ID)
	if len(payload) == 0 {
		return nil
	}
	if p.Payload, err = payloadOf(p.Payload.Wallet, payload); err != nil {
		return fmt.Errorf("payment %d: %w: %w", p.ID, ErrCorrupt, err)
	}
	return nil
}

// payloadOf reads what Encode made, from bytes that are the driver's.
func payloadOf(v ton.WalletVersion, b []byte) (ton.Payload, error) {
	cell, err := append(ton.BoC(nil), b...).Cell()
	if err != nil {
		return ton.Payload{}, err
	}
	return ton.ParsePayload(v, cell)
}

func (l *loader) paymentOrder(rows *sql.Rows) error {
	var id ledger.PaymentID
	var order ledger.OrderID
	if err := rows.Scan(&id, &order); err != nil {
		return err
	}
	p := l.state.Payments[id]
	if p == nil {
		return fmt.Errorf("no payment %d: %w", id, ErrCorrupt)
	}
	p.Orders = append(p.Orders, order)
	return nil
}

func (l *loader) address(raw string) (ton.Address, error) {
	if a, ok := l.addresses[raw]; ok {
		return a, nil
	}
	a, _, err := ton.ParseAddress(raw)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	l.addresses[raw] = a
	return a, nil
}

// into copies a hash; NULL is the zero hash.
func into(h *ton.Hash, b []byte) error {
	if b == nil {
		return nil
	}
	if len(b) != len(h) {
		return fmt.Errorf("a hash of %d bytes: %w", len(b), ErrCorrupt)
	}
	copy(h[:], b)
	return nil
}
