package fragment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// The rows of a page, as the public parsers of it show their shape.
func starsRow(name, stars, price, at string) string {
	return `<tr><td><div class="table-cell"><span class="tm-inline-nowrap">` + name + `</span></div></td>` +
		`<td><div class="tm-value tm-nowrap">` + stars + `</div></td>` +
		`<td><div class="tm-value icon-before icon-ton">` + price + `</div></td>` + when(at) + `</tr>`
}

func premiumRow(name, length, price, at string) string {
	return `<tr><td><span class="tm-inline-nowrap">` + name + `</span></td><td><div class="tm-value tm-nowrap">` + length + `</div></td>` +
		`<td><div class="icon-before icon-ton">` + price + `</div></td>` + when(at) + `</tr>`
}

func topUpRow(name, amount, at string) string {
	return `<tr><td><a href="https://t.me/` + strings.TrimPrefix(name, "@") + `">` + name + `</a></td>` +
		`<td><div class="tm-value icon-before icon-ton">` + amount + `</div></td>` + when(at) + `</tr>`
}

func when(at string) string {
	return `<td><div class="wide-only"><time datetime="` + at + `" data-relative="text">yesterday</time></div>` +
		`<div class="thin-only"><time datetime="` + at + `" data-relative="short-text">1d</time></div></td>`
}

func table(rows ...string) string {
	return `<main><section><h1>History</h1><table class="table"><thead><tr><th>Recipient</th><th>Stars</th></tr></thead><tbody>` +
		strings.Join(rows, "\n") + `</tbody></table></section></main>`
}

const noon = "2026-11-23T12:00:00+00:00"

