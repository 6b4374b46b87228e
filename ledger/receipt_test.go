package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

var (
	purse     = ton.Address{Account: [32]byte{0x11}} // our jetton wallet
	collector = ton.Address{Account: [32]byte{0x12}}
	till      = ton.Address{Account: [32]byte{0x13}} // the collector's
	stranger  = ton.Address{Account: [32]byte{0x14}}
)

// inUSDT is the offer as it is paid in USDT.
func inUSDT(q ledger.OrderQuoted) ledger.OrderQuoted {
	c, err := ton.JettonTransfer{QueryID: 7, Amount: q.Invoice.Price.Units, Destination: collector, Response: ours, Forward: 1, Payload: q.Invoice.Transfer.Body}.Encode()
	if err != nil {
		panic(err)
	}
	q.Invoice.Transfer = ton.Transfer{To: purse, Bounce: true, Amount: ton.TON / 20, Body: ton.BoCOf(c)}
	q.Invoice.Price.Asset = ton.AssetUSDT
	return q
}

func reservedInUSDT(id int, key string) ledger.OrderReserved {
	r := reserved(id, key)
	r.Cap.Asset, r.Reserve.Asset = ton.AssetUSDT, ton.AssetUSDT
	return r
}

// sentOrder is a state in which order 1, in USDT, was sent at 100.
func sentOrder(t *testing.T) *ledger.State {
	t.Helper()
	s := ledger.NewState()
	q := inUSDT(quoted(1, "a"))
	apply(t, s, ledger.Opened{Ledger: "x"}, ledger.Anchored{Wallet: ours, Version: ton.V5R1}, ledger.RunStarted{Run: 1},
		reservedInUSDT(1, "g/ann"), q, armed(1, 3, q),
		ledger.PaymentSignedEvent{Payment: 1, Message: body("m")},
		ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 100, Hash: ton.Hash{1}}, Time: 9, Paid: []ledger.OrderID{}, Sent: []ledger.OrderID{1}})
	return s
}

// What the wallet's own transaction shows of an order in USDT is that it was
// sent. It counts as given, and is neither acknowledged nor delivered before
// it is proven to have arrived.
func TestUSDTIsSentBeforeItIsPaid(t *testing.T) {
	s := sentOrder(t)
	o := s.Orders[1]
	if o.Phase != ledger.Sent || !o.Phase.Spent() || !o.Phase.Live() || s.Given("g/ann") != o.Item.Quantity {
		t.Fatalf("after its payment: %+v, given %d", o, s.Given("g/ann"))
	}
	for _, e := range []ledger.Event{ledger.OrderAcknowledged{Order: 1}, ledger.OrderDelivered{Order: 1, Evidence: ledger.EvidencePage}, ledger.TransferReceived{Order: 1}, ledger.OrderReleased{Order: 1, Reason: "x"}} {
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%T: %v", e, err)
		}
	}
	apply(t, s, ledger.TransferReceived{Order: 1, Transaction: ton.Position{LT: 102, Hash: ton.Hash{2}}})
	if o.Phase != ledger.Paid || o.Received.LT != 102 || o.Settled.LT != 100 {
		t.Errorf("after it arrived: %+v", o)
	}
	apply(t, s, ledger.OrderAcknowledged{Order: 1})
}

