package report_test

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// outside is a plan with something in every place where a text can stand.
func outside() *reconcile.Plan {
	p := november()
	p.Priced, p.Created = false, 1_795_460_400
	p.Actions[0].Name, p.Actions[0].Labels = "Ann", []spec.Label{{Name: "a", Value: "b"}}
	p.Next = []spec.Coming{{Date: schedule.DateOf(2026, 12, 1), Grant: "g", Item: product.Item{Kind: product.Stars, Quantity: 50}, People: 2}}
	p.Open = []ton.Amount{amount("1")}
	p.Limits.Campaigns = []policy.Campaign{{Name: "winter"}}
	given := reconcile.Given{Date: schedule.DateOf(2026, 11, 1), People: 2, Items: []product.Item{{Kind: product.Stars, Quantity: 50}}}
	now := given
	now.People = 3
	p.Behind = &reconcile.Background{
		Month: "2026-11", Paid: []ton.Amount{amount("3")}, Before: []ton.Amount{amount("10")},
		Prices: []reconcile.LastPrice{{Item: p.Actions[0].Item, Price: amount("4"), Time: 1_795_000_000}},
		Series: []reconcile.Change{{Grant: "thanks", Then: given, Now: now}},
	}
	return p
}

// filled puts a text into every string and every glyph of a value, at any depth.
func filled(v reflect.Value, with string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			filled(v.Elem(), with)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i), with)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			filled(v.Index(i), with)
		}
	case reflect.String:
		v.SetString(with)
	}
}

var github = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()

// tree is what a parser makes of a comment: its nodes without their texts, and
// of code spans that they are there.
func tree(t testing.TB, markdown string) (nodes []string, code string) {
	t.Helper()
	source := []byte(markdown)
	var b strings.Builder
	err := ast.Walk(github.Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				b.Write(c.(*ast.Text).Segment.Value(source))
			}
			b.WriteByte('\n')
			return ast.WalkSkipChildren, nil // whether a sentence of ours is one depends on the data
		case *ast.Text:
			return ast.WalkContinue, nil
		}
		nodes = append(nodes, n.Kind().String())
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return nodes, b.String()
}

func comment(t testing.TB, p *reconcile.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.PlanMarkdown(&b, p, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkComment: a text from outside, wherever it stands in a plan, makes no node
// of a comment but text and code.
func checkComment(t testing.TB, hostile string) {
	t.Helper()
	want, _ := tree(t, comment(t, withTexts("plain")))
	got, _ := tree(t, comment(t, withTexts(hostile)))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q makes\n%v, want\n%v, of\n%s", hostile, got, want, comment(t, withTexts(hostile)))
	}
	for _, kind := range []ast.NodeKind{ast.KindLink, ast.KindImage, ast.KindAutoLink, ast.KindRawHTML, ast.KindHTMLBlock, ast.KindCodeBlock, ast.KindFencedCodeBlock} {
		for _, node := range got {
			if node == kind.String() {
				t.Errorf("%q makes a %s", hostile, node)
			}
		}
	}
}

// withTexts is a plan in which every text is the same, as a plan file that
// somebody else wrote may hold it.
func withTexts(s string) *reconcile.Plan {
	file, err := outside().Encode()
	if err != nil {
		panic(err)
	}
	p, err := reconcile.DecodePlan(file) // a copy of everything
	if err != nil {
		panic(err)
	}
	filled(reflect.ValueOf(p), s)
	return p
}

var markdownNames = append([]string{
	"a|b", `a\|b`, `a\\|b`, `\`, "`", "``|``", "|", "| | |\n|---|", "www.evil.example", "https://evil.example/?a=b", "ann@evil.example", "**x**", "~~x~~", "[x]: http://x",
	"# x", "> x", "1. x", "---", "```\nx\n```", "<!-- x -->", "&lt;", ":tada:", "#12", "!4", "$x$", "[[x]]", "a . b. www.x.y",
}, hostileNames...)

// No text of a plan, and no name that somebody gives himself, makes anything in
// a comment but text and code.
func TestCommentsHoldNothingButTextAndCode(t *testing.T) {
	for _, name := range markdownNames {
		checkComment(t, name)
	}
}

func FuzzComments(f *testing.F) {
	for _, name := range markdownNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { checkComment(t, name) })
}

