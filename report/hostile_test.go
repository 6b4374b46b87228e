package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// hostileNames are display names that people may give themselves.
var hostileNames = []string{
	"\x1b[2J\x1b]0;paid\x07", "\u009b31m", "a\rApply complete!", "a\nb\u2028c\u2029d\u0085e\vf\fg",
	"\u202egnp.exe\u2066\u2069\u200f", "A\u200bn\u2060n\ufeff", "A\u0301\u0301\u0301\u0301\u0301", "\ufe0f\u034f\u115f\u3164\u2800",
	"<img src=x onerror=alert(1)>", "</code><script>1</script>&amp;&#27;", "![x](http://x/y.png) [a](b) **b** `c` ``d`` | @team #1", "- [x] approved\n\n### Plan: 0 to buy",
	"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "%s%n%d", "\U000e0041\U000e007f", "\xff\xfe", "\u05d0\u05d1 5", strings.Repeat("\U0001f600", 600), "",
}

// views are everything that shows a display name, and how many lines it takes.
func views(name string) map[string]func(io.Writer) error {
	stars := product.Item{Kind: product.Stars, Quantity: 50}
	o := &ledger.Order{ID: 1, Key: "g/ann", Generation: 1, Part: 1, Person: "ann", Handle: "ann_p", Item: stars, Cap: amount("1"), Reserve: amount("1"), Phase: ledger.Quoted,
		Invoice: &ledger.Invoice{N: 1, Name: name, Price: amount("1")}}
	state := ledger.NewState()
	state.Add(o)
	state.Pins["ann_p"] = ledger.Pin{Identity: ledger.Identity{Name: name, Photo: ton.Hash{1}}, N: 1, Order: 1, Reason: ledger.PinFirst}
	plan := &reconcile.Plan{Actions: []reconcile.Action{{Verb: reconcile.Buy, Key: "g/ann", Person: "ann", Handle: "ann_p", Name: name, Item: stars, Cap: amount("1"), Estimate: amount("1")}}}
	said := "Fragment shows " + name + " for @ann_p"
	result := reconcile.Result{Problems: []reconcile.Problem{{Key: "g/ann", Code: reconcile.CodeIdentity, Reason: said}}}
	run := func(h report.Handler) error {
		h.Plan(plan)
		h.Progress(reconcile.Progress{Stage: "changed", Key: "g/ann", Handle: "ann_p", Item: stars, Order: 1, Text: said})
		h.Progress(reconcile.Progress{Stage: "refused", Key: "g/ann", Text: said})
		h.Warn(said)
		h.Done(result, nil)
		return nil
	}
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	pinned := ledger.PersonPinned{Order: 1, Identity: ledger.Identity{Name: name}, Reason: ledger.PinChanged}
	return map[string]func(io.Writer) error{
		"plan": func(w io.Writer) error { return report.Plan(w, plan, report.Style{}, true) },
		"markdown": func(w io.Writer) error {
			return report.PlanMarkdown(w, plan, &report.Signed{By: []string{name}, Lacks: said})
		},
		"lines":       func(w io.Writer) error { return run(report.Lines(w, report.Style{})) },
		"ledger show": func(w io.Writer) error { return report.LedgerShow(w, state, "g/ann", report.Style{}) },
		"ledger list": func(w io.Writer) error { return report.LedgerList(w, state, report.Style{}) },
		"explain": func(w io.Writer) error {
			e := reconcile.Explanation{Key: "g/ann", Lines: plan.Actions, Next: said, Not: said, Through: []spec.Step{{What: said, Pos: spec.Pos{File: said, Line: 1}}}}
			return report.Explain(w, plan, e, []report.Moment{{Time: now(), Event: pinned}}, report.Style{})
		},
		"plan json":   func(w io.Writer) error { return report.PlanJSON(w, plan, []string{said}) },
		"stream json": func(w io.Writer) error { return run(report.JSONStream(w, "dev", now)) },
		"ledger json": func(w io.Writer) error { return report.LedgerJSON(w, state) },
	}
}

func shown(t testing.TB, name string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for view, write := range views(name) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatalf("%s: %v", view, err)
		}
		texts[view] = b.String()
	}
	return texts
}

// plainViews are those of a name that harms nothing.
var plainViews = sync.OnceValue(func() map[string]string {
	texts := map[string]string{}
	for view, write := range views("Ann P.") {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			panic(err)
		}
		texts[view] = b.String()
	}
	return texts
})

// checkViews: a display name adds no line, moves no cursor and turns no text around,
// stays inside its code span, and reaches programs unchanged.
func checkViews(t testing.TB, name string) {
	t.Helper()
	plain := plainViews()
	for view, text := range shown(t, name) {
		if got, want := strings.Count(text, "\n"), strings.Count(plain[view], "\n"); got != want {
			t.Errorf("%s of %q has %d lines, not %d:\n%s", view, name, got, want, text)
		}
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) || unicode.In(r, unicode.Bidi_Control, unicode.Variation_Selector) {
				t.Errorf("%s of %q holds %U", view, name, r)
			}
		}
		if view == "markdown" {
			if outside := outsideCode(text); outside != outsideCode(plain[view]) {
				t.Errorf("markdown of %q leaves its code span: %q", name, outside)
			}
		}
		if strings.HasSuffix(view, "json") {
			if err := ascii(text); err != nil {
				t.Errorf("%s of %q: %v", view, name, err)
			}
		}
	}
}

func ascii(text string) error {
	for line := range strings.Lines(text) {
		if strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) {
			return errors.New("it is not ASCII")
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			return err
		}
	}
	return nil
}

// outsideCode is what CommonMark reads of a text outside of code spans: a span
// ends at the next run of backticks that is just as long as the one that began it.
func outsideCode(text string) string {
	var b strings.Builder
	for text != "" {
		n := len(text) - len(strings.TrimLeft(text, "`"))
		if n == 0 {
			next := strings.IndexByte(text+"`", '`')
			b.WriteString(text[:next])
			text = text[next:]
			continue
		}
		fence, rest := text[:n], text[n:]
		text = rest
		for at := 0; at < len(rest); {
			next := strings.IndexByte(rest[at:]+"`", '`') + at
			if next >= len(rest) {
				b.WriteString(fence) // no span at all
				break
			}
			run := len(rest[next:]) - len(strings.TrimLeft(rest[next:], "`"))
			if run == n {
				text = rest[next+run:]
				break
			}
			at = next + run
		}
	}
	return b.String()
}

// Nothing of a display name reaches a terminal, Markdown or JSON unescaped.
func TestHostileNames(t *testing.T) {
	for _, name := range hostileNames {
		checkViews(t, name)
		checkViews(t, ledger.NormalName(name))
	}
}

func FuzzHostileNames(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { checkViews(t, name) })
}
