//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// BenchmarkLarge takes what a person does with many grants, each time in a
// process of its own: CPU seconds and peak memory, and how many times the
// seconds of 10,000 grants those of 100,000 are. The goals for 10,000: validate
// 0.3 s, a plan with nothing to do 0.5 s and 100 MB, Markdown and HTML 1 s each;
// for 100,000 a plan with nothing to do 5 s and 500 MB, and nothing above 13
// times.
func BenchmarkLarge(b *testing.B) {
	binary := built(b)
	for _, what := range []struct {
		name  string
		given bool // everything was bought, or nothing
		args  []string
	}{
		{"validate", false, []string{"validate"}},
		{"plan-nothing-to-do", true, []string{"plan"}},
		{"plan-everything", false, []string{"plan"}},
		{"markdown", false, []string{"plan", "-markdown"}},
		{"json", false, []string{"plan", "-json"}},
		{"html", true, []string{"report", "-format", "html"}},
	} {
		mean := 0.0
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", what.name, n), func(b *testing.B) {
				dir := b.TempDir()
				many(b, dir, n, what.given)
				var cpu time.Duration
				var peak int64
				for b.Loop() {
					got := spawn(b, binary, append([]string{"-chdir", dir}, what.args...)...)
					if got.Code != 0 {
						b.Fatalf("%v ends with %d: %s", what.args, got.Code, got.Out)
					}
					cpu, peak = cpu+got.CPU, max(peak, got.Peak)
				}
				seconds := cpu.Seconds() / float64(b.N)
				b.ReportMetric(seconds, "CPU-s/op")
				b.ReportMetric(float64(peak)/1e6, "peak-MB")
				if mean > 0 {
					b.ReportMetric(seconds/mean, "times-10000")
				} else {
					mean = seconds
				}
			})
		}
	}
}

// many writes a project of n grants, in files of 10,000, with a ledger in which
// all of them were bought, or none.
func many(b *testing.B, dir string, n int, given bool) {
	b.Helper()
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	write("fragplan.yaml", `version: 1
wallet: {version: v5r1, address: `+manysWallet.String()+`}
ledger: .fragplan/ledger.db
limits:
  order: 20 TON
  run: 2000000 TON
  month: 2000000 TON
  undelivered: 2000000 TON
  price: {100 stars: 1.30 TON}
files: [people.yaml, grants/*.yaml]
`)
	var people, grants strings.Builder
	people.WriteString("people:\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&people, "  p%d: \"@person_%d\"\n", i, i)
		if i%10_000 == 1 {
			grants.WriteString("grants:\n")
		}
		fmt.Fprintf(&grants, "  g%d: {to: p%d, stars: 50, reason: best meme of November}\n", i, i)
		if i%10_000 == 0 || i == n {
			write(fmt.Sprintf("grants/%d.yaml", i), grants.String())
			grants.Reset()
		}
	}
	write("people.yaml", people.String())
	bought := 0
	if given {
		bought = n
	}
	remembered(b, filepath.Join(dir, ".fragplan", "ledger.db"), bought)
}

var manysWallet = ton.MustParseAddress("UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk")

// remembered writes a ledger of n orders, from reservation to delivery.
func remembered(b testing.TB, path string, n int) {
	b.Helper()
	wallet := manysWallet
	store, err := sqlite.Create(b.Context(), path, []ledger.Event{
		ledger.Opened{Ledger: "a ledger of many"},
		ledger.Anchored{Wallet: wallet, Version: ton.V5R1, Anchor: ton.Position{LT: 1, Hash: ton.Hash{1}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if err := store.Lock(b.Context(), "benchmark"); err != nil {
		b.Fatal(err)
	}
	price := ton.Nano(460_900_000)
	item := product.Item{Kind: product.Stars, Quantity: 50}
	events := []ledger.Event{ledger.RunStarted{Run: 1, Digest: ton.Hash{1}, Host: "benchmark"}}
	for first := 1; first <= n; first += 250 {
		at := uint32(1_760_000_000 + first*100) // a payment in seven hours
		number := uint32(first/250 + 1)
		payment := ledger.PaymentArmedEvent{Payment: ledger.PaymentID(number), Run: 1, Wallet: wallet, Payload: ton.Payload{Wallet: ton.V5R1, WalletID: 5, Seqno: number, ValidUntil: at}}
		for i := first; i < first+250 && i <= n; i++ {
			id, ref := ledger.OrderID(i), fmt.Sprintf("ref%d", i)
			transfer := ton.Transfer{To: ton.Address{Account: [32]byte{5}}, Amount: price, Body: packed("50 Telegram Stars \n\nRef#"+ref, 35)}
			events = append(events,
				ledger.OrderReserved{Order: id, Run: 1, Key: fmt.Sprintf("g%d/p%d", i, i), Generation: 1, Part: 1, Person: fmt.Sprintf("p%d", i), Handle: fmt.Sprintf("person_%d", i), Single: true,
					Item: item, Wallet: wallet, Cap: price.Amount(), Reserve: price.Amount()},
				ledger.OrderQuoted{Order: id, Invoice: ledger.Invoice{N: 1, RequestID: "r", Ref: ref, Recipient: "token", Name: "Ann", Confirm: "confirmReq", Transfer: transfer, Price: price.Amount(), ValidUntil: at}})
			payment.Orders = append(payment.Orders, id)
			payment.Payload.Transfers = append(payment.Payload.Transfers, transfer)
		}
		events = append(events, payment, ledger.PaymentSignedEvent{Payment: payment.Payment, Message: packed("signed", 35)},
			ledger.PaymentExecutedEvent{Payment: payment.Payment, Transaction: ton.Position{LT: uint64(number), Hash: ton.Hash{3}}, Time: at, Fees: 3, Paid: payment.Orders})
		for _, id := range payment.Orders {
			events = append(events, ledger.OrderAcknowledged{Order: id}, ledger.OrderDelivered{Order: id, Evidence: ledger.EvidencePage})
		}
		if first%5000 == 1 || first+250 > n {
			if err := store.Append(b.Context(), events); err != nil {
				b.Fatal(err)
			}
			events = nil
		}
	}
	if len(events) > 0 {
		events = append(events, ledger.RunFinished{Run: 1, Outcome: "complete"})
		if err := store.Append(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
}
