package reconcile_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
)

// The environment chooses what is simulated:
//
//	SEEDS=n       the seeds from FROM (1) on; 300 without it
//	SEED=n        this one, with its story
//	STORE=sqlite  over real files, in a memory-backed folder where there is one
const longRun = 10_000 // seeds from which on everything must have happened

// Whatever fails and whenever: nothing is paid twice, nothing is lost, and
// with the faults gone everything comes to rest.
func TestSimulation(t *testing.T) {
	newDisk, real := disks(t)
	if seed := number(t, "SEED", 0); seed > 0 {
		s := newSim(uint64(seed), newDisk)
		s.story = func(line string) { fmt.Println(line) }
		report(t, s.run())
		return
	}
	standard := 300
	if real {
		standard = 30
	}
	n, from := number(t, "SEEDS", standard), number(t, "FROM", 1)
	begun := time.Now()
	var next atomic.Int64
	var enough atomic.Bool // failures
	var mu sync.Mutex
	var workers sync.WaitGroup
	total, sum, failed := counters{}, uint64(0), 0
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || enough.Load() {
					return
				}
				o := newSim(uint64(from+i), newDisk).run()
				mu.Lock()
				total.take(o.counter)
				sum += o.hash * (2*o.seed + 1) // whatever the order of the seeds
				if len(o.violations) > 0 {
					report(t, o)
					failed++
					enough.Store(failed == 20)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	took := time.Since(begun)
	n = min(n, int(next.Load()))
	t.Logf("%d seeds in %s (%.0f a second), %d with violations, trace %016x", n, took.Round(time.Second), float64(n)/took.Seconds(), failed, sum)
	if os.Getenv("SEEDS") != "" {
		t.Logf("what happened:\n%s", total)
	}
	if missing := total.missing(expected()); n >= longRun && len(missing) > 0 {
		t.Errorf("never happened in %d seeds: %s", n, strings.Join(missing, "; "))
	}
}

func report(t *testing.T, o outcome) {
	for _, v := range o.violations {
		t.Errorf("seed %d: %s", o.seed, v)
	}
}

// The same seed gives the same trace, however many cores there are.
func TestSimulationRepeats(t *testing.T) {
	newDisk, _ := disks(t)
	const n = 20
	var first [n]uint64
	for i := range first {
		first[i] = newSim(uint64(i+1), newDisk).run().hash
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i, want := range first {
		if got := newSim(uint64(i+1), newDisk).run().hash; got != want {
			t.Errorf("seed %d: %016x and %016x", i+1, want, got)
		}
	}
}

// The ledger in memory and the real file take and refuse the same events: the
// same seeds have the same stories over both.
func TestTheStoresAgree(t *testing.T) {
	folder := memoryFolder(t)
	onDisk := func(_ bool, first []ledger.Event) (disk, error) { return newReal(folder, first) }
	for seed := uint64(1); seed <= 15; seed++ {
		memory, file := newSim(seed, inMemory).run(), newSim(seed, onDisk).run()
		report(t, file)
		if memory.hash != file.hash {
			t.Errorf("seed %d: %016x in memory and %016x on disk", seed, memory.hash, file.hash)
		}
	}
}

func number(t *testing.T, name string, standard int) int {
	s := os.Getenv(name)
	if s == "" {
		return standard
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// disks returns how ledgers are stored in this run.
func disks(t *testing.T) (newDisk func(codec bool, first []ledger.Event) (disk, error), real bool) {
	switch store := os.Getenv("STORE"); store {
	case "", "memory":
		return inMemory, false
	case "sqlite":
		folder := memoryFolder(t)
		return func(_ bool, first []ledger.Event) (disk, error) { return newReal(folder, first) }, true
	default:
		t.Fatalf("STORE=%s: write memory or sqlite", store)
		return nil, false
	}
}

func inMemory(codec bool, first []ledger.Event) (disk, error) { return newMemory(codec, first) }

// memoryFolder is a folder in memory where there is one.
func memoryFolder(t *testing.T) string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	folder, err := os.MkdirTemp(shared, "fragplan-sim")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// expected is everything that a long run must have seen: every fault, a death
// at every place, and every rare turn of the engine.
func expected() (names []string) {
	for _, f := range faults {
		names = append(names, f.name)
	}
	for _, kind := range kinds {
		names = append(names, "wrote "+kind, "crash before writing "+kind, "crash after writing "+kind, "disk full at "+kind)
	}
	for _, effect := range []string{"Look", "Wait", "Ask", "Trace", "Try", "Sign", "Hand", "Send", "Tell", "Inquire"} {
		names = append(names, "effect "+effect, "crash before "+effect)
		if effect != "Send" { // it has no answer
			names = append(names, "crash between the answer to "+effect+" and its arrival")
		}
	}
	for _, err := range endings {
		names = append(names, "end: "+err.Error())
	}
	for _, code := range []reconcile.Code{
		reconcile.CodePremiumRuns, reconcile.CodeNotSold, reconcile.CodeOverGranted, reconcile.CodeOneWinner, reconcile.CodeHeld, reconcile.CodeUnclaimed,
		reconcile.CodeReissued, reconcile.CodeHandle, reconcile.CodeOrderLimit, reconcile.CodeNoCeiling, reconcile.CodePrice, reconcile.CodeBound, reconcile.CodeFirstTime, "run_limit", "suspected_rename",
	} {
		names = append(names, "plan: "+string(code))
	}
	for _, code := range []firewall.Code{
		firewall.OtherAsset, firewall.JettonWallet, firewall.JettonGas, firewall.JettonAmount, firewall.JettonDestination, firewall.JettonResponse, firewall.JettonQuery, firewall.WrongItem,
	} {
		names = append(names, "problem: "+string(code))
	}
	for _, verdict := range []string{"executed", "executed, signed unseen", "some skipped", "all skipped", "dead by time", "displaced"} {
		names = append(names, "verdict: "+verdict)
	}
	return append(names, "a saved plan is applied", "a saved plan is refused", "a person is confirmed", "delivered by history", "delivered by page", "recognized", "nothing is recognized", "notice changed", "notice undelivered", "notice unreadable", "notice burning",
		"notice bounced", "held, of a found transfer", "claimed with transaction_explained", "claimed with order_held", "an altered ledger is refused",
		"problem: funds", "problem: run_limit", "problem: month_limit", "problem: order_limit", "problem: undelivered_limit", "problem: skipped", "problem: bounced", "problem: retries",
		"refused: locked", "refused: not enough USDT", "refused: not enough gas", "notice sent", "notice paid", "notice held", "sent by a person")
}

// kinds are those of the events that are written in the course of things.
var kinds = func() (kinds []string) {
	for _, e := range []ledger.Event{
		ledger.RunStarted{}, ledger.RuleSeen{}, ledger.KeyMoved{}, ledger.KeySettled{}, ledger.RunFinished{}, ledger.OrderReserved{}, ledger.OrderQuoted{}, ledger.PersonPinned{}, ledger.InvoiceDropped{}, ledger.OrderReleased{},
		ledger.PaymentRequested{}, ledger.RequestPaid{}, ledger.PaymentArmedEvent{}, ledger.PaymentSignedEvent{}, ledger.PaymentExecutedEvent{}, ledger.PaymentDeadEvent{},
		ledger.TransferReceived{}, ledger.OrderAcknowledged{}, ledger.OrderDelivered{}, ledger.OrderHeld{}, ledger.WalletChecked{}, ledger.BurnArmed{}, ledger.BurnSigned{},
		ledger.OrderResolved{}, ledger.KeyReissued{}, ledger.TransactionExplained{}, ledger.TransferFound{}, ledger.FoundAssigned{}, ledger.FoundSetAside{},
	} {
		kinds = append(kinds, ledger.KindOf(e))
	}
	return kinds
}()
