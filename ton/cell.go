package ton

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Hash is the SHA-256 name of a cell, a transaction, a block or a payload.
type Hash [32]byte

// String prints 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is unset.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText prints 64 hexadecimal digits, or nothing for the zero Hash.
func (h Hash) MarshalText() ([]byte, error) {
	if h.IsZero() {
		return nil, nil
	}
	return []byte(h.String()), nil
}

// UnmarshalText reads what MarshalText prints.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*h = Hash{}
		return nil
	}
	v, err := hex.DecodeString(string(b))
	if err != nil || len(v) != len(h) {
		return fmt.Errorf("hash %q: want 64 hexadecimal digits", b)
	}
	*h = Hash(v)
	return nil
}

// BoC is a bag of cells with one root, the form in which cells travel and are
// stored. It is bytes from outside until Cell has parsed it.
type BoC []byte

// ErrBoC is returned, wrapped, for bytes that are no bag of cells.
var ErrBoC = errors.New("malformed bag of cells")

// Cell parses the bag. Bytes that are none return ErrBoC; it never panics,
// whatever the bytes.
func (b BoC) Cell() (c *cell.Cell, err error) {
	// The parser of tonutils-go v1.18.0 indexes out of range on some inputs.
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("%w: %v", ErrBoC, r)
		}
	}()
	if c, err = cell.FromBOC(b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBoC, err)
	}
	if err := checkLevels(c, map[leveled]bool{}); err != nil {
		return nil, err
	}
	return c, nil
}

// leveled is a cell with the level that it claims. Equal cells may claim
// different ones.
type leveled struct {
	hash cell.Hash
	mask byte
}

// checkLevels refuses ordinary cells whose level is not that of what they hold.
// tonutils-go v1.18.0 believes what the bag says of it, and would put it into
// whatever it packs the cell into; the network refuses such a bag.
func checkLevels(c *cell.Cell, seen map[leveled]bool) error {
	own := leveled{c.HashKey(), c.LevelMask().Mask}
	if seen[own] {
		return nil
	}
	seen[own] = true
	var held byte
	for i := range int(c.RefsNum()) {
		child, err := c.PeekRef(i)
		if err != nil {
			return fmt.Errorf("%w: %v", ErrBoC, err)
		}
		if err := checkLevels(child, seen); err != nil {
			return err
		}
		held |= child.LevelMask().Mask
	}
	if !c.IsSpecial() && own.mask != held {
		return fmt.Errorf("%w: a cell claims a level that it has not", ErrBoC)
	}
	return nil
}

// Hash returns the hash of the root cell, which names what the bag holds,
// however it was packed.
func (b BoC) Hash() (Hash, error) {
	c, err := b.Cell()
	if err != nil {
		return Hash{}, err
	}
	return Hash(c.Hash()), nil
}

// BoCOf packs a cell.
func BoCOf(c *cell.Cell) BoC { return c.ToBOCWithOptions(cell.BOCSerializeOptions{}) }

// Base64 prints the bag in the standard alphabet with padding.
func (b BoC) Base64() string { return base64.StdEncoding.EncodeToString(b) }

// ParseBase64 reads base64 in the standard or the URL alphabet, padded or not:
// Fragment has used both alphabets and both paddings. Nothing is passed over,
// line breaks neither.
func ParseBase64(s string) (BoC, error) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would
		return nil, errors.New("base64: it has line breaks")
	}
	s = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "=")
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("base64: %w", err)
	}
	return b, nil
}
