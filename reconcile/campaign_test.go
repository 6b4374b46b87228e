package reconcile_test

import (
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A campaign's budget holds for what was paid and what a plan may cost at most,
// of its own grants only; a monthly one for the month of the day.
func TestCampaignBudget(t *testing.T) {
	budget := func(units ton.Nano, per policy.Period) policy.Limits {
		l := limits
		l.Campaigns = []policy.Campaign{
			{Name: "other", Grants: []string{"h"}, Max: []policy.Rate{{}}},
			{Name: "free", Grants: []string{"g"}},
			{Name: "regular", Grants: []string{"g"}, Max: []policy.Rate{{Max: units.Amount(), Per: per}}},
		}
		return l
	}
	one, _ := limits.CapIn(ton.AssetTON, product.Item{Kind: product.Stars, Quantity: 100})
	unit := ton.Nano(one.Units)
	before := func(when string, phase ledger.Phase) *ledger.State {
		s := past(order("g/old", phase, product.Stars, 100))
		s.Orders[1].Reserve, s.Orders[1].Time = one, uint32(on(when).Midnight().Unix())
		return s
	}
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100), wants("g/bob", product.Stars, 100)}
	for name, c := range map[string]struct {
		limits policy.Limits
		have   *ledger.State
		over   bool
	}{
		"it is enough":                       {budget(2*unit, policy.Ever), past(), false},
		"it is a little too small":           {budget(2*unit-1, policy.Ever), past(), true},
		"what was paid counts":               {budget(2*unit, policy.Ever), before("2026-11-30", ledger.Paid), true},
		"what was given up does not":         {budget(2*unit, policy.Ever), before("2026-11-30", ledger.Released), false},
		"what is armed counts":               {budget(2*unit, policy.Ever), before("2026-11-30", ledger.Armed), true},
		"what a person was asked to pay":     {budget(2*unit, policy.PerMonth), before("2026-11-30", ledger.Offered), true},
		"a month begins anew":                {budget(2*unit, policy.PerMonth), before("2026-11-30", ledger.Paid), false},
		"what was paid in this month counts": {budget(2*unit, policy.PerMonth), before("2026-12-01", ledger.Paid), true},
	} {
		plan := reconcile.Diff(want, c.have, nil, c.limits)
		plan.Judge(c.have, reconcile.Moment{Time: uint32(on("2026-12-20").Midnight().Unix())})
		over := len(plan.Violations) == 1 && plan.Violations[0].Rule == "campaign_budget" && strings.Contains(plan.Violations[0].Message, "the budget of campaign regular is")
		if over != c.over || len(plan.Violations) > 1 || !over && len(plan.Violations) > 0 {
			t.Errorf("%s: %+v", name, plan.Violations)
		}
	}
}
