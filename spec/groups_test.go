package spec_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// keys lists what is written, each with what it gives.
func keys(t *testing.T, p *spec.Project) (list []string) {
	t.Helper()
	for _, o := range p.Occurrences(schedule.DateOf(2026, 11, 23)) {
		list = append(list, o.Key+" "+o.Item.String()+" "+o.Reason)
	}
	return list
}

// A group means each of its members, wherever its file stands; a grant's own
// fields go before the defaults of its file, and one product before another.
func TestGroupsAndDefaults(t *testing.T) {
	p, err := spec.Load(project(t, "people.yaml", peopleFile+`groups:
  mods: [bob, ann]
  night: [bob]
`, "grants/a.yaml", `grants:
  thanks: {}
  top: {premium: 3 months, reason: the best}
  one: {to: [ann, night]}
  two: {to: "@somebody", labels: {season: winter}}
defaults: {to: mods, stars: 250, reason: thanks, labels: {team: mods}}
`, "grants/b.yaml", "grants: {other: {to: ann, ton: 1}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"thanks/bob 250 stars thanks", "thanks/ann 250 stars thanks",
		"top/bob premium 3 months the best", "top/ann premium 3 months the best",
		"one/ann 250 stars thanks", "one/bob 250 stars thanks",
		"two/@somebody 250 stars thanks",
		"other/ann 1 TON top-up ",
	}
	if d := cmp.Diff(want, keys(t, p)); d != "" {
		t.Error(d)
	}
	for i, label := range []spec.Label{{Name: "team", Value: "mods"}, {Name: "team", Value: "mods"}, {Name: "team", Value: "mods"}, {Name: "season", Value: "winter"}} {
		if got := p.Grants[i].Labels; len(got) != 1 || got[0] != label {
			t.Errorf("%s has the labels %v", p.Grants[i].Name, got)
		}
	}
	// A group is a list, also of one: what one member got is not another's prize.
	for _, g := range p.Grants {
		if single := g.Name == "two" || g.Name == "other"; g.Single != single {
			t.Errorf("%s: single is %v", g.Name, g.Single)
		}
	}
}
