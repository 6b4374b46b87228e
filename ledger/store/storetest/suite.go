// Package storetest holds every store of a ledger to the same promises.
//
// It is for tests alone: each store brings a place for a ledger, and runs the
// suite over it.
package storetest

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// A Store is what every store offers.
type Store interface {
	Lock(ctx context.Context, holder string) error
	Append(ctx context.Context, events []ledger.Event) error
	Adopt(ctx context.Context, log func(yield func(ledger.Record) error) error) error
	Load(ctx context.Context) (*ledger.State, error)
	LoadFull(ctx context.Context) (*ledger.State, error)
	Head(ctx context.Context) (ledger.Head, error)
	Records(ctx context.Context, yield func(ledger.Record) error) error
	RecordsAfter(ctx context.Context, seq int64, yield func(ledger.Record) error) error
	Verify(ctx context.Context) (ledger.Head, error)
	Close() error
}

// A Place is where one ledger can be kept.
type Place interface {
	Create(ctx context.Context, first []ledger.Event) (Store, error)
	Restore(ctx context.Context, log func(yield func(ledger.Record) error) error) (Store, error)
	Open(ctx context.Context) (Store, error)
	// Exec runs SQLite's SQL behind the store's back, as somebody who may do
	// everything.
	Exec(statement string) error
}

// kit runs the tests over places.
type kit struct {
	place  func(testing.TB) Place
	checks int // of the property, unless -rapid.checks asks for another number
}

// Run runs every test of the suite over places of one kind: its subtests are the
// promises by name. checks is how often the longest one plays a story at random.
func Run(t *testing.T, checks int, place func(testing.TB) Place) {
	k := reflect.ValueOf(kit{place, checks})
	for i := range k.NumMethod() {
		if test, ok := k.Method(i).Interface().(func(*testing.T)); ok {
			t.Run(k.Type().Method(i).Name, test)
		}
	}
}

// First are the events with which the suite's ledgers begin.
func First() []ledger.Event {
	return []ledger.Event{
		ledger.Opened{Ledger: "test"},
		ledger.Anchored{Wallet: ours, Version: ton.V5R1, Anchor: at(7), Block: 70},
		ledger.Anchored{Wallet: theirs, Version: ton.V4R2, Reason: "second"},
	}
}

func (k kit) create(t testing.TB) (Store, Place) {
	t.Helper()
	p := k.place(t)
	s, err := p.Create(t.Context(), First())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, p
}

func (k kit) locked(t testing.TB) (Store, Place) {
	t.Helper()
	s, p := k.create(t)
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return s, p
}

func put(t testing.TB, s Store, events ...ledger.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, s Store) *ledger.State {
	t.Helper()
	state, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// refuses runs SQL behind the store's back; the schema must stop it for the
// reason that is named. Where the databases name a reason differently, each
// word for it stands there with a | between.
func refuses(t *testing.T, p Place, statement, reasons string) {
	t.Helper()
	err := p.Exec(statement)
	for reason := range strings.SplitSeq(reasons, "|") {
		if err != nil && strings.Contains(err.Error(), reason) {
			return
		}
	}
	t.Errorf("%s\ngot %v, want %q", statement, err, reasons)
}
