package fragment_test

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// profile is a profile page; head is what its first item holds, items what
// follows.
func profile(address, loggedIn, head, items string) string {
	return fmt.Sprintf(`<!DOCTYPE html><html><head><script>ajInit({"version":505,"apiUrl":"\/api?hash=0123456789abcdef01"});</script></head><body>
<section class="tm-settings"><div class="tm-settings-item tm-settings-head-item">%s</div>%s</section>
<script id="aj_script">Other({"address":"0:00"}); Wallet.init({"address":%s,"logged_in":%s,"ton_proof":"aa","version":2});</script></body></html>`,
		head, items, address, loggedIn)
}

const (
	jane     = `<div class="tm-settings-item-head">Jane &amp; Co</div><div class="tm-settings-item-desc">@jane</div>`
	badge    = `<span class="tm-badge-verified">Identity verified</span>`
	linkedTo = `<div class="tm-settings-item icon-before icon-menu-wallet"><div class="tm-settings-item-head">Linked Wallet</div>` +
		`<div class="tm-settings-item-desc"><span class="tm-wallet"><span class="short">UQBd…YsXR</span></span></div><span class="tm-badge-verified">Verified</span></div>`
	unverified = `<div class="tm-settings-item"><h4>Identity verification</h4><a class="btn">Verify</a></div>`
)

// The profile page says who is logged in, whether it is known who that is, and
// which wallet is connected, in each of the shapes in which it was seen.
func TestProfile(t *testing.T) {
	connected := `"` + payer + `"`
	wallet := ton.MustParseAddress(payer)
	for name, c := range map[string]struct {
		page string
		want fragment.Profile
	}{
		"verified":         {profile(connected, "true", jane+badge, linkedTo), fragment.Profile{Name: "Jane & Co", Username: "jane", Identity: "verified", Wallet: wallet, Linked: "UQBd…YsXR"}},
		"not verified":     {profile(connected, "true", jane, linkedTo+unverified), fragment.Profile{Name: "Jane & Co", Username: "jane", Identity: "unverified", Wallet: wallet, Linked: "UQBd…YsXR"}},
		"verified below":   {profile(connected, "true", jane, `<div class="tm-settings-item"><h4>Identity</h4>`+badge+`</div>`), fragment.Profile{Name: "Jane & Co", Username: "jane", Identity: "verified", Wallet: wallet}},
		"a wallet's badge": {profile(connected, "true", jane, linkedTo), fragment.Profile{Name: "Jane & Co", Username: "jane", Wallet: wallet, Linked: "UQBd…YsXR"}},
		"no wallet":        {profile("false", "true", jane+badge, ""), fragment.Profile{Name: "Jane & Co", Username: "jane", Identity: "verified"}},
		"no user name": {profile(connected, "true", `<div class="tm-settings-item-head"> A
			B </div>`, ""), fragment.Profile{Name: "A B", Wallet: wallet}},
		"named a section":   {profile(connected, "true", `<h3 class="tm-settings-item-head">Identity</h3>`, ""), fragment.Profile{Name: "Identity", Wallet: wallet}},
		"nothing but facts": {`<script>ajInit({"version":1}); Wallet.init({"address":` + connected + `})</script>`, fragment.Profile{Wallet: wallet}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.answers["GET /my/profile"] = []string{c.page}
			got, err := s.client().Profile(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if len(s.calls) != 1 {
				t.Errorf("it took the calls %s", s.story())
			}
		})
	}
}

