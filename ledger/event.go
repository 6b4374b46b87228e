package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// An Event is one fact, appended once and never changed. State.Apply says
// which event may follow which.
type Event interface{ kind() string }

// The events, in the order of the story.
type (
	// Opened is the first event of every ledger.
	Opened struct {
		Ledger string `json:"ledger"` // the ledger's id
	}
	// Anchored says where a wallet's history begins for this ledger.
	Anchored struct {
		Wallet  ton.Address       `json:"wallet"`
		Version ton.WalletVersion `json:"version"`
		Anchor  ton.Position      `json:"anchor"`
		Block   uint32            `json:"block"`
		Reason  string            `json:"reason,omitempty"`
	}
	// EpochTaken makes every writer with an older epoch powerless.
	EpochTaken struct {
		Epoch  int64  `json:"epoch"`
		Holder string `json:"holder"`
	}
	// RunStarted begins an apply. Nonce tells two plans that do the same apart.
	RunStarted struct {
		Run    RunID    `json:"run"`
		Digest ton.Hash `json:"digest"`
		Nonce  string   `json:"nonce,omitempty"`
		Host   string   `json:"host"`
	}
	// RunFinished ends it. The same plan can't be applied again.
	RunFinished struct {
		Run     RunID  `json:"run"`
		Outcome string `json:"outcome"`
	}
	// AllWell says that a run came to its end, and nobody had to look at anything.
	// Only people are told by its time, and nothing is bought by it.
	AllWell struct {
		Time int64 `json:"time"` // Unix seconds
	}
	// SilenceTold says that people were told that no run has ended well since.
	SilenceTold struct {
		Since int64 `json:"since"` // the time of the newest AllWell
	}
	// OrderReserved takes the budget for an order. Prior is the key's sum
	// before it: two runs that decided on the same prior can't both reserve.
	// Scopes name what it counts for beside its person, as it was written then.
	OrderReserved struct {
		Order      OrderID      `json:"order"`
		Run        RunID        `json:"run"`
		Key        string       `json:"key"`
		Generation int          `json:"generation"`
		Part       int          `json:"part"`
		Prior      int64        `json:"prior"`
		Person     string       `json:"person"`
		Handle     string       `json:"handle"`
		Single     bool         `json:"single"`
		Item       product.Item `json:"item"`
		Wallet     ton.Address  `json:"wallet"`
		Cap        ton.Amount   `json:"cap"`
		Reserve    ton.Amount   `json:"reserve"`
		Scopes     []string     `json:"scopes,omitempty"`
	}
	// OrderQuoted records Fragment's offer.
	OrderQuoted struct {
		Order   OrderID `json:"order"`
		Invoice Invoice `json:"invoice"`
	}
	// PersonPinned records how Fragment shows the person of a quoted order, at
	// the first use of the handle and whenever it differs from what is pinned.
	PersonPinned struct {
		Order OrderID `json:"order"`
		Identity
		Reason string `json:"reason"`
	}
	// InvoiceDropped sends a quoted order back: its offer expired unpaid.
	InvoiceDropped struct {
		Order  OrderID `json:"order"`
		Reason string  `json:"reason"`
	}
	// OrderReleased gives an order up, with how it is known that nothing was paid.
	OrderReleased struct {
		Order  OrderID `json:"order"`
		Reason string  `json:"reason"`
	}
	// PaymentArmedEvent is written before a key may touch the payload.
	PaymentArmedEvent struct {
		Payment PaymentID    `json:"payment"`
		Run     RunID        `json:"run"`
		Wallet  ton.Address  `json:"wallet"`
		Payload ton.Payload  `json:"payload"`
		Deploys bool         `json:"deploys"`
		Orders  []OrderID    `json:"orders"`
		Base    ton.Position `json:"base"`
	}
	// PaymentSignedEvent is written before a byte leaves.
	PaymentSignedEvent struct {
		Payment PaymentID `json:"payment"`
		Message ton.BoC   `json:"message"`
	}
	// PaymentExecutedEvent settles a payment that the chain holds. Paid are the
	// orders whose transfers left, Sent those among them that are in USDT, and
	// Skipped those that the wallet could not pay for, which are released. Message is the one that the chain holds,
	// where our own signature was never recorded.
	PaymentExecutedEvent struct {
		Payment     PaymentID    `json:"payment"`
		Transaction ton.Position `json:"transaction"`
		Time        uint32       `json:"time"`
		Fees        ton.Nano     `json:"fees,string"`
		Paid        []OrderID    `json:"paid"`
		Sent        []OrderID    `json:"sent,omitempty"`
		Skipped     []OrderID    `json:"skipped,omitempty"`
		Message     ton.BoC      `json:"message,omitempty"`
	}
	// PaymentDeadEvent settles a payment that can never be executed; its orders
	// are reserved again.
	PaymentDeadEvent struct {
		Payment     PaymentID   `json:"payment"`
		Certificate Certificate `json:"certificate"`
	}
	// TransferReceived records that the receiver's jetton wallet took the USDT
	// of an order, and the transaction in which it did.
	TransferReceived struct {
		Order       OrderID      `json:"order"`
		Transaction ton.Position `json:"transaction"`
	}
	// OrderAcknowledged records that the confirm call was answered with ok.
	OrderAcknowledged struct {
		Order OrderID `json:"order"`
	}
	// OrderDelivered records Fragment's word that the goods were handed over.
	// Row is the line that says so, if the evidence is EvidenceHistory.
	OrderDelivered struct {
		Order    OrderID `json:"order"`
		Evidence string  `json:"evidence"`
		Row      Row     `json:"row,omitzero"`
	}
	// OrderHeld stops an order until a person looked at it. Bounce is the
	// transaction that brought its money back, if that is why; Row is the line of
	// Fragment's list that names somebody else, if that is.
	OrderHeld struct {
		Order  OrderID      `json:"order"`
		Reason string       `json:"reason"`
		Bounce ton.Position `json:"bounce,omitzero"`
		Row    Row          `json:"row,omitzero"`
	}
	// WalletChecked says that a wallet's history up to a position is explained,
	// so that the next walk may begin there.
	WalletChecked struct {
		Wallet   ton.Address  `json:"wallet"`
		Position ton.Position `json:"position"`
	}
)

