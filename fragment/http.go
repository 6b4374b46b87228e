package fragment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Bounds of one call.
const (
	maxBody    = 1 << 20 // bytes of an answer, after decompression
	maxTries   = 4
	maxElapsed = 45 * time.Second
	maxHold    = 2 * time.Minute // longest Retry-After that is heeded
	timeout    = 30 * time.Second
)

// request is one call of an API method.
type request struct {
	page     string // on which the method is used; the hash is taken from there
	method   string
	form     url.Values
	class    class
	harmless bool // doing it twice does no more than doing it once
}

// call sends a request and decodes its answer into out. A hash that is no
// longer accepted is renewed, once. Harmless calls are repeated when the
// service is busy or away; no other call ever is.
func (c *Client) call(ctx context.Context, r request, out any) error {
	hash, err := c.hash(ctx, r, "")
	if err != nil {
		return err
	}
	renewed := false
	once := func() error {
		err := c.post(ctx, r, hash, out)
		if renewed || !stale(err) {
			return err
		}
		// The server refused before it did anything, so this holds for
		// calls that may not be repeated too.
		renewed = true
		fresh, pageErr := c.hash(ctx, r, hash)
		if pageErr != nil {
			return errors.Join(err, pageErr)
		}
		hash = fresh
		return c.post(ctx, r, hash, out)
	}
	if !r.harmless {
		return once()
	}
	return c.repeat(ctx, once)
}

// repeat does what may be done again until it succeeds or will not.
func (c *Client) repeat(ctx context.Context, do func() error) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = time.Second
	if c.RetryPause > 0 {
		pause.InitialInterval = c.RetryPause
	}
	pause.Multiplier = 2
	var last error
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		if last = do(); last != nil && !passing(ctx, last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(maxElapsed))
	if err := ctx.Err(); err != nil && last != nil && !errors.Is(last, err) {
		return fmt.Errorf("%w, after: %w", err, last)
	}
	return last // the server's last word, not the repeater's
}

// passing reports whether the same call may succeed in a moment. A message in
// the server's words is its decision, even if it speaks of limits.
func passing(ctx context.Context, err error) bool {
	var e *Error
	if !errors.As(err, &e) || ctx.Err() != nil {
		return false
	}
	return e.Kind == ErrUnreachable || e.Status == http.StatusTooManyRequests || e.Kind == ErrUnavailable
}

// stale reports whether an answer may be due to an old hash or to one from
// another page.
func stale(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Kind == ErrBadRequest && !strings.Contains(strings.ToLower(e.Message), "method") ||
		e.Status == http.StatusUnauthorized ||
		e.Kind == ErrLoggedOut && strings.Contains(strings.ToLower(e.Message), "expired")
}

// post sends one form and judges the answer.
func (c *Client) post(ctx context.Context, r request, hash string, out any) error {
	form := url.Values{}
	for k, v := range r.form {
		form[k] = v
	}
	form.Set("method", r.method)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		c.base()+"/api?hash="+url.QueryEscape(hash), strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("fragment %s: the base URL is not one", r.method) // the cause would print the hash
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("Accept", "application/json, text/javascript, */*; q=0.01")
	req.Header.Set("X-Requested-With", "XMLHttpRequest")
	req.Header.Set("Origin", c.base())
	req.Header.Set("Referer", c.base()+r.page)
	status, body, err := c.send(req, r.method, r.class)
	if err != nil {
		return err
	}
	var v struct {
		Error      loose `json:"error"`
		NeedTON    loose `json:"need_ton"`
		NeedVerify loose `json:"need_verify"`
		Popup      loose `json:"popup"`
	}
	fail := &Error{Method: r.method, Status: status}
	if err := json.Unmarshal(body, &v); err != nil {
		fail.Kind, fail.Cause = ErrBadAnswer, errors.New("no JSON in it")
		switch {
		case challenge(body):
			fail.Kind, fail.Cause = ErrBlocked, nil
		case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
			fail.Cause = errors.New("a web page came instead")
		}
		return fail
	}
	if err := strict(body); err != nil {
		fail.Kind, fail.Cause = ErrBadAnswer, err
		return fail
	}
	fail.Message = words(string(v.Error))
	switch {
	case v.NeedVerify.bool():
		fail.Kind = ErrVerification
		if fail.Message == "" {
			fail.Message = words(visible(string(v.Popup)))
		}
	case v.NeedTON.bool():
		fail.Kind = ErrNoWallet
	case v.Error != "":
		fail.Kind = meaning(fail.Message)
	default:
		if err := json.Unmarshal(body, out); err != nil {
			fail.Kind, fail.Cause = ErrBadAnswer, err
			return fail
		}
		return nil
	}
	return fail
}

