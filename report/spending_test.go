package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

// A Monday.
var firstWeek = time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC)

// hostile is a name that would do harm in every sink that forgets to escape.
const hostile = "</td><script>alert(1)</script>\x1b[31m=1+1,\"`*_[x](y)\u202e"

// year is a ledger of 60 weeks: every week a purchase in TON, every second
// one in USDT too.
func year(t *testing.T) report.Spending {
	t.Helper()
	book := ledger.NewState()
	book.Ledger = "0123456789abcdef"
	for n := range 60 {
		at := firstWeek.AddDate(0, 0, 7*n)
		add := func(key, handle string, item product.Item, price ton.Amount) {
			id := book.LastOrder + 1
			book.Add(&ledger.Order{
				ID: id, Key: key, Person: handle, Handle: handle, Item: item, Reserve: price, Phase: ledger.Delivered,
				Time: uint32(at.Unix()), Evidence: ledger.EvidencePage, Generation: 1, Part: 1,
			})
		}
		add(fmt.Sprintf("weekly/%d", n), fmt.Sprintf("person_%02d", n%25), product.Item{Kind: product.Stars, Quantity: 50}, ton.Amount{Asset: ton.AssetTON, Units: int64(n+1) * 100_000_000})
		if n%2 == 0 {
			add(fmt.Sprintf("bonus/%d", n), hostile, product.Item{Kind: product.Premium, Quantity: 3}, ton.Amount{Asset: ton.AssetUSDT, Units: 12_000_000})
		}
	}
	return report.SpendingOf(book, time.Time{}, time.Time{})
}

// Sums are those of the purchases, assets are never added to one another, and
// a week without purchases has its place.
func TestSpendingAddsUp(t *testing.T) {
	s := year(t)
	var tons int64
	for n := range 60 {
		tons += int64(n+1) * 100_000_000
	}
	if got := fmt.Sprint(s.Totals()); got != fmt.Sprint([]ton.Amount{{Asset: ton.AssetTON, Units: tons}, {Asset: ton.AssetUSDT, Units: 30 * 12_000_000}}) {
		t.Errorf("totals are %s", got)
	}
	for _, asset := range s.Assets() {
		var inWeeks, inShares int64
		for _, w := range s.Weeks(asset) {
			inWeeks += w.Spent.Units
		}
		for _, share := range s.By(asset, func(p report.Purchase) string { return p.Handle }) {
			inShares += share.Spent.Units
		}
		if inWeeks != inShares {
			t.Errorf("%s: %d by week, %d by person", asset, inWeeks, inShares)
		}
	}
	if weeks := s.Weeks(ton.AssetUSDT); len(weeks) != 59 || weeks[1].Count != 0 || weeks[1].Name != "2025-09-08" {
		t.Errorf("weeks in USDT: %d, the second %v", len(weeks), weeks[1])
	}
}

// A span counts what was paid on its days and nothing else.
func TestASpanOfSpending(t *testing.T) {
	book := ledger.NewState()
	for i, at := range []string{"2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		book.Add(&ledger.Order{ID: ledger.OrderID(i + 1), Key: "a/b", Generation: 1, Part: i + 1, Phase: ledger.Paid, Time: uint32(when.Unix()), Item: product.Item{Kind: product.Stars, Quantity: 50}, Reserve: ton.TON.Amount()})
	}
	s := report.SpendingOf(book, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	if len(s.Purchases) != 2 || s.Purchases[0].Order != 2 || s.Purchases[1].Order != 3 {
		t.Errorf("november has %v", s.Purchases)
	}
}

// Nothing of a name becomes markup: the page holds only the elements and the
// attributes of its template, no script and no address to load from.
func TestThePageHoldsNoMarkupOfNames(t *testing.T) {
	var b bytes.Buffer
	if err := report.SpendingHTML(&b, year(t)); err != nil {
		t.Fatal(err)
	}
	if name := os.Getenv("FRAGPLAN_TEST_PAGE"); name != "" {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	elements := map[string]bool{}
	for n := range tree.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		elements[n.Data] = true
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && a.Val != "data:," {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	if elements["script"] || elements["img"] || elements["a"] {
		t.Errorf("the page has %v", elements)
	}
}

// A spreadsheet gets every purchase as one record, and no cell as a formula.
func TestSpreadsheetsRunNothing(t *testing.T) {
	var b bytes.Buffer
	s := year(t)
	if err := report.SpendingCSV(&b, s); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(s.Purchases)+1 {
		t.Errorf("%d records for %d purchases", len(records), len(s.Purchases))
	}
	for _, record := range records {
		for _, cell := range record {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("a cell begins as a formula: %q", cell)
			}
		}
	}
}

// Whatever a name holds, every view is clean text or one JSON object.
func TestViewsOfSpendingAreClean(t *testing.T) {
	s := year(t)
	list := report.PurchasesOf(s, "bonus/0")
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text":    func(b *bytes.Buffer) error { return report.SpendingText(b, s, report.Style{}) },
		"post":    func(b *bytes.Buffer) error { return report.SpendingPost(b, s) },
		"receipt": func(b *bytes.Buffer) error { return report.Receipt(b, "bonus/0", list, report.Style{}) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") || b.Len() == 0 {
			t.Errorf("%s is not clean: %q", name, b.String()[:200])
		}
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"report":  func(b *bytes.Buffer) error { return report.SpendingJSON(b, s) },
		"receipt": func(b *bytes.Buffer) error { return report.ReceiptJSON(b, "bonus/0", list) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(b.Bytes(), &v); err != nil || v["format_version"] != report.JSONFormat {
			t.Errorf("%s: %v", name, err)
		}
	}
}
