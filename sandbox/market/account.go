package market

import (
	"net/http"

	"github.com/fragplan/fragplan/ton"
)

// accountPages are the pages of somebody who is logged in. Their shape is known
// from clients that read them (S1qwy/fragment-api-py and -ts, html.py and
// html.ts). How a profile looks that is not verified is the market's choice:
// the section stands there, without the badge.
var accountPages = map[string]struct {
	title string
	body  func(*Market, visitor) string
}{
	"/my/profile":  {"Profile", (*Market).profile},
	"/my/sessions": {"Active Sessions", (*Market).logins},
}

// serveAccount shows what is nobody else's, and the front page to strangers.
func (m *Market) serveAccount(w http.ResponseWriter, r *http.Request) {
	page := accountPages[r.URL.Path]
	body := ""
	v, ok := m.visit(w, r, func(v visitor) error {
		if v.login && page.body != nil {
			body = page.body(m, v)
		}
		return nil
	})
	switch {
	case !ok:
		return
	case page.body != nil && !v.login:
		http.Redirect(w, r, "/", http.StatusFound)
		return
	}
	v.write(w, r, page.title, body)
}

// stranger is the wallet that session=other_wallet has connected: nobody has
// its key.
var stranger = ton.Address{Account: [32]byte{0xee, 31: 2}}

// connected is the wallet that a visitor's pages and links name, zero for none.
func (m *Market) connected(v visitor) ton.Address {
	switch {
	case !v.tonToken || m.value("session") == "no_wallet":
		return ton.Address{}
	case m.value("session") == "other_wallet":
		return stranger
	}
	return v.session.wallet
}

func (m *Market) profile(v visitor) string {
	const badge = `<span class="tm-badge-verified">Identity verified</span>`
	verified, section := badge, ""
	if m.value("session") == "kyc" {
		verified, section = "", `<div class="tm-settings-item"><h4 class="tm-settings-item-head">Identity verification</h4>`+
			`<div class="tm-settings-item-desc">Not verified</div></div>`
	}
	wallet := ""
	if a := m.connected(v); !a.IsZero() {
		text := a.String()
		wallet = `<div class="tm-settings-item icon-before icon-menu-wallet"><div class="tm-settings-item-head">Linked Wallet</div>` +
			`<div class="tm-settings-item-desc"><span class="tm-wallet"><span class="short">` + text[:4] + "…" + text[len(text)-4:] + `</span></span></div></div>`
	}
	return `<section class="tm-settings"><div class="tm-settings-item tm-settings-head-item">` +
		`<div class="tm-settings-item-head">Sandbox &amp; Co</div><div class="tm-settings-item-desc">@sandbox_owner</div>` + verified + `</div>` +
		section + wallet + `</section>`
}

func (m *Market) logins(visitor) string {
	return `<table class="table"><thead><tr><th>Device</th><th>Status</th></tr></thead><tbody><tr data-session-id="1">` +
		`<td><div class="table-cell-value tm-value">fragplan sandbox</div><div class="table-cell-desc-col tm-nowrap">this machine</div></td>` +
		`<td><div class="tm-status-avail">Current</div></td></tr></tbody></table>`
}

// end counts down session=ends*N: with the last of its calls all sessions so
// far are over.
func (m *Market) end(s setting) {
	if s.Key == "session" && s.Value == "ends" && s.Count <= 0 {
		m.expired = len(m.sessions)
	}
}

// ends uses up one call of a session that ends after some.
func (m *Market) ends() error {
	if m.value("session") != "ends" {
		return nil
	}
	_, err := m.use("session")
	return err
}
