package fragment_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/fragment"
)

const wholeCookie = "stel_ssid=0a1b_2; stel_dt=-180; stel_token=LoginS3cret; stel_ton_token=WalletS3cret"

// header is the Cookie header that a client with these credentials sends.
func header(t testing.TB, c fragment.Credentials) (sent string) {
	t.Helper()
	client := &fragment.Client{Cookie: c.Cookie, HTTP: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		sent = r.Header.Get("Cookie")
		return httptest.NewRecorder().Result(), nil
	})}}
	_, _ = client.Price(t.Context(), fragment.Premium, 3)
	return sent
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// Whatever way people have their cookies in, the same four are sent, and none
// of another site.
func TestParseCookies(t *testing.T) {
	const expiry = 1_790_000_000
	for name, c := range map[string]struct {
		text    string
		expires int64
	}{
		"header":             {wholeCookie, 0},
		"header with name":   {" Cookie: _ga=GA1.2; " + wholeCookie + ";\n", 0},
		"another order":      {"stel_ton_token=WalletS3cret;stel_token=LoginS3cret;stel_dt=-180;stel_ssid=0a1b_2", 0},
		"byte order mark":    {"\uFEFF" + wholeCookie, 0},
		"JSON object":        {`{"stel_ssid":"0a1b_2","stel_dt":-180,"stel_token":"LoginS3cret","stel_ton_token":"WalletS3cret","more":[1]}`, 0},
		"extension's export": {export(expiry), expiry},
		"automated browser":  {`{"cookies":` + export(expiry) + `,"origins":[]}`, expiry},
		"Netscape":           {netscape(expiry, "\n"), expiry},
		"Netscape, Windows":  {netscape(expiry, "\r\n"), expiry},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fragment.ParseCookies(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if sent := header(t, got); sent != wholeCookie {
				t.Errorf("sent %q", sent)
			}
			want := time.Time{}
			if c.expires != 0 {
				want = time.Unix(c.expires, 0)
			}
			if !got.Expires.Equal(want) {
				t.Errorf("expires %v, want %v", got.Expires, want)
			}
		})
	}
}

// export is what a browser extension writes, with another site's cookie of the
// same name, one without an end and one that ends later.
func export(expiry int64) string {
	return fmt.Sprintf(`[
		{"domain":".evil.example","name":"stel_token","value":"foreign","expirationDate":5},
		{"domain":"fragment.com","name":"theme","value":"a b","expirationDate":7},
		{"domain":"fragment.com","expirationDate":%d.25,"httpOnly":true,"name":"stel_ssid","value":"0a1b_2"},
		{"domain":"fragment.com","expirationDate":5,"name":"stel_dt","value":"-180"},
		{"domain":".fragment.com","name":"stel_token","value":"LoginS3cret","session":true},
		{"domain":"fragment.com","name":"stel_ton_token","value":"WalletS3cret","expires":%d},
		{"name":7}]`, expiry, expiry+1000)
}

func netscape(expiry int64, end string) string {
	return strings.ReplaceAll(fmt.Sprintf(`# Netscape HTTP Cookie File
# https://curl.se/docs/http-cookies.html

.evil.example	TRUE	/	TRUE	5	stel_token	foreign
fragment.com	FALSE	/	TRUE	0	stel_dt	-180
#HttpOnly_fragment.com	FALSE	/	TRUE	%d	stel_ssid	0a1b_2
#HttpOnly_.fragment.com	TRUE	/	TRUE	%d	stel_token	LoginS3cret
fragment.com	FALSE	/	TRUE	%d	stel_ton_token	WalletS3cret
half a line
`, expiry, expiry+1, expiry+2), "\n", end)
}

// An error says which cookie is missing and how to come by it, or what is wrong
// with the text, and never quotes a value.
func TestParseCookiesErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {" \n", "the text is empty"},
		"no session":        {"stel_dt=-180; stel_token=LoginS3cret", "the cookie stel_ssid is missing: open fragment.com"},
		"no zone":           {strings.Replace(wholeCookie, "stel_dt", "dt", 1), "the cookie stel_dt is missing: open fragment.com"},
		"not logged in":     {"stel_ssid=0a1b_2; stel_dt=-180", "the cookie stel_token is missing: log in at fragment.com"},
		"no wallet":         {`{"stel_ssid":"0a1b_2","stel_dt":"0","stel_token":"LoginS3cret"}`, "the cookie stel_ton_token is missing: connect the wallet"},
		"deleted":           {wholeCookie + "; stel_token=", ""},
		"other site only":   {`[{"name":"stel_ssid","value":"S3cret","domain":"fragment.com.evil.example"}]`, "stel_ssid is missing"},
		"twice":             {wholeCookie + "; stel_token=OtherS3cret", "stel_token stands twice with different values"},
		"line break":        {"stel_ssid=S3cret\r\nHost: x; stel_dt=1", "the value of stel_ssid holds what no cookie can hold"},
		"no ASCII":          {"stel_ssid=S3cret\u0430; stel_dt=1", "the value of stel_ssid holds"},
		"broken JSON":       {`{"stel_ssid":"S3cret`, "it begins like JSON"},
		"another JSON":      {`["S3cret"]`, "stel_ssid is missing"},
		"too long a value":  {"stel_ssid=" + strings.Repeat("S3cret", 1000), "the value of stel_ssid is too long"},
		"too long":          {strings.Repeat("S3cret ", 200_000), "more than 1048576 bytes"},
		"a name, no cookie": {"S3cret", "the cookie stel_ssid is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fragment.ParseCookies(c.text)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, fragment.ErrCookies) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "S3cret") {
				t.Errorf("it shows a value: %v", err)
			}
		})
	}
}

var soundHeader = regexp.MustCompile(`^stel_ssid=[!-~]+; stel_dt=[!-~]+; stel_token=[!-~]+; stel_ton_token=[!-~]+$`)

// What is taken from any text at all is one sound header of just the four
// cookies, which reads back as itself; and no error quotes the text.
func FuzzParseCookies(f *testing.F) {
	f.Add(wholeCookie)
	f.Add(export(1))
	f.Add(`{"cookies":` + export(1) + `}`)
	f.Add(netscape(1, "\n"))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := fragment.ParseCookies(text)
		if err != nil {
			if !errors.Is(err, fragment.ErrCookies) || len(err.Error()) > 200 {
				t.Errorf("%v", err)
			}
			return
		}
		sent := header(t, c)
		if !soundHeader.MatchString(sent) || strings.Count(sent, ";") != 3 {
			t.Fatalf("%q", sent)
		}
		again, err := fragment.ParseCookies(sent)
		if err != nil {
			t.Fatal(err)
		}
		if got := header(t, again); got != sent {
			t.Errorf("%q, then %q", sent, got)
		}
	})
}