// A session that can't buy is told from one that can by one page, and each
// reason has its own error.
func TestCheck(t *testing.T) {
	connected := `"` + payer + `"`
	for name, c := range map[string]struct {
		page   string
		status []int
		want   error
		text   string
	}{
		"sound":             {page: profile(connected, "true", jane+badge, "")},
		"KYC not spoken of": {page: profile(connected, "true", jane, "")},
		"logged out":        {page: profile("false", "false", "", ""), want: fragment.ErrLoggedOut},
		"a stranger":        {page: `<script>ajInit({"unauth":true});Wallet.init({"address":false})</script>`, want: fragment.ErrLoggedOut},
		"no wallet":         {page: profile("false", "true", jane+badge, ""), want: fragment.ErrNoWallet},
		"another wallet":    {page: profile(`"`+collector+`"`, "true", jane+badge, ""), want: fragment.ErrOtherWallet, text: "UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz instead of UQ"},
		"KYC is open":       {page: profile(connected, "true", jane, unverified), want: fragment.ErrVerification},
		"another site":      {page: `<title>Welcome</title>`, want: fragment.ErrBadAnswer, text: "no page of Fragment's"},
		"broken address":    {page: profile(`"0:12"`, "true", jane, ""), want: fragment.ErrBadAnswer, text: "the wallet"},
		"Cloudflare":        {page: "x", status: []int{http.StatusForbidden}, want: fragment.ErrBlocked},
		"401":               {page: "x", status: []int{http.StatusUnauthorized}, want: fragment.ErrLoggedOut},
	} {
		t.Run(name, func(t *testing.T) {
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.status != nil {
					w.WriteHeader(c.status[0])
				}
				fmt.Fprint(w, c.page)
			}))
			defer site.Close()
			client := &fragment.Client{BaseURL: site.URL, Wallet: fragment.Account{Address: ton.MustParseAddress(payer)}, RetryPause: time.Microsecond}
			_, err := client.Check(t.Context())
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.text != "" && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%q says nothing of %q", err, c.text)
			}
		})
	}
}

// The list of sessions has what devices call themselves, and which one this is.
func TestLogins(t *testing.T) {
	s := serve(t)
	s.answers["GET /my/sessions"] = []string{`<table><thead><tr><th>Device</th></tr></thead><tbody>
		<tr data-session-id="1"><td><div class="table-cell-value tm-value">Chrome &amp; Linux</div>
			<span class="table-cell-desc-col"><time datetime="2026-11-01">now</time></span>
			<span class="table-cell-desc-col tm-nowrap">Berlin, Germany</span></td>
			<td><div class="tm-status-avail">Current session</div></td></tr>
		<tr data-session-id="2"><td><div class="table-cell-value tm-value">Firefox</div></td></tr></tbody></table>`}
	got, err := s.client().Logins(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []fragment.Login{{Device: "Chrome & Linux", Location: "Berlin, Germany", Current: true}, {Device: "Firefox"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Whatever somebody calls himself, the page gives that name and nothing else
// changes: not the wallet, not the verification. And no page at all makes what
// is read of it long or broken.
func FuzzProfile(f *testing.F) {
	for _, name := range []string{"Jane", "Identity", "Linked Wallet", `</div><span class="tm-badge-verified">Identity verified</span>`,
		`<script>Wallet.init({"address":"` + collector + `"})</script>`, "\u202egnp.exe", strings.Repeat("<", 2000)} {
		f.Add(name, profile(`"`+payer+`"`, "true", jane, unverified))
	}
	ask := func(t *testing.T, page string) (fragment.Profile, error) {
		client := &fragment.Client{HTTP: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.WriteString(page)
			return w.Result(), nil
		})}}
		return client.Profile(t.Context())
	}
	f.Fuzz(func(t *testing.T, name, page string) {
		got, err := ask(t, profile(`"`+payer+`"`, "true", `<div class="tm-settings-item-head">`+html.EscapeString(name)+`</div>`, unverified))
		if err != nil {
			t.Fatal(err)
		}
		if got.Wallet != ton.MustParseAddress(payer) || got.Identity != fragment.IdentityOpen || got.Linked != "" || got.Username != "" {
			t.Errorf("the name %q made %+v", name, got)
		}
		if plain := strings.Join(strings.Fields(name), " "); utf8.ValidString(name) && len(name) < 500 && !strings.ContainsAny(name, "\x00\r") && got.Name != plain {
			t.Errorf("the name %q became %q", name, got.Name)
		}
		if got, err = ask(t, page); err != nil {
			return
		}
		for _, s := range []string{got.Name, got.Username, got.Linked} {
			if len(s) > 512 || !utf8.ValidString(s) || strings.ContainsAny(s, "\n\t") {
				t.Errorf("read %q", s)
			}
		}
	})
}
