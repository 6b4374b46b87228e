package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"rsc.io/qr"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

func handout(n int) reconcile.Handout {
	h := reconcile.Handout{Request: 1, Wallet: nobody, ValidUntil: 1_800_000_000}
	for i := range n {
		text := firewall.CommentOf(product.Item{Kind: product.Stars, Quantity: 50}, "Ref00000"+string(rune('a'+i)))
		body := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(text).EndCell()
		h.Prices = append(h.Prices, ton.Nano(460_900_000).Amount())
		h.Transfers = append(h.Transfers, ton.Transfer{To: firewall.DefaultDestinations()[0], Bounce: i%2 == 1, Amount: 460_900_000, Body: ton.BoCOf(body)})
	}
	return h
}

// A request says what TON Connect wants, and read back it is the same transfers.
func TestARequestIsWhatIsAskedFor(t *testing.T) {
	h := handout(3)
	b, err := json.Marshal(connect(h, ton.Mainnet))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	first := fields["messages"].([]any)[0].(map[string]any)
	if fields["validUntil"] != 1.8e9 || fields["network"] != "-239" || fields["from"] != nobody.Raw() || first["amount"] != "460900000" || len(fields) != 4 || len(first) != 3 {
		t.Errorf("%s", b)
	}
	var r connectRequest
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	got, err := r.transfers()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h.Transfers, got); diff != "" {
		t.Error(diff)
	}
}

// The picture holds the code's modules, dark on light, with the margin that
// scanners need; what does not fit is said.
func TestThePictureIsTheCode(t *testing.T) {
	for n, wide := range map[int]int{1: 200, 3: 200} {
		tl := &till{network: ton.Mainnet}
		h := handout(n)
		tl.handed = &h
		var b strings.Builder
		tl.picture(&b, wide)
		text, err := json.Marshal(connect(h, ton.Mainnet))
		if err != nil {
			t.Fatal(err)
		}
		code, err := qr.Encode(string(text), qr.L)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.Trim(b.String(), "\n"), "\n")
		if want := (code.Size + 2*quiet + 1) / 2; len(lines) != want {
			t.Fatalf("%d lines, want %d", len(lines), want)
		}
		for i, line := range lines {
			line = strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[30;107m"), "\x1b[0m")
			runes := []rune(line)
			if len(runes) != code.Size+2*quiet {
				t.Fatalf("line %d is %d wide", i, len(runes))
			}
			for x, r := range runes {
				upper, lower := r == '█' || r == '▀', r == '█' || r == '▄'
				y := 2*i - quiet
				if upper != code.Black(x-quiet, y) || lower != code.Black(x-quiet, y+1) {
					t.Fatalf("module %d,%d", x-quiet, y)
				}
			}
		}
		var narrow strings.Builder
		tl.picture(&narrow, 40)
		if !strings.Contains(narrow.String(), "must be") || strings.Contains(narrow.String(), "█") {
			t.Errorf("on 40 columns: %q", narrow.String())
		}
	}
	tl, h := &till{}, handout(20)
	tl.handed = &h
	var b strings.Builder
	if tl.picture(&b, 500); !strings.Contains(b.String(), "too long") {
		t.Errorf("%q", b.String())
	}
}
