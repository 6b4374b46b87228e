// Package postgres keeps a ledger in a PostgreSQL database: the chained log of
// events and the tables they add up to, changed together or not at all, durable
// before Append returns, for any number of machines.
//
// It decides nothing: which event may follow which is package ledger's table,
// which the schema holds a second time. What is written to the tables is
// package ledger/store's, as in every other database.
//
// # Who writes
//
// Every write begins by taking the row of the table ledger, which holds the
// epoch, until its end. So writes happen one at a time, and one of an epoch that
// has passed changes nothing. Who holds the ledger is noted in the table holder
// with a heartbeat, for those who come and for people; nothing depends on it.
//
// # When a commit's outcome is unknown
//
// The connection may break between COMMIT and its answer. Then a new connection
// takes the same row, which it gets once the transaction before is over, and
// reads whether the record stands there. That is the answer, and not a guess.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Store is an open ledger. Its methods may be called concurrently and run one at
// a time.
type Store struct {
	// Lease is how old a holder's heartbeat must be before Lock takes the
	// ledger over, and six times what passes between our own. It is set before
	// Lock; every store begins with store.Lease.
	Lease time.Duration

	at     string // what errors call the ledger
	config *pgx.ConnConfig

	mu    sync.Mutex
	conn  *pgx.Conn
	claim *claim
	epoch int64 // of the lock; 0 without
	fatal error // of a commit whose outcome could not be found out; nothing is written after it
}

// Create makes a new ledger whose first events are first, all in one commit, and
// opens it. A schema that holds a ledger is refused with fs.ErrExist, one that
// holds anything else with another error, and neither is touched.
func Create(ctx context.Context, a Address, first []ledger.Event) (*Store, error) {
	return create(ctx, a, func(ctx context.Context, s *Store, w *writer) (ledger.Head, error) {
		return store.Append(ctx, w, ledger.Head{}, 0, now(), first)
	})
}

// Restore makes a new ledger from a log that is kept somewhere else, in one
// commit. log yields its records from the first one on.
func Restore(ctx context.Context, a Address, log func(yield func(ledger.Record) error) error) (*Store, error) {
	return create(ctx, a, func(ctx context.Context, s *Store, w *writer) (ledger.Head, error) {
		return store.Adopt(ctx, w, ledger.Head{}, log)
	})
}

func create(ctx context.Context, a Address, fill func(context.Context, *Store, *writer) (ledger.Head, error)) (*Store, error) {
	s, err := connect(ctx, a)
	if err != nil {
		return nil, err
	}
	err = s.build(ctx, a, fill)
	if err == nil {
		err = s.recognise(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) build(ctx context.Context, a Address, fill func(context.Context, *Store, *writer) (ledger.Head, error)) error {
	exists, tables, err := s.stands(ctx)
	switch {
	case err != nil:
		return err
	case exists:
		return fmt.Errorf("ledger %s: %w", s.at, fs.ErrExist)
	case tables > 0:
		return fmt.Errorf("ledger %s: the schema holds %d tables of something else: give the ledger another name", s.at, tables)
	}
	return s.transact(ctx, func(ctx context.Context, w *writer) (ledger.Head, error) {
		if err := s.found(ctx, a); err != nil {
			return ledger.Head{}, err
		}
		return fill(ctx, s, w)
	})
}

// Open opens an existing ledger and changes nothing, except that an older schema
// is brought up to date if the role owns it.
func Open(ctx context.Context, a Address) (*Store, error) {
	s, err := connect(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := s.recognise(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func connect(ctx context.Context, a Address) (*Store, error) {
	config, err := a.config()
	if err != nil {
		return nil, err
	}
	s := &Store{Lease: store.Lease, at: a.String(), config: config}
	if err := s.dial(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Head returns the newest record's number and hash.
func (s *Store) Head(ctx context.Context) (h ledger.Head, err error) {
	err = s.read(ctx, func(ctx context.Context, r reader) error {
		h, err = store.Head(ctx, r)
		return err
	})
	return h, err
}

// Load reads the state from the tables, without the bulk of what is settled
// (store.Load says what that is).
func (s *Store) Load(ctx context.Context) (*ledger.State, error) { return s.view(ctx, false) }

// LoadFull is Load with the bulk of what is settled, for audits.
func (s *Store) LoadFull(ctx context.Context) (*ledger.State, error) { return s.view(ctx, true) }

func (s *Store) view(ctx context.Context, full bool) (state *ledger.State, err error) {
	err = s.read(ctx, func(ctx context.Context, r reader) error {
		state, err = store.Load(ctx, r, full)
		return err
	})
	return state, err
}

// Records yields the log from the first record to the newest, on one
// unchanging view. yield must not call the store.
func (s *Store) Records(ctx context.Context, yield func(ledger.Record) error) error {
	return s.RecordsAfter(ctx, 0, yield)
}

// RecordsAfter yields the records behind the one with the given number.
func (s *Store) RecordsAfter(ctx context.Context, seq int64, yield func(ledger.Record) error) error {
	return s.read(ctx, func(ctx context.Context, r reader) error { return store.Log(ctx, r, seq, yield) })
}

// Verify checks the whole ledger: that its tables, functions and triggers are
// those of this program, the chain of records from the first to the newest, and
// that the tables are what a replay of the events gives. It returns the newest
// record, whose hash then stands for everything before it. What doesn't hold is
// store.ErrCorrupt.
func (s *Store) Verify(ctx context.Context) (head ledger.Head, err error) {
	err = s.read(ctx, func(ctx context.Context, r reader) error {
		if err := s.unaltered(ctx, r); err != nil {
			return err
		}
		head, err = store.Verify(ctx, r)
		return err
	})
	if err != nil {
		return ledger.Head{}, err
	}
	return head, nil
}

// read runs do on one unchanging view of the database. A connection that broke
// while nobody used it is made anew.
func (s *Store) read(ctx context.Context, do func(context.Context, reader) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`
	err := s.exec(ctx, begin)
	if err != nil && s.conn.IsClosed() && ctx.Err() == nil {
		if err = s.dial(ctx); err == nil {
			err = s.exec(ctx, begin)
		}
	}
	if err != nil {
		return s.failed("begin", err)
	}
	err = do(ctx, reader{s})
	if end := s.rollback(ctx); err == nil {
		err = end
	}
	return err
}

// Close gives the ledger back and closes the connections.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// What a lost connection can't say any more, its end says.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s.release(ctx)
	if s.conn == nil || s.conn.IsClosed() {
		return nil
	}
	return s.conn.Close(ctx)
}

// now is the clock of Record.Time, which is for people only.
func now() int64 { return time.Now().UnixMilli() }
