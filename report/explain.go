package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
)

// A Moment is one record of the ledger's log with its event read.
type Moment struct {
	Time  time.Time // of the writer's clock
	Event ledger.Event
}

// Explain writes why a plan does with one key what it does: where it is
// written, what was given, what the guards say, what was recorded of it last,
// and what would change the outcome.
func Explain(w io.Writer, p *reconcile.Plan, e reconcile.Explanation, last []Moment, s Style) error {
	rows := [][]string{{"written", writtenAs(e)}}
	for _, step := range e.Through {
		rows = append(rows, []string{"through", stepAs(step)})
	}
	if e.Item.Quantity > 0 {
		rows = append(rows, []string{"given", given(e)})
	} else {
		rows = append(rows, []string{"given", "nothing yet"})
	}
	if len(e.Before) > 0 {
		rows = append(rows, []string{"was", strings.Join(e.Before, ", ")})
	}
	for _, reason := range e.Said {
		rows = append(rows, []string{"settled", reason})
	}
	for _, a := range e.Lines {
		line := fmt.Sprintf("%s %s", verbPhrase(a.Verb), a.Item)
		if c := cost(p, a); c != "" {
			line += ", " + c
		}
		if r := commands(p, a.Reason); r != "" {
			line += ": " + r
		}
		rows = append(rows, []string{"plan", line})
	}
	if e.Not != "" {
		rows = append(rows, []string{"plan", e.Not})
	}
	for _, v := range e.Guards {
		word := "allows"
		if !v.Allows {
			word = "forbids"
		}
		rows = append(rows, []string{v.Name, word + ": " + commands(p, v.Text)})
	}
	for _, m := range last {
		rows = append(rows, []string{m.Time.UTC().Format("2006-01-02 15:04:05"), momentLine(m.Event)})
	}
	if e.NextDate != 0 {
		rows = append(rows, []string{"next date", e.NextDate.String()})
	}
	if e.Next != "" {
		rows = append(rows, []string{"next", commands(p, e.Next)})
	}
	if _, err := fmt.Fprintln(w, s.paint(bold, Clean(e.Key, 0))); err != nil {
		return err
	}
	if err := s.rows(w, rows, nil); err != nil {
		return err
	}
	for _, v := range p.Violations {
		for _, line := range pasted(v.Paste) {
			if _, err := fmt.Fprintf(w, "    %s\n", line); err != nil {
				return err
			}
		}
	}
	return nil
}

func stepAs(step spec.Step) string {
	at := fmt.Sprintf("%s:%d", step.Pos.File, step.Pos.Line)
	if step.Since != 0 {
		at += fmt.Sprintf(", since %s", step.Since)
	}
	if step.Until != 0 {
		at += fmt.Sprintf(", until %s", step.Until)
	}
	return fmt.Sprintf("%s (%s)", step.What, at)
}

func writtenAs(e reconcile.Explanation) string {
	o := e.Written
	if o == nil {
		return "nowhere in the project's files"
	}
	text := fmt.Sprintf("%s for @%s in %s:%d", o.Item, o.Handle, o.Pos.File, o.Pos.Line)
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return text
}

func given(e reconcile.Explanation) string {
	paid := e.Item
	paid.Quantity -= e.InFlight
	flying := product.Item{Kind: e.Item.Kind, Quantity: e.InFlight}
	switch {
	case e.InFlight == 0:
		return paid.String()
	case paid.Quantity == 0:
		return "nothing yet; a payment for " + flying.String() + " is under way"
	}
	return fmt.Sprintf("%s, and a payment for %s is under way", paid, flying)
}

func verbPhrase(v reconcile.Verb) string {
	switch v {
	case reconcile.Buy:
		return "buys"
	case reconcile.TopUp:
		return "tops up by"
	case reconcile.Retire:
		return "retires"
	case reconcile.Blocked:
		return "does not buy"
	case reconcile.Unknown:
		return "settles the payment for"
	case reconcile.Moved:
		return "moves"
	case reconcile.Settle:
		return "counts as given"
	}
	return "changes nothing:"
}

// momentLine is a record in words.
func momentLine(e ledger.Event) string {
	switch e := e.(type) {
	case ledger.OrderReserved:
		return fmt.Sprintf("order %d: %s for @%s, at most %s, in run %d", e.Order, e.Item, e.Handle, e.Cap, e.Run)
	case ledger.OrderQuoted:
		return fmt.Sprintf("order %d: Fragment asks %s, ref %s", e.Order, e.Invoice.Price, e.Invoice.Ref)
	case ledger.PersonPinned:
		return fmt.Sprintf("order %d: Fragment shows %s, %s", e.Order, shownAs(e.Identity), e.Reason)
	case ledger.InvoiceDropped:
		return fmt.Sprintf("order %d: the offer was dropped: %s", e.Order, e.Reason)
	case ledger.OrderReleased:
		return fmt.Sprintf("order %d: given up unpaid: %s", e.Order, e.Reason)
	case ledger.TransferReceived:
		return fmt.Sprintf("order %d: the USDT has arrived, in the chain as %d:%s", e.Order, e.Transaction.LT, e.Transaction.Hash)
	case ledger.OrderAcknowledged:
		return fmt.Sprintf("order %d: Fragment knows of the payment", e.Order)
	case ledger.OrderDelivered:
		return fmt.Sprintf("order %d: delivered, as the %s shows", e.Order, e.Evidence)
	case ledger.OrderHeld:
		return fmt.Sprintf("order %d: held: %s", e.Order, e.Reason)
	case ledger.OrderResolved:
		return fmt.Sprintf("order %d: a person says %s: %s", e.Order, e.As, e.Reason)
	case ledger.KeyReissued:
		return fmt.Sprintf("a person has it issued again: %s", e.Reason)
	case ledger.KeyMoved:
		return fmt.Sprintf("moved from %s to %s", e.From, e.To)
	case ledger.KeySettled:
		return fmt.Sprintf("%s counts as given to @%s: %s", e.Item, e.Handle, e.Reason)
	case ledger.FoundAssigned:
		return fmt.Sprintf("order %d: a payment in the chain was for it: %s", e.Order, e.Reason)
	case ledger.PaymentRequested:
		return fmt.Sprintf("request %d: a person is asked to pay %s, until %s", e.Request, Count(len(e.Orders), "order"), date(e.ValidUntil))
	case ledger.RequestPaid:
		return fmt.Sprintf("paid by a person, in the chain as %d:%s", e.Transaction.LT, e.Transaction.Hash)
	case ledger.PaymentArmedEvent:
		return fmt.Sprintf("payment %d: written for %s, seqno %d", e.Payment, Count(len(e.Orders), "order"), e.Payload.Seqno)
	case ledger.PaymentSignedEvent:
		return fmt.Sprintf("payment %d: signed", e.Payment)
	case ledger.PaymentExecutedEvent:
		return fmt.Sprintf("payment %d: in the chain as %d:%s", e.Payment, e.Transaction.LT, e.Transaction.Hash)
	case ledger.PaymentDeadEvent:
		return fmt.Sprintf("payment %d: proven never to be executed", e.Payment)
	case ledger.BurnArmed:
		return fmt.Sprintf("payment %d: to be cancelled: %s", e.Payment, e.Reason)
	case ledger.BurnSigned:
		return fmt.Sprintf("payment %d: the cancelling message is signed", e.Payment)
	}
	return ledger.KindOf(e)
}
