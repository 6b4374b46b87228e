// Package firewall says what a transfer must look like before a key may touch
// it: it decodes every byte that Fragment asks to have signed and compares the
// facts with what was approved.
//
// It knows no network, no clock and no ledger; what it can't decide it refuses.
package firewall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Rules are what every transfer of a wallet must keep to. The zero Rules
// refuse everything.
type Rules struct {
	Wallet       ton.Address           // the wallet that will sign
	Destinations []ton.Address         // the accounts that may be paid
	RefKnown     func(ref string) bool // whether the ledger has seen the ref; nil refuses all refs
	Jetton       ton.Address           // the wallet's own jetton wallet of USDT, as the chain proves it; zero refuses all USDT
	QueryKnown   func(id uint64) bool  // whether an order of the ledger has that query id at Jetton; nil refuses all USDT
}

// Want is what was approved: the item, the invoice's amount, the most that it
// may cost, and the proven chain's time in Unix seconds.
type Want struct {
	Item   product.Item
	Amount ton.Nano
	Cap    ton.Nano
	Now    uint32

	// Unit is what one Star or one month of the item cost when this wallet
	// last bought it; 0 if that is not known.
	Unit ton.Nano
}

// Offer is what Fragment asks to have signed. All of it is from outside.
type Offer struct {
	From       ton.Address // the wallet that Fragment expects to pay
	ValidUntil uint32      // Unix seconds
	Messages   []Message
}

// Message is one transfer of an offer.
type Message struct {
	To        ton.Address
	Bounce    bool
	Amount    ton.Nano
	Payload   ton.BoC
	StateInit ton.BoC // nothing that Fragment sells needs one
}

// A Code names a rule. Codes keep their meaning for ever.
type Code string

// The rules.
const (
	NotApproved   Code = "FW-001" // the approved purchase itself makes no sense
	MessageCount  Code = "FW-002" // exactly one message
	WrongSender   Code = "FW-003" // from our wallet
	Expired       Code = "FW-004" // valid in the chain's future
	Destination   Code = "FW-005" // to an account on the list
	AmountSign    Code = "FW-006" // a positive amount
	AmountInvoice Code = "FW-007" // the invoice's amount
	AmountCap     Code = "FW-008" // at most the cap
	StateInit     Code = "FW-009" // no state init
	BodySize      Code = "FW-010" // a body of at most MaxBody bytes and MaxCells cells
	BodyForm      Code = "FW-011" // one bag of ordinary cells
	BodyComment   Code = "FW-012" // a text comment of Fragment's
	WrongItem     Code = "FW-013" // for the approved item
	WrongRef      Code = "FW-014" // with a well-formed ref
	KnownRef      Code = "FW-015" // that is new to the ledger
	WrongPayload  Code = "FW-016" // a message with exactly the approved transfers
	WrongMessage  Code = "FW-017" // bytes with exactly that message, validly signed

	TopUpAmount  Code = "FW-030" // a top-up's amount is what it credits
	AmountBand   Code = "FW-031" // not under a tenth of what it cost before
	BodyRebuilt  Code = "FW-032" // a body that its text alone gives again
	FeeAllowance Code = "FW-033" // fees within the allowance that plans count
	InvoiceForm  Code = "FW-034" // an offer that reads as what was ordered
)

// What a body may take up. Fragment's have at most 2 cells and 70 bytes.
const (
	MaxBody  = 1 << 10
	MaxCells = 8
)

// An Account is one that Fragment was seen to ask payment to, by people who
// published it. Nobody who works on fragplan has asked Fragment itself.
type Account struct {
	Address ton.Address
	Paid    string // what was paid to it
	Seen    string // when, and by whom
}

// Observed returns the accounts that Fragment was seen to ask payment to.
func Observed() []Account {
	return []Account{
		{ton.MustParseAddress("UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz"), "Stars, in TON and in USDT",
			"2026-09-28 in the recordings of a public client, 2026-10-06 in a payment on the chain"},
		{ton.MustParseAddress("UQBAjaOyi2wGWlk-EDkSabqqnF-MrrwMadnwqrurKpkla4QB"), "Premium, formerly",
			"without a date in public labels of accounts"},
	}
}

// DefaultDestinations returns the addresses of Observed, for projects that pin
// none.
func DefaultDestinations() []ton.Address {
	var list []ton.Address
	for _, a := range Observed() {
		list = append(list, a.Address)
	}
	return list
}

// A Refusal is the error for a transfer that must not be signed.
type Refusal struct {
	Code     Code
	Rule     string // the rule, as a sentence
	Expected string
	Received string // quoted where it comes from outside
	Review   string // the line of fragplan.yaml that would allow it, to be reviewed; mostly empty
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("%s: %s: expected %s, received %s", r.Code, r.Rule, r.Expected, r.Received)
	if r.Review != "" {
		text += ". If fragment.com asks for the same in a browser, this is the change to review: " + r.Review
	}
	return text
}

