package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

func (p *program) fragmentCommand() *cobra.Command {
	c := &cobra.Command{Use: "fragment", Short: "Ask Fragment: who is logged in, prices, recipients; read a payload"}
	c.AddCommand(p.fragmentWhoami(), p.fragmentPrice(), p.fragmentRecipient(), p.fragmentDecode())
	return c
}

func (p *program) fragmentWhoami() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "whoami", Short: "Show who is logged in, with which wallet, and what would stop a purchase", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withSeats(c, func(seats []seat) error {
				var list []report.Session
				var fault error
				for _, s := range seats {
					v, err := p.visit(c.Context(), s)
					if err != nil {
						return err
					}
					if v.Problem != "" {
						fault = &exit{code: 1}
					}
					list = append(list, v)
				}
				if asJSON {
					return errors.Join(report.SessionsJSON(p.stdout, list), fault)
				}
				return errors.Join(report.Sessions(p.stdout, list, p.style()), fault)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// withSeats runs do on the project's sessions at Fragment.
func (p *program) withSeats(c *cobra.Command, do func([]seat) error) error {
	project, err := p.load()
	if err != nil {
		return err
	}
	defer project.Close()
	seats, err := project.seats(c.Context())
	if err != nil {
		return err
	}
	return do(seats)
}

// visit asks a session who it is. What stops purchases is part of the answer;
// an error is what kept Fragment from giving one.
func (p *program) visit(ctx context.Context, seat seat) (report.Session, error) {
	who, err := seat.admit(ctx)
	s := report.Session{
		Label: seat.name, Name: who.Name, Username: who.Username, Identity: string(who.Identity), Linked: who.Linked,
		Wallet: who.Wallet, Ours: !who.Wallet.IsZero() && who.Wallet == seat.client.Wallet.Address, Expires: seat.expires,
	}
	switch {
	case err != nil && !barred(err):
		return s, err
	case err != nil:
		s.Problem, s.Next = err.Error(), p.hint(err)
		return s, nil
	}
	logins, err := seat.client.Logins(ctx)
	for _, l := range logins {
		s.Logins = append(s.Logins, report.Login(l))
	}
	return s, err
}

// maxAsked bounds how many prices one command asks for.
const maxAsked = 20

// usual is what price asks for if nothing is named.
var usual = []product.Item{
	{Kind: product.Stars, Quantity: 50}, {Kind: product.Stars, Quantity: 100}, {Kind: product.Stars, Quantity: 500}, {Kind: product.Stars, Quantity: 1000},
	{Kind: product.Premium, Quantity: 3}, {Kind: product.Premium, Quantity: 6}, {Kind: product.Premium, Quantity: 12},
}

func (p *program) fragmentPrice() *cobra.Command {
	var asJSON bool
	payWith := "ton"
	c := &cobra.Command{
		Use: "price [ITEM...]", Short: "Ask what items cost now, such as \"100 stars\"", Args: cobra.MaximumNArgs(maxAsked),
		RunE: func(c *cobra.Command, args []string) error {
			items, err := itemsOf(args)
			if err != nil {
				return err
			}
			asset, err := ton.ParseAsset(payWith)
			if err != nil {
				return fmt.Errorf("-pay-with: %w", err)
			}
			if asset != ton.AssetTON && slices.ContainsFunc(items, func(i product.Item) bool { return i.Kind == product.TopUp }) {
				return fmt.Errorf("-pay-with %s: a top-up is paid in TON: nobody has seen Fragment sell one for %s", payWith, asset)
			}
			return p.withSeats(c, func(seats []seat) error {
				var list []report.Price
				for _, item := range items {
					price, err := seats[0].client.PriceIn(c.Context(), asset, products[item.Kind], item.Quantity)
					if err != nil {
						return err
					}
					list = append(list, report.Price{Item: item, Amount: price})
				}
				if asJSON {
					return report.PricesJSON(p.stdout, list)
				}
				return report.Prices(p.stdout, list, p.style())
			})
		},
	}
	c.Flags().Var(word{&payWith, "ton|usdt"}, "pay-with", "the money of the prices")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// itemsOf reads items, each a word of the shell, or one in several words.
func itemsOf(args []string) ([]product.Item, error) {
	switch {
	case len(args) == 0:
		return usual, nil
	case !strings.Contains(args[0], " "):
		args = []string{strings.Join(args, " ")}
	}
	var list []product.Item
	for _, a := range args {
		item, err := product.ParseItem(a)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

func (p *program) fragmentRecipient() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "recipient NAME", Short: "Show who stands behind a user name, and what that account can be given", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withSeats(c, func(seats []seat) error {
				r, err := recipient(c.Context(), seats[0].client, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return report.RecipientJSON(p.stdout, r)
				}
				return report.Recipients(p.stdout, r, p.style())
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// recipient searches somebody once for each product.
func recipient(ctx context.Context, client *fragment.Client, name string) (report.Recipient, error) {
	r := report.Recipient{Handle: strings.TrimPrefix(strings.TrimPrefix(name, "https://t.me/"), "@")}
	var last error
	found := false
	for _, item := range []product.Item{{Kind: product.Stars, Quantity: 50}, {Kind: product.Premium, Quantity: 3}, {Kind: product.TopUp, Quantity: 1}} {
		who, err := client.Search(ctx, products[item.Kind], r.Handle, item.Quantity)
		var refused *fragment.Error
		switch {
		case err == nil:
			found = true
			r.Name, r.Myself = who.Name, who.Myself
			r.Can = append(r.Can, report.Eligible{Kind: item.Kind})
			continue
		case !isAboutRecipient(err):
			return r, err
		case errors.As(err, &refused) && refused.Message != "":
			r.Can = append(r.Can, report.Eligible{Kind: item.Kind, Why: refused.Message})
		default:
			r.Can = append(r.Can, report.Eligible{Kind: item.Kind, Why: err.Error()})
		}
		found = found || !errors.Is(err, fragment.ErrNoRecipient)
		last = err
	}
	if !found {
		return r, fmt.Errorf("@%s can't be given anything: %w", r.Handle, last)
	}
	return r, nil
}

func isAboutRecipient(err error) bool {
	for _, kind := range []error{fragment.ErrNoRecipient, fragment.ErrNotEligible, fragment.ErrAlreadyPremium, fragment.ErrRefused, fragment.ErrQuantity} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
