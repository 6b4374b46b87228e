package reconcile_test

import (
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
)

// A person who pays USDT by phone only asks the wallet's jetton wallet to send.
// Played with many seeds, beside payments that are signed, with processes that
// are killed at any moment, requests that nobody sees or pays late, and jetton
// wallets that bounce and refuse: what the ledger calls paid has arrived once,
// with exactly its sum, and nobody is given more than is written.
func TestUSDTThatAPersonPaysArrivesOnce(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(300) {
		j := playJettons(t, seed)
		j.balance = int64(6+j.IntN(8)) * 1_500_000
		want := inUSDT(6)
		scanned := 0
		scan := func() {
			for ; scanned < len(j.handed); scanned++ {
				j.phone(j.handed[scanned].Transfers...)
				seen["scanned"]++
			}
		}
		for range 12 {
			j.queue = nil // as if it were killed
			byhand := j.IntN(2) == 0
			j.setup = func(u *reconcile.Setup) { u.Unsigned = byhand }
			j.begin(want, inBoth())
			for n := j.IntN(120); n > 0 && !j.stopped && len(j.queue) > 0; n-- {
				j.next()
			}
			if j.IntN(2) == 0 {
				scan()
			}
			j.check(want)
		}
		j.setup = nil
		j.calm = true
		j.balance += 100_000_000
		scan()
		for range 6 {
			j.queue = nil
			j.begin(want, inBoth())
			_, _ = j.finish()
			j.check(want)
			for _, o := range j.book().Orders {
				switch {
				case o.Phase == ledger.Offered: // all that anybody saw is paid by now
					seen["never seen"]++
				case o.Phase == ledger.Held && o.Request != 0:
					seen["held, of a request"]++
				case o.Phase == ledger.Held:
					seen["held"]++
				default:
					if o.Request != 0 && !o.Received.IsZero() {
						seen["arrived, of a request"]++
					}
					continue
				}
				j.log = append(j.log, ledger.OrderResolved{Order: o.ID, As: ledger.Released, Reason: "it came back, or was never seen"})
			}
		}
		for _, o := range want {
			if given := j.book().Given(o.Key); given != 100 {
				t.Errorf("seed %d: %s was given %d", seed, o.Key, given)
			}
		}
		if findings := reconcile.Audit(j.book(), j.account.Address, j.history); len(findings) != 0 {
			t.Errorf("seed %d: %+v", seed, findings)
		}
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, j.seen)
		}
	}
	t.Log(seen)
	for _, what := range []string{"scanned", "never seen", "held, of a request", "arrived, of a request"} {
		if seen[what] == 0 {
			t.Errorf("%s: never", what)
		}
	}
}
