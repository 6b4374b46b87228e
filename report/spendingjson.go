package report

import (
	"io"
	"strconv"
)

type jsonPurchase struct {
	Order       int64       `json:"order"`
	Time        int64       `json:"time"` // Unix seconds of the block that paid it
	Key         string      `json:"key"`
	Person      string      `json:"person"`
	Handle      string      `json:"handle"` // without @
	Product     string      `json:"product"`
	Quantity    int64       `json:"quantity"` // Stars, months or whole TON
	Price       *jsonAmount `json:"price"`
	Phase       string      `json:"phase"`
	Evidence    string      `json:"evidence,omitempty"` // of delivery
	Ref         string      `json:"ref,omitempty"`
	Payment     int64       `json:"payment,omitempty"`
	Wallet      string      `json:"wallet"`
	Transaction string      `json:"transaction"` // its hash
	LT          string      `json:"lt"`          // its logical time
}

func jsonPurchases(list []Purchase) []jsonPurchase {
	out := make([]jsonPurchase, len(list))
	for i, p := range list {
		out[i] = jsonPurchase{
			Order: int64(p.Order), Time: p.Time.Unix(), Key: p.Key, Person: p.Person, Handle: p.Handle,
			Product: string(p.Item.Kind), Quantity: p.Item.Quantity, Price: amount(p.Price), Phase: string(p.Phase), Evidence: p.Evidence,
			Ref: p.Ref, Payment: int64(p.Payment), Wallet: p.Wallet.String(), Transaction: p.Transaction.Hash.String(), LT: strconv.FormatUint(p.Transaction.LT, 10),
		}
	}
	return out
}

// SpendingJSON writes the purchases, their sums and the fees as one JSON
// object, on one line of ASCII.
func SpendingJSON(w io.Writer, s Spending) error {
	j := jsonSpending{JSONFormat, s.Ledger, jsonPurchases(s.Purchases), amounts(s.Totals()), nil}
	if !s.Part {
		j.Fees = amount(s.Fees.Amount())
	}
	return writeJSON(w, j)
}

type jsonSpending struct {
	FormatVersion string         `json:"format_version"`
	Ledger        string         `json:"ledger"`
	Purchases     []jsonPurchase `json:"purchases"` // the oldest first
	Paid          []*jsonAmount  `json:"paid"`      // one amount an asset
	Fees          *jsonAmount    `json:"fees"`      // of the network; null for one grant, because they are not split
}
