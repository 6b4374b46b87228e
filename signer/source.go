// Package signer is where keys and signatures come from: words in the
// environment, in a file, in a file encrypted with age or from a password
// manager, and programs outside that hold the key and sign themselves. Other
// secrets are kept in the same places and read by the same rules.
//
// It chooses nothing and keeps nothing: what is signed is in the payload that
// it is given, and what comes back is checked before anybody sees it.
package signer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fragplan/fragplan/wallet"
)

// The environment variables that secrets are read from.
const (
	EnvMnemonic      = "FRAGPLAN_MNEMONIC"       // the words
	EnvMnemonicFile  = "FRAGPLAN_MNEMONIC_FILE"  // the name of a file with the words
	EnvAgeIdentity   = "FRAGPLAN_AGE_IDENTITY"   // the name of a file with age identities
	EnvAgePassphrase = "FRAGPLAN_AGE_PASSPHRASE" // the passphrase of an age file
)

// ErrNoMnemonic is returned, wrapped, where nothing says where the words are.
var ErrNoMnemonic = fmt.Errorf("neither %s nor %s is set", EnvMnemonic, EnvMnemonicFile)

// maxSecret is more than any 24 words take up, in bytes.
const maxSecret = 4 << 10

// A Kind is a way in which words are kept.
type Kind string

// The kinds of sources. The empty Kind is FRAGPLAN_MNEMONIC or
// FRAGPLAN_MNEMONIC_FILE, whichever is set.
const (
	Env  Kind = "env"  // in the environment variable Name
	File Kind = "file" // in the file Name, mode 0600 or stricter
	Age  Kind = "age"  // in the file Name, encrypted with age
	Exec Kind = "exec" // on the stdout of Command
)

// A Source says where the wallet's words are. The zero Source is the
// environment's own variables.
type Source struct {
	Kind    Kind
	Name    string
	Command []string // program and arguments; no shell reads them
}

// Surroundings are what secrets and programs are looked for in.
type Surroundings struct {
	Dir     string              // in which relative names of a Source are, and programs run
	Getenv  func(string) string // os.Getenv
	Environ func() []string     // os.Environ; programs get what Environment leaves of it
	Secret  []string            // names of variables that hold secrets of the project
}

// Mnemonic reads the words. They are not checked; wallet.KeyFromMnemonic does
// that. A program that takes longer than a minute is stopped. No error holds
// anything of what was read.
func (s Source) Mnemonic(ctx context.Context, in Surroundings) (wallet.Mnemonic, error) {
	b, err := s.read(ctx, in, "wallet.key", "the wallet's 24 words", maxSecret)
	if err != nil {
		return wallet.Mnemonic{}, err
	}
	if len(strings.TrimSpace(string(b))) == 0 {
		return wallet.Mnemonic{}, fmt.Errorf("%s: it is empty", s)
	}
	return wallet.MnemonicOf(string(b)), nil
}

// Secret reads a secret of at most limit bytes that is not the wallet's words.
// Errors name it by the field of fragplan.yaml, such as sessions.main, and by
// what belongs there; none holds anything of what was read.
func (s Source) Secret(ctx context.Context, in Surroundings, field, what string, limit int) (string, error) {
	if s.Kind == "" {
		return "", fmt.Errorf("%s says nothing of where %s are", field, what)
	}
	b, err := s.read(ctx, in, field, what, limit)
	return string(b), err
}

// String names the source, without arguments of a program.
func (s Source) String() string {
	switch s.Kind {
	case Exec:
		return "exec:" + strings.Join(s.Command[:min(1, len(s.Command))], "")
	case "":
		return "the environment"
	}
	return string(s.Kind) + ":" + s.Name
}

func (s Source) read(ctx context.Context, in Surroundings, field, what string, limit int) ([]byte, error) {
	switch s.Kind {
	case "":
		return fromEnvironment(in)
	case Env:
		words := in.Getenv(s.Name)
		if words == "" {
			return nil, fmt.Errorf("%s says env:%s, and that variable is not set: set it to %s", field, s.Name, what)
		}
		return []byte(words), nil
	case File:
		b, err := readSecret(in.path(s.Name), int64(limit))
		return b, named(s.String(), err)
	case Age:
		b, err := readAge(in.path(s.Name), in, what, limit)
		return b, named(s.String(), err)
	case Exec:
		b, err := runFor(ctx, in, s.Command, nil, limit, secretTimeout)
		return b, named(field, err)
	}
	return nil, fmt.Errorf("%s: %q is no kind of source", field, s.Kind)
}

func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// fromEnvironment reads what the two variables hold or name. Files in them are
// named from the folder of the shell.
func fromEnvironment(in Surroundings) ([]byte, error) {
	words, file := in.Getenv(EnvMnemonic), in.Getenv(EnvMnemonicFile)
	switch {
	case words != "" && file != "":
		return nil, fmt.Errorf("both %s and %s are set: keep one", EnvMnemonic, EnvMnemonicFile)
	case words != "":
		return []byte(words), nil
	case file == "":
		return nil, ErrNoMnemonic
	}
	b, err := readSecret(file, maxSecret)
	if err == nil && len(b) == 0 {
		err = errors.New("the file is empty")
	}
	return b, named(EnvMnemonicFile, err)
}

// path is a file that fragplan.yaml names: beside it, or anywhere.
func (in Surroundings) path(name string) string {
	if rest, home := strings.CutPrefix(name, "~/"); home {
		if dir := in.Getenv("HOME"); dir != "" {
			return filepath.Join(dir, rest)
		}
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(in.Dir, filepath.FromSlash(name))
}
