package fragment

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// A Secret is a text that no log, error or dump may show. It prints as
// "redacted" (or as nothing if it is empty) through fmt, encoding/json and
// log/slog. The zero Secret is empty.
type Secret struct {
	// A function, because package fmt does not ask a Secret in an unexported
	// field how to print it.
	text func() string
}

// SecretOf makes a Secret of a text.
func SecretOf(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// reveal returns the text, for a request.
func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}

const redacted = "redacted"

// String returns "redacted".
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return redacted
}

// GoString returns "redacted" for %#v.
func (s Secret) GoString() string { return `fragment.SecretOf("` + s.String() + `")` }

// Format prints "redacted" for every verb, %x and %q among them.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = io.WriteString(f, text)
}

// MarshalJSON returns "redacted" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalText returns "redacted", for other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns "redacted".
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Credentials are what opens a session.
type Credentials struct {
	Cookie  Secret    // the whole Cookie header: stel_ssid, stel_dt, stel_token, stel_ton_token
	Hash    Secret    // the hash= of an API address; may be empty
	Expires time.Time // when the first of the cookies ends; zero if their source doesn't say
}

// The variables that FromEnv reads.
const (
	EnvCookie = "FRAGMENT_COOKIE"
	EnvHash   = "FRAGMENT_HASH"
)

// ErrNoCredentials is returned, wrapped, if the environment holds no cookie.
var ErrNoCredentials = errors.New("no Fragment session")

// FromEnv reads the credentials with getenv, usually os.Getenv: FRAGMENT_COOKIE
// in any form that ParseCookies takes and, if it is set, FRAGMENT_HASH.
func FromEnv(getenv func(string) string) (Credentials, error) {
	cookie := strings.TrimSpace(getenv(EnvCookie))
	if cookie == "" {
		return Credentials{}, fmt.Errorf("%w: %s is not set", ErrNoCredentials, EnvCookie)
	}
	c, err := ParseCookies(cookie)
	if err != nil {
		return Credentials{}, fmt.Errorf("%s: %w", EnvCookie, err)
	}
	c.Hash = SecretOf(strings.TrimSpace(getenv(EnvHash)))
	return c, nil
}
