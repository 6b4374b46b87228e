package fragment_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

const (
	payer     = "0:5d632e570ca26968e51253c25f239c30dd7dd85cec48104163ea150f488f22cf"
	collector = "UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz"
	stars50   = "te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNrcEo1NWgzQlc="
	premium3  = "te6ccgEBAgEANgABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAzIG1vbnRocyAKClJlZgEAFCMzcFdKdGJkYnU"
	topup     = "te6ccgEBAgEAMAABTgAAAABUZWxlZ3JhbSBhY2NvdW50IHRvcCB1cCAKClJlZiNrMXpDRQEACFkxd3g"
)

// site is a small fragment.com: a page with a hash, and an answer for each
// method, which a test may replace. A slice of answers is given one by one,
// the last one for ever.
type site struct {
	*httptest.Server
	mu      sync.Mutex
	hash    string
	answers map[string][]string
	status  map[string][]int // of HTTP, before the answers
	calls   []string         // methods and pages, in order
	forms   map[string]url.Values
}

func link(amount, payload string) string {
	return fmt.Sprintf(`{"ok":true,"transaction":{"validUntil":1790552821,"from":%q,
		"messages":[{"address":%q,"amount":%q,"payload":%q}]},
		"confirm_method":"confirmReq","confirm_params":{"id":"REQ_ID"}}`, payer, collector, amount, payload)
}

const found = `{"ok":true,"found":{"myself":false,"recipient":"tok_EN-1",` +
	`"photo":"<img src=\"https://cdn4.cdn-telegram.org/a.jpg\" />","name":"Jane &amp; Co"}}`

func newSite() *site {
	s := &site{hash: "0123456789abcdef01", status: map[string][]int{}, forms: map[string]url.Values{}, answers: map[string][]string{
		"searchStarsRecipient":       {found},
		"searchPremiumGiftRecipient": {found},
		"searchAdsTopupRecipient":    {found},
		"updateStarsBuyState":        {`{"ok":true,"mode":"new","need_update":false,"lv":7,"dh":12}`},
		"updatePremiumState":         {`{"ok":true,"mode":"new","need_update":false}`},
		"updateAdsTopupState":        {`{"ok":true,"mode":"new","need_update":false}`},
		"updateStarsPrices": {`{"ok":true,"cur_price":"<div class=\"tm-value icon-before icon-ton\">44<span class=\"mini-frac\">.6172</span></div>` +
			`<div class=\"tm-radio-desc wide-only\">&#036;75.75</div>","dh":1648884528}`},
		"initBuyStarsRequest":    {`{"req_id":"REQ_ID","myself":true,"to_bot":false,"amount":"0.4609"}`},
		"initGiftPremiumRequest": {`{"req_id":"REQ_ID","amount":"1,012.5"}`},
		"initAdsTopupRequest":    {`{"ok":true,"req_id":"REQ_ID"}`},
		"getBuyStarsLink":        {link("460900000", stars50)},
		"getGiftPremiumLink":     {link("1012500000000", premium3)},
		"getAdsTopupLink":        {link("25000000000", topup)},
		"confirmReq":             {`{"ok":true}`},
	}}
	s.Server = httptest.NewServer(s)
	return s
}

func serve(t *testing.T) *site {
	s := newSite()
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	name := r.PostForm.Get("method")
	if r.Method == http.MethodGet {
		name = "GET " + r.URL.RequestURI()
	}
	s.calls = append(s.calls, name)
	s.forms[name] = r.PostForm
	if q := s.status[name]; len(q) > 0 {
		s.status[name] = q[1:]
		w.WriteHeader(q[0])
		return
	}
	switch {
	case r.Method == http.MethodGet && r.Header.Get("X-Requested-With") == "XMLHttpRequest":
		if a := s.answers[name]; a != nil {
			fmt.Fprint(w, a[0])
		} else {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	case r.Method == http.MethodGet:
		if a := s.answers[name]; a != nil {
			fmt.Fprint(w, a[0])
		}
		fmt.Fprintf(w, `<script>ajInit({"version":505,"apiUrl":"\/api?hash=%s","unauth":true});</script>`, s.hash)
	case r.URL.Query().Get("hash") != s.hash || r.Header.Get("X-Requested-With") != "XMLHttpRequest":
		fmt.Fprint(w, `{"error":"Bad request"}`)
	case s.answers[name] == nil:
		fmt.Fprint(w, `{"error":"Invalid method"}`)
	default:
		fmt.Fprint(w, s.answers[name][0])
		if len(s.answers[name]) > 1 {
			s.answers[name] = s.answers[name][1:]
		}
	}
}

func (s *site) count(call string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (s *site) client() *fragment.Client {
	return &fragment.Client{
		BaseURL:    s.URL,
		Cookie:     fragment.SecretOf("stel_ssid=canary-of-the-session; stel_ton_token=canary-of-the-wallet"),
		Wallet:     fragment.Account{Address: ton.MustParseAddress(payer)},
		RetryPause: time.Microsecond,
	}
}

func (s *site) story() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.calls, "\n")
}