// TON has arrived when it was sent, and USDT never has: a verdict that says
// otherwise is refused, and so is an offer in the other money.
func TestAssetsAreNotConfused(t *testing.T) {
	executed := func(paid, sent []ledger.OrderID) ledger.Event {
		return ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 100, Hash: ton.Hash{1}}, Paid: paid, Sent: sent, Message: body("m")}
	}
	one := []ledger.OrderID{1}
	for name, c := range map[string]struct {
		reserve ledger.OrderReserved
		quote   ledger.OrderQuoted
		verdict ledger.Event
	}{
		"USDT as paid": {reservedInUSDT(1, "g/ann"), inUSDT(quoted(1, "a")), executed(one, nil)},
		"TON as sent":  {reserved(1, "g/ann"), quoted(1, "a"), executed(nil, one)},
	} {
		s := ledger.NewState()
		apply(t, s, ledger.Opened{Ledger: "x"}, ledger.Anchored{Wallet: ours, Version: ton.V5R1}, ledger.RunStarted{Run: 1}, c.reserve, c.quote, armed(1, 3, c.quote))
		if err := s.Apply(c.verdict); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	priced := quoted(1, "a")
	priced.Invoice.Price.Asset = ton.AssetUSDT
	for name, c := range map[string]struct {
		reserve ledger.OrderReserved
		quote   ledger.OrderQuoted
	}{
		"an offer in USDT for an order in TON":  {reserved(1, "g/ann"), inUSDT(quoted(1, "a"))},
		"an offer in TON for an order in USDT":  {reservedInUSDT(1, "g/ann"), quoted(1, "a")},
		"a price in USDT and a transfer of TON": {reservedInUSDT(1, "g/ann"), priced},
	} {
		s := ledger.NewState()
		apply(t, s, ledger.Opened{Ledger: "x"}, ledger.Anchored{Wallet: ours, Version: ton.V5R1}, ledger.RunStarted{Run: 1}, c.reserve)
		if err := s.Apply(c.quote); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only the receiver's side shows that USDT arrived, and only a refusal by one
// of the two jetton wallets that it did not; until then nothing is known.
func TestOnlyTheReceiversSideShowsAPayment(t *testing.T) {
	state := sentOrder(t)
	o := state.Orders[1]
	transfer := o.Invoice.Transfer
	asked, err := transfer.Body.Cell()
	if err != nil {
		t.Fatal(err)
	}
	internal := func(units int64, from ton.Address) *cell.Cell {
		note := cell.BeginCell().EndCell()
		return cell.BeginCell().MustStoreUInt(0x178d4519, 32).MustStoreUInt(7, 64).MustStoreCoins(uint64(units)).
			MustStoreAddr(from.TLB()).MustStoreAddr(from.TLB()).MustStoreCoins(1).MustStoreBoolBit(true).MustStoreRef(note).EndCell()
	}
	took := internal(o.Invoice.Price.Units, ours)
	tx := func(lt uint64, from ton.Address, body *cell.Cell, success bool, out ...ton.Out) ton.Transaction {
		return ton.Transaction{Position: ton.Position{LT: lt, Hash: ton.Hash{byte(lt)}}, In: &ton.In{From: from, Body: body}, Success: success, Out: out}
	}
	on := func(body *cell.Cell) ton.Out { return ton.Out{To: till, BodyHash: ton.Hash(body.Hash())} }
	bounced := tx(101, ours, asked, true, on(took))
	bounced.In.Bounced = true
	type trail struct{ sent, received []ton.Transaction }
	one := func(t ...ton.Transaction) []ton.Transaction { return t }
	for name, c := range map[string]struct {
		trail
		want string // what the event says; "" for none
	}{
		"nothing seen":                              {trail{}, ""},
		"its jetton wallet sent it":                 {trail{sent: one(tx(101, ours, asked, true, on(took)))}, ""},
		"and the receiver's took it":                {trail{one(tx(101, ours, asked, true, on(took))), one(tx(102, purse, took, true))}, "received 102"},
		"its jetton wallet refused":                 {trail{sent: one(tx(101, ours, asked, false))}, "no USDT left"},
		"it succeeded and sent nothing":             {trail{sent: one(tx(101, ours, asked, true))}, "no USDT left"},
		"the receiver's refused":                    {trail{one(tx(101, ours, asked, true, on(took))), one(tx(102, purse, took, false))}, "goes back"},
		"it went to another wallet":                 {trail{sent: one(tx(101, ours, asked, true, ton.Out{To: stranger, BodyHash: ton.Hash(took.Hash())}))}, "and not to the jetton wallet"},
		"the receiver's took it from somebody":      {trail{one(tx(101, ours, asked, true, on(took))), one(tx(102, stranger, took, true))}, ""},
		"it took another transfer":                  {trail{one(tx(101, ours, asked, true, on(took))), one(tx(102, purse, internal(4, ours), true))}, ""},
		"it took less than was asked for":           {trail{one(tx(101, ours, asked, true, on(internal(4, ours)))), one(tx(102, purse, internal(4, ours), true))}, "something else"},
		"it took it for somebody":                   {trail{one(tx(101, ours, asked, true, on(internal(5, stranger)))), one(tx(102, purse, internal(5, stranger), true))}, "something else"},
		"somebody asked for the same":               {trail{one(tx(101, stranger, asked, true, on(took))), one(tx(102, purse, took, true))}, ""},
		"the message is older than the payment":     {trail{one(tx(99, ours, asked, true, on(took))), one(tx(102, purse, took, true))}, ""},
		"what was taken is older than what is sent": {trail{one(tx(103, ours, asked, true, on(took))), one(tx(102, purse, took, true))}, ""},
		"it is a bounce":                            {trail{one(bounced), one(tx(102, purse, took, true))}, ""},
	} {
		got, err := ledger.ReceiptOf(o, ledger.Trail{Wallet: purse, Sent: c.sent, Receiver: till, Received: c.received})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch e := got.(type) {
		case nil:
			if c.want != "" {
				t.Errorf("%s: nothing, want %q", name, c.want)
			}
		case ledger.TransferReceived:
			if c.want != "received 102" || e.Order != 1 || e.Transaction.LT != 102 {
				t.Errorf("%s: %+v, want %q", name, e, c.want)
			}
		case ledger.OrderHeld:
			if c.want == "" || !strings.Contains(e.Reason, c.want) {
				t.Errorf("%s: held: %s, want %q", name, e.Reason, c.want)
			}
		}
	}
	if _, err := ledger.ReceiptOf(o, ledger.Trail{Wallet: stranger, Receiver: till}); err == nil {
		t.Error("a stranger's trail is taken for the order's")
	}
}

// A verdict tells what was sent in USDT from what is paid, in one payment.
func TestAVerdictKnowsTheAsset(t *testing.T) {
	one, two := quoted(1, "a"), inUSDT(quoted(2, "b"))
	event := armed(1, 3, one, two)
	hash, err := event.Payload.Hash()
	if err != nil {
		t.Fatal(err)
	}
	p := &ledger.Payment{ID: 1, Wallet: ours, Seqno: 3, Payload: event.Payload, Hash: hash, Orders: event.Orders, Phase: ledger.PaymentSigned, Message: body("m")}
	tx := ton.Transaction{Position: ton.Position{LT: 5, Hash: ton.Hash{5}}, External: signed(t, event.Payload, 1), Out: out(t, event.Payload.Transfers...)}
	got, err := ledger.Verdict(p, ton.Account{Active: true, CodeHash: ton.V5R1.CodeHash(), Data: ton.WalletData{Seqno: 4}}, []ton.Transaction{tx})
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.PaymentExecutedEvent{Payment: 1, Transaction: tx.Position, Paid: []ledger.OrderID{1}, Sent: []ledger.OrderID{2}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
