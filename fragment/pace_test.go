package fragment_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// piped serves a site over pipes in memory, so that time is the bubble's.
func piped(s *site) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				req, err := http.ReadRequest(bufio.NewReader(far))
				if err != nil {
					return
				}
				var body strings.Builder
				s.ServeHTTP(recorder{&body}, req)
				_ = (&http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(body.Len()),
					Body: io.NopCloser(strings.NewReader(body.String()))}).Write(far)
			}()
			return near, nil
		},
	}}
}

type recorder struct{ io.Writer }

func (recorder) Header() http.Header { return http.Header{} }
func (recorder) WriteHeader(int)     {}

// Calls keep their pace, and while they wait a confirmation goes before
// everything and an order before a mere look, whoever came first.
func TestPace(t *testing.T) {
	s := newSite()
	s.Close() // answers come over pipes
	synctest.Test(t, func(t *testing.T) {
		c := s.client()
		c.BaseURL, c.HTTP, c.Hash, c.Pace = "http://fragment.test", piped(s), fragment.SecretOf(s.hash), time.Second
		look := func(p fragment.Product) {
			if _, err := c.Search(t.Context(), p, "jane", 3+47*boolInt(p == fragment.Stars)); err != nil {
				t.Error(err)
			}
		}
		look(fragment.Stars) // takes the turn at once
		start := time.Now()
		var all sync.WaitGroup
		all.Go(func() { look(fragment.Premium) })
		synctest.Wait()
		all.Go(func() {
			if _, err := c.Buy(t.Context(), fragment.TopUp, "jane", 25); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			p := fragment.Purchase{Product: fragment.Stars, ConfirmMethod: "confirmReq", ConfirmParams: map[string]string{"id": "x"}}
			if err := c.Confirm(t.Context(), p, ton.BoC{1}); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		want := strings.Join([]string{"searchStarsRecipient", "confirmReq", "updateAdsTopupState",
			"searchPremiumGiftRecipient", "searchAdsTopupRecipient", "updateAdsTopupState", "initAdsTopupRequest", "getAdsTopupLink"}, "\n")
		if d := cmp.Diff(want, s.story()); d != "" {
			t.Error(d)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("seven more calls took %v", took)
		}
		start = time.Now()
		if _, err := func() (fragment.Recipient, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			return c.Search(ctx, fragment.Stars, "jane", 50)
		}(); err == nil {
			t.Error("a call that gave up waiting was sent")
		}
		look(fragment.Stars)
		if took := time.Since(start); took != time.Second {
			t.Errorf("one that gave up waiting held the next back: %v", took)
		}
	})
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
