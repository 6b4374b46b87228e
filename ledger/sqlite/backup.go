package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// Backup writes a copy of the ledger as it is at one moment to a new file,
// also while others write, and returns the copy's newest record. The copy is
// checked as Verify does, and compared with the ledger, before it bears its
// name; an existing file is refused with fs.ErrExist.
func (s *Store) Backup(ctx context.Context, path string) (ledger.Head, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return ledger.Head{}, err
	}
	// The name is taken with an empty file, which is no ledger.
	name, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return ledger.Head{}, fmt.Errorf("backup: %w", err)
	}
	head, err := s.backup(ctx, path)
	if err = errors.Join(err, name.Close()); err != nil {
		return ledger.Head{}, errors.Join(err, os.Remove(path))
	}
	return head, nil
}

func (s *Store) backup(ctx context.Context, path string) (ledger.Head, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return ledger.Head{}, fmt.Errorf("backup: %w", err)
	}
	draft := f.Name()
	head, err := s.copyTo(ctx, draft)
	if err == nil {
		err = f.Sync() // the copy was made without
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(draft, path)
	}
	if err == nil {
		return head, syncFolder(filepath.Dir(path))
	}
	err = fmt.Errorf("backup %s: %w", path, err)
	for _, left := range []string{draft, draft + "-journal"} {
		if gone := os.Remove(left); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return ledger.Head{}, err
}

// copyTo fills an empty file with the ledger, and makes sure of it.
func (s *Store) copyTo(ctx context.Context, draft string) (ledger.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.patient(ctx, `VACUUM INTO ?`, draft); err != nil {
		return ledger.Head{}, s.failed("copy", err)
	}
	copied, err := connect(ctx, draft)
	if err != nil {
		return ledger.Head{}, err
	}
	err = copied.recognise(ctx)
	var head ledger.Head
	if err == nil {
		head, err = copied.Verify(ctx)
	}
	if err = errors.Join(err, copied.Close()); err != nil {
		return ledger.Head{}, err
	}
	var hash []byte
	if err := s.conn.QueryRowContext(ctx, `SELECT hash FROM event WHERE seq = ?`, head.Seq).Scan(&hash); err != nil {
		return ledger.Head{}, s.failed("compare", err)
	}
	if ton.Hash(hash) != head.Hash {
		return ledger.Head{}, fmt.Errorf("ledger %s: record %d is another in the copy: %w", s.path, head.Seq, ErrCorrupt)
	}
	return head, nil
}
