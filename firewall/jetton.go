package firewall

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// The rules of a payment in USDT. What the wallet sends is then a few coins of
// gas to its own jetton wallet; who is paid, and how much, stands in the body.
const (
	JettonWallet      Code = "FW-040" // to the paying wallet's own jetton wallet, as the chain proves it
	JettonGas         Code = "FW-041" // with gas, and at most MaxGas
	JettonBody        Code = "FW-042" // one transfer in the sense of TEP-74, without a custom payload
	JettonAmount      Code = "FW-043" // of the invoice's amount
	JettonCap         Code = "FW-044" // at most the cap
	JettonDestination Code = "FW-045" // to an account on the list
	JettonResponse    Code = "FW-046" // what is left of the gas comes back
	JettonForward     Code = "FW-047" // and JettonNotice goes on to who is paid
	JettonQuery       Code = "FW-048" // under a query id that no order of the ledger has
	OtherAsset        Code = "FW-049" // in the money that was approved
)

// What the coins of a payment in USDT may be. Peers of Fragment were seen to
// send 0.05 TON, and none more than 0.3; what is not used comes back.
const (
	MaxGas       = 3 * ton.TON / 10
	JettonNotice = ton.Nano(1) // the least that can go on, so that the payment is noticed
)

// JettonWant is what was approved of a payment in USDT: the item, the
// invoice's amount and the most that it may cost, both in micro-USDT, and the
// proven chain's time in Unix seconds.
type JettonWant struct {
	Item   product.Item
	Amount int64
	Cap    int64
	Now    uint32

	// Unit is what one Star or one month of the item cost in micro-USDT when
	// this wallet last bought it for USDT; 0 if that is not known.
	Unit int64
}

// CheckAsset reports an offer in another money than the one that was approved.
func CheckAsset(approved, offered ton.Asset) error {
	if approved != offered {
		return refuse(OtherAsset, "only the approved money may pay", string(approved), "%s", offered)
	}
	return nil
}

// CheckJetton is Check for an offer that is to be paid in USDT. Without the
// wallet's own jetton wallet in the rules it refuses everything. The query id
// must be new: of a transfer that comes back little more than that is left.
func CheckJetton(r Rules, want JettonWant, got Offer) error {
	if err := checkWant(r, Want{Item: want.Item, Amount: ton.Nano(want.Amount), Cap: ton.Nano(want.Cap), Now: want.Now}); err != nil {
		return err
	}
	if err := checkOffer(r, want.Now, got); err != nil {
		return err
	}
	m := got.Messages[0]
	switch {
	case r.Jetton.IsZero() || m.To != r.Jetton:
		return refuse(JettonWallet, "USDT is sent by the wallet's own jetton wallet", owned(r.Jetton), "%s", m.To)
	case m.Amount <= 0 || m.Amount > MaxGas:
		return refuse(JettonGas, "the gas of a payment in USDT must be small", "more than 0 and at most "+MaxGas.String()+" TON", "%s TON", m.Amount)
	case len(m.StateInit) != 0:
		return refuse(StateInit, "a purchase deploys nothing", "no state init", "%d bytes", len(m.StateInit))
	}
	t, err := readJetton(m.Payload)
	if err != nil {
		return err
	}
	if err := checkJettonTransfer(r, want, t); err != nil {
		return err
	}
	text, err := readBody(t.Payload)
	if err != nil {
		return err
	}
	if err := checkText(r, want.Item, text); err != nil {
		return err
	}
	return checkForwarded(t, text)
}

// checkForwarded is checkRebuilt for the comment that goes on to who is paid.
// Every recorded transfer of Fragment's has it in a cell of its own.
func checkForwarded(t ton.JettonTransfer, text string) error {
	if t.Inline {
		return refuse(BodyRebuilt, "the body must be the comment as Fragment packs it", "a comment in a cell of its own", "one within the transfer")
	}
	return checkRebuilt(t.Payload, text)
}

// readJetton decodes a body that is a transfer and nothing else.
func readJetton(b ton.BoC) (ton.JettonTransfer, error) {
	if len(b) == 0 || len(b) > MaxBody {
		return ton.JettonTransfer{}, refuse(BodySize, "the body must be small", fmt.Sprintf("1 to %d bytes", MaxBody), "%d bytes", len(b))
	}
	root, err := b.Cell()
	if err != nil {
		return ton.JettonTransfer{}, refuse(BodyForm, "the body must be a bag of cells", "one root", "%v", err)
	}
	n := 0
	if err := walk(root, &n); err != nil {
		return ton.JettonTransfer{}, err
	}
	t, err := ton.ParseJettonTransfer(root)
	if err != nil {
		return ton.JettonTransfer{}, refuse(JettonBody, "the body must be a transfer of jettons and nothing else", "a transfer without a custom payload", "%v", err)
	}
	return t, nil
}

func checkJettonTransfer(r Rules, want JettonWant, t ton.JettonTransfer) error {
	usdt := func(units int64) ton.Amount { return ton.Amount{Asset: ton.AssetUSDT, Units: units} }
	switch {
	case t.Amount != want.Amount:
		return refuse(JettonAmount, "the USDT must be the invoice's", usdt(want.Amount).String(), "%s", usdt(t.Amount))
	case t.Amount > want.Cap:
		return refuse(JettonCap, "the USDT must be within the approved cap", "at most "+usdt(want.Cap).String(), "%s", usdt(t.Amount))
	case r.QueryKnown == nil || r.QueryKnown(t.QueryID):
		return refuse(JettonQuery, "a query id must not be used twice", "a query id new to the ledger", "%d", t.QueryID)
	case t.Destination.Workchain != 0 || !slices.Contains(r.Destinations, t.Destination):
		return refuse(JettonDestination, "only listed accounts may be paid in USDT", list(r.Destinations), "%s", t.Destination)
	case t.Response != r.Wallet:
		return refuse(JettonResponse, "what is left of the gas must come back", r.Wallet.String(), "%s", named(t.Response))
	case t.Forward != JettonNotice:
		return refuse(JettonForward, "only a notice goes on to who is paid", JettonNotice.String()+" TON", "%s TON", t.Forward)
	}
	return checkBand(want.Item, usdt(want.Unit), usdt(want.Cap), usdt(t.Amount))
}

func owned(a ton.Address) string {
	if a.IsZero() {
		return "a jetton wallet that the chain proves; none is known"
	}
	return a.String()
}

func named(a ton.Address) string {
	if a.IsZero() {
		return "nobody"
	}
	return a.String()
}
