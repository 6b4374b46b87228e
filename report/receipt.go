package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Receipt writes what proves that a key was paid: each purchase with its price,
// its transaction, Fragment's mark in it, and how delivery is known.
func Receipt(w io.Writer, key string, list []Purchase, s Style) error {
	if _, err := fmt.Fprintln(w, s.paint(bold, "Receipt for "+Clean(key, 0))); err != nil {
		return err
	}
	for _, p := range list {
		delivery := "not known"
		if p.Evidence != "" {
			delivery = "known from: " + p.Evidence
		}
		rows := [][]string{
			{"what", p.Item.String()},
			{"for", "@" + p.Handle},
			{"price", p.Price.String()},
			{"paid", p.Time.Format("2006-01-02 15:04:05") + " UTC"},
			{"from", p.Wallet.String()},
			{"transaction", p.Transaction.Hash.String()},
			{"logical time", strconv.FormatUint(p.Transaction.LT, 10)},
			{"ref", p.Ref},
			{"state", string(p.Phase)},
			{"delivery", delivery},
		}
		if err := s.rows(w, rows, nil); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "In all: %s.\n", join(Spending{Purchases: list}.Totals()))
	return err
}

// ReceiptJSON is Receipt for programs: one object, on one line of ASCII.
func ReceiptJSON(w io.Writer, key string, list []Purchase) error {
	return writeJSON(w, jsonReceipt{JSONFormat, key, jsonPurchases(list)})
}

type jsonReceipt struct {
	FormatVersion string         `json:"format_version"`
	Key           string         `json:"key"`
	Purchases     []jsonPurchase `json:"purchases"` // the oldest first
}

// PurchasesOf lists what was paid for one key, the oldest first.
func PurchasesOf(s Spending, key string) []Purchase {
	return slices.DeleteFunc(slices.Clone(s.Purchases), func(p Purchase) bool { return p.Key != key })
}
