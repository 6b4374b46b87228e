package ton_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	reference "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

var (
	key     = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	configs = map[ton.WalletVersion]reference.VersionConfig{
		ton.V5R1: reference.ConfigV5R1Final{NetworkGlobalID: ton.Mainnet},
		ton.V4R2: reference.V4R2,
	}
)

func mainnet(v ton.WalletVersion) ton.Wallet {
	return ton.Wallet{Version: v, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
}

func payload(v ton.WalletVersion, n int) ton.Payload {
	p := ton.Payload{Wallet: v, WalletID: mainnet(v).ID(), Seqno: 77, ValidUntil: 1_900_000_000, Transfers: []ton.Transfer{}}
	for i := range n {
		body := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(fmt.Sprintf("%d Telegram Stars \n\nRef#%09d", 50+i*i*i, i)).EndCell()
		p.Transfers = append(p.Transfers, ton.Transfer{
			To: ton.Address{Account: [32]byte{byte(i), 1}}, Bounce: i%2 == 1, Amount: ton.Nano(i) * 123_456_789, Body: ton.BoCOf(body)})
	}
	return p
}

// Address and state are those that other wallet software derives.
func TestWalletIsTheReferences(t *testing.T) {
	for v, c := range configs {
		w := mainnet(v)
		// The reference numbers V4R2's subwallet explicitly here.
		sub := uint32(0)
		if v == ton.V4R2 {
			sub = reference.DefaultSubwallet
		}
		want, err := reference.AddressFromPubKey(w.PublicKey, c, sub)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := ton.AddressOf(want); got != w.Address() {
			t.Errorf("%s: address %s, want %s", v, w.Address(), got)
		}
		state, err := reference.GetStateInit(w.PublicKey, c, sub)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := tlb.ToCell(state)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := tlb.ToCell(w.StateInit())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours.Hash(), theirs.Hash()) {
			t.Errorf("%s: another state", v)
		}
		if data, err := ton.ParseWalletData(v, w.StateInit().Data); err != nil || data.Seqno != 0 || data.ID != w.ID() || !data.Plain || !data.PublicKey.Equal(w.PublicKey) {
			t.Errorf("%s: data %+v, %v", v, data, err)
		}
	}
}

// A payload has the bits that other wallet software signs.
func TestPayloadIsTheReferences(t *testing.T) {
	for v, c := range configs {
		for _, n := range []int{0, 1, 4} {
			ref, err := reference.FromPrivateKey(nil, key, c)
			if err != nil {
				t.Fatal(err)
			}
			spec := ref.GetSpec().(interface {
				SetSeqnoFetcher(func(context.Context, uint32) (uint32, error))
				BuildMessage(context.Context, bool, *liteton.BlockIDExt, []*reference.Message) (*cell.Cell, error)
			})
			spec.SetSeqnoFetcher(func(context.Context, uint32) (uint32, error) { return 77, nil })
			p := payload(v, n)
			var messages []*reference.Message
			for _, tr := range p.Transfers {
				body, _ := tr.Body.Cell()
				messages = append(messages, &reference.Message{Mode: 3, InternalMessage: &tlb.InternalMessage{
					IHRDisabled: true, Bounce: tr.Bounce, DstAddr: tr.To.TLB(), Amount: tlb.FromNanoTONU(uint64(tr.Amount)), Body: body}})
			}
			body, err := spec.BuildMessage(t.Context(), false, nil, messages)
			if err != nil {
				t.Fatal(err)
			}
			unsigned, signature, err := ton.SplitBody(v, body)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := ton.ParsePayload(v, unsigned)
			if err != nil {
				t.Fatalf("%s, %d transfers: %v", v, n, err)
			}
			p.ValidUntil = theirs.ValidUntil // theirs is from the local clock
			hash, err := p.Hash()
			if err != nil {
				t.Fatal(err)
			}
			if hash != ton.Hash(unsigned.Hash()) {
				t.Errorf("%s, %d transfers: other bits", v, n)
			}
			if again, err := p.Sign(signature); err != nil || !bytes.Equal(again.Hash(), body.Hash()) {
				t.Errorf("%s, %d transfers: another body (%v)", v, n, err)
			}
		}
	}
}

// What is encoded parses back to itself, as a cell and as JSON, and comes out
// of an external message as it went in.
func TestPayloadRoundTrip(t *testing.T) {
	for _, v := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		for _, n := range []int{0, 1, 4, 255} {
			if n > v.MaxTransfers() {
				if _, err := payload(v, n).Encode(); err == nil {
					t.Errorf("%s took %d transfers", v, n)
				}
				continue
			}
			want := payload(v, n)
			c, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := ton.ParsePayload(v, c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %d transfers:\n%s", v, n, diff)
			}
			j, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var back ton.Payload
			if err := json.Unmarshal(j, &back); err != nil || !cmp.Equal(want, back) {
				t.Errorf("%s, %d transfers: JSON: %v", v, n, err)
			}
			body, err := want.Sign(ed25519.Sign(key, c.Hash()))
			if err != nil {
				t.Fatal(err)
			}
			w := mainnet(v)
			for _, init := range []*tlb.StateInit{nil, w.StateInit()} {
				boc, err := ton.External(w.Address(), init, body)
				if err != nil {
					t.Fatal(err)
				}
				to, deploys, inside, err := ton.ParseExternal(boc)
				if err != nil || to != w.Address() || deploys != (init != nil) || !bytes.Equal(inside.Hash(), body.Hash()) {
					t.Errorf("%s, %d transfers: external: %v", v, n, err)
				}
			}
			unsigned, sig, err := ton.SplitBody(v, body)
			if err != nil || !bytes.Equal(unsigned.Hash(), c.Hash()) || !ed25519.Verify(w.PublicKey, unsigned.Hash(), sig) {
				t.Errorf("%s, %d transfers: body: %v", v, n, err)
			}
		}
	}
}

