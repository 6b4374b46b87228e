//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// BenchmarkStart is how long the smallest command takes as a process.
func BenchmarkStart(b *testing.B) {
	binary := built(b)
	for b.Loop() {
		if out, err := exec.Command(binary, "version").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}

// BenchmarkApply buys everything in a world without a pace, world included:
// what one grant takes of Fragment and of the chain, and how long the same
// calls would take at the pace kept with the live service.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var calls atomic.Int64
			var messages, runs int
			var fees ton.Nano
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				community(b, dir, n)
				w := rich(b, dir)
				b.StartTimer()
				ctx := httptrace.WithClientTrace(b.Context(), &httptrace.ClientTrace{
					WroteRequest: func(httptrace.WroteRequestInfo) { calls.Add(1) },
				})
				fragplan(ctx, b, dir, "apply", "-auto-approve")
				b.StopTimer()
				runs++
				m, f := paid(b, dir)
				messages, fees = messages+m, fees+f
				credited(b, w, n)
				b.StartTimer()
			}
			grants := float64(n * runs)
			b.ReportMetric(b.Elapsed().Seconds()/float64(runs), "s/apply")
			b.ReportMetric(float64(calls.Load())/grants, "calls/grant")
			b.ReportMetric(float64(messages)/grants, "messages/grant")
			b.ReportMetric(float64(fees)/1e6/grants, "mTON-fees/grant")
			b.ReportMetric((time.Duration(calls.Load()) * livePace / time.Duration(runs)).Hours(), "h-at-live-pace")
		})
	}
}

// paid is what the ledger says of the wallet: messages that the chain
// executed, and their fees.
func paid(b *testing.B, dir string) (messages int, fees ton.Nano) {
	b.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(dir, ".fragplan", "sandbox", "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	book, err := store.Load(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range book.Payments {
		if p.Phase == ledger.PaymentExecuted {
			messages++
			fees += p.Fees
		}
	}
	return messages, fees
}

func credited(b *testing.B, w *sandbox.World, n int) {
	b.Helper()
	books, err := w.Books(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	if len(books.Credits) != n || len(books.Strays) > 0 {
		b.Fatalf("%d credits and %d strays, want %d and none", len(books.Credits), len(books.Strays), n)
	}
}
