package storetest

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

var (
	ours   = ton.Address{Account: [32]byte{1}}
	theirs = ton.Address{Account: [32]byte{2}}
	market = ton.Address{Account: [32]byte{9}}
)

func body(text string) ton.BoC {
	return ton.BoCOf(cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(text).EndCell())
}

func reserved(id int) ledger.OrderReserved {
	key := fmt.Sprintf("gift/p%d", id)
	return ledger.OrderReserved{
		Order: ledger.OrderID(id), Run: 1, Key: key, Generation: 1, Part: 1, Person: fmt.Sprintf("p%d", id), Handle: "h",
		Item: product.Item{Kind: product.Stars, Quantity: 50}, Wallet: ours, Cap: ton.TON.Amount(), Reserve: ton.TON.Amount(),
	}
}

func quoted(id, n int) ledger.OrderQuoted {
	ref := fmt.Sprintf("ref-%d-%d", id, n)
	return ledger.OrderQuoted{Order: ledger.OrderID(id), Invoice: ledger.Invoice{
		N: n, RequestID: "r", Ref: ref, Recipient: "tok", Name: "Ann", Confirm: "confirmReq", Params: map[string]string{"id": ref},
		Transfer: ton.Transfer{To: market, Bounce: true, Amount: 5, Body: body(ref)}, Price: ton.Nano(5).Amount(), ValidUntil: 1000,
	}}
}

// inUSDT is the invoice as it is paid in USDT.
func inUSDT(i ledger.Invoice) ledger.Invoice {
	c, err := ton.JettonTransfer{Amount: 5, Destination: market, Response: ours, Forward: 1, Payload: i.Transfer.Body}.Encode()
	if err != nil {
		panic(err)
	}
	i.Transfer.Body, i.Price.Asset = ton.BoCOf(c), ton.AssetUSDT
	return i
}

func armed(id int, seqno uint32, quotes ...ledger.OrderQuoted) ledger.PaymentArmedEvent {
	e := ledger.PaymentArmedEvent{
		Payment: ledger.PaymentID(id), Run: 1, Wallet: ours, Base: ton.Position{LT: 9, Hash: ton.Hash{9}},
		Payload: ton.Payload{Wallet: ton.V5R1, WalletID: 5, Seqno: seqno, ValidUntil: 900},
	}
	for _, q := range quotes {
		e.Orders = append(e.Orders, q.Order)
		e.Payload.Transfers = append(e.Payload.Transfers, q.Invoice.Transfer)
	}
	return e
}

// story settles n orders from reservation to delivery, in batches of up to 250.
func story(n int) []ledger.Event {
	events := []ledger.Event{ledger.RunStarted{Run: 1, Digest: ton.Hash{1}, Host: "ci"}}
	for first := 1; first <= n; first += 250 {
		payment := first/250 + 1
		var quotes []ledger.OrderQuoted
		for id := first; id < first+250 && id <= n; id++ {
			quotes = append(quotes, quoted(id, 1))
			events = append(events, reserved(id), quotes[len(quotes)-1])
		}
		a := armed(payment, uint32(payment), quotes...)
		events = append(events, a,
			ledger.PaymentSignedEvent{Payment: a.Payment, Message: body("message")},
			ledger.PaymentExecutedEvent{Payment: a.Payment, Transaction: ton.Position{LT: uint64(100 + payment), Hash: ton.Hash{3}}, Time: 500, Fees: 3, Paid: a.Orders})
		for _, id := range a.Orders {
			events = append(events, ledger.OrderAcknowledged{Order: id}, ledger.OrderDelivered{Order: id, Evidence: ledger.EvidencePage})
		}
	}
	return events
}

func at(lt uint64) ton.Position { return ton.Position{LT: lt, Hash: ton.Hash{byte(lt)}} }

// What the tests of a single store begin from.
var (
	Ours     = ours
	Reserved = reserved
	Quoted   = quoted
	Armed    = armed
	Story    = story
	Body     = body
	Light    = light
)
