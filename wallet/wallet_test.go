package wallet_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
	"github.com/xssnick/tonutils-go/tlb"
	reference "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

func seedKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

func newWallet(t *testing.T, v ton.WalletVersion) *wallet.Wallet {
	t.Helper()
	k, err := wallet.KeyOf(seedKey())
	if err != nil {
		t.Fatal(err)
	}
	w, err := wallet.New(v, k, ton.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func payload(w *wallet.Wallet, n int) ton.Payload {
	p := ton.Payload{Wallet: w.Public().Version, WalletID: w.Public().ID(), Seqno: 5, ValidUntil: 2_000_000_000}
	for i := range n {
		body := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(fmt.Sprintf("order %d", i)).EndCell()
		p.Transfers = append(p.Transfers, ton.Transfer{To: w.Address(), Amount: ton.TON, Body: ton.BoCOf(body)})
	}
	return p
}

// A signed message holds exactly the payload, to the wallet, under its key,
// and signing again gives the same bytes.
func TestSign(t *testing.T) {
	for _, v := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		for _, n := range []int{0, 1, v.MaxTransfers()} {
			for _, deploy := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d transfers deploy %t", v, n, deploy), func(t *testing.T) {
					w := newWallet(t, v)
					p := payload(w, n)
					signed, err := w.Sign(p, deploy)
					if err != nil {
						t.Fatal(err)
					}
					again, err := w.Sign(p, deploy)
					if err != nil || !bytes.Equal(signed, again) {
						t.Errorf("signing again gives other bytes (%v)", err)
					}
					to, deploys, body, err := ton.ParseExternal(signed)
					if err != nil || to != w.Address() || deploys != deploy {
						t.Fatalf("to %s, deploys %t, %v", to, deploys, err)
					}
					c, sig, err := ton.SplitBody(v, body)
					if err != nil {
						t.Fatal(err)
					}
					if h, _ := p.Hash(); ton.Hash(c.Hash()) != h || !ed25519.Verify(w.Public().PublicKey, h[:], sig) {
						t.Error("payload or signature differ")
					}
				})
			}
		}
	}
}

// A payload of another wallet version, another wallet id or another network
// is never signed, and neither is one that does not encode.
func TestSignRefuses(t *testing.T) {
	w := newWallet(t, ton.V5R1)
	foreign := map[string]func(*ton.Payload){
		"another version": func(p *ton.Payload) { p.Wallet = ton.V4R2 },
		"another network": func(p *ton.Payload) {
			p.WalletID = ton.Wallet{Version: ton.V5R1, NetworkID: -3}.ID()
		},
		"no version": func(p *ton.Payload) { p.Wallet = "" },
	}
	for name, change := range foreign {
		p := payload(w, 1)
		change(&p)
		if b, err := w.Sign(p, false); !errors.Is(err, wallet.ErrForeign) || b != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	p := payload(w, 1)
	p.Transfers[0].Amount = -1
	if b, err := w.Sign(p, false); err == nil || b != nil {
		t.Error("a negative amount was signed")
	}
}

// A key and a mnemonic print nothing of themselves, whoever prints them and
// wherever they stand.
func TestSecretsAreRedacted(t *testing.T) {
	words := reference.NewSeed()
	m := wallet.MnemonicOf(strings.Join(words, " "))
	k, err := wallet.KeyFromMnemonic(m)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := reference.SeedToPrivateKeyWithOptions(words)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wallet.New(ton.V5R1, k, ton.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct {
		k wallet.Key
		m wallet.Mnemonic
		w *wallet.Wallet
	}{k, m, w}
	var out strings.Builder
	for _, v := range []any{k, m, &k, &m, w, *w, hidden, []any{k, m}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	text := out.String()
	for what, secret := range map[string]string{
		"words": strings.Join(words[:3], " "), "hexadecimal": fmt.Sprintf("%x", []byte(raw[:8])),
		"decimal": strings.Trim(fmt.Sprint([]byte(raw[:8])), "[]"), "Go syntax": fmt.Sprintf("%#v", []byte(raw[:4]))[7:23],
	} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("the output holds the secret in %s", what)
		}
	}
	if !strings.Contains(text, "redacted") {
		t.Error("nothing says redacted")
	}
}

// A mnemonic derives the key that every TON wallet derives from it.
func TestKeyFromMnemonic(t *testing.T) {
	for range 3 {
		words := reference.NewSeed()
		want, err := reference.SeedToPrivateKeyWithOptions(words)
		if err != nil {
			t.Fatal(err)
		}
		k, err := wallet.KeyFromMnemonic(wallet.MnemonicOf("\n " + strings.ToUpper(strings.Join(words, "  \t")) + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if !k.Public().Equal(want.Public()) {
			t.Error("another key")
		}
	}
}

// Words that make no key are refused with the reason and without a word.
func TestKeyFromMnemonicRefuses(t *testing.T) {
	words := reference.NewSeed()
	swapped := append([]string{}, words...)
	for i := 1; ; i++ { // one swap in 256 passes the check by chance
		swapped[0], swapped[i] = swapped[i], swapped[0]
		if _, err := reference.SeedToPrivateKeyWithOptions(swapped); err != nil {
			break
		}
	}
	for name, c := range map[string]struct {
		m    wallet.Mnemonic
		want string
	}{
		"no mnemonic":        {wallet.Mnemonic{}, "0 words instead of 24"},
		"23 words":           {wallet.MnemonicOf(strings.Join(words[:23], " ")), "23 words instead of 24"},
		"words out of order": {wallet.MnemonicOf(strings.Join(swapped, " ")), "do not pass its check"},
	} {
		_, err := wallet.KeyFromMnemonic(c.m)
		if !errors.Is(err, wallet.ErrMnemonic) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
	}
}

// What is signed is what the reference wallet would have signed from the same
// seqno and deadline.
func TestSameAsReferenceWallet(t *testing.T) {
	for v, c := range map[ton.WalletVersion]reference.VersionConfig{
		ton.V5R1: reference.ConfigV5R1Final{NetworkGlobalID: ton.Mainnet}, ton.V4R2: reference.V4R2,
	} {
		w := newWallet(t, v)
		ref, err := reference.FromPrivateKey(nil, seedKey(), c)
		if err != nil {
			t.Fatal(err)
		}
		ref.GetSpec().(interface {
			SetSeqnoFetcher(func(context.Context, uint32) (uint32, error))
		}).SetSeqnoFetcher(func(context.Context, uint32) (uint32, error) { return 5, nil })
		p := payload(w, 3)
		var messages []*reference.Message
		for _, tr := range p.Transfers {
			b, _ := tr.Body.Cell()
			messages = append(messages, &reference.Message{Mode: 3, InternalMessage: &tlb.InternalMessage{
				IHRDisabled: true, DstAddr: tr.To.TLB(), Amount: tlb.FromNanoTONU(uint64(tr.Amount)), Body: b}})
		}
		ext, err := ref.PrepareExternalMessageForMany(t.Context(), true, messages)
		if err != nil {
			t.Fatal(err)
		}
		// The reference reads its own clock, so its deadline is taken over.
		c, _, err := ton.SplitBody(v, ext.Body)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := ton.ParsePayload(v, c)
		if err != nil {
			t.Fatal(err)
		}
		p.ValidUntil = theirs.ValidUntil
		signed, err := w.Sign(p, true)
		if err != nil {
			t.Fatal(err)
		}
		want, err := tlb.ToCell(ext)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := signed.Hash(); got != ton.Hash(want.Hash()) {
			t.Errorf("%s: the messages differ", v)
		}
	}
}
