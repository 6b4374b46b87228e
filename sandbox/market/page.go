package market

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

var pages = map[string]struct{ product, title string }{
	"/stars/buy":    {Stars, "Buy Telegram Stars"},
	"/premium/gift": {Premium, "Gift Telegram Premium"},
	"/ads/topup":    {TopUp, "Top Up Telegram Account"},
}

// histories are the pages of a signed-in account that list what it bought.
var histories = map[string]struct{ product, title string }{
	"/stars/history":   {Stars, "Stars History"},
	"/premium/history": {Premium, "Premium History"},
	"/ads/history":     {TopUp, "Top Up History"},
}

// Handler serves the pages and the API. It expects to stand at the root.
func (m *Market) Handler() http.Handler {
	mux := http.NewServeMux()
	for path := range pages {
		mux.HandleFunc("GET "+path, m.servePage)
	}
	for path := range histories {
		mux.HandleFunc("GET "+path, m.serveHistory)
	}
	for path := range accountPages {
		mux.HandleFunc("GET "+path, m.serveAccount)
	}
	mux.HandleFunc("GET /{$}", m.serveAccount)
	mux.HandleFunc("POST /api", m.serveAPI)
	return mux
}

func (m *Market) servePage(w http.ResponseWriter, r *http.Request) {
	v, ok := m.visit(w, r, nil)
	if !ok {
		return
	}
	page := pages[r.URL.Path]
	body := `<form class="js-form">`
	switch page.product {
	case Stars:
		body += `<input name="quantity" placeholder="Enter amount from 50 to 10,000,000">` + v.prices.starOptions() + methodRadios
	case Premium:
		body += v.prices.premiumOptions() + methodRadios
	case TopUp:
		body += `<input name="amount">`
	}
	v.write(w, r, page.title, body+`</form>`)
}

// A visit is a page load and what every page shows.
type visit struct {
	visitor
	prices prices
	script string
}

// visit reads who loads a page and what the pages hold now. It reports false
// if it answered itself. With the market locked it asks more of the visitor's
// account.
func (m *Market) visit(w http.ResponseWriter, r *http.Request, more func(visitor) error) (v visit, ok bool) {
	m.mu.Lock()
	fault, err := m.use("page")
	v.visitor, v.prices = m.visitor(r), m.prices
	hash, connected := m.hash(v.session), m.connected(v.visitor)
	delay, after := m.duration("latency"), m.duration("retry_after")
	if err == nil {
		err = m.broken
	}
	if err == nil && more != nil && !isFault(fault) {
		err = more(v.visitor)
	}
	m.mu.Unlock()
	wait(r, delay)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return visit{}, false
	}
	if serveFault(w, fault, after) {
		return visit{}, false
	}
	address := "false"
	if !connected.IsZero() {
		address = `"` + connected.Raw() + `"`
	}
	v.script = fmt.Sprintf(`ajInit({"version":505,"apiUrl":"\/api?hash=%s","unauth":%t,"state":{"quickSearch":false,"tonRate":%q}});`+"\n"+
		`Wallet.init({"address":%s,"logged_in":%t,"ton_proof":"%x","version":2});`, hash, !v.login, v.prices.rateText(), address, v.login, m.derive("proof", hash))
	return v, true
}

// write answers with a page, or with its parts for the site's own script.
func (v visit) write(w http.ResponseWriter, r *http.Request, title, body string) {
	body = `<main class="tm-main"><h1>` + title + `</h1>` + body + `</main>`
	if r.Header.Get("X-Requested-With") == "XMLHttpRequest" {
		writeJSON(w, answer{"v": 505, "t": title, "h": body, "j": v.script, "s": answer{}, "rc": ""})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>%s</title></head><body>%s\n<script id=\"aj_script\">%s</script></body></html>\n", title, body, v.script)
}

const methodRadios = `<label><input type="radio" name="payment_method" value="ton" checked></label>`

// hash is what the API asks of a session; anonymous visitors share one.
func (m *Market) hash(s *session) string {
	id := ""
	if s != nil {
		id = s.id
	}
	d := m.derive("hash", fmt.Sprintf("%s/%d", id, m.hashes))
	return fmt.Sprintf("%x", d[:9])
}

// visitor is who sent a request. login and tonToken say which of the cookies
// were right.
type visitor struct {
	session         *session // nil: anonymous
	login, tonToken bool
}

func (m *Market) visitor(r *http.Request) (v visitor) {
	cookie := func(name string) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}
	s := m.sessions[cookie("stel_ssid")]
	if s == nil || s.number <= m.expired || cookie("stel_dt") == "" {
		return visitor{}
	}
	v.session = s
	v.login = cookie("stel_token") == m.token("stel_token", s.id)
	v.tonToken = !s.wallet.IsZero() && cookie("stel_ton_token") == m.token("stel_ton_token", s.id)
	return v
}

// isFault reports whether serveFault would answer.
func isFault(fault string) bool {
	switch fault {
	case "403", "429", "502", "html", "drop", "lost":
		return true
	}
	return false
}

// serveFault answers instead of the market. It reports false for "ok" and
// anything that isn't a fault of its own.
func serveFault(w http.ResponseWriter, fault string, after time.Duration) bool {
	html := func(status int, text string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n", text, text)
	}
	switch fault {
	case "403":
		html(http.StatusForbidden, "Just a moment...")
	case "429":
		if after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
		}
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
	case "502":
		html(http.StatusBadGateway, "502 Bad Gateway")
	case "html":
		html(http.StatusOK, "Fragment")
	case "drop", "lost":
		panic(http.ErrAbortHandler) // net/http cuts the connection
	default:
		return false
	}
	return true
}

// answer is a JSON object. Maps print sorted, so equal answers are equal bytes.
type answer map[string]any

func writeJSON(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(a) // an answer always encodes; the client may be gone
}

func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}
