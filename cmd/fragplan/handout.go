package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

// connectRequest is a transaction request of TON Connect, as a wallet
// application takes it.
// https://github.com/ton-blockchain/ton-connect/blob/main/requests-responses.md
type connectRequest struct {
	ValidUntil uint32           `json:"validUntil"` // Unix seconds
	Network    string           `json:"network"`    // the global id
	From       string           `json:"from"`       // the wallet, in its raw form
	Messages   []connectMessage `json:"messages"`
}

type connectMessage struct {
	Address string `json:"address"` // in a friendly form, whose flag says whether it bounces
	Amount  string `json:"amount"`  // nanoTON
	Payload string `json:"payload"` // the body as a bag of cells, base64
}

func connect(h reconcile.Handout, network int32) connectRequest {
	r := connectRequest{ValidUntil: h.ValidUntil, Network: strconv.Itoa(int(network)), From: h.Wallet.Raw()}
	for _, t := range h.Transfers {
		r.Messages = append(r.Messages, connectMessage{t.To.Friendly(t.Bounce), strconv.FormatInt(int64(t.Amount), 10), t.Body.Base64()})
	}
	return r
}

// transfers reads a request back. All of it may be from outside.
func (r connectRequest) transfers() ([]ton.Transfer, error) {
	var list []ton.Transfer
	for i, m := range r.Messages {
		to, bounce, err := ton.ParseAddress(m.Address)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		amount, err := strconv.ParseInt(m.Amount, 10, 64)
		if err != nil || amount <= 0 {
			return nil, fmt.Errorf("message %d: %q is no amount of nanoTON", i, m.Amount)
		}
		body, err := ton.ParseBase64(m.Payload)
		if err == nil {
			_, err = body.Cell()
		}
		if err != nil {
			return nil, fmt.Errorf("message %d: payload: %w", i, err)
		}
		list = append(list, ton.Transfer{To: to, Bounce: bounce, Amount: ton.Nano(amount), Body: body})
	}
	if len(list) == 0 {
		return nil, errors.New("it asks for nothing")
	}
	return list, nil
}

// A till writes the one request of a run where the user wants it.
type till struct {
	name    string // of the file; "-" is stdout
	file    *os.File
	out     io.Writer // stdout
	network int32
	handed  *reconcile.Handout
}

// openTill makes sure that the request can be written, before it is recorded.
// A file that exists may be a request that somebody still pays, and is never
// overwritten.
func (p *program) openTill(name string, out io.Writer) (*till, error) {
	t := &till{name: name, out: out}
	if name == "-" {
		return t, nil
	}
	var err error
	if t.file, err = os.OpenFile(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("-unsigned %s: it exists. If it is an earlier request, take it away when it is paid; it is never overwritten", name)
	} else if err != nil {
		return nil, fmt.Errorf("-unsigned %s: %w", name, cause(err))
	}
	return t, nil
}

// close takes an empty file away where nothing was asked for.
func (t *till) close() {
	if t == nil || t.file == nil {
		return
	}
	_ = t.file.Close()
	if t.handed == nil {
		_ = os.Remove(t.file.Name())
	}
}

var _ reconcile.Till = (*till)(nil)

// Hand writes the request. It is durable before it returns.
func (t *till) Hand(_ context.Context, h reconcile.Handout) error {
	t.handed = &h
	b, err := json.MarshalIndent(connect(h, t.network), "", "  ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if t.file == nil {
		_, err := t.out.Write(b)
		return err
	}
	if _, err := t.file.Write(b); err != nil {
		return err
	}
	return t.file.Sync()
}

// explain tells a person what to do with the request.
func (t *till) explain(w io.Writer, p *program) {
	h := t.handed
	where := "Above is"
	if t.file != nil {
		where = "Wrote " + report.Clean(t.name, 200) + ":"
	}
	fmt.Fprintf(w, `
%s a TON Connect request: %s in %s from %s,
to be paid before %s. Open it with a wallet application, and pay it
once and just as it is. The next apply finds it on the chain; with -unsigned that
needs no key. If nobody has paid it and nobody will, say so for each key:
%s
`, where, asked(*h), report.Count(len(h.Transfers), "message"), h.Wallet, time.Unix(int64(h.ValidUntil), 0).UTC().Format(time.RFC3339),
		p.complete("fragplan ledger resolve KEY -as unpaid -reason TEXT"))
}

// asked says what a request asks for, each money by itself.
func asked(h reconcile.Handout) string {
	var coins, gas ton.Nano
	usdt := ton.Amount{Asset: ton.AssetUSDT}
	for i, price := range h.Prices {
		if price.Asset == ton.AssetTON {
			coins += h.Transfers[i].Amount
			continue
		}
		usdt.Units += price.Units
		gas += h.Transfers[i].Amount
	}
	switch {
	case usdt.Units == 0:
		return coins.Amount().String()
	case coins == 0:
		return fmt.Sprintf("%s with %s of gas", usdt, gas.Amount())
	}
	return fmt.Sprintf("%s, and %s with %s of gas,", coins.Amount(), usdt, gas.Amount())
}

// picture draws the request as a QR code of block characters, or says why not.
func (t *till) picture(w io.Writer, width int) {
	b, err := json.Marshal(connect(*t.handed, t.network))
	if err != nil {
		return
	}
	code, err := qr.Encode(string(b), qr.L)
	switch {
	case err != nil:
		fmt.Fprintln(w, "It is too long for a QR code.")
	case code.Size+2*quiet > width:
		fmt.Fprintf(w, "For its QR code the terminal must be %d characters wide.\n", code.Size+2*quiet)
	default:
		fmt.Fprint(w, "\n", blocks(code))
	}
}

// quiet is the margin that scanners need, in modules.
const quiet = 4

// blocks draws two rows of modules in one line: black on white, whatever the
// colours of the terminal.
func blocks(code *qr.Code) string {
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := -quiet; x < code.Size+quiet; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
