package market

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

var pages = map[string]struct{ product, title string }{
	"/stars/buy":    {Stars, "Buy Telegram Stars"},
	"/premium/gift": {Premium, "Gift Telegram Premium"},
	"/ads/topup":    {TopUp, "Top Up Telegram Account"},
}

// Handler serves the pages and the API. It expects to stand at the root.
func (m *Market) Handler() http.Handler {
	mux := http.NewServeMux()
	for path := range pages {
		mux.HandleFunc("GET "+path, m.servePage)
	}
	mux.HandleFunc("POST /api", m.serveAPI)
	return mux
}

func (m *Market) servePage(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	fault, err := m.use("page")
	c := m.visitor(r)
	p := m.prices
	hash, connected := m.hash(c.session), c.tonToken && m.value("session") != "no_wallet"
	delay := m.duration("latency")
	if err == nil {
		err = m.broken
	}
	m.mu.Unlock()
	wait(r, delay)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if serveFault(w, fault) {
		return
	}
	address := "false"
	if connected {
		address = `"` + c.session.wallet.Raw() + `"`
	}
	proof := m.derive("proof", hash)
	script := fmt.Sprintf(`ajInit({"version":505,"apiUrl":"\/api?hash=%s","unauth":%t,"state":{"quickSearch":false,"tonRate":%q}});`+"\n"+
		`Wallet.init({"address":%s,"logged_in":%t,"ton_proof":"%x","version":2});`, hash, !c.login, p.rateText(), address, c.login, proof)
	page := pages[r.URL.Path]
	body := `<main class="tm-main"><h1>` + page.title + `</h1><form class="js-form">`
	switch page.product {
	case Stars:
		body += `<input name="quantity" placeholder="Enter amount from 50 to 10,000,000">` + p.starOptions() + methodRadios
	case Premium:
		body += p.premiumOptions() + methodRadios
	case TopUp:
		body += `<input name="amount">`
	}
	body += `</form></main>`
	if r.Header.Get("X-Requested-With") == "XMLHttpRequest" {
		writeJSON(w, answer{"v": 505, "t": page.title, "h": body, "j": script, "s": answer{}, "rc": ""})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>%s</title></head><body>%s\n<script id=\"aj_script\">%s</script></body></html>\n", page.title, body, script)
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

// serveFault answers instead of the market. It reports false for "ok" and
// anything that isn't a fault of its own.
func serveFault(w http.ResponseWriter, fault string) bool {
	html := func(status int, text string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n", text, text)
	}
	switch fault {
	case "403":
		html(http.StatusForbidden, "Just a moment...")
	case "429":
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
