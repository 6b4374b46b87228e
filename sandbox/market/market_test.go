package market_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
)

// chain is a collector's account in memory.
type chain struct{ all []market.Payment }

func (c *chain) Received(_ ton.Address, after uint64) []market.Payment {
	return c.all[min(int(after), len(c.all)):]
}

func (c *chain) pay(amount ton.Nano, payload string, at time.Time) {
	b, err := ton.ParseBase64(payload)
	if err != nil {
		panic(err)
	}
	body, err := b.Cell()
	if err != nil {
		panic(err)
	}
	c.all = append(c.all, market.Payment{LT: uint64(len(c.all) + 1), Amount: amount, Body: body, Time: uint32(at.Unix())})
}

type world struct {
	*testing.T
	m            *market.Market
	chain        *chain
	now          *time.Time
	url          string
	cookie, hash string
	opt          market.Options
}

var buyer = ton.Address{Account: [32]byte{1, 2, 3}}

func start(t *testing.T) *world {
	now := time.Unix(1_790_000_000, 0)
	w := &world{T: t, chain: &chain{}, now: &now}
	w.opt = market.Options{Pay: w.chain, Log: filepath.Join(t.TempDir(), "log"), Clock: func() time.Time { return *w.now }}
	w.open()
	w.cookie = w.m.NewSession(buyer)
	w.page("/stars/buy")
	return w
}

func (w *world) open() {
	w.Helper()
	m, err := market.Open(w.opt)
	if err != nil {
		w.Fatal(err)
	}
	s := httptest.NewServer(m.Handler())
	w.Cleanup(func() { s.Close(); m.Close() })
	w.m, w.url = m, s.URL
}

