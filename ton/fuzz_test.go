package ton_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ton"
)

var (
	rawForm      = regexp.MustCompile(`^(0|-1):[0-9a-fA-F]{64}$`)
	friendlyForm = regexp.MustCompile(`^[A-Za-z0-9_+/-]{48}$`)
)

// What is read as an address has one of the two forms, whole, and each form of
// it is read back as the same account.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz", "EQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOoy2",
		"0:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a", "-1:" + strings.Repeat("5", 64),
		"UQCFJEP4WZ/mpdo0/kMEmsTgvrMHG7K/tWY16pQhKHwoOtFz", "UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz\n", "", ":", "0:", "00:" + strings.Repeat("5", 64),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, bounce, err := ton.ParseAddress(s)
		if err != nil {
			return
		}
		if !rawForm.MatchString(s) && !friendlyForm.MatchString(s) {
			t.Fatalf("%q is read as %v", s, a)
		}
		if raw, _, err := ton.ParseAddress(a.Raw()); err != nil || raw != a {
			t.Fatalf("%q has the raw form %q: %v, %v", s, a.Raw(), raw, err)
		}
		if a.IsZero() {
			return
		}
		friendly, flag, err := ton.ParseAddress(a.String())
		if err != nil || friendly != a || flag {
			t.Fatalf("%q is printed as %q: %v, %v, %v", s, a.String(), friendly, flag, err)
		}
		if bounce && rawForm.MatchString(s) {
			t.Fatalf("%q has no flag", s)
		}
	})
}

// Amounts of every asset are written and read back as the same number of units,
// and none is negative or of an unknown asset.
func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"1.30 TON", "5 gram", "0.75 USDT", "0.0000001 USDT", "1 ", " 1 TON", "1  TON", "1 TON ", "-1 TON", "9223372036.854775807 TON", "9223372036854.775807 USDT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ton.ParseAmount(s)
		if err != nil {
			return
		}
		if again, err := ton.ParseAmount(a.String()); err != nil || again != a || a.Units < 0 || a.Asset != ton.AssetTON && a.Asset != ton.AssetUSDT {
			t.Fatalf("%q is read as %+v and then %+v, %v", s, a, again, err)
		}
	})
}

// Base64 of either alphabet, padded or not, is read as the same bytes, and
// nothing is passed over in it.
func FuzzParseBase64(f *testing.F) {
	f.Add("te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNrcEo1NWgzQlc=")
	f.Add("-_-_")
	f.Add("+/+/")
	f.Add("AA\nAA")
	f.Add("AB==")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ton.ParseBase64(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(s, "\r\n \t") {
			t.Fatalf("%q is read", s)
		}
		again, err := ton.ParseBase64(b.Base64())
		if err != nil || string(again) != string(b) {
			t.Fatalf("%q is %x and then %x, %v", s, b, again, err)
		}
		one := strings.NewReplacer("+", "-", "/", "_").Replace
		if one(strings.TrimRight(s, "=")) != one(strings.TrimRight(b.Base64(), "=")) {
			t.Fatalf("%q is read as %q", s, b.Base64())
		}
	})
}
