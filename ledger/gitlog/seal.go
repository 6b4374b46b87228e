package gitlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// ErrSealed is matched by errors about encrypted records that this machine can't
// open, or could not open if it wrote them.
var ErrSealed = errors.New("the ledger's branch is encrypted")

// sealedName is behind the name of a file that is encrypted, as age has it.
const sealedName = ".age"

// ParseIdentities reads identities of age, one a line, or an SSH key that has no
// passphrase. No error holds anything of the text.
func ParseIdentities(text string) ([]age.Identity, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN") {
		key, err := agessh.ParseIdentity([]byte(text))
		if err != nil {
			return nil, errors.New("it is no SSH key of the kinds ssh-ed25519 and ssh-rsa without a passphrase")
		}
		return []age.Identity{key}, nil
	}
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, errors.New("it holds no identity of age (AGE-SECRET-KEY-…), or something beside it; age-keygen makes one")
	}
	return identities, nil
}

// seal encrypts a file to the recipients. What our own identities could not open
// again is an error: the next machine would stand before a ledger that it can't
// read.
func (l *Log) seal(ctx context.Context, path string, body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, l.Recipients...)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encrypting %s: %w", path, err)
	}
	if _, err := l.unseal(ctx, path, b.Bytes()); err != nil {
		return nil, fmt.Errorf("nothing was pushed, because this machine could not read it again: %w", err)
	}
	return b.Bytes(), nil
}

// unseal decrypts a file.
func (l *Log) unseal(ctx context.Context, path string, sealed []byte) ([]byte, error) {
	if err := l.identify(ctx); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSealed, path, err)
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), l.identities...)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return nil, fmt.Errorf("%w: %s: to other recipients than this machine's identity", ErrSealed, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no intact file of age", ErrLog, path)
	}
	body, err := io.ReadAll(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no intact file of age", ErrLog, path)
	}
	return body, nil
}

// identify asks for the identities once.
func (l *Log) identify(ctx context.Context) error {
	if len(l.identities) > 0 {
		return nil
	}
	if l.Identities == nil {
		return errors.New("there is no identity to open it with")
	}
	var err error
	l.identities, err = l.Identities(ctx)
	return err
}
