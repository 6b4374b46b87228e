//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// toll is what all projects together went through.
type toll struct {
	mu     sync.Mutex
	killed map[string][2]int // stage reached: of first runs, and of runs after a kill
	opened []time.Duration   // from the restart until the ledger was open
	chosen []time.Duration   // from the restart until the first decision
	orders int
	usdt   int // of them
	scans  int // requests that a person paid
	rounds int
}

func (o *toll) print(t *testing.T, took time.Duration) {
	t.Helper()
	var b strings.Builder
	sum := [2]int{}
	fmt.Fprintf(&b, "\n%-14s %9s %9s\n", "last seen", "first run", "recovery")
	for _, s := range stagesOfLife {
		if n := o.killed[s]; n != [2]int{} {
			fmt.Fprintf(&b, "%-14s %9d %9d\n", s, n[0], n[1])
			sum[0], sum[1] = sum[0]+n[0], sum[1]+n[1]
		}
	}
	fmt.Fprintf(&b, "%-14s %9d %9d\n", "all kills", sum[0], sum[1])
	fmt.Fprintf(&b, "%d orders, %d of them in USDT, in %d changes and %d requests paid by phone, %s.", o.orders, o.usdt, o.rounds, o.scans, took.Round(time.Second))
	if t.Failed() {
		b.WriteString(" FAILED: see above.\n")
	} else {
		b.WriteString(" No double payment, no lost order, no corrupt ledger.\n")
	}
	fmt.Fprintf(&b, "from a restart to the open ledger    median %s, p99 %s\n", quantile(o.opened, 50), quantile(o.opened, 99))
	fmt.Fprintf(&b, "from a restart to the first decision median %s, p99 %s\n", quantile(o.chosen, 50), quantile(o.chosen, 99))
	t.Log(b.String())
}

func (o *toll) scanned() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.scans++
}

func quantile(list []time.Duration, percent int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[(len(list)-1)*percent/100].Round(time.Millisecond)
}

// The stages of an apply, as its JSON lines tell them, in order.
var stagesOfLife = []string{"start", "opened", "waiting", "unreadable", "dead", "planned", "quoted", "offered", "armed", "signed", "sent", "paid", "undelivered", "acknowledged", "delivered", "finished"}

func (o *toll) count(after, killed bool, stage string, opened, chosen time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if after && opened > 0 {
		o.opened = append(o.opened, opened)
	}
	if after && chosen > 0 {
		o.chosen = append(o.chosen, chosen)
	}
	switch n := o.killed[stage]; {
	case !killed:
		o.rounds++
	case after:
		n[1]++
		o.killed[stage] = n
	default:
		n[0]++
		o.killed[stage] = n
	}
}
