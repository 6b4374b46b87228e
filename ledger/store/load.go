package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// A loader fills a state from the tables.
type loader struct {
	state *ledger.State
}

// Load reads the state from the tables, on one unchanging view of them. Unless
// full, what is settled is read without its bulk: the params and transfer body
// of the invoices of acknowledged and delivered orders; the message and the
// payload's transfers of payments that are dead, or executed with every order
// acknowledged; the message of a payment from outside with every order
// acknowledged.
func Load(ctx context.Context, s Reader, full bool) (*ledger.State, error) {
	l := loader{ledger.NewState()}
	bulky := `phase <> 'dead' AND (phase <> 'executed' OR EXISTS (SELECT 1 FROM orders WHERE orders.payment = payment.id AND orders.phase = 'paid'))`
	// A query id is never used twice, so the bodies in USDT are kept.
	wanted := `(o.phase NOT IN ('acknowledged', 'delivered') OR i.price_asset = 'USDT')`
	told := `EXISTS (SELECT 1 FROM outside_order p JOIN orders o ON o.id = p.order_id WHERE p.lt = t.lt AND p.hash = t.hash AND o.phase = 'paid')`
	if full {
		bulky, wanted, told = `1 = 1`, `1 = 1`, `1 = 1`
	}
	for _, q := range []struct {
		table, query string
		row          func(*Row) error
	}{
		{"ledger", `SELECT id, epoch, (SELECT coalesce(max(id), 0) FROM orders), (SELECT count(*) FROM invoice) FROM ledger`, l.ledger},
		{"wallet", `SELECT address, version, anchor_lt, anchor_hash, block, reason, ramp, checked_lt, checked_hash FROM wallet`, l.wallet},
		{"run", `SELECT id, digest, nonce, host, outcome FROM run`, l.run},
		{"well", `SELECT time, told FROM well`, l.well},
		{"name", `SELECT key, now FROM name WHERE key <> now`, l.name},
		{"orders", `SELECT id, run, key, generation, part, person, o.handle, single, o.kind, o.quantity, wallet, cap_asset, cap, reserve_asset, reserve,
			phase, reason, invoice, invoices, deaths, payment, coalesce(idx, -1), settled_lt, settled_hash, o.time, evidence, found, request, scopes,
			l.handle, l.kind, l.quantity, l.asset, l.price, l.time
			FROM orders o LEFT JOIN listed l ON l.order_id = o.id ORDER BY id`, l.order},
		{"invoice", `SELECT order_id, n, ref, request_id, recipient, name, destination, bounce, amount, price_asset, price, quoted, valid_until, confirm, session FROM invoice`, l.invoice},
		{"invoice", `SELECT o.id, i.body, i.params FROM orders o JOIN invoice i ON i.order_id = o.id AND i.n = o.invoice WHERE ` + wanted, l.bulk},
		{"payment", `SELECT id, run, wallet, version, wallet_id, seqno, valid_until, hash, deploys, base_lt, base_hash, phase,
			settled_lt, settled_hash, time, fees, taken_lt, taken_hash, proof_seqno, proof_time, proof_block,
			CASE WHEN ` + bulky + ` THEN payload END, CASE WHEN ` + bulky + ` THEN message END
			FROM payment`, l.payment},
		{"transit", `SELECT order_id, received_lt, received_hash FROM transit`, l.transit},
		{"payment_order", `SELECT payment, order_id FROM payment_order ORDER BY payment, idx`, l.paymentOrder},
		{"request", `SELECT id, run, wallet, valid_until, base_lt, base_hash FROM request`, l.request},
		{"request_order", `SELECT request, order_id FROM request_order ORDER BY request, idx`, l.requestOrder},
		{"outside", `SELECT lt, hash, wallet, time, fees, CASE WHEN ` + told + ` THEN message END FROM outside t`, l.outside},
		{"outside_order", `SELECT lt, hash, order_id FROM outside_order ORDER BY lt, hash, idx`, l.outsideOrder},
		{"burn", `SELECT payment, version, payload, message, reason FROM burn`, l.burn},
		{"noted", `SELECT lt, hash, reason FROM noted`, l.noted},
		{"bounce", `SELECT order_id, lt, hash FROM bounce ORDER BY id`, l.bounce},
		{"found", `SELECT id, wallet, lt, hash, time, kind, quantity, asset, amount, ref, order_id, reason FROM found`, l.found},
		{"rule", `SELECT grant_name, text, since FROM rule ORDER BY grant_name, n`, l.rule},
		{"pin", `SELECT handle, order_id, name, photo, reason FROM pin ORDER BY handle, n`, l.pin},
		{"reissue", `SELECT key, generation, reason FROM reissue ORDER BY generation, key`, l.reissue},
		{"settled", `SELECT key, generation, person, handle, kind, quantity, reason FROM settled ORDER BY id`, l.settled},
	} {
		if err := s.Each(ctx, q.query, q.row); err != nil {
			return nil, s.Failed(q.table, err)
		}
	}
	if l.state.Ledger == "" {
		return nil, s.Failed("ledger", fmt.Errorf("it has no id: %w", ErrCorrupt))
	}
	return l.state, nil
}

