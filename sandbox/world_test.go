package sandbox_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// envChild makes this program the process that runs the world of a folder
// until its standard input ends, or it is killed.
const envChild = "FRAGPLAN_TEST_WORLD"

func TestMain(m *testing.M) {
	dir := os.Getenv(envChild)
	if dir == "" {
		os.Exit(m.Run())
	}
	w, err := sandbox.Open(context.Background(), sandbox.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("attached:", w.Attached())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := w.Close(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// elsewhere runs the world in a process of its own, and returns what kills it.
func elsewhere(t *testing.T, dir string) (kill func()) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), envChild+"="+dir)
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = c.Process.Kill(); _ = c.Wait() }
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "attached: false\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return kill
}

func open(t *testing.T, o sandbox.Options) *sandbox.World {
	t.Helper()
	w, err := sandbox.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, w) })
	return w
}

func shut(t *testing.T, w *sandbox.World) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func books(t *testing.T, w *sandbox.World) sandbox.Books {
	t.Helper()
	b, err := w.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Money that comes back is no payment, money that is paid twice buys once, and
// the market and the chain agree on what the wallet has left.
func TestPayments(t *testing.T) {
	t.Parallel()
	w := open(t, sandbox.Options{Dir: t.TempDir()})
	b := newBuyer(t, w, nil)
	start := books(t, w).Balance
	bounced := b.order(t, "ann_1")
	bounced.Bounce = true // nobody has deployed the collector, so this money returns
	b.pay(t, bounced)
	got := books(t, w)
	if len(got.Credits)+len(got.Strays) != 0 || start-got.Balance > ton.TON/20 {
		t.Errorf("after a payment that bounced: %+v, from %s TON", got, start)
	}
	again := bounced
	again.Bounce = false
	b.pay(t, again, again)
	for range 2 {
		got = books(t, w)
		if len(got.Credits) != 1 || len(got.Strays) != 1 || got.Strays[0].Amount != again.Amount {
			t.Errorf("after two payments of one order: %+v", got)
		}
	}
	if a := b.account(t); a.Balance != got.Balance {
		t.Errorf("the chain says %s TON, the books %s", a.Balance, got.Balance)
	}
}

// What lies in the folder is its owner's alone, even where others may look.
func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "world")
	record := filepath.Join(filepath.Dir(dir), "record.jsonl")
	w := open(t, sandbox.Options{Dir: dir, Record: record})
	if err := w.Set(t.Context(), "commas", "on"); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := filepath.WalkDir(filepath.Dir(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			got[filepath.Base(path)] = info.Mode().String()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{
		"a": "drwx------", "world": "drwx------", "world.json": "-rw-------", "running.json": "-rw-------", "world.lock": "-rw-------",
		"network.jsonl": "-rw-------", "market.jsonl": "-rw-------", "record.jsonl": "-rw-------",
	}, got); d != "" {
		t.Error(d)
	}
}

// A wallet begins with what the world was told to give it, also with nothing,
// and a world that was made already gives nothing more.
func TestBalance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    sandbox.Options
		want ton.Nano
	}{
		{sandbox.Options{}, 1000 * ton.TON},
		{sandbox.Options{Balance: 3 * ton.TON}, 3 * ton.TON},
		{sandbox.Options{Empty: true}, 0},
	} {
		c.o.Dir = t.TempDir()
		if sandbox.Exists(c.o.Dir) {
			t.Error("a world exists in an empty folder")
		}
		for range 2 {
			w := open(t, c.o)
			if got := books(t, w).Balance; got != c.want || !sandbox.Exists(c.o.Dir) {
				t.Errorf("%+v: the wallet holds %s TON, want %s", c.o, got, c.want)
			}
			shut(t, w)
		}
	}
}

// Settings that nobody knows are refused with what is known, and those that
// are known outlive the process.
func TestSet(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir()}
	w := open(t, o)
	for _, c := range []struct{ key, value, want string }{
		{"nonsense", "1", "known are blocks, fund, time, api, commas"},
		{"", "", "known are blocks, fund, time, api, commas"},
		{"payload", "nonsense", "known are ok, corrupt, binary, other_text"},
		{"time", "-1s", "10m"},
		{"time", "soon", "10m"},
		{"time", "2000000h", "2100"},
		{"fund", "much", "much"},
		{"fund", "-1", "-1"},
		{"blocks", "stop", "on or off"},
	} {
		if err := w.Set(t.Context(), c.key, c.value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: got %v, want something with %q", c.key, c.value, err, c.want)
		}
	}
	b := newBuyer(t, w, nil)
	price := b.price(t)
	before, clock := books(t, w).Balance, b.account(t).BlockTime
	for key, value := range map[string]string{"fund": "25", "time": "24h", "price": "+100%"} {
		if err := w.Set(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, w)
	w = open(t, o)
	b = newBuyer(t, w, nil)
	if got := books(t, w).Balance - before; got < 25*ton.TON-ton.TON/100 || got > 25*ton.TON {
		t.Errorf("funded with 25 TON it has %s TON more", got)
	}
	if got := b.account(t).BlockTime - clock; got < 24*3600 {
		t.Errorf("a day later, the clock has moved by %d s", got)
	}
	if got := b.price(t); got < 2*price-ton.TON/1000 || got > 2*price+ton.TON/1000 {
		t.Errorf("100 Stars cost %s TON, and twice as much as %s was asked for", got, price)
	}
}

// A world listens on this machine only.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		w, err := sandbox.Open(t.Context(), sandbox.Options{Dir: t.TempDir(), Listen: listen})
		if err == nil {
			t.Errorf("%s: listens on %s", listen, w.FragmentURL)
			shut(t, w)
		}
	}
}
