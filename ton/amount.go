package ton

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Nano is an amount of the chain's coin in nanoTON, 10⁻⁹ TON. It is signed so
// that differences are amounts too; no amount on the chain is negative. The
// whole supply (about 5·10⁹ TON) fits.
type Nano int64

// TON is one whole coin.
const TON Nano = 1_000_000_000

// MaxNano is the largest amount that a Nano can hold.
const MaxNano Nano = math.MaxInt64

// String prints the amount in TON, without a unit and without trailing zeros:
// "1.3", "0.4609", "25".
func (n Nano) String() string { return formatUnits(int64(n), 9) }

// ParseNano reads an amount in TON, such as "1.30" or "25". Signs, exponents,
// separators and a tenth decimal are errors, because each of them has been
// read as another amount somewhere.
func ParseNano(s string) (Nano, error) {
	n, err := parseUnits(s, 9)
	if err != nil {
		return 0, fmt.Errorf("amount %q: %w", s, err)
	}
	return Nano(n), nil
}

// ParseNanoInteger reads an amount that is written in nanoTON, as the messages
// of TON Connect have it: decimal digits only.
func ParseNanoInteger(s string) (Nano, error) {
	n, err := parseUnits(s, 0)
	if err != nil {
		return 0, fmt.Errorf("nanoTON amount %q: %w", s, err)
	}
	return Nano(n), nil
}

// An Asset is a kind of money. Assets never convert into one another.
type Asset string

// The assets that Fragment sells for.
const (
	AssetTON  Asset = "TON"
	AssetUSDT Asset = "USDT"
)

// Decimals is the number of decimal places of the asset's smallest unit.
func (a Asset) Decimals() int {
	if a == AssetUSDT {
		return 6
	}
	return 9
}

// ParseAsset reads the name of an asset in any case. "gram" is TON's name
// since June 2026.
func ParseAsset(s string) (Asset, error) {
	switch strings.ToLower(s) {
	case "ton", "gram":
		return AssetTON, nil
	case "usdt":
		return AssetUSDT, nil
	}
	return "", fmt.Errorf("unknown asset %q: write TON (or GRAM) or USDT", s)
}

// Amount is a sum of one asset, in its smallest unit: nanoTON or micro-USDT.
type Amount struct {
	Asset Asset `json:"asset"`
	Units int64 `json:"units,string"`
}

// Amount returns n as an amount of TON.
func (n Nano) Amount() Amount { return Amount{AssetTON, int64(n)} }

// String prints the amount with its asset: "1.3 TON".
func (a Amount) String() string {
	return formatUnits(a.Units, a.Asset.Decimals()) + " " + string(a.Asset)
}

// ParseAmount reads a number, a space and an asset: "1.30 TON", "5 gram",
// "0.75 USDT".
func ParseAmount(s string) (Amount, error) {
	number, unit, ok := strings.Cut(s, " ")
	if !ok {
		return Amount{}, fmt.Errorf("amount %q has no asset: write for example %q", s, s+" TON")
	}
	asset, err := ParseAsset(unit)
	if err != nil {
		return Amount{}, err
	}
	units, err := parseUnits(number, asset.Decimals())
	if err != nil {
		return Amount{}, fmt.Errorf("amount %q: %w", s, err)
	}
	return Amount{asset, units}, nil
}

func formatUnits(units int64, decimals int) string {
	sign := ""
	abs := uint64(units)
	if units < 0 {
		sign, abs = "-", -abs
	}
	digits := fmt.Sprintf("%0*d", decimals+1, abs)
	whole, frac := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	if frac = strings.TrimRight(frac, "0"); frac != "" {
		frac = "." + frac
	}
	return sign + whole + frac
}

func parseUnits(s string, decimals int) (int64, error) {
	whole, frac, dot := strings.Cut(s, ".")
	switch {
	case !allDigits(whole) || dot && !allDigits(frac):
		return 0, fmt.Errorf("write plain digits with at most one point")
	case len(whole) > 1 && whole[0] == '0':
		return 0, fmt.Errorf("leading zeros are not allowed")
	case len(frac) > decimals:
		return 0, fmt.Errorf("at most %d decimals", decimals)
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", decimals-len(frac)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("too large")
	}
	return n, nil
}

func allDigits(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