func (l *loader) ledger(r *Row) error {
	l.state.Ledger, l.state.Epoch = r.text(), r.number()
	l.state.Orders, l.state.Refs = make(map[ledger.OrderID]*ledger.Order, r.number()), make(map[string]ledger.OrderID, r.number())
	return nil
}

func (l *loader) well(r *Row) error {
	l.state.Well = ledger.Well{Time: r.number(), Told: r.number() == 1}
	return nil
}

func (l *loader) wallet(r *Row) error {
	w := &ledger.Wallet{
		Address: r.address(), Version: ton.WalletVersion(r.word()), Anchor: ton.Position{LT: uint64(r.number()), Hash: r.hash()},
		Block: uint32(r.number()), Reason: r.text(), Ramp: int(r.number()), Checked: ton.Position{LT: uint64(r.number()), Hash: r.hash()},
	}
	l.state.Wallets[w.Address] = w
	return nil
}

func (l *loader) run(r *Row) error {
	run := &ledger.Run{ID: ledger.RunID(r.number()), Digest: r.hash(), Nonce: r.text(), Host: r.text(), Outcome: r.text()}
	l.state.Runs[run.ID] = run
	l.state.LastRun = max(l.state.LastRun, run.ID)
	return nil
}

func (l *loader) order(r *Row) error {
	o := &ledger.Order{
		ID: ledger.OrderID(r.number()), Run: ledger.RunID(r.number()), Key: r.text(), Generation: int(r.number()), Part: int(r.number()),
		Person: r.text(), Handle: r.text(), Single: r.flag(), Item: product.Item{Kind: product.Kind(r.word()), Quantity: r.number()}, Wallet: r.address(),
		Cap: ton.Amount{Asset: ton.Asset(r.word()), Units: r.number()}, Reserve: ton.Amount{Asset: ton.Asset(r.word()), Units: r.number()},
		Phase: ledger.Phase(r.word()), Reason: r.word(),
	}
	o.Key = l.state.Now(o.Key)
	if n := int(r.number()); n > 0 {
		o.Invoice = &ledger.Invoice{N: n} // filled by its row
	}
	o.Invoices, o.Deaths, o.Payment, o.Index = int(r.number()), int(r.number()), ledger.PaymentID(r.number()), int(r.number())
	o.Settled, o.Time = ton.Position{LT: uint64(r.number()), Hash: r.hash()}, uint32(r.number())
	o.Evidence, o.Found = r.word(), ledger.FoundID(r.number())
	o.Request = ledger.RequestID(r.number())
	if scopes := r.text(); scopes != "[]" {
		if err := json.Unmarshal([]byte(scopes), &o.Scopes); err != nil {
			return fmt.Errorf("order %d: scopes: %w: %w", o.ID, ErrCorrupt, err)
		}
	}
	o.Row = ledger.Row{
		Handle: r.text(), Item: product.Item{Kind: product.Kind(r.word()), Quantity: r.number()},
		Price: ton.Amount{Asset: ton.Asset(r.word()), Units: r.number()}, Time: uint32(r.number()),
	}
	l.state.Add(o)
	return nil
}

