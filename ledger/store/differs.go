package store

import (
	"fmt"
	"reflect"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// differs names the first difference of two states, "" if there is none.
func differs(a, b *ledger.State) string {
	switch {
	case a.Ledger != b.Ledger || a.Epoch != b.Epoch:
		return "the ledger's id or epoch"
	case a.LastOrder != b.LastOrder || a.LastPayment != b.LastPayment || a.LastRun != b.LastRun || a.LastFound != b.LastFound || a.LastRequest != b.LastRequest:
		return "the newest order, payment, run, found transfer or request"
	case a.Well != b.Well:
		return "when a run last ended well"
	case !reflect.DeepEqual(a.Keys(), b.Keys()):
		return "the orders of a key"
	case !reflect.DeepEqual(a.Refs, b.Refs):
		return "a ref"
	case !reflect.DeepEqual(a.Wallets, b.Wallets):
		return "a wallet"
	case !reflect.DeepEqual(a.Runs, b.Runs):
		return "a run"
	case !reflect.DeepEqual(a.Pins, b.Pins):
		return "how Fragment showed a person"
	case !reflect.DeepEqual(a.Founds, b.Founds):
		return "a found transfer"
	case !reflect.DeepEqual(a.Requests, b.Requests):
		return "a request"
	case !reflect.DeepEqual(a.Outside, b.Outside):
		return "a payment from outside"
	case !reflect.DeepEqual(a.Noted, b.Noted):
		return "a transaction that is explained"
	case !reflect.DeepEqual(a.Reissues, b.Reissues):
		return "a reissue"
	case !reflect.DeepEqual(a.Names, b.Names):
		return "the name of a key"
	case !reflect.DeepEqual(a.Settled, b.Settled):
		return "what was given otherwise"
	case !reflect.DeepEqual(a.Rules, b.Rules):
		return "a recurring grant's rule"
	case len(a.Orders) != len(b.Orders) || len(a.Payments) != len(b.Payments):
		return "the number of orders or payments"
	}
	for id := ledger.OrderID(1); id <= a.LastOrder; id++ {
		if !sameOrder(a.Orders[id], b.Orders[id]) {
			return fmt.Sprintf("order %d", id)
		}
	}
	for id := ledger.PaymentID(1); id <= a.LastPayment; id++ {
		if !samePayment(a.Payments[id], b.Payments[id]) {
			return fmt.Sprintf("payment %d", id)
		}
	}
	return ""
}

func sameOrder(a, b *ledger.Order) bool {
	if a == nil || b == nil || (a.Invoice == nil) != (b.Invoice == nil) {
		return a == b
	}
	x, y := *a, *b
	if x.Invoice != nil {
		x.Invoice, y.Invoice = plain(x.Invoice), plain(y.Invoice)
	}
	return reflect.DeepEqual(x, y)
}

func samePayment(a, b *ledger.Payment) bool {
	if a == nil || b == nil || (a.Burn == nil) != (b.Burn == nil) {
		return a == b
	}
	x, y := *a, *b
	if x.Burn != nil {
		if !sameBurn(*x.Burn, *y.Burn) {
			return false
		}
		x.Burn, y.Burn = nil, nil
	}
	return reflect.DeepEqual(x, y)
}

// sameBurn knows that the payload of a burn holds no transfers, however that
// is written.
func sameBurn(a, b ledger.Burn) bool {
	if len(a.Payload.Transfers)+len(b.Payload.Transfers) > 0 {
		return false
	}
	a.Payload.Transfers, b.Payload.Transfers = nil, nil
	return reflect.DeepEqual(a, b)
}

// plain makes an empty body or no params one value: a file can't tell them apart.
func plain(i *ledger.Invoice) *ledger.Invoice {
	p := *i
	if len(p.Transfer.Body) == 0 {
		p.Transfer.Body = ton.BoC(nil)
	}
	if len(p.Params) == 0 {
		p.Params = nil
	}
	return &p
}