// Nothing that fragplan would not have encoded parses.
func TestForeignPayloadsAreRefused(t *testing.T) {
	transfer, err := payload(ton.V5R1, 1).Encode()
	if err != nil {
		t.Fatal(err)
	}
	list, err := transfer.PeekRef(0)
	if err != nil {
		t.Fatal(err)
	}
	empty := cell.BeginCell().EndCell()
	message, err := list.PeekRef(1)
	if err != nil {
		t.Fatal(err)
	}
	head := func(op uint64) *cell.Builder {
		return cell.BeginCell().MustStoreUInt(op, 32).MustStoreUInt(1, 32).MustStoreUInt(2, 32).MustStoreUInt(3, 32)
	}
	v5 := func(list *cell.Cell) *cell.Cell {
		return head(0x7369676e).MustStoreBoolBit(true).MustStoreRef(list).MustStoreBoolBit(false).EndCell()
	}
	send := func(mode uint64, message *cell.Cell) *cell.Cell {
		return cell.BeginCell().MustStoreRef(empty).MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(mode, 8).MustStoreRef(message).EndCell()
	}
	v4 := func() *cell.Builder {
		return cell.BeginCell().MustStoreUInt(1, 32).MustStoreUInt(2, 32).MustStoreUInt(3, 32)
	}
	if _, err := ton.ParsePayload(ton.V5R1, v5(send(3, message))); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	if _, err := ton.ParsePayload(ton.V4R2, v4().MustStoreUInt(0, 8).MustStoreUInt(3, 8).MustStoreRef(message).EndCell()); err != nil {
		t.Fatalf("the good V4R2 one: %v", err)
	}
	marked := func(change func(*tlb.InternalMessage)) *cell.Cell {
		var m tlb.InternalMessage
		if err := tlb.Parse(&m, message); err != nil {
			t.Fatal(err)
		}
		change(&m)
		c, err := tlb.ToCell(m)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		v ton.WalletVersion
		c *cell.Cell
	}{
		"no version":            {"", v5(send(3, message))},
		"internal request":      {ton.V5R1, head(0x73696e74).MustStoreBoolBit(true).MustStoreRef(empty).MustStoreBoolBit(false).EndCell()},
		"no action list":        {ton.V5R1, head(0x7369676e).MustStoreBoolBit(false).MustStoreBoolBit(false).EndCell()},
		"mode 0":                {ton.V5R1, v5(send(0, message))},
		"mode 1":                {ton.V5R1, v5(send(1, message))},
		"all of the balance":    {ton.V5R1, v5(send(128+3, message))},
		"destroy the wallet":    {ton.V5R1, v5(send(128+32+3, message))},
		"set code":              {ton.V5R1, v5(cell.BeginCell().MustStoreRef(empty).MustStoreUInt(0xad4de08e, 32).MustStoreRef(empty).EndCell())},
		"extended action":       {ton.V5R1, head(0x7369676e).MustStoreBoolBit(true).MustStoreRef(empty).MustStoreBoolBit(true).MustStoreUInt(2, 8).MustStoreSlice(make([]byte, 34), 267).EndCell()},
		"bits after the end":    {ton.V5R1, head(0x7369676e).MustStoreBoolBit(true).MustStoreRef(empty).MustStoreBoolBit(false).MustStoreUInt(0, 8).EndCell()},
		"a cell after the end":  {ton.V5R1, head(0x7369676e).MustStoreBoolBit(true).MustStoreRef(empty).MustStoreBoolBit(false).MustStoreRef(empty).EndCell()},
		"cut short":             {ton.V5R1, cell.BeginCell().MustStoreUInt(0x7369676e, 32).EndCell()},
		"empty":                 {ton.V5R1, empty},
		"a sender is set":       {ton.V5R1, v5(send(3, marked(func(m *tlb.InternalMessage) { m.SrcAddr = ton.Address{}.TLB() })))},
		"a fee is set":          {ton.V5R1, v5(send(3, marked(func(m *tlb.InternalMessage) { m.FwdFee = tlb.FromNanoTONU(1) })))},
		"a state init":          {ton.V5R1, v5(send(3, marked(func(m *tlb.InternalMessage) { m.StateInit = mainnet(ton.V5R1).StateInit() })))},
		"already bounced":       {ton.V5R1, v5(send(3, marked(func(m *tlb.InternalMessage) { m.Bounced = true })))},
		"V4R2 mode 1":           {ton.V4R2, v4().MustStoreUInt(0, 8).MustStoreUInt(1, 8).MustStoreRef(message).EndCell()},
		"V4R2 installs plugin":  {ton.V4R2, v4().MustStoreUInt(2, 8).MustStoreRef(message).EndCell()},
		"V4R2 message unsent":   {ton.V4R2, v4().MustStoreUInt(0, 8).MustStoreRef(message).EndCell()},
		"V4R2 half a mode byte": {ton.V4R2, v4().MustStoreUInt(0, 8).MustStoreUInt(0, 4).EndCell()},
	} {
		if _, err := ton.ParsePayload(c.v, c.c); !errors.Is(err, ton.ErrPayload) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
