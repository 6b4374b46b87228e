package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// check refuses paths whose file SQLite's locks and journal can't protect: two
// names of one file have two journals.
func check(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("ledger %s: %w", path, ErrMissing)
	case err != nil:
		return fmt.Errorf("ledger: %w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("ledger %s is a symbolic link: name the file itself", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("ledger %s is not a file", path)
	}
	if n := links(info); n > 1 {
		return fmt.Errorf("ledger %s has %d names (hard links): it must have one", path, n)
	}
	return onNetwork(path)
}

// syncFolder makes a new name durable.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
