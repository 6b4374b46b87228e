package report_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A person is told each thing once, in plain words, with what to do about it,
// and nothing of what only waits.
func TestNotices(t *testing.T) {
	today := schedule.DateOf(2026, 12, 10)
	book := ledger.NewState()
	add := func(id ledger.OrderID, key string, phase ledger.Phase) {
		book.Add(&ledger.Order{ID: id, Key: key, Generation: 1, Part: 1, Phase: phase, Item: product.Item{Kind: product.Stars, Quantity: 100}})
		book.LastOrder = id
	}
	add(1, "a/ann", ledger.Delivered)
	add(2, "b/bob", ledger.Held)
	add(3, "c/cleo", ledger.Acknowledged)
	stars := product.Item{Kind: product.Stars, Quantity: 100}
	o := report.Outcome{
		Book: book, Today: today,
		Want: []spec.Occurrence{{Key: "late/ann", Date: today - 2}, {Key: "fresh/ann", Date: today - 1}, {Key: "wait/ann", Date: today - 9}, {Key: "a/ann", Date: today - 9}},
		Plan: &reconcile.Plan{Actions: []reconcile.Action{
			{Verb: reconcile.Buy, Key: "late/ann", Item: stars, Want: 100},
			{Verb: reconcile.Buy, Key: "fresh/ann", Item: stars, Want: 100},
			{Verb: reconcile.Buy, Key: "a/ann", Item: stars, Want: 100},
			{Verb: reconcile.Blocked, Code: reconcile.CodePremiumRuns, Key: "wait/ann", Want: 3},
			{Verb: reconcile.Blocked, Code: reconcile.CodeHeld, Key: "b/bob", Reason: "order 2 is held: its money\ncame back"},
			{Verb: reconcile.Blocked, Code: reconcile.CodeOrderLimit, Key: "dear/\x1b[31mdan", Reason: "too dear"},
		}},
		Result: reconcile.Result{
			Bought: []ledger.OrderID{1}, Spent: 3 * ton.TON / 2, SpentUSDT: ton.Amount{Asset: ton.AssetUSDT, Units: 1_500_000},
			Problems: []reconcile.Problem{{Key: "b/bob", Code: "bounced", Reason: "its money came back"}, {Key: "p/pia", Code: string(reconcile.CodePremiumRuns), Reason: "later"}},
		},
		Dry: &reconcile.Dry{Date: today + 14, Grant: "mod-thanks"}, Sessions: []string{"the cookies of the session end at 2026-12-11T00:00:00Z"},
		Silence: &report.Silence{Since: time.Date(2026, 12, 8, 7, 17, 9, 0, time.UTC), Lasts: 50*time.Hour + time.Minute},
		Err:     errors.New("the chain is\nahead"), Hint: "Look.",
	}
	var got []string
	for _, n := range report.Notices(o) {
		got = append(got, n.Kind+": "+n.Text+" → "+n.Next)
	}
	want := []string{
		"bought: Bought 1 gift for 1.5 TON and 1.5 USDT: a/ann. → ",
		"held: b/bob is held: its money came back → fragplan ledger show b/bob",
		`refused: dear/\u{1b}[31mdan was not bought: too dear → fragplan explain dear/\u{1b}[31mdan`,
		"stopped: The run stopped: the chain is ahead → Look.",
		"undelivered: Paid, and Fragment does not show the delivery yet: c/cleo. → fragplan ledger show KEY",
		"overdue: Due for 2 days or more, and not bought: late/ann. → fragplan plan",
		"low: The wallet runs dry on 2026-12-24, at mod-thanks. → fragplan forecast",
		"session: the cookies of the session end at 2026-12-11T00:00:00Z. → log in at fragment.com anew before that",
		"silent: No run has ended well for 50 hours, since 2026-12-08 07:17 UTC. → fragplan doctor",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i, n := range report.Notices(o) {
		if n.Kind != spec.NoticeKinds[i] {
			t.Errorf("%s is not the next kind of the documented ones", n.Kind)
		}
		if strings.ContainsAny(n.Text+n.Next, "\n\x1b") {
			t.Errorf("%q", n)
		}
	}
	if over := (report.Silence{Since: time.Unix(0, 0), Lasts: 119 * time.Hour, Over: true}); over.String() != "Before this run none had ended well for 4 days, since 1970-01-01 00:00 UTC" {
		t.Error(over)
	}
	o.Dry.Date++
	o = report.Outcome{Dry: o.Dry, Today: today}
	if got := report.Notices(o); len(got) > 0 {
		t.Errorf("nothing happened, and told is %v", got)
	}
}

// Of many keys a notice names some, and holds all for programs.
func TestANoticeOfManyKeys(t *testing.T) {
	book := ledger.NewState()
	var o report.Outcome
	for id := ledger.OrderID(1); id <= 300; id++ {
		book.Add(&ledger.Order{ID: id, Key: "g/" + strings.Repeat("k", int(id%9)+1), Generation: 1, Part: int(id), Phase: ledger.Delivered})
		o.Result.Bought = append(o.Result.Bought, id)
	}
	o.Book, o.Result.Spent = book, ton.TON
	list := report.Notices(o)
	if len(list) != 1 || len(list[0].Keys) != 300 || len(list[0].Text) > 200 || !strings.HasSuffix(list[0].Text, " and 295 more.") {
		t.Errorf("%+v", list)
	}
}
