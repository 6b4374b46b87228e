package ledger

import "github.com/fragplan/fragplan/ton"

// PaymentID numbers the payments of one ledger from 1.
type PaymentID int64

// A PaymentPhase says what is known of a payment.
type PaymentPhase string

// The phases of a payment.
const (
	PaymentArmed    PaymentPhase = "armed"    // the unsigned payload is on disk
	PaymentSigned   PaymentPhase = "signed"   // the exact bytes are on disk
	PaymentExecuted PaymentPhase = "executed" // the chain holds our message at its seqno
	PaymentDead     PaymentPhase = "dead"     // proven: it can never be executed
)

// Open reports whether the payment may still be executed.
func (p PaymentPhase) Open() bool { return p == PaymentArmed || p == PaymentSigned }

// Payment is the right to one wallet seqno, used for 1 to 255 orders.
type Payment struct {
	ID      PaymentID
	Run     RunID
	Wallet  ton.Address
	Seqno   uint32
	Payload ton.Payload
	Hash    ton.Hash // of the unsigned payload, by which the chain's message is recognised
	Deploys bool     // its message carries the wallet's StateInit
	Orders  []OrderID
	Base    ton.Position // the wallet's newest transaction when it was armed

	Phase       PaymentPhase
	Message     ton.BoC      // the exact bytes that are broadcast; nil until signed
	Settled     ton.Position // the transaction that executed it
	Time        uint32       // Unix seconds of that transaction's block
	Fees        ton.Nano
	Certificate *Certificate // of death
	Burn        *Burn        // begun to cancel it; nil if nobody did
}

// Burn is a message without transfers that takes a payment's seqno if it comes
// first.
type Burn struct {
	Payload ton.Payload
	Hash    ton.Hash
	Message ton.BoC // nil until signed
	Reason  string
}

// Certificate is the proof that a payment can never be executed. Either
// another message took the seqno (Taken is that transaction), or the wallet's
// own shard block is at or past valid_until while the seqno is unspent.
type Certificate struct {
	Taken ton.Position `json:"taken"`
	Seqno uint32       `json:"seqno"` // of the wallet, in the proven block
	Time  uint32       `json:"time"`  // Unix seconds of the wallet's shard block
	Block uint32       `json:"block"` // seqno of the masterchain block that proves it
}

// Wallet is a wallet of the ledger: where the history that the ledger answers
// for begins, and how large a batch Fragment has acknowledged.
type Wallet struct {
	Address ton.Address
	Version ton.WalletVersion
	Anchor  ton.Position // outgoing transactions after it must be explained
	Block   uint32       // seqno of the masterchain block that proved the anchor
	Reason  string
	Ramp    int          // orders in the largest batch that was acknowledged whole
	Checked ton.Position // history up to here is explained; zero: up to the anchor
}

// Since is where a walk of the history may begin.
func (w *Wallet) Since() ton.Position {
	if w.Checked.IsZero() {
		return w.Anchor
	}
	return w.Checked
}

// RunID numbers the runs of apply from 1.
type RunID int64

// Run is one apply of one plan.
type Run struct {
	ID      RunID
	Digest  ton.Hash // of the plan
	Nonce   string   // of the plan
	Host    string
	Outcome string // "" while it is unfinished
}
