package reconcile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// campaignsOf lists, for each grant, the campaigns that it is of, as scopes.
func campaignsOf(l policy.Limits) map[string][]string {
	scopes := map[string][]string{}
	for _, c := range l.Campaigns {
		for _, g := range c.Grants {
			scopes[g] = append(scopes[g], policy.CampaignScope(c.Name))
		}
	}
	return scopes
}

// scopesOf are the campaign and the labels of an occurrence.
func (d *differ) scopesOf(o spec.Occurrence) []string {
	if len(o.Labels) == 0 {
		return d.scopes[o.Grant]
	}
	labeled := "\n" + o.Grant // no grant's name
	scopes, made := d.scopes[labeled]
	if !made {
		scopes = slices.Clone(d.scopes[o.Grant])
		for _, l := range o.Labels {
			scopes = append(scopes, policy.LabelScope(l.Name, l.Value))
		}
		d.scopes[labeled] = scopes
	}
	return scopes
}

// budgets checks what a plan may cost at most against the budgets of the files.
// No offer above a purchase's cap is paid, so a budget that the caps fit is
// never exceeded.
func (j *judge) budgets(actions []Action) (found []Violation) {
	for _, c := range j.limits.Campaigns {
		if len(c.Max) == 0 {
			continue
		}
		scope, used := policy.CampaignScope(c.Name), j.budgetUsed(c)
		for _, a := range actions {
			if !a.Buys() || !slices.Contains(a.Scopes, scope) {
				continue
			}
			if err := c.Over(ton.Amount{Asset: a.Cap.Asset, Units: used[a.Cap.Asset]}, a.Cap); err != nil {
				found = append(found, Violation{Rule: "campaign_budget", Place: a.Place, Message: fmt.Sprintf("%s: %v. Raise the budget in a reviewed commit, or give less", a.Key, err)})
				break
			}
			used[a.Cap.Asset] = sum(used[a.Cap.Asset], a.Cap.Units)
		}
	}
	return found
}

// budgetUsed is what of a campaign's budget was paid, or may be.
func (j *judge) budgetUsed(c policy.Campaign) map[ton.Asset]int64 {
	scope, used := policy.CampaignScope(c.Name), map[ton.Asset]int64{}
	grants := make(map[string]bool, len(c.Grants))
	for _, g := range c.Grants {
		grants[g] = true
	}
	for id := ledger.OrderID(1); id <= j.have.LastOrder; id++ {
		o := j.have.Orders[id]
		if o == nil || !grants[grantOf(o.Key)] && !slices.Contains(o.Scopes, scope) {
			continue
		}
		at := o.Time
		if !o.Phase.Spent() {
			at = 0 // it may be paid at any time
		}
		if asset := o.Reserve.Asset; (o.Phase.Spent() || o.Phase.Out()) && c.Of(asset).Per.Holds(at, j.now) {
			used[asset] = sum(used[asset], o.Reserve.Units)
		}
	}
	return used
}

func grantOf(key string) string {
	grant, _, _ := strings.Cut(key, "/")
	return grant
}

func sum(a, b int64) int64 {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}
