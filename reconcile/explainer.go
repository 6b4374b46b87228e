package reconcile

import (
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// explainer finds the payment that a transaction executed. Our messages are
// known by the hash of their unsigned payload, whoever signed them.
type explainer struct {
	book   *ledger.State
	byHash map[ton.Hash]ledger.PaymentID // of every payment in the ledger
}

func newExplainer(book *ledger.State) explainer {
	e := explainer{book, make(map[ton.Hash]ledger.PaymentID, len(book.Payments))}
	for _, p := range book.Payments {
		e.remember(p)
	}
	return e
}

func (e explainer) remember(p *ledger.Payment) { e.byHash[p.Hash] = p.ID }

// payment is the one whose message caused the transaction, or nil.
func (e explainer) payment(wallet ton.Address, t ton.Transaction) *ledger.Payment {
	if t.External == nil {
		return nil
	}
	payload, _, err := ton.SplitBody(e.book.Wallets[wallet].Version, t.External)
	if err != nil {
		return nil
	}
	p := e.book.Payments[e.byHash[ton.Hash(payload.Hash())]]
	if p == nil || p.Wallet != wallet {
		return nil
	}
	return p
}

// Unexplained are the transactions of a wallet's proven history in which
// something left and that the ledger does not account for. Where there are any,
// apply buys nothing. What a person was asked to pay, and paid, is accounted
// for, although only apply records it.
func Unexplained(book *ledger.State, wallet ton.Address, history []ton.Transaction) (list []ton.Transaction) {
	known := newExplainer(book)
	paid := map[ledger.OrderID]bool{}
	for _, t := range known.unexplained(wallet, history) {
		e, ok := book.Answer(wallet, t)
		if !ok || len(e.Orders()) < len(t.Out) || slices.ContainsFunc(e.Orders(), func(id ledger.OrderID) bool { return paid[id] }) {
			list = append(list, t)
			continue
		}
		for _, id := range e.Orders() {
			paid[id] = true
		}
	}
	return list
}

func (e explainer) unexplained(wallet ton.Address, history []ton.Transaction) (list []ton.Transaction) {
	for _, t := range history {
		if !e.explained(wallet, t) {
			list = append(list, t)
		}
	}
	return list
}

// explained reports whether the ledger accounts for all that left the wallet
// with a transaction.
func (e explainer) explained(wallet ton.Address, t ton.Transaction) bool {
	if len(t.Out) == 0 || e.book.Explained(t.Position) {
		return true
	}
	if out := e.book.Outside[t.Position]; out != nil && out.Wallet == wallet {
		// Each order of it has a transfer of its own.
		return len(out.Orders) == len(t.Out)
	}
	p := e.payment(wallet, t)
	// A payment that is recorded as dead can't have paid: if it did, the
	// record is wrong and what it bought may have been bought again.
	return p != nil && p.Phase != ledger.PaymentDead
}
