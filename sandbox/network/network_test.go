package network_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

var (
	start     = time.Unix(1_800_000_000, 0)
	collector = ton.Address{Account: [32]byte{0xc0, 1}}
)

func options() network.Options {
	return network.Options{Seed: [32]byte{1}, Clock: func() time.Time { return start }}
}

func newNetwork(t *testing.T, o network.Options) *network.Network {
	t.Helper()
	n, err := network.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func produce(t *testing.T, n *network.Network) network.Block {
	t.Helper()
	b, err := n.Produce()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// payer is a wallet that the tests sign with.
type payer struct {
	wallet ton.Wallet
	key    ed25519.PrivateKey
	seqno  uint32
}

func newPayer(n *network.Network, v ton.WalletVersion) *payer {
	key := ed25519.NewKeyFromSeed([]byte("a wallet that only tests ever use"[:32]))
	return &payer{wallet: ton.Wallet{Version: v, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: n.GlobalID()}, key: key}
}

// pay signs transfers to the collector, each with its ref as the comment.
func (p *payer) pay(t *testing.T, count int) ton.BoC {
	t.Helper()
	var transfers []ton.Transfer
	for i := range count {
		transfers = append(transfers, ton.Transfer{
			To: collector, Amount: ton.TON / 10, Body: ton.BoCOf(comment(ref(p.seqno, i)))})
	}
	return p.sign(t, transfers)
}

func (p *payer) sign(t *testing.T, transfers []ton.Transfer) ton.BoC {
	t.Helper()
	payload := ton.Payload{Wallet: p.wallet.Version, WalletID: p.wallet.ID(), Seqno: p.seqno,
		ValidUntil: uint32(start.Unix()) + 600, Transfers: transfers}
	c, err := payload.Encode()
	if err != nil {
		t.Fatal(err)
	}
	body, err := payload.Sign(ed25519.Sign(p.key, c.Hash()))
	if err != nil {
		t.Fatal(err)
	}
	var init *tlb.StateInit
	if p.seqno == 0 {
		init = p.wallet.StateInit()
	}
	boc, err := ton.External(p.wallet.Address(), init, body)
	if err != nil {
		t.Fatal(err)
	}
	p.seqno++
	return boc
}

func ref(seqno uint32, i int) string { return fmt.Sprintf("seqno %d, transfer %d", seqno, i) }

func comment(text string) *cell.Cell {
	return cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(text).EndCell()
}

func fund(t *testing.T, n *network.Network, p *payer, amount ton.Nano) {
	t.Helper()
	if err := n.Fund(p.wallet.Address(), amount); err != nil {
		t.Fatal(err)
	}
	produce(t, n)
}

// arrived are the comments that the collector received.
func arrived(t *testing.T, n *network.Network) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, c := range n.Received(collector, 0) {
		text, err := ton.Comment(c.Body)
		if err != nil || c.Amount != ton.TON/10 {
			t.Fatalf("a credit of %s with comment %q, %v", c.Amount, text, err)
		}
		got[text]++
	}
	return got
}

// dial connects a client that trusts block 1 of trusted and believes nothing.
func dial(t *testing.T, trusted *network.Network, s *network.Server) *liteton.APIClient {
	t.Helper()
	var config liteclient.GlobalConfig
	unmarshal(t, trusted.GlobalConfig(s), &config)
	pool := liteclient.NewConnectionPool()
	t.Cleanup(pool.Stop)
	if err := pool.AddConnectionsFromConfig(t.Context(), &config); err != nil {
		t.Fatal(err)
	}
	api := liteton.NewAPIClient(pool, liteton.ProofCheckPolicySecure)
	api.SetTrustedBlockFromConfig(&config)
	return api
}

func serve(t *testing.T, n *network.Network) *network.Server {
	t.Helper()
	s, err := n.Serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Every transfer of a message that a wallet signed arrives exactly once,
// however often the message is sent, and a client that checks every proof sees
// it.
func TestTransfersArriveOnce(t *testing.T) {
	for _, tc := range []struct {
		version ton.WalletVersion
		count   int
	}{{ton.V4R2, 4}, {ton.V5R1, 1}, {ton.V5R1, 255}} {
		t.Run(fmt.Sprintf("%s %d", tc.version, tc.count), func(t *testing.T) {
			n := newNetwork(t, options())
			api := dial(t, n, serve(t, n))
			p := newPayer(n, tc.version)
			fund(t, n, p, 100*ton.TON)
			want := map[string]int{}
			for seqno := range uint32(2) {
				boc := p.pay(t, tc.count)
				c, err := boc.Cell()
				if err != nil {
					t.Fatal(err)
				}
				var m tlb.ExternalMessage
				if err := tlb.Parse(&m, c); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if err := api.SendExternalMessage(t.Context(), &m); err != nil {
						t.Fatal(err)
					}
				}
				produce(t, n)
				if err := n.Send(boc); !errors.Is(err, network.ErrNotAccepted) {
					t.Errorf("a spent message: got %v, want ErrNotAccepted", err)
				}
				for i := range tc.count {
					want[ref(seqno, i)] = 1
				}
			}
			if diff := cmp.Diff(want, arrived(t, n)); diff != "" {
				t.Errorf("credits (-want +got):\n%s", diff)
			}
			read(t, api, p.wallet, tc.count)
		})
	}
}

// read checks what a client sees of the wallet, which was funded and then paid
// so many transfers, twice.
func read(t *testing.T, api *liteton.APIClient, w ton.Wallet, count int) {
	t.Helper()
	ctx := t.Context()
	master, err := api.GetMasterchainInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.GetAccount(ctx, master, w.Address().TLB())
	if err != nil {
		t.Fatal(err)
	}
	data, err := ton.ParseWalletData(w.Version, a.Data)
	if err != nil || data.Seqno != 2 {
		t.Errorf("seqno is %d, %v, want 2", data.Seqno, err)
	}
	list, err := api.ListTransactions(ctx, w.Address().TLB(), 16, a.LastTxLT, a.LastTxHash)
	if err != nil || len(list) != 3 {
		t.Errorf("%d transactions, %v, want 3", len(list), err)
	}
	shards, err := api.GetBlockShardsInfo(ctx, master)
	if err != nil || len(shards) != 1 {
		t.Fatalf("shards: %v, %v", shards, err)
	}
	if _, err := api.GetTransaction(ctx, shards[0], w.Address().TLB(), a.LastTxLT); err != nil {
		t.Errorf("the last transaction: %v", err)
	}
	in, _, err := api.GetBlockTransactionsV2(ctx, shards[0], 300)
	if err != nil || len(in) != count+1 {
		t.Errorf("%d transactions in the block, %v, want %d", len(in), err, count+1)
	}
	config, err := api.GetBlockchainConfig(ctx, master)
	if err != nil || config.Get(34) == nil {
		t.Errorf("configuration: %v", err)
	}
	if _, err := api.GetBlockchainConfig(ctx, master, 8, 34); err != nil {
		t.Errorf("two parameters: %v", err)
	}
	if _, err := api.GetBlockData(ctx, master); err != nil {
		t.Errorf("block: %v", err)
	}
	found, err := api.LookupBlock(ctx, -1, master.Shard, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.GetAccount(ctx, found, w.Address().TLB()); err != nil {
		t.Errorf("account at an earlier block: %v", err)
	}
	r, err := api.RunGetMethod(ctx, master, w.Address().TLB(), "seqno")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.MustInt(0).Int64(); got != 2 {
		t.Errorf("the method says seqno %d, want 2", got)
	}
	nobody, err := api.GetAccount(ctx, master, ton.Address{Account: [32]byte{9}}.TLB())
	if err != nil || nobody.IsActive {
		t.Errorf("an account that never was: %v, %v", nobody, err)
	}
}

// A network with another seed is refused by a client that pins this one's
// block 1, and mainnet's id is never taken.
func TestForeignNetworkIsRefused(t *testing.T) {
	ours := newNetwork(t, options())
	o := options()
	o.Seed[5] = 7
	foreign := newNetwork(t, o)
	produce(t, ours)
	produce(t, foreign)
	api := dial(t, ours, serve(t, foreign))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if b, err := api.GetMasterchainInfo(ctx); err == nil {
		t.Errorf("block %d of a foreign network was believed", b.SeqNo)
	}
	o.GlobalID = ton.Mainnet
	if _, err := network.New(o); !errors.Is(err, network.ErrMainnet) {
		t.Errorf("got %v, want ErrMainnet", err)
	}
}

// A message that is expired, or foreign bytes, is not taken.
func TestSendRefuses(t *testing.T) {
	n := newNetwork(t, options())
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, ton.TON)
	boc := p.pay(t, 1)
	for _, b := range [][]byte{nil, []byte("te6cc"), make([]byte, 70_000), ton.BoCOf(comment("x"))} {
		if err := n.Send(b); err == nil {
			t.Errorf("%d bytes that are no message were taken", len(b))
		}
	}
	n.AdvanceTime(600 * time.Second)
	if err := n.Send(boc); !errors.Is(err, network.ErrNotAccepted) {
		t.Errorf("at its last second: got %v, want ErrNotAccepted", err)
	}
}

// Each fate shows the sender, and the chain, what its name says.
func TestFates(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fate   network.Fate
		err    error
		blocks int // until it arrives; 0: never
	}{
		{"usual", network.Fate{}, nil, 1},
		{"refused", network.Fate{Refuse: true}, network.ErrRefused, 0},
		{"dropped", network.Fate{Drop: true}, nil, 0},
		{"answer lost", network.Fate{AnswerLost: true}, network.ErrAnswerLost, 1},
		{"delayed", network.Fate{Delay: 2}, nil, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := newNetwork(t, options())
			p := newPayer(n, ton.V5R1)
			fund(t, n, p, ton.TON)
			n.SetFates(func(ton.Hash) network.Fate { return tc.fate })
			if err := n.Send(p.pay(t, 1)); !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			got := 0
			for i := 1; i <= 4; i++ {
				produce(t, n)
				if len(n.Received(collector, 0)) > 0 && got == 0 {
					got = i
				}
			}
			if got != tc.blocks {
				t.Errorf("arrived in block %d, want %d", got, tc.blocks)
			}
		})
	}
}

