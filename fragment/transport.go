package fragment

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

func (c *Client) base() string {
	if c.BaseURL == "" {
		return "https://fragment.com"
	}
	return strings.TrimSuffix(c.BaseURL, "/")
}

func (c *Client) client() *http.Client {
	c.once.Do(func() {
		c.http = &http.Client{
			Timeout: timeout,
			Transport: &http.Transport{
				// A variable of the environment must not decide where the
				// session goes.
				Proxy:                  http.ProxyURL(c.Proxy),
				DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
				TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    10 * time.Second,
				IdleConnTimeout:        90 * time.Second,
				ForceAttemptHTTP2:      true,
				MaxResponseHeaderBytes: 64 << 10,
			},
		}
		if c.HTTP != nil {
			own := *c.HTTP
			c.http = &own
		}
		c.http.CheckRedirect = sameHost
	})
	return c.http
}

var errRedirect = errors.New("redirected")

// sameHost follows a few redirects of pages within the site. The answer to a
// form is never one, and what a script asks for is that page or none.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet || first.Header.Get("X-Requested-With") != "":
		return http.ErrUseLastResponse
	case req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme:
		return fmt.Errorf("%w to another host", errRedirect)
	case len(via) > 3:
		return fmt.Errorf("%w too often", errRedirect)
	}
	return nil
}
