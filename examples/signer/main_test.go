package main

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/ton"
)

// The example signs comments and USDT within its limits, each money in its own,
// and no body that it can't read.
func TestInspect(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	w := ton.Wallet{Version: ton.V5R1, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
	ours, stranger := ton.Address{Account: [32]byte{0xcc}}, ton.Address{Account: [32]byte{0xbb}}
	note := ton.BoCOf(cell.BeginCell().MustStoreUInt(0, 32).EndCell())
	other := ton.BoCOf(cell.BeginCell().MustStoreUInt(0x5fcc3d14, 32).EndCell())
	usdt := func(units int64, by ton.Address) ton.Transfer {
		body, err := ton.JettonTransfer{Amount: units, Destination: stranger, Response: w.Address(), Forward: 1, Payload: note}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return ton.Transfer{To: by, Amount: ton.TON / 20, Body: ton.BoCOf(body)}
	}
	none, some := []string{"0.1", "0", ""}, []string{"0.1", "50", ours.String()}
	for name, c := range map[string]struct {
		limits    []string
		transfers []ton.Transfer
		want      string // of the error; "" for none
	}{
		"a comment":              {none, []ton.Transfer{{To: stranger, Amount: ton.TON / 10, Body: note}}, ""},
		"too much TON":           {none, []ton.Transfer{{To: stranger, Amount: ton.TON, Body: note}}, "1 TON to UQ"},
		"too much together":      {none, []ton.Transfer{{To: stranger, Amount: ton.TON / 15, Body: note}, {To: stranger, Amount: ton.TON / 15, Body: note}}, "more than the 0.1 TON"},
		"a body of another kind": {some, []ton.Transfer{{To: stranger, Amount: 1, Body: other}}, "neither a text comment nor a transfer of USDT"},
		"USDT without a word":    {none, []ton.Transfer{usdt(1, ours)}, "doesn't know UQ"},
		"USDT":                   {some, []ton.Transfer{usdt(50_000_000, ours)}, ""},
		"a million USDT":         {some, []ton.Transfer{usdt(1_000_000_000_000, ours)}, "1000000 USDT to UQ"},
		"too much USDT together": {some, []ton.Transfer{usdt(30_000_000, ours), usdt(30_000_000, ours)}, "more than the 50 USDT"},
		"another jetton":         {some, []ton.Transfer{usdt(1, stranger)}, "doesn't know UQ"},
	} {
		p := ton.Payload{Wallet: w.Version, WalletID: w.ID(), Seqno: 1, ValidUntil: 2_000_000_000, Transfers: c.transfers}
		root, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		q := question{Version: 1, Op: "sign", Hash: ton.Hash(root.Hash()).String(), Payload: ton.BoCOf(root).Base64()}
		q.Wallet.Version = ton.V5R1
		l, err := parseLimits(c.limits[0], c.limits[1], c.limits[2])
		if err != nil {
			t.Fatal(err)
		}
		_, err = inspect(q, l)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