// Run makes a block soon after a message was sent, long before its tick, and
// ends with its context.
func TestRunIsPrompt(t *testing.T) {
	n := newNetwork(t, options())
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, ton.TON)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- n.Run(ctx, time.Hour) }()
	changed := n.Changed()
	if err := n.Send(p.pay(t, 1)); err != nil {
		t.Fatal(err)
	}
	<-changed
	if got := len(n.Received(collector, 0)); got != 1 {
		t.Errorf("%d credits, want 1", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A stalled network takes messages and makes no block of them until it goes on.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, options())
		p := newPayer(n, ton.V5R1)
		fund(t, n, p, ton.TON)
		n.Stall(true)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- n.Run(ctx, time.Second) }()
		last := n.Last().Seqno
		if err := n.Send(p.pay(t, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := n.Last().Seqno; got != last {
			t.Errorf("a stalled network made block %d", got)
		}
		n.Stall(false)
		time.Sleep(10 * time.Millisecond) // long before the next tick
		if got := len(n.Received(collector, 0)); got != 1 {
			t.Errorf("%d credits, want 1", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// The time of blocks never runs backwards, whatever the clock does.
func TestTimeIsMonotone(t *testing.T) {
	n := newNetwork(t, options())
	n.AdvanceTime(time.Hour)
	want := produce(t, n).Time
	n.AdvanceTime(-2 * time.Hour)
	if got := produce(t, n).Time; got != want {
		t.Errorf("time %d, want %d", got, want)
	}
}

// A transfer that bounces is no credit of the receiver, and comes back to the
// wallet marked as bounced; one that does not bounce is a credit of an account
// without a contract.
func TestBounce(t *testing.T) {
	n := newNetwork(t, options())
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, ton.TON)
	if err := n.Send(p.sign(t, []ton.Transfer{
		{To: collector, Bounce: true, Amount: ton.TON / 10, Body: ton.BoCOf(comment("bounce"))},
		{To: collector, Amount: ton.TON / 10, Body: ton.BoCOf(comment("stay"))},
	})); err != nil {
		t.Fatal(err)
	}
	produce(t, n)
	if diff := cmp.Diff(map[string]int{"stay": 1}, arrived(t, n)); diff != "" {
		t.Errorf("credits (-want +got):\n%s", diff)
	}
	back := n.Received(p.wallet.Address(), 0)
	if len(back) != 2 || back[0].From != n.Faucet() || !back[1].Bounced || back[1].From != collector {
		t.Errorf("credits of the wallet: %+v", back)
	}
	if got := n.Received(p.wallet.Address(), back[0].LT); len(got) != 1 {
		t.Errorf("%d credits after the first, want 1", len(got))
	}
}