// page loads a page of the site.
func (c *Client) page(ctx context.Context, path string, cl class) (body []byte, err error) {
	name, _, _ := strings.Cut(path, "?")
	err = c.repeat(ctx, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base()+path, nil)
		if err != nil {
			return fmt.Errorf("fragment GET %s: %w", name, err)
		}
		req.Header.Set("Accept", "text/html,application/xhtml+xml")
		var status int
		if status, body, err = c.send(req, "GET "+name, cl); err != nil {
			return err
		}
		if challenge(body) {
			return &Error{Method: "GET " + name, Status: status, Kind: ErrBlocked}
		}
		return nil
	})
	return body, err
}

// send waits for its turn, sends one request and reads one bounded answer.
// Only status 200 is no error.
func (c *Client) send(req *http.Request, method string, cl class) (status int, body []byte, err error) {
	if err := c.turns.wait(req.Context(), c.Pace, cl); err != nil {
		return 0, nil, fmt.Errorf("fragment %s: waiting for its turn: %w", method, err)
	}
	agent := c.UserAgent
	if agent == "" {
		agent = "Mozilla/5.0 (compatible; fragplan; +https://github.com/fragplan/fragplan)"
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Accept-Language", "en")
	if cookie := c.Cookie.reveal(); cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	resp, err := c.client().Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which holds the hash
		}
		fail := &Error{Method: method, Kind: ErrUnreachable, Cause: err}
		if errors.Is(err, errRedirect) {
			fail.Kind = ErrBadAnswer
		}
		return 0, nil, fail
	}
	defer resp.Body.Close()
	fail := &Error{Method: method, Status: resp.StatusCode}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		fail.Kind, fail.Cause = ErrUnreachable, err
		return 0, nil, fail
	case len(body) > maxBody:
		fail.Kind, fail.Cause = ErrBadAnswer, fmt.Errorf("more than %d bytes", maxBody)
		return 0, nil, fail
	case resp.StatusCode == http.StatusOK:
		return resp.StatusCode, body, nil
	}
	var v struct {
		Error loose `json:"error"`
	}
	if json.Unmarshal(body, &v) == nil {
		fail.Message = words(string(v.Error))
	}
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		fail.Kind = ErrRateLimited
		if n, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16); err == nil {
			fail.RetryAfter = min(time.Duration(n)*time.Second, maxHold)
			c.turns.hold(fail.RetryAfter)
		}
	case s >= 500 && resp.Header.Get("Cf-Mitigated") == "" && !challenge(body):
		fail.Kind = ErrUnavailable
	case fail.Message != "":
		fail.Kind = meaning(fail.Message)
	case s == http.StatusForbidden || resp.Header.Get("Cf-Mitigated") != "" || challenge(body):
		fail.Kind = ErrBlocked
	case s == http.StatusUnauthorized:
		fail.Kind = ErrLoggedOut
	default:
		fail.Kind = ErrBadAnswer
	}
	return 0, nil, fail
}

// challenge reports whether a page is that of the guard before the site.
func challenge(body []byte) bool {
	return bytes.Contains(body, []byte("<title>Just a moment...</title>")) ||
		bytes.Contains(body, []byte("/cdn-cgi/challenge-platform/")) && !bytes.Contains(body, []byte("ajInit("))
}
