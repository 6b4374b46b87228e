package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// An event is appended once and never changed.
func (k kit) EventsAreNeverChanged(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(1)...)
	refuses(t, path, `UPDATE event SET body = '{}' WHERE seq = 2`, "an event is never changed")
	refuses(t, path, `DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)`, "an event is never deleted")
	refuses(t, path, `INSERT INTO event SELECT seq + 2, epoch, time, kind, body, hash, hash FROM event ORDER BY seq DESC LIMIT 1`, "an event follows the newest event")
	refuses(t, path, `INSERT INTO event SELECT seq + 1, epoch, time, kind, body, prev, hash FROM event ORDER BY seq DESC LIMIT 1`, "an event follows the newest event")
	refuses(t, path, `INSERT INTO event SELECT seq + 1, epoch - 1, time, kind, body, hash, hash FROM event ORDER BY seq DESC LIMIT 1`, "an event is of the newest epoch")
}

// One open payment per wallet.
func (k kit) OneOpenPaymentPerWallet(t *testing.T) {
	s, path := k.locked(t)
	one, two := quoted(1, 1), quoted(2, 1)
	put(t, s, reserved(1), reserved(2), one, two, armed(1, 4, one))
	err := s.Append(t.Context(), []ledger.Event{armed(2, 5, two)})
	if !errors.Is(err, ledger.ErrTransition) || !strings.Contains(err.Error(), "payment.wallet") && !strings.Contains(err.Error(), "one_open_payment_per_wallet") {
		t.Errorf("second payment: %v", err)
	}
	refuses(t, path, copyPayment("armed", ""), "payment.wallet|one_open_payment_per_wallet")
	put(t, s, ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Time: 900, Block: 3}}, armed(2, 4, two))
}

// copyPayment inserts payment 1 again as the next one, at its own seqno.
func copyPayment(phase, seqno string) string {
	return `INSERT INTO payment (id, run, wallet, version, wallet_id, seqno, valid_until, hash, payload, deploys, base_lt, base_hash, phase)
		SELECT (SELECT max(id) + 1 FROM payment), run, wallet, version, wallet_id, seqno` + seqno + `, valid_until, hash, payload, deploys, base_lt, base_hash, '` + phase + `'
		FROM payment WHERE id = 1`
}

// One executed payment per (wallet, seqno).
func (k kit) OneExecutedPaymentPerSeqno(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(1)...)
	two := quoted(2, 1)
	put(t, s, reserved(2), two)
	if err := s.Append(t.Context(), []ledger.Event{armed(2, 1, two)}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("payment at a spent seqno: %v", err)
	}
	refuses(t, path, copyPayment("armed", ""), "a seqno that is unspent")
	// Without the trigger the index still stands.
	refuses(t, path, `DROP TRIGGER payment_begins_armed; `+copyPayment("armed", "")+`;
		UPDATE payment SET phase = 'executed', message = payload, settled_lt = 1, settled_hash = hash, time = 1, fees = 1 WHERE id = 2`, "payment.wallet, payment.seqno|one_executed_per_seqno")
}

// One live or paid order per (key, generation, part).
func (k kit) OneLiveOrPaidOrderPerPart(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(1)...)
	again := reserved(2)
	again.Key = "gift/p1"
	if err := s.Append(t.Context(), []ledger.Event{again}); !errors.Is(err, ledger.ErrPrior) {
		t.Errorf("decided on a sum that has changed: %v, want ErrPrior", err)
	}
	again.Prior = 50
	if err := s.Append(t.Context(), []ledger.Event{again}); !errors.Is(err, ledger.ErrPrior) {
		t.Errorf("the same part: %v, want ErrPrior", err)
	}
	// Without the trigger the index still stands.
	refuses(t, path, `DROP TRIGGER order_knows_the_prior; INSERT INTO orders (id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet, cap_asset, cap, reserve_asset, reserve, phase)
		SELECT 2, run, key, generation, part, 50, person, handle, single, kind, quantity, wallet, cap_asset, cap, reserve_asset, reserve, 'reserved' FROM orders`,
		"orders.key, orders.generation, orders.part|one_live_or_paid_order_per_part")
}

