package fragment

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/fragplan/fragplan/ton"
)

// apiHash finds the hash in a page's script, where the slash may be escaped.
var apiHash = regexp.MustCompile(`/api\?hash=([0-9A-Za-z_-]{1,128})`)

// hash returns the hash for the methods of a page. If it isn't known, or is
// the one that was just refused, it is read from the page.
func (c *Client) hash(ctx context.Context, r request, refused string) (string, error) {
	if h := c.knownHash(r.page); h != "" && h != refused {
		return h, nil
	}
	leave, err := c.hashing.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	if h := c.knownHash(r.page); h != "" && h != refused {
		return h, nil // somebody else was faster
	}
	body, err := c.page(ctx, r.page, r.class)
	if err != nil {
		return "", err
	}
	m := apiHash.FindSubmatch(body)
	if m == nil {
		return "", badAnswer("GET "+r.page, "no hash in it")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hashes == nil {
		c.hashes = map[string]Secret{}
	}
	h := string(m[1])
	c.hashes[r.page] = SecretOf(h)
	return h, nil
}

func (c *Client) knownHash(page string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.hashes[page].reveal(); h != "" {
		return h
	}
	return c.Hash.reveal()
}

// iconPrice reads the price in an asset out of HTML that has prices in several:
// an icon tells TON, a sign dollars. Their order has changed before.
func iconPrice(asset ton.Asset, s string) (ton.Amount, error) {
	doc, err := html.Parse(strings.NewReader(s))
	if err != nil {
		return ton.Amount{}, err
	}
	return priceIn(asset, doc)
}

func priceIn(asset ton.Asset, in *html.Node) (ton.Amount, error) {
	if asset == ton.AssetUSDT {
		return dollarPrice(in)
	}
	n := find(in, classed("icon-ton"))
	if n == nil {
		return ton.Amount{}, errors.New("no price in TON in it")
	}
	return parseAmountOf(asset, text(n))
}

// premiumPrice reads the price of so many months from the page.
func premiumPrice(asset ton.Asset, page []byte, months int64) (ton.Amount, error) {
	doc, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		return ton.Amount{}, err
	}
	item := find(doc, func(n *html.Node) bool {
		return hasClass(n, "tm-form-radio-item") && monthsOf(n) == months
	})
	if item == nil {
		return ton.Amount{}, errors.New("no such length of Premium on it")
	}
	return priceIn(asset, item)
}

// monthsOf reads how long the Premium of a radio button is: from the button,
// or from its label ("3 months", "1 year").
func monthsOf(item *html.Node) int64 {
	if n := find(item, func(n *html.Node) bool { return n.Data == "input" && attr(n, "name") == "months" }); n != nil {
		m, _ := strconv.ParseInt(attr(n, "value"), 10, 64)
		return m
	}
	label := find(item, classed("tm-radio-label"))
	if label == nil {
		return 0
	}
	number, unit, _ := strings.Cut(strings.TrimSpace(text(label)), " ")
	m, _ := strconv.ParseInt(number, 10, 32)
	if strings.HasPrefix(unit, "year") {
		m *= 12
	}
	return m
}

var grouped = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)

// parseAmount is parseAmountOf for TON.
func parseAmount(s string) (ton.Nano, error) {
	a, err := parseAmountOf(ton.AssetTON, s)
	return ton.Nano(a.Units), err
}

// parseAmountOf reads an amount in an asset, in which commas may group
// thousands.
func parseAmountOf(asset ton.Asset, s string) (ton.Amount, error) {
	s = strings.TrimSpace(s)
	if len(s) > 64 {
		return ton.Amount{}, errors.New("the amount is too long")
	}
	if grouped.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	return ton.ParseAmount(s + " " + string(asset))
}

var dollars = regexp.MustCompile(`\$([0-9][0-9,]*(?:\.[0-9]+)?)`)

// dollarPrice reads the price in dollars, of which a USDT is one in every
// offer that was seen.
func dollarPrice(n *html.Node) (ton.Amount, error) {
	found := dollars.FindAllStringSubmatch(text(n), -1)
	if len(found) != 1 {
		return ton.Amount{}, errors.New("no price in dollars in it, or several")
	}
	return parseAmountOf(ton.AssetUSDT, found[0][1])
}

// photo takes the address out of an img element.
func photo(fragment string) string {
	doc, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		return ""
	}
	n := find(doc, func(n *html.Node) bool { return n.Data == "img" })
	if n == nil {
		return ""
	}
	u, err := url.Parse(attr(n, "src"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(u.String()) > 2048 {
		return ""
	}
	return u.String()
}

// visible is the text that a piece of HTML shows.
func visible(fragment string) string {
	doc, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		return ""
	}
	return html.EscapeString(text(doc)) // words unescapes it again
}

func find(n *html.Node, ok func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && ok(d) {
			return d
		}
	}
	return nil
}

func classed(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return hasClass(n, name) }
}

func hasClass(n *html.Node, name string) bool {
	for _, f := range strings.Fields(attr(n, "class")) {
		if f == name {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && (d.Parent == nil || d.Parent.Data != "script" && d.Parent.Data != "style") {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