func (l *loader) invoice(r *Row) error {
	id, n, ref := ledger.OrderID(r.number()), int(r.number()), r.text()
	l.state.Refs[ref] = id
	o := l.state.Orders[id]
	if o == nil {
		return fmt.Errorf("no order %d: %w", id, ErrCorrupt)
	}
	if o.Invoice == nil || o.Invoice.N != n {
		return nil // an offer of the past
	}
	*o.Invoice = ledger.Invoice{
		N: n, Ref: ref, RequestID: r.text(), Recipient: r.text(), Name: r.text(),
		Transfer: ton.Transfer{To: r.address(), Bounce: r.flag(), Amount: ton.Nano(r.number())},
		Price:    ton.Amount{Asset: ton.Asset(r.word()), Units: r.number()}, Quoted: uint32(r.number()), ValidUntil: uint32(r.number()), Confirm: r.word(), Session: r.text(),
	}
	return nil
}

// bulk adds to a current offer what, in TON, is needed only until it is paid for
// and Fragment knows.
func (l *loader) bulk(r *Row) error {
	id := ledger.OrderID(r.number())
	o := l.state.Orders[id]
	if o == nil || o.Invoice == nil {
		return fmt.Errorf("no offer of order %d: %w", id, ErrCorrupt)
	}
	i := o.Invoice
	if body := r.blob(); len(body) > 0 {
		i.Transfer.Body = body
	}
	if err := json.Unmarshal([]byte(r.text()), &i.Params); err != nil {
		return fmt.Errorf("order %d: params: %w: %w", id, ErrCorrupt, err)
	}
	return nil
}

// transit tells what was sent from what has arrived.
func (l *loader) transit(r *Row) error {
	id := ledger.OrderID(r.number())
	o := l.state.Orders[id]
	if o == nil {
		return fmt.Errorf("no order %d: %w", id, ErrCorrupt)
	}
	o.Received = ton.Position{LT: uint64(r.number()), Hash: r.hash()}
	if o.Phase == ledger.Paid && o.Received.IsZero() {
		o.Phase = ledger.Sent
	}
	return nil
}

func (l *loader) payment(r *Row) error {
	p := &ledger.Payment{ID: ledger.PaymentID(r.number()), Run: ledger.RunID(r.number()), Wallet: r.address()}
	p.Payload = ton.Payload{Wallet: ton.WalletVersion(r.word()), WalletID: uint32(r.number()), Seqno: uint32(r.number()), ValidUntil: uint32(r.number())}
	p.Seqno, p.Hash, p.Deploys = p.Payload.Seqno, r.hash(), r.flag()
	p.Base = ton.Position{LT: uint64(r.number()), Hash: r.hash()}
	p.Phase = ledger.PaymentPhase(r.word())
	p.Settled, p.Time, p.Fees = ton.Position{LT: uint64(r.number()), Hash: r.hash()}, uint32(r.number()), ton.Nano(r.number())
	c := ledger.Certificate{Taken: ton.Position{LT: uint64(r.number()), Hash: r.hash()}, Seqno: uint32(r.number()), Time: uint32(r.number()), Block: uint32(r.number())}
	if p.Phase == ledger.PaymentDead {
		p.Certificate = &c
	}
	payload := r.blob()
	if message := r.blob(); len(message) > 0 {
		p.Message = message
	}
	l.state.Payments[p.ID] = p
	l.state.LastPayment = max(l.state.LastPayment, p.ID)
	if len(payload) == 0 {
		return nil
	}
	var err error
	if p.Payload, err = payloadOf(p.Payload.Wallet, payload); err != nil {
		return fmt.Errorf("payment %d: %w: %w", p.ID, ErrCorrupt, err)
	}
	return nil
}

// payloadOf reads what Encode made.
func payloadOf(v ton.WalletVersion, b []byte) (ton.Payload, error) {
	cell, err := ton.BoC(b).Cell()
	if err != nil {
		return ton.Payload{}, err
	}
	return ton.ParsePayload(v, cell)
}

func (l *loader) paymentOrder(r *Row) error {
	id := ledger.PaymentID(r.number())
	p := l.state.Payments[id]
	if p == nil {
		return fmt.Errorf("no payment %d: %w", id, ErrCorrupt)
	}
	p.Orders = append(p.Orders, ledger.OrderID(r.number()))
	return nil
}
