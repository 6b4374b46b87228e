package spec_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

const mainFile = `version: 1
wallet: {version: v5r1, address: ADDRESS}
limits:
  order: 20 TON
  run: [60 gram, 30 USDT]
  month: 200 TON
  undelivered: 25 TON
  price: {100 stars: 1.30 TON, premium 3 months: 10 TON}
files: [people.yaml, grants/*.yaml]
`

const peopleFile = `people:
  ann: "@Ann_Petrova"
  bob: {username: "@bob_k", was: ["@bobby"], note: evening shift}
`

const grantsFile = `grants:
  best-meme: {to: ann, stars: 1500, reason: best meme of November}
  mods-premium: {to: [ann, bob], premium: 3 months}
  promo: {to: "@Our_Channel", ton: 25}
`

// wallet is the address of the example's wallet, so that its checksum holds.
var wallet = ton.Address{Account: [32]byte{1, 2, 3}}

// project writes files into a folder: "people.yaml", text, …; the three files
// above stand for those that aren't given, and an empty text means no file.
func project(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"fragplan.yaml": mainFile, "people.yaml": peopleFile, "grants/a.yaml": grantsFile}
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = files[i+1]
	}
	for name, text := range all {
		if text == "" {
			continue
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "ADDRESS", wallet.String())), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func stars(n int64) product.Item { return product.Item{Kind: product.Stars, Quantity: n} }

// A sound project is read whole: limits, people, grants, and an occurrence for
// each recipient in the order of the files.
func TestLoad(t *testing.T) {
	p, err := spec.Load(project(t))
	if err != nil {
		t.Fatal(err)
	}
	amount := func(s string) ton.Amount {
		a, err := ton.ParseAmount(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	limits := policy.Limits{
		Order: []ton.Amount{amount("20 TON")}, Run: []ton.Amount{amount("60 TON"), amount("30 USDT")},
		Month: []ton.Amount{amount("200 TON")}, Undelivered: []ton.Amount{amount("25 TON")},
		Price: []policy.Ceiling{
			{Item: stars(100), Max: amount("1.3 TON")},
			{Item: product.Item{Kind: product.Premium, Quantity: 3}, Max: amount("10 TON")},
		},
	}
	if d := cmp.Diff(limits, p.Limits); d != "" {
		t.Error(d)
	}
	if p.Wallet.Address != wallet || p.Wallet.Version != ton.V5R1 || p.Ledger.File != spec.DefaultLedger {
		t.Errorf("wallet %+v, ledger %v", p.Wallet, p.Ledger)
	}
	at := func(line, column int) spec.Pos { return spec.Pos{File: "grants/a.yaml", Line: line, Column: column} }
	premium := product.Item{Kind: product.Premium, Quantity: 3}
	want := []spec.Occurrence{
		{Key: "best-meme/ann", Grant: "best-meme", Person: "ann", Handle: "ann_petrova", Item: stars(1500), Single: true, Reason: "best meme of November", Pos: at(2, 19)},
		{Key: "mods-premium/ann", Grant: "mods-premium", Person: "ann", Handle: "ann_petrova", Item: premium, Pos: at(3, 23)},
		{Key: "mods-premium/bob", Grant: "mods-premium", Person: "bob", Handle: "bob_k", Was: []string{"bobby"}, Item: premium, Pos: at(3, 28)},
		{Key: "promo/@our_channel", Grant: "promo", Person: "@our_channel", Handle: "our_channel", Single: true,
			Item: product.Item{Kind: product.TopUp, Quantity: 25}, Pos: at(4, 15)},
	}
	if d := cmp.Diff(want, p.Occurrences(schedule.DateOf(2026, 11, 23))); d != "" {
		t.Error(d)
	}
}

// Each rule, by the file that breaks it. A case is a txtar archive whose
// comment names what must be reported, one a line: file:line:col rule.
func TestRules(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, f := range a.Files {
				files = append(files, f.Name, string(f.Data))
			}
			_, err = spec.Load(project(t, files...))
			check(t, err, string(a.Comment))
		})
	}
}

// Nothing that a hint says to write is somebody's name or a price: it would be
// bought if it were pasted without a thought.
func TestHintsBuyNothing(t *testing.T) {
	spends := regexp.MustCompile(`(stars|ton|gram|premium): *[0-9]|@[A-Za-z]`)
	_, err := spec.Load(project(t, "people.yaml", `people:
  ann: ann_petrova!
  bob: 5
  cat: {usrname: x}
  dan: [x]
`, "grants/a.yaml", `grants:
  a: 5
  b: {}
  c: {to: [], stars: 100.0}
  d: {to: {}, stars: yes}
  e: {to: nobody, stars: -100}
  f: {to: "@!", stars: 5}
  g: {to: 5, stars: 1000000000000}
  h: {to: ann, stars: 99999999999999999999}
  i: {to: ann, premium: 3}
  j: {to: ann, premium: [3]}
  k: {to: ann, premium: 3 years}
  l: {to: ann, premium: 5 months}
  m: {to: ann, ton: 0.5}
  n: {to: ann, ton: 0}
  o: {to: ann, gram: [1]}
`))
	var e *spec.Errors
	if !errors.As(err, &e) || len(e.List) < 20 {
		t.Fatalf("%v", err)
	}
	for _, d := range e.List {
		if spends.MatchString(d.Hint) {
			t.Errorf("%s", d)
		}
	}
}

