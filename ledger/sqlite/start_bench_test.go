package sqlite_test

import (
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger/sqlite"
)

// The time from a restart to the first decision: with 100,000 orders in the
// ledger, all but the last hundred of them delivered.
func BenchmarkStart100000(b *testing.B) {
	const n = 100_000
	s, path := locked(b)
	events := story(n)
	for len(events) > 0 {
		size := min(5000, len(events))
		put(b, s, events[:size]...)
		events = events[size:]
	}
	for id := n + 1; id <= n+100; id++ {
		put(b, s, reserved(id), quoted(id, 1))
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var opened, held, loaded time.Duration
	for b.Loop() {
		began := time.Now()
		s := must(sqlite.Open(b.Context(), path))
		opened += time.Since(began)
		if err := s.Lock(b.Context(), "bench"); err != nil {
			b.Fatal(err)
		}
		held += time.Since(began)
		load(b, s)
		loaded += time.Since(began)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Milliseconds()) / float64(b.N) }
	b.ReportMetric(each(opened), "ms-open")
	b.ReportMetric(each(held-opened), "ms-lock")
	b.ReportMetric(each(loaded-held), "ms-load")
	began := time.Now()
	s = must(sqlite.Open(b.Context(), path))
	defer s.Close()
	if _, err := s.Verify(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms-verify")
}
