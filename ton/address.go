package ton

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/crc16"
)

// Address is the name of an account: a workchain and 256 bits. It is
// comparable and may be a map key. The zero Address is no address.
type Address struct {
	Workchain int8
	Account   [32]byte
}

// The flags byte of a friendly address.
const (
	flagBounceable    = 0x11
	flagNonBounceable = 0x51
	flagTestOnly      = 0x80
)

// ParseAddress reads an address in its raw form ("0:" and 64 hexadecimal
// digits) or its friendly form (48 characters of either base64 alphabet, whose
// checksum must hold). bounce is the friendly form's bounce flag, false for
// the raw form. Addresses marked for test networks are refused.
func ParseAddress(s string) (a Address, bounce bool, err error) {
	if wc, account, ok := strings.Cut(s, ":"); ok {
		a, err = parseRaw(wc, account)
	} else {
		a, bounce, err = parseFriendly(s)
	}
	if err != nil {
		return Address{}, false, fmt.Errorf("address %q: %w", s, err)
	}
	return a, bounce, nil
}

func parseRaw(wc, account string) (Address, error) {
	n, err := strconv.ParseInt(wc, 10, 8)
	if err != nil || wc != "0" && wc != "-1" {
		return Address{}, fmt.Errorf("the workchain before the colon is not 0 or -1")
	}
	b, err := hex.DecodeString(account)
	if err != nil || len(b) != 32 {
		return Address{}, fmt.Errorf("want 64 hexadecimal digits after the colon")
	}
	return Address{int8(n), [32]byte(b)}, nil
}

func parseFriendly(s string) (Address, bool, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(s))
	if err != nil || len(s) != 48 || len(b) != 36 { // the decoder skips line breaks
		return Address{}, false, fmt.Errorf("want 48 characters that begin with UQ or EQ, or 0: and 64 hexadecimal digits")
	}
	if crc16.ChecksumXMODEM(b[:34]) != binary.BigEndian.Uint16(b[34:]) {
		return Address{}, false, fmt.Errorf("the checksum does not fit: a character was changed or lost")
	}
	a := Address{int8(b[1]), [32]byte(b[2:34])}
	switch b[0] {
	case flagBounceable:
		return a, true, nil
	case flagNonBounceable:
		return a, false, nil
	case flagBounceable | flagTestOnly, flagNonBounceable | flagTestOnly:
		return Address{}, false, fmt.Errorf("it is marked for a test network")
	}
	return Address{}, false, fmt.Errorf("unknown flags %#02x", b[0])
}

// MustParseAddress is ParseAddress for constants; it panics if s is none.
func MustParseAddress(s string) Address {
	a, _, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// String prints the friendly form that does not bounce ("UQ…"), which is how
// wallets are written.
func (a Address) String() string { return a.friendly(flagNonBounceable) }

// Friendly prints the friendly form, "EQ…" if a message to it is to come back
// where it can't be taken, otherwise "UQ…".
func (a Address) Friendly(bounce bool) string {
	if bounce {
		return a.friendly(flagBounceable)
	}
	return a.friendly(flagNonBounceable)
}

// Raw prints the raw form: "0:" and 64 hexadecimal digits.
func (a Address) Raw() string { return fmt.Sprintf("%d:%x", a.Workchain, a.Account) }

// IsZero reports whether a is no address.
func (a Address) IsZero() bool { return a == Address{} }

func (a Address) friendly(flags byte) string {
	b := append([]byte{flags, byte(a.Workchain)}, a.Account[:]...)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint16(b, crc16.ChecksumXMODEM(b)))
}

// MarshalText prints the raw form, so that two spellings of one address are
// one text in files.
func (a Address) MarshalText() ([]byte, error) {
	if a.IsZero() {
		return nil, nil
	}
	return []byte(a.Raw()), nil
}

// UnmarshalText reads what ParseAddress reads.
func (a *Address) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	*a, _, err = ParseAddress(string(b))
	return err
}

// TLB returns the address as tonutils-go has it.
func (a Address) TLB() *address.Address {
	return address.NewAddress(0, byte(a.Workchain), a.Account[:])
}

// AddressOf converts an address of tonutils-go. It reports false for the
// address "none", external addresses and addresses of variable length.
func AddressOf(t *address.Address) (Address, bool) {
	if t == nil || t.Type() != address.StdAddress || len(t.Data()) != 32 {
		return Address{}, false
	}
	return Address{int8(t.Workchain()), [32]byte(t.Data())}, true
}
