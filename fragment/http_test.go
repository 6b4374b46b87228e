package fragment_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// The meaning of an answer is read from its words, and ok beside an error says
// nothing.
func TestMeaning(t *testing.T) {
	for message, want := range map[string]error{
		"No Telegram users found.":                                          fragment.ErrNoRecipient,
		"Please enter a username assigned to a user.":                       fragment.ErrNoRecipient,
		"You can&#39;t gift Telegram Stars to this account at this moment.": fragment.ErrNotEligible,
		"You can’t gift Telegram Premium to this account.":                  fragment.ErrNotEligible,
		"This account is already subscribed to Telegram Premium.":           fragment.ErrAlreadyPremium,
		"Price was changed. Please try again.":                              fragment.ErrPriceChanged,
		"The price has CHANGED":                                             fragment.ErrPriceChanged,
		"Access denied":                                                     fragment.ErrLoggedOut,
		"Session expired. Please reconnect your wallet":                     fragment.ErrLoggedOut,
		"AUTH_SESSION_EXPIRED":                                              fragment.ErrLoggedOut,
		"Minimum for this recipient is 100 stars":                           fragment.ErrQuantity,
		"Amount is invalid":                                                 fragment.ErrQuantity,
		"Please verify your identity":                                       fragment.ErrVerification,
		"Please connect your wallet":                                        fragment.ErrNoWallet,
		"Too many requests":                                                 fragment.ErrRateLimited,
		"Bad request":                                                       fragment.ErrBadRequest,
		"Invalid method":                                                    fragment.ErrBadRequest,
		"Something nobody has seen":                                         fragment.ErrRefused,
	} {
		s := serve(t)
		s.answers["searchStarsRecipient"] = []string{fmt.Sprintf(`{"ok":true,"error":%q}`, message)}
		_, err := s.client().Search(t.Context(), fragment.Stars, "jane", 50)
		var e *fragment.Error
		if !errors.Is(err, want) || !errors.As(err, &e) || strings.Contains(e.Message, "&#") {
			t.Errorf("%s: got %v", message, err)
		}
	}
}

// Answers that aren't the API's are errors of a kind, never a success.
func TestBadAnswer(t *testing.T) {
	for answer, want := range map[string]error{
		"<html>hello</html>": fragment.ErrBadAnswer,
		"<html><head><title>Just a moment...</title></head></html>": fragment.ErrBlocked,
		"":                          fragment.ErrBadAnswer,
		"[]":                        fragment.ErrBadAnswer,
		"null":                      fragment.ErrBadAnswer,
		`{"ok":true}`:               fragment.ErrBadAnswer,
		`{"ok":true,"found":false}`: fragment.ErrBadAnswer,
		`{"ok":true,"found":[]}`:    fragment.ErrBadAnswer,
		`{"ok":true,"found":{"recipient":"a b"}}`:                                           fragment.ErrBadAnswer,
		`{"ok":true,"found":{"recipient":"x","name":"` + strings.Repeat("x", 2<<20) + `"}}`: fragment.ErrBadAnswer,
	} {
		s := serve(t)
		s.answers["searchStarsRecipient"] = []string{answer}
		if got, err := s.client().Search(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, want) {
			t.Errorf("%.60s: got %v, %v", answer, got, err)
		}
	}
}

// The server's words in an error are bounded, on one line and quoted.
func TestHostileWords(t *testing.T) {
	s := serve(t)
	s.answers["searchStarsRecipient"] = []string{`{"error":"a\n\u001b[31m` + strings.Repeat("é", 100_000) + `"}`}
	_, err := s.client().Search(t.Context(), fragment.Stars, "jane", 50)
	if text := err.Error(); len(text) > 1000 || strings.ContainsAny(text, "\n\x1b") {
		t.Errorf("%d bytes: %.100q", len(text), text)
	}
}

