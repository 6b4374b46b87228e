package fragment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The cookies of a session, as clients of the live service need them.
const (
	cookieSession = "stel_ssid"      // the visit; API hashes are bound to it
	cookieZone    = "stel_dt"        // the browser's offset from UTC in minutes
	cookieLogin   = "stel_token"     // who is logged in
	cookieWallet  = "stel_ton_token" // that a wallet is connected
)

// needed are the cookies without which nothing can be bought, in the order in
// which they are sent, and how a browser comes by each.
var needed = []struct{ name, how string }{
	{cookieSession, "open fragment.com in a browser, and copy all of its cookies"},
	{cookieZone, "open fragment.com in a browser, and copy all of its cookies"},
	{cookieLogin, "log in at fragment.com with Telegram, then copy the cookies again"},
	{cookieWallet, "connect the wallet at fragment.com, then copy the cookies again"},
}

// ErrCookies is returned, wrapped, for a text that does not hold the cookies
// of a session. It never holds a value.
var ErrCookies = errors.New("not the cookies of a Fragment session")

// Bounds of what is read. A real header has some 300 bytes, and a browser's
// whole export some hundred kilobytes.
const (
	maxCookies     = 1 << 20
	maxCookieValue = 4096
)

// ParseCookies reads the cookies of a session in one of the forms in which
// people have them:
//
//   - the Cookie header, with or without its name;
//   - JSON: an object of names and values, or the list of objects with name,
//     value, domain and expirationDate that browser extensions export, also
//     inside an object under "cookies";
//   - cookies.txt, as Netscape wrote it and curl reads it.
//
// Of all that it takes only fragment.com's stel_* cookies that a session needs.
// An error wraps ErrCookies and names the cookie that is missing, and how to
// come by it.
func ParseCookies(text string) (Credentials, error) {
	if len(text) > maxCookies {
		return Credentials{}, fmt.Errorf("%w: more than %d bytes", ErrCookies, maxCookies)
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	var jar jar
	var err error
	switch {
	case text == "":
		err = errors.New("the text is empty")
	case text[0] == '{' || text[0] == '[':
		err = jar.readJSON([]byte(text))
	case strings.Contains(text, "\t") || strings.HasPrefix(text, "# "):
		err = jar.readNetscape(text)
	default:
		err = jar.readHeader(text)
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("%w: %w", ErrCookies, err)
	}
	return jar.credentials()
}

// jar collects what is taken.
type jar struct {
	values  map[string]string
	expires time.Time
}

// add takes a cookie if it is one of those that are needed.
func (j *jar) add(name, value, domain string, expires time.Time) error {
	wanted := false
	for _, n := range needed {
		wanted = wanted || n.name == name
	}
	domain = strings.TrimPrefix(strings.ToLower(domain), ".")
	if !wanted || domain != "" && domain != "fragment.com" && domain != "www.fragment.com" {
		return nil
	}
	switch {
	case value == "":
		return nil // deleted; if nothing else stands for it, it is missing
	case len(value) > maxCookieValue:
		return fmt.Errorf("the value of %s is too long", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' || r == '"' || r == '\\' }):
		return fmt.Errorf("the value of %s holds what no cookie can hold: a space, a line break, a quote or a letter outside ASCII", name)
	case j.values[name] != "" && j.values[name] != value:
		return fmt.Errorf("%s stands twice with different values: keep the newer one", name)
	}
	if j.values == nil {
		j.values = map[string]string{}
	}
	j.values[name] = value
	if name != cookieZone && !expires.IsZero() && (j.expires.IsZero() || expires.Before(j.expires)) {
		j.expires = expires
	}
	return nil
}

// credentials makes one header of what was taken.
func (j *jar) credentials() (Credentials, error) {
	var pairs []string
	for _, n := range needed {
		if j.values[n.name] == "" {
			return Credentials{}, fmt.Errorf("%w: the cookie %s is missing: %s", ErrCookies, n.name, n.how)
		}
		pairs = append(pairs, n.name+"="+j.values[n.name])
	}
	return Credentials{Cookie: SecretOf(strings.Join(pairs, "; ")), Expires: j.expires}, nil
}

func (j *jar) readHeader(text string) error {
	if len(text) >= 7 && strings.EqualFold(text[:7], "cookie:") {
		text = text[7:]
	}
	for pair := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			continue
		}
		if err := j.add(strings.TrimSpace(name), strings.TrimSpace(value), "", time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// exported is a cookie as browser extensions and automated browsers write it.
type exported struct {
	Name           string      `json:"name"`
	Value          loose       `json:"value"`
	Domain         string      `json:"domain"`
	ExpirationDate json.Number `json:"expirationDate"` // Unix seconds
	Expires        json.Number `json:"expires"`        // the same, and -1 for the end of the visit
}

func (j *jar) readJSON(b []byte) error {
	list, err := exportedList(b)
	if err != nil {
		return err
	}
	if list == nil {
		var pairs map[string]loose
		if json.Unmarshal(b, &pairs) != nil {
			return errNotJSON
		}
		for _, n := range needed {
			if err := j.add(n.name, string(pairs[n.name]), "", time.Time{}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range list {
		until := c.ExpirationDate
		if until == "" {
			until = c.Expires
		}
		if err := j.add(c.Name, string(c.Value), c.Domain, unixSeconds(until.String())); err != nil {
			return err
		}
	}
	return nil
}

// errNotJSON does not quote the decoder, whose words may quote the text.
var errNotJSON = errors.New("it begins like JSON and is neither an object of names and values nor a list of cookies")

// exportedList is the list in an export, or nil if it is an object without one.
func exportedList(b []byte) (list []exported, err error) {
	if b[0] == '{' {
		var whole struct {
			Cookies json.RawMessage `json:"cookies"`
		}
		if json.Unmarshal(b, &whole) != nil {
			return nil, errNotJSON
		}
		if b = bytes.TrimSpace(whole.Cookies); len(b) == 0 || b[0] != '[' {
			return nil, nil
		}
	}
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return nil, errNotJSON
	}
	list = []exported{}
	for _, r := range raw {
		// A cookie of another site may be written in any way.
		var c exported
		if json.Unmarshal(r, &c) == nil {
			list = append(list, c)
		}
	}
	return list, nil
}

// readNetscape reads lines of domain, subdomains, path, secure, expiry, name
// and value.
func (j *jar) readNetscape(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		line = strings.TrimPrefix(line, "#HttpOnly_")
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 7 {
			continue
		}
		if err := j.add(fields[5], fields[6], fields[0], unixSeconds(fields[4])); err != nil {
			return err
		}
	}
	return nil
}

// unixSeconds reads when a cookie ends; 0, less and nonsense mean that it ends
// with the visit, and so does not say.
func unixSeconds(s string) time.Time {
	whole, _, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n <= 0 || n > math.MaxUint32 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}
