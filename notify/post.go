package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// Errors of a target.
var (
	ErrTarget  = errors.New("the target did not take the message")
	ErrAddress = errors.New("the target's address may not be used")
)

const (
	attempts  = 4
	timeout   = 10 * time.Second // of one attempt
	longest   = 30 * time.Second // that a target may have us wait
	maxAnswer = 64 << 10
)

// poster makes calls to one target. Addresses of this machine and of private
// networks are refused when they are dialled, whatever the name resolved to a
// moment before: a name in YAML must not reach what only this machine can.
type poster struct {
	private bool          // private addresses, and http, are meant
	proxy   *url.URL      // nil for none
	pause   time.Duration // before the second attempt; doubled after
}

// post sends a body until it is taken, or refused for good. Nothing of the URL
// appears in an error: it may hold a secret.
func (p poster) post(ctx context.Context, to string, header map[string]string, body []byte) error {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(p.private && u.Scheme == "http") {
		return fmt.Errorf("%w: it must begin with https://", ErrAddress)
	}
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: timeout, Control: p.control}).DialContext, DisableKeepAlives: true}
	if p.proxy != nil && !p.private {
		// Names are resolved by the proxy, which sees what it dials; here only an
		// address that stands in the place of a name can be judged.
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !p.allows(ip) {
			return fmt.Errorf("%w: %w", ErrAddress, errInside)
		}
		transport.Proxy = http.ProxyURL(p.proxy)
		transport.DialContext = (&net.Dialer{Timeout: timeout}).DialContext
	}
	client := http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     transport,
	}
	pause := p.pause
	for n := 1; ; n++ {
		wait, err := p.once(ctx, &client, to, header, body)
		if err == nil || wait < 0 || n == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(max(pause, wait)):
		}
		pause *= 2
	}
}

// once makes one attempt. wait is how long the target asks to wait before
// another, and negative if another would come to the same.
func (p poster) once(ctx context.Context, client *http.Client, to string, header map[string]string, body []byte) (wait time.Duration, err error) {
	method, content := http.MethodPost, io.Reader(bytes.NewReader(body))
	if body == nil {
		method, content = http.MethodGet, nil
	}
	r, err := http.NewRequestWithContext(ctx, method, to, content)
	if err != nil {
		return -1, ErrAddress
	}
	r.Header.Set("User-Agent", "fragplan")
	if body != nil {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		var inner *url.Error // its text has the URL
		if errors.As(err, &inner) {
			err = inner.Err
		}
		if errors.Is(err, ErrAddress) {
			return -1, err
		}
		return 0, fmt.Errorf("%w: %w", ErrTarget, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch code := resp.StatusCode; {
	case err != nil:
		return 0, fmt.Errorf("%w: its answer broke off: %w", ErrTarget, err)
	case code/100 == 2:
		return 0, nil
	case code == http.StatusTooManyRequests || code/100 == 5:
		return retryAfter(resp, answer), &statusError{code, answer}
	default:
		return -1, &statusError{code, answer}
	}
}

// statusError is an answer that is no success.
type statusError struct {
	code   int
	answer []byte
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%v: %d %s", ErrTarget, e.code, http.StatusText(e.code))
}

func (e *statusError) Unwrap() error { return ErrTarget }

// retryAfter is how long the target asks to wait: in the header, or as
// Telegram does in the answer.
func retryAfter(resp *http.Response, answer []byte) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil {
		seconds = telegramRetry(answer)
	}
	return min(max(time.Duration(seconds)*time.Second, 0), longest)
}

// control sees the address that is about to be dialled.
func (p poster) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrAddress, address)
	}
	if !p.allows(at.Addr()) {
		return fmt.Errorf("%w: %w", ErrAddress, errInside)
	}
	return nil
}

var errInside = errors.New("it is of this machine or of a private network (say private: true if that is meant)")

func (p poster) allows(ip netip.Addr) bool {
	ip = ip.Unmap()
	return p.private || ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared.Contains(ip)
}

// shared is where providers keep customers behind one address (RFC 6598); some
// clouds keep their metadata there.
var shared = netip.MustParsePrefix("100.64.0.0/10")
