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

// displayName is HTML, as Fragment sends it.
func (m *Market) displayName(handle string) string {
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
	d := m.derive("photo", handle)
	if d[0]%5 == 0 {
		return ""
	}
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
