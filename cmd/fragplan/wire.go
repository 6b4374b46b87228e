package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

// The edges plug into the engine's sockets here and nowhere else.
var (
	_ shelf            = (*sqlite.Store)(nil)
	_ shelf            = (*postgres.Store)(nil)
	_ reconcile.Market = (*market)(nil)
	_ reconcile.Signer = inside{}
	_ reconcile.Signer = outside{}
	_ reconcile.Chain  = lookout{}
)

// A shelf keeps a ledger: a file, or a database.
type shelf interface {
	reconcile.Ledger
	gitlog.Local
	// Lock makes this process the only writer until Close.
	Lock(ctx context.Context, holder string) error
	// Load reads what is recorded, and LoadFull also the bulk of what is settled.
	Load(ctx context.Context) (*ledger.State, error)
	LoadFull(ctx context.Context) (*ledger.State, error)
	// Records yields the log from the first record to the newest.
	Records(ctx context.Context, yield func(ledger.Record) error) error
	// Verify checks everything and returns the newest record.
	Verify(ctx context.Context) (ledger.Head, error)
	Close() error
}

// kept is a shelf that was opened, or the error and none.
func kept[S shelf](s S, err error) (shelf, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

var products = map[product.Kind]fragment.Product{
	product.Stars: fragment.Stars, product.Premium: fragment.Premium, product.TopUp: fragment.TopUp,
}

func (m *market) Quote(ctx context.Context, handle string, item product.Item, asset ton.Asset) (reconcile.Offer, error) {
	n := m.take()
	defer m.leave(n)
	p, err := m.seats[n].client.BuyWith(ctx, asset, products[item.Kind], handle, item.Quantity)
	if err != nil {
		return reconcile.Offer{}, m.refusal(m.seats[n], err)
	}
	person := ledger.Identity{Name: ledger.NormalName(p.Recipient.Name), Photo: ledger.PhotoHash(p.Recipient.Photo)}
	return reconcile.Offer{From: p.From, Person: person, Invoice: ledger.Invoice{
		RequestID: p.RequestID, Ref: p.Ref, Recipient: p.Recipient.Token, Name: p.Recipient.Name,
		Transfer: p.Transfer, Price: p.Price, ValidUntil: p.ValidUntil,
		Confirm: p.ConfirmMethod, Params: p.ConfirmParams, Session: m.seats[n].name,
	}}, nil
}

// refusal tells an order that can't be bought from a session that can't buy.
func (m *market) refusal(s seat, err error) error {
	for _, item := range []struct {
		is   error
		code string
	}{
		{fragment.ErrNoRecipient, "no_recipient"},
		{fragment.ErrNotEligible, "not_eligible"},
		{fragment.ErrAlreadyPremium, "premium_runs"},
		{fragment.ErrPriceChanged, "price_changed"},
		{fragment.ErrInvoice, string(firewall.InvoiceForm)},
		{fragment.ErrQuantity, "quantity"},
		{fragment.ErrAsset, "asset"},
		{fragment.ErrRefused, "refused"},
	} {
		if errors.Is(err, item.is) {
			reason := err.Error()
			if item.is == fragment.ErrInvoice {
				reason = item.code + ": " + reason
			}
			return &reconcile.Refusal{Code: item.code, Reason: reason}
		}
	}
	return s.say(err)
}

func (m *market) Confirm(ctx context.Context, kind product.Kind, invoice ledger.Invoice, message ton.BoC) error {
	return m.confirm(kind, invoice.Session, func(c *fragment.Client) error {
		return c.Confirm(ctx, fragment.Purchase{Product: products[kind], ConfirmMethod: invoice.Confirm, ConfirmParams: invoice.Params}, message)
	})
}

// Delivered is what the sessions say together that have something to deliver.
func (m *market) Delivered(ctx context.Context, kind product.Kind) (bool, error) {
	for _, s := range m.tellers(kind) {
		state, err := s.client.State(ctx, products[kind], fragment.ModeProcessing)
		if err != nil || !state.Done {
			return false, s.say(err)
		}
	}
	return true, nil
}

// History is what all sessions list together. Those of one account list the
// same; what a session can't tell is missing, and its error is returned beside
// what the others say.
func (m *market) History(ctx context.Context, kind product.Kind) (list reconcile.List, err error) {
	for _, s := range m.seats {
		history, failed := s.client.History(ctx, products[kind])
		if failed != nil {
			err = errors.Join(err, s.say(failed))
			list.Unread++ // its rows, however many
		}
		list.Unread += history.Unread
		for _, r := range history.Rows {
			list.Rows = append(list.Rows, ledger.Row{
				Handle: r.Handle, Item: product.Item{Kind: kind, Quantity: r.Quantity}, Price: r.Price, Time: uint32(r.Time.Unix()),
			})
		}
	}
	return list, err
}

// inside signs with a key of this process.
type inside struct{ *wallet.Wallet }

func (s inside) Sign(_ context.Context, p ton.Payload, deploys bool, _ []string) (ton.BoC, error) {
	return s.Wallet.Sign(p, deploys)
}

// outside signs with a program that holds the key.
type outside struct {
	program signer.Program
	wallet  ton.Wallet
	usdt    func(context.Context) (ton.Address, error) // the wallet's own jetton wallet of USDT
}

func (s outside) Public() ton.Wallet { return s.wallet }

func (s outside) Sign(ctx context.Context, p ton.Payload, deploys bool, keys []string) (ton.BoC, error) {
	for _, t := range p.Transfers {
		c, err := t.Body.Cell()
		if err != nil {
			return nil, err
		}
		if _, err := ton.ParseJettonTransfer(c); err != nil {
			continue
		}
		// The program is told which jetton it is.
		if s.program.USDT, err = s.usdt(ctx); err != nil {
			return nil, fmt.Errorf("the wallet's jetton wallet of USDT, for the signer: %w", err)
		}
		break
	}
	return s.program.Sign(ctx, s.wallet, p, deploys, keys)
}

// lookout reads the chain; usdt is the contract that makes USDT there.
type lookout struct {
	*chain.Client
	usdt ton.Address
}

func (l lookout) Jetton(ctx context.Context, owner ton.Address) (ton.Jetton, error) {
	return l.Client.Jetton(ctx, l.usdt, owner)
}

func (l lookout) Trail(ctx context.Context, wallet, owner ton.Address, after uint64) (ledger.Trail, error) {
	trail := ledger.Trail{Wallet: wallet}
	receiver, err := l.Jetton(ctx, owner)
	if err != nil {
		return trail, err
	}
	trail.Receiver = receiver.Wallet
	if trail.Sent, err = l.Client.Trail(ctx, wallet, after); err != nil {
		return trail, err
	}
	trail.Received, err = l.Client.Trail(ctx, receiver.Wallet, after)
	return trail, err
}

func (l lookout) Look(ctx context.Context, address ton.Address, version ton.WalletVersion, since ton.Position) (reconcile.Sight, error) {
	account, err := l.Account(ctx, address, version)
	if err != nil {
		return reconcile.Sight{}, err
	}
	history, err := l.History(ctx, address, account.Last, since)
	if err != nil {
		return reconcile.Sight{}, fmt.Errorf("history of %s: %w", address, err)
	}
	return reconcile.Sight{Account: account, History: history}, nil
}

func (l lookout) Emulate(ctx context.Context, w ton.Wallet, p ton.Payload) (reconcile.Emulation, error) {
	e, err := l.Client.Emulate(ctx, w, p)
	return reconcile.Emulation{Accepted: e.Accepted, Sent: e.Sent, Skipped: e.Skipped, Fees: e.Fees, ExitCode: e.ExitCode}, err
}
