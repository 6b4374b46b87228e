// Package store is what the databases of a ledger have in common: the
// statements that turn events into rows and rows into a state, the checks of
// the log, and the errors that callers tell apart.
//
// It opens no database and decides nothing: which event may follow which is
// package ledger's table, and every store's schema holds it a second time.
package store

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart.
var (
	ErrMissing = errors.New("there is no ledger here")
	ErrNewer   = errors.New("a newer fragplan wrote this ledger")
	ErrCorrupt = errors.New("the ledger is damaged, or the file is none")
	ErrEpoch   = errors.New("another writer has taken the ledger over")
)

// ErrLocked is matched by every *LockedError.
var ErrLocked = errors.New("the ledger is locked")

// LockedError says who holds the ledger. Its fields are what the holder wrote
// about itself; the names are empty if it had no time to.
type LockedError struct {
	Holder string        `json:"holder"`
	Host   string        `json:"host"`
	PID    int           `json:"pid"`
	Since  time.Time     `json:"since"`
	Beat   time.Time     `json:"beat"` // when the holder last showed that it runs
	Age    time.Duration `json:"-"`    // of the beat, when it was read
}

// Error names the holder.
func (e *LockedError) Error() string {
	if e.Holder == "" {
		return ErrLocked.Error()
	}
	return fmt.Sprintf("%v by %q on %q (process %d) since %s, last heard of %s ago", ErrLocked, e.Holder, e.Host, e.PID, e.Since.Format(time.RFC3339), e.Age.Round(time.Second))
}

// Is reports whether target is ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// Lease is how long a holder may show no sign of life before a newcomer takes
// the ledger over.
const Lease = 60 * time.Second

// BeatsPerLease is how often a holder shows within a lease that it runs.
const BeatsPerLease = 6
