package fragment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/fragment"
)

// No way of printing shows a secret.
func TestSecret(t *testing.T) {
	s := fragment.SecretOf("s3cret")
	c := fragment.Credentials{Cookie: s, Hash: s}
	hidden := struct {
		inner struct{ secret fragment.Secret }
	}{struct{ secret fragment.Secret }{s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T"} {
		for _, v := range []any{s, c, &c, hidden, &hidden, []any{hidden}, map[string]any{"a": hidden}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, v := range []any{s, c} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	session := &fragment.Client{Cookie: s, Hash: s, BaseURL: serve(t).URL}
	session.Hash = fragment.Secret{}
	if _, err := session.Search(t.Context(), fragment.Stars, "jane", 50); err != nil {
		t.Error(err) // so that it holds a hash from the page
	}
	fmt.Fprintf(&out, "%v %+v %#v\n", session, session, session)
	slog.New(slog.NewTextHandler(&out, nil)).Info("session", "cookie", s, "all", c, "client", session, "hidden", hidden)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("session", "cookie", s, "all", c, "hidden", hidden)
	for _, leak := range []string{"s3cret", "733363726574", "0123456789abcdef01"} {
		if strings.Contains(strings.ToLower(out.String()), leak) {
			t.Errorf("%s in %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "redacted") {
		t.Error(out.String())
	}
}

// The environment gives a cookie, with or without the header's name.
func TestFromEnv(t *testing.T) {
	env := map[string]string{"FRAGMENT_COOKIE": " Cookie: " + wholeCookie + "\n", "FRAGMENT_HASH": "ab12 "}
	c, err := fragment.FromEnv(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	var cookie, hash string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, hash = r.Header.Get("Cookie"), r.FormValue("hash")
	}))
	defer site.Close()
	session := &fragment.Client{BaseURL: site.URL, Cookie: c.Cookie, Hash: c.Hash}
	_, _ = session.Search(t.Context(), fragment.Stars, "jane", 50)
	if cookie != wholeCookie || hash != "ab12" {
		t.Errorf("sent %q, %q", cookie, hash)
	}
	for bad, want := range map[string]error{"": fragment.ErrNoCredentials, " ": fragment.ErrNoCredentials, "a=1\r\nHost: x": fragment.ErrCookies} {
		if _, err := fragment.FromEnv(func(string) string { return bad }); !errors.Is(err, want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
