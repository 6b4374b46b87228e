package fragment

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"
)

// What an answer means. The failure of a call to Fragment is an *Error, which
// errors.Is finds to be one of these. The context's own error is found too, in
// whatever it interrupted.
var (
	// About the recipient or the item; other purchases may succeed.
	ErrNoRecipient    = errors.New("no such Telegram user")
	ErrNotEligible    = errors.New("this account can't be given that")
	ErrAlreadyPremium = errors.New("the account has Telegram Premium already")
	ErrQuantity       = errors.New("this quantity is not sold")
	ErrAsset          = errors.New("this can't be paid in that")

	// About the order.
	ErrPriceChanged  = errors.New("the price changed")
	ErrOrderNotFound = errors.New("Fragment knows no such order")
	ErrInvoice       = errors.New("the transfer asked for is not what was ordered")
	ErrRefused       = errors.New("Fragment refused")

	// About the session; nothing will succeed until a person looks.
	ErrLoggedOut    = errors.New("the session has expired or lacks rights")
	ErrVerification = errors.New("Fragment wants the identity verified")
	ErrNoWallet     = errors.New("no wallet is connected to the session")
	ErrOtherWallet  = errors.New("another wallet is connected to the session")

	// About the service.
	ErrRateLimited = errors.New("too many calls")
	ErrBlocked     = errors.New("the service blocks this network address")
	ErrUnavailable = errors.New("the service is not available")
	ErrUnreachable = errors.New("no answer")
	ErrBadRequest  = errors.New("Fragment did not understand the call")
	ErrBadAnswer   = errors.New("the answer is not what the API gives")

	// About the caller; nothing was sent. So it is with ErrAsset, and with
	// ErrQuantity where it is no *Error.
	ErrProduct  = errors.New("no such product")
	ErrPurchase = errors.New("not a purchase that Buy returned")
)

// Error is the failure of one call.
type Error struct {
	Method     string        // the API's method, or "GET" and the page
	Status     int           // of HTTP; 0 if there was no answer
	Message    string        // the server's own words, without HTML and of bounded length, but hostile: escape before printing
	Kind       error         // one of the errors above
	RetryAfter time.Duration // what the server asked to wait; 0 if it didn't say
	Cause      error         // what happened below, if anything
}

// Error quotes the server's words, and ends with which call it was.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.Error())
	if e.Message != "" {
		fmt.Fprintf(&b, ": %q", e.Message)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ": it asks to wait %v", e.RetryAfter)
	}
	fmt.Fprintf(&b, " (Fragment, %s", e.Method)
	if e.Status != 0 && e.Status != 200 {
		fmt.Fprintf(&b, ", HTTP %d", e.Status)
	}
	b.WriteByte(')')
	return b.String()
}

// Unwrap makes errors.Is find the meaning and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// RateLimit reports whether err says that there were too many calls, and how
// long the server asked to wait (0 if it didn't say).
func RateLimit(err error) (time.Duration, bool) {
	var e *Error
	if errors.As(err, &e) && errors.Is(e.Kind, ErrRateLimited) {
		return e.RetryAfter, true
	}
	return 0, false
}

// maxMessage bounds what is kept of a server's text, in bytes.
const maxMessage = 300

// words makes a server's text fit for an error: HTML unescaped once, spaces
// and line breaks folded, length bounded.
func words(s string) string {
	const scan = 8 * maxMessage // entities and spaces shrink
	s = cut(s, scan)
	s = strings.ToValidUTF8(html.UnescapeString(s), "\uFFFD")
	return cut(strings.Join(strings.Fields(s), " "), maxMessage)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// The words by which a message is known. Texts have been reworded before, so
// none is compared whole. The first row all of whose words occur decides.
var meanings = []struct {
	kind  error
	words []string
}{
	{ErrPriceChanged, []string{"price", "change"}},
	{ErrAlreadyPremium, []string{"already", "subscribed"}},
	{ErrAlreadyPremium, []string{"already", "premium"}},
	{ErrLoggedOut, []string{"session", "expired"}},
	{ErrLoggedOut, []string{"auth_session"}},
	{ErrLoggedOut, []string{"access", "denied"}},
	{ErrLoggedOut, []string{"unauthorized"}},
	{ErrLoggedOut, []string{"not", "authorized"}},
	{ErrLoggedOut, []string{"log in"}},
	{ErrNotEligible, []string{"can't", "gift"}},
	{ErrNotEligible, []string{"cannot", "gift"}},
	{ErrNotEligible, []string{"not", "eligible"}},
	{ErrNoRecipient, []string{"no telegram", "found"}},
	{ErrNoRecipient, []string{"user", "not found"}},
	{ErrNoRecipient, []string{"assigned", "user"}},
	{ErrOrderNotFound, []string{"order", "not found"}},
	{ErrOrderNotFound, []string{"request", "not found"}},
	{ErrQuantity, []string{"minimum"}},
	{ErrQuantity, []string{"maximum"}},
	{ErrQuantity, []string{"amount", "invalid"}},
	{ErrQuantity, []string{"quantity", "invalid"}},
	{ErrVerification, []string{"verif"}},
	{ErrVerification, []string{"kyc"}},
	{ErrNoWallet, []string{"connect", "wallet"}},
	{ErrRateLimited, []string{"too many"}},
	{ErrRateLimited, []string{"too often"}},
	{ErrRateLimited, []string{"flood"}},
	{ErrRateLimited, []string{"rate limit"}},
	{ErrBadRequest, []string{"bad request"}},
	{ErrBadRequest, []string{"invalid method"}},
}

// meaning reads the kind of error from the server's words.
func meaning(message string) error {
	m := strings.ToLower(strings.ReplaceAll(message, "’", "'"))
rows:
	for _, row := range meanings {
		for _, w := range row.words {
			if !strings.Contains(m, w) {
				continue rows
			}
		}
		return row.kind
	}
	return ErrRefused
}
