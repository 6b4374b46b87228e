package spec

import (
	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/schedule"
)

// A Group is several people under one name. People and groups share one
// namespace, so that "to: mods" needs no mark of what it is.
type Group struct {
	Name    string
	Members []Member
	Pos     Pos
}

// A Member of a group is somebody listed under people. Who came later has no
// part in earlier dates, and who left none in later ones.
type Member struct {
	Person       string
	Since, Until schedule.Date // the first and the last day; zero for no end
	Pos          Pos
}

// named is who has a name, and where.
type named struct {
	what string // person or group
	pos  Pos
}

// claim takes a name of people and groups, or reports that it is taken.
func (l *loader) claim(d *doc, key *yaml.Node, name, what string) bool {
	first := l.names[name]
	if first == nil {
		l.names[name] = &named{what, d.pos(key)}
		return true
	}
	if first.what == what {
		d.bad(key, "duplicate", "rename one of them or take it out", "%s %s stands twice; the first is at %s", what, clip(name), first.pos)
	} else {
		d.bad(key, "duplicate", "rename one of them: grants name people and groups alike", "%s %s has the name of a %s, at %s", what, clip(name), first.what, first.pos)
	}
	return false
}

// pendingGroup is a group whose members are looked up when all files are read.
type pendingGroup struct {
	Group
	d       *doc
	members []*yaml.Node // in the order of Members
}

const exampleGroup = "a list of ids under people"

// group reads `mods: [ann, vera]`, or `mods: {ann: {since: 2026-11-01}}`.
func (l *loader) group(d *doc, e entry) {
	name, ok := d.name(e.key, "a group's name")
	if !ok || e.value.Kind == yaml.AliasNode {
		return
	}
	if !l.claim(d, e.key, name, "group") {
		return
	}
	g := pendingGroup{Group: Group{Name: name, Pos: d.pos(e.key)}, d: d}
	d.validate(e.value, struct {
		Name string `yaml:"name" validate:"name"`
	}{name}, e.key)
	if e.value.Kind == yaml.MappingNode {
		for _, m := range d.mapping(e.value, "group "+clip(name), exampleGroup) {
			if id, ok := d.text(m.key, "a member", "an id under people"); ok {
				g.add(m.key, d.period(id, m))
			}
		}
		l.groups = append(l.groups, g)
		return
	}
	nodes, _ := d.list(e.value, "group "+clip(name), exampleGroup)
	for _, n := range nodes {
		if id, ok := d.text(n, "a member", "an id under people"); ok {
			g.add(n, Member{Person: id, Pos: d.pos(n)})
		}
	}
	l.groups = append(l.groups, g)
}

// period reads `{since: 2026-11-01, until: 2027-03-31}`.
func (d *doc) period(id string, e entry) Member {
	m := Member{Person: id, Pos: d.pos(e.key)}
	for _, f := range d.mapping(e.value, "a member of a group", "write "+id+": {since: 2026-12-01}, or a list of ids") {
		switch f.name {
		case "since":
			m.Since, _ = d.date(f.value, "since")
		case "until":
			m.Until, _ = d.date(f.value, "until")
		default:
			d.unknown(f.key, "a member of a group", "since", "until")
		}
	}
	if m.Until != 0 && m.Until < m.Since {
		d.bad(e.value, "date", "until is the last day, since the first", "%s left before coming", clip(id))
	}
	return m
}

func (g *pendingGroup) add(n *yaml.Node, m Member) {
	g.Members = append(g.Members, m)
	g.members = append(g.members, n)
}

// resolveGroups finds the members of every group.
func (l *loader) resolveGroups() map[string][]Recipient {
	all := make(map[string][]Recipient, len(l.groups))
	for _, g := range l.groups {
		first := make(map[string]Pos, len(g.Members))
		list := make([]Recipient, 0, len(g.Members))
		for i, m := range g.Members {
			n := g.members[i]
			if at, twice := first[m.Person]; twice {
				g.d.bad(n, "duplicate", "take one of them out", "%s stands twice in group %s; the first is at %s", clip(m.Person), clip(g.Name), at)
				continue
			}
			first[m.Person] = m.Pos
			if other := l.names[m.Person]; other != nil && other.what == "group" {
				g.d.bad(n, "recipient", "write its members out", "%s is a group, and groups hold people only", clip(m.Person))
				continue
			}
			if r, ok := l.member(g.d, n, m.Person, l.ids); ok {
				r.Group, r.Since, r.Until = g.Name, m.Since, m.Until
				list = append(list, r)
			}
		}
		all[g.Name] = list
		l.p.Groups = append(l.p.Groups, g.Group)
	}
	return all
}

func (l *loader) groupNames() []string {
	names := make([]string, len(l.groups))
	for i, g := range l.groups {
		names[i] = g.Name
	}
	return names
}
