package postgres_test

import (
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store/storetest"
	"github.com/fragplan/fragplan/ton"
)

// BenchmarkOrders plays the ledger's part of buying: batches of 250 orders, with
// a commit for every offer and every acknowledgement, as a slow market has it,
// and the rest of each batch in five more.
func BenchmarkOrders(b *testing.B) {
	s, _ := locked(b)
	put(b, s, ledger.RunStarted{Run: 1, Host: "h"})
	id, payment, orders := 0, 0, 0
	for b.Loop() {
		const batch = 250
		payment++
		var reserved, delivered []ledger.Event
		var quotes []ledger.OrderQuoted
		for range batch {
			id++
			reserved = append(reserved, storetest.Reserved(id))
			quotes = append(quotes, storetest.Quoted(id, 1))
			delivered = append(delivered, ledger.OrderDelivered{Order: ledger.OrderID(id), Evidence: ledger.EvidencePage})
		}
		put(b, s, reserved...)
		for _, q := range quotes {
			put(b, s, q)
		}
		a := storetest.Armed(payment, uint32(payment), quotes...)
		put(b, s, a)
		put(b, s, ledger.PaymentSignedEvent{Payment: a.Payment, Message: storetest.Body("message")})
		put(b, s, ledger.PaymentExecutedEvent{Payment: a.Payment, Transaction: ton.Position{LT: uint64(100 + payment), Hash: ton.Hash{3}}, Time: 500, Fees: 3, Paid: a.Orders})
		for _, o := range a.Orders {
			put(b, s, ledger.OrderAcknowledged{Order: o})
		}
		put(b, s, delivered...)
		orders += batch
	}
	b.ReportMetric(float64(orders)/b.Elapsed().Seconds(), "orders/s")
}

func BenchmarkAppend1(b *testing.B) {
	s, _ := locked(b)
	run := ledger.RunID(0)
	for b.Loop() {
		run++
		put(b, s, ledger.RunStarted{Run: run, Host: "h"})
	}
}

func BenchmarkLoad2000(b *testing.B) {
	s, _ := locked(b)
	put(b, s, storetest.Story(2_000)...)
	for b.Loop() {
		if _, err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