// check compares what was reported with "file:line:col rule: part of the text"
// lines, and shows the whole text if they differ.
func check(t *testing.T, err error, want string) {
	t.Helper()
	var e *spec.Errors
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%T %v, want *spec.Errors", err, err)
	}
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	var list []spec.Diagnostic
	if e != nil {
		list = e.List
	}
	for i := range max(len(lines), len(list)) {
		switch {
		case i >= len(list):
			t.Errorf("not reported: %s", lines[i])
		case i >= len(lines):
			t.Errorf("reported, and not expected:\n%s", list[i])
		default:
			place, part, _ := strings.Cut(lines[i], ": ")
			if got := fmt.Sprintf("%s %s", list[i].Pos, list[i].Rule); got != place {
				t.Errorf("got %s, want %s:\n%s", got, place, list[i])
			} else if !strings.Contains(list[i].String(), part) {
				t.Errorf("want %q in:\n%s", part, list[i])
			}
			if list[i].Hint == "" && list[i].Rule != "no-file" {
				t.Errorf("%s %s says nothing of what to write instead", list[i].Pos, list[i].Rule)
			}
		}
	}
}

// The examples that people copy are sound, and cost less than their limits.
func TestExamples(t *testing.T) {
	names, _ := filepath.Glob("../examples/*/fragplan.yaml")
	if len(names) == 0 {
		t.Fatal("no examples")
	}
	for _, name := range names {
		p, err := spec.Load(filepath.Dir(name))
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		run := p.Limits.Of(policy.Run)
		for _, o := range p.Occurrences(schedule.DateOf(2026, 11, 23)) {
			c, ok := p.Limits.CapIn(ton.AssetTON, o.Item)
			if !ok {
				t.Errorf("%s: %s has no ceiling", name, o.Key)
			}
			if err := errors.Join(p.Limits.CheckOrder(c), run.Reserve(c)); err != nil {
				t.Errorf("%s: %s: %v", name, o.Key, err)
			}
		}
	}
}

// A list of files that is longer than files may be many is refused before its
// patterns are looked up one by one.
func TestPatternsAreBounded(t *testing.T) {
	patterns := func(n int) string {
		return strings.ReplaceAll(mainFile, "files: [people.yaml, ", "files: [people.yaml, "+strings.Repeat("grants/*.yaml, ", n-2))
	}
	if _, err := spec.Load(project(t, "fragplan.yaml", patterns(1000))); err != nil {
		t.Errorf("1000 patterns: %v", err)
	}
	_, err := spec.Load(project(t, "fragplan.yaml", patterns(1001)))
	if err == nil || !strings.Contains(err.Error(), "more than 1000 files and patterns") {
		t.Errorf("1001 patterns: %v", err)
	}
}

// An error shows its file, line and column, the line with a caret, and what to
// write instead.
func TestDiagnosticText(t *testing.T) {
	_, err := spec.Load(project(t, "grants/a.yaml", "grants:\n  prize: {to: an, stars: 012}\n"))
	want := `grants/a.yaml:2:15: there is no person "an" [recipient]
    2 |   prize: {to: an, stars: 012}
      |               ^
      = did you mean ann?
grants/a.yaml:2:26: stars must be a whole number in plain digits, not "012" [number]
    2 |   prize: {to: an, stars: 012}
      |                          ^
      = write 12 or 10`
	if err == nil {
		t.Fatal("no error")
	}
	if d := cmp.Diff(want, err.Error()); d != "" {
		t.Error(d)
	}
}

// A secret in a file is an error that doesn't repeat it.
func TestSecretsAreNotRepeated(t *testing.T) {
	_, err := spec.Load(project(t, "fragplan.yaml", mainFile+"mnemonic: abandon ability able\ncookie: stel_ssid=1234\n"))
	if err == nil || !strings.Contains(err.Error(), "FRAGPLAN_MNEMONIC_FILE") || !strings.Contains(err.Error(), "FRAGPLAN_SESSION_FILE") {
		t.Fatalf("%v, want where secrets belong", err)
	}
	if strings.Contains(err.Error(), "abandon") || strings.Contains(err.Error(), "1234") {
		t.Errorf("the secret is repeated:\n%v", err)
	}
}

// Nothing that a terminal acts upon is printed.
func TestErrorsArePrintable(t *testing.T) {
	_, err := spec.Load(project(t, "grants/a.yaml", "grants:\n  \"x\\e[2J\u202e\u200b\": {to: ann, stars: 100}  # \u202e\n"))
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e\u200b") {
		t.Errorf("%q", err)
	}
}
