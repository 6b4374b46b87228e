package market_test

import (
	"net/http"
	"strings"
	"testing"
)

// The profile shows the owner's account to the session, as the session's
// setting has it, and nothing of it to strangers.
func TestProfilePage(t *testing.T) {
	for setting, want := range map[string][]string{
		"ok":           {`"logged_in":true`, "@sandbox_owner", "Identity verified", `"address":"0:0102`},
		"kyc":          {`"logged_in":true`, "Identity verification", "Not verified"},
		"no_wallet":    {`"logged_in":true`, `"address":false`},
		"other_wallet": {`"logged_in":true`, `"address":"0:ee`},
		"expired":      {`"logged_in":false`, `"unauth":true`, `"address":false`},
	} {
		w := start(t)
		w.set("session", setting)
		page := w.page("/my/profile")
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: no %s in %s", setting, text, page)
			}
		}
		if setting == "expired" && strings.Contains(page, "sandbox_owner") {
			t.Errorf("a stranger sees %s", page)
		}
	}
	w := start(t)
	if page := w.page("/my/sessions"); !strings.Contains(page, ">Current<") {
		t.Error(page)
	}
}

// A session that ends after some calls answers those, and no more; also when
// the market was opened anew in between.
func TestSessionEnds(t *testing.T) {
	w := start(t)
	if err := w.m.Set("session", "ends"); err == nil {
		t.Error("ends without a number is taken")
	}
	w.set("session", "ends*3")
	w.wants("<nil>", "updateStarsBuyState", "mode", "new")
	w.m.Close()
	w.open()
	w.page("/stars/buy")
	w.wants("<nil>", "updateStarsBuyState", "mode", "new")
	w.wants("<nil>", "updateStarsBuyState", "mode", "new")
	w.page("/stars/buy")
	w.wants("Access denied", "updateStarsBuyState", "mode", "new")
	w.set("session", "ok")
	w.page("/stars/buy")
	w.wants("<nil>", "updateStarsBuyState", "mode", "new")
}

// An answer with status 429 says how long to wait if it is told to.
func TestRetryAfter(t *testing.T) {
	w := start(t)
	w.set("page", "429")
	for setting, want := range map[string]string{"0s": "", "1500ms": "2", "30s": "30"} {
		w.set("retry_after", setting)
		r, err := http.Get(w.url + "/stars/buy")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if got := r.Header.Get("Retry-After"); r.StatusCode != http.StatusTooManyRequests || got != want {
			t.Errorf("%s: status %d, Retry-After %q", setting, r.StatusCode, got)
		}
	}
}