// A hash is taken from the method's own page, kept, and renewed once.
func TestHash(t *testing.T) {
	s := serve(t)
	c := s.client()
	search := func() error {
		_, err := c.Search(t.Context(), fragment.Stars, "jane", 50)
		return err
	}
	for range 3 {
		if err := search(); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.count("GET /stars/buy"); n != 1 {
		t.Errorf("the page was loaded %d times", n)
	}
	s.hash = "fedcba987654321001"
	if err := search(); err != nil {
		t.Fatal(err)
	}
	if n := s.count("GET /stars/buy"); n != 2 {
		t.Errorf("the page was loaded %d times", n)
	}
	s.answers["searchStarsRecipient"] = []string{`{"error":"Bad request"}`}
	before := s.count("searchStarsRecipient")
	if err := search(); !errors.Is(err, fragment.ErrBadRequest) {
		t.Errorf("got %v", err)
	}
	if n := s.count("searchStarsRecipient") - before; n != 2 {
		t.Errorf("sent %d times, want once more with a fresh hash", n)
	}
	given := s.client()
	given.Hash = fragment.SecretOf("00ff") // old
	if _, err := given.Buy(t.Context(), fragment.TopUp, "jane", 25); err != nil {
		t.Error(err)
	}
	if n := s.count("GET /ads/topup"); n != 1 {
		t.Errorf("the page was loaded %d times", n)
	}
}

// Harmless calls are repeated while the service is busy, a bounded number of
// times; a link is asked once; a block is no reason to try again.
func TestRepeat(t *testing.T) {
	s := serve(t)
	c := s.client()
	c.HTTP = &http.Client{Timeout: time.Minute}
	for _, m := range []string{"searchStarsRecipient", "updateStarsBuyState", "initBuyStarsRequest", "GET /stars/buy"} {
		s.status[m] = []int{429, 503, 500}
	}
	if _, err := c.Buy(t.Context(), fragment.Stars, "jane", 50); err != nil {
		t.Fatal(err)
	}
	s.status["getBuyStarsLink"] = []int{503}
	if _, err := c.Buy(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrUnavailable) {
		t.Errorf("link: %v", err)
	}
	s.status["searchStarsRecipient"] = []int{502, 502, 502, 502, 502, 502}
	before := s.count("searchStarsRecipient")
	_, err := c.Search(t.Context(), fragment.Stars, "jane", 50)
	var e *fragment.Error
	if n := s.count("searchStarsRecipient") - before; n != 4 || !errors.As(err, &e) || e.Status != 502 {
		t.Errorf("%d tries: %v", n, err)
	}
	s.status["searchStarsRecipient"] = []int{403, 403}
	if _, err := c.Search(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrBlocked) || len(s.status["searchStarsRecipient"]) != 1 {
		t.Errorf("block: %v", err)
	}
	s.status["searchStarsRecipient"] = []int{429, 429, 429, 429}
	if _, err := c.Search(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrRateLimited) {
		t.Errorf("limit: %v", err)
	}
	fresh := s.client()
	before = s.count("GET /stars/buy")
	s.status["GET /stars/buy"] = []int{503, 503, 503, 503, 503, 503, 503, 503}
	if _, err := fresh.Search(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrUnavailable) {
		t.Errorf("page: %v", err)
	}
	if n := s.count("GET /stars/buy") - before; n != 4 {
		t.Errorf("the page was tried %d times", n)
	}
	s.status["confirmReq"] = []int{401}
	p := fragment.Purchase{Product: fragment.Premium, ConfirmMethod: "confirmReq"}
	if err := c.Confirm(t.Context(), p, ton.BoC{1}); err != nil {
		t.Errorf("a hash that expired: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Search(ctx, fragment.Stars, "jane", 50); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// An answer that is lost half way is asked for again, unless it is a link's.
func TestLostAnswer(t *testing.T) {
	s := serve(t)
	lost := map[string]int{"initBuyStarsRequest": 2}
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m := r.FormValue("method"); lost[m] > 0 {
			lost[m]--
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	})
	c := s.client()
	if _, err := c.Buy(t.Context(), fragment.Stars, "jane", 50); err != nil {
		t.Error(err)
	}
	lost["getBuyStarsLink"] = 1
	if _, err := c.Buy(t.Context(), fragment.Stars, "jane", 50); !errors.Is(err, fragment.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// The session goes to no other host, and errors show neither cookie nor hash.
func TestSecrecy(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/stolen", http.StatusTemporaryRedirect)
	}))
	defer site.Close()
	c := &fragment.Client{BaseURL: site.URL, Cookie: fragment.SecretOf("s3cret"), RetryPause: 1}
	_, err1 := c.Price(t.Context(), fragment.Premium, 3)
	c.Hash = fragment.SecretOf("4a5h")
	_, err2 := c.Search(t.Context(), fragment.Stars, "jane", 50)
	site.Close()
	err3 := c.Confirm(t.Context(), fragment.Purchase{Product: fragment.Stars, ConfirmMethod: "confirmReq"}, ton.BoC{1})
	for _, err := range []error{err1, err2, err3} {
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "4a5h") {
			t.Errorf("got %v", err)
		}
	}
	if reached {
		t.Error("another host was called")
	}
}

// Pages may redirect within the site, a few times. Nothing follows to another
// host or scheme, no form follows at all, and a caller's own client changes
// none of it.
func TestRedirects(t *testing.T) {
	var others atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { others.Add(1) }))
	defer other.Close()
	own := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	for _, test := range []struct {
		name, to string // "" for round in circles
		form     bool
		want     error
	}{
		{name: "a page within the site", to: "/premium/gift?again"},
		{name: "a page to another host", to: other.URL + "/stolen", want: fragment.ErrBadAnswer},
		{name: "a page to another scheme", to: "https" + strings.TrimPrefix(other.URL, "http") + "/stolen", want: fragment.ErrBadAnswer},
		{name: "a page in circles", want: fragment.ErrBadAnswer},
		{name: "a form within the site", form: true, to: "/api?again", want: fragment.ErrBadAnswer},
		{name: "a form to another host", form: true, to: other.URL + "/stolen", want: fragment.ErrBadAnswer},
	} {
		for _, client := range []*http.Client{nil, own} {
			s := serve(t)
			inner, again := s.Config.Handler, 0
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case (r.Method == http.MethodPost) != test.form:
					inner.ServeHTTP(w, r)
				case test.to == "":
					http.Redirect(w, r, r.URL.Path+"?round", http.StatusTemporaryRedirect)
				case strings.HasSuffix(r.URL.RawQuery, "again"):
					again++
					inner.ServeHTTP(w, r)
				default:
					http.Redirect(w, r, test.to, http.StatusTemporaryRedirect)
				}
			})
			c := s.client()
			c.HTTP = client
			_, err := c.Search(t.Context(), fragment.Premium, "jane", 3)
			if !errors.Is(err, test.want) || test.form && again > 0 {
				t.Errorf("%s: got %v, want %v; the form went on %d times", test.name, err, test.want, again)
			}
		}
	}
	if n := others.Load(); n > 0 {
		t.Errorf("the other host was called %d times", n)
	}
}
