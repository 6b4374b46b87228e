// Package sqlite keeps a ledger in one SQLite file: the chained log of events
// and the tables they add up to, changed together or not at all, durable
// before Append returns.
//
// It decides nothing: which event may follow which is package ledger's table,
// which the schema holds a second time. What is written to the tables is
// package ledger/store's, as in every other database.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// What callers tell apart is the same for every store.
var (
	ErrMissing = store.ErrMissing
	ErrNewer   = store.ErrNewer
	ErrCorrupt = store.ErrCorrupt
	ErrEpoch   = store.ErrEpoch
	ErrLocked  = store.ErrLocked
)

// LockedError says who holds the ledger.
type LockedError = store.LockedError

// Lease is how long a holder may show no sign of life before a newcomer takes
// the ledger over.
const Lease = store.Lease

// Store is an open ledger file. Its methods may be called concurrently and
// run one at a time.
type Store struct {
	// Lease is how old a holder's heartbeat must be before Lock takes the
	// ledger over, and six times what passes between our own. It is set before
	// Lock; every store begins with the constant Lease.
	Lease time.Duration

	path string
	db   *sql.DB

	mu    sync.Mutex
	conn  *sql.Conn // the only one: transactions are written out by hand on it
	stmts map[string]*sql.Stmt
	claim *claim
	epoch int64 // of the lock; 0 without
	fatal error // of a commit whose outcome is unknown; nothing is written after it
}

// configure sets what the driver keeps for the whole process. Locks that
// belong to the open file and not to the process aren't lost when some other
// part of the process opens and closes the same file.
var configure = sync.OnceFunc(func() {
	driver.StrictPragmas(true)
	_, _ = driver.OFDLocking(true) // not everywhere; the file is never opened twice by us
})

// Create makes a new ledger whose first events are first, all in one commit.
// An existing file is refused with fs.ErrExist and not touched.
func Create(ctx context.Context, path string, first []ledger.Event) (*Store, error) {
	return create(ctx, path, func(ctx context.Context, s *Store) error { return s.write(ctx, 0, first) })
}

func create(ctx context.Context, path string, fill func(context.Context, *Store) error) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	lock, err := take(path, "init")
	if err != nil {
		return nil, err
	}
	err = build(ctx, path, fill)
	if err = errors.Join(err, lock.release()); err != nil {
		return nil, err
	}
	return Open(ctx, path)
}

// build writes the ledger under another name and renames it when it is whole,
// so that no crash leaves half of one.
func build(ctx context.Context, path string, fill func(context.Context, *Store) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("ledger %s: %w", path, fs.ErrExist)
	}
	draft := path + ".new"
	for _, left := range []string{draft, draft + "-journal"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	s, err := connect(ctx, draft)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(ctx context.Context) error {
		if err := s.migrate(ctx, 0); err != nil {
			return err
		}
		return fill(ctx, s)
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// Open opens an existing ledger and changes nothing, except that SQLite rolls
// back what a killed writer left unfinished, and that an older schema is
// brought up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := check(path); err != nil {
		return nil, err
	}
	s, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := s.recognise(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func connect(ctx context.Context, path string) (*Store, error) {
	configure()
	q := url.Values{
		"mode": {"rw"}, "_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_journal_mode": {"DELETE"},
		"_synchronous": {"EXTRA"}, "_foreign_keys": {"1"}, "_defensive": {"1"}, "_dqs": {"0"},
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{Lease: Lease, path: path, db: db, stmts: map[string]*sql.Stmt{}}
	if s.conn, err = db.Conn(ctx); err != nil {
		err, busy := s.failed("open", err), code(err) == lib.SQLITE_BUSY
		if busy { // for longer than any write takes
			err = fmt.Errorf("%w: it was stopped while it wrote: %w", holds(path), err)
		}
		return nil, errors.Join(err, db.Close())
	}
	if err := s.readBack(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// readBack makes sure that SQLite took the settings: it ignores what it
// doesn't know or can't do.
func (s *Store) readBack(ctx context.Context) error {
	for _, p := range []struct{ pragma, want string }{
		{"journal_mode", "delete"}, {"synchronous", "3"}, {"foreign_keys", "1"}, {"busy_timeout", "5000"},
	} {
		var got string
		if err := s.conn.QueryRowContext(ctx, "PRAGMA "+p.pragma).Scan(&got); err != nil {
			return s.failed(p.pragma, err)
		}
		if got != p.want {
			return fmt.Errorf("ledger %s: SQLite runs with %s = %s instead of %s", s.path, p.pragma, got, p.want)
		}
	}
	return nil
}

// Head returns the newest record's number and hash.
func (s *Store) Head(ctx context.Context) (ledger.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head(ctx)
}

func (s *Store) head(ctx context.Context) (ledger.Head, error) { return store.Head(ctx, tables{s}) }

// Close gives the lock back and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	s.stmts = map[string]*sql.Stmt{}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	errs = append(errs, s.db.Close())
	errs = append(errs, s.claim.release())
	s.claim, s.epoch = nil, 0
	return errors.Join(errs...)
}

// now is the clock of Record.Time, which is for people only.
func now() int64 { return time.Now().UnixMilli() }
