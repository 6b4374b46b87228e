package fragment_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// Buy returns what Fragment asks for, bit for bit, in the order of calls that
// a page makes.
func TestBuy(t *testing.T) {
	s := serve(t)
	got, err := s.client().Buy(t.Context(), fragment.Stars, "@jane", 50)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := ton.ParseBase64(stars50)
	want := fragment.Purchase{
		Product: fragment.Stars, Quantity: 50,
		Recipient:     fragment.Recipient{Token: "tok_EN-1", Name: "Jane & Co", Photo: "https://cdn4.cdn-telegram.org/a.jpg"},
		RequestID:     "REQ_ID",
		Price:         ton.Nano(460_900_000).Amount(),
		Transfer:      ton.Transfer{To: ton.MustParseAddress(collector), Amount: 460_900_000, Body: body},
		From:          ton.MustParseAddress(payer),
		ValidUntil:    1790552821,
		Comment:       "50 Telegram Stars \n\nRef#kpJ55h3BW",
		Ref:           "kpJ55h3BW",
		ConfirmMethod: "confirmReq",
		ConfirmParams: map[string]string{"id": "REQ_ID"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff("GET /stars/buy\nsearchStarsRecipient\nupdateStarsBuyState\ninitBuyStarsRequest\ngetBuyStarsLink", s.story()); d != "" {
		t.Error(d)
	}
	if f := s.forms["initBuyStarsRequest"]; f.Get("payment_method") != "ton" || f.Get("quantity") != "50" || f.Get("recipient") != "tok_EN-1" {
		t.Errorf("init got %v", f)
	}
	if f := s.forms["getBuyStarsLink"]; f.Get("transaction") != "1" || !strings.Contains(f.Get("account"), `"chain":"-239"`) || f.Get("device") == "" {
		t.Errorf("link got %v", f)
	}
}

// Premium and top-ups are bought by their own methods; a top-up that is given
// no amount costs what it credits.
func TestBuyOthers(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		product  fragment.Product
		quantity int64
		amount   ton.Nano
		ref      string
	}{
		{fragment.Premium, 3, 1_012_500_000_000, "3pWJtbdbu"},
		{fragment.TopUp, 25, 25 * ton.TON, "k1zCEY1wx"},
	} {
		p, err := s.client().Buy(t.Context(), test.product, "jane", test.quantity)
		if err != nil || p.Price != test.amount.Amount() || p.Transfer.Amount != test.amount || p.Ref != test.ref {
			t.Errorf("%s: %+v, %v", test.product, p, err)
		}
	}
}

// A price that moves is asked again at most three times.
func TestPriceChanged(t *testing.T) {
	moved := `{"error":"Price was changed. Please try again."}`
	s := serve(t)
	s.answers["initBuyStarsRequest"] = append([]string{moved, moved}, s.answers["initBuyStarsRequest"]...)
	if _, err := s.client().Buy(t.Context(), fragment.Stars, "jane", 50); err != nil {
		t.Fatal(err)
	}
	if n := s.count("updateStarsBuyState"); n != 3 {
		t.Errorf("the state was synced %d times, want before each of 3 orders", n)
	}
	s.answers["initBuyStarsRequest"] = []string{moved}
	if _, err := s.client().Buy(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrPriceChanged) {
		t.Errorf("got %v", err)
	}
	if n := s.count("initBuyStarsRequest"); n != 6 {
		t.Errorf("%d orders were begun, want 3 each", n)
	}
}

// A transfer that isn't plainly the one that was ordered is never returned.
func TestInvoice(t *testing.T) {
	ok := link("460900000", stars50)
	for _, test := range []struct {
		name, old, new string
		want           error
	}{
		{"another amount", `"460900000"`, `"460900001"`, fragment.ErrInvoice},
		{"an amount with a point", `"460900000"`, `"0.4609"`, fragment.ErrInvoice},
		{"a negative amount", `"460900000"`, `"-460900000"`, fragment.ErrInvoice},
		{"two messages", `"}]}`, `"},{}]}`, fragment.ErrInvoice},
		{"no message", `"messages":[`, `"messages":[],"x":[`, fragment.ErrInvoice},
		{"a contract to deploy", `"payload":`, `"stateInit":"te6","payload":`, fragment.ErrInvoice},
		{"a broken address", collector, collector[:47] + "A", fragment.ErrInvoice},
		{"malformed cells", stars50, "te6ccgEBAQEAJwAaSgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNJbTJ5NWl0ZDY", fragment.ErrInvoice},
		{"no payload", stars50, "", fragment.ErrInvoice},
		{"time in milliseconds", "1790552821", "1790552821000", fragment.ErrInvoice},
		{"no time", `"validUntil":1790552821,`, "", fragment.ErrInvoice},
		{"another network", `"validUntil"`, `"network":"-3","validUntil"`, fragment.ErrInvoice},
		{"another wallet", payer, "0:408da3b28b6c065a593e10391269baaa9c5f8caebc0c69d9f0aabbab2a99256b", fragment.ErrOtherWallet},
		{"a confirm parameter of ours", `{"id":"REQ_ID"}`, `{"boc":"x"}`, fragment.ErrBadAnswer},
		{"an order for another chain", ok, `{"ok":true,"evm":true}`, fragment.ErrBadAnswer},
		{"verification", ok, `{"ok":true,"need_verify":true,"popup":"<b>Verify</b> it"}`, fragment.ErrVerification},
		{"no wallet", ok, `{"need_ton":true}`, fragment.ErrNoWallet},
		{"an error beside ok", `{"ok":true`, `{"ok":true,"error":"No"`, fragment.ErrRefused},
	} {
		s := serve(t)
		bad := strings.Replace(ok, test.old, test.new, 1)
		if bad == ok {
			t.Fatalf("%s: nothing was replaced", test.name)
		}
		s.answers["getBuyStarsLink"] = []string{bad}
		p, err := s.client().Buy(t.Context(), fragment.Stars, "jane", 50)
		if !errors.Is(err, test.want) || p.RequestID != "" {
			t.Errorf("%s: got %+v, %v", test.name, p, err)
		}
		if n := s.count("getBuyStarsLink"); n != 1 {
			t.Errorf("%s: the link was asked %d times", test.name, n)
		}
	}
}

// An order whose price nobody named is not paid: its link would be compared
// with itself. Top-ups cost what they are for.
func TestBuyWithoutPrice(t *testing.T) {
	for _, test := range []struct{ name, product, answer string }{
		{"stars", "initBuyStarsRequest", `{"req_id":"REQ_ID"}`},
		{"empty", "initBuyStarsRequest", `{"req_id":"REQ_ID","amount":""}`},
		{"null", "initBuyStarsRequest", `{"req_id":"REQ_ID","amount":null}`},
		{"nothing", "initBuyStarsRequest", `{"req_id":"REQ_ID","amount":"0"}`},
		{"premium", "initGiftPremiumRequest", `{"req_id":"REQ_ID"}`},
		{"a top-up for nothing", "initAdsTopupRequest", `{"req_id":"REQ_ID","amount":"0.0"}`},
	} {
		s := serve(t)
		s.answers[test.product] = []string{test.answer}
		product, quantity := fragment.Stars, int64(50)
		switch test.product {
		case "initGiftPremiumRequest":
			product, quantity = fragment.Premium, 3
		case "initAdsTopupRequest":
			product, quantity = fragment.TopUp, 25
		}
		p, err := s.client().Buy(t.Context(), product, "jane", quantity)
		if !errors.Is(err, fragment.ErrBadAnswer) || p.Transfer.Amount != 0 {
			t.Errorf("%s: got %+v, %v", test.name, p, err)
		}
		for _, link := range []string{"getBuyStarsLink", "getGiftPremiumLink", "getAdsTopupLink"} {
			if s.count(link) > 0 {
				t.Errorf("%s: %s was asked for", test.name, link)
			}
		}
	}
}

// Confirm sends all parameters and the signed message, once, and may be
// repeated by the caller.
func TestConfirm(t *testing.T) {
	s := serve(t)
	c := s.client()
	p, err := c.Buy(t.Context(), fragment.Stars, "jane", 50)
	if err != nil {
		t.Fatal(err)
	}
	s.status["confirmReq"] = []int{502}
	boc := ton.BoC("signed")
	if err := c.Confirm(t.Context(), p, boc); !errors.Is(err, fragment.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if n := s.count("confirmReq"); n != 1 {
		t.Fatalf("confirmed %d times by itself", n)
	}
	if err := c.Confirm(t.Context(), p, boc); err != nil {
		t.Error(err)
	}
	if f := s.forms["confirmReq"]; f.Get("id") != "REQ_ID" || f.Get("boc") != boc.Base64() || f.Get("account") == "" {
		t.Errorf("confirm got %v", f)
	}
	s.answers["confirmReq"] = []string{`{"ok":false,"error":"Order not found"}`}
	if err := c.Confirm(t.Context(), p, boc); !errors.Is(err, fragment.ErrOrderNotFound) {
		t.Errorf("got %v", err)
	}
	s.answers["confirmReq"] = []string{`{"ok":false}`}
	if err := c.Confirm(t.Context(), p, boc); !errors.Is(err, fragment.ErrBadAnswer) {
		t.Errorf("got %v", err)
	}
}

// With USDT the price is Fragment's in USDT, and the transfer asks the wallet's
// own jetton wallet to pay exactly that; the ref is what goes on with it.
func TestBuyWithUSDT(t *testing.T) {
	const usdt50 = "te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE"
	s := serve(t)
	s.answers["initBuyStarsRequest"] = []string{`{"req_id":"REQ_ID","amount":"0.75"}`}
	s.answers["getBuyStarsLink"] = []string{link("50000000", usdt50)}
	p, err := s.client().BuyWith(t.Context(), ton.AssetUSDT, fragment.Stars, "jane", 50)
	if err != nil {
		t.Fatal(err)
	}
	if p.Price.String() != "0.75 USDT" || p.Transfer.Amount != ton.TON/20 || p.Ref != "m9JhZwApQ" || p.Comment != "50 Telegram Stars \n\nRef#m9JhZwApQ" {
		t.Errorf("got %+v", p)
	}
	if got := s.forms["initBuyStarsRequest"].Get("payment_method"); got != "usdt_ton" {
		t.Errorf("payment_method is %q", got)
	}
	for name, c := range map[string]struct{ amount, payload string }{
		"another sum":          {"0.76", usdt50},
		"nine decimals":        {"0.00075", usdt50},
		"a comment, no jetton": {"0.75", stars50},
	} {
		s.answers["initBuyStarsRequest"] = []string{`{"req_id":"REQ_ID","amount":"` + c.amount + `"}`}
		s.answers["getBuyStarsLink"] = []string{link("50000000", c.payload)}
		if p, err := s.client().BuyWith(t.Context(), ton.AssetUSDT, fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrInvoice) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := s.client().BuyWith(t.Context(), ton.AssetUSDT, fragment.TopUp, "jane", 25); !errors.Is(err, fragment.ErrAsset) {
		t.Errorf("a top-up: %v", err)
	}
}

// A USDT is the dollar that the page shows.
func TestPriceInUSDT(t *testing.T) {
	s := serve(t)
	if p, err := s.client().PriceIn(t.Context(), ton.AssetUSDT, fragment.Stars, 5050); err != nil || p.String() != "75.75 USDT" {
		t.Errorf("got %v, %v", p, err)
	}
	if _, err := s.client().PriceIn(t.Context(), ton.AssetUSDT, fragment.TopUp, 5); !errors.Is(err, fragment.ErrAsset) {
		t.Errorf("a top-up: %v", err)
	}
}

// A name is whatever a person calls himself, and reaches us as UTF-8 without
// NUL, however the server writes it: what is recorded of it fits every store.
// A parameter that would be sent back is not mended but refused.
func TestWhatNoStoreHolds(t *testing.T) {
	for sent, want := range map[string]string{
		`a\u0000b`: "a\uFFFDb", `a&#0;b`: "a\uFFFDb", `a\ud83db`: "a\uFFFDb", `\ud83d\ude0a`: "\U0001F60A",
	} {
		s := serve(t)
		s.answers["searchStarsRecipient"] = []string{strings.Replace(found, "Jane &amp; Co", sent, 1)}
		got, err := s.client().Buy(t.Context(), fragment.Stars, "@jane", 50)
		if err != nil || got.Recipient.Name != want {
			t.Errorf("%q became %q: %v", sent, got.Recipient.Name, err)
		}
	}
	s := serve(t)
	for method, answers := range s.answers {
		for i, a := range answers {
			s.answers[method][i] = strings.Replace(a, `"confirm_params":{"id":"REQ_ID"}`, `"confirm_params":{"id":"REQ\u0000"}`, 1)
		}
	}
	if _, err := s.client().Buy(t.Context(), fragment.Stars, "@jane", 50); !errors.Is(err, fragment.ErrBadAnswer) || !strings.Contains(err.Error(), "confirm_params") {
		t.Errorf("a parameter with NUL: %v", err)
	}
}
