package reconcile

import (
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// An Effect is one thing that Step wants done. Effects are carried out in
// order up to and including each Record; what follows a Record starts only
// when its events are durable.
type Effect interface{ effect() }

// The effects.
type (
	// Record appends events to the ledger. A failure ends the run at once.
	Record struct{ Events []ledger.Event }
	// Look reads a wallet; answered by Sighted.
	Look struct {
		Wallet  ton.Address
		Version ton.WalletVersion
		Since   ton.Position
		USDT    bool // with its USDT
	}
	// Wait pauses, waits a while for a masterchain block after the given one,
	// then looks.
	Wait struct {
		Pause time.Duration
		After uint32
		Look  Look
	}
	// Ask asks the market for an offer; answered by Offered.
	Ask struct {
		Order  ledger.OrderID
		Handle string
		Item   product.Item
		Asset  ton.Asset
	}
	// Trace asks what became of USDT that was sent; answered by Traced.
	Trace struct {
		Wallet, Owner ton.Address
		After         uint64
		Pause         time.Duration
	}
	// Try emulates a payload; answered by Tried.
	Try struct {
		Wallet  ton.Wallet
		Payload ton.Payload
	}
	// Sign asks for the signature of an armed payment, or of its burn; answered
	// by Signed.
	Sign struct {
		Payment ledger.PaymentID
		Burn    bool
		Payload ton.Payload
		Deploys bool
		Keys    []string // of the orders that the transfers pay; none of a burn
	}
	// Hand gives a recorded request to pay to a person; answered by Handed.
	Hand struct{ Handout Handout }
	// Send broadcasts. It has no answer, because an answer would prove nothing.
	Send struct{ Message ton.BoC }
	// Tell makes the confirm call after a pause; answered by Told.
	Tell struct {
		Order   ledger.OrderID
		Kind    product.Kind
		Invoice ledger.Invoice
		Message ton.BoC
		After   time.Duration
	}
	// Inquire asks after a pause whether everything of a product was handed
	// over, and what of it is listed; answered by Learned.
	Inquire struct {
		Kind  product.Kind
		After time.Duration
	}
	// Notice is for people who watch.
	Notice struct{ Progress Progress }
	// Stop ends the run.
	Stop struct{ Err error }
)

func (Record) effect()  {}
func (Look) effect()    {}
func (Wait) effect()    {}
func (Ask) effect()     {}
func (Trace) effect()   {}
func (Try) effect()     {}
func (Sign) effect()    {}
func (Hand) effect()    {}
func (Send) effect()    {}
func (Tell) effect()    {}
func (Inquire) effect() {}
func (Notice) effect()  {}
func (Stop) effect()    {}

// An Event is something that happened outside.
type Event interface{ event() }

// The events.
type (
	// Started is the first event.
	Started struct{}
	// Sighted answers Look and Wait.
	Sighted struct {
		Wallet ton.Address
		Sight  Sight
		Err    error
	}
	// Offered answers Ask.
	Offered struct {
		Order ledger.OrderID
		Offer Offer
		Err   error
	}
	// Traced answers Trace.
	Traced struct {
		Wallet, Owner ton.Address
		After         uint64
		Trail         ledger.Trail
		Err           error
	}
	// Tried answers Try.
	Tried struct {
		Emulation Emulation
		Err       error
	}
	// Signed answers Sign.
	Signed struct {
		Payment ledger.PaymentID
		Burn    bool
		Message ton.BoC
		Err     error
	}
	// Handed answers Hand.
	Handed struct {
		Request ledger.RequestID
		Err     error
	}
	// Told answers Tell.
	Told struct {
		Order ledger.OrderID
		Err   error
	}
	// Learned answers Inquire. Err is about Done; a list that can't be read is
	// empty.
	Learned struct {
		Kind product.Kind
		Done bool
		Err  error
		List List
	}
	// Interrupted asks for a clean stop: nothing new is begun.
	Interrupted struct{}
)

func (Started) event()     {}
func (Sighted) event()     {}
func (Offered) event()     {}
func (Traced) event()      {}
func (Tried) event()       {}
func (Signed) event()      {}
func (Handed) event()      {}
func (Told) event()        {}
func (Learned) event()     {}
func (Interrupted) event() {}

// Progress is one step of an order or of a payment, for people and programs.
type Progress struct {
	Stage   string // quoted, offered, armed, signed, waiting, unreadable, sent, paid, dead, burning, held, bounced, changed, refused, acknowledged, undelivered, delivered, recognized
	Key     string
	Handle  string
	Item    product.Item
	Order   ledger.OrderID
	Payment ledger.PaymentID
	Amount  ton.Amount
	Orders  int // of a payment
	Text    string
}
