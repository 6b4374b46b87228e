package reconcile

import (
	"context"
	"errors"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Ledger remembers.
type Ledger interface {
	// Append stores the events, all or none, durably before it returns.
	Append(ctx context.Context, events []ledger.Event) error
}

// Market sells and confirms. It moves no money.
type Market interface {
	// Quote asks for an offer that is to be paid in the asset. A *Refusal says that this order can't be
	// bought; any other error stops the run.
	Quote(ctx context.Context, handle string, item product.Item, asset ton.Asset) (Offer, error)
	// Confirm tells the market of a payment for an item of that kind. It may be
	// repeated.
	Confirm(ctx context.Context, kind product.Kind, invoice ledger.Invoice, message ton.BoC) error
	// Delivered reports whether everything of the product that was confirmed
	// in this session has been handed over.
	Delivered(ctx context.Context, kind product.Kind) (bool, error)
	// History lists what the session's account bought of a product.
	History(ctx context.Context, kind product.Kind) (List, error)
}

// Offer is an invoice, the wallet that the market expects to pay it, and who
// would be given it.
type Offer struct {
	Invoice ledger.Invoice
	From    ton.Address     // zero if the market did not say
	Person  ledger.Identity // how the market shows whom it is for
}

// Signer holds the key.
type Signer interface {
	// Sign returns the external message for exactly this payload. keys are
	// those of the orders that its transfers pay, for people who look. After
	// an error there may be a signature all the same.
	Sign(ctx context.Context, p ton.Payload, deploys bool, keys []string) (ton.BoC, error)
}

// Till hands requests to pay to a person.
type Till interface {
	// Hand gives the request away. After an error somebody may have it all the
	// same.
	Hand(ctx context.Context, h Handout) error
}

// Chain is the only judge of what was paid and the only clock that decides.
type Chain interface {
	// Look returns the wallet's proven state and its transactions after
	// since, the oldest first.
	Look(ctx context.Context, wallet ton.Address, version ton.WalletVersion, since ton.Position) (Sight, error)
	// Jetton returns where the owner's USDT is and how much, proven.
	Jetton(ctx context.Context, owner ton.Address) (ton.Jetton, error)
	// Trail returns what two jetton wallets show after a logical time: that of
	// ours, and the one of the account that it paid.
	Trail(ctx context.Context, wallet, owner ton.Address, after uint64) (ledger.Trail, error)
	// Emulate runs the payload on the wallet's proven state.
	Emulate(ctx context.Context, w ton.Wallet, p ton.Payload) (Emulation, error)
	// Broadcast hands the message to the network. Its error means nothing.
	Broadcast(ctx context.Context, message ton.BoC) error
	// WaitBlock returns when a masterchain block after the given one stands, or
	// when the context ends.
	WaitBlock(ctx context.Context, after uint32) error
}

// Sight is what the chain shows of a wallet.
type Sight struct {
	Account ton.Account
	History []ton.Transaction
	USDT    ton.Jetton // the wallet's, if that was asked for
}

// Emulation is what the chain would do with a payload now.
type Emulation struct {
	Accepted bool
	Sent     int
	Skipped  int
	Fees     ton.Nano
	ExitCode int32
}

// Refusal is why one order can't be bought. The others go on.
type Refusal struct {
	Code   string
	Reason string // with the market's or the firewall's own words
}

func (r *Refusal) Error() string { return r.Reason }

// Errors with which a run stops. Running apply again is safe after each.
var (
	// ErrTide: the chain holds outgoing transactions that the ledger can't
	// explain. The ledger is old, lost or not the only one.
	ErrTide = errors.New("the wallet's history holds payments that the ledger does not know")
	// ErrNoAnchor: the ledger does not answer for this wallet.
	ErrNoAnchor = errors.New("the ledger does not know this wallet")
	// ErrFunds: the wallet can't pay for the next order.
	ErrFunds = errors.New("not enough TON in the wallet")
	// ErrFundsUSDT: the wallet's USDT can't pay for an order. It alone is set aside.
	ErrFundsUSDT = errors.New("not enough USDT in the wallet")
	// ErrBreaker: too much is paid and not acknowledged.
	ErrBreaker = errors.New("Fragment has not acknowledged what was paid, so nothing more is signed")
	// ErrChain: the chain could not be read for a while.
	ErrChain = errors.New("the TON network can't be read")
	// ErrInterrupted is how a run ends that a person stopped.
	ErrInterrupted = errors.New("interrupted; running apply again goes on where this stopped")
)
