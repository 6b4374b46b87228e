package fragment_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

const malformed = "te6ccgEBAQEAJwAaSgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNJbTJ5NWl0ZDY"

// Payloads that Fragment built, with the hashes that other decoders give.
var samples = []struct{ payload, comment, ref, hash string }{
	{"te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNRRTlBRjdsT20", "50 Telegram Stars \n\nRef#QE9AF7lOm", "QE9AF7lOm", "19d4a8c0d81dd99b5e0cf8c1f005a9dced1b95a127768b5ade2a6b52bd76dcc9"},
	{stars50, "50 Telegram Stars \n\nRef#kpJ55h3BW", "kpJ55h3BW", "0bc6c016de7722b5a66da918c630e04b44dcb6e429818b723adb7e92bc4fc36d"},
	{"te6ccgEBAgEALQABTgAAAAAxMDAwMCBUZWxlZ3JhbSBTdGFycyAKClJlZiN6SWgwT0UxdgEAAmQ", "10000 Telegram Stars \n\nRef#zIh0OE1vd", "zIh0OE1vd", "58955aaf1cdb66dedd54845c957dd13f347c8742a59350caabb27452c6804be1"},
	{premium3, "Telegram Premium for 3 months \n\nRef#3pWJtbdbu", "3pWJtbdbu", "97cd7d551c1a2c34a6e3045ac7f1bd293cfb49b6754e861816bdd6df2066f734"},
	{"te6ccgEBAgEANAABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAxIHllYXIgCgpSZWYjcgEAEE9OQnM2cmNt", "Telegram Premium for 1 year \n\nRef#rONBs6rcm", "rONBs6rcm", "a88820fd160512f2ddd45fbb0925b0f9473daf2d043b53e0a97ed48bfa09c228"},
	{topup, "Telegram account top up \n\nRef#k1zCEY1wx", "k1zCEY1wx", "1ed5d34aa85ad62a4b9fc57cea608a90bc5262aabae2fa4800618cad06c0e464"},
	// Jetton bodies are no comments.
	{"te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE", "", "", "12a26b6606aef0bbc435ac0a079cb52f73d86197bd46df262aba05cc0ff08832"},
}

// Every payload that Fragment was seen to build is read whole, however many
// cells it has.
func TestDecodePayload(t *testing.T) {
	for _, s := range samples {
		p, err := fragment.DecodePayload(s.payload)
		if err != nil || p.Comment != s.comment || p.Ref != s.ref || p.Hash.String() != s.hash {
			t.Errorf("%s: got %q, %q, %v, %v", s.hash[:8], p.Comment, p.Ref, p.Hash, err)
		}
	}
	if _, err := fragment.DecodePayload(malformed); !errors.Is(err, ton.ErrBoC) {
		t.Errorf("malformed cells: %v", err)
	}
}

// The text of a payment in USDT stands in what goes on with it.
func TestComment(t *testing.T) {
	for _, s := range samples {
		p, err := fragment.DecodePayload(s.payload)
		if err != nil {
			t.Fatal(err)
		}
		want := s.comment
		if want == "" { // the one in USDT
			want = "50 Telegram Stars \n\nRef#m9JhZwApQ"
		}
		if got, err := fragment.Comment(p.Body); err != nil || got != want {
			t.Errorf("%s: %q, %v", s.hash[:8], got, err)
		}
	}
	if _, err := fragment.Comment(ton.BoC("no cells")); !errors.Is(err, ton.ErrBoC) {
		t.Errorf("no cells: %v", err)
	}
	if _, err := fragment.Comment(ton.BoCOf(cell.BeginCell().MustStoreUInt(7, 32).EndCell())); !errors.Is(err, ton.ErrNoComment) {
		t.Errorf("another body: %v", err)
	}
}

