package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// same is what of the Facts outlives the process that runs a world.
func same(w *sandbox.World) sandbox.Facts {
	f := w.Facts
	f.FragmentURL, f.GlobalConfig = "", nil
	return f
}

// A world that was closed and opened again is the same to all who knew it:
// wallet, session, money, books, and a chain that follows from the block that
// was trusted before.
func TestWorldOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			o := sandbox.Options{Dir: filepath.Join(t.TempDir(), "world"), Version: version, Balance: 50 * ton.TON}
			w := open(t, o)
			b := newBuyer(t, w, nil)
			b.pay(t, b.order(t, "ann_1"))
			first, facts, history, trusted := books(t, w), same(w), b.history(t), b.chain.Trusted()
			if len(first.Credits) != 1 || len(first.Strays) != 0 || first.Balance > 49_500*ton.TON/1000 || first.Balance < 48*ton.TON {
				t.Fatalf("after one payment: %+v", first)
			}
			shut(t, w)

			w = open(t, sandbox.Options{Dir: o.Dir})
			if d := cmp.Diff(facts, same(w)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(first, books(t, w)); d != "" {
				t.Error(d)
			}
			b = newBuyer(t, w, &trusted)
			if d := cmp.Diff(history, b.history(t)); d != "" {
				t.Error(d)
			}
			b.pay(t, b.order(t, "ann_2"))
			if got := books(t, w); len(got.Credits) != 2 || len(got.Strays) != 0 {
				t.Errorf("after a second payment: %+v", got)
			}
		})
	}
}

// Whoever opens a world that runs takes part in it, and closing that ends
// nothing.
func TestAttach(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir()}
	own := open(t, o)
	other := open(t, o)
	if own.Attached() || !other.Attached() {
		t.Error("both run it, or neither")
	}
	if d := cmp.Diff(own.Facts, other.Facts, cmp.Transformer("parsed", func(m json.RawMessage) (v any) {
		_ = json.Unmarshal(m, &v)
		return v
	})); d != "" {
		t.Error(d)
	}
	b := newBuyer(t, other, nil)
	b.pay(t, b.order(t, "ann_1"))
	if d := cmp.Diff(books(t, own), books(t, other)); d != "" || len(books(t, own).Credits) != 1 {
		t.Error(d, books(t, own))
	}
	shut(t, other)
	if b.pay(t, b.order(t, "ann_2")); len(books(t, own).Credits) != 2 {
		t.Error(books(t, own))
	}
	o.Record = filepath.Join(t.TempDir(), "record")
	if _, err := sandbox.Open(t.Context(), o); !errors.Is(err, sandbox.ErrAttached) {
		t.Errorf("a record of what another process executes: got %v, want ErrAttached", err)
	}
}

// However many begin at once, one runs the world and the others attach; when
// it ends, whoever comes next runs it.
func TestOneProcessRunsAWorld(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir()}
	const crowd = 6
	opened := make(chan *sandbox.World, crowd)
	for range crowd {
		go func() {
			w, err := sandbox.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			opened <- w
		}()
	}
	var owner *sandbox.World
	facts := map[string]bool{}
	for range crowd {
		w := <-opened
		if w == nil {
			continue
		}
		facts[w.Cookie+w.FragmentURL] = true
		if w.Attached() {
			continue
		}
		if owner != nil {
			t.Error("two run one world")
		}
		owner = w
	}
	if owner == nil || len(facts) != 1 {
		t.Fatalf("nobody runs it, or they see different worlds: %v", facts)
	}
	shut(t, owner)
	if open(t, o).Attached() {
		t.Error("nobody runs it, and it was attached to")
	}
}

// A killed process takes nothing with it: what was paid is credited once,
// also what the market had not seen yet, and half-written last lines are
// dropped.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := elsewhere(t, dir)
	w := open(t, sandbox.Options{Dir: dir})
	if !w.Attached() {
		t.Fatal("two processes run one world")
	}
	b := newBuyer(t, w, nil)
	b.pay(t, b.order(t, "ann_1"))
	before := books(t, w)
	b.pay(t, b.order(t, "ann_2"), b.order(t, "ann_3")) // nobody asks the market after this
	facts, history, trusted := same(w), b.history(t), b.chain.Trusted()
	kill()
	for name, torn := range map[string]string{
		"network.jsonl": "external 1", "market.jsonl": `{"paid":{"re`, "running.json.new": "{", "world.json.new": "{",
	} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(torn); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if _, err := os.Stat(filepath.Join(dir, "running.json")); err != nil {
		t.Fatalf("this test wants what a killed process leaves behind: %v", err)
	}

	for range 2 {
		w = open(t, sandbox.Options{Dir: dir})
		if d := cmp.Diff(facts, same(w)); w.Attached() || d != "" {
			t.Errorf("attached to the dead, or another world: %s", d)
		}
		got := books(t, w)
		if len(got.Credits) != 3 || len(got.Strays) != 0 || !cmp.Equal(before.Credits, got.Credits[:1]) {
			t.Errorf("credited before %+v, after %+v", before, got)
		}
		if d := cmp.Diff(history, newBuyer(t, w, &trusted).history(t)); d != "" {
			t.Error(d)
		}
		shut(t, w)
	}
}

