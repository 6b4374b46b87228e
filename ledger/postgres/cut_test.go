package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/store"
)

// A wire is a network between a store and its server, which breaks when it is
// told to.
type wire struct {
	listener net.Listener
	server   string

	mu   sync.Mutex
	how  string // the next break: "" for none
	left int    // bytes to the server until it, for "anywhere"
	then func() // happens once, when the server has lost the connection and the store doesn't know yet
	cuts int
}

// Kinds of breaks around a COMMIT, and one anywhere.
const (
	before   = "before" // the server never sees it
	after    = "after"  // the server answers, and the answer is lost
	during   = "during" // both sides are gone as soon as it was sent on
	anywhere = "anywhere"
)

func newWire(t *testing.T, address string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, server: address}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

// over is the address of a ledger through the wire.
func (w *wire) over(t *testing.T, a postgres.Address) postgres.Address {
	t.Helper()
	u := must(url.Parse(a.URL))
	u.Host = w.listener.Addr().String()
	return postgres.Address{URL: u.String(), Ledger: a.Ledger}
}

func (w *wire) breakNext(how string, left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.how, w.left = how, left
}

func (w *wire) carry(client net.Conn) {
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		client.Close()
		return
	}
	end := sync.OnceFunc(func() {
		server.Close()
		w.mu.Lock()
		then := w.then
		w.then = nil
		w.mu.Unlock()
		if then != nil {
			then()
		}
		client.Close()
	})
	var lost sync.Once
	drop := make(chan struct{}) // closed: the next answer is lost
	go func() {
		defer end()
		b := make([]byte, 1<<16)
		for {
			n, err := server.Read(b)
			if err != nil {
				return
			}
			select {
			case <-drop:
				return
			default:
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	defer end()
	b := make([]byte, 1<<16)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		switch w.decide(b[:n]) {
		case before, anywhere:
			return
		case after:
			lost.Do(func() { close(drop) })
		case during:
			_, _ = server.Write(b[:n])
			return
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// decide says how the wire breaks at what was just sent, "" if it doesn't.
func (w *wire) decide(sent []byte) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	how := w.how
	switch {
	case how == "":
		return ""
	case how == anywhere:
		if w.left -= len(sent); w.left > 0 {
			return ""
		}
	case !bytes.Contains(sent, []byte("COMMIT\x00")):
		return ""
	}
	w.how = ""
	w.cuts++
	return how
}

// A connection that breaks around a commit, or anywhere else, loses nothing and
// does nothing twice: Append finds out what became of it.
func TestABrokenConnectionIsResolvedByReading(t *testing.T) {
	s, a := create(t)
	w := newWire(t, net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = must(postgres.Open(t.Context(), w.over(t, a)))
	defer s.Close()
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	run := ledger.RunID(0)
	for range 6 {
		for _, how := range []string{before, after, during, anywhere} {
			w.breakNext(how, 1+rng.IntN(1500))
			run++
			if err := s.Append(t.Context(), []ledger.Event{ledger.RunStarted{Run: run, Host: "h"}}); err != nil {
				t.Fatalf("%s: run %d: %v", how, run, err)
			}
			w.breakNext("", 0)
		}
	}
	if w.cuts < 18 {
		t.Errorf("only %d connections were cut: the test doesn't reach them", w.cuts)
	}
	if got := must(s.Load(t.Context())).LastRun; got != run {
		t.Errorf("%d runs stand there, want %d", got, run)
	}
	started := 0
	if err := s.Records(t.Context(), func(r ledger.Record) error {
		if r.Kind == "run_started" {
			started++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if started != int(run) {
		t.Errorf("%d records of %d runs", started, run)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// While the connection was gone another has taken the ledger over: what was
// committed before counts, and nothing more is written.
func TestABrokenConnectionMayLoseTheLedger(t *testing.T) {
	for _, how := range []string{before, after} {
		t.Run(how, func(t *testing.T) {
			s, a := create(t)
			w := newWire(t, net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
			s.Close()
			s = must(postgres.Open(t.Context(), w.over(t, a)))
			defer s.Close()
			if err := s.Lock(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
			put(t, s, ledger.RunStarted{Run: 1, Host: "h"})
			w.then = func() {
				other := must(postgres.Open(context.Background(), a))
				other.Lease = 0
				if err := other.Lock(context.Background(), "other"); err != nil {
					t.Error(err)
				}
				t.Cleanup(func() { other.Close() })
			}
			w.breakNext(how, 0)
			err := s.Append(t.Context(), []ledger.Event{ledger.RunStarted{Run: 2, Host: "h"}})
			if how == after && err != nil || how == before && !errors.Is(err, store.ErrEpoch) {
				t.Errorf("got %v", err)
			}
			if err := s.Append(t.Context(), []ledger.Event{ledger.RunStarted{Run: 3, Host: "h"}}); !errors.Is(err, store.ErrEpoch) {
				t.Errorf("it goes on: %v", err)
			}
			want := ledger.RunID(1)
			if how == after {
				want = 2
			}
			if got := must(s.Load(t.Context())).LastRun; got != want {
				t.Errorf("%d runs, want %d", got, want)
			}
		})
	}
}
