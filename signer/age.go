package signer

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// maxAgeFile bounds what is read of an encrypted file and of identities.
const maxAgeFile = 64 << 10

// maxWorkFactor bounds how long a passphrase is stretched: about a gigabyte of
// memory and some seconds. Files that age itself makes stay below it.
const maxWorkFactor = 20

// readAge decrypts a file, armored or binary, with the identities or the
// passphrase that the environment gives.
func readAge(name string, in Surroundings, what string, limit int) ([]byte, error) {
	identities, err := ageIdentities(in)
	if err != nil {
		return nil, err
	}
	sealed, err := readSealed(name)
	if err != nil {
		return nil, err
	}
	var src io.Reader = bytes.NewReader(sealed)
	if bytes.HasPrefix(bytes.TrimLeft(sealed, " \t\r\n"), []byte(armor.Header)) {
		src = armor.NewReader(src)
	}
	// The library's own errors quote what they couldn't read, which are the
	// words themselves where somebody forgot to encrypt them.
	notAge := errors.New("it is no intact file of age, or not encrypted at all")
	plain, err := age.Decrypt(src, identities...)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return nil, errors.New("neither the identities nor the passphrase open it")
	}
	if err != nil {
		return nil, notAge
	}
	b, err := io.ReadAll(io.LimitReader(plain, int64(limit)+1))
	switch {
	case err != nil:
		return nil, notAge
	case len(b) > limit:
		return nil, fmt.Errorf("too large to be %s: it holds more than %d bytes", what, limit)
	}
	return b, nil
}

func ageIdentities(in Surroundings) ([]age.Identity, error) {
	file, passphrase := in.Getenv(EnvAgeIdentity), in.Getenv(EnvAgePassphrase)
	switch {
	case file != "" && passphrase != "":
		return nil, fmt.Errorf("both %s and %s are set: keep one", EnvAgeIdentity, EnvAgePassphrase)
	case file != "":
		b, err := readSecret(file, maxAgeFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", EnvAgeIdentity, err)
		}
		identities, err := age.ParseIdentities(bytes.NewReader(b))
		if err != nil { // whose text may quote a line
			return nil, fmt.Errorf("%s: %q holds no identities of age, or something beside them; age-keygen makes them", EnvAgeIdentity, file)
		}
		return identities, nil
	case passphrase != "":
		identity, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return nil, err
		}
		identity.SetMaxWorkFactor(maxWorkFactor)
		return []age.Identity{identity}, nil
	}
	return nil, fmt.Errorf("set %s to a file with the identity that opens it, or %s to its passphrase", EnvAgeIdentity, EnvAgePassphrase)
}
