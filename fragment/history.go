package fragment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/fragplan/fragplan/ton"
)

// The pages of a signed-in account on which its purchases are listed, the
// newest first, and the shape of their rows, are known from the parsers of two
// public clients, github.com/S1qwy/fragment-api-py (FragmentAPI/utils/html.py)
// and github.com/S1qwy/fragment-api-ts (src/utils/html.ts). Nobody has said how
// a row looks that was paid in another coin than TON, whether a row stands
// there before the goods are handed over, and how a long list goes on. So what
// is not in that shape is not read, and what a page doesn't list says nothing.
var histories = map[Product]string{
	Stars:   "/stars/history?sort=desc",
	Premium: "/premium/history?sort=desc",
	TopUp:   "/ads/history?type=topup&sort=desc",
}

// History is what a page lists of what the session's account bought of one
// product. It holds the newest purchases; how many isn't known.
type History struct {
	Rows   []HistoryRow // in the order of the page; one may stand there twice
	Unread int          // rows in another shape; what they say isn't known
}

// HistoryRow is one purchase.
type HistoryRow struct {
	Product  Product
	Quantity int64  // Stars, months or whole TON
	Handle   string // the recipient's user name, lower case, without @
	Price    ton.Amount
	Time     time.Time // by Fragment's clock, in whole seconds, UTC
}

// maxRows bounds a list; a page of the live service holds far fewer.
const maxRows = 5000

// History reads what the session's account has bought of p. A session that
// isn't signed in gets ErrLoggedOut or an empty list. Price is the zero value
// where the page gives none: a top-up lists only what was credited.
func (c *Client) History(ctx context.Context, p Product) (History, error) {
	path, ok := histories[p]
	if !ok {
		return History{}, fmt.Errorf("fragment: %w: %q", ErrProduct, p)
	}
	page, err := c.part(ctx, path, classLook)
	if err != nil {
		return History{}, err
	}
	list, err := ParseHistory(p, page)
	if err != nil {
		name, _, _ := strings.Cut(path, "?")
		return History{}, badAnswer("GET "+name, err.Error())
	}
	return list, nil
}

// part loads a page as the site's own script does: JSON, with the HTML in it.
func (c *Client) part(ctx context.Context, path string, cl class) (page string, err error) {
	name, _, _ := strings.Cut(path, "?")
	err = c.repeat(ctx, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base()+path, nil)
		if err != nil {
			return fmt.Errorf("fragment GET %s: %w", name, err)
		}
		req.Header.Set("Accept", "application/json, text/javascript, */*; q=0.01")
		req.Header.Set("X-Requested-With", "XMLHttpRequest")
		req.Header.Set("Referer", c.base()+name)
		status, body, err := c.send(req, "GET "+name, cl)
		if err != nil {
			var e *Error
			if errors.As(err, &e) && e.Status >= 300 && e.Status < 400 {
				e.Kind = ErrLoggedOut // the account's own pages send everybody else away
			}
			return err
		}
		var v struct {
			Error loose           `json:"error"`
			HTML  json.RawMessage `json:"h"`
		}
		fail := &Error{Method: "GET " + name, Status: status, Kind: ErrBadAnswer}
		err = strict(body)
		if err == nil {
			err = json.Unmarshal(body, &v)
		}
		switch {
		case err != nil && challenge(body):
			fail.Kind = ErrBlocked
		case err != nil:
			fail.Cause = err
		case v.Error != "":
			fail.Message = words(string(v.Error))
			fail.Kind = meaning(fail.Message)
		case json.Unmarshal(v.HTML, &page) != nil || v.HTML[0] != '"':
			fail.Cause = errors.New("no page in it")
		default:
			return nil
		}
		return fail
	})
	return page, err
}

// ParseHistory reads the rows of the tables of a page, for those who have it
// from elsewhere. Rows of headings are left out. Its errors wrap ErrHistory.
func ParseHistory(p Product, page string) (History, error) {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return History{}, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	var list History
	for n := range doc.Descendants() {
		if !element("tr")(n) || find(n, element("th")) != nil || find(n, element("td")) == nil {
			continue
		}
		if len(list.Rows)+list.Unread == maxRows {
			return History{}, fmt.Errorf("%w: more than %d rows", ErrHistory, maxRows)
		}
		row, err := readRow(p, n)
		if err != nil {
			list.Unread++
			continue
		}
		list.Rows = append(list.Rows, row)
	}
	return list, nil
}

