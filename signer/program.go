package signer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

// DefaultTimeout is how long a program may take for one signature. A message
// lives three minutes, so one that comes much later pays nothing.
const DefaultTimeout = time.Minute

// Protocol is the version of what is said to a program. Fields may be added
// to it; another version is another protocol.
const Protocol = 1

// Minor counts what was added to it: 1 since transfers of jettons are told.
const Minor = 1

// maxAnswer bounds what a program may print, in bytes.
const maxAnswer = 16 << 10

// A Program holds a key outside of this process, in an HSM, a KMS or a device,
// and signs with it. It is run anew for each question: one JSON object on one
// line of its stdin, one JSON object on its stdout. docs/signers.md is the
// protocol.
//
// What a Program fails to answer it may have signed all the same.
type Program struct {
	Command []string      // program and arguments; no shell reads them
	Timeout time.Duration // of one answer; 0 means DefaultTimeout
	In      Surroundings

	// USDT is the wallet's own jetton wallet of USDT, which tells its transfers
	// from those of other jettons; zero if it is not known.
	USDT ton.Address
}

// question is what a program is asked. All of it is public, and what comes from
// outside is escaped as JSON has it: the line is ASCII.
type question struct {
	Version    int         `json:"fragplan"`
	Minor      int         `json:"minor"`
	Op         string      `json:"op"`                    // public-key or sign
	Hash       string      `json:"hash,omitempty"`        // what to sign: 32 bytes in hexadecimal digits
	Payload    string      `json:"payload,omitempty"`     // of which that is the hash: a bag of cells in base64
	Wallet     *account    `json:"wallet,omitempty"`      // whose message it is
	Seqno      *uint32     `json:"seqno,omitempty"`       // of the message
	ValidUntil uint32      `json:"valid_until,omitempty"` // Unix seconds
	Transfers  *[]transfer `json:"transfers,omitempty"`   // all that the payload does; none cancels a payment
}

type account struct {
	Address   string `json:"address"`
	Version   string `json:"version"` // v5r1 or v4r2
	ID        uint32 `json:"id"`
	PublicKey string `json:"public_key"` // in hexadecimal digits
}

type transfer struct {
	To      string `json:"to"`
	Bounce  bool   `json:"bounce"`
	Amount  string `json:"amount"`            // nanoTON in decimal digits
	Comment string `json:"comment,omitempty"` // the body's text, clipped; empty if it is none
	Key     string `json:"key,omitempty"`     // of the order in the ledger

	Jetton *jetton `json:"jetton,omitempty"` // what the body asks of the jetton wallet To
}

// jetton is a body that is TEP-74's transfer.
type jetton struct {
	Asset    ton.Asset `json:"asset,omitempty"`    // USDT; empty where the jetton is not known
	Units    string    `json:"units"`              // in its smallest unit, such as micro-USDT, in decimal digits
	To       string    `json:"to"`                 // who is paid
	Response string    `json:"response,omitempty"` // who gets what is left of the gas
	Forward  string    `json:"forward"`            // nanoTON of the gas that go on to who is paid
	Comment  string    `json:"comment,omitempty"`  // the text that who is paid is told, clipped
	QueryID  string    `json:"query_id"`           // in decimal digits
}

// answer is what it says.
type answer struct {
	PublicKey string `json:"public_key"` // hexadecimal digits or base64
	Signature string `json:"signature"`  // likewise
	Error     string `json:"error"`      // why it refuses
}

// PublicKey asks which key the program signs with.
func (p Program) PublicKey(ctx context.Context) (ed25519.PublicKey, error) {
	a, err := p.ask(ctx, question{Version: Protocol, Minor: Minor, Op: "public-key"})
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(a.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("the signer %q answered without a public key: %w", p.name(), err)
	}
	return key, nil
}