// The events of a burn: a message without transfers at a payment's seqno. From
// BurnArmed on the payment itself is not broadcast any more; whichever takes
// the seqno decides.
type (
	// BurnArmed is written before a key may touch the burn's payload.
	BurnArmed struct {
		Payment PaymentID   `json:"payment"`
		Payload ton.Payload `json:"payload"`
		Reason  string      `json:"reason"`
	}
	// BurnSigned is written before a byte of it leaves.
	BurnSigned struct {
		Payment PaymentID `json:"payment"`
		Message ton.BoC   `json:"message"`
	}
)

// What a person decides, each with a reason that stays.
type (
	// OrderResolved ends the wait of a held order: Delivered, or Released
	// because the money came back; and of an offered one that nobody has paid
	// or will pay: Released.
	OrderResolved struct {
		Order  OrderID `json:"order"`
		As     Phase   `json:"as"`
		Reason string  `json:"reason"`
	}
	// KeyReissued begins a key's next generation: it is bought again from
	// nothing, whatever was paid for it before.
	KeyReissued struct {
		Key        string `json:"key"`
		Generation int    `json:"generation"`
		Reason     string `json:"reason"`
	}
	// TransactionExplained says of an outgoing transaction that no payment of
	// the ledger caused it. What it paid to Fragment follows as TransferFound.
	TransactionExplained struct {
		Wallet      ton.Address  `json:"wallet"`
		Transaction ton.Position `json:"transaction"`
		Reason      string       `json:"reason"`
	}
	// TransferFound records a transfer of such a transaction that bought
	// something on Fragment. The chain does not say for whom.
	TransferFound struct {
		Found       FoundID      `json:"found"`
		Wallet      ton.Address  `json:"wallet"`
		Transaction ton.Position `json:"transaction"`
		Time        uint32       `json:"time"`
		Item        product.Item `json:"item"`
		Amount      ton.Amount   `json:"amount"`
		Ref         string       `json:"ref"`
	}
	// FoundAssigned says whom a found transfer was for. It becomes a delivered
	// order of that key. Row is the line of Fragment's list that names the
	// person, if it wasn't a person who said so.
	FoundAssigned struct {
		Found      FoundID `json:"found"`
		Order      OrderID `json:"order"`
		Key        string  `json:"key"`
		Generation int     `json:"generation"`
		Part       int     `json:"part"`
		Prior      int64   `json:"prior"`
		Person     string  `json:"person"`
		Handle     string  `json:"handle"`
		Single     bool    `json:"single"`
		Row        Row     `json:"row,omitzero"`
		Reason     string  `json:"reason"`
	}
	// FoundSetAside says that a found transfer was for nothing that is written.
	FoundSetAside struct {
		Found  FoundID `json:"found"`
		Reason string  `json:"reason"`
	}
	// KeyMoved gives a key another name, with all that is recorded of it. The
	// earlier name is never bought under again.
	KeyMoved struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	// KeySettled states that something was given to a key otherwise: Item counts
	// as given beside the Prior sum.
	KeySettled struct {
		Key        string       `json:"key"`
		Generation int          `json:"generation"`
		Prior      int64        `json:"prior"`
		Person     string       `json:"person"`
		Handle     string       `json:"handle"`
		Item       product.Item `json:"item"`
		Reason     string       `json:"reason"`
	}
	// RuleSeen records the schedule of a recurring grant before anything is
	// bought by it: the first, or one that was edited, which makes no dates
	// before Since.
	RuleSeen struct {
		Grant string `json:"grant"`
		Rule  string `json:"rule"`
		Since int64  `json:"since"` // days from 1970-01-01; 0 for a grant's first
	}
)

