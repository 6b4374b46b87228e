package spec

import "gopkg.in/yaml.v3"

// pendingGrant is a grant whose recipients are looked up when all files are
// read, because people may stand in any of them.
type pendingGrant struct {
	Grant
	d  *doc
	to []*yaml.Node

	timing timing

	csv      *fromCSV
	expected *yaml.Node
}

const exampleGrant = "{to: …, stars: …, reason: …}"

func (l *loader) grant(d *doc, e entry, defaults []entry, money payWith) {
	name, ok := d.name(e.key, "a grant's name")
	if !ok || e.value.Kind == yaml.AliasNode {
		return
	}
	if first, twice := l.grants[name]; twice {
		d.bad(e.key, "duplicate", "rename one of them: a grant's name is its name for ever", "grant %s stands twice; the first is at %s", clip(name), first)
		return
	}
	g := pendingGrant{Grant: Grant{Name: name, Pos: d.pos(e.key)}, d: d}
	l.grants[name] = g.Pos
	seen := map[string]bool{}
	var items []entry
	for _, f := range inherit(d.mapping(e.value, "grant "+clip(name), "write "+name+": "+exampleGrant), defaults) {
		seen[f.name] = true
		switch f.name {
		case "to":
			g.to, g.Single = d.list(f.value, "to", `an id under people, a group, a user name "@…", or a list of them`)
		case "stars", "premium", "ton", "gram":
			items = append(items, f)
		case "reason":
			g.Reason, _ = d.text(f.value, "reason", "a reason")
		case "every", "rrule", "starting", "until", "on", "catch_up", "max_catch_up", "if_subscribed":
			g.timing.field(d, &g.Grant, f)
		case "from_csv":
			g.csv = l.fromCSV(d, f.value)
		case "expect":
			g.expected = f.value
		case "allow_duplicates":
			g.Double, _ = d.text(f.value, "allow_duplicates", "why each is meant")
		case "labels":
			g.Labels = d.labels(f.value)
		case "pay_with":
			if m, ok := d.money(f.value); ok {
				money = m
			}
		default:
			d.unknown(f.key, "grant "+clip(name), grantFields...)
		}
	}
	if e.value.Kind != yaml.MappingNode {
		return
	}
	if g.csv == nil {
		d.require(e.value, "grant "+clip(name), seen, [][2]string{{"to", `to: and an id under people, a group or a user name "@…"`}})
	}
	items = d.csvFields(e, &g, items)
	g.PayWith = money.asset
	d.sellable(&g, money, items)
	switch len(items) {
	case 0:
		if merges(e.value) || d.misspelt(e.value, "stars", "premium", "ton", "gram") || g.csv != nil && g.csv.product != "" {
			break
		}
		d.bad(e.value, "product", "a grant has one of stars, premium and ton", "grant %s gives nothing", clip(name))
	case 1:
		g.Item = d.item(items[0])
	default:
		d.bad(items[1].key, "product", "make a grant of each", "grant %s gives both %s and %s", clip(name), items[0].name, items[1].name)
	}
	l.schedule(d, &g.Grant, &g.timing, e)
	d.validate(e.value, g.Grant, e.key)
	l.pending = append(l.pending, g)
}
