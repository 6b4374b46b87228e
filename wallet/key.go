package wallet

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every secret prints.
const redacted = "redacted"

// A Key is a private key. It prints as "redacted", whatever prints it. The
// zero Key is no key.
type Key struct {
	// A function, because package fmt does not ask a Key in an unexported
	// field how to print it, and follows even pointers under a wrong verb.
	private func() ed25519.PrivateKey
}

// KeyOf makes a Key of an Ed25519 private key of 64 bytes.
func KeyOf(private ed25519.PrivateKey) (Key, error) {
	if len(private) != ed25519.PrivateKeySize {
		return Key{}, errors.New("the private key has the wrong length")
	}
	own := append(ed25519.PrivateKey(nil), private...)
	return Key{func() ed25519.PrivateKey { return own }}, nil
}

// Public is the key's public half.
func (k Key) Public() ed25519.PublicKey { return k.private().Public().(ed25519.PublicKey) }

func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }

// A Mnemonic is the words from which a key is derived. It prints as
// "redacted", whatever prints it. The zero Mnemonic has no words.
type Mnemonic struct{ words func() string }

func (Mnemonic) String() string               { return redacted }
func (Mnemonic) GoString() string             { return redacted }
func (Mnemonic) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Mnemonic) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Mnemonic) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Mnemonic) LogValue() slog.Value         { return slog.StringValue(redacted) }
