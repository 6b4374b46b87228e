package fragment

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"
)

// The failure of a call to Fragment is an [*Error], which errors.Is finds to be
// one of these and of the following. The context's own error is found too, in
// whatever it interrupted. These are about the recipient or the item; other
// purchases may succeed.
var (
	// ErrNoRecipient: nobody has that user name, or it is none of a user's.
	ErrNoRecipient = errors.New("no such Telegram user")
	// ErrNotEligible: the account exists and can't be given that product.
	ErrNotEligible = errors.New("this account can't be given that")
	// ErrAlreadyPremium: its Premium runs, and a second one isn't sold.
	ErrAlreadyPremium = errors.New("the account has Telegram Premium already")
	// ErrQuantity: Fragment does not sell that many, or not to this account.
	ErrQuantity = errors.New("this quantity is not sold")
	// ErrAsset: the product isn't sold for that money; nothing was sent.
	ErrAsset = errors.New("this can't be paid in that")
)

// About the order.
var (
	// ErrPriceChanged: the price moved with every try. Nothing was ordered.
	ErrPriceChanged = errors.New("the price changed")
	// ErrOrderNotFound: Fragment does not know the order that is confirmed.
	ErrOrderNotFound = errors.New("Fragment knows no such order")
	// ErrInvoice: the link asks to sign something else than was ordered. It
	// must not be paid.
	ErrInvoice = errors.New("the transfer asked for is not what was ordered")
	// ErrRefused: Fragment said no in words that are none of the others'; they
	// are the error's Message.
	ErrRefused = errors.New("Fragment refused")
)

// About the session; nothing will succeed until a person looks.
var (
	// ErrLoggedOut: the cookies are no longer good, or not for this.
	ErrLoggedOut = errors.New("the session has expired or lacks rights")
	// ErrVerification: the account has to pass KYC at fragment.com.
	ErrVerification = errors.New("Fragment wants the identity verified")
	// ErrNoWallet: a wallet has to be connected at fragment.com.
	ErrNoWallet = errors.New("no wallet is connected to the session")
	// ErrOtherWallet: the one that is connected is not the Client's Wallet.
	ErrOtherWallet = errors.New("another wallet is connected to the session")
)

// About the service.
var (
	// ErrRateLimited: HTTP 429. See [RateLimit] for how long to wait.
	ErrRateLimited = errors.New("too many calls")
	// ErrBlocked: HTTP 403, or the page of a guard in front of the service. It
	// comes and goes.
	ErrBlocked = errors.New("the service blocks this network address")
	// ErrUnavailable: HTTP 5xx.
	ErrUnavailable = errors.New("the service is not available")
	// ErrUnreachable: no answer came. What was asked may have been done all the
	// same.
	ErrUnreachable = errors.New("no answer")
	// ErrBadRequest: the call itself was not understood, also with a new hash.
	ErrBadRequest = errors.New("Fragment did not understand the call")
	// ErrBadAnswer: the answer has another form than any that is known, such as
	// a page in the place of JSON, or can be read in two ways.
	ErrBadAnswer = errors.New("the answer is not what the API gives")
)

// About the caller; nothing was sent, and the error is no [*Error]. So it is with
// [ErrAsset], and with [ErrQuantity] where it is no [*Error].
var (
	// ErrProduct: not one of Stars, Premium and TopUp.
	ErrProduct = errors.New("no such product")
	// ErrPurchase: Confirm was given something that Buy has not returned.
	ErrPurchase = errors.New("not a purchase that Buy returned")
)

// What is given to the functions that read texts, without a call.
var (
	// ErrPayload is wrapped by every error of [DecodePayload].
	ErrPayload = errors.New("a payload that can't be decoded")
	// ErrHistory is wrapped by every error of [ParseHistory].
	ErrHistory = errors.New("not a page of purchases")
	// ErrAmount is wrapped by every error of [ParseTON].
	ErrAmount = errors.New("not an amount in TON")
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
	return cut(strings.Join(strings.Fields(plain(s)), " "), maxMessage)
}

// plain is a text of the server's without its escapes: UTF-8 without NUL, which
// databases and programs of other languages can hold as well.
func plain(s string) string {
	s = strings.ReplaceAll(html.UnescapeString(s), "\x00", "\uFFFD")
	return strings.ToValidUTF8(s, "\uFFFD")
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
