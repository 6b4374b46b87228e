package signer

import (
	"fmt"
	"io"
	"os"
)

// readSecret reads a small file that only its owner can read: a regular file,
// not a link to one, of this user, with a mode of 0600 or stricter. What is
// checked is the file that is read, not its name.
func readSecret(name string, limit int64) ([]byte, error) {
	if info, err := os.Lstat(name); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return nil, fmt.Errorf("%q is a link: name the file itself", name)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is no plain file", name)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%q has mode %04o, so others may read it: chmod 600 it", name, info.Mode().Perm())
	case !ownFile(info):
		return nil, fmt.Errorf("%q belongs to another user, who can read and change it: make a copy of your own", name)
	}
	return readAll(f, name, limit)
}

// readSealed reads a small file that needs no keeping from others.
func readSealed(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no plain file", name)
	}
	return readAll(f, name, maxAgeFile)
}

func readAll(f io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%q is too large: it has more than %d bytes", name, limit)
	}
	return b, nil
}
