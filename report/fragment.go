package report

import (
	"fmt"
	"io"
	"time"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Session is what a session at Fragment says of itself. Texts come from
// outside.
type Session struct {
	Label    string // under which fragplan.yaml lists it; empty for the only one
	Name     string // of the account
	Username string // without @
	Identity string // verified, unverified, or empty if it isn't said
	Wallet   ton.Address
	Ours     bool // Wallet is the project's
	Linked   string
	Expires  time.Time // zero if nobody says
	Logins   []Login
	Problem  string // why nothing can be bought in it; empty if it can
	Next     string // what to try then
}

// Login is one of the devices in which the account is logged in.
type Login struct {
	Device   string `json:"device"`
	Location string `json:"location,omitempty"`
	Current  bool   `json:"current"`
}

// Sessions writes who is logged in, with which wallet, and what is in the way.
func Sessions(w io.Writer, list []Session, s Style) error {
	for i, e := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		var rows [][]string
		add := func(label, text string) {
			if text != "" {
				rows = append(rows, []string{label, text})
			}
		}
		add("session", e.Label)
		account := Clean(e.Name, cellWidth)
		if e.Username != "" {
			account += " (@" + Clean(e.Username, cellWidth) + ")"
		}
		add("account", account)
		if account != "" {
			add("identity", e.identity())
			add("wallet", e.wallet())
		}
		add("linked", e.Linked)
		if !e.Expires.IsZero() {
			add("expires", e.Expires.UTC().Format(time.RFC3339))
		}
		for _, l := range e.Logins {
			where := Clean(l.Device, cellWidth)
			if l.Location != "" {
				where += ", " + Clean(l.Location, cellWidth)
			}
			if l.Current {
				where += " (this one)"
			}
			add("logged in", where)
		}
		add("problem", e.Problem)
		add("next", e.Next)
		if err := s.rows(w, rows, nil); err != nil {
			return err
		}
	}
	return nil
}

func (e Session) identity() string {
	if e.Identity == "" {
		return "Fragment does not say whether it is verified"
	}
	return e.Identity
}

func (e Session) wallet() string {
	switch {
	case e.Wallet.IsZero():
		return "none is connected"
	case e.Ours:
		return e.Wallet.String() + " (the project's)"
	}
	return e.Wallet.String() + " (not the project's)"
}

type jsonSession struct {
	Label    string  `json:"session,omitempty"`
	Name     string  `json:"name,omitempty"`
	Username string  `json:"username,omitempty"` // without @
	Identity string  `json:"identity,omitempty"` // verified, unverified
	Wallet   string  `json:"wallet,omitempty"`
	Ours     bool    `json:"ours"`
	Linked   string  `json:"linked,omitempty"`
	Expires  int64   `json:"expires,omitempty"` // Unix seconds
	Logins   []Login `json:"logins,omitempty"`
	Ready    bool    `json:"ready"`
	Problem  string  `json:"problem,omitempty"`
	Next     string  `json:"next,omitempty"`
}

// SessionsJSON writes the same as one JSON object with format_version and
// sessions, on one line of ASCII.
func SessionsJSON(w io.Writer, list []Session) error {
	out := []jsonSession{}
	for _, e := range list {
		j := jsonSession{
			Label: e.Label, Name: e.Name, Username: e.Username, Identity: e.Identity, Ours: e.Ours, Linked: e.Linked,
			Logins: e.Logins, Ready: e.Problem == "", Problem: e.Problem, Next: e.Next,
		}
		if !e.Wallet.IsZero() {
			j.Wallet = e.Wallet.String()
		}
		if !e.Expires.IsZero() {
			j.Expires = e.Expires.Unix()
		}
		out = append(out, j)
	}
	return writeJSON(w, struct {
		FormatVersion string        `json:"format_version"`
		Sessions      []jsonSession `json:"sessions"`
	}{JSONFormat, out})
}

// Price is what an item costs now.
type Price struct {
	Item   product.Item
	Amount ton.Amount
}

// Prices writes a line an item.
func Prices(w io.Writer, list []Price, s Style) error {
	var rows [][]string
	for _, p := range list {
		rows = append(rows, []string{p.Item.String(), p.Amount.String()})
	}
	return s.rows(w, rows, nil)
}

// PricesJSON writes the same as one JSON object with format_version and
// prices, on one line of ASCII.
func PricesJSON(w io.Writer, list []Price) error {
	type price struct {
		Product  string      `json:"product"`
		Quantity int64       `json:"quantity"` // Stars, months or whole TON
		Price    *jsonAmount `json:"price"`
	}
	out := []price{}
	for _, p := range list {
		out = append(out, price{string(p.Item.Kind), p.Item.Quantity, amount(p.Amount)})
	}
	return writeJSON(w, struct {
		FormatVersion string  `json:"format_version"`
		Prices        []price `json:"prices"`
	}{JSONFormat, out})
}

// Eligible says whether somebody can be given a product now.
type Eligible struct {
	Kind product.Kind
	Why  string // not; empty if it can
}

// Recipient is who stands behind a user name.
type Recipient struct {
	Handle string // without @
	Name   string // the person's own words
	Myself bool   // the session's own account
	Can    []Eligible
}

// Recipients writes who somebody is and what can be given.
func Recipients(w io.Writer, r Recipient, s Style) error {
	who := Clean(r.Name, cellWidth)
	if r.Name == "" {
		who = "nobody has told a name"
	}
	if r.Myself {
		who += " (the session's own account)"
	}
	rows := [][]string{{"@" + r.Handle, who}}
	for _, e := range r.Can {
		text := "yes"
		if e.Why != "" {
			text = "no: " + e.Why
		}
		name := string(e.Kind)
		if e.Kind == product.TopUp {
			name = "top-up"
		}
		rows = append(rows, []string{name, text})
	}
	return s.rows(w, rows, nil)
}

// RecipientJSON writes the same as one JSON object with format_version, on one
// line of ASCII.
func RecipientJSON(w io.Writer, r Recipient) error {
	type can struct {
		Product string `json:"product"`
		Can     bool   `json:"can"`
		Why     string `json:"why,omitempty"` // not
	}
	list := []can{}
	for _, e := range r.Can {
		list = append(list, can{string(e.Kind), e.Why == "", e.Why})
	}
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Handle        string `json:"handle"` // without @
		Name          string `json:"name"`
		Myself        bool   `json:"myself"`
		Products      []can  `json:"products"`
	}{JSONFormat, r.Handle, r.Name, r.Myself, list})
}
