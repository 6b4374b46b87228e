package spec_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

const fromCSV = `grants:
  rows: {from_csv: {file: r.csv, key: id, to: who, stars: prize, reason: why}, expect: {rows: 2, stars: 350}}
`

// The same table means the same, however a spreadsheet writes it.
func TestCSVForms(t *testing.T) {
	want := []string{"rows/a-1 100 stars best, so far", "rows/7 250 stars "}
	for what, text := range map[string]string{
		"commas":           "id,who,prize,why\na-1,ann,100,\"best, so far\"\n7,@Some_Body,250,\n",
		"semicolons":       "id;who;prize;why\na-1;ann;100;best, so far\n7;@Some_Body;250;\n",
		"tabs":             "id\twho\tprize\twhy\na-1\tann\t100\tbest, so far\n7\t@Some_Body\t250\t\n",
		"Windows":          "\ufeffid;who;prize;why\r\na-1;@ann_petrova;100;best, so far\r\n7;some_body;250;\r\n",
		"sep=":             "sep=;\r\nid;who;prize;why\r\na-1;ann;100;best, so far\r\n7;some_body;250;\r\n",
		"all quoted":       "\"id\",\"who\",\"prize\",\"why\"\n\"a-1\",\"ann\",\"100\",\"best,\nso far\"\n\"7\",\"some_body\",\"250\",\"\"",
		"more and shifted": "n,prize,comma;here,why,who,id\n1,100,x,\"best, so far\",ann,a-1\n2,250,,,https://t.me/some_body,7\n",
		"empty rows":       "id,who,prize,why,,\n\na-1 , ann,100,\"best, so far\",,\n,,,,,\n7,some_body,250,,,\n,,,,,\n",
	} {
		p, err := spec.Load(project(t, "grants/a.yaml", fromCSV, "r.csv", text))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if d := cmp.Diff(want, keys(t, p)); d != "" {
			t.Errorf("%s: %s", what, d)
		}
		if o := p.Occurrences(schedule.DateOf(2026, 11, 23))[1]; o.Person != "@some_body" || o.Handle != "some_body" || o.Single || o.Pos.File != "r.csv" {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

// One person may be in a table twice only if the grant says why; months stand
// alone in their column, and a grant may say what every row gives.
func TestCSVGrants(t *testing.T) {
	p, err := spec.Load(project(t, "grants/a.yaml", `defaults: {stars: 50, to: ann}
grants:
  same: {from_csv: {file: r.csv, key: id, to: who}}
  months: {from_csv: {file: r.csv, key: id, to: who, premium: months}}
  twice: {from_csv: {file: twice.csv, key: id, to: who}, ton: 1, allow_duplicates: one for each entry}
`, "r.csv", "id,who,months\n1,ann,3\n2,bob,12 months\n", "twice.csv", "id,who\n1,ann\n2,ann\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"same/1 50 stars ", "same/2 50 stars ", "months/1 premium 3 months ", "months/2 premium 12 months ",
		"twice/1 1 TON top-up ", "twice/2 1 TON top-up ",
	}
	if d := cmp.Diff(want, keys(t, p)); d != "" {
		t.Error(d)
	}
}

// A table is read only from inside the project.
func TestCSVOnlyInside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.csv")
	if err := os.WriteFile(outside, []byte("id,who,prize,why\n1,ann,50,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := project(t, "grants/a.yaml", fromCSV)
	if err := os.Symlink(outside, filepath.Join(dir, "r.csv")); err != nil {
		t.Fatal(err)
	}
	_, err := spec.Load(dir)
	var e *spec.Errors
	if !errors.As(err, &e) || len(e.List) != 1 || e.List[0].Rule != "file" {
		t.Errorf("%v, want one error about the link", err)
	}
	for _, name := range []string{"/etc/passwd", "../outside.csv", "a/../../x.csv", `..\x.csv`, `C:\x.csv`, "file:///x.csv", "./r.csv", "x\x00.csv", "", ".", "..", "a//b.csv", "r.csv/"} {
		text := fmt.Sprintf("grants: {a: {from_csv: {file: %q, key: id, to: who, stars: prize}}}", name)
		_, err := spec.Load(project(t, "grants/a.yaml", text, "r.csv", "id,who,prize\n"))
		if !errors.As(err, &e) || len(e.List) != 1 || e.List[0].Rule != "path" && e.List[0].Rule != "encoding" && e.List[0].Rule != "empty" {
			t.Errorf("%q: %v, want one error about the path", name, err)
		}
	}
}

// What tables make of a plan is bounded, over all grants and with every date
// that is made up for: 100,000 purchases are listed, and more are refused when
// the files are read, not when the plan is made.
func TestCSVTooMany(t *testing.T) {
	lines := func(head string, n int, format string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, format, i, i)
		}
		return b.String()
	}
	const from = "from_csv: {file: r.csv, key: id, to: who}"
	daily := from + ", every: day, starting: 2020-01-01, catch_up: all"
	long := strings.Repeat("x", 400)
	for _, tt := range []struct {
		what, grants string
		rows         int
		want         string // "" if it is read
	}{
		{"a hundred thousand rows", "{stars: 50, " + from + "}", 100_000, ""},
		{"one row more", "{stars: 50, " + from + "}", 100_001, "r.csv:100002:1 size: more than 100000 rows"},
		{"twice the same table", "{stars: 50, " + from + "}\n  b: {stars: 50, " + from + "}", 50_001, "r.csv:50001:1 size: more than 100000 rows"},
		{"a thousand rows on a hundred dates", "{stars: 50, " + daily + "}", 1000, ""},
		{"one row more on a hundred dates", "{stars: 50, " + daily + "}", 1001, "grants/a.yaml:2:28 size: each of the last 100 dates counts"},
		{"ten thousand rows on ten dates", "{stars: 50, " + daily + ", until: 2020-01-10}", 10_000, ""},
		{"a long reason, often", "{stars: 50, " + from + ", reason: " + long + "}", 100_000, "grants/a.yaml:2:28 size: longer than 32 MiB"},
		{"a long word on duplicates, often", "{stars: 50, " + from + ", allow_duplicates: " + strings.Repeat(long, 20) + "}", 5_000, "grants/a.yaml:2:28 size: longer than 32 MiB"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			grants := "grants:\n  a: " + tt.grants + "\n"
			p, err := spec.Load(project(t, "people.yaml", lines("people:\n", tt.rows, "  p%d: \"@user_%d\"\n"), "grants/a.yaml", grants, "r.csv", lines("id,who\n", tt.rows, "%d,@user_%d\n")))
			check(t, err, tt.want)
			if err == nil && len(p.Occurrences(schedule.DateOf(2026, 11, 23))) > 100_000 {
				t.Error("more than 100,000 purchases are listed")
			}
		})
	}
}

// Any bytes are read as a table or refused with a place in a file; none make
// it panic, and what is accepted has distinct keys of one person each.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"id,who,prize,why\n1,ann,50,\n", "sep=;\nid;who;prize;why\n\"1\";bob;60;\"a\nb\"", "\ufeffid\twho\tprize\twhy\r\n", "id,who,prize,why\n\"", ";;;\n\n\r"} {
		f.Add(s)
	}
	dir := project(f, "grants/a.yaml", strings.Replace(fromCSV, ", expect: {rows: 2, stars: 350}", "", 1))
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, "r.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := spec.Load(dir)
		if err == nil {
			seen := map[string]bool{}
			for _, o := range p.Occurrences(schedule.DateOf(2026, 11, 23)) {
				if seen[o.Key] || seen[o.Person] || !strings.HasPrefix(o.Key, "rows/") || o.Handle == "" {
					t.Errorf("accepted %+v", o)
				}
				seen[o.Key], seen[o.Person] = true, true
			}
			return
		}
		var e *spec.Errors
		if !errors.As(err, &e) || len(e.List) == 0 {
			t.Fatalf("%T %v, want *spec.Errors", err, err)
		}
		for _, d := range e.List {
			if d.File == "" || d.Line < 1 || d.Column < 1 || d.Line > 2+strings.Count(text, "\n") || d.Column > 2+len(text) {
				t.Errorf("no place: %+v", d)
			}
		}
		_ = err.Error()
	})
}

func BenchmarkCSV(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var rows strings.Builder
			rows.WriteString("entry_id;username;prize\r\n")
			for i := range n {
				fmt.Fprintf(&rows, "%d;person_%d;250\r\n", i, i)
			}
			dir := project(b, "grants/a.yaml", fmt.Sprintf("grants: {rows: {from_csv: {file: r.csv, key: entry_id, to: username, stars: prize}, expect: {rows: %d, stars: %d}}}", n, 250*n), "r.csv", rows.String())
			b.ReportAllocs()
			for b.Loop() {
				p, err := spec.Load(dir)
				if err != nil {
					b.Fatal(err)
				}
				if got := len(p.Occurrences(schedule.DateOf(2026, 11, 23))); got != n {
					b.Fatalf("%d occurrences, want %d", got, n)
				}
			}
		})
	}
}
