package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math/bits"
	"slices"
	"time"

	"github.com/fragplan/fragplan/ton"
)

//go:embed spending.html
var pageText string

var page = template.Must(template.New("spending").Parse(pageText))

// What a page shows of long lists; the rest is counted.
const (
	shownWeeks     = 53
	shownShares    = 12
	shownPurchases = 1000
)

type htmlPage struct {
	Title, Span, Ledger string
	Totals              []string
	Fees                string
	Count, People       string
	Charts              []htmlCharts
	Purchases           []htmlPurchase // the newest first
	Hidden              int            // purchases that are not shown
}

// htmlCharts are the charts of one asset.
type htmlCharts struct {
	Asset             ton.Asset
	Weeks             []htmlBar
	First, Last, Most string // the weeks at both ends, and what the dearest cost
	Splits            []htmlSplit
}

type htmlSplit struct {
	Title string
	Bars  []htmlBar
}

// htmlBar is drawn as long as Size, a percentage such as "12.5".
type htmlBar struct {
	Name, Value, Remark string
	Size                template.CSS
}

type htmlPurchase struct{ Time, Key, Handle, Item, Price, Phase, Transaction string }

// SpendingHTML writes one page that needs nothing else: no script, no font and
// no file from anywhere.
func SpendingHTML(w io.Writer, s Spending) error {
	p := htmlPage{
		Title: "What fragplan bought", Span: s.span(), Ledger: s.Ledger,
		Count: Count(len(s.Purchases), "purchase"), People: Count(s.people(), "person"),
	}
	if !s.Part {
		p.Fees = s.Fees.Amount().String()
	}
	for _, t := range s.Totals() {
		p.Totals = append(p.Totals, t.String())
	}
	for _, asset := range s.Assets() {
		p.Charts = append(p.Charts, s.charts(asset))
	}
	for _, b := range slices.Backward(s.Purchases) {
		if len(p.Purchases) == shownPurchases {
			p.Hidden = len(s.Purchases) - shownPurchases
			break
		}
		p.Purchases = append(p.Purchases, htmlPurchase{
			Time: b.Time.Format("2006-01-02 15:04"), Key: Clean(b.Key, 0), Handle: Clean(b.Handle, 0), Item: b.Item.String(),
			Price: b.Price.String(), Phase: string(b.Phase), Transaction: b.Transaction.Hash.String(),
		})
	}
	return page.Execute(w, p)
}

func (s Spending) charts(asset ton.Asset) htmlCharts {
	c := htmlCharts{Asset: asset, Splits: []htmlSplit{
		{"By product", bars(s.By(asset, byKind))},
		{"By grant", bars(s.By(asset, byGrant))},
		{"By person", bars(s.By(asset, byPerson))},
	}}
	weeks := s.Weeks(asset)
	weeks = weeks[max(0, len(weeks)-shownWeeks):]
	var most int64
	for _, week := range weeks {
		most = max(most, week.Spent.Units)
	}
	c.Most = ton.Amount{Asset: asset, Units: most}.String()
	for _, week := range weeks {
		c.Weeks = append(c.Weeks, bar(week, most))
	}
	c.First = c.Weeks[0].Name
	if len(weeks) > 1 {
		c.Last = c.Weeks[len(weeks)-1].Name
	}
	return c
}

// bars draws the largest shares, and the rest as one.
func bars(shares []Share) []htmlBar {
	if len(shares) > shownShares {
		rest := Share{Name: fmt.Sprintf("%d others", len(shares)-shownShares+1), Spent: ton.Amount{Asset: shares[0].Spent.Asset}}
		for _, s := range shares[shownShares-1:] {
			rest.Spent.Units += s.Spent.Units
			rest.Count += s.Count
		}
		shares = append(slices.Clone(shares[:shownShares-1]), rest)
	}
	var whole int64
	for _, s := range shares {
		whole += s.Spent.Units
	}
	var list []htmlBar
	for _, s := range shares {
		list = append(list, bar(s, whole))
	}
	return list
}

func bar(s Share, whole int64) htmlBar {
	n := perMille(s.Spent.Units, whole)
	return htmlBar{
		Name: Clean(s.Name, cellWidth), Value: s.Spent.String(), Remark: Count(s.Count, "purchase"),
		Size: template.CSS(fmt.Sprintf("%d.%d", n/10, n%10)),
	}
}

// perMille is how many thousandths part is of whole, both at least 0.
func perMille(part, whole int64) uint64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(min(part, whole)), 1000)
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return q
}

func (s Spending) people() int {
	handles := map[string]bool{}
	for _, p := range s.Purchases {
		handles[p.Handle] = true
	}
	return len(handles)
}

// span is the time that is covered, in words.
func (s Spending) span() string {
	from, to := s.From, s.To.Add(-time.Nanosecond)
	switch {
	case s.From.IsZero() && s.To.IsZero() && len(s.Purchases) == 0:
		return "since the ledger began"
	case s.From.IsZero() && s.To.IsZero():
		from, to = s.Purchases[0].Time, s.Purchases[len(s.Purchases)-1].Time
	case s.From.IsZero():
		return "until " + to.UTC().Format(time.DateOnly)
	case s.To.IsZero():
		return "since " + from.UTC().Format(time.DateOnly)
	}
	first, last := from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly)
	if first == last {
		return "on " + first
	}
	return first + " to " + last
}