// What a killed process had taken is executed by the next one, and credited
// once, whenever the killing was.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	const rounds = 3
	dir := t.TempDir()
	for round := range rounds {
		kill := elsewhere(t, dir)
		w := open(t, sandbox.Options{Dir: dir})
		b := newBuyer(t, w, nil)
		if a := b.account(t); round > 0 && (!a.Active || a.Data.Seqno != uint32(round)) {
			b.wait(t, a)
		}
		b.send(t, b.order(t, fmt.Sprintf("ann_%d", round)))
		kill()
	}
	w := open(t, sandbox.Options{Dir: dir})
	b := newBuyer(t, w, nil)
	if a := b.account(t); a.Data.Seqno != rounds {
		b.wait(t, a)
	}
	got := books(t, w)
	var names []string
	for _, c := range got.Credits {
		names = append(names, c.Handle)
	}
	if d := cmp.Diff([]string{"ann_0", "ann_1", "ann_2"}, names); d != "" || len(got.Strays) != 0 {
		t.Error(d, got.Strays)
	}
}

// What a dead process said of itself is not believed while the next one is
// starting: neither when its door is shut nor when somebody else has it now.
func TestStaleAddress(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	foreign := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, "{}") }))
	t.Cleanup(foreign.Close) // after the subtests
	stranger := open(t, sandbox.Options{Dir: t.TempDir()})
	for name, url := range map[string]string{
		"shut": "http://" + closed.Addr().String(), "another program": foreign.URL, "another world": stranger.FragmentURL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := open(t, sandbox.Options{Dir: dir})
			path := filepath.Join(dir, "running.json")
			fresh, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			stale := strings.ReplaceAll(string(fresh), w.FragmentURL, url)
			if err := os.WriteFile(path, []byte(stale), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
			defer cancel()
			if other, err := sandbox.Open(ctx, sandbox.Options{Dir: dir}); err == nil {
				t.Errorf("attached to %s", other.FragmentURL)
			}
			if err := os.WriteFile(path, fresh, 0o600); err != nil {
				t.Fatal(err)
			}
			if other := open(t, sandbox.Options{Dir: dir}); other.FragmentURL != w.FragmentURL {
				t.Errorf("attached to %s", other.FragmentURL)
			}
		})
	}
}

// Who waits for a process that never says where it listens takes its place
// when it is gone.
func TestWaitingTakesOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := elsewhere(t, dir)
	if err := os.Remove(filepath.Join(dir, "running.json")); err != nil {
		t.Fatal(err)
	}
	opened := make(chan *sandbox.World)
	go func() {
		w, err := sandbox.Open(t.Context(), sandbox.Options{Dir: dir})
		if err != nil {
			t.Error(err)
		}
		opened <- w
	}()
	kill()
	if w := <-opened; w != nil {
		if w.Attached() {
			t.Error("attached to the dead")
		}
		shut(t, w)
	}
}

// A world that was not made to the end is made anew, and has the money and the
// session of a whole one.
func TestInterruptedMaking(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]map[string]string{
		"nothing funded": {"network.jsonl": "network 1 -7791 17", "market.jsonl": ""},
		"half a file":    {"world.json.new": `{"seed": 12`, "market.jsonl": "{\"seed\":12}\n{\"session\":{\"id\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			shut(t, open(t, sandbox.Options{Dir: dir}))
			if err := os.Remove(filepath.Join(dir, "world.json")); err != nil {
				t.Fatal(err)
			}
			for file, text := range left {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w := open(t, sandbox.Options{Dir: dir, Balance: 30 * ton.TON})
			if got := books(t, w); got.Balance < 30*ton.TON-ton.TON/100 || got.Balance > 30*ton.TON {
				t.Errorf("it holds %s TON", got.Balance)
			}
			b := newBuyer(t, w, nil)
			if b.pay(t, b.order(t, "ann_1")); len(books(t, w).Credits) != 1 {
				t.Error(books(t, w))
			}
		})
	}
}
