package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	lib "modernc.org/sqlite/lib"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Append writes the events, all or none, and returns when they are durable.
//
// Events that may not follow return ledger.ErrTransition or ledger.ErrPrior,
// and an older writer gets ErrEpoch; nothing is written. After any other error
// the caller must stop: it may not rely on either outcome until it has opened
// the ledger again.
func (s *Store) Append(ctx context.Context, events []ledger.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim == nil {
		return fmt.Errorf("ledger %s: not locked: %w", s.path, ErrEpoch)
	}
	return s.append(ctx, s.epoch, events)
}

func (s *Store) append(ctx context.Context, epoch int64, events []ledger.Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.transact(ctx, func(ctx context.Context) error {
		var current int64
		if err := s.conn.QueryRowContext(ctx, `SELECT epoch FROM ledger`).Scan(&current); err != nil {
			return s.failed("epoch", err)
		}
		if current != epoch {
			return fmt.Errorf("ledger %s: epoch %d, ours is %d: %w", s.path, current, epoch, ErrEpoch)
		}
		return s.write(ctx, epoch, events)
	})
}

// write projects and records the events inside a transaction.
func (s *Store) write(ctx context.Context, epoch int64, events []ledger.Event) error {
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	_, err = store.Append(ctx, tables{s}, head, epoch, now(), events)
	return err
}

// refused turns a constraint of the schema into the error of the rule it
// stands for.
func (s *Store) refused(e ledger.Event, err error) error {
	doing := ledger.KindOf(e)
	switch {
	case code(err) == lib.SQLITE_CONSTRAINT && strings.Contains(err.Error(), "prior sum"):
		return fmt.Errorf("ledger %s: %s: %w: %w", s.path, doing, ledger.ErrPrior, err)
	case code(err) == lib.SQLITE_CONSTRAINT:
		return fmt.Errorf("ledger %s: %s: %w: %w", s.path, doing, ledger.ErrTransition, err)
	}
	return s.failed(doing, err)
}

// busyTries bounds how often a statement is begun again while another process
// reads; each try waits for the busy timeout.
const busyTries = 4

// transact runs do in one transaction. Once it has begun it is not abandoned
// half way: a cancelled context could leave a commit that nobody knows of.
func (s *Store) transact(ctx context.Context, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.fatal != nil {
		return fmt.Errorf("ledger %s: an earlier write failed: %w", s.path, s.fatal)
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.patient(ctx, `BEGIN IMMEDIATE`); err != nil {
		return s.failed("begin", err)
	}
	if err := do(ctx); err != nil {
		return errors.Join(err, s.rollback(ctx))
	}
	if err := s.patient(ctx, `COMMIT`); err != nil {
		s.fatal = err
		return errors.Join(s.failed("commit", err), s.rollback(ctx))
	}
	return nil
}

// patient runs a statement again while the file is busy. A COMMIT that was
// busy leaves its transaction open.
func (s *Store) patient(ctx context.Context, statement string, args ...any) (err error) {
	for range busyTries {
		if _, err = s.conn.ExecContext(ctx, statement, args...); code(err) != lib.SQLITE_BUSY {
			return err
		}
	}
	return err
}

func (s *Store) rollback(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, `ROLLBACK`)
	if err == nil || strings.Contains(err.Error(), "no transaction is active") {
		return nil // SQLite itself rolls back after some errors
	}
	s.fatal = err
	return s.failed("rollback", err)
}

// exec runs a statement that is prepared once for the life of the store, and
// returns how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	stmt := s.stmts[query]
	if stmt == nil {
		var err error
		if stmt, err = s.conn.PrepareContext(ctx, query); err != nil {
			return 0, err
		}
		s.stmts[query] = stmt
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
