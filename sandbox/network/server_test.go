package network_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/liteclient"
	liteton "github.com/xssnick/tonutils-go/ton"
)

// A closed server answers nobody, not even over a connection that it had, and
// leaves no goroutine behind.
func TestCloseLeavesNothing(t *testing.T) {
	n := newNetwork(t, options())
	before := runtime.NumGoroutine()
	for range 3 {
		s, err := n.Serve("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var config liteclient.GlobalConfig
		unmarshal(t, n.GlobalConfig(s), &config)
		pool := liteclient.NewConnectionPool()
		cut := make(chan struct{}, 1)
		pool.SetOnDisconnect(func(string, string) { cut <- struct{}{} }) // and does not connect again
		if err := pool.AddConnectionsFromConfig(t.Context(), &config); err != nil {
			t.Fatal(err)
		}
		api := liteton.NewAPIClient(pool, liteton.ProofCheckPolicySecure)
		api.SetTrustedBlockFromConfig(&config)
		if _, err := api.GetMasterchainInfo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		<-cut
		pool.Stop()
	}
	// Writers end on their own once their connection is cut.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// A client that has synchronised to some block goes on from it, and from any
// block after it.
func TestEveryBlockLeadsToTheLast(t *testing.T) {
	n := newNetwork(t, options())
	api := dial(t, n, serve(t, n))
	for range 5 {
		produce(t, n)
		b, err := api.GetMasterchainInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.SeqNo != n.Last().Seqno {
			t.Errorf("block %d, want %d", b.SeqNo, n.Last().Seqno)
		}
		api.SetTrustedBlock(b)
	}
}

// Every transaction is shown with what it changed: each one begins with the
// account that the one before it ended with.
func TestOnTransactionShowsAll(t *testing.T) {
	last := map[ton.Hash]bool{}
	var count, linked int
	o := options()
	o.OnTransaction = func(e network.Executed) error {
		count++
		if last[ton.Hash(e.Before.Hash())] {
			linked++
		}
		last[ton.Hash(e.After.Hash())] = true
		if e.Message == nil || e.Transaction == nil || e.Config == nil || e.LT == 0 || e.Time == 0 || e.RandSeed == [32]byte{} {
			t.Errorf("something is missing: %+v", e)
		}
		return nil
	}
	n := newNetwork(t, o)
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, 10*ton.TON)
	if err := n.Send(p.pay(t, 7)); err != nil {
		t.Fatal(err)
	}
	produce(t, n)
	// Funded, paid, and seven credits; the wallet's second transaction and
	// the collector's last six follow one.
	if count != 9 || linked != 7 {
		t.Errorf("%d transactions, %d of them linked; want 9 and 7", count, linked)
	}
}

// Ten thousand payments arrive, each once, and what is long past is proven
// still.
func TestManyPayments(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	n := newNetwork(t, options())
	api := dial(t, n, serve(t, n))
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, 2000*ton.TON)
	for range 40 {
		if err := n.Send(p.pay(t, 250)); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			produce(t, n)
		}
	}
	got := arrived(t, n)
	if len(got) != 10_000 {
		t.Errorf("%d payments arrived, want 10000", len(got))
	}
	for text, times := range got {
		if times != 1 {
			t.Errorf("%q arrived %d times", text, times)
		}
	}
	if _, err := api.GetMasterchainInfo(t.Context()); err != nil {
		t.Errorf("the last block: %v", err)
	}
	b, err := api.LookupBlock(t.Context(), -1, -0x8000000000000000, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.GetBlockShardsInfo(t.Context(), b); err != nil {
		t.Errorf("an old block: %v", err)
	}
}