var atNoon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A page is read row by row: what stands there is told, and nothing else.
func TestHistory(t *testing.T) {
	ann := fragment.HistoryRow{Product: fragment.Stars, Quantity: 100, Handle: "ann_1", Price: ton.Nano(1_300_000_000).Amount(), Time: atNoon}
	with := func(change func(*fragment.HistoryRow)) fragment.HistoryRow { r := ann; change(&r); return r }
	of := func(rows ...fragment.HistoryRow) fragment.History { return fragment.History{Rows: rows} }
	unread := fragment.History{Unread: 1}
	for name, c := range map[string]struct {
		product fragment.Product
		page    string
		want    fragment.History
	}{
		"a purchase":      {fragment.Stars, table(starsRow("@ann_1", "100", "1.3", noon)), of(ann)},
		"nested fraction": {fragment.Stars, table(starsRow("@ann_1", "100", `1<span class="mini-frac">.30</span>`, noon)), of(ann)},
		"thousands": {fragment.Stars, table(starsRow("@ann_1", "1,000,000", `1,234,567<span>.891</span>`, noon)), of(with(func(r *fragment.HistoryRow) {
			r.Quantity, r.Price = 1_000_000, ton.Nano(1_234_567_891_000_000).Amount()
		}))},
		"all nine digits":  {fragment.Stars, table(starsRow("@ann_1", "100", `0<span>.460900001</span>`, noon)), of(with(func(r *fragment.HistoryRow) { r.Price = ton.Nano(460_900_001).Amount() }))},
		"capital letters":  {fragment.Stars, table(starsRow("@Ann_1", "100", "1.3", noon)), of(ann)},
		"entities, spaces": {fragment.Stars, table(starsRow("\n &#64;ann&#95;1 \n", "&nbsp;100 ", " 1.3 ", noon)), of(ann)},
		"another zone":     {fragment.Stars, table(starsRow("@ann_1", "100", "1.3", "2026-11-23T15:30:00+03:30")), of(ann)},
		"twice is told":    {fragment.Stars, table(starsRow("@ann_1", "100", "1.3", noon), starsRow("@ann_1", "100", "1.3", noon)), of(ann, ann)},
		"without tbody":    {fragment.Stars, "<table>" + starsRow("@ann_1", "100", "1.3", noon) + "</table>", of(ann)},
		"nobody yet":       {fragment.Stars, table(), of()},
		"no table":         {fragment.Stars, `<main>Log in to see it</main>`, of()},
		"rows in a script": {fragment.Stars, `<script>` + table(starsRow("@ann_1", "100", "1.3", noon)) + `</script>`, of()},
		"rows in a remark": {fragment.Stars, `<!--` + table(starsRow("@ann_1", "100", "1.3", noon)) + `-->`, of()},

		"three months":   {fragment.Premium, table(premiumRow("@ann_1", "3 months", "1.3", noon)), of(with(func(r *fragment.HistoryRow) { r.Product, r.Quantity = fragment.Premium, 3 }))},
		"a year":         {fragment.Premium, table(premiumRow("@ann_1", "1 year", "1.3", noon)), of(with(func(r *fragment.HistoryRow) { r.Product, r.Quantity = fragment.Premium, 12 }))},
		"a top-up":       {fragment.TopUp, table(topUpRow("@ann_1", "1,025", noon)), of(with(func(r *fragment.HistoryRow) { r.Product, r.Quantity, r.Price = fragment.TopUp, 1025, ton.Amount{} }))},
		"with fraction":  {fragment.TopUp, table(topUpRow("@ann_1", "25<span>.00</span>", noon)), of(with(func(r *fragment.HistoryRow) { r.Product, r.Quantity, r.Price = fragment.TopUp, 25, ton.Amount{} }))},
		"half a coin":    {fragment.TopUp, table(topUpRow("@ann_1", "25.5", noon)), unread},
		"link elsewhere": {fragment.TopUp, table(strings.ReplaceAll(topUpRow("@ann_1", "25", noon), "https://t.me/", "https://t.me.example/")), unread},

		"a name, not a handle":  {fragment.Stars, table(starsRow("Ann", "100", "1.3", noon)), unread},
		"a hostile name":        {fragment.Stars, table(starsRow("@ann_1 \x1b[31m&lt;b&gt;@bob_k", "100", "1.3", noon)), unread},
		"markup in a name":      {fragment.Stars, table(starsRow(`@ann_1<span class="tm-inline-nowrap">@bob_k</span>`, "100", "1.3", noon)), unread},
		"letters that look so":  {fragment.Stars, table(starsRow("@аnn_1", "100", "1.3", noon)), unread},
		"two recipients":        {fragment.Stars, table(starsRow(`@ann_1</span><span class="tm-inline-nowrap">@bob_k`, "100", "1.3", noon)), unread},
		"no stars":              {fragment.Stars, table(starsRow("@ann_1", "0", "1.3", noon)), unread},
		"a negative number":     {fragment.Stars, table(starsRow("@ann_1", "-100", "1.3", noon)), unread},
		"commas anywhere":       {fragment.Stars, table(starsRow("@ann_1", "1,0", "1.3", noon)), unread},
		"digits apart":          {fragment.Stars, table(starsRow("@ann_1", "1 00", "1.3", noon)), unread},
		"too many stars":        {fragment.Stars, table(starsRow("@ann_1", "99999999999999999999", "1.3", noon)), unread},
		"another coin":          {fragment.Stars, table(strings.ReplaceAll(starsRow("@ann_1", "100", "1.3", noon), "icon-ton", "icon-eur")), unread},
		"paid in USDT":          {fragment.Stars, table(strings.ReplaceAll(starsRow("@ann_1", "100", "1.5", noon), "icon-ton", "icon-usdt")), of(with(func(r *fragment.HistoryRow) { r.Price = ton.Amount{Asset: ton.AssetUSDT, Units: 1_500_000} }))},
		"too fine for USDT":     {fragment.Stars, table(strings.ReplaceAll(starsRow("@ann_1", "100", "1.5000001", noon), "icon-ton", "icon-usdt")), unread},
		"two prices":            {fragment.Stars, table(starsRow("@ann_1", "100", `1.3</div><div class="icon-ton">1.4`, noon)), unread},
		"a price of nothing":    {fragment.Stars, table(starsRow("@ann_1", "100", "0", noon)), unread},
		"too many digits":       {fragment.Stars, table(starsRow("@ann_1", "100", "1.3000000001", noon)), unread},
		"no time":               {fragment.Stars, table(starsRow("@ann_1", "100", "1.3", "")), unread},
		"a time without a zone": {fragment.Stars, table(starsRow("@ann_1", "100", "1.3", "2026-11-23T12:00:00")), unread},
		"weeks":                 {fragment.Premium, table(premiumRow("@ann_1", "3 weeks", "1.3", noon)), unread},
		"stars of the others":   {fragment.Premium, table(starsRow("@ann_1", "100", "1.3", noon)), unread},
		"a row among others":    {fragment.Stars, table(starsRow("Ann", "100", "1.3", noon), starsRow("@ann_1", "100", "1.3", noon)), fragment.History{Rows: []fragment.HistoryRow{ann}, Unread: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			path := map[fragment.Product]string{fragment.Stars: "/stars/history?sort=desc", fragment.Premium: "/premium/history?sort=desc", fragment.TopUp: "/ads/history?type=topup&sort=desc"}[c.product]
			s.answers["GET "+path] = []string{asPart(c.page)}
			got, err := s.client().History(t.Context(), c.product)
			if d := cmp.Diff(c.want, got); err != nil || d != "" {
				t.Errorf("%v\n%s", err, d)
			}
		})
	}
}

