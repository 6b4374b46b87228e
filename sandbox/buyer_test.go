package sandbox_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

// buyer is who takes part in a world with nothing but its Facts.
type buyer struct {
	world  *sandbox.World
	chain  *chain.Client
	wallet *wallet.Wallet
	market *fragment.Client
}

var keys sync.Map // by words: deriving one takes a tenth of a second

func newBuyer(t *testing.T, w *sandbox.World, trusted *chain.BlockID) *buyer {
	t.Helper()
	client, err := chain.Dial(t.Context(), w.GlobalConfig, chain.Options{Trusted: trusted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	words := strings.Join(w.Mnemonic, " ")
	known, ok := keys.Load(words)
	if !ok {
		if known, err = wallet.KeyFromMnemonic(wallet.MnemonicOf(words)); err != nil {
			t.Fatal(err)
		}
		keys.Store(words, known)
	}
	key := known.(wallet.Key)
	signer, err := wallet.New(w.Version, key, w.NetworkID)
	if err != nil {
		t.Fatal(err)
	}
	return &buyer{w, client, signer, &fragment.Client{
		BaseURL: w.FragmentURL, Cookie: fragment.SecretOf(w.Cookie),
		Wallet: fragment.Account{Address: w.Wallet, NetworkID: w.NetworkID},
	}}
}

// order asks for 100 Stars for somebody and returns what is to be paid.
func (b *buyer) order(t *testing.T, handle string) ton.Transfer {
	t.Helper()
	p, err := b.market.Buy(t.Context(), fragment.Stars, handle, 100)
	if err != nil {
		t.Fatal(err)
	}
	return p.Transfer
}

func (b *buyer) price(t *testing.T) ton.Nano {
	t.Helper()
	price, err := b.market.Price(t.Context(), fragment.Stars, 100)
	if err != nil {
		t.Fatal(err)
	}
	return price
}

// pay sends transfers in one message and waits until they were executed.
func (b *buyer) pay(t *testing.T, transfers ...ton.Transfer) {
	t.Helper()
	b.wait(t, b.send(t, transfers...))
}

// send signs and sends, and returns the wallet as it was before.
func (b *buyer) send(t *testing.T, transfers ...ton.Transfer) ton.Account {
	t.Helper()
	before := b.account(t)
	signed, err := b.wallet.Sign(ton.Payload{
		Wallet: b.world.Version, WalletID: b.wallet.Public().ID(), Seqno: before.Data.Seqno,
		ValidUntil: before.Time + 600, Transfers: transfers,
	}, !before.Active)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.chain.Broadcast(t.Context(), signed); err != nil {
		t.Fatal(err)
	}
	return before
}

// wait returns once the wallet has spent a seqno.
func (b *buyer) wait(t *testing.T, before ton.Account) {
	t.Helper()
	for after := before; after.Active == before.Active && after.Data.Seqno == before.Data.Seqno; after = b.account(t) {
		if err := b.chain.WaitBlock(t.Context(), after.Block); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *buyer) account(t *testing.T) ton.Account {
	t.Helper()
	a, err := b.chain.Account(t.Context(), b.world.Wallet, b.world.Version)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// history is the wallet's, by time and hash, proven from the block that the
// client trusts.
func (b *buyer) history(t *testing.T) []ton.Position {
	t.Helper()
	list, err := b.chain.History(t.Context(), b.world.Wallet, b.account(t).Last, ton.Position{})
	if err != nil {
		t.Fatal(err)
	}
	var positions []ton.Position
	for _, x := range list {
		positions = append(positions, x.Position)
	}
	return positions
}
