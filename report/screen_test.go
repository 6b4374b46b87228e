package report_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

var update = flag.Bool("update", false, "rewrite the screens in testdata")

// november is a plan with every kind of line and with texts that people and
// strangers have written.
func november() *reconcile.Plan {
	stars := func(n int64) product.Item { return product.Item{Kind: product.Stars, Quantity: n} }
	topup := product.Item{Kind: product.TopUp, Quantity: 5}
	return &reconcile.Plan{
		FormatVersion: "1.0", Ledger: "l", Priced: true, Sandbox: true, Limits: limits,
		Actions: []reconcile.Action{
			{Verb: reconcile.Buy, Key: "best-meme/ann", Handle: "ann_petrova", Item: stars(500), Estimate: amount("4.7021"), Cap: amount("6.5"), Why: "best meme of November"},
			{Verb: reconcile.TopUp, Key: "helpers/bob", Handle: "bob_k", Item: stars(100), Estimate: amount("0.9404"), Cap: amount("1.3"), Have: 50},
			{Verb: reconcile.Blocked, Code: reconcile.CodeOneWinner, Key: "first-prize/cleo", Handle: "cleo_art", Item: stars(1000), Place: "grants/november.yaml:9",
				Reason: "first-prize has one winner and ann (@ann_petrova) got it: cleo (@cleo_art) can't get it too; use another key"},
			{Verb: reconcile.Buy, Key: "evil/@evil_user", Handle: "evil_user", Item: stars(50), Estimate: amount("0.65"), Cap: amount("0.65"), Why: "bad \x1b[2J\u202eesrever\u200b \a李李李 \x1b]0;title\a"},
			{Verb: reconcile.Buy, Key: "promo/@our_channel", Handle: "our_channel", Item: topup, Estimate: amount("5"), Cap: amount("5")},
			{Verb: reconcile.Unknown, Key: "late/dan", Handle: "dan", Item: stars(60), Reason: "a payment for it is in flight and is settled first"},
			{Verb: reconcile.Retire, Key: "old/ann", Handle: "ann_petrova", Item: stars(50), Reason: "no longer written; what was given stays given"},
			{Verb: reconcile.NoOp, Key: "same/bob", Handle: "bob_k", Item: stars(70), Why: "as before"},
		},
	}
}