// asPart is a page as the site's own script gets it.
func asPart(page string) string {
	b, err := json.Marshal(map[string]any{"v": 505, "t": "History", "h": page, "j": "", "s": map[string]any{}, "rc": ""})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// What isn't a page of the account is an error of a kind, never an empty list.
func TestHistoryErrors(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status []int
		want   error
	}{
		"sent away":          {"", nil, fragment.ErrLoggedOut},
		"its words":          {`{"error":"Access denied"}`, nil, fragment.ErrLoggedOut},
		"the page itself":    {table(starsRow("@ann_1", "100", "1.3", noon)), nil, fragment.ErrBadAnswer},
		"the guard":          {`<title>Just a moment...</title>`, nil, fragment.ErrBlocked},
		"nothing":            {`{}`, nil, fragment.ErrBadAnswer},
		"no text":            {`{"h":null}`, nil, fragment.ErrBadAnswer},
		"a list":             {`{"h":["<table>"]}`, nil, fragment.ErrBadAnswer},
		"two pages":          {`{"h":"<table>","h":"<table>"}`, nil, fragment.ErrBadAnswer},
		"too many rows":      {asPart(table(strings.Repeat("<tr><td>", 5001))), nil, fragment.ErrBadAnswer},
		"too deep":           {asPart(strings.Repeat("<div>", 100_000)), nil, fragment.ErrBadAnswer},
		"too long":           {asPart(strings.Repeat("x", 1<<20)), nil, fragment.ErrBadAnswer},
		"away for long":      {asPart(table()), []int{502, 502, 502, 502}, fragment.ErrUnavailable},
		"away for a moment":  {asPart(table()), []int{502, 502}, nil},
		"not to be answered": {asPart(table()), []int{http.StatusForbidden}, fragment.ErrBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			if c.answer != "" {
				s.answers["GET /stars/history?sort=desc"] = []string{c.answer}
			}
			s.status["GET /stars/history?sort=desc"] = c.status
			list, err := s.client().History(t.Context(), fragment.Stars)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || len(list.Rows)+list.Unread > 0 {
				t.Errorf("got %v, %v, want %v", list, err, c.want)
			}
		})
	}
	s := serve(t)
	if _, err := s.client().History(t.Context(), "shares"); err == nil {
		t.Error("an unknown product has a history")
	}
}

// Whatever a page holds, what is read from it is a sound purchase, and written
// in the page's shape it reads as the same: nothing of one row gets into
// another or out of its own.
func FuzzParseHistory(f *testing.F) {
	f.Add(0, table(starsRow("@ann_1", "1,000", `1,234<span class="mini-frac">.56</span>`, noon)))
	f.Add(1, table(premiumRow("@ann_1", "3 months", "7.5", noon), premiumRow("@bob_k", "1 year", "17", noon)))
	f.Add(2, table(topUpRow("@our_channel", "25", noon)))
	f.Add(0, table(starsRow("@ann_1<table>"+starsRow("@bob_k", "50", "1", noon), "50", "1", noon)))
	f.Add(1, table(premiumRow("@ann_1", "70 years", "7.5", noon)))
	f.Fuzz(func(t *testing.T, product int, page string) {
		p := []fragment.Product{fragment.Stars, fragment.Premium, fragment.TopUp}[uint(product)%3]
		list, err := fragment.ParseHistory(p, page)
		if err != nil {
			return
		}
		var rows []string
		for _, r := range list.Rows {
			if r.Product != p || r.Quantity < 1 || len(r.Handle) > 32 || r.Handle != strings.ToLower(r.Handle) || (r.Price.Units > 0) != (p != fragment.TopUp) || r.Time.Unix() <= 0 {
				t.Fatalf("%+v", r)
			}
			rows = append(rows, written(r))
		}
		again, err := fragment.ParseHistory(p, table(rows...))
		if err != nil || again.Unread > 0 || !slices.Equal(again.Rows, list.Rows) {
			t.Fatalf("%+v\n%+v, %v", list.Rows, again, err)
		}
	})
}

// written is a row in the page's shape.
func written(r fragment.HistoryRow) string {
	name, at := html.EscapeString("@"+r.Handle), r.Time.Format(time.RFC3339)
	whole, fraction, _ := strings.Cut(ton.Nano(r.Price.Units).String(), ".")
	price := fmt.Sprintf(`%s<span class="mini-frac">.%s0</span>`, commas(whole), fraction)
	if len(fraction) == 9 {
		price = strings.Replace(price, "0</span>", "</span>", 1)
	}
	switch r.Product {
	case fragment.Premium:
		return premiumRow(name, fmt.Sprint(r.Quantity, " months"), price, at)
	case fragment.TopUp:
		return topUpRow(name, commas(strconv.FormatInt(r.Quantity, 10)), at)
	}
	return starsRow(name, commas(strconv.FormatInt(r.Quantity, 10)), price, at)
}

func commas(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Its errors are known by ErrHistory; a text that is no page has no rows.
func TestParseHistoryErrors(t *testing.T) {
	if _, err := fragment.ParseHistory(fragment.Stars, table(strings.Repeat("<tr><td>", 5001))); !errors.Is(err, fragment.ErrHistory) {
		t.Errorf("too many rows: %v", err)
	}
	if list, err := fragment.ParseHistory(fragment.Stars, "no page at all"); err != nil || len(list.Rows) > 0 {
		t.Errorf("no page: %+v, %v", list, err)
	}
}
