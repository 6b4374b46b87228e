package report

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// LedgerList writes a line for every key that ever had an order, sorted: the
// key, for whom the newest order is, what was given and how far that order is.
func LedgerList(w io.Writer, state *ledger.State, s Style) error {
	var keys []string
	for key := range state.Keys() {
		keys = append(keys, key)
	}
	for key := range state.Settled {
		if len(state.ByKey(key)) == 0 {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var rows [][]string
	for _, key := range keys {
		orders := state.ByKey(key)
		if len(orders) == 0 {
			list := state.Settled[key]
			last := list[len(list)-1]
			given := product.Item{Kind: last.Item.Kind, Quantity: state.SettledFor(key)}
			rows = append(rows, []string{key, "@" + last.Handle, given.String(), "settled", last.Reason})
			continue
		}
		last := orders[len(orders)-1]
		given := last.Item
		given.Quantity = state.SettledFor(key)
		for _, o := range orders {
			if o.Phase.Spent() && o.Generation == state.Generation(key) {
				given.Quantity += o.Item.Quantity
			}
		}
		what := given.String()
		if given.Quantity == 0 {
			what = "nothing of " + last.Item.String()
		}
		rows = append(rows, []string{key, "@" + last.Handle, what, string(last.Phase), last.Reason})
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "The ledger has no orders.")
		return err
	}
	return s.rows(w, rows, nil)
}

// LedgerShow writes all orders of a key, oldest first, with their phase,
// price, ref, payment and transaction.
func LedgerShow(w io.Writer, state *ledger.State, key string, s Style) error {
	orders := state.ByKey(key)
	if !state.Known(key) {
		_, err := fmt.Fprintf(w, "%s never had an order.\n", Clean(key, 0))
		return err
	}
	if _, err := fmt.Fprintln(w, s.paint(bold, Clean(key, 0))); err != nil {
		return err
	}
	if err := past(w, state, key); err != nil || len(orders) == 0 {
		return err
	}
	last := orders[len(orders)-1]
	if pin, ok := state.Pins[last.Handle]; ok {
		known := fmt.Sprintf("@%s is known as %s, since order %d: %s", last.Handle, shownAs(pin.Identity), pin.Order, pin.Reason)
		if _, err := fmt.Fprintf(w, "  %s\n", Clean(known, 0)); err != nil {
			return err
		}
	}
	for _, o := range orders {
		head := fmt.Sprintf("order %d: %s for @%s, %s", o.ID, o.Item, o.Handle, o.Phase)
		if o.Reason != "" {
			head += ": " + o.Reason
		}
		if _, err := fmt.Fprintf(w, "  %s\n", Clean(head, 0)); err != nil {
			return err
		}
		rows := [][]string{
			{"  part", fmt.Sprintf("%d of generation %d, run %d", o.Part, o.Generation, o.Run)},
			{"  person", o.Person},
			{"  at most", o.Cap.String()},
		}
		if o.Invoice != nil {
			rows = append(rows, []string{"  price", o.Invoice.Price.String()}, []string{"  name", o.Invoice.Name})
		}
		for _, ref := range refs(state, o.ID) {
			rows = append(rows, []string{"  ref", ref})
		}
		if r := state.Requests[o.Request]; r != nil {
			rows = append(rows, []string{"  request", fmt.Sprintf("%d, to pay until %s", r.ID, date(r.ValidUntil))})
		}
		if p := state.Payments[o.Payment]; p != nil {
			rows = append(rows, []string{"  payment", fmt.Sprintf("%d, %s, seqno %d of %s", p.ID, p.Phase, p.Seqno, p.Wallet)})
		}
		if o.Settled != (ton.Position{}) {
			rows = append(rows,
				[]string{"  paid", time.Unix(int64(o.Time), 0).UTC().Format(time.RFC3339)},
				[]string{"  transaction", fmt.Sprintf("%d:%s", o.Settled.LT, o.Settled.Hash)})
		}
		if !o.Received.IsZero() {
			rows = append(rows, []string{"  arrived", fmt.Sprintf("%d:%s, in the receiver's jetton wallet", o.Received.LT, o.Received.Hash)})
		}
		if o.Evidence != "" {
			rows = append(rows, []string{"  delivery", delivery(o)})
		}
		rows = append(rows, evidence(state, o)...)
		if err := s.rows(w, rows, nil); err != nil {
			return err
		}
	}
	return nil
}

// past writes the earlier names of a key, and what was given to it otherwise.
func past(w io.Writer, state *ledger.State, key string) error {
	var was []string
	for old, now := range state.Names {
		if now == key {
			was = append(was, old)
		}
	}
	slices.Sort(was)
	var lines []string
	if len(was) > 0 {
		lines = append(lines, "was "+strings.Join(was, ", "))
	}
	for _, t := range state.Settled[key] {
		lines = append(lines, fmt.Sprintf("settled: %s for @%s in generation %d: %s", t.Item, t.Handle, t.Generation, t.Reason))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(w, "  %s\n", Clean(line, 0)); err != nil {
			return err
		}
	}
	return nil
}

// shownAs is how Fragment showed a person.
func shownAs(i ledger.Identity) string {
	if i.Photo.IsZero() {
		return fmt.Sprintf("%q without a photo", i.Name)
	}
	return fmt.Sprintf("%q with photo %s", i.Name, i.Photo.String()[:12])
}

// delivery says on what evidence an order counts as delivered.
func delivery(o *ledger.Order) string {
	if o.Row.IsZero() {
		return o.Evidence
	}
	if o.Astray() {
		return fmt.Sprintf("%s, though Fragment lists %s for @%s at %s", o.Evidence, o.Row.Item, o.Row.Handle, date(o.Row.Time))
	}
	return fmt.Sprintf("%s: Fragment lists %s for @%s at %s", o.Evidence, o.Row.Item, o.Row.Handle, date(o.Row.Time))
}

// evidence is what to show Fragment's support of an order that was paid and is
// not known to be delivered, or that is held.
func evidence(state *ledger.State, o *ledger.Order) [][]string {
	open := o.Phase == ledger.Sent || o.Phase == ledger.Paid || o.Phase == ledger.Acknowledged || o.Phase == ledger.Held
	if !open || o.Invoice == nil || state.Payments[o.Payment] == nil && state.Requests[o.Request] == nil {
		return nil
	}
	t := o.Invoice.Transfer
	rows := [][]string{
		{"  paid by", o.Wallet.String()},
		{"  paid to", paidTo(t)},
		{"  request", o.Invoice.RequestID},
	}
	if message := state.Message(o); len(message) > 0 {
		rows = append(rows, []string{"  message", base64.StdEncoding.EncodeToString(message)})
	}
	return rows
}

// paidTo is the account that a transfer pays. One of USDT asks the wallet's own
// jetton wallet, and names in its body who is paid.
func paidTo(t ton.Transfer) string {
	text := fmt.Sprintf("%s, %s TON", t.To, t.Amount)
	body, err := t.Body.Cell()
	if err != nil {
		return text
	}
	j, err := ton.ParseJettonTransfer(body)
	if err != nil {
		return text
	}
	return fmt.Sprintf("%s, %s, by way of its jetton wallet %s", j.Destination, ton.Amount{Asset: ton.AssetUSDT, Units: j.Amount}, t.To)
}

// refs returns every ref that an order ever had, sorted.
func refs(state *ledger.State, id ledger.OrderID) []string {
	var found []string
	for ref, owner := range state.Refs {
		if owner == id {
			found = append(found, ref)
		}
	}
	slices.Sort(found)
	return found
}
