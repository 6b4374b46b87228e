package chain_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A liar is a lite server that asks an honest one and may change what it says.
type liar struct {
	lie atomic.Pointer[func(answer tl.Serializable) tl.Serializable]
}

// lies makes the liar change every answer of type A from now on.
func lies[A tl.Serializable](l *liar, change func(A) tl.Serializable) {
	f := func(answer tl.Serializable) tl.Serializable {
		if a, ok := answer.(A); ok {
			return change(a)
		}
		return answer
	}
	l.lie.Store(&f)
}

// liar dials the network through a liar and nobody else.
func (w *world) liar() (*liar, *chain.Client) {
	w.Helper()
	var honest liteclient.GlobalConfig
	if err := json.Unmarshal(w.config, &honest); err != nil {
		w.Fatal(err)
	}
	pool := liteclient.NewConnectionPool()
	if err := pool.AddConnectionsFromConfig(w.Context(), &honest); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(pool.Stop)

	l := &liar{}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0x11}, 32))
	server := liteclient.NewServer([]ed25519.PrivateKey{key})
	server.SetQueryHandler(func(ctx context.Context, c *liteclient.ServerClient, id []byte, query tl.Serializable) {
		id = bytes.Clone(id)
		go func() {
			var answer tl.Serializable
			if err := pool.QueryLiteserver(ctx, query, &answer); err != nil {
				answer = liteton.LSError{Code: -400, Text: err.Error()}
			}
			if lie := l.lie.Load(); lie != nil {
				answer = (*lie)(answer)
			}
			_ = c.Answer(id, answer)
		}()
	})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	_ = free.Close()
	go func() { _ = server.Listen(addr.String()) }()
	w.Cleanup(func() { _ = server.Close() })
	for {
		if c, err := net.Dial("tcp", addr.String()); err == nil {
			_ = c.Close()
			break
		}
		if w.Context().Err() != nil {
			w.Fatal("the liar does not listen")
		}
	}

	var config map[string]json.RawMessage
	if err := json.Unmarshal(w.config, &config); err != nil {
		w.Fatal(err)
	}
	config["liteservers"], err = json.Marshal([]map[string]any{{
		"ip": int64(int32(0x7f000001)), "port": addr.Port,
		"id": map[string]any{"@type": "pub.ed25519", "key": []byte(key.Public().(ed25519.PublicKey))},
	}})
	if err != nil {
		w.Fatal(err)
	}
	b, err := json.Marshal(config)
	if err != nil {
		w.Fatal(err)
	}
	client, err := chain.Dial(w.Context(), b, chain.Options{})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(client.Close)
	return l, client
}

// What a lite server says of an account is believed with its proof only: no
// other state of it, no other account's, none of an older block.
func TestALyingServerIsNotBelievedAboutAnAccount(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	l, client := w.liar()
	look := func() (ton.Account, error) {
		return client.Account(t.Context(), w.wallet.Address(), ton.V5R1)
	}
	var before atomic.Pointer[liteton.AccountState] // with the seqno that is spent later
	lies(l, func(a liteton.AccountState) tl.Serializable { before.Store(&a); return a })
	w.fund(10 * ton.TON)
	w.pay(w.payload(0, ton.TON), true)
	old, err := look()
	if err != nil || old.Data.Seqno != 1 {
		t.Fatalf("the truth: %+v, %v", old, err)
	}
	then := *before.Load()
	w.pay(w.payload(1, ton.TON), false)
	for name, change := range map[string]func(a *liteton.AccountState){
		"the state before the payment": func(a *liteton.AccountState) { a.State = then.State },
		"the proof before the payment": func(a *liteton.AccountState) { a.Proof, a.State = then.Proof, then.State },
		"the shard before the payment": func(a *liteton.AccountState) {
			a.Shard, a.ShardProof, a.Proof, a.State = then.Shard, then.ShardProof, then.Proof, then.State
		},
		"the answer before the payment": func(a *liteton.AccountState) { *a = then },
		"no state":                      func(a *liteton.AccountState) { a.State = nil },
		"another state":                 func(a *liteton.AccountState) { a.State = cell.BeginCell().MustStoreBoolBit(false).EndCell() },
		"no proof":                      func(a *liteton.AccountState) { a.Proof = nil },
		"no shard proof":                func(a *liteton.AccountState) { a.ShardProof = nil },
		"no accounts in the proof": func(a *liteton.AccountState) {
			// Proven as far as it goes: all else of the shard's state is left in.
			whole, err := a.Proof[1].PeekRef(0)
			if err != nil {
				t.Error(err)
				return
			}
			//lint:ignore SA1019 a liar chooses what its proof shows; the new builder records what was read
			left := cell.CreateProofSkeleton()
			//lint:ignore SA1019 as above
			left.ProofRef(0)
			//lint:ignore SA1019 as above
			left.ProofRef(2)
			//lint:ignore SA1019 as above
			proof, err := whole.CreateProof(left)
			if err != nil {
				t.Error(err)
			}
			a.Proof, a.State = []*cell.Cell{a.Proof[0], proof}, nil
		},
	} {
		lies(l, func(a liteton.AccountState) tl.Serializable { change(&a); return a })
		if got, err := look(); err == nil {
			t.Errorf("%s was believed: %+v", name, got)
		}
	}
	lies(l, func(a liteton.AccountState) tl.Serializable { return a })
	if got, err := look(); err != nil || got.Data.Seqno != 2 {
		t.Errorf("the truth again: %+v, %v", got, err)
	}
}

