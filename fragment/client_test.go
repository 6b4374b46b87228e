package fragment_test

import (
	"errors"
	"testing"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// Prices are found by the coin's icon, whatever stands before it.
func TestPrice(t *testing.T) {
	s := serve(t)
	c := s.client()
	item := func(label, coin, usd string) string {
		return `<div class="tm-form-radio-item"><span class="tm-radio-label">` + label + `</span><span class="tm-radio-label-badge">-10%</span>` +
			`<div class="tm-value icon-usd">` + usd + `</div><div class="tm-value icon-before icon-ton">` + coin + `</div></div>`
	}
	s.answers["GET /premium/gift?months=12"] = []string{item("3 months", "8.1", "11.99") + item("1 year", `19<span class="mini-frac">.25</span>`, "28.99")}
	for _, test := range []struct {
		product  fragment.Product
		quantity int64
		want     ton.Nano
	}{
		{fragment.Stars, 5050, 44_617_200_000},
		{fragment.Premium, 12, 19_250_000_000},
		{fragment.TopUp, 25, 25_000_000_000},
	} {
		if got, err := c.Price(t.Context(), test.product, test.quantity); err != nil || got != test.want {
			t.Errorf("%s: got %v, %v", test.product, got, err)
		}
	}
	for html, want := range map[string]ton.Nano{
		`<div class=\"tm-value icon-usd\">15</div><div class=\"tm-radio-desc icon-ton\">9.6</div>`: 9_600_000_000,
		`<div class=\"icon-ton\">1,234<span>.5</span></div>`:                                       1_234_500_000_000,
		`<div class=\"icon-usd\">15</div>`:                                                         0,
		`<div class=\"icon-ton\">1,5</div>`:                                                        0,
		`<div class=\"icon-ton\">1e3</div>`:                                                        0,
	} {
		s.answers["updateStarsPrices"] = []string{`{"ok":true,"cur_price":"` + html + `"}`}
		got, err := c.Price(t.Context(), fragment.Stars, 1000)
		if got != want || (want == 0) != errors.Is(err, fragment.ErrBadAnswer) {
			t.Errorf("%s: got %v, %v", html, got, err)
		}
	}
	s.answers["GET /premium/gift?months=6"] = []string{item("3 months", "8.1", "11.99")}
	if _, err := c.Price(t.Context(), fragment.Premium, 6); !errors.Is(err, fragment.ErrBadAnswer) {
		t.Errorf("a length that isn't on the page: %v", err)
	}
}

// What isn't sold is refused before the network is troubled.
func TestQuantity(t *testing.T) {
	s := serve(t)
	for p, quantities := range map[fragment.Product][]int64{
		fragment.Stars: {-1, 0, 49, 10_000_001}, fragment.Premium: {0, 1, 9, 24}, fragment.TopUp: {-5, 0, 1_000_000_001},
	} {
		for _, n := range quantities {
			if _, err := s.client().Buy(t.Context(), p, "jane", n); !errors.Is(err, fragment.ErrQuantity) {
				t.Errorf("%d %s: %v", n, p, err)
			}
		}
	}
	if got := s.story(); got != "" {
		t.Errorf("calls were made: %s", got)
	}
}

// A session's state is done only when the page needs no more updates, and
// what the server said last is said back to it.
func TestState(t *testing.T) {
	s := serve(t)
	s.answers["updateStarsBuyState"] = []string{
		`{"ok":true,"mode":"processing","need_update":true,"lv":"v1","dh":77}`,
		`{"ok":true,"mode":"done","need_update":true}`,
		`{"ok":true,"mode":"done","need_update":false}`,
		`{"error":"Access denied"}`,
	}
	c := s.client()
	for i, want := range []fragment.State{
		{Mode: fragment.ModeProcessing}, {Mode: fragment.ModeDone}, {Mode: fragment.ModeDone, Done: true},
	} {
		if got, err := c.State(t.Context(), fragment.Stars, fragment.ModeProcessing); err != nil || got != want {
			t.Errorf("poll %d: got %+v, %v", i, got, err)
		}
		if i == 0 && s.forms["updateStarsBuyState"].Get("lv") != "false" {
			t.Errorf("first poll sent %v", s.forms["updateStarsBuyState"])
		}
	}
	if f := s.forms["updateStarsBuyState"]; f.Get("lv") != "v1" || f.Get("dh") != "77" {
		t.Errorf("last poll sent %v", f)
	}
	if _, err := c.State(t.Context(), fragment.Stars, fragment.ModeNew); !errors.Is(err, fragment.ErrLoggedOut) {
		t.Errorf("got %v", err)
	}
}

// What the caller got wrong is said as that, and nothing is sent.
func TestErrorsOfTheCaller(t *testing.T) {
	s := serve(t)
	c := s.client()
	if _, err := c.Buy(t.Context(), "cars", "jane", 1); !errors.Is(err, fragment.ErrProduct) {
		t.Errorf("buying cars: %v", err)
	}
	if _, err := c.State(t.Context(), "cars", fragment.ModeNew); !errors.Is(err, fragment.ErrProduct) {
		t.Errorf("the state of cars: %v", err)
	}
	if _, err := c.History(t.Context(), "cars"); !errors.Is(err, fragment.ErrProduct) {
		t.Errorf("the history of cars: %v", err)
	}
	for _, p := range []fragment.Purchase{
		{}, {Product: fragment.Stars}, {Product: fragment.Stars, ConfirmMethod: "confirmReq", ConfirmParams: map[string]string{"method": "x"}},
	} {
		if err := c.Confirm(t.Context(), p, ton.BoC("signed")); !errors.Is(err, fragment.ErrPurchase) {
			t.Errorf("confirming %+v: %v", p, err)
		}
	}
	if len(s.calls) > 0 {
		t.Errorf("%q was asked", s.calls)
	}
}
