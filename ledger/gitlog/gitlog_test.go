package gitlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// server makes a bare repository, as a host for code has it.
func server(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "--bare", "-b", "main")
	return dir
}

// clone makes a fresh clone, as a runner has it.
func clone(t *testing.T, server string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "remote", "add", "origin", "file://"+server)
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// runner is one machine: a clone, a local store and the branch.
type runner struct {
	dir   string
	store *sqlite.Store
	log   *gitlog.Log
	both  *gitlog.Synced
}

func open(t *testing.T, dir string) *gitlog.Log {
	t.Helper()
	log, err := gitlog.Open(t.Context(), dir, "origin", "fragplan-ledger", os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	log.Pause = time.Millisecond
	return log
}

// founder makes the ledger and publishes it.
func founder(t *testing.T, server string) *runner {
	t.Helper()
	dir := clone(t, server)
	store, err := sqlite.Create(t.Context(), filepath.Join(dir, "ledger.db"), []ledger.Event{ledger.Opened{Ledger: "test"}, ledger.Anchored{Wallet: payer, Version: ton.V5R1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	log := open(t, dir)
	return &runner{dir, store, log, gitlog.Sync(log, store)}
}

// newcomer is a machine that has only what the branch holds.
func newcomer(t *testing.T, server string) *runner {
	t.Helper()
	dir := clone(t, server)
	log := open(t, dir)
	if err := log.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Restore(t.Context(), filepath.Join(dir, "ledger.db"), func(yield func(ledger.Record) error) error {
		return log.Records(t.Context(), ledger.Head{}, yield)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r := &runner{dir, store, log, gitlog.Sync(log, store)}
	if ahead, err := r.both.CatchUp(t.Context()); err != nil || ahead != 0 {
		t.Fatalf("a fresh copy is %d records ahead: %v", ahead, err)
	}
	return r
}

func (r *runner) begin(t *testing.T) error {
	t.Helper()
	if err := r.store.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return r.both.Begin(t.Context(), "test")
}

var payer = ton.MustParseAddress("UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk")

// reserves is a run that reserves some orders: records that may wait.
func reserves(r *runner, n int) []ledger.Event {
	state, err := r.store.Load(context.Background())
	if err != nil {
		panic(err)
	}
	run := state.LastRun + 1
	events := []ledger.Event{ledger.RunStarted{Run: run, Host: r.dir, Nonce: r.dir}}
	for i := range n {
		events = append(events, ledger.OrderReserved{
			Order: state.LastOrder + 1 + ledger.OrderID(i), Run: run, Key: fmt.Sprintf("run-%d/%d", run, i), Generation: 1, Part: 1,
			Person: "ann", Handle: "ann", Item: product.Item{Kind: product.Stars, Quantity: 50}, Wallet: payer,
			Cap: ton.TON.Amount(), Reserve: ton.TON.Amount(),
		})
	}
	return events
}

// decides is a person's decision: a record that may not wait.
func decides(n uint64) []ledger.Event {
	return []ledger.Event{ledger.TransactionExplained{Wallet: payer, Transaction: ton.Position{LT: n, Hash: ton.Hash{1}}, Reason: "a test"}}
}

func (r *runner) head(t *testing.T) ledger.Head {
	t.Helper()
	h, err := r.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A fresh machine has, byte for byte, what the one before it wrote, and goes
// on from there.
func TestALedgerOutlivesItsMachine(t *testing.T) {
	remote := server(t)
	first := founder(t, remote)
	if _, err := first.both.CatchUp(t.Context()); !errors.Is(err, gitlog.ErrNoBranch) {
		t.Fatalf("before the first push: %v", err)
	}
	check(t, first.begin(t))
	check(t, first.both.Append(t.Context(), reserves(first, 3)))
	check(t, first.both.Append(t.Context(), decides(1)))
	check(t, first.both.Flush(t.Context(), false))

	second := newcomer(t, remote)
	if first.head(t) != second.head(t) {
		t.Fatalf("the first machine ended with %v, the second begins with %v", first.head(t), second.head(t))
	}
	if _, err := second.store.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, second.begin(t))
	check(t, second.both.Append(t.Context(), append(reserves(second, 2), decides(2)...)))
	check(t, second.both.Flush(t.Context(), false))

	// The first machine's own copy is behind by then, and catches up.
	check(t, first.store.Close())
	var err error
	first.store, err = sqlite.Open(t.Context(), filepath.Join(first.dir, "ledger.db"))
	check(t, err)
	first.both = gitlog.Sync(first.log, first.store)
	ahead, err := first.both.CatchUp(t.Context())
	check(t, err)
	if ahead != 0 || first.head(t) != second.head(t) {
		t.Errorf("the first machine has %v, the second %v", first.head(t), second.head(t))
	}
	check(t, first.store.Close())
}

// A shallow clone of one branch, as runners make it, reads the whole ledger and
// stays shallow.
func TestAShallowClone(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	check(t, r.both.Append(t.Context(), decides(90)))
	check(t, r.both.Append(t.Context(), decides(91)))
	for range 2 {
		git(t, r.dir, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-q", "--allow-empty", "-m", "x")
	}
	git(t, r.dir, "push", "-q", "origin", "main")
	dir := t.TempDir()
	git(t, dir, "clone", "-q", "--depth", "1", "file://"+remote, ".")
	log := open(t, dir)
	check(t, log.Fetch(t.Context()))
	var last ledger.Head
	check(t, log.Records(t.Context(), ledger.Head{}, func(r ledger.Record) error { last = r.Head(); return nil }))
	if last != r.head(t) {
		t.Errorf("a shallow clone ends with %v, the store with %v", last, r.head(t))
	}
	if n := git(t, dir, "rev-list", "--count", "HEAD"); n != "1" {
		t.Errorf("the clone has %s commits of main now", n)
	}
}

// What anything relies on that leaves the machine is on the branch before
// Append returns; the rest goes with it, in one push.
func TestPushedBeforeReliedOn(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	pushes := r.log.Pushes
	check(t, r.both.Append(t.Context(), reserves(r, 5)))
	if r.log.Pushes != pushes {
		t.Errorf("reservations were pushed at once")
	}
	check(t, r.both.Append(t.Context(), decides(3)))
	if r.log.Pushes != pushes+1 {
		t.Errorf("%d pushes for a decision", r.log.Pushes-pushes)
	}
	if got := newcomer(t, remote); got.head(t) != r.head(t) {
		t.Errorf("the branch ends with %v, the store with %v", got.head(t), r.head(t))
	}
}

// Of two runs at once one wins. The other one stops, can write nothing more,
// and its copy is set right from the branch.
func TestOneOfTwoWins(t *testing.T) {
	remote := server(t)
	check(t, founder(t, remote).begin(t))
	a, b := newcomer(t, remote), newcomer(t, remote)
	check(t, a.begin(t))
	if err := b.begin(t); !errors.Is(err, gitlog.ErrLost) {
		t.Fatalf("the second run: %v", err)
	}
	if err := b.both.Append(t.Context(), decides(4)); !errors.Is(err, gitlog.ErrLost) {
		t.Errorf("after it has lost: %v", err)
	}
	check(t, a.both.Append(t.Context(), append(reserves(a, 1), decides(5)...)))
	if got := newcomer(t, remote); got.head(t) != a.head(t) {
		t.Errorf("the branch ends with %v, the winner with %v", got.head(t), a.head(t))
	}
	again := gitlog.Sync(b.log, b.store)
	if _, err := again.CatchUp(t.Context()); !errors.Is(err, gitlog.ErrDiverged) {
		t.Errorf("the loser's copy: %v", err)
	}
}

// A run that was overtaken while it slept finds its next push refused, before
// anything that relies on it.
func TestTheOvertakenStops(t *testing.T) {
	remote := server(t)
	sleeper := founder(t, remote)
	check(t, sleeper.begin(t))
	check(t, sleeper.both.Append(t.Context(), reserves(sleeper, 1)))
	other := newcomer(t, remote)
	check(t, other.begin(t))
	err := sleeper.both.Append(t.Context(), decides(6))
	if !errors.Is(err, gitlog.ErrLost) || !strings.Contains(err.Error(), "go") {
		t.Errorf("the sleeper: %v", err)
	}
}

// A push whose answer was lost counts as what the branch shows.
func TestAnAnswerIsLost(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	// The server takes the push and then breaks off.
	hook := filepath.Join(remote, "hooks", "post-receive")
	check(t, os.WriteFile(hook, []byte("#!/bin/sh\nkill -9 $PPID\n"), 0o755))
	pushes := r.log.Pushes
	check(t, r.both.Append(t.Context(), append(reserves(r, 1), decides(7)...)))
	if r.log.Pushes != pushes+1 {
		t.Errorf("%d pushes: one was taken and tried again", r.log.Pushes-pushes)
	}
	check(t, os.Remove(hook))
	if got := newcomer(t, remote); got.head(t) != r.head(t) {
		t.Errorf("the branch ends with %v, the store with %v", got.head(t), r.head(t))
	}
}

// A protected branch is told from a lost race, and nothing stands on it.
func TestAProtectedBranch(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	before := git(t, remote, "rev-parse", "fragplan-ledger")
	check(t, os.WriteFile(filepath.Join(remote, "hooks", "pre-receive"), []byte("#!/bin/sh\necho protected branch hook declined >&2\nexit 1\n"), 0o755))
	err := r.both.Append(t.Context(), append(reserves(r, 1), decides(8)...))
	if !errors.Is(err, gitlog.ErrRefused) || errors.Is(err, gitlog.ErrLost) {
		t.Errorf("a refused push: %v", err)
	}
	if after := git(t, remote, "rev-parse", "fragplan-ledger"); after != before {
		t.Errorf("the branch moved to %s", after)
	}
}

// A rewound branch is an older ledger: a machine with a newer copy puts back
// what was taken away, and loses nothing.
func TestARewoundBranch(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	check(t, r.both.Append(t.Context(), append(reserves(r, 1), decides(9)...)))
	git(t, remote, "update-ref", "refs/heads/fragplan-ledger", "fragplan-ledger~1")
	again := gitlog.Sync(r.log, r.store)
	ahead, err := again.CatchUp(t.Context())
	if err != nil || ahead == 0 {
		t.Fatalf("%d records ahead: %v", ahead, err)
	}
	check(t, again.Begin(t.Context(), "test"))
	if got := newcomer(t, remote); got.head(t) != r.head(t) {
		t.Errorf("the branch ends with %v, the store with %v", got.head(t), r.head(t))
	}
}

// A log that was tampered with is refused: an edited, a missing and a strange
// record.
func TestATamperedBranch(t *testing.T) {
	for name, tamper := range map[string]func(string) string{
		"edited":  func(s string) string { return strings.Replace(s, `\"run\":1`, `\"run\":2`, 1) },
		"missing": func(s string) string { _, rest, _ := strings.Cut(s, "\n"); return rest },
		"strange": func(s string) string { return strings.Replace(s, `{"seq"`, `{"x":1,"seq"`, 1) },
		"no JSON": func(s string) string { return "\x00" + s },
	} {
		t.Run(name, func(t *testing.T) {
			remote := server(t)
			r := founder(t, remote)
			check(t, r.begin(t))
			check(t, r.both.Append(t.Context(), append(reserves(r, 2), decides(10)...)))
			work := t.TempDir()
			git(t, work, "clone", "-q", "-b", "fragplan-ledger", remote, ".")
			files, err := filepath.Glob(filepath.Join(work, "log", "*", "*.jsonl"))
			check(t, err)
			file := files[len(files)-1]
			body, err := os.ReadFile(file)
			check(t, err)
			changed := tamper(string(body))
			if changed == string(body) {
				t.Fatal("nothing was changed")
			}
			check(t, os.WriteFile(file, []byte(changed), 0o644))
			git(t, work, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-q", "-a", "-m", "x")
			git(t, work, "push", "-q", "origin", "HEAD")
			log := open(t, clone(t, remote))
			check(t, log.Fetch(t.Context()))
			if err := log.Records(t.Context(), ledger.Head{}, func(ledger.Record) error { return nil }); !errors.Is(err, gitlog.ErrLog) {
				t.Errorf("a branch that was tampered with: %v", err)
			}
		})
	}
}

// No secret of an address reaches an error, and no name of a branch reaches a
// command line that it could bend.
func TestWhatErrorsAndNamesHold(t *testing.T) {
	dir := clone(t, server(t))
	git(t, dir, "remote", "set-url", "origin", "https://user:hunter2@127.0.0.1:1/x.git")
	log := open(t, dir)
	log.Tries = 1
	if err := log.Fetch(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"--upload-pack=x", "a..b", "a b", "", "a/../b", "x.lock", "a:b", "+a"} {
		if _, err := gitlog.Open(t.Context(), dir, "origin", name, os.Environ()); err == nil {
			t.Errorf("the branch %q was taken", name)
		}
	}
}

// A run that is at work is left alone for a while, and named.
func TestBusy(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	other := newcomer(t, remote)
	var busy *gitlog.BusyError
	if err := other.both.Busy(t.Context()); !errors.As(err, &busy) || !strings.Contains(busy.Writer, "test") {
		t.Errorf("while the first is at work: %v", err)
	}
	check(t, r.both.Append(t.Context(), reserves(r, 1)))
	check(t, r.both.Flush(t.Context(), false))
	if _, err := other.both.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.both.Busy(t.Context()); err != nil {
		t.Errorf("after it has ended: %v", err)
	}
}
