package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

// Text from outside is one visible line of limited width.
func TestClean(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"Anna", 0, "Anna"},
		{"Анна 李", 0, "Анна 李"},
		{"a\x1b[2Jb", 0, `a\u{1b}[2Jb`},
		{"a\nb\rc\u0085", 0, `a\u{a}b\u{d}c\u{85}`},
		{"a\u202eb\u200b\ufeff", 0, `a\u{202e}b\u{200b}\u{feff}`},
		{"a\xffb", 0, `a\u{fffd}b`},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcde…"},
		{"李李李", 5, "李李…"},
		{"e\u0301\u0301\u0301", 0, "e\u0301\u0301" + `\u{301}`},
		// Emoji of several characters stay whole.
		{"❤\ufe0f you", 0, "❤\ufe0f you"},
		{"👩\u200d👩\u200d👧", 0, "👩\u200d👩\u200d👧"},
		{"👩🏽\u200d❤\ufe0f\u200d👨🏿", 0, "👩🏽\u200d❤\ufe0f\u200d👨🏿"},
		{"🏳\ufe0f\u200d🌈ab", 5, "🏳\ufe0f\u200d🌈…"},
		{"👩\u200d👩", 3, "👩…"},
		// What makes them stands nowhere else.
		{"a\u200db\ufe0f", 0, `a\u{200d}b\u{fe0f}`},
		{"\u200d👩\u200d", 0, `\u{200d}👩\u{200d}`},
		{"👩\u200da\u200d👩", 0, `👩\u{200d}a\u{200d}👩`},
		{"👩\u200d\u200d👩", 0, `👩\u{200d}\u{200d}👩`},
		{"❤\ufe0f\ufe0f", 0, "❤\ufe0f" + `\u{fe0f}`},
		{"\ufe0f❤\ufe0e", 0, `\u{fe0f}❤\u{fe0e}`},
		{"👩\u202e\u200d👩\u200b👩\u2060", 0, `👩\u{202e}\u{200d}👩\u{200b}👩\u{2060}`},
		{"٣\u200d٣", 0, `٣\u{200d}٣`},
		{"\U0001f3fb\u200d👩\U000e0062", 0, "\U0001f3fb" + `\u{200d}👩\u{e0062}`},
	} {
		if got := report.Clean(c.in, c.max); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
}

// Whatever comes in, what comes out has no control or format characters, is
// UTF-8, is one line, keeps its limit and is not changed a second time.
func FuzzClean(f *testing.F) {
	f.Add("a\x1b]0;x\a\u202e\u2028\xff", 10)
	f.Add("e\u0301\u0301\u0301李👩‍👩‍👧", 3)
	f.Fuzz(func(t *testing.T, s string, max int) {
		got := report.Clean(s, max)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is no UTF-8", got)
		}
		marks := 0
		runes := []rune(got)
		for i, r := range runes {
			emoji := func(at int) bool {
				return at >= 0 && at < len(runes) && runes[at] > 0x2300 && !unicode.IsLetter(runes[at])
			}
			if r == 0x200d && emoji(i-1) && emoji(i+1) {
				marks++
				continue
			}
			if r != ' ' && !unicode.IsPrint(r) {
				t.Fatalf("%q holds %U", got, r)
			}
			if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
				marks++
			}
		}
		if n := utf8.RuneCountInString(got) - marks; max > 0 && n > max {
			t.Fatalf("%q has %d columns, more than %d", got, n, max)
		}
		if again := report.Clean(got, max); again != got {
			t.Fatalf("%q became %q", got, again)
		}
	})
}

func amount(s string) ton.Amount {
	a, err := ton.ParseAmount(s + " TON")
	if err != nil {
		panic(err)
	}
	return a
}

// limits allow what the plans here cost.
var limits = func() policy.Limits {
	plenty := []ton.Amount{amount("100")}
	return policy.Limits{Order: plenty, Run: plenty, Month: plenty, Undelivered: plenty}
}()

func plan(priced bool) *reconcile.Plan {
	stars := product.Item{Kind: product.Stars, Quantity: 500}
	return &reconcile.Plan{
		FormatVersion: "1.0", Ledger: "l", Priced: priced, Limits: limits,
		Actions: []reconcile.Action{
			{Verb: reconcile.Buy, Key: "bug/anna", Handle: "anna_k", Item: stars, Estimate: amount("2.5"), Cap: amount("3"), Why: "found a bug"},
			{Verb: reconcile.TopUp, Key: "help/bo", Handle: "bo", Item: stars, Estimate: amount("2.5"), Cap: amount("3")},
			{Verb: reconcile.Blocked, Code: reconcile.CodeHeld, Key: "x/`y`", Handle: "eve", Item: stars, Reason: "``` @all\x1b[2J", Place: "a.yaml:3"},
			{Verb: reconcile.NoOp, Key: "same/cy", Handle: "cy", Item: stars},
		},
	}
}

