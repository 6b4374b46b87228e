package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// signed is the body that the chain holds for a payload, under any signature.
func signed(t *testing.T, p ton.Payload, signature byte) *cell.Cell {
	t.Helper()
	s := make([]byte, 64)
	s[0] = signature
	c, err := p.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func out(t *testing.T, transfers ...ton.Transfer) (outs []ton.Out) {
	t.Helper()
	for _, x := range transfers {
		h, err := x.BodyHash()
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, ton.Out{To: x.To, Amount: x.Amount, BodyHash: h})
	}
	return outs
}

// Only the wallet's proven history decides: a payment is executed by its own
// transaction, dead by a certificate, and otherwise unknown. A spent seqno is
// not a payment: each order needs its own out message. A message that the
// wallet rolled back took no seqno, whoever sent it.
func TestOnlyTheProvenHistoryDecides(t *testing.T) {
	one, two := quoted(1, "a"), quoted(2, "b")
	event := armed(1, 3, one, two)
	a, b := event.Payload.Transfers[0], event.Payload.Transfers[1]
	hash, err := event.Payload.Hash()
	if err != nil {
		t.Fatal(err)
	}
	p := &ledger.Payment{ID: 1, Wallet: ours, Seqno: 3, Payload: event.Payload, Hash: hash, Orders: event.Orders, Phase: ledger.PaymentSigned, Message: body("m")}
	stranger := event.Payload
	stranger.ValidUntil = 901
	later := stranger
	later.Seqno = 4
	robbed := b
	robbed.Amount++
	account := func(seqno, time uint32) ton.Account {
		return ton.Account{Active: true, CodeHash: event.Payload.Wallet.CodeHash(), Data: ton.WalletData{Seqno: seqno}, Time: time, Block: 77}
	}
	at5 := ton.Position{LT: 5, Hash: ton.Hash{5}}
	external := func(p ton.Payload, outs ...ton.Transfer) ton.Transaction {
		return ton.Transaction{Position: at5, Time: 500, Fees: 2, External: signed(t, p, 1), Out: out(t, outs...)}
	}
	both := ledger.PaymentExecutedEvent{Payment: 1, Transaction: at5, Time: 500, Fees: 2, Paid: []ledger.OrderID{1, 2}}
	first := both
	first.Paid, first.Skipped = []ledger.OrderID{1}, []ledger.OrderID{2}
	for name, c := range map[string]struct {
		account ton.Account
		history []ton.Transaction
		want    ledger.Event
		wrong   bool
	}{
		"nothing happened yet":             {account(3, 899), nil, nil, false},
		"only a top-up":                    {account(3, 899), []ton.Transaction{{Position: at5}}, nil, false},
		"ours, all left":                   {account(4, 899), []ton.Transaction{external(event.Payload, a, b)}, both, false},
		"ours, seen after it expired":      {account(4, 999), []ton.Transaction{external(event.Payload, a, b)}, both, false},
		"ours, one skipped":                {account(4, 899), []ton.Transaction{external(event.Payload, a)}, first, false},
		"ours, one with another amount":    {account(4, 899), []ton.Transaction{external(event.Payload, a, robbed)}, first, false},
		"ours, one sent twice":             {account(4, 899), []ton.Transaction{external(event.Payload, a, a)}, first, false},
		"expired unspent, at the second":   {account(3, 900), nil, ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Seqno: 3, Time: 900, Block: 77}}, false},
		"another message took the seqno":   {account(4, 500), []ton.Transaction{external(stranger, a, b)}, ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Taken: at5, Seqno: 4, Time: 500, Block: 77}}, false},
		"another message, rolled back":     {account(3, 500), []ton.Transaction{external(stranger)}, nil, false},
		"rolled back, then ours":           {account(4, 500), []ton.Transaction{external(stranger), external(event.Payload, a, b)}, both, false},
		"ours rolled back":                 {account(3, 500), []ton.Transaction{external(event.Payload)}, nil, false},
		"ours rolled back, then expired":   {account(3, 900), []ton.Transaction{external(event.Payload)}, ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Seqno: 3, Time: 900, Block: 77}}, false},
		"ours rolled back, then another":   {account(4, 500), []ton.Transaction{external(event.Payload), external(stranger, a)}, ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Taken: at5, Seqno: 4, Time: 500, Block: 77}}, false},
		"ours, nothing could be paid":      {account(4, 500), []ton.Transaction{external(event.Payload)}, ledger.PaymentExecutedEvent{Payment: 1, Transaction: at5, Time: 500, Fees: 2, Paid: []ledger.OrderID{}, Skipped: []ledger.OrderID{1, 2}}, false},
		"ours, and the wallet is gone":     {ton.Account{Time: 999}, []ton.Transaction{external(event.Payload, a, b)}, both, false},
		"a message at another seqno":       {account(3, 500), []ton.Transaction{external(later, a, b)}, nil, false},
		"other code, also expired":         {ton.Account{Active: true, Time: 999}, nil, nil, true},
		"ours, and then other code":        {ton.Account{Active: true, Time: 999}, []ton.Transaction{external(event.Payload, a, b)}, both, false},
		"seqno spent by nothing we saw":    {account(4, 500), nil, nil, true},
		"seqno spent unseen, also expired": {account(4, 999), nil, nil, true},
	} {
		got, err := ledger.Verdict(p, c.account, c.history)
		if (err != nil) != c.wrong {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	resigned := external(event.Payload, a, b)
	resigned.External = signed(t, event.Payload, 2)
	if got, err := ledger.Verdict(p, account(4, 500), []ton.Transaction{resigned}); err != nil || !cmp.Equal(got, ledger.Event(both)) {
		t.Errorf("another signature over the same payload is still ours: %v, %v", got, err)
	}
}

// One out message pays one order, also where two transfers are alike.
func TestOneOutMessagePaysOneOrder(t *testing.T) {
	one, two := quoted(1, "a"), quoted(2, "a")
	event := armed(1, 3, one, two)
	hash, err := event.Payload.Hash()
	if err != nil {
		t.Fatal(err)
	}
	p := &ledger.Payment{ID: 1, Wallet: ours, Seqno: 3, Payload: event.Payload, Hash: hash, Orders: event.Orders, Phase: ledger.PaymentSigned, Message: body("m")}
	history := []ton.Transaction{{Position: ton.Position{LT: 5}, External: signed(t, event.Payload, 1), Out: out(t, one.Invoice.Transfer)}}
	got, err := ledger.Verdict(p, ton.Account{Active: true, CodeHash: event.Payload.Wallet.CodeHash(), Data: ton.WalletData{Seqno: 4}}, history)
	want := ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1}, Skipped: []ledger.OrderID{2}}
	if diff := cmp.Diff(ledger.Event(want), got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// A v5r1 wallet's seqno may be taken by a signed message that another account
// brought. If the whole history is there and none of it is ours, we are dead;
// if a link is missing, nothing is concluded.
func TestARelayedMessageTakesTheSeqno(t *testing.T) {
	event := armed(1, 3, quoted(1, "a"))
	hash, err := event.Payload.Hash()
	if err != nil {
		t.Fatal(err)
	}
	base := ton.Position{LT: 1, Hash: ton.Hash{1}}
	p := &ledger.Payment{ID: 1, Wallet: ours, Seqno: 3, Payload: event.Payload, Hash: hash, Orders: event.Orders, Base: base, Phase: ledger.PaymentSigned, Message: body("m")}
	relayed := ton.Transaction{Position: ton.Position{LT: 5, Hash: ton.Hash{5}}, Prev: base, In: &ton.In{From: market}}
	account := ton.Account{Active: true, CodeHash: event.Payload.Wallet.CodeHash(), Data: ton.WalletData{Seqno: 4}, Time: 500, Block: 7, Last: relayed.Position}
	got, err := ledger.Verdict(p, account, []ton.Transaction{relayed})
	want := ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Taken: relayed.Position, Seqno: 4, Time: 500, Block: 7}}
	if diff := cmp.Diff(ledger.Event(want), got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	// A run's first look begins before the base.
	first := ton.Transaction{Position: base, External: signed(t, ton.Payload{Wallet: ton.V5R1, Seqno: 3, ValidUntil: 1, WalletID: event.Payload.WalletID}, 1)}
	got, err = ledger.Verdict(p, account, []ton.Transaction{first, relayed})
	if diff := cmp.Diff(ledger.Event(want), got); err != nil || diff != "" {
		t.Errorf("with what stands before the base: %v (-want +got)\n%s", err, diff)
	}
	for name, change := range map[string]func(*ton.Transaction, *ton.Account){
		"something stands before it": func(x *ton.Transaction, _ *ton.Account) { x.Prev.LT = 3 },
		"something came after it":    func(_ *ton.Transaction, a *ton.Account) { a.Last.LT = 9 },
	} {
		x, a := relayed, account
		change(&x, &a)
		if got, err := ledger.Verdict(p, a, []ton.Transaction{x}); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
