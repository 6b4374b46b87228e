package chain_test

import (
	"fmt"
	"testing"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

var usdtCollector = ton.Address{Account: [32]byte{0xc0, 1}}

func (w *world) mint(units int64) {
	w.Helper()
	if err := w.net.Mint(w.wallet.Address(), units); err != nil {
		w.Fatal(err)
	}
	w.produce()
}

func (w *world) jetton(owner ton.Address) ton.Jetton {
	w.Helper()
	j, err := w.client.Jetton(w.Context(), w.net.JettonMaster(), owner)
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// usdt is a payment of so many micro-USDT to the collector.
func (w *world) usdt(seqno uint32, units int64, note string) (ton.Payload, ton.JettonTransfer) {
	w.Helper()
	text := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(note).EndCell()
	j := ton.JettonTransfer{QueryID: 5, Amount: units, Destination: usdtCollector, Response: w.wallet.Address(), Forward: 1, Payload: ton.BoCOf(text)}
	c, err := j.Encode()
	if err != nil {
		w.Fatal(err)
	}
	p := w.payload(seqno)
	p.Transfers = []ton.Transfer{{To: w.net.JettonWallet(w.wallet.Address()), Bounce: true, Amount: ton.TON / 20, Body: ton.BoCOf(c)}}
	return p, j
}

// Where an owner's USDT is follows from the master's proven state, and how
// much from the proven state of that account; what was never used has none.
func TestJettonFollowsTheChain(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.client.Jetton(t.Context(), w.net.JettonMaster(), w.wallet.Address()); err == nil {
		t.Error("a master that does not exist has jetton wallets")
	}
	w.fund(10 * ton.TON)
	w.mint(5_000_000)
	if j := w.jetton(w.wallet.Address()); j.Wallet != w.net.JettonWallet(w.wallet.Address()) || j.Balance != 5_000_000 || j.Locked || j.Time != began {
		t.Errorf("after a mint: %+v", j)
	}
	if j := w.jetton(usdtCollector); j.Wallet != w.net.JettonWallet(usdtCollector) || j.Balance != 0 {
		t.Errorf("never used: %+v", j)
	}
	p, _ := w.usdt(0, 750_000, "x")
	w.pay(p, true)
	if j := w.jetton(w.wallet.Address()); j.Balance != 4_250_000 {
		t.Errorf("after a payment: %+v", j)
	}
	if j := w.jetton(usdtCollector); j.Balance != 750_000 {
		t.Errorf("the receiver: %+v", j)
	}
	if _, err := w.client.Jetton(t.Context(), w.wallet.Address(), usdtCollector); err == nil {
		t.Error("a wallet makes jettons")
	}
}

// The trail of a payment leads from the payer's jetton wallet to the
// receiver's, and shows what came in there; where it bounced it ends before.
func TestTrail(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.fund(10 * ton.TON)
	w.mint(5_000_000)
	before := w.trail(w.net.JettonWallet(w.wallet.Address()), 0)[0].LT // of the mint
	p, j := w.usdt(0, 750_000, "first")
	w.pay(p, true)
	sent := w.trail(w.net.JettonWallet(w.wallet.Address()), before)
	if len(sent) != 1 || !sent[0].Success || sent[0].In.From != w.wallet.Address() || len(sent[0].Out) != 1 || sent[0].Out[0].To != w.net.JettonWallet(usdtCollector) {
		t.Fatalf("sent: %+v", sent)
	}
	got := w.trail(w.net.JettonWallet(usdtCollector), before)
	if len(got) != 1 || !got[0].Success || ton.Hash(got[0].In.Body.Hash()) != sent[0].Out[0].BodyHash {
		t.Fatalf("received: %+v", got)
	}
	in, err := ton.ParseJettonInternal(got[0].In.Body)
	if err != nil || in.Amount != j.Amount || in.From != w.wallet.Address() || in.QueryID != j.QueryID || in.Payload.Base64() != j.Payload.Base64() {
		t.Errorf("what came in: %+v, %v", in, err)
	}
	p, _ = w.usdt(1, 9_000_000, "too much")
	w.pay(p, false)
	later := w.trail(w.net.JettonWallet(w.wallet.Address()), sent[0].LT)
	if len(later) != 1 || later[0].Success {
		t.Errorf("a jetton wallet that refuses: %+v", later)
	}
	if got := w.trail(w.net.JettonWallet(usdtCollector), got[0].LT); len(got) != 0 {
		t.Errorf("received for nothing: %+v", got)
	}
	if got := w.trail(ton.Address{Account: [32]byte{1}}, 0); len(got) != 0 {
		t.Errorf("nobody's trail: %+v", got)
	}
}

func (w *world) trail(a ton.Address, after uint64) []ton.Transaction {
	w.Helper()
	list, err := w.client.Trail(w.Context(), a, after)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// What a message costs whose transfers all pay in USDT is within the allowance
// that is kept back for it, however many there are.
func TestFeesOfUSDTAreWithinTheirAllowance(t *testing.T) {
	for v, counts := range map[ton.WalletVersion][]int{ton.V5R1: {1, 4, 60, 255}, ton.V4R2: {1, 4}} {
		w := newWorld(t, v)
		w.fund(1000 * ton.TON)
		w.mint(1_000_000_000)
		for _, n := range counts {
			p := w.payload(0)
			for i := range n {
				one, _ := w.usdt(0, 28_990_000, fmt.Sprintf("Telegram Premium for 3 months \n\nRef#%09d", i))
				p.Transfers = append(p.Transfers, one.Transfers...)
			}
			e, err := w.client.Emulate(t.Context(), w.wallet.Public(), p)
			if err != nil || e.Sent != n {
				t.Fatalf("%s, %d transfers: %+v, %v", v, n, e, err)
			}
			if err := firewall.CheckFees(e.Fees, n, n); err != nil {
				t.Errorf("%s, %d transfers: %v", v, n, err)
			}
		}
	}
}
