package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Lock makes the caller the only writer until Close: it raises the epoch, after
// which older writers get store.ErrEpoch. A *store.LockedError says who has it.
//
// A holder whose connection has ended, or that has shown no sign of life for
// Store.Lease, is taken over from. Nothing depends on its being dead: if it goes
// on, it can write nothing more.
func (s *Store) Lock(ctx context.Context, holder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim != nil {
		return nil
	}
	if err := s.modest(ctx); err != nil {
		return err
	}
	c, err := s.newClaim(ctx, holder)
	if err != nil {
		return err
	}
	var epoch int64
	err = s.transact(ctx, func(ctx context.Context, w *writer) (ledger.Head, error) {
		now, err := s.grasp(ctx)
		if err != nil {
			return ledger.Head{}, err
		}
		held, err := s.holds(ctx)
		if err != nil {
			return ledger.Head{}, err
		}
		if held != nil && held.Age <= s.Lease {
			return ledger.Head{}, held
		}
		if err := s.sound(ctx, now.head); err != nil {
			return ledger.Head{}, err
		}
		epoch = now.epoch + 1
		if err := c.sign(ctx, s, epoch); err != nil {
			return ledger.Head{}, err
		}
		return store.Append(ctx, w, now.head, now.epoch, time.Now().UnixMilli(), []ledger.Event{ledger.EpochTaken{Epoch: epoch, Holder: holder}})
	})
	if code(err) == codeNoLock { // somebody is in the middle of a write
		if held, unread := s.holds(ctx); unread == nil && held != nil {
			err = fmt.Errorf("%w: it is writing: %w", held, err)
		}
	}
	if err != nil {
		c.close(ctx)
		return err
	}
	s.claim, s.epoch, c.epoch = c, epoch, epoch
	c.keep(max(s.Lease/store.BeatsPerLease, time.Millisecond))
	return nil
}

// sound checks what a writer is about to rely on.
func (s *Store) sound(ctx context.Context, head ledger.Head) error {
	r := reader{s}
	if err := s.unaltered(ctx, r); err != nil {
		return err
	}
	if store.Whole(head) {
		_, err := store.Verify(ctx, r)
		return err
	}
	return store.Recent(ctx, r, head)
}

// Held says who holds the ledger, without taking it: nil if nobody does, or
// nobody who has shown a sign of life within the lease.
func (s *Store) Held(ctx context.Context) (*store.LockedError, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.holds(ctx)
	if err != nil || held == nil || held.Age > s.Lease {
		return nil, err
	}
	return held, nil
}

// holds reads who holds the ledger, nil if it was given back or its holder's
// connection has ended. All times are the server's.
//
// Of another role's processes the server doesn't say when they began: then one
// of the same number is taken for the holder's.
func (s *Store) holds(ctx context.Context) (*store.LockedError, error) {
	e := &store.LockedError{}
	var age int64 // microseconds
	err := s.conn.QueryRow(ctx, `SELECT holder, host, pid, since, beat, (greatest(0, extract(epoch FROM clock_timestamp() - beat)) * 1000000)::bigint FROM holder h
		WHERE NOT ended AND EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = h.backend AND coalesce(a.backend_start, h.begun) = h.begun)`).
		Scan(&e.Holder, &e.Host, &e.PID, &e.Since, &e.Beat, &age)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed("holder", err)
	}
	e.Since, e.Beat, e.Age = e.Since.UTC(), e.Beat.UTC(), time.Duration(age)*time.Microsecond
	return e, nil
}

// A claim is a ledger that is held. Its heartbeat goes over a connection of its
// own, which also shows by its end that the holder is gone.
type claim struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn
	epoch  int64
	holder string
	stop   chan struct{} // closed to end the beat; nil without one
	done   chan struct{} // closed when it has ended
}

func (s *Store) newClaim(ctx context.Context, holder string) (*claim, error) {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w: %w", s.at, ErrServer, err)
	}
	return &claim{config: s.config, conn: conn, holder: holder}, nil
}

// own are the server's process of a connection and when that began.
const own = `(SELECT backend_start FROM pg_stat_activity WHERE pid = $1::bigint)`

// sign notes who holds the ledger, inside the transaction that raises the epoch.
func (c *claim) sign(ctx context.Context, s *Store, epoch int64) error {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	_, err = s.conn.Exec(ctx, `INSERT INTO holder (one, epoch, holder, host, pid, since, beat, backend, begun, ended)
		VALUES (1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(), $1::bigint, `+own+`, false)
		ON CONFLICT (one) DO UPDATE SET (epoch, holder, host, pid, since, beat, backend, begun, ended)
		= (EXCLUDED.epoch, EXCLUDED.holder, EXCLUDED.host, EXCLUDED.pid, EXCLUDED.since, EXCLUDED.beat, EXCLUDED.backend, EXCLUDED.begun, false)`,
		int64(c.conn.PgConn().PID()), epoch, c.holder, host, os.Getpid())
	if err != nil {
		return s.failed("holder", err)
	}
	return nil
}

// keep shows from time to time that the holder runs, until the claim is
// released.
func (c *claim) keep(every time.Duration) {
	c.stop, c.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(c.done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-c.stop:
				return
			case <-ticker.C:
				c.beat(every)
			}
		}
	}()
}

// beat is worth one try: the worst that a failed one can do is that somebody
// else takes over.
func (c *claim) beat(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), max(within, time.Second))
	defer cancel()
	if c.conn.IsClosed() {
		conn, err := pgx.ConnectConfig(ctx, c.config)
		if err != nil {
			return
		}
		c.conn = conn
	}
	_, _ = c.conn.Exec(ctx, `UPDATE holder SET beat = clock_timestamp(), backend = $1::bigint, begun = `+own+` WHERE epoch = $2 AND NOT ended`,
		int64(c.conn.PgConn().PID()), c.epoch)
}

// release gives the ledger back, if it is still ours.
func (s *Store) release(ctx context.Context) {
	c := s.claim
	if c == nil {
		return
	}
	close(c.stop)
	<-c.done
	if !c.conn.IsClosed() {
		_, _ = c.conn.Exec(ctx, `UPDATE holder SET ended = true WHERE epoch = $1`, c.epoch)
	}
	c.close(ctx)
	s.claim, s.epoch = nil, 0
}

func (c *claim) close(ctx context.Context) { _ = c.conn.Close(ctx) }
