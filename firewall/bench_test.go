package firewall_test

import (
	"bytes"
	"crypto/ed25519"
	"runtime"
	"testing"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ton"
)

// goal is how many offers one core has to check a second: then the firewall is
// never what a purchase waits for.
const goal = 20_000

// One core checks offers, from their bytes to the verdict.
func BenchmarkCheck(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := rules()
	w, o := stars()
	for b.Loop() {
		if err := firewall.Check(r, w, o); err != nil {
			b.Fatal(err)
		}
	}
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "checks/s")
	if b.N > goal && rate < goal {
		b.Errorf("%.0f checks a second, and the goal is %d", rate, goal)
	}
}

// One core checks signed messages with one transfer, from their bytes to the
// verdict, with the signature.
func BenchmarkCheckMessage(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0xc5}, ed25519.SeedSize))
	_, o := stars()
	m := o.Messages[0]
	w := ton.Wallet{Version: ton.V5R1, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
	p := ton.Payload{Wallet: w.Version, WalletID: w.ID(), Seqno: 7, ValidUntil: now + 60,
		Transfers: []ton.Transfer{{To: m.To, Amount: m.Amount, Body: m.Payload}}}
	hash, err := p.Hash()
	if err != nil {
		b.Fatal(err)
	}
	body, err := p.Sign(ed25519.Sign(key, hash[:]))
	if err != nil {
		b.Fatal(err)
	}
	message, err := ton.External(w.Address(), nil, body)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := firewall.CheckMessage(message, p, w, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}