// A plan shows a legend of the glyphs in use, aligned lines and its sums.
func TestPlan(t *testing.T) {
	none := &reconcile.Plan{Actions: plan(true).Actions[3:]}
	stopped := &reconcile.Plan{Violations: []reconcile.Violation{{Rule: "renamed", Message: "a key\nvanished", Place: "g.yaml:7"}}}
	for name, c := range map[string]struct {
		plan *reconcile.Plan
		want string
	}{
		"priced": {plan(true), "" +
			"  + buy\n  ~ top up: buy the difference\n  ! blocked\n\n" +
			"  +  bug/anna  500 stars  @anna_k  2.5 TON  found a bug\n" +
			"  ~  help/bo   500 stars  @bo      2.5 TON\n" +
			"  !  x/`y`     500 stars  @eve              ``` @all\\u{1b}[2J (a.yaml:3)\n\n" +
			"Plan: 1 to buy, 1 to top up, 0 to retire, 1 blocked. Cost: 5 TON (at most 6 TON).\n" +
			"At most 6.023 TON can leave the wallet: 6 TON for what is bought, 0.023 TON for the network's fees.\n"},
		"nothing": {none, "No changes. Everybody has what is written.\nNothing can leave the wallet.\n"},
		"stopped": {stopped, "Stopped by renamed: a key\\u{a}vanished\n  at g.yaml:7\n\nPlan: 0 to buy, 0 to top up, 0 to retire, 0 blocked. Stopped: nothing is bought.\nNothing can leave the wallet.\n"},
	} {
		var b bytes.Buffer
		if err := report.Plan(&b, c.plan, report.Style{}, false); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Without prices, people are told that they see the worst case.
func TestPlanCeilings(t *testing.T) {
	var b bytes.Buffer
	if err := report.Plan(&b, plan(false), report.Style{Color: true, Width: 60}, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Prices are ceilings, the worst case", "at most 3 TON", "Cost: at most 6 TON.", "\x1b[32m+\x1b[0m", "same/cy"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// Programs get exact amounts in strings, and only ASCII.
func TestPlanJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.PlanJSON(&b, plan(true), []string{"no prices\x1b"}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		FormatVersion string `json:"format_version"`
		Actions       []struct {
			Action, Code, Reason string
			Max                  *struct{ Asset, Nano string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"warnings":["no prices\u001b"]`) {
		t.Errorf("no warnings in %s", b.String())
	}
	if got.FormatVersion != "1.0" || got.Actions[0].Action != "buy" || got.Actions[0].Max.Nano != "3000000000" ||
		got.Actions[2].Code != "held" || got.Actions[2].Reason != "``` @all\x1b[2J" || got.Actions[2].Max != nil {
		t.Errorf("%s", b.String())
	}
}

// Text can't leave its code span in a comment.
func TestPlanMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := report.PlanMarkdown(&b, plan(true), nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| `+` | 500 stars | `@anna_k` | 2.5 TON | `bug/anna` | `found a bug` |\n", "`` x/`y` ``", "```` ``` @all\\u{1b}[2J (a.yaml:3) ````"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

var result = reconcile.Result{Run: 1, Bought: []ledger.OrderID{1, 2, 3}, Payments: 2, Spent: 1_230_000_000, Fees: 10_000_000}

// An apply ends with its sums; what failed is named before them.
func TestLines(t *testing.T) {
	var b bytes.Buffer
	h := report.Lines(&b, report.Style{})
	h.Progress(reconcile.Progress{Stage: "refused", Key: "a/b", Text: "no\nsuch user"})
	h.Progress(reconcile.Progress{Stage: "signed", Payment: 4, Orders: 2})
	h.Done(result, nil)
	failed := result
	failed.Problems = []reconcile.Problem{{Key: "a/b", Code: "x", Reason: "gone\x1b"}}
	h.Done(failed, errors.New("stop\r"))
	want := "a/b: refused: no\\u{a}such user\npayment 4: signed and sent with 2 orders\n" +
		"Apply complete! 3 bought, 0 failed. Paid 1.23 TON and 0.01 TON of fees in 2 payments.\n" +
		"! a/b: gone\\u{1b}\n" +
		"Apply incomplete. 3 bought, 1 failed. Paid 1.23 TON and 0.01 TON of fees in 2 payments.\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// What is blocked was not done: an apply that leaves it is not complete, even
// if it bought all that it could. An error before anything began stands alone.
func TestDone(t *testing.T) {
	blocked := &reconcile.Plan{Actions: plan(true).Actions[2:]}
	waits := &reconcile.Plan{Actions: []reconcile.Action{{Verb: reconcile.Blocked, Code: reconcile.CodePremiumRuns, Key: "vip/eve"}}}
	for name, c := range map[string]struct {
		plan   *reconcile.Plan
		result reconcile.Result
		err    error
		want   string
	}{
		"bought":                   {&reconcile.Plan{Actions: plan(true).Actions[:2]}, result, nil, "Apply complete! 3 bought, 0 failed. Paid"},
		"bought, and one blocked":  {plan(true), result, nil, "Apply incomplete. 3 bought, 0 failed, 1 blocked. Paid"},
		"all blocked":              {blocked, reconcile.Result{}, nil, "Apply incomplete. 0 bought, 0 failed, 1 blocked.\n"},
		"all blocked and an error": {blocked, reconcile.Result{}, errors.New("stop"), "Apply incomplete. 0 bought, 0 failed, 1 blocked.\n"},
		"waits for its turn":       {waits, reconcile.Result{}, nil, "Apply complete! 0 bought, 0 failed.\n"},
		"no key":                   {nil, reconcile.Result{}, errors.New("no key"), ""},
		"settled, then no session": {nil, reconcile.Result{Settled: 1}, errors.New("no session"), "1 payment of an earlier run settled first.\nApply incomplete. 0 bought, 0 failed.\n"},
	} {
		var text, stream bytes.Buffer
		lines, json := report.Lines(&text, report.Style{}), report.JSONStream(&stream, "1.2.3", time.Now)
		if c.plan != nil {
			lines.Plan(c.plan)
			json.Plan(c.plan)
		}
		text.Reset()
		lines.Done(c.result, c.err)
		json.Done(c.result, c.err)
		if got := text.String(); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := strings.Contains(stream.String(), `"result"`); got != (c.want != "") {
			t.Errorf("%s: JSON %s", name, stream.String())
		}
	}
}

// The only escape that a live line writes is the one that clears it.
func TestTable(t *testing.T) {
	var b bytes.Buffer
	h := report.Live(&b, report.Style{Width: 40}, nil)
	h.Plan(plan(true))
	h.Progress(reconcile.Progress{Stage: "paid", Key: "bug/anna\x1b[2J\n"})
	h.Done(result, nil)
	rest := strings.ReplaceAll(b.String(), "\r\x1b[K", "")
	if strings.ContainsAny(rest, "\x1b\r") || !strings.Contains(rest, "1 of 2 paid") {
		t.Errorf("%q", b.String())
	}
}

// Every record of the stream can be read by a program that knows no types.
func TestJSONStream(t *testing.T) {
	var b bytes.Buffer
	h := report.JSONStream(&b, "1.2.3", func() time.Time { return time.Unix(0, 0) })
	h.Plan(plan(true))
	h.Progress(reconcile.Progress{Stage: "paid", Key: "a/b", Amount: amount("1")})
	h.Done(result, errors.New("stop"))
	var types []string
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"@level", "@message", "@module", "@timestamp", "type"} {
			if s, _ := r[field].(string); s == "" {
				t.Errorf("no %s in %s", field, line)
			}
		}
		types = append(types, r["type"].(string))
	}
	want := []string{"version", "planned_change", "planned_change", "planned_change", "change_summary", "apply_complete", "change_summary"}
	if d := cmp.Diff(want, types); d != "" {
		t.Error(d)
	}
}

// Programs get every order, with exact amounts.
func TestLedgerJSON(t *testing.T) {
	state := ledger.NewState()
	state.Add(&ledger.Order{ID: 1, Key: "z/b", Generation: 1, Part: 1, Run: 1, Handle: "bo", Person: "bo", Item: product.Item{Kind: product.Stars, Quantity: 50},
		Phase: ledger.Released, Reason: "no\x1buser", Cap: amount("1.5")})
	state.Pins["bo"] = ledger.Pin{Identity: ledger.Identity{Name: "Bo\x1b\u202e", Photo: ton.Hash{7}}, N: 1, Order: 1, Reason: ledger.PinFirst}
	var b bytes.Buffer
	if err := report.LedgerJSON(&b, state); err != nil {
		t.Fatal(err)
	}
	want := `{"format_version":"1.0","ledger":"","orders":[{"order":1,"key":"z/b","generation":1,"part":1,"run":1,"person":"bo","handle":"bo","product":"stars",` +
		`"quantity":50,"phase":"released","spent":false,"reason":"no\u001buser","max":{"asset":"TON","nano":"1500000000"}}],` +
		`"people":[{"handle":"bo","name":"Bo\u001b\u202e","photo":"0700000000000000000000000000000000000000000000000000000000000000","order":1,"reason":"first use"}]}` + "\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// The ledger is listed by key, and an order shows its refs and transaction.
func TestLedger(t *testing.T) {
	state := ledger.NewState()
	state.Add(&ledger.Order{ID: 1, Key: "z/b", Generation: 1, Part: 1, Handle: "bo", Person: "bo", Item: product.Item{Kind: product.Stars, Quantity: 50},
		Phase: ledger.Paid, Cap: amount("1"), Settled: ton.Position{LT: 77}})
	state.Add(&ledger.Order{ID: 2, Key: "a/b", Generation: 1, Part: 1, Handle: "bo", Item: product.Item{Kind: product.Stars, Quantity: 50},
		Phase: ledger.Released, Reason: "no\nuser", Cap: amount("1")})
	state.Refs["Ref#x9"], state.Refs["Ref#a1"] = 1, 1
	var list, show bytes.Buffer
	if err := errors.Join(report.LedgerList(&list, state, report.Style{}), report.LedgerShow(&show, state, "z/b", report.Style{})); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("  a/b  @bo  nothing of 50 stars  released  no\\u{a}user\n  z/b  @bo  50 stars             paid\n", list.String()); d != "" {
		t.Error(d)
	}
	for _, want := range []string{"order 1: 50 stars for @bo, paid\n", "Ref#a1\n", "Ref#x9\n", "77:0000"} {
		if !strings.Contains(show.String(), want) {
			t.Errorf("no %q in\n%s", want, show.String())
		}
	}
}

// What was paid and not acknowledged is shown with all that support asks for.
func TestEvidence(t *testing.T) {
	state := ledger.NewState()
	wallet := ton.Address{Account: [32]byte{1}}
	for id, phase := range []ledger.Phase{ledger.Paid, ledger.Delivered} {
		o := &ledger.Order{ID: ledger.OrderID(id + 1), Key: string(phase) + "/b", Handle: "bo", Item: product.Item{Kind: product.Stars, Quantity: 50}, Phase: phase,
			Payment: 1, Settled: ton.Position{LT: 77}, Time: 1_800_000_000,
			Invoice: &ledger.Invoice{RequestID: "request9", Transfer: ton.Transfer{To: ton.Address{Account: [32]byte{2}}, Amount: 5}}}
		state.Add(o)
	}
	state.Payments[1] = &ledger.Payment{ID: 1, Wallet: wallet, Phase: ledger.PaymentExecuted, Message: ton.BoC("bytes")}
	var paid, delivered bytes.Buffer
	if err := errors.Join(report.LedgerShow(&paid, state, "paid/b", report.Style{}), report.LedgerShow(&delivered, state, "delivered/b", report.Style{})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{wallet.String(), "0.000000005 TON", "request9", "Ynl0ZXM=", "2027-01-15T08:00:00Z", "77:0000"} {
		if !strings.Contains(paid.String(), want) {
			t.Errorf("no %q in\n%s", want, paid.String())
		}
	}
	if strings.Contains(delivered.String(), "Ynl0ZXM=") {
		t.Errorf("what is delivered needs no evidence:\n%s", delivered.String())
	}
}

// What audit found comes as the other JSON does: on one line of ASCII, so that
// texts from outside never reach a terminal.
func TestAuditJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.AuditJSON(&b, []reconcile.Finding{{Code: "bounce", Text: "\u202e\x1b[2J"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Count(got, "\n") != 1 || strings.ContainsFunc(got, func(r rune) bool { return r > 0x7e || r < 0x20 && r != '\n' }) || !strings.Contains(got, `"code":"bounce"`) {
		t.Errorf("%q", got)
	}
	b.Reset()
	if err := report.AuditJSON(&b, nil); err != nil || !strings.Contains(b.String(), `"findings":[]`) {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// What only waits for its turn is no failure, for programs as for people.
func TestWaitingIsNoFailure(t *testing.T) {
	r := reconcile.Result{Problems: []reconcile.Problem{{Key: "a/b", Code: "premium_runs", Reason: "has it"}, {Key: "c/d", Code: "limit", Reason: "too dear"}}}
	var b bytes.Buffer
	h := report.JSONStream(&b, "1", func() time.Time { return time.Time{} })
	h.Plan(&reconcile.Plan{})
	h.Done(r, errors.New("exit status 1"))
	if got := b.String(); !strings.Contains(got, `"failed":1,"waiting":1`) || !strings.Contains(got, "1 failed, 1 waiting") {
		t.Error(got)
	}
}
