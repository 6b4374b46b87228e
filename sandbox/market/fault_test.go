package market_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
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

// linked is what a link asks for, compared with the request.
type linked struct {
	Address, Text string
	Extra         ton.Nano // above the price of the request
	Messages      int
	Deploys       bool
}

// asks reads a link as a client does that looks at everything.
func (w *world) asks(id string, price ton.Nano) linked {
	w.Helper()
	inv := w.link("getBuyStarsLink", id)
	messages := w.call("getBuyStarsLink", "id", id, "transaction", "1")["transaction"].(map[string]any)["messages"].([]any)
	return linked{inv.address, asked(inv), inv.amount - price, len(messages), messages[0].(map[string]any)["stateInit"] != nil}
}

// A link is wrong in just the way that was asked for, as often as was asked
// for, and right again after that.
func TestLinkFaults(t *testing.T) {
	right := linked{market.Collector.String(), "50 Telegram Stars", 0, 1, false}
	but := func(change func(*linked)) linked { l := right; change(&l); return l }
	for _, c := range []struct {
		key, value string
		want       linked
	}{
		{"payload", "corrupt", but(func(l *linked) { l.Text = "no cell" })},
		{"payload", "binary", but(func(l *linked) { l.Text = "no comment" })},
		{"payload", "other_text", but(func(l *linked) { l.Text = "51 Telegram Stars" })},
		{"payload", "actions", but(func(l *linked) { l.Text = "no comment" })},
		{"link_address", "foreign", but(func(l *linked) { l.Address = foreign.String() })},
		{"link_address", "bouncing", but(func(l *linked) { l.Address = "EQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOoy2" })}, // the collector's other form
		{"link_amount", "wrong", but(func(l *linked) { l.Extra = 4_609_001 })},
		{"link_amount", "less", but(func(l *linked) { l.Extra = -4_609_001 })},
		{"link_extra", "message", but(func(l *linked) { l.Messages = 2 })},
		{"link_extra", "state_init", but(func(l *linked) { l.Deploys = true })},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			w := start(t)
			a := w.request("50")
			price, err := ton.ParseNano(a["amount"].(string))
			if err != nil {
				t.Fatal(err)
			}
			w.set(c.key, c.value+"*2") // a link is asked for twice
			for _, want := range []linked{c.want, right} {
				if d := cmp.Diff(want, w.asks(a["req_id"].(string), price)); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

var foreign = ton.Address{Account: [32]byte{0: 0xbd, 31: 1}}

// body is the cell of a payload.
func (w *world) body(payload string) *cell.Cell {
	w.Helper()
	b, err := ton.ParseBase64(payload)
	if err != nil {
		w.Fatal(err)
	}
	c, err := b.Cell()
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// payload=actions is what a W5 wallet reads as its own order: a list of actions,
// the newest of which sends everything to a stranger.
func TestActionsAreAWalletsOrder(t *testing.T) {
	w := start(t)
	w.set("payload", "actions")
	s := w.body(w.stars("ann_1", "50").payload).MustBeginParse()
	op := s.MustLoadUInt(32)
	s.MustLoadSlice(3 * 32) // wallet id, time, seqno
	list, err := s.LoadMaybeRef()
	if err != nil || op != 0x73696e74 || list == nil || s.MustLoadBoolBit() || s.BitsLeft() != 512 {
		t.Fatalf("operation %x, %v, %d bits after it", op, err, s.BitsLeft())
	}
	list.MustLoadRef()
	if op, mode := list.MustLoadUInt(32), list.MustLoadUInt(8); op != 0x0ec3c86d || mode != 128 {
		t.Errorf("action %x with mode %d", op, mode)
	}
	var m tlb.InternalMessage
	if err := tlb.LoadFromCell(&m, list.MustLoadRef()); err != nil {
		t.Fatal(err)
	}
	if to, ok := ton.AddressOf(m.DstAddr); !ok || to != foreign {
		t.Errorf("it sends to %s", to)
	}
}

// A token alone that is another's shows the person who was searched for, and
// gives what is paid to the other one.
func TestTheTokenOfSomebodyElse(t *testing.T) {
	w := start(t)
	found := func() map[string]any {
		return w.call("searchStarsRecipient", "query", "ann_1")["found"].(map[string]any)
	}
	before := found()
	w.set("people", "token")
	after := found()
	if after["recipient"] == before["recipient"] || after["name"] != before["name"] || after["photo"] != before["photo"] {
		t.Errorf("got %v after %v", after, before)
	}
	inv := w.stars("ann_1", "50")
	w.chain.pay(inv.amount, inv.payload, *w.now)
	w.call("updateStarsBuyState", "mode", "processing")
	if b := w.m.Books(); len(b) != 1 || !strings.HasPrefix(b[0].Handle, "other_") {
		t.Errorf("got %+v", b)
	}
}

// A reused reference is that of the order that was paid last. Before anything
// was paid there is none, and the fault waits; what is paid with it buys
// nothing.
func TestAReusedRef(t *testing.T) {
	w := start(t)
	w.set("link_ref", "reused*1")
	first, second := w.stars("ann_1", "50"), w.stars("ann_2", "50")
	if first.payload == second.payload {
		t.Fatal("two orders have one reference before anything was paid")
	}
	w.chain.pay(first.amount, first.payload, *w.now)
	w.call("updateStarsBuyState", "mode", "processing")
	third := w.stars("ann_3", "50")
	if third.payload != first.payload {
		t.Error("the reference of the paid order is not used again")
	}
	if again := w.link("getBuyStarsLink", third.id); again.payload == first.payload {
		t.Error("*1 acted twice")
	}
	w.chain.pay(third.amount, third.payload, *w.now)
	w.call("updateStarsBuyState", "mode", "processing")
	if b, s := w.m.Books(), w.m.Strays(); len(b) != 1 || len(s) != 1 || s[0].Reason != market.StrayAgain {
		t.Errorf("books %+v, strays %+v", b, s)
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
