package ledger

import (
	"fmt"

	"github.com/fragplan/fragplan/ton"
)

// Trail is what the chain shows of two jetton wallets after the transaction
// that sent a transfer of USDT: proven transactions, the oldest first.
type Trail struct {
	Wallet   ton.Address       // the payer's
	Sent     []ton.Transaction // its
	Receiver ton.Address       // that of the account that is paid
	Received []ton.Transaction // its
}

// asks reports whether a body asks a jetton wallet to send something.
func asks(body ton.BoC) bool {
	c, err := body.Cell()
	if err != nil {
		return false
	}
	_, err = ton.ParseJettonTransfer(c)
	return err == nil
}

// Route is where the USDT of an order is on its way: from a jetton wallet of
// ours to an account, of which the jetton wallet is the receiver. It reports
// false of an order that is not sent.
func Route(o *Order) (wallet, owner ton.Address, sent bool) {
	if o == nil || o.Phase != Sent || o.Invoice == nil {
		return wallet, owner, false
	}
	c, err := o.Invoice.Transfer.Body.Cell()
	if err != nil {
		return wallet, owner, false
	}
	j, err := ton.ParseJettonTransfer(c)
	return o.Invoice.Transfer.To, j.Destination, err == nil
}

// ReceiptOf is what the trail says of an order that was sent: TransferReceived
// if the receiver's jetton wallet has taken exactly its sum, OrderHeld if one
// of the two wallets has refused it, or nil: nothing is known yet.
//
// The transfer is followed from message to message, each known by its sender
// and its whole body, in which the order's ref stands.
func ReceiptOf(o *Order, trail Trail) (Event, error) {
	if o.Phase != Sent || o.Invoice == nil || o.Invoice.Transfer.To != trail.Wallet {
		return nil, fmt.Errorf("order %d: the trail is not one of its transfer", o.ID)
	}
	body, err := o.Invoice.Transfer.Body.Cell()
	if err != nil {
		return nil, fmt.Errorf("order %d: %w", o.ID, err)
	}
	transfer, err := ton.ParseJettonTransfer(body)
	if err != nil {
		return nil, fmt.Errorf("order %d: %w", o.ID, err)
	}
	hold := func(format string, args ...any) (Event, error) {
		return OrderHeld{Order: o.ID, Reason: fmt.Sprintf(format, args...)}, nil
	}
	sent := came(trail.Sent, o.Wallet, ton.Hash(body.Hash()), o.Settled.LT)
	if sent == nil {
		return nil, nil
	}
	if !sent.Success || len(sent.Out) == 0 {
		return hold("its jetton wallet refused the transfer (exit code %d, transaction %s): no USDT left it, and the gas comes back less a fee", sent.ExitCode, sent.Hash)
	}
	out := sent.Out[0]
	if out.To != trail.Receiver {
		return hold("its jetton wallet sent the USDT to %s and not to the jetton wallet of %s (transaction %s)", out.To, transfer.Destination, sent.Hash)
	}
	got := came(trail.Received, trail.Wallet, out.BodyHash, sent.LT)
	if got == nil {
		return nil, nil
	}
	in, err := ton.ParseJettonInternal(got.In.Body)
	switch {
	case !got.Success:
		return hold("the jetton wallet of %s refused the USDT (exit code %d, transaction %s): it goes back to its own jetton wallet", transfer.Destination, got.ExitCode, got.Hash)
	case err != nil || in.Amount != transfer.Amount || in.From != o.Wallet:
		return hold("the jetton wallet of %s took something else than was sent (transaction %s)", transfer.Destination, got.Hash)
	}
	return TransferReceived{o.ID, got.Position}, nil
}

// came finds the transaction that a message caused.
func came(list []ton.Transaction, from ton.Address, body ton.Hash, after uint64) *ton.Transaction {
	for i := range list {
		t := &list[i]
		if t.LT > after && t.In != nil && !t.In.Bounced && t.In.From == from && t.In.Body != nil && ton.Hash(t.In.Body.Hash()) == body {
			return t
		}
	}
	return nil
}
