package sqlite_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// note reads what the lock file says.
func note(t *testing.T, path string) (n sqlite.LockedError) {
	t.Helper()
	if err := json.Unmarshal(must(os.ReadFile(path+".lock")), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// second opens the ledger once more, for a newcomer that waits for no lease.
func second(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s := must(sqlite.Open(t.Context(), path))
	t.Cleanup(func() { s.Close() })
	s.Lease = time.Nanosecond
	return s
}

// While the holder's heart beats, however long it has held the ledger, a
// newcomer is told who holds it, since when, from where, and how long ago it
// was heard of.
func TestTheLockSaysWhoHoldsIt(t *testing.T) {
	s, path := locked(t)
	put(t, s, reserved(1))
	other := must(sqlite.Open(t.Context(), path))
	defer other.Close()
	err := other.Lock(t.Context(), "second")
	var held *sqlite.LockedError
	if !errors.Is(err, sqlite.ErrLocked) || !errors.As(err, &held) {
		t.Fatalf("got %v, want a *LockedError", err)
	}
	host := must(os.Hostname())
	if held.Holder != "test" || held.Host != host || held.PID != os.Getpid() || held.Since.IsZero() || held.Beat.IsZero() || held.Age < 0 || held.Age > sqlite.Lease {
		t.Errorf("got %+v", held)
	}
	for _, want := range []string{`by "test"`, host, "process", "since 2", "last heard of"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: doesn't say %s", err, want)
		}
	}
	if got := len(load(t, other).Orders); got != 1 {
		t.Errorf("a reader sees %d orders, want 1", got)
	}
	if err := other.Append(t.Context(), []ledger.Event{reserved(2)}); !errors.Is(err, sqlite.ErrEpoch) {
		t.Errorf("append without a lock: %v", err)
	}
}

// The heart beats six times in a lease, until Close.
func TestTheHolderShowsThatItRuns(t *testing.T) {
	_, path := create(t)
	synctest.Test(t, func(t *testing.T) {
		s := must(sqlite.Open(t.Context(), path))
		if err := s.Lock(t.Context(), "test"); err != nil {
			t.Fatal(err)
		}
		first := note(t, path)
		for beat := range 7 {
			if got := note(t, path).Beat.Sub(first.Beat); got != time.Duration(beat)*10*time.Second {
				t.Errorf("beat %d is %s after the first", beat, got)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		if got := note(t, path); got.Since != first.Since || got.Holder != "test" {
			t.Errorf("got %+v", got)
		}
		other := must(sqlite.Open(t.Context(), path))
		if err := other.Lock(t.Context(), "second"); !errors.Is(err, sqlite.ErrLocked) {
			t.Errorf("it holds the ledger for more than a lease and runs: %v", err)
		}
		if err := errors.Join(other.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	if b := must(os.ReadFile(path + ".lock")); len(b) > 0 {
		t.Errorf("given back, the lock still says %q", b)
	}
}

// A holder that shows no sign of life for a lease loses the ledger. When it
// goes on it can change nothing: not the ledger, not the note of whoever holds
// it now, and not the lock.
func TestAStalledHolderIsTakenOverFrom(t *testing.T) {
	stalled, path := create(t)
	stalled.Lease = time.Hour // as good as no heartbeat
	if err := stalled.Lock(t.Context(), "stalled"); err != nil {
		t.Fatal(err)
	}
	put(t, stalled, reserved(1))
	if err := second(t, path).Lock(t.Context(), "newcomer"); err != nil {
		t.Fatal(err)
	}
	newcomer := second(t, path)
	if err := newcomer.Lock(t.Context(), "next newcomer"); err != nil { // and from that one
		t.Fatal(err)
	}
	put(t, newcomer, reserved(2))
	want, head := note(t, path), must(newcomer.Head(t.Context()))
	if want.Holder != "next newcomer" {
		t.Errorf("the lock says %+v", want)
	}
	refused(t, stalled, sqlite.ErrEpoch, reserved(3))
	if err := stalled.Close(); err != nil {
		t.Error(err)
	}
	if got := note(t, path); got.Holder != want.Holder || got.Since != want.Since || must(newcomer.Head(t.Context())) != head {
		t.Errorf("the stalled holder changed something: %+v", got)
	}
	patient := must(sqlite.Open(t.Context(), path))
	defer patient.Close()
	if err := patient.Lock(t.Context(), "patient"); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("the newcomer's lock: %v", err)
	}
	if err := newcomer.Close(); err != nil {
		t.Error(err)
	}
	if err := patient.Lock(t.Context(), "patient"); err != nil {
		t.Errorf("given back, and not free at once: %v", err)
	}
	left := must(os.ReadDir(strings.TrimSuffix(path, "/ledger.db")))
	for _, f := range left {
		if f.Name() != "ledger.db" && f.Name() != "ledger.db.lock" {
			t.Errorf("%s is left over", f.Name())
		}
	}
}

// A holder that had no time to write who it is loses the ledger after a lease,
// too; before that it is left alone.
func TestAHolderWithoutANote(t *testing.T) {
	s, path := create(t)
	s.Lease = time.Hour
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path+".lock", 0); err != nil {
		t.Fatal(err)
	}
	other := must(sqlite.Open(t.Context(), path))
	defer other.Close()
	if err := other.Lock(t.Context(), "second"); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("got %v", err)
	}
	old := time.Now().Add(-2 * sqlite.Lease)
	if err := os.Chtimes(path+".lock", old, old); err != nil {
		t.Fatal(err)
	}
	if err := other.Lock(t.Context(), "second"); err != nil {
		t.Errorf("got %v", err)
	}
}

// A note that a killed process left is not a lock: asking tells the two apart,
// and takes nothing.
func TestANoteIsNotALock(t *testing.T) {
	s, path := locked(t)
	if held := sqlite.Held(path); held == nil || held.Holder != "test" {
		t.Errorf("it is held: %v", held)
	}
	left := must(os.ReadFile(path + ".lock"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".lock", left, 0o600); err != nil { // as after kill -9
		t.Fatal(err)
	}
	if held := sqlite.Held(path); held != nil {
		t.Errorf("only its note is left: %v", held)
	}
	if got := must(os.ReadFile(path + ".lock")); string(got) != string(left) {
		t.Errorf("asking changed the note to %q", got)
	}
	if err := second(t, path).Lock(t.Context(), "next"); err != nil {
		t.Errorf("asking kept the lock: %v", err)
	}
}

// Nothing is added to records that don't hold together.
func TestALockNeedsWholeRecords(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(3)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := raw(t, path).Exec(`DROP TRIGGER event_is_never_changed; UPDATE event SET body = replace(body, '"h"', '"g"') WHERE seq = 6`); err != nil {
		t.Fatal(err)
	}
	if err := second(t, path).Lock(t.Context(), "next"); !errors.Is(err, sqlite.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}
