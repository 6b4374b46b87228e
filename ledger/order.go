package ledger

import (
	"fmt"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// OrderID numbers the orders of one ledger from 1, in the order of reservation.
type OrderID int64

// A Phase says how far an order has come.
type Phase string

// The phases of an order.
const (
	Reserved     Phase = "reserved"     // wanted, its budget taken; nothing happened outside
	Quoted       Phase = "quoted"       // Fragment's offer is on disk; unpaid
	Offered      Phase = "offered"      // a person was asked to pay it with a wallet application, and may do so at any time
	Armed        Phase = "armed"        // part of a payment that may be, become or have been executed
	Sent         Phase = "sent"         // its transfer of USDT left the wallet; whether it arrived is not known yet
	Paid         Phase = "paid"         // its own transfer stands in the proven chain and has arrived
	Acknowledged Phase = "acknowledged" // Fragment answered that it knows of the payment
	Delivered    Phase = "delivered"    // Fragment says that the goods were handed over
	Held         Phase = "held"         // a person must look; never bought again by itself
	Released     Phase = "released"     // nothing was paid, and Reason says how that is known
)

// Live reports whether the order may still be paid.
func (p Phase) Live() bool { return p == Reserved || p == Quoted || p.Out() }

// Out reports whether the order may have been paid by now: its payment is no
// longer in this program's hands alone, or its USDT may have arrived.
func (p Phase) Out() bool { return p == Armed || p == Offered || p == Sent }

// Spent reports whether money has left the wallet for the order. USDT that was
// sent may still come back.
func (p Phase) Spent() bool {
	return p == Sent || p == Paid || p == Acknowledged || p == Delivered || p == Held
}

// Order is one thing bought in one Fragment request.
type Order struct {
	ID         OrderID
	Run        RunID
	Key        string // of the occurrence: "<grant>/<person>", its name for ever
	Generation int    // 1, and one more for each reissue by a person
	Part       int    // of the key, from 1: a raised grant is bought in parts
	Person     string // id under people:, or "@handle"
	Handle     string // the user name it was bought for, lower case, without @
	Single     bool   // the grant names one winner, not a list
	Item       product.Item
	Wallet     ton.Address
	Cap        ton.Amount // the most it may cost
	Reserve    ton.Amount // what it takes from the budgets: the estimate, then the invoice's amount
	Scopes     []string   // the campaign and the labels that it counts for, whatever is written later: "campaign winter", "label season=spring"

	Phase    Phase
	Reason   string   // of the newest phase, where it has one
	Invoice  *Invoice // the current offer; nil before the first and after one was dropped
	Invoices int      // offers so far
	Deaths   int      // payments of this order that were proven dead
	Payment  PaymentID
	Index    int          // of its transfer in the payment, from 0
	Settled  ton.Position // the transaction that paid it
	Time     uint32       // Unix seconds of that transaction's block
	Received ton.Position // where the receiver's jetton wallet took it; zero for TON, and until that is proven
	Evidence string       // of delivery: its kind
	Row      Row          // of Fragment's list, if that was the evidence, or if it names somebody else
	Request  RequestID    // by which a person was asked to pay it; 0 for what this program signs
	Found    FoundID      // the found transfer that it was made from; 0 for what this ledger bought
	Bounce   ton.Position // the newest transaction that may have brought its money back
}

// FoundID numbers the found transfers of one ledger from 1.
type FoundID int64

// Found is a transfer to Fragment that stands in the chain and in no payment of
// this ledger: another ledger made it, a lost one, or a person by hand. Until a
// person says whom it was for, nothing is bought that it may have paid.
type Found struct {
	ID          FoundID
	Wallet      ton.Address
	Transaction ton.Position
	Time        uint32 // Unix seconds of that transaction's block
	Item        product.Item
	Amount      ton.Amount
	Ref         string // from outside, checked for its form
	Order       OrderID
	Reason      string // why it was assigned or set aside; "" while it is open
}

// Open reports whether nobody has said yet whom it was for.
func (f *Found) Open() bool { return f.Reason == "" }

// Invoice is Fragment's offer for an order: pay this and it is yours. It
// expires; its ref is kept for ever, so that it is never paid twice.
type Invoice struct {
	N          int               `json:"n"` // of the order, from 1
	RequestID  string            `json:"request_id"`
	Ref        string            `json:"ref"`
	Recipient  string            `json:"recipient"` // Fragment's token for the person
	Name       string            `json:"name"`      // the display name; from outside, hostile
	Transfer   ton.Transfer      `json:"transfer"`
	Price      ton.Amount        `json:"price"`
	Quoted     uint32            `json:"quoted"`            // Unix seconds of the newest block that was known when it came
	ValidUntil uint32            `json:"valid_until"`       // Unix seconds; must not be paid later
	Confirm    string            `json:"confirm"`           // method of the confirm call
	Params     map[string]string `json:"params"`            // and its parameters
	Session    string            `json:"session,omitempty"` // of several, the one that it was made in; it is confirmed there
}

// Check reports an invoice that names a price in one asset and asks to be paid
// in another.
func (i Invoice) Check() error {
	if pays := i.pays(); pays != i.Price.Asset {
		return fmt.Errorf("the invoice names a price in %s and its transfer pays %s: %w", i.Price.Asset, pays, ErrTransition)
	}
	return nil
}

func (i Invoice) pays() ton.Asset {
	if asks(i.Transfer.Body) {
		return ton.AssetUSDT
	}
	return ton.AssetTON
}
