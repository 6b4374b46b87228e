package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ton"
)

func hostileSign(hash []byte) []byte { return ed25519.Sign(hostileKey, hash) }

// signedBy is the message of a payload, signed however sign likes.
func signedBy(p ton.Payload, sign func(hash []byte) []byte) (ton.BoC, error) {
	hash, err := p.Hash()
	if err != nil {
		return nil, err
	}
	body, err := p.Sign(sign(hash[:]))
	if err != nil {
		return nil, err
	}
	return ton.External(hostileWallet.Address(), nil, body)
}

// A signer that returns anything but the message that it was given to sign
// has nothing sent.
func TestBadSignersSendNothing(t *testing.T) {
	stranger := ton.Address{Account: [32]byte{0xbb, 1}}
	changed := func(change func(*ton.Payload)) func(ton.Payload) (ton.BoC, error) {
		return func(p ton.Payload) (ton.BoC, error) {
			p.Transfers = append([]ton.Transfer{}, p.Transfers...)
			change(&p)
			return signedBy(p, hostileSign)
		}
	}
	// raw signs a body that no payload of fragplan's encodes to.
	raw := func(make func(ton.Payload) *cell.Builder) func(ton.Payload) (ton.BoC, error) {
		return func(p ton.Payload) (ton.BoC, error) {
			b := make(p)
			hash := b.EndCell().Hash()
			return ton.External(hostileWallet.Address(), nil, b.MustStoreSlice(hostileSign(hash), 512).EndCell())
		}
	}
	head := func(p ton.Payload) *cell.Builder {
		return cell.BeginCell().MustStoreUInt(0x7369676e, 32).MustStoreUInt(uint64(p.WalletID), 32).MustStoreUInt(uint64(p.ValidUntil), 32).MustStoreUInt(uint64(p.Seqno), 32)
	}
	actions := func(p ton.Payload) *cell.Cell {
		c, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return c.MustPeekRef(0)
	}
	for name, sign := range map[string]func(ton.Payload) (ton.BoC, error){
		"nothing":            func(ton.Payload) (ton.BoC, error) { return nil, nil },
		"no bag":             func(ton.Payload) (ton.BoC, error) { return []byte("signed"), nil },
		"another amount":     changed(func(p *ton.Payload) { p.Transfers[0].Amount++ }),
		"another account":    changed(func(p *ton.Payload) { p.Transfers[0].To = stranger }),
		"another text":       changed(func(p *ton.Payload) { p.Transfers[0].Body = packed("51 Telegram Stars \n\nRef#"+goodRef, 35) }),
		"another seqno":      changed(func(p *ton.Payload) { p.Seqno++ }),
		"another end":        changed(func(p *ton.Payload) { p.ValidUntil += 3600 }),
		"another wallet id":  changed(func(p *ton.Payload) { p.WalletID++ }),
		"no transfer":        changed(func(p *ton.Payload) { p.Transfers = nil }),
		"the transfer twice": changed(func(p *ton.Payload) { p.Transfers = append(p.Transfers, p.Transfers[0]) }),
		"a second transfer": changed(func(p *ton.Payload) {
			p.Transfers = append(p.Transfers, ton.Transfer{To: stranger, Amount: 1, Body: p.Transfers[0].Body})
		}),
		"another wallet's message": changed(func(p *ton.Payload) { p.Wallet = ton.V4R2 }),
		"another key": func(p ton.Payload) (ton.BoC, error) {
			thief := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
			return signedBy(p, func(hash []byte) []byte { return ed25519.Sign(thief, hash) })
		},
		"no signature": func(p ton.Payload) (ton.BoC, error) {
			return signedBy(p, func([]byte) []byte { return make([]byte, ed25519.SignatureSize) })
		},
		"a message to a stranger": func(p ton.Payload) (ton.BoC, error) {
			hash, _ := p.Hash()
			body, err := p.Sign(hostileSign(hash[:]))
			if err != nil {
				return nil, err
			}
			return ton.External(stranger, nil, body)
		},
		"a deployment": func(p ton.Payload) (ton.BoC, error) {
			hash, _ := p.Hash()
			body, err := p.Sign(hostileSign(hash[:]))
			if err != nil {
				return nil, err
			}
			return ton.External(hostileWallet.Address(), hostileWallet.StateInit(), body)
		},
		"an extension beside the payment": raw(func(p ton.Payload) *cell.Builder {
			add := cell.BeginCell().MustStoreUInt(0x02, 8).MustStoreUInt(4, 3).MustStoreUInt(0, 8).MustStoreSlice(stranger.Account[:], 256).EndCell()
			return head(p).MustStoreBoolBit(true).MustStoreRef(actions(p)).MustStoreBoolBit(true).MustStoreRef(add)
		}),
		"an extension alone": raw(func(p ton.Payload) *cell.Builder {
			add := cell.BeginCell().MustStoreUInt(0x02, 8).MustStoreUInt(4, 3).MustStoreUInt(0, 8).MustStoreSlice(stranger.Account[:], 256).EndCell()
			return head(p).MustStoreBoolBit(false).MustStoreBoolBit(true).MustStoreRef(add)
		}),
		"signatures switched off": raw(func(p ton.Payload) *cell.Builder {
			off := cell.BeginCell().MustStoreUInt(0x04, 8).MustStoreBoolBit(false).EndCell()
			return head(p).MustStoreBoolBit(true).MustStoreRef(actions(p)).MustStoreBoolBit(true).MustStoreRef(off)
		}),
		"all of the balance": raw(func(p ton.Payload) *cell.Builder {
			send := actions(p)
			out := cell.BeginCell().MustStoreRef(send.MustPeekRef(0)).MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(128+2, 8).MustStoreRef(send.MustPeekRef(1)).EndCell()
			return head(p).MustStoreBoolBit(true).MustStoreRef(out).MustStoreBoolBit(false)
		}),
		"new code for the wallet": raw(func(p ton.Payload) *cell.Builder {
			code := cell.BeginCell().MustStoreRef(actions(p)).MustStoreUInt(0xad4de08e, 32).MustStoreRef(cell.BeginCell().EndCell()).EndCell()
			return head(p).MustStoreBoolBit(true).MustStoreRef(code).MustStoreBoolBit(false)
		}),
		"an internal request": raw(func(p ton.Payload) *cell.Builder {
			return cell.BeginCell().MustStoreUInt(0x73696e74, 32).MustStoreUInt(uint64(p.WalletID), 32).MustStoreUInt(uint64(p.ValidUntil), 32).MustStoreUInt(uint64(p.Seqno), 32).
				MustStoreBoolBit(true).MustStoreRef(actions(p)).MustStoreBoolBit(false)
		}),
		"the right message with a byte behind it": func(p ton.Payload) (ton.BoC, error) {
			m, err := signedBy(p, hostileSign)
			return append(m, 0), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := baits()[0]
			s := &stillness{sign: sign}
			err := b.attacked(t, b.answers, s, hostileBook())
			var refusal *firewall.Refusal
			if !errors.As(err, &refusal) || refusal.Code != firewall.WrongMessage {
				t.Errorf("got %v", err)
			}
			if s.signed != 1 || s.sent != 0 {
				t.Errorf("asked for %d signatures, sent %d messages", s.signed, s.sent)
			}
		})
	}
}
