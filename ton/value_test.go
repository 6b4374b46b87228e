package ton_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

// An amount is read and printed exactly, and nothing doubtful is read.
func TestAmounts(t *testing.T) {
	for text, want := range map[string]ton.Nano{
		"0": 0, "1": ton.TON, "1.30": 1_300_000_000, "0.0157": 15_700_000, "0.000000001": 1, "9223372036.854775807": ton.MaxNano,
	} {
		if got, err := ton.ParseNano(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "01", "1,5", "1_000", " 1", "1 ", "0x1", "NaN",
		"0.0000000001", "9223372036.854775808", "99999999999999999999", "１"} {
		if got, err := ton.ParseNano(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
	for text, want := range map[string]string{"1.30 TON": "1.3 TON", "5 gram": "5 TON", "0.75 usdt": "0.75 USDT"} {
		if got, err := ton.ParseAmount(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"1", "1 EUR", "0.0000001 USDT", "1  TON", "TON"} {
		if got, err := ton.ParseAmount(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := ton.Nano(rapid.Int64Min(0).Draw(t, "n"))
		if back, err := ton.ParseNano(n.String()); err != nil || back != n {
			t.Fatalf("%d prints %s, which reads as %d, %v", n, n, back, err)
		}
	})
	if got := ton.Nano(-1_500_000_000).String(); got != "-1.5" {
		t.Errorf("a difference prints %s", got)
	}
}

// All spellings of an address are one address, and a damaged one is none.
func TestAddresses(t *testing.T) {
	for _, a := range [][]string{
		{"UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz", "EQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOoy2", "0:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a"},
		{"UQBAjaOyi2wGWlk-EDkSabqqnF-MrrwMadnwqrurKpkla4QB", "EQBAjaOyi2wGWlk-EDkSabqqnF-MrrwMadnwqrurKpkla9nE", "0:408da3b28b6c065a593e10391269baaa9c5f8caebc0c69d9f0aabbab2a99256b"},
		{"UQBeab7D38RIwypegbN7YZgQzwDbb8QfMMwY8ouJc3qPl4CJ", "UQBeab7D38RIwypegbN7YZgQzwDbb8QfMMwY8ouJc3qPl4CJ", "0:5e69bec3dfc448c32a5e81b37b619810cf00db6fc41f30cc18f28b89737a8f97"},
	} {
		for _, s := range append(a, strings.NewReplacer("_", "/", "-", "+").Replace(a[0])) {
			got, bounce, err := ton.ParseAddress(s)
			if err != nil || got.Raw() != a[2] || got.String() != a[0] || bounce != strings.HasPrefix(s, "EQ") {
				t.Errorf("%s: %s, bounce %t, %v", s, got.Raw(), bounce, err)
			}
			if back, ok := ton.AddressOf(got.TLB()); !ok || back != got {
				t.Errorf("%s does not survive conversion", s)
			}
		}
	}
	good := "UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz"
	for i := range good {
		b := []byte(good)
		if b[i]++; b[i] == '[' || b[i] == '{' || b[i] == '`' {
			b[i] = 'A'
		}
		if _, _, err := ton.ParseAddress(string(b)); err == nil {
			t.Errorf("%s is damaged and was read", b)
		}
	}
	for _, s := range []string{"", ":", "0:", "0:12", "1:" + strings.Repeat("0", 64), "+0:" + strings.Repeat("0", 64), "00:" + strings.Repeat("0", 64),
		good[:47], good + "A", good[:20] + "\n" + good[20:], "kQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOjc8"} {
		if a, _, err := ton.ParseAddress(s); err == nil {
			t.Errorf("%q was read as %s", s, a)
		}
	}
}

// Fragment's payloads have the hashes and the comments that were seen on the
// chain, in both alphabets, padded or not, and pack to the same bytes.
func TestRealPayloads(t *testing.T) {
	for payload, want := range map[string]struct{ hash, comment string }{
		"te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNRRTlBRjdsT20":                     {"19d4a8c0d81dd99b5e0cf8c1f005a9dced1b95a127768b5ade2a6b52bd76dcc9", "50 Telegram Stars \n\nRef#QE9AF7lOm"},
		"te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNrcEo1NWgzQlc=":                    {"0bc6c016de7722b5a66da918c630e04b44dcb6e429818b723adb7e92bc4fc36d", "50 Telegram Stars \n\nRef#kpJ55h3BW"},
		"te6ccgEBAgEALQABTgAAAAAxMDAwMCBUZWxlZ3JhbSBTdGFycyAKClJlZiN6SWgwT0UxdgEAAmQ":             {"58955aaf1cdb66dedd54845c957dd13f347c8742a59350caabb27452c6804be1", "10000 Telegram Stars \n\nRef#zIh0OE1vd"},
		"te6ccgEBAgEANgABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAzIG1vbnRocyAKClJlZgEAFCMzcFdKdGJkYnU": {"97cd7d551c1a2c34a6e3045ac7f1bd293cfb49b6754e861816bdd6df2066f734", "Telegram Premium for 3 months \n\nRef#3pWJtbdbu"},
		"te6ccgEBAgEANAABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAxIHllYXIgCgpSZWYjcgEAEE9OQnM2cmNt":    {"a88820fd160512f2ddd45fbb0925b0f9473daf2d043b53e0a97ed48bfa09c228", "Telegram Premium for 1 year \n\nRef#rONBs6rcm"},
		"te6ccgEBAgEAMAABTgAAAABUZWxlZ3JhbSBhY2NvdW50IHRvcCB1cCAKClJlZiNrMXpDRQEACFkxd3g":         {"1ed5d34aa85ad62a4b9fc57cea608a90bc5262aabae2fa4800618cad06c0e464", "Telegram account top up \n\nRef#k1zCEY1wx"},
		"te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE": {
			"12a26b6606aef0bbc435ac0a079cb52f73d86197bd46df262aba05cc0ff08832", ""},
	} {
		b, err := ton.ParseBase64(payload)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ton.ParseBase64(b.Base64()); err != nil || string(again) != string(b) {
			t.Errorf("%s: the other alphabet: %v", payload, err)
		}
		c, err := b.Cell()
		if err != nil {
			t.Fatal(err)
		}
		if got := ton.Hash(c.Hash()).String(); got != want.hash {
			t.Errorf("%s: hash %s", payload, got)
		}
		if got, err := ton.Comment(c); got != want.comment || (err == nil) != (want.comment != "") {
			t.Errorf("%s: comment %q, %v", payload, got, err)
		}
		if string(ton.BoCOf(c)) != string(b) {
			t.Errorf("%s: packs to other bytes", payload)
		}
	}
}

// No bytes make the parser of bags panic, and a bag that was read packs to one
// with the same hash.
func FuzzBoC(f *testing.F) {
	for _, s := range []string{"te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNRRTlBRjdsT20",
		"te6ccgEBAQEAJwAaSgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNJbTJ5NWl0ZDY", "te6ccgEBAgEALQABTgAAAAAxMDAwMCBUZWxlZ3JhbSBTdGFycyAKClJlZiN6SWgwT0UxdgEAAmQ"} {
		b, err := ton.ParseBase64(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(b))
	}
	f.Add([]byte{})
	f.Add([]byte(ton.BoCOf(cell.BeginCell().EndCell())))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ton.BoC(b).Cell()
		if err != nil {
			return
		}
		_, _ = ton.Comment(c)
		_, _ = ton.ParsePayload(ton.V5R1, c)
		_, _ = ton.ParsePayload(ton.V4R2, c)
		_, _, _, _ = ton.ParseExternal(b)
		if c.IsSpecial() {
			return
		}
		if h, err := ton.BoCOf(c).Hash(); err != nil || h != ton.Hash(c.Hash()) {
			t.Fatalf("packs to another cell: %v", err)
		}
	})
}

// A bag whose cells claim a level that they have not is none: the network
// refuses it, and what it is packed into.
func TestClaimedLevelsAreRefused(t *testing.T) {
	good := ton.BoCOf(cell.BeginCell().MustStoreUInt(1, 8).MustStoreRef(cell.BeginCell().MustStoreUInt(2, 8).EndCell()).EndCell())
	if _, err := good.Cell(); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for i := range good {
		claims := append(ton.BoC{}, good...)
		claims[i] |= 1 << 5 // of a descriptor: level 1
		if _, err := claims.Cell(); errors.Is(err, ton.ErrBoC) && strings.Contains(err.Error(), "level") {
			bad++
		}
	}
	if bad != 2 {
		t.Errorf("%d of 2 descriptors are refused for their level", bad)
	}
}
