package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/report"
)

// What only a person may decide. Each decision is an event with its reason;
// nothing deletes or edits what was recorded.

// deciding opens the ledger for writing and requires a reason.
func (p *program) deciding(c *cobra.Command, reason string, do func(*project) ([]ledger.Event, string, error)) error {
	if err := required(reason); err != nil {
		return err
	}
	return p.withLedger(c, func(project *project) error {
		if err := project.begin(c.Context(), strings.TrimPrefix(c.CommandPath(), "fragplan ")); err != nil {
			return err
		}
		project.reason = reason
		events, said, err := do(project)
		if err != nil {
			return err
		}
		if err := project.recorder().Append(c.Context(), events); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, said)
		return nil
	})
}

func required(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("-reason is required: it is recorded for whoever reads the ledger later")
	}
	if !utf8.ValidString(reason) {
		return errors.New("-reason is not UTF-8, so it can't be recorded as it is")
	}
	return nil
}

func reasonFlag(c *cobra.Command, reason *string) {
	c.Flags().Var(word{reason, "TEXT"}, "reason", "why; it is recorded")
}

func (p *program) ledgerResolve() *cobra.Command {
	var as, order, reason string
	var all bool
	c := &cobra.Command{
		Use: "resolve KEY", Short: "Say what became of an order that waits for a person", Args: cobra.ExactArgs(1), ValidArgsFunction: p.keys,
		RunE: func(c *cobra.Command, args []string) error {
			phase, ok := map[string]ledger.Phase{"delivered": ledger.Delivered, asReturned: ledger.Released, asUnpaid: ledger.Released}[as]
			if !ok {
				return errors.New("-as must be delivered (it was given), returned (the money came back: it may be bought again) or unpaid (nobody has paid the request and nobody will: it may be bought again)")
			}
			if all && order != "" {
				return errors.New("give either -order or -all")
			}
			named, err := orderNamed(order)
			if err != nil {
				return err
			}
			return p.deciding(c, reason, func(project *project) ([]ledger.Event, string, error) {
				if err := project.lookAgain(c.Context(), args[0], as); err != nil {
					return nil, "", err
				}
				orders, err := waiting(project.book.ByKey(args[0]), args[0], as, named, all)
				if err != nil {
					return nil, "", err
				}
				var events []ledger.Event
				for _, o := range orders {
					if o.Phase != ledger.Held && as != asUnpaid {
						events = append(events, ledger.OrderHeld{Order: o.ID, Reason: reason})
					}
					events = append(events, ledger.OrderResolved{Order: o.ID, As: phase, Reason: reason})
				}
				said := "Recorded. It counts as given."
				if phase == ledger.Released {
					said = "Recorded. It counts as not given: the next plan may buy it again."
				}
				if as == asUnpaid {
					said += " That nobody pays the old request is your word alone; if somebody does, the next apply stops and shows it."
				}
				return events, said, nil
			})
		},
	}
	f := c.Flags()
	f.Var(word{&as, "delivered|returned|unpaid"}, "as", "what became of it")
	f.Var(word{&order, "ID"}, "order", "the order's number, where several of the key wait")
	f.BoolVar(&all, "all", false, "it is so for all orders of the key that wait")
	reasonFlag(c, &reason)
	return c
}

// orderNamed reads -order; 0 is none.
func orderNamed(text string) (ledger.OrderID, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("-order %q is no order: they are numbered from 1", text)
	}
	return ledger.OrderID(n), nil
}

// What a person may say of money that bought nothing.
const (
	asReturned = "returned" // it came back
	asUnpaid   = "unpaid"   // nobody has paid the request, and nobody will
)

// waiting chooses the orders of a key that a person's word is about: the one
// that is named, the only one, or all of them if that was said.
func waiting(orders []*ledger.Order, key string, as string, named ledger.OrderID, all bool) ([]*ledger.Order, error) {
	var list []*ledger.Order
	for _, o := range orders {
		open := o.Phase == ledger.Held || o.Phase == ledger.Sent || (o.Phase == ledger.Paid || o.Phase == ledger.Acknowledged) && as == "delivered"
		if as == asUnpaid {
			open = o.Phase == ledger.Offered
		}
		if open && (named == 0 || o.ID == named) {
			list = append(list, o)
		}
	}
	key = report.Clean(key, 200)
	switch {
	case len(list) == 0 && named != 0:
		return nil, fmt.Errorf("order %d is none of %s that waits for a person; fragplan ledger show %s says how far they are", named, key, key)
	case len(list) == 0:
		return nil, fmt.Errorf("no order of %s waits for a person; fragplan ledger show %s says how far they are", key, key)
	case len(list) == 1 || all:
		return list, nil
	}
	return nil, choose(fmt.Sprintf("%d orders of %s wait for a person; choose one with -order, or -all of them:", len(list), key), list)
}

