package fragment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/html"

	"github.com/fragplan/fragplan/ton"
)

// Pages of the session's own account, which no method belongs to.
const (
	profilePage  = "/my/profile"
	sessionsPage = "/my/sessions"
)

// Identity is what a profile says of the account's verification (KYC).
type Identity string

// What a profile can say.
const (
	IdentityUnknown  Identity = ""           // the page does not speak of it
	IdentityVerified Identity = "verified"   // it bears the badge
	IdentityOpen     Identity = "unverified" // it has the section, without the badge
)

// Profile is what Fragment shows to a session of its account.
type Profile struct {
	Name     string      // the person's own words, unescaped: hostile
	Username string      // without "@"; empty if the account has none. Hostile.
	Identity Identity    // whether Fragment has verified who it is
	Wallet   ton.Address // that is connected to the session; zero if none is
	Linked   string      // the wallet that is linked to the account, as the page abbreviates it. Hostile.
}

// Profile asks who is logged in, and which wallet is connected. It takes one
// page. ErrLoggedOut means that nobody is.
//
// Where the page has what was seen with clients that read it
// (S1qwy/fragment-api-py and -ts, html.py and html.ts): the account is the
// item .tm-settings-account or .tm-settings-head-item with its name in
// .tm-settings-item-head and "@" and user name in .tm-settings-item-desc;
// .tm-badge-verified says that the identity is verified; the script's
// Wallet.init names the wallet.
func (c *Client) Profile(ctx context.Context) (Profile, error) {
	body, err := c.page(ctx, profilePage, classLook)
	if err != nil {
		return Profile{}, err
	}
	p, err := parseProfile(body)
	switch {
	case errors.Is(err, ErrLoggedOut):
		return Profile{}, profileError(ErrLoggedOut, nil)
	case err != nil:
		return Profile{}, profileError(ErrBadAnswer, err)
	}
	return p, nil
}

// Check is Profile for a session that is about to buy: it returns ErrNoWallet
// if no wallet is connected, ErrOtherWallet if it is not Wallet, and
// ErrVerification if the page says that the identity is not verified.
func (c *Client) Check(ctx context.Context) (Profile, error) {
	p, err := c.Profile(ctx)
	if err != nil {
		return p, err
	}
	switch want := c.Wallet.Address; {
	case p.Wallet.IsZero():
		err = profileError(ErrNoWallet, nil)
	case !want.IsZero() && p.Wallet != want:
		err = profileError(ErrOtherWallet, fmt.Errorf("%v instead of %v", p.Wallet, want))
	case p.Identity == IdentityOpen:
		err = profileError(ErrVerification, nil)
	}
	return p, err
}

func profileError(kind, cause error) error {
	return &Error{Method: "GET " + profilePage, Status: http.StatusOK, Kind: kind, Cause: cause}
}

// parseProfile returns ErrLoggedOut for a page that is shown to strangers.
func parseProfile(page []byte) (Profile, error) {
	doc, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		return Profile{}, err
	}
	var visit struct {
		Stranger loose `json:"unauth"`
	}
	var wallet struct {
		Address  loose  `json:"address"`
		LoggedIn *loose `json:"logged_in"`
	}
	known := argument(doc, "ajInit(", &visit)
	connects := argument(doc, "Wallet.init(", &wallet)
	switch {
	case !known && !connects:
		return Profile{}, errors.New("it is no page of Fragment's")
	case visit.Stranger.bool() || wallet.LoggedIn != nil && !wallet.LoggedIn.bool():
		return Profile{}, ErrLoggedOut
	case !connects:
		return Profile{}, errors.New("it does not say which wallet is connected")
	}
	p := readAccount(doc)
	if wallet.Address != "" {
		if p.Wallet, _, err = ton.ParseAddress(cut(string(wallet.Address), 100)); err != nil {
			return Profile{}, fmt.Errorf("the wallet: %w", err)
		}
	}
	return p, nil
}

