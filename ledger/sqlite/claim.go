package sqlite

import (
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// A claim is a lock that is held, and the note in its file. It writes to the
// file that it has open, never to a name: once another file stands in that
// place, it harms nobody.
type claim struct {
	lock *flock.Flock
	file *os.File
	note LockedError
	stop chan struct{} // closed to end the beat; nil without one
	done chan struct{} // closed when it has ended
}

// sign writes for the first time who holds the lock.
func (c *claim) sign(holder string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	now := time.Now().UTC().Truncate(time.Second)
	c.note = LockedError{Holder: holder, Host: host, PID: os.Getpid(), Since: now, Beat: now}
	n, err := c.write()
	if err != nil {
		return err
	}
	return c.file.Truncate(int64(n))
}

// write writes the note in one piece. Only its beat ever changes, by whole
// seconds of UTC, so that its length stays.
func (c *claim) write() (int, error) {
	b, err := json.Marshal(c.note)
	if err != nil {
		return 0, err
	}
	return c.file.WriteAt(append(b, '\n'), 0)
}

// keep renews the note until the claim is released.
func (c *claim) keep(every time.Duration) {
	c.stop, c.done = make(chan struct{}), make(chan struct{})
	go c.beat(every)
}

// beat shows from time to time that the holder runs. The worst that a failed
// write can do is that somebody else takes over.
func (c *claim) beat(every time.Duration) {
	defer close(c.done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-c.stop:
			return
		case now := <-ticker.C:
			c.note.Beat = now.UTC().Truncate(time.Second)
			_, _ = c.write()
		}
	}
}

// stands reports whether the claim's file is still the one that others find.
func (c *claim) stands(path string) bool {
	held, err := c.lock.Stat()
	if err != nil {
		return false
	}
	ours, err := c.file.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(path + ".lock")
	return err == nil && os.SameFile(held, ours) && os.SameFile(ours, found)
}

// release gives the lock back. The note goes first: it must not speak for
// whoever takes the lock next.
func (c *claim) release() error {
	if c == nil {
		return nil
	}
	if c.stop != nil {
		close(c.stop)
		<-c.done
	}
	var errs []error
	if c.file != nil {
		errs = append(errs, c.file.Truncate(0), c.file.Close())
	}
	return errors.Join(append(errs, c.lock.Unlock())...)
}
