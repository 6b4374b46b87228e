package ton

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// SendMode is the only mode that fragplan signs: the wallet pays the fees from
// its own balance (1), and a transfer that can't be sent is skipped instead of
// rolling the seqno back (2). Without 2, V4R2 keeps the same bytes alive after
// a failure and V5R1 refuses them.
const SendMode = 3

// A Payload is what a wallet's key signs: these transfers, once, at this
// seqno, before this time. Equal payloads encode to equal bytes.
type Payload struct {
	Wallet     WalletVersion
	WalletID   uint32
	Seqno      uint32
	ValidUntil uint32 // Unix seconds of chain time; refused at and after it
	Transfers  []Transfer
}

// Operation codes of V5R1.
const (
	opSignedExternal = 0x7369676e
	opActionSendMsg  = 0x0ec3c86d
)

// ErrPayload is returned, wrapped, for a cell that is not exactly a payload
// that Encode makes.
var ErrPayload = errors.New("not a payload of fragplan's")

// Encode builds the unsigned payload. Its hash is what the key signs.
func (p Payload) Encode() (*cell.Cell, error) {
	if _, err := ParseWalletVersion(string(p.Wallet)); err != nil {
		return nil, err
	}
	if n, max := len(p.Transfers), p.Wallet.MaxTransfers(); n > max {
		return nil, fmt.Errorf("%d transfers: a %s wallet takes at most %d a message", n, p.Wallet, max)
	}
	messages := make([]*cell.Cell, len(p.Transfers))
	for i, t := range p.Transfers {
		var err error
		if messages[i], err = t.cell(); err != nil {
			return nil, fmt.Errorf("transfer %d: %w", i, err)
		}
	}
	b := cell.BeginCell()
	if p.Wallet == V5R1 {
		b.MustStoreUInt(opSignedExternal, 32)
	}
	b.MustStoreUInt(uint64(p.WalletID), 32).
		MustStoreUInt(uint64(p.ValidUntil), 32).
		MustStoreUInt(uint64(p.Seqno), 32)
	if p.Wallet == V5R1 {
		// A list in which each action holds the one before it, and no
		// extended actions: those could hand the wallet to somebody else.
		return b.MustStoreBoolBit(true).MustStoreRef(actionList(messages)).MustStoreBoolBit(false).EndCell(), nil
	}
	b.MustStoreUInt(0, 8) // operation: simple send
	for _, m := range messages {
		b.MustStoreUInt(SendMode, 8).MustStoreRef(m)
	}
	return b.EndCell(), nil
}

func actionList(messages []*cell.Cell) *cell.Cell {
	list := cell.BeginCell().EndCell()
	for _, m := range messages {
		list = cell.BeginCell().MustStoreRef(list).
			MustStoreUInt(opActionSendMsg, 32).MustStoreUInt(SendMode, 8).MustStoreRef(m).EndCell()
	}
	return list
}

// Hash is the hash of the unsigned payload. fragplan recognises its messages
// on the chain by it: another signature over the same payload is still ours.
func (p Payload) Hash() (Hash, error) {
	c, err := p.Encode()
	if err != nil {
		return Hash{}, err
	}
	return Hash(c.Hash()), nil
}

// ParsePayload reads an unsigned payload bit by bit. What it returns encodes
// to the same cell; anything else, an extended action or another send mode
// among it, is ErrPayload.
func ParsePayload(v WalletVersion, c *cell.Cell) (Payload, error) {
	p, err := parsePayload(v, c)
	if err != nil {
		return Payload{}, fmt.Errorf("%w: %v", ErrPayload, err)
	}
	again, err := p.Hash()
	if err != nil {
		return Payload{}, fmt.Errorf("%w: %v", ErrPayload, err)
	}
	if again != Hash(c.Hash()) {
		return Payload{}, fmt.Errorf("%w: it holds more than transfers", ErrPayload)
	}
	return p, nil
}

func parsePayload(v WalletVersion, c *cell.Cell) (Payload, error) {
	s, err := c.BeginParse()
	if err != nil {
		return Payload{}, err
	}
	if v == V5R1 {
		if op, err := s.LoadUInt(32); err != nil || op != opSignedExternal {
			return Payload{}, fmt.Errorf("not a signed external request")
		}
	}
	head, err := s.LoadSlice(96)
	if err != nil {
		return Payload{}, err
	}
	p := Payload{Wallet: v, WalletID: be32(head[0:4]), ValidUntil: be32(head[4:8]), Seqno: be32(head[8:12])}
	if v == V5R1 {
		p.Transfers, err = parseActions(s)
	} else {
		p.Transfers, err = parseSends(s)
	}
	return p, err
}

func parseActions(s *cell.Slice) ([]Transfer, error) {
	if has, err := s.LoadBoolBit(); err != nil || !has {
		return nil, fmt.Errorf("no action list")
	}
	list, err := s.LoadRef()
	if err != nil {
		return nil, err
	}
	var last []Transfer // from the last to the first
	for list.BitsLeft() > 0 {
		prev, err := list.LoadRef()
		if err != nil {
			return nil, err
		}
		if op, err := list.LoadUInt(32); err != nil || op != opActionSendMsg {
			return nil, fmt.Errorf("an action is not a plain send")
		}
		t, err := parseSend(list)
		if err != nil {
			return nil, err
		}
		if last = append(last, t); len(last) > V5R1.MaxTransfers() {
			return nil, fmt.Errorf("more than %d actions", V5R1.MaxTransfers())
		}
		list = prev
	}
	transfers := make([]Transfer, len(last))
	for i, t := range last {
		transfers[len(last)-1-i] = t
	}
	return transfers, nil
}

