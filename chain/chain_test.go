package chain_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

const began = 1_790_000_000

// world is a network, a client of its lite server and a wallet.
type world struct {
	*testing.T
	net    *network.Network
	config []byte
	client *chain.Client
	wallet *wallet.Wallet
}

func newWorld(t *testing.T, v ton.WalletVersion) *world {
	t.Helper()
	n, err := network.New(network.Options{Seed: [32]byte{1}, Clock: func() time.Time { return time.Unix(began, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	s, err := n.Serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{T: t, net: n, config: n.GlobalConfig(s)}
	w.client = w.dial(chain.Options{})
	key, err := wallet.KeyOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	if w.wallet, err = wallet.New(v, key, n.GlobalID()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) dial(o chain.Options) *chain.Client {
	w.Helper()
	c, err := chain.Dial(w.Context(), w.config, o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(c.Close)
	return c
}

func (w *world) fund(n ton.Nano) {
	w.Helper()
	if err := w.net.Fund(w.wallet.Address(), n); err != nil {
		w.Fatal(err)
	}
	w.produce()
}

func (w *world) produce() {
	w.Helper()
	if _, err := w.net.Produce(); err != nil {
		w.Fatal(err)
	}
}

func (w *world) account() ton.Account {
	w.Helper()
	a, err := w.client.Account(w.Context(), w.wallet.Address(), w.wallet.Public().Version)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *world) payload(seqno uint32, amounts ...ton.Nano) ton.Payload {
	p := ton.Payload{Wallet: w.wallet.Public().Version, WalletID: w.wallet.Public().ID(), Seqno: seqno, ValidUntil: began + 180}
	for i, a := range amounts {
		body := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(fmt.Sprintf("order %d of %d", i, seqno)).EndCell()
		p.Transfers = append(p.Transfers, ton.Transfer{To: ton.Address{Account: [32]byte{9}}, Amount: a, Body: ton.BoCOf(body)})
	}
	return p
}

// pay signs, broadcasts and produces a block.
func (w *world) pay(p ton.Payload, deploy bool) {
	w.Helper()
	signed, err := w.wallet.Sign(p, deploy)
	if err != nil {
		w.Fatal(err)
	}
	if err := w.client.Broadcast(w.Context(), signed); err != nil {
		w.Fatal(err)
	}
	w.produce()
}

// A wallet is seen as it stands at the newest block: untouched, then funded,
// then deployed by its first message, with the seqno of its own data.
func TestAccountFollowsTheChain(t *testing.T) {
	for _, v := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		t.Run(string(v), func(t *testing.T) {
			w := newWorld(t, v)
			if a := w.account(); a.Active || a.Balance != 0 || !a.Last.IsZero() || a.Time != began || a.BlockTime != began {
				t.Errorf("untouched: %+v", a)
			}
			w.fund(10 * ton.TON)
			if a := w.account(); a.Active || a.Balance < 9*ton.TON || a.Last.IsZero() {
				t.Errorf("funded: %+v", a)
			}
			w.pay(w.payload(0, ton.TON, 2*ton.TON), true)
			w.net.AdvanceTime(7 * time.Second)
			w.pay(w.payload(1, ton.TON), false)
			a := w.account()
			if !a.Active || a.Frozen || a.Data.Seqno != 2 || !a.Data.Plain || a.Data.ID != w.wallet.Public().ID() ||
				a.CodeHash != v.CodeHash() || a.Balance > 6*ton.TON || a.Time != began+7 || a.BlockTime != began+7 || a.Block != w.net.Last().Seqno {
				t.Errorf("after two messages: %+v", a)
			}
			if !a.Data.PublicKey.Equal(w.wallet.Public().PublicKey) {
				t.Error("another public key")
			}
			other := map[ton.WalletVersion]ton.WalletVersion{ton.V5R1: ton.V4R2, ton.V4R2: ton.V5R1}[v]
			// Of other code the hash is told, and the data is not guessed.
			if a, err := w.client.Account(t.Context(), w.wallet.Address(), other); err != nil || !a.Active || a.CodeHash != v.CodeHash() || a.Data.Seqno != 0 || a.Data.Plain {
				t.Errorf("read as a %s wallet: %+v, %v", other, a, err)
			}
		})
	}
}

// History is every transaction between two points, oldest first, across
// several pages of the server, and each of our messages is in it once.
func TestHistory(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.fund(100 * ton.TON)
	start := w.account().Last
	const messages = 37
	var sent []ton.Hash
	for i := range uint32(messages) {
		p := w.payload(i, ton.TON/10, ton.TON/5)
		h, err := p.Hash()
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, h)
		w.pay(p, i == 0)
	}
	from := w.account().Last
	got, err := w.client.History(t.Context(), w.wallet.Address(), from, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != messages {
		t.Fatalf("%d transactions, want %d", len(got), messages)
	}
	prev := start
	for i, tx := range got {
		c, _, err := ton.SplitBody(ton.V5R1, tx.External)
		if err != nil {
			t.Fatal(err)
		}
		if ton.Hash(c.Hash()) != sent[i] || tx.Prev != prev || !tx.Success || len(tx.Out) != 2 || tx.Fees <= 0 {
			t.Fatalf("transaction %d: %+v", i, tx)
		}
		for j, transfer := range w.payload(uint32(i), ton.TON/10, ton.TON/5).Transfers {
			if !tx.Out[j].Is(transfer) {
				t.Errorf("message %d of transaction %d is another: %+v", j, i, tx.Out[j])
			}
		}
		prev = tx.Position
	}
	all, err := w.client.History(t.Context(), w.wallet.Address(), from, ton.Position{})
	if err != nil || len(all) != messages+1 || all[0].In == nil || all[0].In.Amount != 100*ton.TON {
		t.Errorf("whole history: %d transactions, %v", len(all), err)
	}
	var walked []ton.Transaction
	for at := from; !at.IsZero(); {
		page, err := w.client.Page(t.Context(), w.wallet.Address(), at)
		if err != nil || len(page) == 0 || len(page) > 16 {
			t.Fatalf("a page of %d transactions: %v", len(page), err)
		}
		walked, at = append(walked, page...), page[len(page)-1].Prev
	}
	if slices.Reverse(walked); !slices.EqualFunc(walked, all, func(a, b ton.Transaction) bool { return a.Position == b.Position }) {
		t.Errorf("page by page there are %d transactions, want the same %d", len(walked), len(all))
	}
	if none, err := w.client.History(t.Context(), w.wallet.Address(), from, from); err != nil || len(none) != 0 {
		t.Errorf("nothing in between: %d transactions, %v", len(none), err)
	}
}

// A point that is not in the account's history is an error, not a shorter list.
func TestHistoryRefusesForeignPoints(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.fund(10 * ton.TON)
	w.pay(w.payload(0, ton.TON), true)
	from := w.account().Last
	forged := from
	forged.Hash[0] ^= 1
	if _, err := w.client.History(t.Context(), w.wallet.Address(), forged, ton.Position{}); err == nil {
		t.Error("a forged beginning was walked from")
	}
	if _, err := w.client.History(t.Context(), w.wallet.Address(), from, ton.Position{LT: from.LT - 1, Hash: ton.Hash{1}}); !errors.Is(err, chain.ErrForeignHistory) {
		t.Errorf("got %v", err)
	}
	gone := ton.Position{LT: from.LT + 1, Hash: ton.Hash{1}}
	if _, err := w.client.History(t.Context(), w.wallet.Address(), gone, ton.Position{}); !errors.Is(err, chain.ErrPruned) {
		t.Errorf("got %v", err)
	}
}

// What emulation says is what the chain then does.
func TestEmulationForetells(t *testing.T) {
	for _, v := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		t.Run(string(v), func(t *testing.T) {
			w := newWorld(t, v)
			w.fund(10 * ton.TON)
			for seqno, amounts := range [][]ton.Nano{{ton.TON}, {ton.TON, ton.TON, ton.TON}, {4 * ton.TON, 5 * ton.TON}, {}} {
				p := w.payload(uint32(seqno), amounts...)
				e, err := w.client.Emulate(t.Context(), w.wallet.Public(), p)
				if err != nil {
					t.Fatal(err)
				}
				before := w.account().Last
				w.pay(p, seqno == 0)
				got, err := w.client.History(t.Context(), w.wallet.Address(), w.account().Last, before)
				if err != nil || len(got) != 1 {
					t.Fatalf("%d transactions, %v", len(got), err)
				}
				want := chain.Emulation{Accepted: true, Success: got[0].Success, Sent: len(got[0].Out),
					Skipped: got[0].Skipped, Fees: got[0].Fees, ExitCode: got[0].ExitCode}
				if diff := cmp.Diff(want, e); diff != "" {
					t.Errorf("message %d, chain to emulation:\n%s", seqno, diff)
				}
				if e.Sent+e.Skipped != len(amounts) {
					t.Errorf("message %d: %+v", seqno, e)
				}
			}
		})
	}
}

// A message that the wallet would refuse is foretold too, and why.
func TestEmulationOfRefusedMessages(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if e, err := w.client.Emulate(t.Context(), w.wallet.Public(), w.payload(0, ton.TON)); err == nil && e.Accepted {
		t.Errorf("a wallet without money: %+v", e)
	}
	w.fund(10 * ton.TON)
	w.pay(w.payload(0, ton.TON), true)
	late := w.payload(1, ton.TON)
	late.ValidUntil = began
	for name, c := range map[string]struct {
		p    ton.Payload
		exit int32
	}{
		"a spent seqno":  {w.payload(0, ton.TON), 133},
		"a later seqno":  {w.payload(2, ton.TON), 133},
		"an expired one": {late, 136},
	} {
		e, err := w.client.Emulate(t.Context(), w.wallet.Public(), c.p)
		if want := (chain.Emulation{ExitCode: c.exit}); err != nil || e != want {
			t.Errorf("%s: got %+v, %v", name, e, err)
		}
	}
}

// The pinned block decides which network is believed: another network with the
// same servers' addresses and keys is refused, and a config that pins nothing
// is no config.
func TestTrust(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	edit := func(f func(validator map[string]any)) []byte {
		var c map[string]any
		d := json.NewDecoder(bytes.NewReader(w.config))
		d.UseNumber() // shards do not fit a float
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		f(c["validator"].(map[string]any))
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	forged := edit(func(v map[string]any) {
		v["init_block"].(map[string]any)["root_hash"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	})
	if _, err := chain.Dial(t.Context(), forged, chain.Options{}); err == nil || !strings.Contains(err.Error(), "proving") {
		t.Errorf("a network that does not hold the pinned block: %v", err)
	}
	none := edit(func(v map[string]any) { delete(v, "init_block") })
	if _, err := chain.Dial(t.Context(), none, chain.Options{}); !errors.Is(err, chain.ErrNoInitBlock) {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"", "{}", "[]", "{"} {
		if _, err := chain.Dial(t.Context(), []byte(bad), chain.Options{}); err == nil {
			t.Errorf("config %q was taken", bad)
		}
	}
	w.fund(ton.TON)
	w.account()
	saved := w.client.Trusted()
	if saved.Seqno != w.net.Last().Seqno {
		t.Errorf("trusted is %d, the newest is %d", saved.Seqno, w.net.Last().Seqno)
	}
	w.produce()
	again := w.dial(chain.Options{Trusted: &saved})
	if a, err := again.Account(t.Context(), w.wallet.Address(), ton.V5R1); err != nil || a.Balance == 0 {
		t.Errorf("from the saved block: %+v, %v", a, err)
	}
	saved.RootHash[5] ^= 1
	if _, err := chain.Dial(t.Context(), w.config, chain.Options{Trusted: &saved}); err == nil {
		t.Error("a saved block that never was is believed")
	}
}

// An error of Broadcast keeps the server's words, and nil promises nothing.
func TestBroadcast(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.fund(10 * ton.TON)
	wrong, err := w.wallet.Sign(w.payload(5, ton.TON), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.Broadcast(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "not accepted") {
		t.Errorf("got %v", err)
	}
	p := w.payload(0, ton.TON)
	signed, err := w.wallet.Sign(p, true)
	if err != nil {
		t.Fatal(err)
	}
	w.net.SetFates(func(ton.Hash) network.Fate { return network.Fate{Drop: true} })
	if err := w.client.Broadcast(t.Context(), signed); err != nil {
		t.Fatal(err)
	}
	w.produce()
	if a := w.account(); a.Active {
		t.Error("a dropped message was carried out")
	}
	w.net.SetFates(func(ton.Hash) network.Fate { return network.Fate{AnswerLost: true} })
	if err := w.client.Broadcast(t.Context(), signed); err == nil {
		t.Error("a lost answer is no error")
	}
	w.produce()
	if a := w.account(); a.Data.Seqno != 1 {
		t.Errorf("the message whose answer was lost was not carried out: %+v", a)
	}
}

// WaitBlock returns with the next block, and with the context when there is
// none.
func TestWaitBlock(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	last := w.net.Last().Seqno
	if err := w.client.WaitBlock(t.Context(), last-1); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.client.WaitBlock(t.Context(), last) }()
	select {
	case err := <-done:
		t.Fatalf("returned before the block: %v", err)
	default:
	}
	w.produce()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- w.client.WaitBlock(ctx, last+10) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Time and network id are the proven chain's.
func TestTimeAndNetwork(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.net.AdvanceTime(time.Hour)
	w.produce()
	if now, err := w.client.Time(t.Context()); err != nil || now != began+3600 {
		t.Errorf("time %d, %v", now, err)
	}
	if id, err := w.client.NetworkID(t.Context()); err != nil || id != w.net.GlobalID() {
		t.Errorf("network %d, %v", id, err)
	}
}
