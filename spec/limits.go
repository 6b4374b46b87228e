package spec

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// limitNames are the fields of limits.
var limitNames = []string{
	policy.Order, policy.Run, policy.Day, policy.Month, policy.Undelivered, policy.FirstTime, policy.Person, policy.Campaigned, policy.Labeled,
	policy.InAsset, policy.NewGrants, policy.Increase, policy.Slippage, policy.Balance, policy.Duplicates, "price",
}

// limits reads what bounds every purchase. It stands in fragplan.yaml only, so
// that nothing in a file of grants loosens it.
func (l *loader) limits(d *doc, e entry) {
	const example = "order: 20 TON"
	seen, p := map[string]bool{}, &l.p.Limits
	for _, f := range d.mapping(e.value, "limits", "write limits: {"+example+", …}") {
		seen[f.name] = true
		switch f.name {
		case policy.Order:
			p.Order = d.amounts(f.value, f.name)
		case policy.Run:
			p.Run = d.amounts(f.value, f.name)
		case policy.Day:
			p.Day = d.amounts(f.value, f.name)
		case policy.Month:
			p.Month = d.amounts(f.value, f.name)
		case policy.Undelivered:
			p.Undelivered = d.amounts(f.value, f.name)
		case policy.FirstTime:
			p.FirstTime = d.amounts(f.value, f.name)
		case policy.Person:
			p.Person = d.rates(f.value, f.name, "20 TON per month")
		case policy.InAsset:
			p.Asset = d.rates(f.value, f.name, "2000 TON")
		case policy.Campaigned:
			p.Scoped = append(p.Scoped, d.campaignLimits(f.value)...)
		case policy.Labeled:
			p.Scoped = append(p.Scoped, d.labelLimits(f.value)...)
		case policy.NewGrants:
			p.NewGrants = d.atLeastOne(f.value, f.name, "20")
		case policy.Increase:
			p.Increase = d.atLeastOne(f.value, f.name, "5")
		case policy.Slippage:
			p.Slippage = d.share(f.value, f.name)
		case policy.Balance:
			p.Balance = d.amounts(f.value, f.name)
		case policy.Duplicates:
			p.NoDuplicates = d.duplicates(f.value)
		case "price":
			p.Price = d.ceilings(f.value)
		default:
			d.unknown(f.key, "limits", limitNames...)
		}
	}
	if e.value.Kind == yaml.MappingNode {
		d.require(e.value, "limits", seen, [][2]string{
			{policy.Order, example + ", the most that one purchase may cost"},
			{policy.Run, "run: 60 TON, the most that one apply may spend"},
			{policy.Month, "month: 200 TON, the most that may be spent in a month"},
			{policy.Undelivered, "undelivered: 25 TON, the most that may be paid and not yet acknowledged"},
		})
	}
}

// duplicates reads whether what looks like another gift is denied, or warned of.
func (d *doc) duplicates(n *yaml.Node) (deny bool) {
	s, ok := d.text(n, policy.Duplicates, "deny")
	if ok && s != "deny" && s != "warn" {
		d.bad(n, policy.Duplicates, "write deny, or warn, which is so without it", "%q is neither deny nor warn", s)
	}
	return s == "deny"
}

// campaignLimits reads {winter: 100 TON, "*": 50 TON per month}.
func (d *doc) campaignLimits(n *yaml.Node) (list []policy.Scoped) {
	const example = `campaign: {winter: 100 TON, "*": 50 TON per month}`
	for _, e := range d.mapping(n, policy.Campaigned, "write "+example) {
		if e.name != "*" {
			d.validate(e.key, struct {
				Name string `yaml:"campaign" validate:"name"`
			}{e.name}, e.key)
		}
		list = append(list, policy.Scoped{Scope: policy.CampaignScope(e.name), Max: d.rates(e.value, policy.Campaigned+"."+clip(e.name), "100 TON")})
	}
	return list
}

// labelLimits reads {season=winter: 100 TON, "season=*": 50 TON per month}.
func (d *doc) labelLimits(n *yaml.Node) (list []policy.Scoped) {
	const example = `label: {season=winter: 100 TON, "season=*": 50 TON per month}`
	for _, e := range d.mapping(n, policy.Labeled, "write "+example) {
		name, value, ok := strings.Cut(e.name, "=")
		if !ok || !nameForm.MatchString(name) || value == "" {
			d.bad(e.key, "label", "write "+example, "%s names no label with its value", clip(e.name))
			continue
		}
		list = append(list, policy.Scoped{Scope: policy.LabelScope(name, value), Max: d.rates(e.value, policy.Labeled+"."+clip(e.name), "100 TON")})
	}
	return list
}