// A server that knows an older block than we do is behind, and what it says of
// the chain's end is not taken.
func TestTheChainIsNotSeenGoingBack(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	l, client := w.liar()
	var old atomic.Pointer[liteton.MasterchainInfo]
	lies(l, func(a liteton.MasterchainInfo) tl.Serializable { old.Store(&a); return a })
	w.produce()
	if _, err := client.Time(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := *old.Load()
	w.produce()
	if _, err := client.Time(t.Context()); err != nil {
		t.Fatal(err)
	}
	lies(l, func(liteton.MasterchainInfo) tl.Serializable { return first })
	if _, err := client.Account(t.Context(), w.wallet.Address(), ton.V5R1); !errors.Is(err, chain.ErrStale) {
		t.Errorf("got %v, want ErrStale", err)
	}
	// Nor a block that nobody proved.
	lies(l, func(a liteton.MasterchainInfo) tl.Serializable {
		forged := *a.Last
		forged.SeqNo, forged.RootHash = forged.SeqNo+1, bytes.Repeat([]byte{1}, 32)
		a.Last = &forged
		return a
	})
	if now, err := client.Time(t.Context()); err == nil {
		t.Errorf("a forged block was believed: time %d", now)
	}
}

// Each transaction is the one that the next names: none is left out, none is
// replaced, none is told twice.
func TestALyingServerIsNotBelievedAboutTheHistory(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	l, client := w.liar()
	w.fund(10 * ton.TON)
	w.pay(w.payload(0, ton.TON), true)
	for n := uint32(1); n < 3; n++ {
		w.pay(w.payload(n, ton.TON), false)
	}
	from := w.account().Last
	history := func() ([]ton.Transaction, error) {
		return client.History(t.Context(), w.wallet.Address(), from, ton.Position{})
	}
	honest, err := history()
	if err != nil || len(honest) != 4 {
		t.Fatalf("the truth: %d transactions, %v", len(honest), err)
	}
	for name, change := range map[string]func([]*cell.Cell) []*cell.Cell{
		"left out":     func(c []*cell.Cell) []*cell.Cell { return append(c[:1:1], c[2:]...) },
		"exchanged":    func(c []*cell.Cell) []*cell.Cell { return append([]*cell.Cell{c[0], c[2], c[1]}, c[3:]...) },
		"told twice":   func(c []*cell.Cell) []*cell.Cell { return append([]*cell.Cell{c[0], c[1], c[1]}, c[2:]...) },
		"another head": func(c []*cell.Cell) []*cell.Cell { return c[1:] },
		"forged":       func(c []*cell.Cell) []*cell.Cell { return append([]*cell.Cell{c[0], later(t, c[1])}, c[2:]...) },
	} {
		lies(l, func(a liteton.TransactionList) tl.Serializable {
			cells, err := cell.FromBOCMultiRoot(a.Transactions)
			if err != nil || len(cells) < 4 {
				return a
			}
			a.Transactions = cell.ToBOCWithOptions(change(cells), cell.BOCSerializeOptions{})
			return a
		})
		if got, err := history(); err == nil {
			t.Errorf("%s: %d transactions were believed", name, len(got))
		} else if !strings.Contains(err.Error(), "not the one") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// later is a transaction with another time, and the same in all else.
func later(t *testing.T, tx *cell.Cell) *cell.Cell {
	s, err := tx.BeginParse()
	if err != nil {
		t.Fatal(err)
	}
	const before = 4 + 256 + 64 + 256 + 64 // tag, account, logical time, and the transaction before
	head, err := s.LoadSlice(before)
	if err != nil {
		t.Fatal(err)
	}
	now, err := s.LoadUInt(32)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := s.ToCell()
	if err != nil {
		t.Fatal(err)
	}
	return cell.BeginCell().MustStoreSlice(head, before).MustStoreUInt(now+1, 32).MustStoreBuilder(rest.ToBuilder()).EndCell()
}
