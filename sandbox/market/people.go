package market

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
)

var handlePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{3,31}$`)

const (
	errNobody    = "No Telegram users found."
	errNotAUser  = "Please enter a username assigned to a user."
	errNoStars   = "You can&#39;t gift Telegram Stars to this account at this moment."
	errNoPremium = "You can&#39;t gift Telegram Premium to this account at this moment."
	errHasIt     = "This account is already subscribed to Telegram Premium."
)

// handleOf reads a name, @name, a t.me link or a recipient token.
func (m *Market) handleOf(query string) (string, bool) {
	query = strings.TrimSpace(query)
	if handle, ok := m.recipient(query); ok {
		return handle, true
	}
	query = strings.ToLower(query)
	for _, prefix := range []string{"https://", "http://", "t.me/", "@"} {
		query = strings.TrimPrefix(query, prefix)
	}
	return query, handlePattern.MatchString(query)
}

// refusal is the error text for somebody who can't be given the product, or "".
func (m *Market) refusal(product, handle string) string {
	gift := product != TopUp
	switch {
	case strings.HasPrefix(handle, "nobody_"):
		return errNobody
	case strings.HasSuffix(handle, "_channel") && gift, strings.HasSuffix(handle, "bot"):
		return errNotAUser
	case strings.HasPrefix(handle, "no_gifts_") && product == Stars:
		return errNoStars
	case strings.HasPrefix(handle, "no_gifts_") && product == Premium:
		return errNoPremium
	case product == Premium && (strings.HasPrefix(handle, "has_premium_") || m.opt.Clock().Before(m.premium[handle])):
		return errHasIt
	}
	return ""
}

// look is how the setting changes what a search for somebody shows.
func (m *Market) look(handle string) string {
	kind, only, one := strings.Cut(m.value("people"), "@")
	if one && only != handle {
		return "ok"
	}
	return kind
}

// found is what a search shows of somebody.
func (m *Market) found(handle string) answer {
	look := m.look(handle)
	other := fmt.Sprintf("other_%x", m.tokenMAC(handle))[:24]
	if look == "swapped" { // and who pays for it gives it to them
		handle = other
	}
	name, photo := m.displayName(handle), m.photo(handle)
	switch look {
	case "renamed":
		name = html.EscapeString("New " + html.UnescapeString(name))
	case "photo", "swapped":
		photo = m.picture(handle, "new")
	}
	found := answer{"myself": false, "recipient": m.recipientToken(handle), "name": name}
	if look == "token" { // who pays for it gives it to somebody who isn't shown
		found["recipient"] = m.recipientToken(other)
	}
	if photo != "" {
		found["photo"] = photo
	}
	return found
}

// hostileName is what somebody might be called who wants to be taken for
// something else, on a terminal, in a page, in a spreadsheet.
const hostileName = "=1+1\x1b[2J\x1b]0;x\a\u202e`**<b>Ann</b>&amp;\u200b\r\nApply complete!"

// displayName is HTML, as Fragment sends it.
func (m *Market) displayName(handle string) string {
	if strings.HasPrefix(handle, "hostile_") {
		return html.EscapeString(hostileName)
	}
	words := strings.FieldsFunc(handle, func(r rune) bool { return r == '_' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	name := strings.Join(words, " ")
	switch m.derive("name", handle)[0] % 4 {
	case 0:
		name += " & Co"
	case 1:
		name += "'s"
	}
	return html.EscapeString(name)
}

// photo is an img element; some people have none.
func (m *Market) photo(handle string) string {
	if m.derive("photo", handle)[0]%5 == 0 {
		return ""
	}
	return m.picture(handle, "photo")
}

func (m *Market) picture(handle, which string) string {
	d := m.derive(which, handle)
	return fmt.Sprintf(`<img src="https://cdn4.cdn-telegram.org/file/%x.jpg" />`, d[1:13])
}

// recipientToken hides a handle in 54 characters. It carries its own check, so
// a token needs no memory.
func (m *Market) recipientToken(handle string) string {
	mac := m.tokenMAC(handle)
	b := make([]byte, 8+32)
	copy(b, mac[:8])
	copy(b[8:], handle)
	m.mask(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (m *Market) recipient(token string) (handle string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != 40 {
		return "", false
	}
	m.mask(b)
	handle = strings.TrimRight(string(b[8:]), "\x00")
	mac := m.tokenMAC(handle)
	return handle, hmac.Equal(mac[:8], b[:8])
}

func (m *Market) tokenMAC(handle string) [32]byte { return m.derive("recipient", handle) }

func (m *Market) mask(b []byte) {
	key := m.derive("mask", "")
	stream := sha256.Sum256(append(key[:], b[:8]...))
	for i := range stream {
		b[8+i] ^= stream[i]
	}
}
