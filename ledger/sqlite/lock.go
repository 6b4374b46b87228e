package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	lib "modernc.org/sqlite/lib"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Lock makes the caller the only writer until Close: it takes the file lock
// and raises the epoch, after which older writers get ErrEpoch whatever became
// of their lock. A *LockedError says who has it.
//
// A holder that has shown no sign of life for Store.Lease is taken over from.
// Nothing depends on its being dead: if it goes on, it can write nothing more.
func (s *Store) Lock(ctx context.Context, holder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim != nil {
		return nil
	}
	c, err := take(s.path, holder)
	var stalled *LockedError
	if errors.As(err, &stalled) && stalled.Age > s.Lease {
		err = nil
	}
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(ctx context.Context) (err error) {
		switch {
		case stalled != nil:
			if c, err = s.takeOver(holder); err != nil {
				return err
			}
		case !c.stands(s.path):
			return holds(s.path)
		}
		return s.raise(ctx, holder)
	})
	if stalled != nil && code(err) == lib.SQLITE_BUSY {
		err = fmt.Errorf("%w: it was stopped while it wrote: %w", stalled, err)
	}
	if err != nil {
		return errors.Join(err, c.release())
	}
	s.claim = c
	c.keep(max(s.Lease/store.BeatsPerLease, time.Millisecond))
	return nil
}

// raise makes this store the writer, inside a transaction. It adds nothing to
// a ledger that doesn't hold together.
func (s *Store) raise(ctx context.Context, holder string) error {
	if err := s.sound(ctx); err != nil {
		return err
	}
	var epoch int64
	if err := s.conn.QueryRowContext(ctx, `SELECT epoch FROM ledger`).Scan(&epoch); err != nil {
		return s.failed("epoch", err)
	}
	if err := s.write(ctx, epoch, []ledger.Event{ledger.EpochTaken{Epoch: epoch + 1, Holder: holder}}); err != nil {
		return err
	}
	s.epoch = epoch + 1
	return nil
}

// takeOver puts a lock file of its own in the place of one whose holder has
// stalled. That one keeps its lock on a file that nobody finds any more, and
// its heartbeats go there too. It runs inside the transaction that raises the
// epoch, so that of two newcomers the second sees the first.
func (s *Store) takeOver(holder string) (*claim, error) {
	if held := holds(s.path); held.Age <= s.Lease {
		return nil, held
	}
	draft, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".lock.*")
	if err != nil {
		return nil, fmt.Errorf("lock of %s: %w", s.path, err)
	}
	name := draft.Name()
	lock := flock.New(name)
	ok, err := lock.TryLock()
	if err == nil && !ok {
		err = ErrLocked // of a file that was made this moment
	}
	c := &claim{lock: lock, file: draft}
	if err == nil {
		err = c.sign(holder)
	}
	if err == nil {
		err = os.Rename(name, s.path+".lock")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock of %s: %w", s.path, err), c.release(), os.Remove(name))
	}
	return c, nil
}

// Held says who holds the ledger of a file, without taking it: nil if nobody
// has shown a sign of life within Lease, or if the lock is free and its note is
// only what a process left that was killed.
func Held(path string) *LockedError {
	e := holds(path)
	if e.Holder == "" || e.Age > Lease || free(path) {
		return nil
	}
	return e
}

// free reports whether the lock could be had, by taking it beside other readers
// and giving it back at once.
func free(path string) bool {
	lock := flock.New(path+".lock", flock.SetFlag(os.O_RDONLY))
	ok, err := lock.TryRLock()
	return errors.Join(err, lock.Close()) == nil && ok
}

// nameless is how often a lock without a name in it is tried.
const nameless = 20

// take takes the lock file beside the ledger, or returns a *LockedError, soon
// if the holder has said who it is.
func take(path, holder string) (*claim, error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	for try := 1; ; try++ {
		ok, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock of %s: %w", path, err)
		}
		if ok {
			break
		}
		// Somebody may only have asked whether it is free, beside a note that was left.
		if e := holds(path); e.Holder != "" && try > 2 || try == nameless {
			return nil, errors.Join(e, lock.Close())
		}
		time.Sleep(10 * time.Millisecond) // somebody begins or ends, and is not named now
	}
	var err error
	c := &claim{lock: lock}
	if c.file, err = os.OpenFile(path+".lock", os.O_RDWR, 0); err == nil && !c.stands(path) {
		return nil, errors.Join(holds(path), c.release())
	}
	if err == nil {
		err = c.sign(holder)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock of %s: %w", path, err), c.release())
	}
	return c, nil
}

// holds reads who holds the ledger. Half-written is as good as nothing: then
// the file's own time says when the holder last showed that it runs.
func holds(path string) *LockedError {
	e := &LockedError{}
	f, err := os.Open(path + ".lock")
	if err != nil {
		return e
	}
	defer f.Close()
	if b, err := io.ReadAll(io.LimitReader(f, 4096)); err != nil || json.Unmarshal(b, e) != nil {
		*e = LockedError{}
	}
	if info, err := f.Stat(); err == nil && e.Beat.IsZero() {
		e.Beat = info.ModTime()
	}
	e.Age = max(0, time.Since(e.Beat))
	return e
}
