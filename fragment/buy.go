package fragment

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fragplan/fragplan/ton"
)

// Purchase is an order that was made and isn't paid: what to pay, until when,
// and how to tell Fragment afterwards.
type Purchase struct {
	Product   Product
	Quantity  int64
	Recipient Recipient
	RequestID string // Fragment's name for the order

	Price      ton.Amount   // what Fragment named when the order was made
	Transfer   ton.Transfer // what has to be paid, exactly; for USDT it asks the wallet's own jetton wallet to pay
	From       ton.Address  // the wallet that is connected to the session
	ValidUntil uint32       // Unix seconds; a later payment may be lost

	Comment string // the text in the transfer's body, or what goes on with the USDT
	Ref     string // Fragment's reference in it, by which the chain knows the order

	ConfirmMethod string            // for Confirm
	ConfirmParams map[string]string // for Confirm
}

// maxPrices is how often an order is begun before a price that keeps moving is
// the caller's matter.
const maxPrices = 3

// Buy is BuyWith for TON.
func (c *Client) Buy(ctx context.Context, p Product, handle string, quantity int64) (Purchase, error) {
	return c.BuyWith(ctx, ton.AssetTON, p, handle, quantity)
}

// methods are the words by which requests say who pays how.
var methods = map[ton.Asset]string{ton.AssetTON: "ton", ton.AssetUSDT: "usdt_ton"}

// BuyWith orders so much of p for the account behind handle, to be paid in the
// asset, and returns what has to be paid. Nothing is paid by it, and an order
// that isn't paid is harmless. A top-up is paid in TON: ErrAsset otherwise.
//
// Orders of one Client are made one after the other. ErrInvoice means that the
// transfer isn't what was ordered (another amount than was named, several
// messages, a contract to deploy): it must not be paid.
func (c *Client) BuyWith(ctx context.Context, asset ton.Asset, p Product, handle string, quantity int64) (Purchase, error) {
	e, err := lookup(p, quantity)
	if err != nil {
		return Purchase{}, err
	}
	if methods[asset] == "" || asset != ton.AssetTON && p == TopUp {
		return Purchase{}, fmt.Errorf("fragment: %w: %s for %s", ErrAsset, asset, p)
	}
	leave, err := c.session.enter(ctx)
	if err != nil {
		return Purchase{}, err
	}
	defer leave()
	out := Purchase{Product: p, Quantity: quantity, Price: ton.Amount{Asset: asset}}
	if p == TopUp {
		// The page of top-ups reports its state before it searches.
		if _, err = c.state(ctx, p, ModeNew, classInit); err != nil {
			return Purchase{}, err
		}
	}
	if out.Recipient, err = c.Search(ctx, p, handle, quantity); err != nil {
		return Purchase{}, err
	}
	for try := 1; ; try++ {
		// Without the state the server takes the session's price for stale.
		if _, err = c.state(ctx, p, ModeNew, classInit); err != nil {
			return Purchase{}, err
		}
		if err = c.begin(ctx, e, &out); err == nil {
			break
		}
		if try == maxPrices || !errors.Is(err, ErrPriceChanged) {
			return Purchase{}, err
		}
	}
	if err = c.invoice(ctx, e, &out); err != nil {
		return Purchase{}, err
	}
	return out, nil
}

// begin makes an order: it fills RequestID and Price.
func (c *Client) begin(ctx context.Context, e entry, p *Purchase) error {
	var answer struct {
		ID     loose `json:"req_id"`
		Amount loose `json:"amount"`
	}
	r := request{page: e.page, method: e.init, class: classInit, harmless: true, form: url.Values{
		"recipient":      {p.Recipient.Token},
		e.quantity:       {strconv.FormatInt(p.Quantity, 10)},
		"payment_method": {methods[p.Price.Asset]},
	}}
	if err := c.call(ctx, r, &answer); err != nil {
		return err
	}
	if !token.MatchString(string(answer.ID)) {
		return badAnswer(e.init, "no order in it")
	}
	switch amount, err := parseAmountOf(p.Price.Asset, string(answer.Amount)); {
	case err == nil && amount.Units > 0:
		p.Price = amount
	case answer.Amount == "" && p.Product == TopUp:
		p.Price = (ton.Nano(p.Quantity) * ton.TON).Amount() // the answer for top-ups may leave it out
	case answer.Amount == "" || err == nil:
		// A link alone can't say what the order costs: it would be compared
		// with itself.
		return badAnswer(e.init, "no price in it")
	default:
		return badAnswer(e.init, err.Error())
	}
	p.RequestID = string(answer.ID)
	return nil
}

// message is one message of a TON Connect transaction.
type message struct {
	Address   loose           `json:"address"`
	Amount    loose           `json:"amount"`
	Payload   loose           `json:"payload"`
	StateInit json.RawMessage `json:"stateInit"`
}

