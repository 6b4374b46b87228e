package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
	"github.com/fragplan/fragplan/ton"
)

// Append writes the events, all or none, and returns when they are durable.
//
// Events that may not follow return ledger.ErrTransition or ledger.ErrPrior,
// and an older writer gets store.ErrEpoch; nothing is written. If the connection
// breaks it finds out what became of them, and writes them again if they are not
// there. After any other error the caller must stop: it may not rely on either
// outcome until it has opened the ledger again.
func (s *Store) Append(ctx context.Context, events []ledger.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim == nil {
		return fmt.Errorf("ledger %s: not locked: %w", s.at, store.ErrEpoch)
	}
	if len(events) == 0 {
		return nil
	}
	return s.transact(ctx, func(ctx context.Context, w *writer) (ledger.Head, error) {
		head, err := s.take(ctx)
		if err != nil {
			return ledger.Head{}, err
		}
		return store.Append(ctx, w, head, s.epoch, now(), events)
	})
}

// Adopt appends records that another writer of the same ledger made, byte for
// byte. The first one must follow the newest one here. All or none are taken.
func (s *Store) Adopt(ctx context.Context, log func(yield func(ledger.Record) error) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transact(ctx, func(ctx context.Context, w *writer) (ledger.Head, error) {
		now, err := s.grasp(ctx)
		if err != nil {
			return ledger.Head{}, err
		}
		return store.Adopt(ctx, w, now.head, log)
	})
}

// ground is what a write stands on.
type ground struct {
	epoch int64
	head  ledger.Head
}

// take begins a write of our epoch.
func (s *Store) take(ctx context.Context) (ledger.Head, error) {
	now, err := s.grasp(ctx)
	if err == nil && now.epoch != s.epoch {
		err = fmt.Errorf("ledger %s: epoch %d, ours is %d: %w", s.at, now.epoch, s.epoch, store.ErrEpoch)
	}
	return now.head, err
}

// grasp takes the row on which all writes wait for one another, until the end of
// the transaction, and reads what is newest then.
func (s *Store) grasp(ctx context.Context) (ground, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var now ground
	var hash []byte
	b := &pgx.Batch{}
	b.Queue(`SELECT epoch FROM ledger FOR UPDATE`).QueryRow(func(r pgx.Row) error { return r.Scan(&now.epoch) })
	b.Queue(`SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1`).QueryRow(func(r pgx.Row) error { return r.Scan(&now.head.Seq, &hash) })
	if err := s.conn.SendBatch(ctx, b).Close(); err != nil {
		return ground{}, s.failed("epoch", err)
	}
	if len(hash) != len(now.head.Hash) {
		return ground{}, fmt.Errorf("ledger %s: head: %w", s.at, store.ErrCorrupt)
	}
	now.head.Hash = ton.Hash(hash)
	return now, nil
}

// pauses is what passes before each try: the first, one at once over a new
// connection in the place of a broken one, and more.
var pauses = []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// transact runs do in one transaction, and sends what do has queued. Once it has
// begun it is not abandoned half way: a cancelled context could leave a commit
// that nobody knows of.
//
// do returns the record with which the log ends then. It may be called again:
// after a connection that broke, if nothing of it was committed.
func (s *Store) transact(ctx context.Context, do func(context.Context, *writer) (ledger.Head, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.fatal != nil {
		return fmt.Errorf("ledger %s: an earlier write failed: %w", s.at, s.fatal)
	}
	ctx = context.WithoutCancel(ctx)
	var sent ledger.Head // with which a commit would end that was sent and not answered
	var err error
	for _, pause := range pauses {
		if err != nil { // the connection broke
			time.Sleep(pause)
			if again := s.dial(ctx); again != nil {
				err = errors.Join(err, again)
				continue
			}
		}
		if sent.Seq > 0 {
			there, lost := s.committed(ctx, sent)
			if lost == nil && there {
				return nil
			}
			if lost != nil {
				err = lost
				if s.conn.IsClosed() || code(lost) == codeNoLock {
					continue
				}
				break
			}
			sent = ledger.Head{}
		}
		if sent, err = s.attempt(ctx, do); err == nil || !s.conn.IsClosed() {
			return err
		}
	}
	if sent.Seq > 0 {
		s.fatal = err
		return fmt.Errorf("ledger %s: the connection broke while record %d was being committed, and what became of it could not be read: %w", s.at, sent.Seq, err)
	}
	return err
}

// attempt runs do once. The record that it returns was sent to be committed:
// with an error it is not known whether it was.
func (s *Store) attempt(ctx context.Context, do func(context.Context, *writer) (ledger.Head, error)) (sent ledger.Head, err error) {
	if err := s.exec(ctx, `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`); err != nil {
		return ledger.Head{}, s.failed("begin", err)
	}
	w := &writer{Store: s}
	end, err := do(ctx, w)
	if err == nil {
		// What is checked at the end is checked now, while it can be refused.
		w.queued = append(w.queued, statement{w.event, store.AnyRows, `SET CONSTRAINTS ALL IMMEDIATE`, nil})
		err = w.flush(ctx)
	}
	if err != nil {
		return ledger.Head{}, errors.Join(err, s.rollback(ctx))
	}
	if err := s.commit(ctx); err != nil {
		return end, s.failed("commit", err)
	}
	return ledger.Head{}, nil
}

// commit ends a transaction. PostgreSQL answers COMMIT of one that has failed
// with the word ROLLBACK.
func (s *Store) commit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tag, err := s.conn.Exec(ctx, `COMMIT`)
	if err == nil && tag.String() != "COMMIT" {
		err = fmt.Errorf("the server answered %s", tag)
	}
	return err
}

// committed finds out what became of a commit whose answer was lost. It waits
// for the row that every write holds until its end: then the one before is over,
// whatever the network did.
func (s *Store) committed(ctx context.Context, end ledger.Head) (bool, error) {
	exists, _, err := s.stands(ctx)
	if err != nil || !exists {
		return false, err // it was the commit that makes the tables
	}
	if err := s.exec(ctx, `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`); err != nil {
		return false, s.failed("begin", err)
	}
	if _, err := s.grasp(ctx); err != nil {
		return false, errors.Join(err, s.rollback(ctx))
	}
	var hash []byte
	err = s.conn.QueryRow(ctx, `SELECT hash FROM event WHERE seq = $1`, end.Seq).Scan(&hash)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	if err != nil {
		return false, errors.Join(s.failed("outcome", err), s.rollback(ctx))
	}
	return string(hash) == string(end.Hash[:]), s.rollback(ctx)
}
