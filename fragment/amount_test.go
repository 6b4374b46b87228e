package fragment_test

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// Every amount of four decimals up to 10 TON is exact to the last nanoTON: a
// product of floats, cut off, is short in 2,733 of them.
func TestFourDecimalsAreExact(t *testing.T) {
	for n := int64(1); n < 100_000; n++ {
		want := ton.Nano(n) * 100_000
		got, err := fragment.ParseTON(fragment.FormatTON(want))
		if err != nil || got != want {
			t.Fatalf("%d nanoTON: %v, %v", want, got, err)
		}
	}
	short := 0
	for n := int64(1); n < 100_000; n++ {
		if f := float64(n) / 10_000; int64(f*1e9) != n*100_000 {
			short++
		}
	}
	t.Logf("floats are short in %d", short)
}

var plainAmount = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]{1,9})?$`)

// What is read is the decimal number that is written, no more and no less, and
// nothing else is read.
func FuzzParseTON(f *testing.F) {
	for _, s := range []string{"0.4609", "25", "0.0157", "9223372036.854775807", "9223372036.854775808", "1e3", "-1", "01", "1.", ".5", "1,000", "٣", "0x10", " 1", "0.0000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := fragment.ParseTON(s)
		exact, isNumber := new(big.Rat).SetString(s)
		fits := plainAmount.MatchString(s) && isNumber && exact.Cmp(new(big.Rat).SetFrac64(int64(ton.MaxNano), int64(ton.TON))) <= 0
		if (err == nil) != fits {
			t.Fatalf("%q: %v, %v", s, n, err)
		}
		if err != nil {
			return
		}
		if new(big.Rat).SetFrac64(int64(n), int64(ton.TON)).Cmp(exact) != 0 {
			t.Fatalf("%q is read as %d nanoTON", s, n)
		}
		text := fragment.FormatTON(n)
		if again, err := fragment.ParseTON(text); err != nil || again != n || strings.HasSuffix(text, ".") || strings.Contains(text, ".") && strings.HasSuffix(text, "0") {
			t.Fatalf("%q is written as %q", s, text)
		}
	})
}
