package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// Only init makes a ledger: a missing one is an error, never an empty one, and
// an existing one is never overwritten.
func TestOnlyCreateMakesALedger(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := sqlite.Open(t.Context(), missing); !errors.Is(err, sqlite.ErrMissing) {
		t.Errorf("open: %v, want ErrMissing", err)
	}
	if _, err := os.Lstat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening made a file")
	}
	s, path := create(t)
	head := must(s.Head(t.Context()))
	if _, err := sqlite.Create(t.Context(), path, []ledger.Event{ledger.Opened{Ledger: "b"}}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create: %v, want fs.ErrExist", err)
	}
	if must(s.Head(t.Context())) != head {
		t.Error("the ledger was changed")
	}
}

// The file is for its owner only, in a folder of its owner only.
func TestTheFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "ledger.db")
	createAt(t, path)
	for p, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: %v, want %v", p, got, want)
		}
	}
}

// A commit is on the disk when it returns, also after a power cut: SQLite syncs
// the file, and the folder in which the rollback journal stood. References are
// held, and a busy file is waited for.
func TestCommitsAreDurable(t *testing.T) {
	made, path := create(t)
	opened := must(sqlite.Open(t.Context(), path))
	defer opened.Close()
	for name, s := range map[string]*sqlite.Store{"made": made, "opened": opened} {
		for pragma, want := range map[string]string{
			"synchronous": "3" /* EXTRA */, "journal_mode": "delete", "foreign_keys": "1", "busy_timeout": "5000",
		} {
			if got := must(s.Pragma(t.Context(), pragma)); got != want {
				t.Errorf("%s: %s = %s, want %s", name, pragma, got, want)
			}
		}
	}
}

// What is not the one plain file of a ledger isn't opened.
func TestDamagedAndOddFilesAreRefused(t *testing.T) {
	s, whole := locked(t)
	put(t, s, story(20)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good := must(os.ReadFile(whole))
	for name, c := range map[string]struct {
		make func(path string) error
		want error
	}{
		"garbage":   {func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("garbage ", 999)), 0o600) }, sqlite.ErrCorrupt},
		"empty":     {func(p string) error { return os.WriteFile(p, nil, 0o600) }, sqlite.ErrCorrupt},
		"truncated": {func(p string) error { return os.WriteFile(p, good[:len(good)/2], 0o600) }, sqlite.ErrCorrupt},
		"head only": {func(p string) error { return os.WriteFile(p, good[:100], 0o600) }, sqlite.ErrCorrupt},
		"newer": {func(p string) error {
			if err := os.WriteFile(p, good, 0o600); err != nil {
				return err
			}
			_, err := raw(t, p).Exec(`PRAGMA user_version = 99`)
			return err
		}, sqlite.ErrNewer},
		"of another program": {func(p string) error {
			_, err := raw(t, p).Exec(`CREATE TABLE t (a)`)
			return err
		}, sqlite.ErrCorrupt},
		"symbolic link": {func(p string) error { return os.Symlink(whole, p) }, nil},
		"second name":   {func(p string) error { return os.Link(whole, p) }, nil},
		"folder":        {func(p string) error { return os.Mkdir(p, 0o700) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "odd ?#%.db")
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if name == "second name" {
				os.Remove(path)
			}
		})
	}
}

// A writer with an old epoch can change nothing, even if its lock was broken.
func TestAnOldEpochChangesNothing(t *testing.T) {
	s, path := locked(t)
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	other := must(sqlite.Open(t.Context(), path))
	defer other.Close()
	if err := other.Lock(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	head := must(s.Head(t.Context()))
	if err := s.Append(t.Context(), []ledger.Event{reserved(1)}); !errors.Is(err, sqlite.ErrEpoch) {
		t.Errorf("got %v, want ErrEpoch", err)
	}
	if must(s.Head(t.Context())) != head {
		t.Error("the log grew")
	}
	put(t, other, reserved(1))
}

// A writer that was killed in the middle leaves nothing of its transaction,
// and also a reader rolls it back.
func TestAKilledWriterLeavesNothing(t *testing.T) {
	if path := os.Getenv("FRAGPLAN_TEST_DIE_IN"); path != "" {
		db := raw(t, path)
		db.SetMaxOpenConns(1)
		for _, q := range []string{`PRAGMA cache_size = 1`, `PRAGMA cache_spill = 1`, `BEGIN IMMEDIATE`, `DROP TRIGGER event_is_never_deleted`, `DELETE FROM event`} {
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		p := must(os.FindProcess(os.Getpid()))
		_ = p.Kill()
		select {}
	}
	s, path := locked(t)
	put(t, s, story(300)...)
	head := must(s.Head(t.Context()))
	s.Close()
	child := exec.Command(os.Args[0], "-test.run=^TestAKilledWriterLeavesNothing$")
	child.Env = append(os.Environ(), "FRAGPLAN_TEST_DIE_IN="+path)
	if out, err := child.CombinedOutput(); err == nil || strings.Contains(string(out), "FAIL") {
		t.Fatalf("%v\n%s", err, out)
	}
	if info, err := os.Stat(path + "-journal"); err != nil || info.Size() == 0 {
		t.Fatalf("no hot journal was left: %v", err)
	}
	reader := must(sqlite.Open(t.Context(), path))
	defer reader.Close()
	if got, err := reader.Verify(t.Context()); err != nil || got != head {
		t.Errorf("got %+v, %v; want %+v", got, err, head)
	}
}

// The tables and triggers that hold the promises are part of what Verify
// checks: a byte of their text, a trigger that is gone, a table too many.
func TestAnAlteredSchemaIsDamage(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(20)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good := must(os.ReadFile(path))
	for name, alter := range map[string]func(path string) error{
		"as it was": func(string) error { return nil },
		"a byte of a trigger": func(path string) error {
			b := bytes.ReplaceAll(good, []byte("'an event is never changed'"), []byte("'an event is never changee'"))
			return os.WriteFile(path, b, 0o600)
		},
		"a trigger is gone": func(path string) error {
			_, err := raw(t, path).Exec(`DROP TRIGGER event_is_never_deleted`)
			return err
		},
		"a trigger too many": func(path string) error {
			_, err := raw(t, path).Exec(`CREATE TRIGGER mine BEFORE INSERT ON event BEGIN SELECT RAISE(IGNORE); END`)
			return err
		},
		"a table too many": func(path string) error {
			_, err := raw(t, path).Exec(`CREATE TABLE mine (x)`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := alter(path); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, err = s.Verify(t.Context())
			if whole := name == "as it was"; (err == nil) != whole || !whole && !errors.Is(err, sqlite.ErrCorrupt) {
				t.Errorf("verify: %v", err)
			}
			_, err = s.Backup(t.Context(), filepath.Join(t.TempDir(), "copy.db"))
			if whole := name == "as it was"; (err == nil) != whole {
				t.Errorf("backup: %v", err)
			}
		})
	}
}