// invoice asks what to pay for an order: it fills the rest of p.
func (c *Client) invoice(ctx context.Context, e entry, p *Purchase) error {
	form := c.walletForm()
	form.Set("id", p.RequestID)
	form.Set("transaction", "1")
	form.Set("show_sender", "0")
	if c.ShowSender {
		form.Set("show_sender", "1")
	}
	var answer struct {
		Transaction json.RawMessage `json:"transaction"`
		Method      loose           `json:"confirm_method"`
		Params      json.RawMessage `json:"confirm_params"`
	}
	r := request{page: e.page, method: e.link, form: form, class: classLink}
	if err := c.call(ctx, r, &answer); err != nil {
		return err
	}
	var tx struct {
		ValidUntil loose     `json:"validUntil"`
		From       loose     `json:"from"`
		Network    loose     `json:"network"`
		Messages   []message `json:"messages"`
	}
	if err := json.Unmarshal(answer.Transaction, &tx); err != nil {
		return badAnswer(e.link, "no transaction in it")
	}
	wrong := func(kind error, format string, a ...any) error {
		return &Error{Method: e.link, Status: http.StatusOK, Kind: kind, Cause: fmt.Errorf(format, a...)}
	}
	until, err := strconv.ParseUint(string(tx.ValidUntil), 10, 32)
	if err != nil {
		return wrong(ErrInvoice, "validUntil %.40q is no time in seconds", string(tx.ValidUntil))
	}
	p.ValidUntil = uint32(until)
	if p.From, _, err = ton.ParseAddress(cut(string(tx.From), 100)); err != nil {
		return wrong(ErrInvoice, "from: %w", err)
	}
	if want := c.Wallet.Address; !want.IsZero() && p.From != want {
		return wrong(ErrOtherWallet, "%v instead of %v", p.From, want)
	}
	if tx.Network != "" && string(tx.Network) != c.Wallet.network() {
		return wrong(ErrInvoice, "network %.40q", string(tx.Network))
	}
	if len(tx.Messages) != 1 {
		return wrong(ErrInvoice, "%d messages instead of one", len(tx.Messages))
	}
	if err := p.read(tx.Messages[0]); err != nil {
		return wrong(ErrInvoice, "%w", err)
	}
	if paid := p.pays(); p.Price != paid {
		return wrong(ErrInvoice, "it pays %v, the order was for %v", paid, p.Price)
	}
	p.ConfirmMethod, p.ConfirmParams, err = confirmation(string(answer.Method), answer.Params, p.RequestID)
	if err != nil {
		return badAnswer(e.link, err.Error())
	}
	return nil
}

// read turns a message into a transfer.
func (p *Purchase) read(m message) error {
	if s := string(m.StateInit); s != "" && s != "null" && s != `""` && s != "false" {
		return errors.New("it would deploy a contract")
	}
	to, bounce, err := ton.ParseAddress(cut(string(m.Address), 100))
	if err != nil {
		return err
	}
	amount, err := ton.ParseNanoInteger(cut(string(m.Amount), 40))
	if err != nil {
		return err
	}
	if amount == 0 {
		return errors.New("it pays nothing")
	}
	body, err := DecodePayload(string(m.Payload))
	if err != nil {
		return err
	}
	if p.Price.Asset == ton.AssetUSDT {
		if body.Comment, err = jettonComment(body.Body); err != nil {
			return err
		}
		body.Ref = RefID(body.Comment)
	}
	if body.Ref == "" {
		return errors.New("its body has no reference, so the payment could not be credited")
	}
	p.Transfer = ton.Transfer{To: to, Bounce: bounce, Amount: amount, Body: body.Body}
	p.Comment, p.Ref = body.Comment, body.Ref
	return nil
}

// pays is what the transfer makes the wallet pay.
func (p *Purchase) pays() ton.Amount {
	if p.Price.Asset != ton.AssetUSDT {
		return p.Transfer.Amount.Amount()
	}
	j, _ := jetton(p.Transfer.Body) // read before; one that is none pays nothing
	return ton.Amount{Asset: ton.AssetUSDT, Units: j.Amount}
}

func jetton(body ton.BoC) (ton.JettonTransfer, error) {
	c, err := body.Cell()
	if err != nil {
		return ton.JettonTransfer{}, err
	}
	return ton.ParseJettonTransfer(c)
}

// jettonComment is the text that a transfer of USDT takes to who is paid.
func jettonComment(body ton.BoC) (string, error) {
	j, err := jetton(body)
	if err != nil {
		return "", fmt.Errorf("its body is no transfer of USDT: %w", err)
	}
	c, err := j.Payload.Cell()
	if err != nil {
		return "", err
	}
	text, _ := ton.Comment(c) // none has no reference
	return text, nil
}

// walletForm describes the wallet as TON Connect does.
func (c *Client) walletForm() url.Values {
	// A wallet application that the service's page offers to connect; what it
	// supports is true of the wallets that fragplan signs for.
	form := url.Values{"device": {`{"platform":"linux","appName":"Tonkeeper","appVersion":"4.10.0","maxProtocolVersion":2,` +
		`"features":["SendTransaction",{"name":"SendTransaction","maxMessages":255}]}`}}
	if c.Wallet.Address.IsZero() {
		return form
	}
	account, err := json.Marshal(struct {
		Address   string `json:"address"`
		Chain     string `json:"chain"`
		StateInit string `json:"walletStateInit,omitempty"`
		PublicKey string `json:"publicKey,omitempty"`
	}{c.Wallet.Address.Raw(), c.Wallet.network(), c.Wallet.StateInit.Base64(), hex.EncodeToString(c.Wallet.PublicKey)})
	if err != nil {
		panic("fragment: four strings do not encode as JSON: " + err.Error())
	}
	form.Set("account", string(account))
	return form
}