// A ref is kept for ever, so that it is never paid twice.
func (k kit) ARefIsUsedOnceForEver(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, reserved(1), quoted(1, 1), ledger.InvoiceDropped{Order: 1, Reason: "expired"}, reserved(2))
	stale := quoted(2, 1)
	stale.Invoice.Ref = "ref-1-1"
	if err := s.Append(t.Context(), []ledger.Event{stale}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("a used ref: %v", err)
	}
	refuses(t, path, `DELETE FROM invoice`, "an invoice is never deleted")
	refuses(t, path, `UPDATE invoice SET ref = 'other'`, "an invoice is never changed")
}

// Every phase has the columns that explain it, and phases change only along
// the table of package ledger: never out of paid backwards, and out of armed
// only by the payment's proof.
func (k kit) PhasesChangeOnlyAlongTheTable(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(1)...)
	two := quoted(2, 1)
	put(t, s, reserved(2), two, armed(2, 7, two), reserved(3))
	for _, c := range []struct{ statement, reason string }{
		{`UPDATE orders SET phase = 'reserved' WHERE id = 1`, "this phase of an order may not follow"},
		{`UPDATE orders SET phase = 'released' WHERE id = 1`, "this phase of an order may not follow"},
		{`UPDATE orders SET phase = 'held' WHERE id = 1`, "held only for a bounce"},
		{`UPDATE orders SET reserve = 0 WHERE id = 1`, "this phase of an order may not follow"},
		{`UPDATE orders SET phase = 'reserved', invoice = NULL, payment = NULL, idx = NULL WHERE id = 2`, "waits for its payment"},
		{`UPDATE orders SET phase = 'released', invoice = NULL WHERE id = 2`, "waits for its payment"},
		{`UPDATE orders SET phase = 'paid', settled_lt = 1, settled_hash = zeroblob(32), time = 1 WHERE id = 2`, "paid by the transaction of its payment"},
		{`UPDATE orders SET phase = 'quoted' WHERE id = 3`, "offered_has_its_invoice"},
		{`UPDATE orders SET quantity = 100 WHERE id = 3`, "what an order buys never changes"},
		{`UPDATE orders SET wallet = 'x', phase = 'quoted' WHERE id = 3`, "what an order buys never changes"},
		{`DELETE FROM orders WHERE id = 3`, "an order is never deleted"},
		{`UPDATE payment SET phase = 'dead' WHERE id = 1`, "this phase of a payment may not follow"},
		{`UPDATE payment SET phase = 'dead' WHERE id = 2`, "dead_has_its_certificate"},
		{`UPDATE payment SET phase = 'executed' WHERE id = 2`, "executed_has_its_message"},
		{`UPDATE payment SET phase = 'executed', message = payload WHERE id = 2`, "executed_is_in_the_chain"},
		{`UPDATE payment SET phase = 'signed' WHERE id = 2`, "signed_has_its_message"},
		{`UPDATE payment SET seqno = 8, phase = 'dead' WHERE id = 2`, "what a payment pays never changes"},
		{`DELETE FROM payment`, "a payment is never deleted"},
		{`UPDATE payment_order SET order_id = 3`, "which orders a payment pays never changes"},
		{`DELETE FROM payment_order`, "which orders a payment pays never changes"},
		{`INSERT INTO payment_order VALUES (2, 1, 3)`, "a payment pays quoted orders"},
		{`UPDATE ledger SET id = 'other'`, "the id of a ledger never changes"},
		{`UPDATE ledger SET epoch = 0`, "an epoch follows"},
		{`UPDATE wallet SET anchor_lt = 99`, "the anchor of a wallet never changes"},
		{`DELETE FROM run`, "a run is never deleted"},
		{`UPDATE run SET host = 'other'`, "a run ends once"},
		{`INSERT INTO run SELECT 9, digest, nonce, host, '' FROM run`, "a run follows the newest"},
		{`DELETE FROM ledger`, "a ledger is never deleted"},
		{`DELETE FROM wallet`, "a wallet is never deleted"},
		{`INSERT INTO wallet SELECT 'x', version, anchor_lt, anchor_hash, block, reason, ramp, 9, zeroblob(32) FROM wallet WHERE block > 0`, "after it has an anchor"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
	put(t, s, ledger.PaymentSignedEvent{Payment: 2, Message: body("bytes")})
	refuses(t, path, `UPDATE payment SET phase = 'executed', message = x'00', settled_lt = 1, settled_hash = hash, time = 1, fees = 1 WHERE id = 2`, "the signed bytes never change")
	put(t, s, ledger.PaymentExecutedEvent{Payment: 2, Transaction: ton.Position{LT: 300}, Paid: []ledger.OrderID{2}})
	for _, back := range []string{"reserved", "quoted", "armed", "released"} {
		refuses(t, path, `UPDATE orders SET phase = '`+back+`' WHERE id = 2`, "this phase of an order may not follow")
	}
	refuses(t, path, `UPDATE orders SET phase = 'held', settled_lt = 1 WHERE id = 2`, "what paid an order never changes")
}

// Append writes all of its events or none.
func (k kit) AppendIsAllOrNothing(t *testing.T) {
	s, _ := k.locked(t)
	put(t, s, reserved(1))
	before, head := load(t, s), must(s.Head(t.Context()))
	err := s.Append(t.Context(), []ledger.Event{quoted(1, 1), reserved(2), ledger.OrderAcknowledged{Order: 1}})
	if !errors.Is(err, ledger.ErrTransition) {
		t.Fatalf("got %v, want ErrTransition", err)
	}
	if after := must(s.Head(t.Context())); after != head {
		t.Errorf("the log grew from %d to %d", head.Seq, after.Seq)
	}
	if diff := cmp.Diff(before.Orders, load(t, s).Orders); diff != "" {
		t.Error(diff)
	}
	put(t, s, quoted(1, 1)) // and the store goes on
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// How Fragment showed a person stands with a quoted order and is never changed.
func (k kit) PinsAreNeverChanged(t *testing.T) {
	s, path := k.locked(t)
	pin := ledger.PersonPinned{Order: 1, Identity: ledger.Identity{Name: "Ann", Photo: ton.Hash{7}}, Reason: ledger.PinFirst}
	put(t, s, reserved(1), quoted(1, 1), pin)
	refuses(t, path, `UPDATE pin SET name = 'Bob'`, "a pin is never changed")
	refuses(t, path, `DELETE FROM pin`, "a pin is never deleted")
	refuses(t, path, `INSERT INTO pin SELECT handle, 2, order_id, name, photo, reason FROM pin`, "a pin says something new")
	refuses(t, path, `INSERT INTO pin SELECT handle, 3, order_id, 'Bob', photo, reason FROM pin`, "a pin follows the newest pin")
	refuses(t, path, `INSERT INTO pin SELECT 'other', 1, order_id, name, photo, reason FROM pin`, "a person is pinned with a quoted order")
	if got := load(t, s).Pins["h"]; got.Identity != pin.Identity || got.N != 1 || got.Order != 1 {
		t.Errorf("read back: %+v", got)
	}
}

// What an order counts for is what was written when it was reserved.
func (k kit) AnOrderKeepsItsScopes(t *testing.T) {
	s, path := k.locked(t)
	e := reserved(1)
	e.Scopes = []string{"campaign winter", "label season=\"a\nb\""}
	put(t, s, e)
	refuses(t, path, `UPDATE orders SET scopes = '[]'`, "what an order counts for never changes")
	if got := load(t, s).Orders[1].Scopes; !slices.Equal(got, e.Scopes) {
		t.Errorf("read back: %q", got)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
