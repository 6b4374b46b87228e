package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/fragplan/fragplan/ledger"
)

// ErrLocked is matched by every *LockedError.
var ErrLocked = errors.New("the ledger is locked")

// LockedError says who holds the ledger. Its fields are what the holder wrote
// about itself; they are zero if it had no time to.
type LockedError struct {
	Holder string    `json:"holder"`
	Host   string    `json:"host"`
	PID    int       `json:"pid"`
	Since  time.Time `json:"since"`
}

// Error names the holder.
func (e *LockedError) Error() string {
	if e.Holder == "" {
		return ErrLocked.Error()
	}
	return fmt.Sprintf("%v by %q on %q (process %d) since %s", ErrLocked, e.Holder, e.Host, e.PID, e.Since.Format(time.RFC3339))
}

// Is reports whether target is ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// take takes the lock file beside the ledger, or returns a *LockedError at once.
func take(path, holder string) (*flock.Flock, error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock of %s: %w", path, err)
	}
	if !ok {
		var e LockedError
		if b, err := os.ReadFile(path + ".lock"); err == nil && len(b) < 4096 {
			_ = json.Unmarshal(b, &e) // half-written is as good as nothing
		}
		return nil, &e
	}
	host, _ := os.Hostname()
	note, err := json.Marshal(LockedError{Holder: holder, Host: host, PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(path+".lock", append(note, '\n'), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock of %s: %w", path, err), lock.Unlock())
	}
	return lock, nil
}

// Lock makes the caller the only writer until Close: it takes the file lock
// and raises the epoch, after which older writers get ErrEpoch whatever became
// of their lock. A *LockedError says who has it.
func (s *Store) Lock(ctx context.Context, holder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock != nil {
		return nil
	}
	lock, err := take(s.path, holder)
	if err != nil {
		return err
	}
	if err := s.raise(ctx, holder); err != nil {
		return errors.Join(err, lock.Unlock())
	}
	s.lock = lock
	return nil
}

func (s *Store) raise(ctx context.Context, holder string) error {
	var epoch int64
	if err := s.conn.QueryRowContext(ctx, `SELECT epoch FROM ledger`).Scan(&epoch); err != nil {
		return s.failed("epoch", err)
	}
	if err := s.append(ctx, epoch, []ledger.Event{ledger.EpochTaken{Epoch: epoch + 1, Holder: holder}}); err != nil {
		return err
	}
	s.epoch = epoch + 1
	return nil
}
