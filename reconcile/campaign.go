package reconcile

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// campaigns checks what a plan may cost at most against the budgets of the
// files. No offer above a purchase's cap is paid, so a budget that the caps fit
// is never exceeded.
func (d *differ) campaigns(actions []Action, today schedule.Date) (found []Violation) {
	for _, c := range d.limits.Campaigns {
		if len(c.Max) == 0 {
			continue
		}
		grants := make(map[string]bool, len(c.Grants))
		for _, g := range c.Grants {
			grants[g] = true
		}
		used := map[ton.Asset]int64{}
		for key := range d.have.Keys() {
			if !grants[grantOf(key)] {
				continue
			}
			for _, o := range d.have.ByKey(key) {
				if b := c.Of(o.Reserve.Asset); o.Phase.Spent() || o.Phase == ledger.Armed {
					if !b.Monthly || o.Time == 0 || month(schedule.Day(time.Unix(int64(o.Time), 0), time.UTC)) == month(today) {
						used[o.Reserve.Asset] = sum(used[o.Reserve.Asset], o.Reserve.Units)
					}
				}
			}
		}
		for _, a := range actions {
			if !a.Buys() || !grants[grantOf(a.Key)] {
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
