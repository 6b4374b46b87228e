package market_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
)

// request asks for Stars and returns the answer.
func (w *world) request(n string) map[string]any {
	w.Helper()
	w.call("updateStarsBuyState", "mode", "new")
	return w.call("initBuyStarsRequest", "recipient", w.recipient("ann_1"), "quantity", n, "payment_method", "ton")
}

// asked is what a link's payload reads as.
func asked(inv invoice) string {
	b, err := ton.ParseBase64(inv.payload)
	if err != nil {
		return "no base64"
	}
	c, err := b.Cell()
	if err != nil {
		return "no cell"
	}
	text, err := ton.Comment(c)
	if err != nil {
		return "no comment"
	}
	text, _, _ = strings.Cut(text, " \n\nRef#")
	return text
}

// A link is wrong in just the way that was asked for, as often as was asked
// for, and right again after that.
func TestLinkFaults(t *testing.T) {
	type link struct {
		Address, Text string
		Extra         ton.Nano // above the price of the request
	}
	right := link{market.Collector.String(), "50 Telegram Stars", 0}
	foreign := ton.Address{Account: [32]byte{0: 0xbd, 31: 1}}.String()
	const bouncing = "EQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOoy2" // the collector's other form
	for _, c := range []struct {
		key, value string
		want       link
	}{
		{"payload", "corrupt*1", link{right.Address, "no cell", 0}},
		{"payload", "binary*1", link{right.Address, "no comment", 0}},
		{"payload", "other_text*1", link{right.Address, "51 Telegram Stars", 0}},
		{"link_address", "foreign*1", link{foreign, right.Text, 0}},
		{"link_address", "bouncing*1", link{bouncing, right.Text, 0}},
		{"link_amount", "wrong*1", link{right.Address, right.Text, 4_609_001}},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			w := start(t)
			a := w.request("50")
			price, err := ton.ParseNano(a["amount"].(string))
			if err != nil {
				t.Fatal(err)
			}
			w.set(c.key, c.value)
			for _, want := range []link{c.want, right} {
				inv := w.link("getBuyStarsLink", a["req_id"].(string))
				if d := cmp.Diff(want, link{inv.address, asked(inv), inv.amount - price}); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// A session that lacks something is refused at each step in Fragment's own
// way, and searching needs none.
func TestSessionFaults(t *testing.T) {
	const popup = `<div class="popup-container"><button class="js-wallet-check-btn">Verify</button></div>`
	for _, c := range []struct {
		value                      string
		state, init, link, confirm map[string]any
	}{
		{"kyc", map[string]any{"ok": true}, map[string]any{"myself": false}, map[string]any{"need_verify": true, "popup": popup}, map[string]any{"ok": true}},
		{"no_wallet", map[string]any{"ok": true}, map[string]any{"need_ton": true}, map[string]any{"error": "Access denied"}, map[string]any{"ok": true}},
		{"denied", map[string]any{"error": "Access denied"}, map[string]any{"error": "Access denied"}, map[string]any{"error": "Access denied"}, map[string]any{"error": "Access denied"}},
		{"ok", map[string]any{"ok": true}, map[string]any{"myself": false}, map[string]any{"ok": true}, map[string]any{"ok": true}},
	} {
		t.Run(c.value, func(t *testing.T) {
			w := start(t)
			inv := w.stars("ann_1", "50")
			w.set("session", c.value)
			token := w.recipient("ann_2")
			if token == "" {
				t.Error("nobody was found")
			}
			for _, step := range []struct {
				want   map[string]any
				method string
				form   []string
			}{
				{c.state, "updateStarsBuyState", []string{"mode", "new"}},
				{c.init, "initBuyStarsRequest", []string{"recipient", token, "quantity", "50", "payment_method", "ton"}},
				{c.link, "getBuyStarsLink", []string{"id", inv.id, "transaction", "1"}},
				{c.confirm, "confirmReq", []string{"id", inv.id, "boc", "te6c"}},
			} {
				got := w.call(step.method, step.form...)
				for key, want := range step.want {
					if got[key] != want {
						t.Errorf("%s: got %v, want %s to be %v", step.method, got, key, want)
					}
				}
				if len(step.want) == 1 && step.want["error"] == nil && got["error"] != nil {
					t.Errorf("%s: got %v", step.method, got)
				}
			}
			if shown := strings.Contains(w.page("/stars/buy"), `"address":false`); shown != (c.value == "no_wallet") {
				t.Errorf("the page shows no wallet: %t", shown)
			}
		})
	}
}

// A session has so many requests in a minute of the market's clock, and status
// 429 for the rest of it; others have their own.
func TestPace(t *testing.T) {
	w := start(t)
	w.set("pace", "2")
	ask := func() any { return w.call("searchStarsRecipient", "query", "ann_1")["status"] }
	first := w.cookie
	got := []any{ask(), ask(), ask()}
	w.cookie = w.m.NewSession(buyer)
	w.page("/stars/buy")
	got = append(got, ask())
	w.cookie = first
	w.page("/stars/buy")
	got = append(got, ask())
	*w.now = w.now.Add(time.Minute)
	got = append(got, ask())
	if d := cmp.Diff([]any{nil, nil, 429.0, nil, 429.0, nil}, got); d != "" {
		t.Error(d)
	}
}

// Every answer takes at least so long.
func TestLatency(t *testing.T) {
	const latency = 30 * time.Millisecond
	w := start(t)
	w.set("latency", latency.String())
	for name, ask := range map[string]func(){
		"page": func() { w.page("/stars/buy") },
		"api":  func() { w.call("searchStarsRecipient", "query", "ann_1") },
	} {
		before := time.Now()
		if ask(); time.Since(before) < latency {
			t.Errorf("%s: after %s", name, time.Since(before))
		}
	}
}

// Amounts of requests have commas only when they are asked for; links never
// do.
func TestCommas(t *testing.T) {
	for value, want := range map[string]string{"off": "1843.6012", "on": "1,843.6012"} {
		w := start(t)
		w.set("commas", value)
		a := w.request("200000")
		if a["amount"] != want {
			t.Errorf("commas=%s: got %v, want %s", value, a["amount"], want)
		}
		if inv := w.link("getBuyStarsLink", a["req_id"].(string)); inv.amount != 1_843_601_200_000 {
			t.Errorf("commas=%s: the link asks for %s TON", value, inv.amount)
		}
	}
}

// Whether a paid order is credited without a confirmation, and what a
// confirmation is answered.
func TestConfirmFaults(t *testing.T) {
	yes := map[string]any{"ok": true}
	no := map[string]any{"ok": false, "error": "Order not found"}
	for _, c := range []struct {
		value         string
		answers       []map[string]any
		before, after int // credits
	}{
		{"ok", []map[string]any{yes, yes}, 1, 1},
		{"required", []map[string]any{yes, yes}, 0, 1},
		{"refused*1", []map[string]any{no, yes}, 1, 1},
		{"refused", []map[string]any{no, no}, 1, 1},
	} {
		t.Run(c.value, func(t *testing.T) {
			w := start(t)
			w.set("confirm", c.value)
			inv := w.stars("ann_1", "50")
			w.chain.pay(inv.amount, inv.payload, *w.now)
			w.call("updateStarsBuyState", "mode", "processing")
			if got := len(w.m.Books()); got != c.before {
				t.Errorf("%d credits before, want %d", got, c.before)
			}
			for _, want := range c.answers {
				if d := cmp.Diff(want, w.call("confirmReq", "id", inv.id, "boc", "te6c")); d != "" {
					t.Error(d)
				}
			}
			if got := len(w.m.Books()); got != c.after {
				t.Errorf("%d credits after, want %d", got, c.after)
			}
		})
	}
}

// A link says until when it is valid, and what is paid counts until then and
// the grace, to the second.
func TestValidity(t *testing.T) {
	for _, c := range []struct {
		validFor, grace string
		until, last     int64 // seconds from the request
	}{
		{"600s", "60s", 600, 660},
		{"10s", "0s", 10, 10},
		{"1m", "2m", 60, 180},
		{"-5s", "0s", -5, -5},
	} {
		t.Run(c.validFor+" "+c.grace, func(t *testing.T) {
			w := start(t)
			w.set("valid_for", c.validFor)
			w.set("grace", c.grace)
			id, _ := w.request("50")["req_id"].(string)
			tx := w.call("getBuyStarsLink", "id", id, "transaction", "1")["transaction"].(map[string]any)
			if got := int64(tx["validUntil"].(float64)) - w.now.Unix(); got != c.until {
				t.Errorf("valid for %d s, want %d", got, c.until)
			}
			inv := w.link("getBuyStarsLink", id)
			for _, late := range []int64{1, 0} {
				w.chain.pay(inv.amount, inv.payload, w.now.Add(time.Duration(c.last+late)*time.Second))
			}
			if err := w.m.Poll(); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(len(w.m.Books()), " credited")
			for _, s := range w.m.Strays() {
				got += ", " + s.Reason
			}
			if got != "1 credited, late" {
				t.Errorf("got %s", got)
			}
		})
	}
}
