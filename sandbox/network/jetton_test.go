package network_test

import (
	"encoding/hex"
	"path/filepath"
	"testing"

	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

func mint(t *testing.T, n *network.Network, to ton.Address, units int64) {
	t.Helper()
	if err := n.Mint(to, units); err != nil {
		t.Fatal(err)
	}
	produce(t, n)
}

// usdt is a transfer of so many micro-USDT to the collector, as Fragment asks
// for it.
func usdt(t *testing.T, n *network.Network, p *payer, units int64, gas ton.Nano, text string) ton.Transfer {
	t.Helper()
	c, err := ton.JettonTransfer{
		QueryID: 77, Amount: units, Destination: collector, Response: p.wallet.Address(), Forward: 1, Payload: ton.BoCOf(comment(text)),
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return ton.Transfer{To: n.JettonWallet(p.wallet.Address()), Bounce: true, Amount: gas, Body: ton.BoCOf(c)}
}

func send(t *testing.T, n *network.Network, p *payer, transfers ...ton.Transfer) {
	t.Helper()
	if err := n.Send(p.sign(t, transfers)); err != nil {
		t.Fatal(err)
	}
	produce(t, n)
}

// The contracts are those of mainnet: the same code leads to the same address
// of a jetton wallet as there. 0:2626cf30… is a real one, and its data say
// whose it is.
func TestJettonContractsAreMainnets(t *testing.T) {
	data, err := hex.DecodeString("b5ee9c7201010101004c000093060a5b6d37673980047f52f3231e3fce05b722017f087d0f8e02bd99a7348e43d36d7582e178099c7002c44ea652d4092859c67da44e4ca3add6565b0e2897d640a2c51bfb370d8877fa")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cell.FromBOC(data)
	if err != nil {
		t.Fatal(err)
	}
	s := c.MustBeginParse()
	s.MustLoadUInt(4)
	s.MustLoadBigCoins()
	owner, _ := ton.AddressOf(s.MustLoadAddr())
	if master, _ := ton.AddressOf(s.MustLoadAddr()); master != ton.USDTMaster {
		t.Fatalf("the sample is of %s", master)
	}
	got, err := network.JettonWalletOf(ton.USDTMaster, owner)
	if err != nil {
		t.Fatal(err)
	}
	if want := ton.MustParseAddress("0:2626CF30B702BDDED845EFC883EFA45029FF59DEFDACC4CE7B8B0A5966D75002"); got != want {
		t.Errorf("the jetton wallet is %s, on mainnet it is %s", got.Raw(), want.Raw())
	}
}

// A transfer of USDT arrives at the receiver's jetton wallet, tells the
// receiver, and gives what is left of the gas back.
func TestJettonTransferArrives(t *testing.T) {
	n := newNetwork(t, options())
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, 10*ton.TON)
	mint(t, n, p.wallet.Address(), 5_000_000)
	send(t, n, p, usdt(t, n, p, 750_000, ton.TON/20, "50 Telegram Stars"))
	if got := n.JettonBalance(collector); got != 750_000 {
		t.Errorf("the collector has %d, want 750000", got)
	}
	if got := n.JettonBalance(p.wallet.Address()); got != 4_250_000 {
		t.Errorf("the payer has %d left, want 4250000", got)
	}
	told := n.Received(collector, 0)
	if len(told) != 1 || told[0].From != n.JettonWallet(collector) || told[0].Amount != 1 {
		t.Errorf("the collector was told %+v", told)
	}
	left := n.Received(p.wallet.Address(), 0)
	query, ok := ton.JettonExcesses(left[len(left)-1].Body)
	if !ok || query != 77 {
		t.Errorf("no gas came back: %+v", left)
	}
}

// The wallet's own transaction looks the same when its jetton wallet refuses:
// for want of USDT, or of gas. Then nothing moves and the gas bounces.
func TestJettonTransferBounces(t *testing.T) {
	for name, pay := range map[string]func(*network.Network, *payer) ton.Transfer{
		"USDT short": func(n *network.Network, p *payer) ton.Transfer { return usdt(t, n, p, 5_000_001, ton.TON/20, "x") },
		"gas short":  func(n *network.Network, p *payer) ton.Transfer { return usdt(t, n, p, 750_000, ton.TON/1000, "x") },
	} {
		n := newNetwork(t, options())
		p := newPayer(n, ton.V5R1)
		fund(t, n, p, 10*ton.TON)
		mint(t, n, p.wallet.Address(), 5_000_000)
		send(t, n, p, pay(n, p))
		if got := n.JettonBalance(p.wallet.Address()); got != 5_000_000 {
			t.Errorf("%s: the payer has %d left", name, got)
		}
		back := n.Received(p.wallet.Address(), 0)
		last := back[len(back)-1]
		if query, _, ok := ton.BouncedJetton(last.Body); !ok || !last.Bounced || query != 77 {
			t.Errorf("%s: nothing came back: %+v", name, last)
		}
	}
}

// A network that is opened again has the same jettons.
func TestJettonsAreKept(t *testing.T) {
	o, path := options(), filepath.Join(t.TempDir(), "network.jsonl")
	n, err := network.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	mint(t, n, collector, 7)
	mint(t, n, collector, 5)
	last := n.Last()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := network.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := again.JettonBalance(collector); got != 12 || again.Last() != last {
		t.Errorf("after a replay it has %d, at %+v", got, again.Last())
	}
}
