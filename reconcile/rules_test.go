package reconcile_test

import (
	"strings"
	"testing"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
)

// A rule denies the lines that it speaks of and those of which it can't be
// judged, warns of others, and leaves the rest alone; rules are part of what is
// approved.
func TestRules(t *testing.T) {
	l := limits
	l.Rules = []policy.Rule{
		{Name: "large", When: `quantity > 100`, Deny: "too large"},
		{Name: "winter", When: `labels.season == "winter"`, Deny: "it is summer"},
		{Name: "new", When: `new`, Warn: "new"},
	}
	season := func(key string, stars int64, season string) spec.Occurrence {
		o := wants(key, product.Stars, stars)
		o.Labels = []spec.Label{{Name: "season", Value: season}}
		return o
	}
	want := []spec.Occurrence{season("g/ann", 100, "summer"), season("g/bob", 101, "summer"), season("g/cleo", 100, "winter"), wants("h/dan", product.Stars, 100)}
	plan := reconcile.Diff(want, past(), nil, l)
	plan.Judge(past(), reconcile.Moment{})
	var got []string
	for _, a := range plan.Actions {
		got = append(got, string(a.Verb)+" "+string(a.Code)+" "+strings.Join(a.Warn, ","))
	}
	if got := strings.Join(got, "|"); got != "+  rule new: new|! rule |! rule |! rule " {
		t.Error(got)
	}
	if !strings.Contains(plan.Actions[3].Reason, `"season" in labels first`) {
		t.Error(plan.Actions[3].Reason)
	}
	without := reconcile.Diff(want[:1], past(), nil, limits)
	if with := reconcile.Diff(want[:1], past(), nil, l); with.Digest() == without.Digest() {
		t.Error("the digest knows no rules")
	}
}