// rates reads "55 TON", "70 TON per month" or a list of them, one an asset and
// period.
func (d *doc) rates(n *yaml.Node, what, example string) []policy.Rate {
	return d.ratesUnlike(n, what, example, func(a, b policy.Rate) bool { return a.Max.Asset == b.Max.Asset && a.Per == b.Per })
}

func (d *doc) ratesUnlike(n *yaml.Node, what, example string, alike func(a, b policy.Rate) bool) (list []policy.Rate) {
	members, _ := d.list(n, what, example)
	for _, m := range members {
		s, ok := d.text(m, what, "an amount: "+example)
		if !ok {
			continue
		}
		r, err := policy.ParseRate(s)
		switch {
		case err != nil:
			d.bad(m, "amount", "write for example "+example, "%s: %v", what, clipError(err))
		case slices.ContainsFunc(list, func(b policy.Rate) bool { return alike(r, b) }):
			d.bad(m, "duplicate", "take one of them out", "%s stands twice for %s", what, r.Max.Asset)
		default:
			list = append(list, r)
		}
	}
	return list
}

func (d *doc) atLeastOne(n *yaml.Node, what, example string) int64 {
	hint := "write " + what + ": " + example
	v, ok := d.number(n, what, hint)
	if ok && v < 1 {
		d.bad(n, "number", hint+", or take it out", "%s must be at least 1", what)
	}
	return v
}

func (d *doc) share(n *yaml.Node, what string) policy.Share {
	s, ok := d.text(n, what, what+": 5%")
	if !ok {
		return 0
	}
	share, err := policy.ParseShare(s)
	if err == nil && share == 0 {
		err = fmt.Errorf("0%% refuses every offer that is a little dearer")
	}
	if err != nil {
		d.bad(n, "share", "write "+what+": 5%, or take it out", "%s: %v", what, clipError(err))
	}
	return share
}

// amounts reads "20 TON" or "[20 TON, 30 USDT]".
func (d *doc) amounts(n *yaml.Node, what string) (list []ton.Amount) {
	members, _ := d.list(n, what, "20 TON")
	for _, m := range members {
		if m.Kind == yaml.ScalarNode && !quoted(m) && m.Value != "" && !strings.Contains(m.Value, " ") {
			d.bad(m, "amount", "write "+what+": 20 TON", "%s needs an amount and its asset, not %s", what, clip(m.Value))
			continue
		}
		s, ok := d.text(m, what, "20 TON")
		if !ok {
			continue
		}
		a, err := ton.ParseAmount(s)
		switch {
		case err != nil:
			d.bad(m, "amount", "write for example 20 TON", "%s: %v", what, clipError(err))
		case slices.ContainsFunc(list, func(b ton.Amount) bool { return a.Asset == b.Asset }):
			d.bad(m, "duplicate", "take one of them out", "%s stands twice for %s", what, a.Asset)
		default:
			list = append(list, a)
		}
	}
	return list
}

// ceilings reads the fields of limits.price, such as "100 stars: 1.30 TON".
func (d *doc) ceilings(n *yaml.Node) (list []policy.Ceiling) {
	const example = "100 stars: 1.30 TON"
	seen := map[product.Item]bool{}
	for _, e := range d.mapping(n, "price", "write price: {"+example+"}") {
		item, err := ceilingItem(e.name)
		if err != nil {
			d.bad(e.key, "price", "write "+example+" or premium 3 months: 10 TON", "%v", clipError(err))
			continue
		}
		if seen[item] {
			d.bad(e.key, "duplicate", "take one of them out", "the price of %s stands twice", item)
			continue
		}
		seen[item] = true
		for _, a := range d.amounts(e.value, "the price of "+item.String()) {
			list = append(list, policy.Ceiling{Item: item, Max: a})
		}
	}
	return list
}

func ceilingItem(s string) (product.Item, error) {
	words := strings.Fields(strings.ToLower(s))
	switch {
	case len(words) == 2 && words[1] == "stars" && plainNumber.MatchString(words[0]) && len(words[0]) < 10 && words[0] != "0":
		return product.Item{Kind: product.Stars, Quantity: mustInt(words[0])}, nil
	case len(words) == 3 && words[0] == "premium" && words[2] == "months" && plainNumber.MatchString(words[1]) && len(words[1]) < 4:
		i := product.Item{Kind: product.Premium, Quantity: mustInt(words[1])}
		return i, i.Check()
	case slices.Contains(words, "ton") || slices.Contains(words, "gram"):
		return product.Item{}, fmt.Errorf("a top-up needs no ceiling: it costs its own amount")
	}
	return product.Item{}, fmt.Errorf("%s is no quantity of a product", clip(s))
}
