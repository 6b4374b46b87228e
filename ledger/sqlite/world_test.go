package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/ledger/store/storetest"
)

// SQLite keeps the promises of every store.
func TestPromises(t *testing.T) {
	storetest.Run(t, 30, func(t testing.TB) storetest.Place { return file{filepath.Join(t.TempDir(), "ledger.db")} })
}

// file is a place for a ledger: a path.
type file struct{ path string }

func (f file) Create(ctx context.Context, first []ledger.Event) (storetest.Store, error) {
	return opened(sqlite.Create(ctx, f.path, first))
}

func (f file) Restore(ctx context.Context, log func(yield func(ledger.Record) error) error) (storetest.Store, error) {
	return opened(sqlite.Restore(ctx, f.path, log))
}

func (f file) Open(ctx context.Context) (storetest.Store, error) {
	return opened(sqlite.Open(ctx, f.path))
}

func opened(s *sqlite.Store, err error) (storetest.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Exec rolls back what a statement began.
func (f file) Exec(statement string) error {
	db, err := open(f.path)
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

func open(path string) (*sql.DB, error) {
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_busy_timeout=2000"}).String())
}

// raw opens the file behind the store's back, without its settings.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var (
	reserved = storetest.Reserved
	quoted   = storetest.Quoted
	story    = storetest.Story
	light    = storetest.Light
)

func create(t testing.TB) (*sqlite.Store, string) {
	t.Helper()
	return createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
}

func createAt(t testing.TB, path string) (*sqlite.Store, string) {
	t.Helper()
	s, err := sqlite.Create(t.Context(), path, storetest.First())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

func locked(t testing.TB) (*sqlite.Store, string) {
	t.Helper()
	s, path := create(t)
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return s, path
}

func put(t testing.TB, s *sqlite.Store, events ...ledger.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, s *sqlite.Store, want error, events ...ledger.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events); !errors.Is(err, want) {
		t.Errorf("%+v: %v, want %v", events[len(events)-1], err, want)
	}
}

func load(t testing.TB, s *sqlite.Store) *ledger.State {
	t.Helper()
	state, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
