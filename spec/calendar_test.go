package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/spec"
)

func comings(list []spec.Coming) string {
	var s []string
	for _, c := range list {
		s = append(s, fmt.Sprintf("%s %s %s ×%d", c.Date, c.Grant, c.Item, c.People))
	}
	return strings.Join(s, "\n")
}

// What comes is listed by date, for those who belong by then; what is due by
// now is not.
func TestCalendar(t *testing.T) {
	p := load(t, "people.yaml", comeAndGo, "grants/a.yaml", `grants:
  thanks: {to: mods, stars: 250, every: month, starting: 2026-12-01}
  gala: {to: mods, stars: 500, on: 2027-01-01}
  now: {to: ann, stars: 500}
  prizes: {from_csv: {file: p.csv, key: id, to: who, stars: prize}, every: year, starting: 2027-01-15}
`, "p.csv", "id,who,prize\n1,ann,50\n2,vera,60\n3,zoe,50\n")
	want := `2027-01-01 thanks 250 stars ×3
2027-01-01 gala 500 stars ×3
2027-01-15 prizes 50 stars ×2
2027-01-15 prizes 60 stars ×1
2027-02-01 thanks 250 stars ×2`
	if d := cmp.Diff(want, comings(p.Calendar(day(t, "2026-12-01"), day(t, "2027-02-01")))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, comings(p.Next(day(t, "2026-12-01"), 5))); d != "" {
		t.Error(d)
	}
	if got := p.Next(day(t, "2026-11-30"), 1); comings(got) != "2026-12-01 thanks 250 stars ×2" {
		t.Error(comings(got))
	}
}