// A name reaches the reader as it is written, but for what can't be shown.
func TestCommentsShowNames(t *testing.T) {
	for _, name := range []string{"Ann | Design", "a`b``c", `a\b`, "<b>", "*a*", "李 Анна", "&amp;"} {
		p := outside()
		p.Actions[0].Why = name
		_, code := tree(t, comment(t, p))
		if !strings.Contains(strings.ReplaceAll(code, `\|`, "|"), "\n"+name+"\n") {
			t.Errorf("%q is not in\n%s", name, code)
		}
	}
}

// A comment that would be too long loses lines from the middle of its table,
// says how many, and keeps the sums, what is required and the digest.
func TestCommentsAreCutInTheMiddle(t *testing.T) {
	p := outside()
	line := p.Actions[0]
	p.Actions = nil
	for i := range 10_000 {
		a := line
		a.Key, a.Why = fmt.Sprintf("grant-%05d/ann", i), strings.Repeat("why ", 50)
		p.Actions = append(p.Actions, a)
	}
	for i := range 2_000 {
		a := line
		a.Verb, a.Key, a.Reason = reconcile.Blocked, fmt.Sprintf("blocked-%05d/ann", i), strings.Repeat("no ", 60)
		p.Actions = append(p.Actions, a)
	}
	got := comment(t, p)
	if len(got) > 65_000 {
		t.Errorf("%d bytes", len(got))
	}
	for _, want := range []string{"**Plan: 10000 to buy, 0 to top up, 0 to retire, 2000 blocked", "Merging allows **at most ", "**Still required**", "`grant-00000/ann`", "`blocked-01999/ann`", "\nDigest: `" + p.Digest().String()} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%.3000s", want, got)
		}
	}
	hidden := regexp.MustCompile(`(?m)^\| \| and (\d+) more, not shown`).FindStringSubmatch(got)
	shown := strings.Count(got, "/ann` | ")
	if hidden == nil || hidden[1] != fmt.Sprint(12_000-shown) {
		t.Errorf("%d lines are shown, and %v more are counted", shown, hidden)
	}
	if required := strings.Index(got, "and 1"); required < 0 {
		t.Error("what is required is not cut")
	}
	nodes, _ := tree(t, got)
	if n := len(nodes); n < 500 {
		t.Errorf("only %d nodes", n)
	}
}

// However many campaigns a project has, its comment fits: named are the budgets
// of those that have a line or a date to come, ten at most, and the rest is
// counted.
func TestCampaignsFit(t *testing.T) {
	p := outside()
	p.Next[0].Grant = "later"
	p.Limits.Campaigns = nil
	campaign := func(name string, grants ...string) {
		p.Limits.Campaigns = append(p.Limits.Campaigns, policy.Campaign{Name: name, Grants: grants, Max: []policy.Rate{{Max: amount("5")}}})
	}
	for i := range 900 {
		campaign(fmt.Sprintf("a-campaign-of-last-year-with-a-name-of-some-length-%d", i), "gone")
	}
	campaign("winter", "later")
	campaign("now", "x")
	p.Actions[0].Scopes = []string{policy.CampaignScope("now")}
	got := comment(t, p)
	if len(got) > 60_000 || strings.Contains(got, "last-year") || strings.Contains(got, " more campaign") {
		t.Errorf("%d bytes:\n%.3000s", len(got), got)
	}
	for _, want := range []string{"Campaign `winter` has a budget of 5 TON.", "Campaign `now` has a budget of 5 TON."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%.3000s", want, got)
		}
	}
	for i := range 900 {
		campaign(fmt.Sprintf("of-this-year-%d", i), "later")
	}
	got = comment(t, p)
	if n := strings.Count(got, "has a budget"); n != 10 || len(got) > 60_000 || !strings.Contains(got, "And 892 campaigns more.") {
		t.Errorf("%d budgets in %d bytes:\n%.3000s", n, len(got), got)
	}
}
