package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/spec"
)

// companions are what stands beside a ledger's file and belongs to it.
var companions = []string{"", "-journal", "-wal", "-shm", ".lock", ".new", ".new-journal"}

// harmless refuses to write a file where the project's ledger or the sandbox's
// world, with the rehearsal's ledger, has its own.
func (p *program) harmless(name, ledger string) error {
	file := resolved(name)
	world := resolved(p.worldDir())
	if file == world || strings.HasPrefix(file, world+string(filepath.Separator)) {
		return fmt.Errorf("%s lies in the folder of the sandbox's world: choose another place", name)
	}
	for _, end := range companions {
		if own := resolved(filepath.Join(p.dir, filepath.FromSlash(ledger)) + end); file == own || sameFile(file, own) {
			return fmt.Errorf("%s belongs to the ledger: choose another name", name)
		}
	}
	return nil
}

// resolved is the path of a file with all links resolved, whether it exists or not.
func resolved(name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		return whole
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// planTarget refuses to save a plan over anything but an older one.
func (p *project) planTarget(name string) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("plan file: %w", err)
	case info.IsDir():
		return fmt.Errorf("plan file %s: it is a folder; name a file", name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("plan file %s: it is not a plain file", name)
	case info.Size() > 0 && !begins(name, "checksum", "plan"):
		return fmt.Errorf("plan file %s: it exists and is no plan of fragplan, so it is not overwritten: choose another name", name)
	}
	if err := p.program.harmless(name, p.spec.Ledger.File); err != nil {
		return fmt.Errorf("plan file: %w", err)
	}
	return nil
}

// recordTarget refuses to append a record to what is none. Pipes and devices
// are the user's matter.
func (p *program) recordTarget(name string) error {
	if err := p.harmless(name, spec.DefaultLedger); err != nil {
		return fmt.Errorf("-record: %w", err)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil || !info.Mode().IsRegular() || info.Size() == 0:
		return nil // what is wrong is said when it is opened
	case !begins(name, "before", "message", "transaction", "transaction_hash"):
		return fmt.Errorf("-record: %s exists and is no record of transactions, so nothing is appended to it: choose another name", name)
	}
	return nil
}

// maxBeginning bounds what is read of a file to see what it is.
const maxBeginning = 16 << 20

// begins reports whether a file begins with a JSON object that has these keys.
// It reads up to the last of them and no further: what is behind it may be large.
func begins(name string, keys ...string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	d := json.NewDecoder(io.LimitReader(f, maxBeginning))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return false
	}
	missing := slices.Clone(keys)
	for {
		key, err := d.Token()
		if err != nil || key == json.Delim('}') {
			return false
		}
		if missing = slices.DeleteFunc(missing, func(k string) bool { return key == k }); len(missing) == 0 {
			return true
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return false
		}
	}
}