func (Opened) kind() string               { return "ledger_opened" }
func (Anchored) kind() string             { return "wallet_anchored" }
func (EpochTaken) kind() string           { return "epoch_taken" }
func (RunStarted) kind() string           { return "run_started" }
func (RunFinished) kind() string          { return "run_finished" }
func (AllWell) kind() string              { return "all_well" }
func (SilenceTold) kind() string          { return "silence_told" }
func (OrderReserved) kind() string        { return "order_reserved" }
func (OrderQuoted) kind() string          { return "order_quoted" }
func (PersonPinned) kind() string         { return "person_pinned" }
func (InvoiceDropped) kind() string       { return "invoice_dropped" }
func (OrderReleased) kind() string        { return "order_released" }
func (PaymentArmedEvent) kind() string    { return "payment_armed" }
func (PaymentSignedEvent) kind() string   { return "payment_signed" }
func (PaymentExecutedEvent) kind() string { return "payment_executed" }
func (PaymentDeadEvent) kind() string     { return "payment_dead" }
func (TransferReceived) kind() string     { return "transfer_received" }
func (OrderAcknowledged) kind() string    { return "order_acknowledged" }
func (OrderDelivered) kind() string       { return "order_delivered" }
func (OrderHeld) kind() string            { return "order_held" }
func (WalletChecked) kind() string        { return "wallet_checked" }
func (BurnArmed) kind() string            { return "burn_armed" }
func (BurnSigned) kind() string           { return "burn_signed" }
func (OrderResolved) kind() string        { return "order_resolved" }
func (KeyReissued) kind() string          { return "key_reissued" }
func (TransactionExplained) kind() string { return "transaction_explained" }
func (TransferFound) kind() string        { return "transfer_found" }
func (FoundAssigned) kind() string        { return "found_assigned" }
func (FoundSetAside) kind() string        { return "found_set_aside" }
func (KeyMoved) kind() string             { return "key_moved" }
func (KeySettled) kind() string           { return "key_settled" }
func (RuleSeen) kind() string             { return "rule_seen" }

