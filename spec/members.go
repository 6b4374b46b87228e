package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/product"
)

// members reads a file of people and grants.
func (l *loader) members(d *doc, n *yaml.Node) {
	entries := d.mapping(n, "a file of people and grants", "begin with people:, groups: or grants:")
	defaults := l.defaults(d, entries)
	l.campaign(d, entries)
	money := l.money
	for _, e := range entries {
		if e.name != "pay_with" {
			continue
		}
		if m, ok := d.money(e.value); ok {
			money = m
		}
	}
	for _, e := range entries {
		switch e.name {
		case "pay_with": // read by now
		case "people":
			l.partial = l.partial || e.value.Kind != yaml.MappingNode
			for _, p := range d.mapping(e.value, "people", `write an id and a user name for each: people: {…: "@…"}`) {
				l.person(d, p)
			}
		case "groups":
			l.partial = l.partial || e.value.Kind != yaml.MappingNode
			for _, g := range d.mapping(e.value, "groups", "write a name and its members for each: groups: {…: [ids under people]}") {
				l.group(d, g)
			}
		case "defaults", "campaign", "budget": // read by now
		case "confirmed":
			for _, c := range d.mapping(e.value, "confirmed", `write user names and display names: confirmed: {"@…": "…"}`) {
				l.confirm(d, c)
			}
		case "moved":
			for _, m := range d.listOf(e.value, "moved", "[{from: thanks, to: helpers}]") {
				l.move(d, m)
			}
		case "settled":
			for _, s := range d.mapping(e.value, "settled", "write keys and reasons: settled: {best-meme/ann: why}") {
				l.settle(d, s)
			}
		case "import":
			for _, i := range d.listOf(e.value, "import", "[{key: best-meme/ann, transaction: its hash, reason: who bought it}]") {
				l.takeIn(d, i)
			}
		case "grants":
			for _, g := range d.mapping(e.value, "grants", "write grants: {…: {to: …, stars: …}}") {
				l.grant(d, g, defaults, money)
			}
		default:
			d.unknown(e.key, "a file of people and grants", "people", "confirmed", "groups", "defaults", "pay_with", "campaign", "budget", "grants", "moved", "settled", "import")
		}
	}
}

// Examples of what a person gets stand nowhere in a hint: what is pasted without
// a thought would be bought.
const exampleHandle = `"@…"`

// person reads `ann: "@ann_petrova"` or its long form.
func (l *loader) person(d *doc, e entry) {
	id, ok := d.name(e.key, "a person's id")
	if !ok {
		return
	}
	p := Person{ID: id, Pos: d.pos(e.key)}
	at := map[string]*yaml.Node{}
	switch e.value.Kind {
	case yaml.ScalarNode:
		at[""] = e.value
		p.Handle, _ = d.handle(e.value, "the user name of "+id)
	case yaml.AliasNode:
		return
	default:
		seen := map[string]bool{}
		for _, f := range d.mapping(e.value, "a person", "write "+id+": "+exampleHandle) {
			seen[f.name] = true
			switch f.name {
			case "username":
				at[""] = f.value
				p.Handle, _ = d.handle(f.value, "username")
			case "was":
				members, _ := d.list(f.value, "was", `["@…"]`)
				for _, m := range members {
					h, fine := d.handle(m, "an earlier user name")
					if fine {
						at[h] = m
						p.Was = append(p.Was, h)
					}
				}
			case "note":
				p.Note, _ = d.text(f.value, "note", "a note")
			default:
				d.unknown(f.key, "a person", "username", "was", "note")
			}
		}
		if e.value.Kind == yaml.MappingNode {
			d.require(e.value, "person "+clip(id), seen, [][2]string{{"username", "username: " + exampleHandle}})
		}
	}
	// A person that can't be read whole still counts as listed, so that grants
	// for it aren't reported too.
	if !l.claim(d, e.key, id, "person") {
		return
	}
	l.people[id] = p.Pos
	d.validate(e.value, p, e.key)
	for _, h := range append([]string{p.Handle}, p.Was...) {
		n := at[h]
		if h == p.Handle && at[""] != nil {
			n = at[""]
		}
		if h == "" || n == nil {
			continue
		}
		if other, taken := l.handles[h]; taken && other == id {
			d.bad(n, "handle", "was lists earlier user names only", "@%s stands twice for person %s", h, clip(id))
		} else if taken {
			d.bad(n, "handle", "give each person a user name of their own; both would get what is meant for one",
				"@%s belongs to person %s already, at %s", h, clip(other), l.people[other])
		} else {
			l.handles[h] = id
		}
	}
	l.p.People = append(l.p.People, p)
}

var handleForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,31}$`)

// link is what Telegram puts before a user name when it is shared.
const link = "https://t.me/"

// userName takes off what says that a text is a user name: "@", or the link.
func userName(s string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(s, link); ok {
		return strings.TrimPrefix(name, "@"), true
	}
	return strings.CutPrefix(s, "@")
}

// handle reads "@name", or a link to it, and returns it in lower case without
// the "@".
func (d *doc) handle(n *yaml.Node, what string) (string, bool) {
	s, ok := d.text(n, what, exampleHandle)
	if !ok {
		return "", false
	}
	h, at := userName(s)
	switch {
	case foreign(h) != "":
		d.bad(n, "handle", "copy the user name from Telegram; its letters are a to z, digits and _", "%s is no user name: %s", clip(s), foreign(h))
	case !handleForm.MatchString(h):
		d.bad(n, "handle", "write the user name as Telegram shows it, in quotes", "%s must be @ and 4 to 32 letters, digits and _, beginning with a letter, not %s", what, clip(s))
	case !at:
		d.bad(n, "handle", fmt.Sprintf("write %q", "@"+h), "%s must begin with @", what)
	default:
		return strings.ToLower(h), true
	}
	return "", false
}

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

var months = regexp.MustCompile(`^([1-9][0-9]{0,3}) months?$`)

// sold says what a product's field takes.
func sold(kind product.Kind, name string) string {
	switch kind {
	case product.Premium:
		return "premium takes 3 months, 6 months or 12 months"
	case product.Stars:
		return fmt.Sprintf("%s takes a whole number in plain digits, from %d to %d", name, product.MinStars, product.MaxTotalStars)
	}
	return fmt.Sprintf("%s takes a whole number in plain digits, from 1 to %d", name, product.MaxTopUp)
}

func (d *doc) item(e entry) product.Item {
	var i product.Item
	kind, _ := product.ParseKind(e.name)
	hint := sold(kind, e.name)
	if kind == product.Premium {
		if e.value.Kind == yaml.ScalarNode && plainNumber.MatchString(e.value.Value) {
			d.bad(e.value, "product", hint, "premium needs its unit, not %s alone", clip(e.value.Value))
			return i
		}
		s, ok := d.text(e.value, "premium", "a number of months: "+hint)
		if !ok {
			return i
		}
		m := months.FindStringSubmatch(s)
		if m == nil {
			d.bad(e.value, "product", hint, "premium must be a number of months, not %s", clip(s))
			return i
		}
		i = product.Item{Kind: kind, Quantity: mustInt(m[1])}
	} else {
		n, ok := d.number(e.value, e.name, hint)
		if !ok {
			return i
		}
		i = product.Item{Kind: kind, Quantity: n}
	}
	if message := unsold(i); message != "" {
		d.bad(e.value, "product", hint, "%s", message)
	}
	return i
}

// unsold says why no purchases add up to an item, "" if some do.
func unsold(i product.Item) string {
	if _, ok := i.Parts(); ok {
		return ""
	}
	if i.Kind == product.Stars && i.Quantity < product.MinStars {
		return fmt.Sprintf("%d Stars in one grant are too few: the least is %d", i.Quantity, int64(product.MinStars))
	}
	if err := i.Check(); err != nil && i.Quantity <= product.MaxTotalStars {
		return err.Error()
	} else if i.Kind == product.TopUp {
		return fmt.Sprintf("%d TON are too many: the most is %d", i.Quantity, int64(product.MaxTopUp))
	}
	return fmt.Sprintf("%d Stars in one grant are too many: the most is %d", i.Quantity, int64(product.MaxTotalStars))
}

func mustInt(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		panic("spec: the caller promised digits: " + err.Error())
	}
	return n
}