func draw(t *testing.T, show func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := show(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What people see, to the last column: plans at several widths, an apply in a
// log and on a terminal, the ledger, a comment. Escapes stand as "^[".
func TestScreens(t *testing.T) {
	const file = "testdata/screens.txtar"
	screens := map[string]string{}
	for _, width := range []int{0, 50, 80, 130} {
		screens[fmt.Sprintf("plan at %d", width)] = draw(t, func(b *bytes.Buffer) error {
			return report.Plan(b, november(), report.Style{Width: width}, false)
		})
	}
	screens["plan in colour"] = draw(t, func(b *bytes.Buffer) error {
		return report.Plan(b, november(), report.Style{Width: 100, Color: true}, true)
	})
	stopped := &reconcile.Plan{Violations: []reconcile.Violation{{Rule: "suspected_rename", Place: "grants/november.yaml:7",
		Message: "thank-you/bob looks like thanks/bob under another name: same person, product and amount. It was paid; buying thank-you/bob would pay again. Write the old key back"}}}
	screens["stopped plan"] = draw(t, func(b *bytes.Buffer) error { return report.Plan(b, stopped, report.Style{Width: 80}, false) })
	only := november()
	only.Actions, only.Priced = only.Actions[4:5], false
	screens["plan of a top-up"] = draw(t, func(b *bytes.Buffer) error { return report.Plan(b, only, report.Style{}, false) })
	screens["comment"] = draw(t, func(b *bytes.Buffer) error { return report.PlanMarkdown(b, november(), nil) })
	screens["comment without a session"] = draw(t, func(b *bytes.Buffer) error { return report.PlanMarkdown(b, outside(), nil) })
	aged := november()
	aged.Created = 1_795_460_400
	screens["plan of yesterday"] = draw(t, func(b *bytes.Buffer) error {
		return report.Plan(b, aged, report.Style{Width: 80, Now: time.Unix(aged.Created, 0).Add(25*time.Hour + time.Second)}, false)
	})
	synctest.Test(t, func(t *testing.T) {
		screens["apply in a log"] = draw(t, func(b *bytes.Buffer) error { applied(report.Lines(b, report.Style{})); return nil })
		screens["apply on a terminal"] = draw(t, func(b *bytes.Buffer) error {
			applied(report.Live(b, report.Style{Width: 80, Color: true}, nil))
			return nil
		})
	})

	archive, err := txtar.ParseFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if *update {
		archive = &txtar.Archive{Comment: []byte("Written by: go test ./report -run Screens -update\n")}
		for _, name := range slices.Sorted(maps.Keys(screens)) {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(visible(screens[name]))})
		}
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	for name, got := range screens {
		if d := cmp.Diff(want[name], visible(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("nothing draws %q", name)
	}
}

// applied shows a run that is interrupted, waits, fails once and ends.
func applied(h report.Handler) {
	p := november()
	h.Progress(reconcile.Progress{Stage: "waiting", Payment: 3, Orders: 2})
	h.Plan(p)
	order := func(stage string, a reconcile.Action, text string) {
		h.Progress(reconcile.Progress{Stage: stage, Key: a.Key, Handle: a.Handle, Item: a.Item, Amount: a.Estimate, Text: text})
	}
	order("quoted", p.Actions[0], "")
	order("quoted", p.Actions[1], "")
	h.Progress(reconcile.Progress{Stage: "refused", Key: "evil/@evil_user", Text: "no such Telegram user: \"\x1b[31mNo\u202e users found.\""})
	h.Progress(reconcile.Progress{Stage: "signed", Payment: 4, Orders: 2})
	time.Sleep(2500 * time.Millisecond) // by the clock of the test, which does not wait
	order("paid", p.Actions[0], "")
	order("paid", p.Actions[1], "")
	h.Warn("Stopping: nothing new is begun, and what is under way is watched to its end. Interrupt again to stop at once.")
	order("acknowledged", p.Actions[0], "")
	order("delivered", p.Actions[0], "")
	h.Done(reconcile.Result{
		Run: 2, Bought: []ledger.OrderID{1, 2}, Undelivered: []ledger.OrderID{2}, Settled: 1, Payments: 1, Spent: 5_642_500_000, Fees: 6_278_402,
		Problems: []reconcile.Problem{{Key: "evil/@evil_user", Code: "no_recipient", Reason: "no such Telegram user: \"\x1b[31mNo\u202e users found.\""}},
	}, errors.New("interrupted"))
}

func visible(s string) string {
	s = strings.ReplaceAll(s, "\r\x1b[K", "\n<clear>")
	return strings.ReplaceAll(s, "\x1b", "^[")
}

// A narrow terminal loses no word of a plan, and from 50 columns on no line is
// wider than it.
func TestPlanFitsEveryTerminal(t *testing.T) {
	show := func(width int) string {
		return draw(t, func(b *bytes.Buffer) error { return report.Plan(b, november(), report.Style{Width: width}, true) })
	}
	want := strings.Fields(show(0))
	for width := 1; width <= 200; width++ {
		got := show(width)
		if d := cmp.Diff(want, strings.Fields(got)); d != "" {
			t.Fatalf("%d columns (-want +got):\n%s", width, d)
		}
		for line := range strings.Lines(got) {
			// The three ideographs take two columns each.
			if n := utf8.RuneCountInString(line) - 1 + 3*strings.Count(line, "李李李"); width >= 50 && n >= width {
				t.Errorf("%d columns, but this takes %d: %q", width, n, line)
			}
		}
	}
}

// Money of different kinds is never added up.
func TestAssetsStandApart(t *testing.T) {
	p := plan(true)
	p.Actions[1].Estimate, p.Actions[1].Cap = ton.Amount{Asset: ton.AssetUSDT, Units: 1_500_000}, ton.Amount{Asset: ton.AssetUSDT, Units: 2_000_000}
	text := draw(t, func(b *bytes.Buffer) error { return report.Plan(b, p, report.Style{}, false) })
	if want := "Cost: 2.5 TON and 1.5 USDT (at most 3 TON and 2 USDT)."; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	text = draw(t, func(b *bytes.Buffer) error { return report.PlanJSON(b, p, nil) })
	if want := `"cost":[{"asset":"TON","nano":"2500000000"},{"asset":"USDT","units":"1500000"}]`; !strings.Contains(text, want) {
		t.Errorf("no %s in\n%s", want, text)
	}
}
