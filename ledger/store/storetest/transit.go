package storetest

import (
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// sentStory leaves order 1, in USDT, sent.
func sentStory() []ledger.Event {
	r, q := reserved(1), quoted(1, 1)
	r.Cap.Asset, r.Reserve.Asset = ton.AssetUSDT, ton.AssetUSDT
	q.Invoice = inUSDT(q.Invoice)
	return []ledger.Event{
		ledger.RunStarted{Run: 1, Digest: ton.Hash{1}, Host: "ci"}, r, q, armed(1, 1, q),
		ledger.PaymentSignedEvent{Payment: 1, Message: body("message")},
		ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 101, Hash: ton.Hash{3}}, Time: 500, Fees: 3, Sent: []ledger.OrderID{1}},
	}
}

// An order in USDT is read back as sent, with all that is needed to follow its
// transfer, and as paid when it has arrived.
func (k kit) SentIsReadBack(t *testing.T) {
	s, _ := k.locked(t)
	put(t, s, sentStory()...)
	book := load(t, s)
	o := book.Orders[1]
	if len(book.Message(o)) == 0 {
		t.Error("Fragment can't be shown the message once the USDT has arrived")
	}
	if o.Phase != ledger.Sent || o.Settled.LT != 101 || o.Invoice == nil || len(o.Invoice.Transfer.Body) == 0 {
		t.Fatalf("sent: %+v", o)
	}
	at := ton.Position{LT: 105, Hash: ton.Hash{5}}
	put(t, s, ledger.TransferReceived{Order: 1, Transaction: at})
	if o = load(t, s).Orders[1]; o.Phase != ledger.Paid || o.Received != at {
		t.Errorf("received: %+v", o)
	}
	put(t, s, ledger.OrderAcknowledged{Order: 1})
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// The file itself refuses that an order in USDT is taken for paid before it
// has arrived, that it arrives twice, and that TON is ever in transit.
func (k kit) TheFileKnowsWhatIsInTransit(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, sentStory()...)
	for _, c := range []struct{ statement, says string }{
		{`UPDATE orders SET phase = 'acknowledged' WHERE id = 1`, "not known to be paid"},
		{`UPDATE orders SET phase = 'delivered', evidence = 'page' WHERE id = 1`, "not known to be paid"},
		{`DELETE FROM transit`, "never deleted"},
		{`UPDATE transit SET received_lt = 7`, "received_is_whole"},
		{`UPDATE transit SET received_lt = 7, received_hash = zeroblob(32); UPDATE transit SET received_lt = 8, received_hash = zeroblob(32)`, "arrives once"},
		{`INSERT INTO transit VALUES (1, 7, zeroblob(32))`, "a moment ago"},
	} {
		refuses(t, path, c.statement, c.says)
	}
}

// What a person was asked to pay in USDT, and paid, is read back as sent with
// the message that paid it, and is paid when it has arrived. The file refuses
// that it is taken for paid before.
func (k kit) WhatAPersonSentIsReadBack(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, sentStory()[:3]...)
	put(t, s, ledger.PaymentRequested{Request: 1, Run: 1, Wallet: ours, ValidUntil: 5, Orders: []ledger.OrderID{1}})
	refuses(t, path, `BEGIN; INSERT INTO outside VALUES (9, zeroblob(32), (SELECT wallet FROM orders), 1, 1, NULL);
		INSERT INTO outside_order VALUES (9, zeroblob(32), 0, 1);
		UPDATE orders SET phase = 'paid', settled_lt = 9, settled_hash = zeroblob(32), time = 1 WHERE id = 1`, "only TON has arrived")
	put(t, s, ledger.RequestPaid{Wallet: ours, Transaction: ton.Position{LT: 101, Hash: ton.Hash{3}}, Time: 500, Fees: 3, Message: body("outside"), Sent: []ledger.OrderID{1}})
	book := load(t, s)
	if o := book.Orders[1]; o.Phase != ledger.Sent || o.Settled.LT != 101 || len(o.Invoice.Transfer.Body) == 0 || len(book.Message(o)) == 0 {
		t.Fatalf("sent: %+v", o)
	}
	refuses(t, path, `UPDATE orders SET phase = 'acknowledged' WHERE id = 1`, "not known to be paid")
	put(t, s, ledger.TransferReceived{Order: 1, Transaction: ton.Position{LT: 105, Hash: ton.Hash{5}}})
	if o := load(t, s).Orders[1]; o.Phase != ledger.Paid {
		t.Errorf("received: %+v", o)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
