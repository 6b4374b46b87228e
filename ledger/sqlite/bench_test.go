package sqlite_test

import (
	"testing"

	"github.com/fragplan/fragplan/ledger"
)

func BenchmarkAppend1(b *testing.B) {
	s, _ := locked(b)
	run := ledger.RunID(0)
	for b.Loop() {
		run++
		put(b, s, ledger.RunStarted{Run: run, Host: "h"})
	}
}

func BenchmarkAppend1000(b *testing.B) {
	s, _ := locked(b)
	id := 0
	for b.Loop() {
		events := make([]ledger.Event, 1000)
		for i := range events {
			id++
			events[i] = reserved(id)
		}
		put(b, s, events...)
	}
}

func BenchmarkLoad10000(b *testing.B) {
	s, _ := locked(b)
	put(b, s, story(10_000)...)
	for b.Loop() {
		load(b, s)
	}
}

func BenchmarkVerify10000(b *testing.B) {
	s, _ := locked(b)
	put(b, s, story(10_000)...)
	for b.Loop() {
		if _, err := s.Verify(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
