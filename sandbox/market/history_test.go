package market_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
)

var cells = regexp.MustCompile(`(?s)<tr><td>.*?(@\w+)<.*?tm-nowrap">([^<]+)<.*?icon-ton">([0-9,]+)<span class="mini-frac">([.0-9]+)</span>.*?datetime="([^"]+)"`)

// listed is what a page of purchases shows, row by row.
func (w *world) listed(path string) (rows []string) {
	for _, c := range cells.FindAllStringSubmatch(w.page(path), -1) {
		rows = append(rows, strings.Join(c[1:], " "))
	}
	return rows
}

// What an account bought is listed to it alone, once it is credited, whatever
// session asks; and each fault changes the list in its own way and as often as
// was asked for.
func TestHistory(t *testing.T) {
	w := start(t)
	w.set("price", "+900%")
	for i, name := range []string{"ann_1", "bob_2", "cleo_3"} {
		inv := w.stars(name, fmt.Sprint(100_000*(i+1)))
		w.chain.pay(inv.amount, inv.payload, *w.now)
		if err := w.m.Poll(); err != nil {
			t.Fatal(err)
		}
		*w.now = w.now.Add(time.Second)
	}
	unpaid := w.stars("dan_4", "50")
	const path = "/stars/history?sort=desc"
	ann, bob, cleo := "@ann_1 100,000 9,218 .0058 2026-09-21T14:13:20Z", "@bob_2 200,000 18,436 .0117 2026-09-21T14:13:21Z", "@cleo_3 300,000 27,654 .0175 2026-09-21T14:13:22Z"
	got := w.listed(path)
	if d := cmp.Diff([]string{cleo, bob, ann}, got); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff([]string{ann, bob, cleo}, w.listed("/stars/history?sort=asc")); d != "" {
		t.Error(d)
	}
	for fault, want := range map[string][]string{
		"late*1": nil, "missing*1": {bob, ann}, "repeated*1": {cleo, cleo, bob, bob, ann, ann},
	} {
		w.set("history", fault)
		if d := cmp.Diff(want, w.listed(path)); d != "" {
			t.Errorf("%s: %s", fault, d)
		}
		if d := cmp.Diff(got, w.listed(path)); d != "" {
			t.Errorf("after %s: %s", fault, d)
		}
	}
	w.set("history", "shuffled")
	shuffled := w.listed(path)
	if len(shuffled) != 3 || cmp.Equal(shuffled, got) {
		t.Errorf("got %q", shuffled)
	}
	w.set("history", "late")
	*w.now = w.now.Add(time.Minute - 2*time.Second)
	if d := cmp.Diff([]string{bob, ann}, w.listed(path)); d != "" {
		t.Error(d)
	}
	w.set("history", "ok")

	w.chain.pay(unpaid.amount+1, unpaid.payload, *w.now) // a stray is no purchase
	for _, other := range []string{"/premium/history?sort=desc", "/ads/history?type=topup&sort=desc"} {
		if page := w.page(other); !strings.Contains(page, "<tbody></tbody>") {
			t.Errorf("%s: %s", other, page)
		}
	}
	w.cookie = w.m.NewSession(buyer)
	if d := cmp.Diff(got, w.listed(path)); d != "" {
		t.Errorf("another session of the wallet: %s", d)
	}
	w.cookie = w.m.NewSession(ton.Address{Account: [32]byte{9}})
	if rows := w.listed(path); rows != nil {
		t.Errorf("another wallet: %q", rows)
	}
	r, _ := http.NewRequest("GET", w.url+path, nil)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusFound {
		t.Errorf("nobody: %v, %v", res.Status, err)
	}
	res.Body.Close()
}

// Premium is listed by its length, a top-up by a link and what it credits.
func TestHistoryOfTheOthers(t *testing.T) {
	w := start(t)
	buy := func(state, init, link, name, field, n string) {
		w.call(state, "mode", "new")
		id, _ := w.call(init, "recipient", w.recipient(name), field, n, "payment_method", "ton")["req_id"].(string)
		inv := w.link(link, id)
		w.chain.pay(inv.amount, inv.payload, *w.now)
	}
	buy("updatePremiumState", "initGiftPremiumRequest", "getGiftPremiumLink", "ann_1", "months", "3")
	buy("updatePremiumState", "initGiftPremiumRequest", "getGiftPremiumLink", "bob_2", "months", "12")
	buy("updateAdsTopupState", "initAdsTopupRequest", "getAdsTopupLink", "ann_1", "amount", "1025")
	if page := w.page("/premium/history"); !strings.Contains(page, `>1 year<`) || !strings.Contains(page, `>3 months<`) {
		t.Error(page)
	}
	if page := w.page("/ads/history?type=topup"); !strings.Contains(page, `<a href="https://t.me/ann_1" target="_blank">@ann_1</a>`) || !strings.Contains(page, `icon-ton">1,025</div>`) {
		t.Error(page)
	}
}