// choose is the error that asks for one of several orders.
func choose(text string, list []*ledger.Order) error {
	for _, o := range list {
		text += fmt.Sprintf("\n  -order %d: %s for @%s, %s", o.ID, o.Item, report.Clean(o.Handle, 32), o.Phase)
		if o.Reason != "" {
			text += ": " + report.Clean(o.Reason, 200)
		}
	}
	return errors.New(text)
}

func (p *program) reissueCommand() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "reissue KEY", Short: "Have a key bought again from nothing, beside what was paid for it", Args: cobra.ExactArgs(1), ValidArgsFunction: p.keys,
		RunE: func(c *cobra.Command, args []string) error {
			key := args[0]
			return p.deciding(c, reason, func(project *project) ([]ledger.Event, string, error) {
				orders := project.book.ByKey(key)
				if now := project.book.Now(key); now != key {
					return nil, "", fmt.Errorf("%q was moved to %s: that is the key to name", key, now)
				}
				if !project.book.Known(key) {
					return nil, "", fmt.Errorf("the ledger has no order for %q; fragplan ledger list shows the keys", key)
				}
				if i := slices.IndexFunc(orders, func(o *ledger.Order) bool { return o.Phase.Live() }); i >= 0 {
					return nil, "", fmt.Errorf("order %d of %q is %s and may still be paid: run fragplan apply first", orders[i].ID, key, orders[i].Phase)
				}
				generation := project.book.Generation(key)
				if project.book.SettledFor(key) == 0 && !slices.ContainsFunc(orders, func(o *ledger.Order) bool { return o.Generation == generation && o.Phase.Spent() }) {
					return nil, "", fmt.Errorf("nothing was paid for %q: the next plan buys it anyway", key)
				}
				e := ledger.KeyReissued{Key: key, Generation: generation + 1, Reason: reason}
				return []ledger.Event{e}, fmt.Sprintf("Recorded. The next plan shows %s as a line of its own; what was paid before stays paid. An apply that asks nobody leaves it: save the plan and apply it, or answer yes.", report.Clean(key, 200)), nil
			})
		},
	}
	reasonFlag(c, &reason)
	return c
}

func (p *program) paymentCommand() *cobra.Command {
	c := &cobra.Command{Use: "payment", Short: "Look after a payment that is under way"}
	c.AddCommand(p.paymentCancel())
	return c
}

func (p *program) paymentCancel() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "cancel ID", Short: "Keep an open payment from being executed, if it is not too late", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return fmt.Errorf("%q is no payment: they are numbered from 1", args[0])
			}
			return p.deciding(c, reason, func(project *project) ([]ledger.Event, string, error) {
				payment := project.book.Payments[ledger.PaymentID(id)]
				switch {
				case payment == nil:
					return nil, "", fmt.Errorf("the ledger has no payment %d; fragplan ledger show KEY names the payments of a key", id)
				case !payment.Phase.Open():
					return nil, "", fmt.Errorf("payment %d is %s: there is nothing to cancel", id, payment.Phase)
				}
				project.cancel = payment.ID
				shown := p.handler(false)
				result, err := project.carry(c.Context(), project.nothing(), shown)
				if err != nil {
					shown.Done(result, err)
					return nil, "", err
				}
				if err := project.reload(c.Context()); err != nil {
					return nil, "", err
				}
				if project.book.Payments[payment.ID].Phase == ledger.PaymentDead {
					return nil, fmt.Sprintf("Payment %d can't be executed any more: nothing was paid with it.", id), nil
				}
				return nil, "", fmt.Errorf("payment %d was executed before it could be cancelled: what it paid is bought", id)
			})
		},
	}
	reasonFlag(c, &reason)
	return c
}
