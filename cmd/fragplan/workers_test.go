//go:build unix

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Of workers that share a few wallets, each wallet with its project and all
// ledgers in one database, each buys when it is its turn, and nobody is paid
// twice or forgotten. WORKERS=n is how many, WALLETS=n the wallets and ORDERS=n
// the orders.
func TestWorkersShareADatabase(t *testing.T) {
	wallets, workers, orders := number(t, "WALLETS", 2), number(t, "WORKERS", 4), number(t, "ORDERS", 12)
	if thorough() {
		wallets, workers, orders = number(t, "WALLETS", 4), number(t, "WORKERS", 8), number(t, "ORDERS", 10_000)
	}
	place := inDatabase(t)
	towns := make([]*town, wallets)
	for i := range towns {
		v := &town{T: t, dir: t.TempDir(), kept: `{url: "` + place.URL + `", name: wallet_` + string(rune('a'+i)) + `}`}
		towns[i] = v.begin()
	}
	begin := time.Now()
	const rounds = 4
	won, waited := 0, 0
	for range rounds {
		race := make([]*exec.Cmd, workers)
		out := make([]bytes.Buffer, workers)
		for _, v := range towns {
			v.grants += orders / wallets / rounds
		}
		for i := range race {
			v := towns[i%wallets]
			race[i] = v.start(v.clone(), &out[i], "apply", "-auto-approve")
		}
		for i := range race {
			switch code := towns[i%wallets].wait(race[i]); {
			case code == 0:
				won++
			case code == 1 && strings.Contains(out[i].String(), "the ledger is locked by"):
				waited++
			default:
				t.Errorf("exit status %d: %s", code, out[i].String())
			}
		}
		for _, v := range towns {
			v.settle()
		}
	}
	bought := time.Since(begin)
	total := 0
	for _, v := range towns {
		v.agree()
		total += v.grants
	}
	t.Logf("%d workers with %d wallets: %d orders in %s, %.0f a second with the chain; %d runs bought or found nothing left, %d were told who holds the ledger",
		workers, wallets, total, bought.Round(time.Millisecond), float64(total)/bought.Seconds(), won, waited)
}