// argument decodes the JSON that a script of the page gives to a function, and
// reports whether one does.
func argument(doc *html.Node, call string, out any) bool {
	for n := range doc.Descendants() {
		if n.Type != html.TextNode || n.Parent == nil || n.Parent.Data != "script" {
			continue
		}
		_, rest, found := strings.Cut(n.Data, call)
		if found && json.NewDecoder(strings.NewReader(rest)).Decode(out) == nil {
			return true
		}
	}
	return false
}

// readAccount reads what the page shows of the account.
func readAccount(doc *html.Node) Profile {
	var p Profile
	account := find(doc, func(n *html.Node) bool {
		return hasClass(n, "tm-settings-account") || hasClass(n, "tm-settings-head-item") || hasClass(n, "tm-settings-item-account")
	})
	if account != nil {
		p.Name = folded(find(account, classed("tm-settings-item-head")), 512)
		p.Username = strings.TrimPrefix(folded(find(account, classed("tm-settings-item-desc")), 64), "@")
		if find(account, classed("tm-badge-verified")) != nil {
			p.Identity = IdentityVerified
		}
	}
	for n := range doc.Descendants() {
		switch {
		case within(n, account):
			// The name is the person's own: it heads no section.
		case hasClass(n, "tm-badge-verified") && mentions(n, "identity"):
			p.Identity = IdentityVerified
		case !heads(n):
		case mentions(n, "linked wallet"):
			p.Linked = linked(section(n))
		case mentions(n, "identity") && p.Identity == IdentityUnknown:
			p.Identity = IdentityOpen
			if find(section(n), classed("tm-badge-verified")) != nil {
				p.Identity = IdentityVerified
			}
		}
	}
	return p
}

func heads(n *html.Node) bool {
	return n.Type == html.ElementNode && (hasClass(n, "tm-settings-item-head") || n.Data == "h3" || n.Data == "h4")
}

// section is the item of the settings that a heading stands in.
func section(heading *html.Node) *html.Node {
	for n := heading.Parent; n != nil; n = n.Parent {
		if hasClass(n, "tm-settings-item") {
			return n
		}
	}
	return heading.Parent
}

func linked(item *html.Node) string {
	for _, class := range []string{"short", "tm-settings-item-desc"} {
		if s := folded(find(item, classed(class)), 64); s != "" {
			return s
		}
	}
	return ""
}

func within(n, of *html.Node) bool {
	for ; n != nil && of != nil; n = n.Parent {
		if n == of {
			return true
		}
	}
	return false
}

func mentions(n *html.Node, words string) bool {
	return strings.Contains(strings.ToLower(folded(n, 512)), words)
}

// folded is the text of an element on one line, of bounded length.
func folded(n *html.Node, max int) string {
	if n == nil {
		return ""
	}
	return cut(strings.Join(strings.Fields(strings.ToValidUTF8(cut(text(n), 8*max), "\uFFFD")), " "), max)
}

// Login is one of the sessions in which the account is logged in.
type Login struct {
	Device   string // browser and system; hostile
	Location string // hostile
	Current  bool   // this very session
}

// maxLogins bounds what is read of the list.
const maxLogins = 100

// Logins lists the sessions in which the account is logged in, this one among
// them. It takes one page.
func (c *Client) Logins(ctx context.Context) ([]Login, error) {
	body, err := c.page(ctx, sessionsPage, classLook)
	if err != nil {
		return nil, err
	}
	doc, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		return nil, badAnswer("GET "+sessionsPage, err.Error())
	}
	var list []Login
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "tr" || len(list) == maxLogins {
			continue
		}
		device := folded(find(n, classed("table-cell-value")), 128)
		if device == "" {
			continue
		}
		l := Login{Device: device}
		for d := range n.Descendants() {
			switch {
			case hasClass(d, "table-cell-desc-col") && l.Location == "" && find(d, func(n *html.Node) bool { return n.Data == "time" }) == nil:
				l.Location = folded(d, 128)
			case strings.Contains(attr(d, "class"), "tm-status-") && mentions(d, "current"):
				l.Current = true
			}
		}
		list = append(list, l)
	}
	return list, nil
}
