package notify

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Every target is reached through the proxy that it is given, private ones
// excepted. An address of this machine that stands in the place of a name is
// refused there, too: the proxy's machine has the same one.
func TestProxy(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	came := make(chan string, 100)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				came <- r.Method + " " + r.Host
			}
			_ = c.Close()
		}
	}()
	via := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	m := Message{ID: "msg_1", Time: time.Unix(0, 0), Notices: []Notice{{Kind: "test", Text: "x"}}}
	targets := func(host string, private bool) map[string]func(context.Context) error {
		return map[string]func(context.Context) error{
			"telegram": func(ctx context.Context) error {
				return Telegram{API: "https://" + host, Token: "123456:AAexampleexampleexample_-", Chat: "1", Private: private, Proxy: via}.Send(ctx, m)
			},
			"slack": func(ctx context.Context) error {
				return Slack{URL: "https://" + host + "/x", Private: private, Proxy: via}.Send(ctx, m)
			},
			"webhook": func(ctx context.Context) error {
				return Webhook{URL: "https://" + host + "/x", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Private: private, Proxy: via}.Send(ctx, m)
			},
			"alive": func(ctx context.Context) error {
				return Alive{URL: "https://" + host + "/x", Private: private, Proxy: via}.Knock(ctx)
			},
		}
	}
	for name, send := range targets("target.invalid", false) {
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error, 1)
		go func() { sent <- send(ctx) }()
		select {
		case got := <-came:
			if got != "CONNECT target.invalid:443" {
				t.Errorf("%s: the proxy was asked for %s", name, got)
			}
		case err := <-sent:
			t.Errorf("%s went past the proxy: %v", name, err)
		}
		cancel()
	}
	for _, host := range []string{"127.0.0.1:1", "10.0.0.7", "[::1]", "169.254.169.254", "[::ffff:192.168.0.1]"} {
		for name, send := range targets(host, false) {
			if err := send(t.Context()); !errors.Is(err, ErrAddress) {
				t.Errorf("%s to %s: %v", name, host, err)
			}
		}
	}
	for name, send := range targets("127.0.0.1:1", true) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := send(ctx); !errors.Is(err, ErrTarget) {
			t.Errorf("%s, private: %v", name, err)
		}
		cancel()
	}
	if len(came) > 0 {
		t.Errorf("the proxy was asked for %s", <-came)
	}
}
