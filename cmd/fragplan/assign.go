package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

func (p *program) ledgerAssign() *cobra.Command {
	var nobody bool
	var order, reason string
	c := &cobra.Command{
		Use: "assign REF|TRANSACTION [KEY]", Short: "Say whom a payment in the chain was for, or whose money came back", Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if nobody == (len(args) == 2) {
				return errors.New("give either the key that it was for, or -nobody")
			}
			named, err := orderNamed(order)
			if err != nil {
				return err
			}
			return p.deciding(c, reason, func(project *project) ([]ledger.Event, string, error) {
				if hash, ok := hashOf(args[0]); ok {
					return project.claim(c.Context(), hash, append(args[1:], "")[0], named)
				}
				f := found(project.book, args[0])
				if f == nil {
					return nil, "", fmt.Errorf("no found payment with the ref %q is open; fragplan ledger audit lists them", args[0])
				}
				if nobody {
					return []ledger.Event{ledger.FoundSetAside{Found: f.ID, Reason: reason}}, "Recorded. It was for nothing that is written.", nil
				}
				e, err := project.assignment(c.Context(), f, args[1])
				return []ledger.Event{e}, fmt.Sprintf("Recorded. %s counts as given for %s.", f.Item, report.Clean(args[1], 200)), err
			})
		},
	}
	c.Flags().BoolVar(&nobody, "nobody", false, "it was for nothing that is written here")
	c.Flags().Var(word{&order, "ID"}, "order", "the order whose money came back, where several of the key were paid")
	reasonFlag(c, &reason)
	return c
}

func found(book *ledger.State, ref string) *ledger.Found {
	for _, f := range book.Founds {
		if f.Ref == ref && f.Open() {
			return f
		}
	}
	return nil
}

// assignment makes the found transfer an order of the key, which must be
// written.
func (p *project) assignment(ctx context.Context, f *ledger.Found, key string) (ledger.Event, error) {
	if err := p.unmoved(key); err != nil {
		return nil, err
	}
	o, ok, err := p.written(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("no grant writes %q; keys read like best-meme/ann, and thanks/ann@2026-12-01 where a grant recurs", key)
	case o.Item.Kind != f.Item.Kind:
		return nil, fmt.Errorf("%s gives %s, and the payment was for %s", key, o.Item, f.Item)
	}
	if given := p.book.Given(key); given+f.Item.Quantity > o.Item.Quantity {
		return nil, fmt.Errorf("%s gives %s, and %d were given already: this is more. Write the higher total first, or say -nobody", key, o.Item, given)
	}
	return ledger.FoundAssigned{
		Found: f.ID, Order: p.book.LastOrder + 1, Key: key, Generation: p.book.Generation(key), Part: p.book.NextPart(key), Prior: p.book.Given(key),
		Person: o.Person, Handle: o.Handle, Single: o.Single, Reason: p.reason,
	}, nil
}

// hashOf reads a transaction's hash, also with the logical time before it.
func hashOf(text string) (h ton.Hash, ok bool) {
	if _, hash, both := strings.Cut(text, ":"); both {
		text = hash
	}
	return h, len(text) == 2*len(h) && h.UnmarshalText([]byte(text)) == nil
}

// claim records whose money a transaction brought back: that of an order of the
// key, or nobody's for no key. The proven history must hold it.
func (p *project) claim(ctx context.Context, hash ton.Hash, key string, named ledger.OrderID) ([]ledger.Event, string, error) {
	for _, wallet := range p.book.Addresses() {
		history, err := p.history(ctx, p.book.Wallets[wallet])
		if err != nil {
			return nil, "", err
		}
		i := slices.IndexFunc(history, func(t ton.Transaction) bool { return t.Hash == hash })
		if i < 0 {
			continue
		}
		order, err := p.paidOrder(key, named)
		if err != nil {
			return nil, "", err
		}
		e, err := reconcile.Claim(p.book, wallet, history[i], order, p.reason)
		said := "Recorded. It is no order's money."
		if _, held := e.(ledger.OrderHeld); held {
			said = fmt.Sprintf("Recorded. Order %d of %s is held: say what became of it with %s", order.ID, report.Clean(key, 200),
				p.program.complete(fmt.Sprintf("fragplan ledger resolve %s -order %d -as returned -reason TEXT (or -as delivered)", shell(key), order.ID)))
		} else if order != nil {
			said = fmt.Sprintf("Recorded. It is the money of order %d, which counts as not given already.", order.ID)
		}
		return []ledger.Event{e}, said, err
	}
	return nil, "", fmt.Errorf("transaction %s is not in the history of this ledger's wallets; fragplan ledger audit lists what waits", hash)
}

// paidOrder is the order of a key that money left for: the one that is named,
// or the only one; nil for no key.
func (p *project) paidOrder(key string, named ledger.OrderID) (*ledger.Order, error) {
	if key == "" {
		return nil, nil
	}
	var list []*ledger.Order
	for _, o := range p.book.ByKey(key) {
		if !o.Settled.IsZero() && (named == 0 || o.ID == named) {
			list = append(list, o)
		}
	}
	key = report.Clean(key, 200)
	switch {
	case len(list) == 0 && named != 0:
		return nil, fmt.Errorf("order %d is none of %s that was paid; fragplan ledger show %s lists them", named, key, key)
	case len(list) == 0:
		return nil, fmt.Errorf("no order of %s was paid; fragplan ledger list shows the keys", key)
	case len(list) > 1:
		return nil, choose(fmt.Sprintf("%d orders of %s were paid; choose the one whose money came back with -order:", len(list), key), list)
	}
	return list[0], nil
}
