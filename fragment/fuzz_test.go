package fragment_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// voice answers every request in its own words, without a network.
type voice func(*http.Request) string

func (v voice) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(v(r))), Request: r}, nil
}

func (v voice) client() *fragment.Client {
	return &fragment.Client{
		BaseURL: "http://fragment.test", Cookie: fragment.SecretOf("stel_ssid=1"), Hash: fragment.SecretOf("abcdef"),
		HTTP: &http.Client{Transport: v}, RetryPause: time.Nanosecond, Wallet: fragment.Account{Address: ton.MustParseAddress(payer)},
	}
}

// kinds are all that a call may fail with.
var kinds = []error{
	fragment.ErrNoRecipient, fragment.ErrNotEligible, fragment.ErrAlreadyPremium, fragment.ErrQuantity, fragment.ErrPriceChanged, fragment.ErrOrderNotFound,
	fragment.ErrInvoice, fragment.ErrRefused, fragment.ErrLoggedOut, fragment.ErrVerification, fragment.ErrNoWallet, fragment.ErrOtherWallet,
	fragment.ErrRateLimited, fragment.ErrBlocked, fragment.ErrUnavailable, fragment.ErrUnreachable, fragment.ErrBadRequest, fragment.ErrBadAnswer,
}

// typed: the error is one that a caller can tell from others, of bounded length,
// and gives no part of the session away.
func typed(t *testing.T, err error) {
	t.Helper()
	var e *fragment.Error
	if !errors.As(err, &e) || e.Kind == nil || len(e.Message) > 300 {
		t.Fatalf("%T: %v", err, err)
	}
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Fatalf("%v is of no kind", err)
}

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// Whatever the service answers to an order, what comes out of it is an error of
// a kind, or an offer that agrees with itself: it is paid with just what was
// named, from the connected wallet, and its comment ends in its ref.
func FuzzAnswersToAnOrder(f *testing.F) {
	f.Add(found, `{"req_id":"REQ_ID","amount":"0.4609"}`, link("460900000", stars50))
	f.Add(`{"ok":true,"found":{"recipient":"t","name":"&lt;b&gt;","photo":"<img src=//x>"}}`, `{"req_id":7,"amount":0.4609}`, link("460900000", premium3))
	f.Add(`{"error":"No Telegram users found."}`, `{"need_ton":true}`, `{"need_verify":true,"popup":"<html>"}`)
	f.Add(found, `{"error":"Price was changed. Please try again."}`, `{"ok":true,"transaction":{"messages":[]}}`)
	f.Add(`{"ok":true,"found":null}`, `{"req_id":{},"amount":[]}`, `{"ok":true,"transaction":{"messages":[{},{}]}}`)
	f.Add(`<html>`, ``, `[]`)
	f.Fuzz(func(t *testing.T, search, init, link string) {
		c := voice(func(r *http.Request) string {
			switch method := r.PostForm.Get("method"); {
			case strings.HasPrefix(method, "search"):
				return search
			case strings.HasPrefix(method, "init"):
				return init
			case strings.HasPrefix(method, "get"):
				return link
			case r.Method == http.MethodGet:
				return `ajInit({"apiUrl":"\/api?hash=0123456789abcdef01"});`
			}
			return `{"ok":true}`
		}).client()
		p, err := c.Buy(t.Context(), fragment.Stars, "jane", 50)
		if err != nil {
			typed(t, err)
			return
		}
		comment, err := fragment.Comment(p.Transfer.Body)
		switch {
		case err != nil || comment != p.Comment || fragment.RefID(comment) != p.Ref || p.Ref == "":
			t.Fatalf("comment %q, ref %q, body %q, %v", p.Comment, p.Ref, comment, err)
		case p.Transfer.Amount <= 0 || p.From != c.Wallet.Address || p.ValidUntil == 0 && !strings.Contains(link, `"validUntil"`):
			t.Fatalf("%+v", p)
		case !tokenForm.MatchString(p.RequestID) || !tokenForm.MatchString(p.Recipient.Token) || len(p.Recipient.Name) > 512:
			t.Fatalf("%+v", p)
		case p.Recipient.Photo != "" && !strings.HasPrefix(p.Recipient.Photo, "http"):
			t.Fatalf("photo %q", p.Recipient.Photo)
		}
		if err := c.Confirm(t.Context(), p, ton.BoC("signed")); err != nil {
			typed(t, err)
		}
	})
}

// Whatever a page holds, a price out of it is a positive amount, or there is an
// error of a kind.
func FuzzPages(f *testing.F) {
	const radio = `<div class="tm-form-radio-item"><input type="radio" name="months" value="3"/><div class="tm-radio-label">3 months</div><div class="tm-value icon-ton">7.2<span>1</span></div></div>`
	f.Add(`ajInit({"apiUrl":"\/api?hash=0123456789abcdef01"});`+radio, `{"ok":true,"cur_price":"<div class=\"tm-value icon-ton\">44<span>.6172</span></div>"}`)
	f.Add(`<html><title>Just a moment...</title>`, `{"ok":true,"cur_price":"<div class=\"icon-ton\">1,2,3</div>"}`)
	f.Add(strings.Repeat("<div>", 600)+radio, `{"cur_price":7}`)
	f.Add(`/api?hash=`, `{"error":"<b>Bad request</b>"}`)
	f.Fuzz(func(t *testing.T, page, prices string) {
		c := voice(func(r *http.Request) string {
			if r.Method == http.MethodGet {
				return page
			}
			return prices
		}).client()
		c.Hash = fragment.Secret{}
		for p, n := range map[fragment.Product]int64{fragment.Stars: 50, fragment.Premium: 3} {
			price, err := c.Price(t.Context(), p, n)
			if err != nil {
				typed(t, err)
			} else if price <= 0 {
				t.Fatalf("%s for %v", p, price)
			}
		}
	})
}