// Sign has the program sign a payload of the wallet, and returns the external
// message with the signature, which is verified. keys are those of the orders,
// one for each transfer, or none.
func (p Program) Sign(ctx context.Context, w ton.Wallet, payload ton.Payload, deploys bool, keys []string) (ton.BoC, error) {
	c, err := payload.Encode()
	if err != nil {
		return nil, err
	}
	hash := ton.Hash(c.Hash())
	facts := make([]transfer, len(payload.Transfers))
	for i, t := range payload.Transfers {
		facts[i] = transfer{To: t.To.String(), Bounce: t.Bounce, Amount: strconv.FormatInt(int64(t.Amount), 10), Comment: comment(t.Body), Jetton: p.jetton(t)}
		if len(keys) == len(facts) {
			facts[i].Key = keys[i]
		}
	}
	a, err := p.ask(ctx, question{
		Version: Protocol, Minor: Minor, Op: "sign", Hash: hash.String(), Payload: ton.BoCOf(c).Base64(), Seqno: &payload.Seqno, ValidUntil: payload.ValidUntil, Transfers: &facts,
		Wallet: &account{w.Address().String(), string(w.Version), w.ID(), hex.EncodeToString(w.PublicKey)},
	})
	if err != nil {
		return nil, err
	}
	signature, err := decode(a.Signature, ed25519.SignatureSize)
	if err != nil {
		return nil, fmt.Errorf("the signer %q answered without a signature: %w", p.name(), err)
	}
	if a.PublicKey != "" {
		if key, err := ParseKey(a.PublicKey); err != nil || !key.Equal(w.PublicKey) {
			return nil, fmt.Errorf("the signer %q signed with another key than the wallet's", p.name())
		}
	}
	message, err := wallet.Assemble(w, payload, deploys, signature)
	if err != nil {
		return nil, fmt.Errorf("the signer %q: %w", p.name(), err)
	}
	return message, nil
}

func (p Program) name() string {
	if len(p.Command) == 0 {
		return ""
	}
	return p.Command[0]
}

// ask runs the program for one answer.
func (p Program) ask(ctx context.Context, q question) (answer, error) {
	line, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	timeout := p.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	out, err := runFor(ctx, p.In, p.Command, append(ascii(line), '\n'), maxAnswer, timeout)
	if err != nil {
		return answer{}, fmt.Errorf("the signer: %w", err)
	}
	var a answer
	d := json.NewDecoder(bytes.NewReader(out))
	err = d.Decode(&a)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something stands behind it")
		}
	}
	if err != nil {
		return answer{}, fmt.Errorf("the signer %q did not answer with one JSON object: %w", p.name(), err)
	}
	if a.Error != "" {
		said := bounded{limit: lastWords, newest: true}
		_, _ = said.Write([]byte(a.Error))
		return answer{}, fmt.Errorf("the signer %q refused%s", p.name(), said.quoted())
	}
	return a, nil
}

// ParseKey reads a public key: 64 hexadecimal digits or base64.
func ParseKey(s string) (ed25519.PublicKey, error) { return decode(s, ed25519.PublicKeySize) }

func decode(s string, size int) ([]byte, error) {
	for _, read := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if b, err := read(s); err == nil && len(b) == size {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%d bytes in hexadecimal digits or base64 are wanted", size)
}

// jetton tells what a transfer asks of a jetton wallet, nil if its body is of
// another kind.
func (p Program) jetton(t ton.Transfer) *jetton {
	c, err := t.Body.Cell()
	if err != nil {
		return nil
	}
	j, err := ton.ParseJettonTransfer(c)
	if err != nil {
		return nil
	}
	fact := &jetton{
		Units: strconv.FormatInt(j.Amount, 10), To: j.Destination.String(), Forward: strconv.FormatInt(int64(j.Forward), 10),
		Comment: comment(j.Payload), QueryID: strconv.FormatUint(j.QueryID, 10),
	}
	if !j.Response.IsZero() {
		fact.Response = j.Response.String()
	}
	if !p.USDT.IsZero() && t.To == p.USDT {
		fact.Asset = ton.AssetUSDT
	}
	return fact
}

// maxComment bounds what a program is told of a comment, in characters.
const maxComment = 120

func comment(body ton.BoC) string {
	c, err := body.Cell()
	if err != nil {
		return ""
	}
	text, err := ton.Comment(c)
	if err != nil {
		return ""
	}
	if r := []rune(text); len(r) > maxComment {
		text = string(r[:maxComment]) + "…"
	}
	return text
}

// ascii escapes what a script that reads line by line could stumble over.
func ascii(b []byte) []byte {
	var out strings.Builder
	for _, r := range string(b) {
		switch {
		case r < 0x7f:
			out.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return []byte(out.String())
}