// readRow reads one purchase. A cell may stand in a row more than once, for
// wide and for narrow screens; then all must say the same.
func readRow(p Product, tr *html.Node) (row HistoryRow, err error) {
	row.Product = p
	recipient, quantity, read := classed("tm-inline-nowrap"), and(classed("tm-value"), classed("tm-nowrap"), not(classed("icon-ton"))), count
	switch p {
	case Premium:
		quantity, read = and(classed("tm-nowrap"), func(n *html.Node) bool { _, err := months(text(n)); return err == nil }), months
	case TopUp:
		recipient, quantity, read = profile, classed("icon-ton"), wholeTON
	}
	if row.Handle, err = agreed(tr, recipient, text, userName); err != nil {
		return HistoryRow{}, fmt.Errorf("recipient: %w", err)
	}
	if row.Quantity, err = agreed(tr, quantity, text, read); err != nil {
		return HistoryRow{}, fmt.Errorf("quantity: %w", err)
	}
	if p != TopUp {
		coin, asset := "icon-ton", ton.AssetTON
		if find(tr, classed(coin)) == nil {
			coin, asset = "icon-usdt", ton.AssetUSDT // as prices elsewhere on the site are marked
		}
		if row.Price, err = agreed(tr, classed(coin), text, func(s string) (ton.Amount, error) { return price(asset, s) }); err != nil {
			return HistoryRow{}, fmt.Errorf("price: %w", err)
		}
	}
	moment := and(element("time"), func(n *html.Node) bool { return attr(n, "datetime") != "" })
	if row.Time, err = agreed(tr, moment, func(n *html.Node) string { return attr(n, "datetime") }, instant); err != nil {
		return HistoryRow{}, fmt.Errorf("time: %w", err)
	}
	return row, nil
}

// agreed reads every element of a kind, of which there is at least one, and
// which all say the same.
func agreed[V comparable](tr *html.Node, kind func(*html.Node) bool, of func(*html.Node) string, read func(string) (V, error)) (V, error) {
	var value, none V
	found := false
	for n := range tr.Descendants() {
		if n.Type != html.ElementNode || !kind(n) {
			continue
		}
		v, err := read(of(n))
		switch {
		case err != nil:
			return none, err
		case found && v != value:
			return none, errors.New("two that differ")
		}
		value, found = v, true
	}
	if !found {
		return none, errors.New("none in it")
	}
	return value, nil
}

var errShape = errors.New("not in the shape that is known")

var handlePattern = regexp.MustCompile(`^@[A-Za-z][A-Za-z0-9_]{3,31}$`)

func userName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if !handlePattern.MatchString(s) {
		return "", errShape
	}
	return strings.ToLower(s[1:]), nil
}

// profile reports whether an element links to somebody's page on t.me.
func profile(n *html.Node) bool {
	return n.Data == "a" && (strings.HasPrefix(attr(n, "href"), "https://t.me/") || strings.HasPrefix(attr(n, "href"), "http://t.me/"))
}

func price(asset ton.Asset, s string) (ton.Amount, error) {
	a, err := parseAmountOf(asset, s)
	if err == nil && a.Units == 0 {
		err = errShape
	}
	return a, err
}

// maxCount is more than is sold of anything at once.
const maxCount = 1_000_000_000

// count reads a whole number in which commas may group thousands.
func count(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if grouped.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n == 0 || n > maxCount {
		return 0, errShape
	}
	return int64(n), nil
}

func wholeTON(s string) (int64, error) {
	n, err := parseAmount(s)
	if err != nil || n == 0 || n%ton.TON != 0 || n/ton.TON > maxCount {
		return 0, errShape
	}
	return int64(n / ton.TON), nil
}

// months reads "3 months" and "1 year", up to ten years.
func months(s string) (int64, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	n, err := strconv.ParseUint(number, 10, 7)
	switch unit {
	case "year", "years":
		n *= 12
	case "month", "months":
	default:
		return 0, errShape
	}
	if err != nil || n == 0 || n > 120 {
		return 0, errShape
	}
	return int64(n), nil
}

// instant reads a time of ISO 8601 with its zone.
func instant(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Unix() <= 0 || t.Unix() > 1<<32-1 {
		return time.Time{}, errShape
	}
	return time.Unix(t.Unix(), 0).UTC(), nil
}

func element(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Type == html.ElementNode && n.Data == name }
}

func and(all ...func(*html.Node) bool) func(*html.Node) bool {
	return func(n *html.Node) bool {
		for _, ok := range all {
			if !ok(n) {
				return false
			}
		}
		return true
	}
}

func not(ok func(*html.Node) bool) func(*html.Node) bool {
	return func(n *html.Node) bool { return !ok(n) }
}
