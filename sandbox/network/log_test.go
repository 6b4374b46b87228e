package network_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
)

func unmarshal(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string, o network.Options) *network.Network {
	t.Helper()
	n, err := network.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// A network that is opened again has the same blocks and credits, keeps what
// was sent but in no block yet, and forgets a line that was torn.
func TestOpenReplays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network")
	n := open(t, path, options())
	p := newPayer(n, ton.V5R1)
	fund(t, n, p, 100*ton.TON)
	if err := n.Send(p.pay(t, 100)); err != nil {
		t.Fatal(err)
	}
	n.AdvanceTime(time.Hour)
	produce(t, n) // the message has expired: nothing of it may be left
	n.AdvanceTime(-time.Hour)
	want, first := n.Last(), n.First()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Produce(); err == nil {
		t.Error("a closed network made a block")
	}
	tear(t, path)

	n = open(t, path, options())
	if diff := cmp.Diff(want, n.Last()); diff != "" {
		t.Errorf("last block (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, n.First()); diff != "" {
		t.Errorf("first block (-want +got):\n%s", diff)
	}
	if got := n.Now().Unix(); got != int64(want.Time) {
		t.Errorf("time goes on from %d, want %d", got, want.Time)
	}

	// What is kept after the torn line replays too.
	want = produce(t, n)
	n.Close()
	if diff := cmp.Diff(want, open(t, path, options()).Last()); diff != "" {
		t.Errorf("block after the torn line (-want +got):\n%s", diff)
	}
}

// A message that was taken before the network closed is executed after it was
// opened, once.
func TestOpenKeepsThePool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network")
	n := open(t, path, options())
	p := newPayer(n, ton.V4R2)
	fund(t, n, p, 100*ton.TON)
	boc := p.pay(t, 3)
	if err := n.Send(boc); err != nil {
		t.Fatal(err)
	}
	n.Close()

	n = open(t, path, options())
	kept := size(t, path)
	if err := n.Send(boc); err != nil {
		t.Errorf("sending it again: %v", err)
	}
	if got := size(t, path); got != kept {
		t.Errorf("a message that waits already was kept again: %d bytes, want %d", got, kept)
	}
	produce(t, n)
	want, balance := n.Last(), n.Balance(collector)
	if diff := cmp.Diff(map[string]int{ref(0, 0): 1, ref(0, 1): 1, ref(0, 2): 1}, arrived(t, n)); diff != "" {
		t.Errorf("credits (-want +got):\n%s", diff)
	}
	n.Close()
	n = open(t, path, options())
	if diff := cmp.Diff(want, n.Last()); diff != "" || n.Balance(collector) != balance {
		t.Errorf("last block (-want +got):\n%s", diff)
	}
}

// A file is opened only with the seed and the network id that it was made
// with.
func TestOpenRefusesOtherOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network")
	open(t, path, options()).Close()
	seed, id := options(), options()
	seed.Seed[9] = 9
	id.GlobalID = -3
	for _, o := range []network.Options{seed, id} {
		if _, err := network.Open(path, o); !errors.Is(err, network.ErrOtherLog) {
			t.Errorf("got %v, want ErrOtherLog", err)
		}
	}
}

func tear(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("external 4 te6ccgEB"); err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
