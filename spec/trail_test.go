package spec_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A key leads to the grant and the recipient that are written, with its date or
// without, and to nothing that isn't; and the next date of a recipient is one on
// which the recipient belongs.
func TestFind(t *testing.T) {
	p := load(t, "people.yaml", comeAndGo, "grants/a.yaml", `grants:
  thanks: {to: mods, stars: 100, every: month, starting: 2026-11-01}
  gala: {to: ["@no_2026"], stars: 100, on: 2026-12-05}
`)
	for key, want := range map[string]string{
		"thanks/vera":              "vera 0 2026-12-05: 2027-01-01",
		"thanks/ann@2026-12-01":    "ann 2026-12-01 2026-12-05: 2027-01-01",
		"thanks/zoe":               "zoe 0 2026-12-05: 2027-01-01",
		"gala/@no_2026":            "@no_2026 0 2026-12-05: none",
		"thanks/bob":               "no",
		"thanks":                   "no",
		"":                         "no",
		"gala/@no_2026@20261201":   "no",
		"gala/@no_2026@2026-12-05": "no", // it has no date in its key
		"thanks/@2026-12-01":       "no",
	} {
		g, r, date, ok := p.Find(key)
		got := "no"
		if ok {
			written, next := "0", "none"
			if date != 0 {
				written = date.String()
			}
			if n := g.Next(r, day(t, "2026-12-05")); n != 0 {
				next = n.String()
			}
			got = fmt.Sprintf("%s %s 2026-12-05: %s", r.Person, written, next)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", key, d)
		}
	}
	g, r, _, _ := p.Find("thanks/zoe")
	if n := g.Next(r, day(t, "2027-01-05")); n != 0 {
		t.Errorf("zoe left in January, and the next date is %s", n)
	}
	g, r, _, _ = p.Find("thanks/vera")
	if n := g.Next(r, day(t, "2026-11-05")); n != day(t, "2027-01-01") {
		t.Errorf("vera came on 10 December, and the next date is %s", n)
	}
}