func parseSends(s *cell.Slice) ([]Transfer, error) {
	if op, err := s.LoadUInt(8); err != nil || op != 0 {
		return nil, fmt.Errorf("not a simple send")
	}
	transfers := []Transfer{}
	for s.BitsLeft() > 0 {
		t, err := parseSend(s)
		if err != nil {
			return nil, err
		}
		transfers = append(transfers, t)
	}
	return transfers, nil
}

// parseSend reads a mode and the message behind it.
func parseSend(s *cell.Slice) (Transfer, error) {
	if mode, err := s.LoadUInt(8); err != nil || mode != SendMode {
		return Transfer{}, fmt.Errorf("send mode is not %d", SendMode)
	}
	m, err := s.LoadRefCell()
	if err != nil {
		return Transfer{}, err
	}
	return parseTransfer(m)
}

// Sign joins a payload and the signature of its hash into the body of an
// external message.
func (p Payload) Sign(signature []byte) (*cell.Cell, error) {
	if len(signature) != ed25519.SignatureSize {
		return nil, fmt.Errorf("signature has %d bytes, not %d", len(signature), ed25519.SignatureSize)
	}
	c, err := p.Encode()
	if err != nil {
		return nil, err
	}
	if p.Wallet == V5R1 {
		return cell.BeginCell().MustStoreBuilder(c.ToBuilder()).MustStoreSlice(signature, 512).EndCell(), nil
	}
	return cell.BeginCell().MustStoreSlice(signature, 512).MustStoreBuilder(c.ToBuilder()).EndCell(), nil
}

// SplitBody takes the body of an external message apart into the payload cell
// and the signature over its hash. It looks at neither.
func SplitBody(v WalletVersion, body *cell.Cell) (payload *cell.Cell, signature []byte, err error) {
	s, err := body.BeginParse()
	if err != nil {
		return nil, nil, err
	}
	if s.BitsLeft() < 512 {
		return nil, nil, fmt.Errorf("%w: too short for a signature", ErrPayload)
	}
	if v == V4R2 {
		if signature, err = s.LoadSlice(512); err != nil {
			return nil, nil, err
		}
		payload, err = s.ToCell()
		return payload, signature, err
	}
	n := s.BitsLeft() - 512
	bits, err := s.LoadSlice(n)
	if err != nil {
		return nil, nil, err
	}
	if signature, err = s.LoadSlice(512); err != nil {
		return nil, nil, err
	}
	b := cell.BeginCell().MustStoreSlice(bits, n)
	for s.RefsNum() > 0 {
		ref, err := s.LoadRefCell()
		if err != nil {
			return nil, nil, err
		}
		b.MustStoreRef(ref)
	}
	return b.EndCell(), signature, nil
}

// External wraps a signed body into the message that is broadcast. init is the
// wallet's StateInit while the wallet is not deployed, and nil afterwards.
func External(to Address, init *tlb.StateInit, body *cell.Cell) (BoC, error) {
	c, err := tlb.ToCell(tlb.ExternalMessage{
		SrcAddr: address.NewAddressNone(), DstAddr: to.TLB(), StateInit: init, Body: body,
	})
	if err != nil {
		return nil, err
	}
	return BoCOf(c), nil
}

// ParseExternal takes a broadcast message apart.
func ParseExternal(b BoC) (to Address, deploys bool, body *cell.Cell, err error) {
	c, err := b.Cell()
	if err != nil {
		return Address{}, false, nil, err
	}
	var m tlb.ExternalMessage
	if err := tlb.Parse(&m, c); err != nil {
		return Address{}, false, nil, fmt.Errorf("external message: %w", err)
	}
	to, ok := AddressOf(m.DstAddr)
	if !ok {
		return Address{}, false, nil, fmt.Errorf("external message: destination is no plain address")
	}
	return to, m.StateInit != nil, m.Body, nil
}

// payloadJSON is the form in which payloads stand in files: the cell itself,
// which is what was signed, and the version that tells how to read it.
type payloadJSON struct {
	Wallet WalletVersion `json:"wallet"`
	BoC    BoC           `json:"boc"`
}

// MarshalJSON writes the encoded cell and the wallet version.
func (p Payload) MarshalJSON() ([]byte, error) {
	c, err := p.Encode()
	if err != nil {
		return nil, err
	}
	return json.Marshal(payloadJSON{p.Wallet, BoCOf(c)})
}

// UnmarshalJSON reads what MarshalJSON writes, and nothing that ParsePayload
// refuses.
func (p *Payload) UnmarshalJSON(b []byte) error {
	var j payloadJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	c, err := j.BoC.Cell()
	if err != nil {
		return err
	}
	*p, err = ParsePayload(j.Wallet, c)
	return err
}

// ParseSeqno reads the seqno of any payload that a wallet of version v takes,
// also of those that fragplan would never make.
func ParseSeqno(v WalletVersion, payload *cell.Cell) (uint32, error) {
	s, err := payload.BeginParse()
	if err != nil {
		return 0, err
	}
	skip := uint(64)
	if v == V5R1 {
		skip += 32
	}
	if _, err := s.LoadSlice(skip); err != nil {
		return 0, fmt.Errorf("payload: %w", err)
	}
	n, err := s.LoadUInt(32)
	return uint32(n), err
}