// split puts a text into a chain of cells that ends at each of the given bytes.
func split(text string, ends ...int) *cell.Cell {
	var next *cell.Cell
	for i := len(ends); i >= 0; i-- {
		from, to := 0, len(text)
		if i > 0 {
			from = ends[i-1]
		}
		if i < len(ends) {
			to = ends[i]
		}
		b := cell.BeginCell()
		if i == 0 {
			b.MustStoreUInt(0, 32)
		}
		b.MustStoreSlice([]byte(text[from:to]), uint(8*(to-from)))
		if next != nil {
			b.MustStoreRef(next)
		}
		next = b.EndCell()
	}
	return next
}

// A comment is read whole wherever it is split, also inside a letter and inside
// "Ref#", with TON and with USDT.
func FuzzCommentSplitAnywhere(f *testing.F) {
	f.Add("50 Telegram Stars \n\nRef#QE9AF7lOm", 20, 3, true)
	f.Add("Telegram Premium for 1 year \n\nRef#rONBs6rcm", 31, 1, false)
	f.Add("\u00e9\u4e2d\U0001f600", 1, 2, true)
	f.Fuzz(func(t *testing.T, text string, first, second int, inUSDT bool) {
		if len(text) > 200 || !utf8.ValidString(text) {
			return
		}
		a := min(max(first, 0), len(text))
		b := min(max(second, 0)+a, len(text))
		if a > 123 || b-a > 127 || len(text)-b > 127 {
			return // more than a cell holds
		}
		body := ton.BoCOf(split(text, a, b))
		if inUSDT {
			c, err := ton.JettonTransfer{Amount: 750_000, Destination: ton.MustParseAddress(collector), Forward: 1, Payload: body}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			body = ton.BoCOf(c)
		}
		got, err := fragment.Comment(body)
		if err != nil || got != text {
			t.Fatalf("%q split at %d and %d is read as %q, %v", text, a, b, got, err)
		}
	})
}

// A reference is 6 to 16 characters at the very end.
func TestRefID(t *testing.T) {
	for comment, want := range map[string]string{
		"x Ref#abc_-9": "abc_-9", "Ref#abcde": "", "Ref#abcdef ": "", "Ref#abcdefghijklmnopq": "",
		"": "", "Ref#": "", "Ref#first1 Ref#second": "second", "ref#abcdef": "", "Ref#abcdéf": "",
	} {
		if got := fragment.RefID(comment); got != want {
			t.Errorf("%q: got %q, want %q", comment, got, want)
		}
	}
}

// What is decoded and packed again is the same cell, and no text panics.
func FuzzDecodePayload(f *testing.F) {
	for _, s := range samples {
		f.Add(s.payload)
	}
	f.Add(malformed)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := fragment.DecodePayload(s)
		if err != nil {
			return
		}
		c, err := p.Body.Cell()
		if err != nil {
			t.Fatal(err)
		}
		again, err := fragment.DecodePayload(ton.BoCOf(c).Base64())
		if err != nil || again.Hash != p.Hash || again.Comment != p.Comment || again.Ref != p.Ref {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
		if p.Ref != "" && fragment.RefID(p.Comment) != p.Ref {
			t.Fatalf("ref %q of %q", p.Ref, p.Comment)
		}
	})
}

// What can't be read has an error of its own kind, whatever is wrong with it.
func TestWhatCantBeReadHasAnErrorOfItsKind(t *testing.T) {
	for _, text := range []string{"", "?", "AAAA", "te6ccg", strings.Repeat("A", 70_000)} {
		if _, err := fragment.DecodePayload(text); !errors.Is(err, fragment.ErrPayload) {
			t.Errorf("payload %.20q: %v", text, err)
		}
	}
	for _, text := range []string{"", "-1", "+1", "1e3", "1,000", "0.0000000001", "99999999999", "0x1", "01"} {
		if _, err := fragment.ParseTON(text); !errors.Is(err, fragment.ErrAmount) {
			t.Errorf("amount %q: %v", text, err)
		}
	}
}
