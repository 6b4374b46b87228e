package market

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxForm bounds a request: a signed message with 255 transfers fits.
const maxForm = 4 << 20

// request is one API call, read and its sender known.
type request struct {
	visitor
	form    url.Values
	product string
	now     time.Time
}

// What a method asks of the session.
const (
	anyone = iota
	login  // stel_token
	wallet // and stel_ton_token
)

type method struct {
	product string
	need    int
	do      func(*Market, request) (answer, error)
}

var methods = map[string]method{
	"searchStarsRecipient":       {Stars, anyone, (*Market).search},
	"searchPremiumGiftRecipient": {Premium, anyone, (*Market).search},
	"searchAdsTopupRecipient":    {TopUp, anyone, (*Market).search},
	"updateStarsPrices":          {Stars, anyone, (*Market).quote},
	"updateStarsBuyState":        {Stars, login, (*Market).state},
	"updatePremiumState":         {Premium, login, (*Market).state},
	"updateAdsTopupState":        {TopUp, login, (*Market).state},
	"initBuyStarsRequest":        {Stars, wallet, (*Market).init},
	"initGiftPremiumRequest":     {Premium, wallet, (*Market).init},
	"initAdsTopupRequest":        {TopUp, wallet, (*Market).init},
	"getBuyStarsLink":            {Stars, wallet, (*Market).link},
	"getGiftPremiumLink":         {Premium, wallet, (*Market).link},
	"getAdsTopupLink":            {TopUp, wallet, (*Market).link},
	"confirmReq":                 {"", login, (*Market).confirm},
	"cancelInvoice":              {"", login, (*Market).cancel},
	"repeatStars":                {Stars, login, (*Market).repeat},
	"repeatPremium":              {Premium, login, (*Market).repeat},
	"repeatAdsTopup":             {TopUp, login, (*Market).repeat},
}

// The errors that are not of one method.
const (
	errBadRequest = "Bad request"
	errMethod     = "Invalid method"
	errAccess     = "Access denied"
	errMoved      = "Price was changed. Please try again."
	errNoOrder    = "Order not found"
)

func refuse(text string) (answer, error) { return answer{"error": text}, nil }

func (m *Market) serveAPI(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	parsed := r.ParseForm()
	m.mu.Lock()
	a, fault, err := m.call(r, parsed == nil)
	delay, after := m.duration("latency"), m.duration("retry_after")
	m.mu.Unlock()
	wait(r, delay)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if !serveFault(w, fault, after) {
		writeJSON(w, a)
	}
}

// call answers one request. With a fault the answer isn't sent, but only
// "drop" has done what was asked.
func (m *Market) call(r *http.Request, parsed bool) (a answer, fault string, err error) {
	if err := m.poll(); err != nil {
		return nil, "", err
	}
	now := m.opt.Clock()
	name := r.PostForm.Get("method")
	kind, only, _ := strings.Cut(m.value("api"), "@")
	if kind != "" && kind != "ok" && (only == "" || only == name) {
		if _, err := m.use("api"); err != nil {
			return nil, "", err
		}
		if fault = kind; fault != "drop" {
			return nil, fault, nil
		}
	}
	req := request{visitor: m.visitor(r), form: r.PostForm, now: now}
	if err := m.ends(); err != nil {
		return nil, "", err
	}
	if m.tooFast(req.session, now) {
		return nil, "429", nil
	}
	known, ok := methods[name]
	req.product = known.product
	switch {
	case !parsed, m.on("require_hash") && r.URL.Query().Get("hash") != m.hash(req.session),
		m.on("require_xhr") && r.Header.Get("X-Requested-With") != "XMLHttpRequest":
		return answer{"error": errBadRequest}, fault, nil
	case !ok:
		return answer{"error": errMethod}, fault, nil
	}
	denied := ""
	if known.need >= login {
		if denied, err = m.denied(known.need); err != nil {
			return nil, "", err
		}
	}
	switch {
	case known.need >= login && (!req.login || denied == "denied"):
		return answer{"error": errAccess}, fault, nil
	case known.need == wallet && (!req.tonToken || denied == "no_wallet"):
		if strings.HasPrefix(name, "init") {
			return answer{"need_ton": true}, fault, nil
		}
		return answer{"error": errAccess}, fault, nil
	}
	a, err = known.do(m, req)
	if name == "confirmReq" && err == nil && a["ok"] == true && m.value("confirm") == "lost" {
		fault = "drop"
		_, err = m.use("confirm")
	}
	return a, fault, err
}

// denied uses up a session fault that concerns a method with these needs; kyc
// is the link's own affair.
func (m *Market) denied(need int) (string, error) {
	switch v := m.value("session"); {
	case v == "denied", v == "no_wallet" && need == wallet:
		return m.use("session")
	}
	return "", nil
}

func (m *Market) tooFast(s *session, now time.Time) bool {
	pace := m.count("pace")
	if pace == 0 || s == nil {
		return false
	}
	if minute := now.Unix() / 60; s.minute != minute {
		s.minute, s.calls = minute, 0
	}
	s.calls++
	return s.calls > pace
}
