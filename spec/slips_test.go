package spec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// A slip is one mistake: the field that was meant isn't missed as well, and a
// hint says nothing else than its message.
func TestSlipsAreSaidOnce(t *testing.T) {
	_, err := spec.Load(project(t, "grants/a.yaml", `grants:
  a: {too: ann, star: 100}
  b: {to: ann, stars: 20}
  c: {from_csv: {file: ../w.csv, key: id, to: who}, stars: 50}
`))
	check(t, err, `
		grants/a.yaml:2:7 unknown-field: did you mean to?
		grants/a.yaml:2:17 unknown-field: did you mean stars?
		grants/a.yaml:3:23 product: the least is 50
		grants/a.yaml:4:24 path: results.csv`)
	if strings.Contains(err.Error(), "10000000 ") || strings.Contains(err.Error(), ".yaml\n      = write a path relative to the project's folder, with slashes") {
		t.Errorf("a hint contradicts its message:\n%v", err)
	}
}

// Telegram's link to a user name is a user name, wherever one is read. In a
// table it is never the id of a person.
func TestLinks(t *testing.T) {
	p, err := spec.Load(project(t, "people.yaml", `people:
  ann: https://t.me/Ann_Petrova
  bob_k: {username: "https://t.me/bobby_1", was: ["https://t.me/bobby_0"]}
`, "grants/a.yaml", `grants:
  a: {to: [ann, "https://t.me/Some_Body"], stars: 50}
  b: {from_csv: {file: r.csv, key: id, to: who}, stars: 50}
`, "r.csv", "id,who\n1,https://t.me/bob_k\n2,https://t.me/ann_petrova\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range p.Occurrences(schedule.DateOf(2026, 11, 23)) {
		got = append(got, o.Key+" "+o.Person+" "+o.Handle)
	}
	want := []string{"a/ann ann ann_petrova", "a/@some_body @some_body some_body", "b/1 @bob_k bob_k", "b/2 ann ann_petrova"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_, err = spec.Load(project(t, "people.yaml", "people: {ann: \"https://t.me/+AbCdEf\", bob: \"http://t.me/bob_k\"}", "grants/a.yaml", "grants: {}"))
	check(t, err, "people.yaml:1:15 handle\npeople.yaml:1:44 handle")
}

// A grant that recurs goes to listed people only, also from a table: a user name
// may have another owner on the next date.
func TestCSVRecurs(t *testing.T) {
	_, err := spec.Load(project(t, "grants/a.yaml", `grants:
  a: {from_csv: {file: r.csv, key: id, to: who}, stars: 50, every: month, starting: 2026-01-01}
  b: {from_csv: {file: r.csv, key: id, to: who}, stars: 50}
`, "r.csv", "id,who\n1,ann\n2,some_body\n3,@ann_other\n"))
	check(t, err, `
		r.csv:3:3 recipient: a user name may change its owner
		r.csv:4:3 recipient: list them under people:`)
}

// A complaint shows its line, whatever grants and columns are named; what is a
// secret by its looks is shown in no file.
func TestOwnNamesAreShown(t *testing.T) {
	const cookie = "stel_ssid=a1b2c3d4e5f6a7b8c9"
	_, err := spec.Load(project(t, "grants/a.yaml", `grants:
  token-hunt: {to: nobody, stars: 50}
  secret-santa: {to: noone, stars: 50}
  rows: {from_csv: {file: r.csv, key: number, to: who}, stars: 50}
  pasted: {to: nomatter, stars: 50, reason: `+cookie+`}
  password: {to: ann, stars: 50, password: hunter-two}
`, "r.csv", "id,who\n1,ann\n"))
	if err == nil {
		t.Fatal("read")
	}
	for _, line := range []string{"token-hunt: {to: nobody, stars: 50}", "secret-santa: {to: noone, stars: 50}", "id,who", "password: {to: ann, stars: 50, password:(not shown)"} {
		if !strings.Contains(err.Error(), line) {
			t.Errorf("%s is not shown:\n%v", line, err)
		}
	}
	if strings.Contains(err.Error(), "a1b2") || strings.Contains(err.Error(), "hunter-two") {
		t.Errorf("a secret is shown:\n%v", err)
	}
	_, err = spec.Load(project(t, "grants/a.yaml", "grants:\n  rows: {from_csv: {file: r.csv, key: number, too: who}, stars: 50}\n", "r.csv", "id,who\n"))
	if err == nil || !strings.Contains(err.Error(), "{file: r.csv, key: number, too: who}") {
		t.Errorf("the line is not shown:\n%v", err)
	}
}

// What a hint says fits the slip: a last day before the first, a tab, a label's
// name, a letter of another alphabet in a table.
func TestHintsFit(t *testing.T) {
	_, err := spec.Load(project(t, "people.yaml", "people: {ann: \"@ann_petrova\"}", "grants/a.yaml", `grants:
  a: {to: ann, stars: 100, every: month, starting: 2026-12-01, until: 2026-11-01}
  b: {to: ann, stars: 100, labels: {"the season": winter}}
  c: {from_csv: {file: r.csv, key: id, to: who}, stars: 50}
`, "r.csv", "id,who\n1,@b\u043eb_k\n"))
	check(t, err, `
		grants/a.yaml:2:71 schedule: write a later until, or take it out
		grants/a.yaml:3:37 name: write the-season
		r.csv:2:3 handle: U+043E, which only looks like it`)
	_, err = spec.Load(project(t, "people.yaml", "people: {}", "grants/a.yaml", "grants:\n\ta: {to: ann, stars: 100}\n"))
	check(t, err, `
		grants/a.yaml:2:1 syntax: indent with spaces: YAML takes no tabs`)
}
