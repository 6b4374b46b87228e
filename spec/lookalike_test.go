package spec_test

import (
	"strings"
	"testing"

	"github.com/fragplan/fragplan/spec"
)

// Names that people may take for one another look alike, others don't.
func TestLookalike(t *testing.T) {
	for _, pair := range [][2]string{
		{"ann_petrova", "ann_petr0va"}, {"ill_will", "lll_wi11"}, {"modern", "modem"}, {"vvolf", "wolf"}, {"ann_petrova", "ann__petrova"}, {"ann_petrova", "Ann_Petrova_"},
		{"ann_petrova", "\u0430nn_petr\u043Ev\u0430"}, {"cher", "\u0441h\u0435r"},
	} {
		if spec.Lookalike(pair[0]) != spec.Lookalike(pair[1]) {
			t.Errorf("%s (%q) and %s (%q) don't look alike", pair[0], spec.Lookalike(pair[0]), pair[1], spec.Lookalike(pair[1]))
		}
	}
	for _, pair := range [][2]string{{"ann_petrova", "anna_petrova"}, {"bob_k", "bob_h"}, {"anna", "hanna"}, {"team2", "team3"}, {"a_bc", "ab_c"}, {"", "a"}} {
		if spec.Lookalike(pair[0]) == spec.Lookalike(pair[1]) {
			t.Errorf("%s and %s look alike", pair[0], pair[1])
		}
	}
}

// A project is read with warnings of look-alike names that say where both stand.
func TestLookalikesAreWarnings(t *testing.T) {
	p, err := spec.Load(project(t, "people.yaml", "people:\n  ann: \"@ann_petrova\"\n  bill: \"@bob_k\"\n  bi11: \"@other_one\"\n", "grants/a.yaml", "grants:\n  g: {to: [ann, \"@ann_petr0va\"], stars: 50}\n  h: {to: \"@ann_petr0va\", stars: 50}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range p.Warnings {
		got = append(got, w.Pos.String()+" "+w.Rule+" "+w.Message)
	}
	want := `people.yaml:4:3 lookalike id bi11 looks like bill, at people.yaml:3:3
grants/a.yaml:2:17 lookalike user name @ann_petr0va looks like @ann_petrova, at people.yaml:2:3`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
