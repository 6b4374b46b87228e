package wallet

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// The environment variables that say where the mnemonic is.
const (
	EnvMnemonic     = "FRAGPLAN_MNEMONIC"      // the words
	EnvMnemonicFile = "FRAGPLAN_MNEMONIC_FILE" // the name of a file with the words
)

// ErrNoMnemonic is returned where the environment names no mnemonic.
var ErrNoMnemonic = fmt.Errorf("neither %s nor %s is set", EnvMnemonic, EnvMnemonicFile)

// maxMnemonicFile is more than any 24 words take up.
const maxMnemonicFile = 4 << 10

// MnemonicFromEnv reads the mnemonic that the environment holds or names.
// getenv is os.Getenv and open is os.Open. Neither variable set is
// ErrNoMnemonic; both set, or a file that others than its owner may read, are
// errors too. The words are not checked; KeyFromMnemonic does that.
func MnemonicFromEnv(getenv func(string) string, open func(string) (*os.File, error)) (Mnemonic, error) {
	words, file := getenv(EnvMnemonic), getenv(EnvMnemonicFile)
	switch {
	case words != "" && file != "":
		return Mnemonic{}, fmt.Errorf("both %s and %s are set: keep one", EnvMnemonic, EnvMnemonicFile)
	case words != "":
		return MnemonicOf(words), nil
	case file == "":
		return Mnemonic{}, ErrNoMnemonic
	}
	m, err := readMnemonic(file, open)
	if err != nil {
		return Mnemonic{}, fmt.Errorf("%s: %w", EnvMnemonicFile, err)
	}
	return m, nil
}

func readMnemonic(name string, open func(string) (*os.File, error)) (Mnemonic, error) {
	f, err := open(name)
	if err != nil {
		return Mnemonic{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Mnemonic{}, err
	}
	if !info.Mode().IsRegular() {
		return Mnemonic{}, fmt.Errorf("%q is no plain file", name)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return Mnemonic{}, fmt.Errorf("%q has mode %04o, so others may read it: chmod 600 it", name, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMnemonicFile+1))
	if err != nil {
		return Mnemonic{}, err
	}
	if len(b) > maxMnemonicFile {
		return Mnemonic{}, fmt.Errorf("%q is too large to be a mnemonic", name)
	}
	if len(b) == 0 {
		return Mnemonic{}, errors.New("the file is empty")
	}
	return MnemonicOf(string(b)), nil
}
