package spec

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/policy"
)

const exampleBudget = "budget: 55 TON, or budget: 70 TON per month"

// campaign reads the name and the budget of the campaign to which the grants of
// a file belong: what merging the file can cost at most.
func (l *loader) campaign(d *doc, entries []entry) {
	var name, budget *entry
	for i := range entries {
		switch entries[i].name {
		case "campaign":
			name = &entries[i]
		case "budget":
			budget = &entries[i]
		}
	}
	if name == nil {
		if budget != nil {
			d.bad(budget.key, "campaign", "write campaign: and a name for what the grants of this file are for", "a budget is a campaign's, and this file names none")
		}
		return
	}
	s, ok := d.text(name.value, "campaign", "a name")
	if !ok {
		return
	}
	d.validate(name.value, struct {
		Name string `yaml:"name" validate:"name"`
	}{s}, name.value)
	i := slices.IndexFunc(l.p.Limits.Campaigns, func(c policy.Campaign) bool { return c.Name == s })
	if i < 0 {
		i = len(l.p.Limits.Campaigns)
		l.p.Limits.Campaigns = append(l.p.Limits.Campaigns, policy.Campaign{Name: s})
	}
	c := &l.p.Limits.Campaigns[i]
	if budget != nil && len(c.Max) > 0 {
		d.bad(budget.key, "duplicate", "write it once", "the budget of campaign %s stands in another file too", clip(s))
	} else if budget != nil {
		c.Max = d.budgets(budget.value)
	}
	for _, e := range entries {
		if e.name != "grants" || e.value.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(e.value.Content); i += 2 {
			c.Grants = append(c.Grants, e.value.Content[i].Value)
		}
	}
}

// budgets reads "55 TON", "70 TON per month" or a list of them, one an asset.
func (d *doc) budgets(n *yaml.Node) []policy.Rate {
	return d.ratesUnlike(n, "budget", exampleBudget, func(a, b policy.Rate) bool { return a.Max.Asset == b.Max.Asset })
}
