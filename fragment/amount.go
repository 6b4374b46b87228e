package fragment

import (
	"fmt"

	"github.com/fragplan/fragplan/ton"
)

// ParseTON reads an amount in TON, "0.4609" or "25", exactly: no float is on
// its way. Signs, exponents, separators and a tenth decimal are [ErrAmount].
func ParseTON(s string) (ton.Nano, error) {
	n, err := ton.ParseNano(s)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrAmount, err)
	}
	return n, nil
}

// FormatTON writes an amount in TON without trailing zeros: "0.4609", "25".
// ParseTON reads it back to the same amount, unless it is negative.
func FormatTON(n ton.Nano) string { return n.String() }
