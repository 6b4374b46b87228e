package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// A backup that is made while another process writes is the ledger as it was
// at one moment: it opens, it is whole, and its head stands in the ledger.
func TestABackupIsOneMomentOfTheLedger(t *testing.T) {
	writer, path := locked(t)
	put(t, writer, story(300)...)
	wrote, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for run := ledger.RunID(2); run < 25; run++ {
			if err := writer.Append(context.Background(), []ledger.Event{ledger.RunStarted{Run: run, Host: "h"}}); err != nil {
				done <- err
				return
			}
			if run == 2 {
				close(wrote)
			}
		}
		done <- nil
	}()
	<-wrote
	s := must(sqlite.Open(t.Context(), path))
	defer s.Close()
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy ?#%.db")
	head, err := s.Backup(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	if info := must(os.Stat(copied)); info.Mode().Perm() != 0o600 {
		t.Errorf("it is %v", info.Mode())
	}
	b := must(sqlite.Open(t.Context(), copied))
	defer b.Close()
	if got, err := b.Verify(t.Context()); err != nil || got != head {
		t.Errorf("%+v, %v; want %+v", got, err, head)
	}
	if err := b.Lock(t.Context(), "restored"); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	err = s.Records(t.Context(), func(r ledger.Record) error {
		if r.Seq == head.Seq && r.Hash != head.Hash {
			t.Errorf("record %d is another in the copy", r.Seq)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, f := range must(os.ReadDir(dir)) {
		if filepath.Ext(f.Name()) != ".db" && filepath.Ext(f.Name()) != ".lock" {
			t.Errorf("%s is left over", f.Name())
		}
	}
}

// A backup never overwrites, and a failed one leaves nothing.
func TestABackupOverwritesNothing(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(3)...)
	dir := t.TempDir()
	old, link := filepath.Join(dir, "old"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(old, []byte("old"), 0o600), os.Symlink(filepath.Join(dir, "nothing"), link)); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{old, link, path} {
		if _, err := s.Backup(t.Context(), p); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want fs.ErrExist", p, err)
		}
	}
	if _, err := raw(t, path).Exec(`UPDATE wallet SET ramp = 100`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(t.Context(), filepath.Join(dir, "damaged")); !errors.Is(err, sqlite.ErrCorrupt) {
		t.Errorf("of a damaged ledger: %v, want ErrCorrupt", err)
	}
	if got := must(os.ReadFile(old)); string(got) != "old" || len(must(os.ReadDir(dir))) != 2 {
		t.Errorf("%q, %v", got, must(os.ReadDir(dir)))
	}
}
