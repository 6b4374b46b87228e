package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// A Finding is one thing in which a wallet's proven history and the ledger
// differ.
type Finding struct {
	Code        string         `json:"code"`
	Wallet      ton.Address    `json:"wallet"`
	Transaction ton.Position   `json:"transaction,omitzero"`
	Time        uint32         `json:"time,omitempty"` // Unix seconds
	Order       ledger.OrderID `json:"order,omitempty"`
	Key         string         `json:"key,omitempty"`
	Text        string         `json:"text"` // for people; parts of it may come from outside
}

// The codes of findings.
const (
	FindingTransaction = "unexplained_transaction" // it left the wallet and is in no payment
	FindingTransfer    = "unexplained_transfer"    // a transfer of our payment that is no order's
	FindingDead        = "dead_and_executed"       // recorded as dead, and the chain holds it
	FindingMissing     = "missing_transaction"     // an order is recorded as paid by what the chain does not hold
	FindingUnpaid      = "missing_transfer"        // the transaction is there and does not pay the order
	FindingOpen        = "open_payment"            // it may still be executed; apply settles it
	FindingBounce      = "bounce"                  // money came back and no order is held for it
	FindingRequest     = "open_request"            // a person was asked to pay an order, and it is not seen yet
	FindingTransit     = "in_transit"              // USDT left, and it is not known yet whether it arrived
	FindingUnclaimed   = "unclaimed"               // nobody has said whom a found transfer was for
)

// Audit compares both ways: each transfer that left the wallet since its anchor
// has an order, and each paid order has its transfer. history is everything
// since the anchor, the oldest first; book holds the transfers of all payments.
func Audit(book *ledger.State, wallet ton.Address, history []ton.Transaction) []Finding {
	a := auditor{explainer: newExplainer(book), wallet: wallet, held: map[ton.Position]*ton.Transaction{}}
	for i := range history {
		t := &history[i]
		a.held[t.Position] = t
		a.transaction(t)
	}
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		switch o := book.Orders[id]; {
		case o == nil || o.Wallet != wallet:
		case !o.Settled.IsZero():
			a.order(o)
		case o.Phase == ledger.Offered:
			a.found = append(a.found, Finding{Code: FindingRequest, Wallet: wallet, Order: o.ID, Key: o.Key,
				Text: fmt.Sprintf("a person was asked to pay %s for %s (request %d), and it is not seen yet", o.Invoice.Price, o.Key, o.Request)})
		}
	}
	for _, p := range book.Open() {
		if p.Wallet == wallet {
			a.found = append(a.found, Finding{Code: FindingOpen, Wallet: wallet, Text: fmt.Sprintf("payment %d of %d orders is %s: apply settles it", p.ID, len(p.Orders), p.Phase)})
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		if f := book.Founds[id]; f.Open() && f.Wallet == wallet {
			a.found = append(a.found, Finding{Code: FindingUnclaimed, Wallet: wallet, Transaction: f.Transaction, Time: f.Time,
				Text: fmt.Sprintf("%s for %s (ref %s): nobody has said whom it was for", f.Item, f.Amount, f.Ref)})
		}
	}
	return a.found
}

type auditor struct {
	explainer
	wallet ton.Address
	held   map[ton.Position]*ton.Transaction
	found  []Finding
}

func (a *auditor) add(code string, t *ton.Transaction, format string, args ...any) {
	a.found = append(a.found, Finding{Code: code, Wallet: a.wallet, Transaction: t.Position, Time: t.Time, Text: fmt.Sprintf(format, args...)})
}

func (a *auditor) transaction(t *ton.Transaction) {
	if t.In != nil && t.In.Bounced && !a.book.Explained(t.Position) {
		a.add(FindingBounce, t, "%s, and no order is held for it", broughtBack(*t))
	}
	if len(t.Out) == 0 || a.book.Explained(t.Position) {
		return
	}
	if paid := a.book.Outside[t.Position]; paid != nil {
		if n := len(t.Out) - len(paid.Orders); n > 0 {
			a.add(FindingTransfer, t, "%s, and %d of them are not what a person was asked to pay", left(*t), n)
		}
		return
	}
	p := a.payment(a.wallet, *t)
	switch {
	case p == nil:
		a.add(FindingTransaction, t, "%s, and no payment of the ledger did it", left(*t))
	case p.Phase == ledger.PaymentDead:
		a.add(FindingDead, t, "payment %d is recorded as dead: %s", p.ID, left(*t))
	default:
		rest := append([]ton.Out{}, t.Out...)
		for _, x := range p.Payload.Transfers {
			for i, o := range rest {
				if o.Is(x) {
					rest = append(rest[:i], rest[i+1:]...)
					break
				}
			}
		}
		for _, o := range rest {
			a.add(FindingTransfer, t, "payment %d does not hold the transfer of %s TON to %s", p.ID, o.Amount, o.To)
		}
	}
}

// order looks for the transfer that paid it. What a person assigned was paid by
// the transaction that the transfer was found in.
func (a *auditor) order(o *ledger.Order) {
	add := func(code, format string, args ...any) {
		a.found = append(a.found, Finding{Code: code, Wallet: a.wallet, Transaction: o.Settled, Time: o.Time, Order: o.ID, Key: o.Key, Text: fmt.Sprintf(format, args...)})
	}
	t := a.held[o.Settled]
	p := a.book.Payments[o.Payment]
	switch {
	case t == nil && o.Found != 0 && o.Settled.LT <= a.book.Wallets[a.wallet].Anchor.LT:
		// It was imported from before the ledger's beginning, and proven then.
	case t == nil:
		add(FindingMissing, "%s is recorded as paid at %s in transaction %s, which the chain does not hold", o.Key, time.Unix(int64(o.Time), 0).UTC().Format(time.RFC3339), o.Settled.Hash)
	case o.Found != 0 || o.Request != 0 && o.Invoice == nil:
	case o.Request != 0:
		a.transfer(o, t, o.Invoice.Transfer, add)
	case p == nil || o.Index < 0 || o.Index >= len(p.Payload.Transfers):
		add(FindingUnpaid, "%s is recorded as paid by no transfer", o.Key)
	default:
		a.transfer(o, t, p.Payload.Transfers[o.Index], add)
	}
}

// transfer looks for one of a transaction. What is sent is not yet paid.
func (auditor) transfer(o *ledger.Order, t *ton.Transaction, want ton.Transfer, add func(code, format string, args ...any)) {
	switch {
	case !slices.ContainsFunc(t.Out, func(out ton.Out) bool { return out.Is(want) }):
		add(FindingUnpaid, "transaction %s does not hold the transfer that paid %s", o.Settled.Hash, o.Key)
	case o.Phase == ledger.Sent:
		add(FindingTransit, "%s was sent for %s, and it is not known yet whether it arrived: apply asks again", o.Reserve, o.Key)
	}
}