func refuse(c Code, rule, expected, format string, received ...any) error {
	return &Refusal{Code: c, Rule: rule, Expected: expected, Received: fmt.Sprintf(format, received...)}
}

// Check reports why the offer must not be signed, as a *Refusal, or nil if it
// is the approved purchase and nothing else.
func Check(r Rules, want Want, got Offer) error {
	if err := checkWant(r, want); err != nil {
		return err
	}
	if err := checkOffer(r, want.Now, got); err != nil {
		return err
	}
	m := got.Messages[0]
	if err := checkTransfer(r, want, m); err != nil {
		return err
	}
	text, err := readBody(m.Payload)
	if err != nil {
		return err
	}
	if err := checkText(r, want.Item, text); err != nil {
		return err
	}
	return checkRebuilt(m.Payload, text)
}

// checkOffer judges what does not depend on the money that pays.
func checkOffer(r Rules, now uint32, got Offer) error {
	if len(got.Messages) != 1 {
		return refuse(MessageCount, "a purchase is one message", "1", "%d", len(got.Messages))
	}
	if got.From != r.Wallet {
		return refuse(WrongSender, "the session must be connected to the wallet that pays", r.Wallet.String(), "%s", got.From)
	}
	if got.ValidUntil <= now {
		return refuse(Expired, "the offer must still be valid", fmt.Sprintf("later than %d", now), "%d", got.ValidUntil)
	}
	return nil
}

func checkWant(r Rules, want Want) error {
	const rule = "only an approved purchase may be paid"
	if err := want.Item.Check(); err != nil {
		return refuse(NotApproved, rule, "an item that is sold", "%v", err)
	}
	if want.Amount <= 0 || want.Cap <= 0 || want.Now == 0 {
		return refuse(NotApproved, rule, "an amount, a cap and a time", "amount %s, cap %s, time %d", want.Amount, want.Cap, want.Now)
	}
	if r.Wallet.IsZero() {
		return refuse(NotApproved, rule, "a wallet", "none")
	}
	return nil
}

func checkTransfer(r Rules, want Want, m Message) error {
	switch {
	case m.To.IsZero() || m.To.Workchain != 0 || !slices.Contains(r.Destinations, m.To):
		return refuseDestination(r, m.To)
	case m.Amount <= 0:
		return refuse(AmountSign, "the amount must be positive", "more than 0", "%s TON", m.Amount)
	case m.Amount != want.Amount:
		return refuse(AmountInvoice, "the amount must be the invoice's", want.Amount.String()+" TON", "%s TON", m.Amount)
	case m.Amount > want.Cap:
		return refuse(AmountCap, "the amount must be within the approved cap", "at most "+want.Cap.String()+" TON", "%s TON", m.Amount)
	case len(m.StateInit) != 0:
		return refuse(StateInit, "a purchase deploys nothing", "no state init", "%d bytes", len(m.StateInit))
	}
	return checkPrice(want, m.Amount)
}

// bandwidth: a price that is so many times lower than the last one is no price
// that moved, but an amount in another unit.
const bandwidth = 10

// checkPrice looks for amounts that are too small to be the price: the order
// would be recorded as bought, and Fragment would not credit it. How much is
// too much, the cap says.
func checkPrice(want Want, amount ton.Nano) error {
	if want.Item.Kind == product.TopUp {
		if credited := ton.Nano(want.Item.Quantity) * ton.TON; amount != credited {
			return refuse(TopUpAmount, "a top-up costs what it credits", credited.String()+" TON", "%s TON", amount)
		}
		return nil
	}
	return checkBand(want.Item, want.Unit.Amount(), want.Cap.Amount(), amount.Amount())
}

// checkBand compares an amount with what a unit cost before.
func checkBand(item product.Item, unit, most, amount ton.Amount) error {
	// A lower cap is a person's word that prices have fallen.
	least := ton.Amount{Asset: amount.Asset, Units: min(unit.Units, most.Units/item.Quantity) / bandwidth * item.Quantity}
	if amount.Units < least.Units {
		return refuse(AmountBand, "the amount must be a price like those before", "at least "+least.String(), "%s", amount)
	}
	return nil
}

func refuseDestination(r Rules, to ton.Address) error {
	no := &Refusal{Code: Destination, Rule: "only listed accounts may be paid", Expected: list(r.Destinations), Received: to.String()}
	if !to.IsZero() && to.Workchain == 0 {
		no.Review = Line(append(slices.Clone(r.Destinations), to))
	}
	return no
}

// Line is the line of fragplan.yaml that lists accounts.
func Line(accounts []ton.Address) string {
	names := make([]string, len(accounts))
	for i, a := range accounts {
		names[i] = a.String()
	}
	return "destinations: [" + strings.Join(names, ", ") + "]"
}

func list(a []ton.Address) string {
	if len(a) == 0 {
		return "none"
	}
	s := make([]string, len(a))
	for i := range a {
		s[i] = a[i].String()
	}
	return strings.Join(s, " or ")
}