func (w *world) page(path string) string {
	w.Helper()
	r, _ := http.NewRequest("GET", w.url+path, nil)
	r.Header.Set("Cookie", w.cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if found := regexp.MustCompile(`\\/api\?hash=([a-f0-9]+)`).FindSubmatch(b); found != nil {
		w.hash = string(found[1])
	}
	return string(b)
}

func (w *world) call(method string, kv ...string) map[string]any {
	w.Helper()
	form := url.Values{"method": {method}}
	for i := 0; i < len(kv); i += 2 {
		form.Set(kv[i], kv[i+1])
	}
	r, _ := http.NewRequest("POST", w.url+"/api?hash="+w.hash, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("Cookie", w.cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return map[string]any{"error": "dropped"}
	}
	defer res.Body.Close()
	a := map[string]any{"status": float64(res.StatusCode)}
	if json.NewDecoder(res.Body).Decode(&a) == nil {
		delete(a, "status")
	}
	return a
}

func (w *world) wants(want string, method string, kv ...string) {
	w.Helper()
	if a := w.call(method, kv...); fmt.Sprint(a["error"]) != want {
		w.Errorf("%s %q: got %v, want error %q", method, kv, a, want)
	}
}

func (w *world) set(key, value string) {
	w.Helper()
	if err := w.m.Set(key, value); err != nil {
		w.Fatal(err)
	}
}

func (w *world) recipient(name string) string {
	w.Helper()
	found, _ := w.call("searchStarsRecipient", "query", name)["found"].(map[string]any)
	token, _ := found["recipient"].(string)
	return token
}

type invoice struct {
	id, address, payload string
	amount               ton.Nano
}

func (w *world) stars(name, n string) invoice {
	w.Helper()
	w.call("updateStarsBuyState", "mode", "new")
	id, _ := w.call("initBuyStarsRequest", "recipient", w.recipient(name), "quantity", n, "payment_method", "ton")["req_id"].(string)
	return w.link("getBuyStarsLink", id)
}

func (w *world) link(method, id string) invoice {
	w.Helper()
	a := w.call(method, "id", id, "transaction", "1", "account", `{"address":"x"}`, "device", `{}`)
	tx, ok := a["transaction"].(map[string]any)
	if !ok {
		w.Fatalf("%s: %v", method, a)
	}
	if tx["from"] != buyer.Raw() {
		w.Errorf("from: got %v", tx["from"])
	}
	msg := tx["messages"].([]any)[0].(map[string]any)
	amount, _ := ton.ParseNanoInteger(msg["amount"].(string))
	return invoice{id, msg["address"].(string), msg["payload"].(string), amount}
}

// Payloads are byte for byte those that Fragment was seen to build.
func TestPayloads(t *testing.T) {
	for _, c := range []struct {
		product, ref  string
		quantity      int64
		payload, hash string
	}{
		{market.Stars, "QE9AF7lOm", 50, "te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNRRTlBRjdsT20", "19d4a8c0d81dd99b5e0cf8c1f005a9dced1b95a127768b5ade2a6b52bd76dcc9"},
		{market.Stars, "kpJ55h3BW", 50, "te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNrcEo1NWgzQlc=", "0bc6c016de7722b5a66da918c630e04b44dcb6e429818b723adb7e92bc4fc36d"},
		{market.Stars, "zIh0OE1vd", 10000, "te6ccgEBAgEALQABTgAAAAAxMDAwMCBUZWxlZ3JhbSBTdGFycyAKClJlZiN6SWgwT0UxdgEAAmQ", "58955aaf1cdb66dedd54845c957dd13f347c8742a59350caabb27452c6804be1"},
		{market.Premium, "3pWJtbdbu", 3, "te6ccgEBAgEANgABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAzIG1vbnRocyAKClJlZgEAFCMzcFdKdGJkYnU", "97cd7d551c1a2c34a6e3045ac7f1bd293cfb49b6754e861816bdd6df2066f734"},
		{market.Premium, "rONBs6rcm", 12, "te6ccgEBAgEANAABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAxIHllYXIgCgpSZWYjcgEAEE9OQnM2cmNt", "a88820fd160512f2ddd45fbb0925b0f9473daf2d043b53e0a97ed48bfa09c228"},
		{market.TopUp, "k1zCEY1wx", 7, "te6ccgEBAgEAMAABTgAAAABUZWxlZ3JhbSBhY2NvdW50IHRvcCB1cCAKClJlZiNrMXpDRQEACFkxd3g", "1ed5d34aa85ad62a4b9fc57cea608a90bc5262aabae2fa4800618cad06c0e464"},
	} {
		body := market.CommentCell(market.Comment(c.product, c.quantity, c.ref))
		if got := market.EncodePayload(body, strings.HasSuffix(c.payload, "=")); got != c.payload {
			t.Errorf("%s %d: got %s, want %s", c.product, c.quantity, got, c.payload)
		}
		if got := ton.Hash(body.Hash()).String(); got != c.hash {
			t.Errorf("%s %d: hash %s, want %s", c.product, c.quantity, got, c.hash)
		}
	}
}

// A paid order is credited once, and a restart neither forgets nor repeats it.
func TestOrderIsCreditedOnce(t *testing.T) {
	w := start(t)
	inv := w.stars("@Ann_1", "50")
	if inv.amount != 460_900_000 || inv.address != market.Collector.String() {
		t.Fatalf("got %+v", inv)
	}
	w.chain.pay(inv.amount, inv.payload, *w.now)
	w.chain.pay(inv.amount, inv.payload, *w.now)
	for range 2 {
		if a := w.call("confirmReq", "id", inv.id, "boc", "te6c"); a["ok"] != true {
			t.Fatal(a)
		}
	}
	if a := w.call("updateStarsBuyState", "mode", "processing"); a["mode"] != "done" || a["need_update"] != false {
		t.Error(a)
	}
	before := w.m.Books()
	if len(before) != 1 || before[0].Handle != "ann_1" || before[0].Quantity != 50 {
		t.Fatalf("got %+v", before)
	}
	if s := w.m.Strays(); len(s) != 1 || s[0].Reason != market.StrayAgain {
		t.Errorf("got %+v", s)
	}
	w.m.Close()
	f, _ := os.OpenFile(w.opt.Log, os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(`{"paid":{"re`)
	f.Close()
	w.open()
	if err := w.m.Poll(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, w.m.Books()); d != "" {
		t.Error(d)
	}
	w.wants("<nil>", "confirmReq", "id", inv.id, "boc", "te6c")
}

// What is late or not exact buys nothing and is kept.
func TestStrays(t *testing.T) {
	w := start(t)
	inv := w.stars("ann_1", "50")
	w.chain.pay(inv.amount-1, inv.payload, *w.now)
	w.chain.pay(inv.amount, inv.payload, w.now.Add(661*time.Second))
	w.m.Poll()
	var got []string
	for _, s := range w.m.Strays() {
		got = append(got, s.Reason)
	}
	if d := cmp.Diff([]string{market.StrayAmount, market.StrayLate}, got); d != "" || len(w.m.Books()) != 0 {
		t.Error(d, w.m.Books())
	}
	w.chain.pay(inv.amount, inv.payload, w.now.Add(660*time.Second))
	if w.m.Poll(); len(w.m.Books()) != 1 {
		t.Error("not credited within the grace")
	}
}

// The market is strict: hash, cookies, state and payment method are needed.
func TestStrict(t *testing.T) {
	w := start(t)
	tok := w.recipient("ann_1")
	w.wants("Access denied", "initBuyStarsRequest", "recipient", tok, "quantity", "50")
	w.wants("Price was changed. Please try again.", "initBuyStarsRequest", "recipient", tok, "quantity", "50", "payment_method", "ton")
	w.call("updateStarsBuyState", "mode", "new", "lv", "false")
	w.wants("<nil>", "initBuyStarsRequest", "recipient", tok, "quantity", "50", "payment_method", "ton")
	w.set("price", "+10%")
	w.wants("Price was changed. Please try again.", "initBuyStarsRequest", "recipient", tok, "quantity", "50", "payment_method", "ton")
	w.wants("Invalid method", "nonsense")
	w.set("hash", "renew")
	w.wants("Bad request", "searchStarsRecipient", "query", "ann_1")
	w.page("/stars/buy")
	w.wants("<nil>", "searchStarsRecipient", "query", "ann_1")
	w.wants("No Telegram users found.", "searchStarsRecipient", "query", "nobody_x")
	w.wants("Please enter a username assigned to a user.", "searchStarsRecipient", "query", "x_channel")
	w.wants("<nil>", "searchAdsTopupRecipient", "query", "x_channel")
	w.wants("You can&#39;t gift Telegram Stars to this account at this moment.", "searchStarsRecipient", "query", "no_gifts_x")
	w.set("session", "expired")
	w.wants("Bad request", "updateStarsBuyState", "mode", "new")
	w.page("/stars/buy")
	w.wants("Access denied", "updateStarsBuyState", "mode", "new")
	w.cookie = w.m.NewSession(ton.Address{})
	w.page("/stars/buy")
	if a := w.call("initBuyStarsRequest"); a["need_ton"] != true {
		t.Error(a)
	}
}

// Premium runs from its gift on, and a second one is refused until it ends.
func TestPremiumRuns(t *testing.T) {
	w := start(t)
	w.call("updatePremiumState", "mode", "new")
	id, _ := w.call("initGiftPremiumRequest", "recipient", w.recipient("ann_1"), "months", "3", "payment_method", "ton")["req_id"].(string)
	inv := w.link("getGiftPremiumLink", id)
	w.chain.pay(inv.amount, inv.payload, *w.now)
	w.wants("This account is already subscribed to Telegram Premium.", "searchPremiumGiftRecipient", "query", "ann_1")
	*w.now = w.now.AddDate(0, 3, 0)
	w.wants("<nil>", "searchPremiumGiftRecipient", "query", "ann_1")
}

// Faults act as often as asked, and delivery can be late or never.
func TestFaults(t *testing.T) {
	w := start(t)
	w.set("api", "502*2")
	for _, want := range []any{502.0, 502.0, nil} {
		if got := w.call("searchStarsRecipient", "query", "ann_1")["status"]; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	w.set("deliver", "late")
	inv := w.stars("ann_1", "10000")
	w.chain.pay(inv.amount, inv.payload, *w.now)
	w.set("confirm", "lost*1")
	w.wants("dropped", "confirmReq", "id", inv.id, "boc", "x")
	w.wants("<nil>", "confirmReq", "id", inv.id, "boc", "x")
	if a := w.call("updateStarsBuyState", "mode", "processing"); a["mode"] != "processing" || a["need_update"] != true {
		t.Error(a)
	}
	*w.now = w.now.Add(time.Minute)
	if a := w.call("updateStarsBuyState", "mode", "processing"); a["mode"] != "done" {
		t.Error(a)
	}
	if err := w.m.Set("nonsense", "1"); err == nil || !strings.Contains(err.Error(), "payload") {
		t.Error(err)
	}
}

// A top-up costs what it gives, and reaches channels.
func TestTopUp(t *testing.T) {
	w := start(t)
	w.call("updateAdsTopupState", "mode", "new")
	found := w.call("searchAdsTopupRecipient", "query", "x_channel")["found"].(map[string]any)
	w.wants("Amount is invalid", "initAdsTopupRequest", "recipient", found["recipient"].(string), "amount", "1.5")
	id, _ := w.call("initAdsTopupRequest", "recipient", found["recipient"].(string), "amount", "7")["req_id"].(string)
	if inv := w.link("getAdsTopupLink", id); inv.amount != 7*ton.TON {
		t.Errorf("got %+v", inv)
	}
}