// KindOf names an event's type, as stores keep it.
func KindOf(e Event) string { return e.kind() }

// ErrText is returned for an event with a text that not every store holds as it
// is: all texts of a ledger are UTF-8 without NUL. What comes from outside is
// made so where it comes in.
var ErrText = errors.New("a text in it is not UTF-8, or holds a NUL character")

// Encode writes an event's body as JSON. Equal events give equal bytes, and what
// is read again is equal to the event; one of which that isn't true is ErrText.
func Encode(e Event) ([]byte, error) {
	b, err := json.Marshal(e)
	if err == nil && !clean(b) {
		err = ErrText
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.kind(), err)
	}
	return b, nil
}

// clean reports whether JSON of package encoding/json holds no NUL, and nothing
// in the place of bytes that were no UTF-8: those become an escape, whereas a
// replacement character that was in the text stands as itself.
func clean(b []byte) bool {
	for {
		at := bytes.IndexByte(b, '\\')
		if at < 0 {
			return true
		}
		if b = b[at+1:]; bytes.HasPrefix(b, []byte("u0000")) || bytes.HasPrefix(b, []byte("ufffd")) {
			return false
		}
		b = b[1:] // it may be a backslash that is meant
	}
}

// Decode reads what Encode wrote.
func Decode(kind string, body []byte) (Event, error) {
	read, ok := decoders[kind]
	if !ok {
		return nil, fmt.Errorf("unknown event %q: a newer fragplan wrote it", kind)
	}
	e, err := read(body)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", kind, err)
	}
	return e, nil
}

var decoders = map[string]func([]byte) (Event, error){
	"ledger_opened":      decode[Opened],
	"wallet_anchored":    decode[Anchored],
	"epoch_taken":        decode[EpochTaken],
	"run_started":        decode[RunStarted],
	"run_finished":       decode[RunFinished],
	"all_well":           decode[AllWell],
	"silence_told":       decode[SilenceTold],
	"order_reserved":     decode[OrderReserved],
	"order_quoted":       decode[OrderQuoted],
	"person_pinned":      decode[PersonPinned],
	"invoice_dropped":    decode[InvoiceDropped],
	"order_released":     decode[OrderReleased],
	"payment_armed":      decode[PaymentArmedEvent],
	"payment_signed":     decode[PaymentSignedEvent],
	"payment_executed":   decode[PaymentExecutedEvent],
	"payment_dead":       decode[PaymentDeadEvent],
	"transfer_received":  decode[TransferReceived],
	"order_acknowledged": decode[OrderAcknowledged],
	"order_delivered":    decode[OrderDelivered],
	"order_held":         decode[OrderHeld],

	"wallet_checked":        decode[WalletChecked],
	"burn_armed":            decode[BurnArmed],
	"burn_signed":           decode[BurnSigned],
	"payment_requested":     decode[PaymentRequested],
	"request_paid":          decode[RequestPaid],
	"order_resolved":        decode[OrderResolved],
	"key_reissued":          decode[KeyReissued],
	"transaction_explained": decode[TransactionExplained],
	"transfer_found":        decode[TransferFound],
	"found_assigned":        decode[FoundAssigned],
	"found_set_aside":       decode[FoundSetAside],
	"key_moved":             decode[KeyMoved],
	"key_settled":           decode[KeySettled],
	"rule_seen":             decode[RuleSeen],
}

func decode[E Event](body []byte) (Event, error) {
	var e E
	err := json.Unmarshal(body, &e)
	return e, err
}
