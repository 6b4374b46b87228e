package spec

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// resolve finds the recipients of every grant, when all files are read: people
// and groups may stand in any of them.
func (l *loader) resolve() {
	l.byID = make(map[string]int, len(l.p.People))
	for i, p := range l.p.People {
		l.byID[p.ID] = i
		l.ids = append(l.ids, p.ID)
	}
	l.words = append(l.groupNames(), l.ids...)
	groups := l.resolveGroups()
	whole := extent{confirmed: l.confirmed, dates: map[string]int{}}
	l.p.Grants = slices.Grow(l.p.Grants, len(l.pending))
	for _, g := range l.pending {
		if g.csv != nil {
			l.fromRows(&g)
			if g.expected != nil {
				l.expect(&g)
			}
			if much := whole.add(&g.Grant, g.To...); much != "" {
				g.d.bad(g.csv.node, "size", tooMuch, "%s", much)
				return
			}
		}
		first := make(map[string]Pos, len(g.to))
		for _, n := range g.to {
			members, ok := groups[n.Value]
			if ok = ok && n.Kind == yaml.ScalarNode; ok {
				g.Single = false
			} else {
				r, known := l.recipient(g.d, n)
				if !known {
					continue
				}
				members = []Recipient{r}
			}
			if much := whole.add(&g.Grant, members...); much != "" {
				g.d.bad(n, "size", tooMuch, "%s", much)
				return
			}
			for _, r := range members {
				r.Pos = g.d.pos(n)
				if !g.dated(n, r) {
					break
				}
				if !g.Rule.IsZero() && r.Person == "@"+r.Handle {
					g.d.bad(n, "recipient", listThem, "grant %s recurs, and a user name may change its owner", clip(g.Name))
				}
				if at, twice := first[r.Person]; twice {
					g.d.bad(n, "duplicate", "take one of them out, or make two grants", "%s stands twice in grant %s; the first is at %s", clip(r.Person), clip(g.Name), at)
					continue
				}
				first[r.Person] = r.Pos
				g.To = append(g.To, r)
			}
		}
		for i := range g.To { // wherever they come from
			g.To[i].Confirmed = l.confirmed[g.To[i].Handle].name
		}
		l.p.Grants = append(l.p.Grants, g.Grant)
	}
	l.checkEdits()
	l.lookalikes()
}

const tooMuch = "give to fewer, on fewer dates or with fewer words, or split the project"

const listThem = "list them under people:, so that a new user name is still the same person"

// recipient reads one person or user name.
func (l *loader) recipient(d *doc, n *yaml.Node) (Recipient, bool) {
	r := Recipient{Pos: d.pos(n)}
	s, ok := d.text(n, "a recipient", `an id under people, a group or a user name: "@…"`)
	if !ok {
		return r, false
	}
	if _, at := userName(s); at {
		h, ok := d.handle(n, "a recipient")
		if id, listed := l.handles[h]; ok && listed {
			d.bad(n, "recipient", "write "+id, "@%s is person %s, at %s", h, clip(id), l.people[id])
			return r, false
		}
		r.Person, r.Handle = "@"+h, h
		return r, ok
	}
	return l.member(d, n, s, l.words)
}

// member finds a person by id; words are what may have been meant otherwise.
func (l *loader) member(d *doc, n *yaml.Node, id string, words []string) (Recipient, bool) {
	i, ok := l.byID[id]
	if !ok {
		if l.names[id] != nil || l.partial {
			return Recipient{}, false // reported where it stands, or the file
		}
		hint := fmt.Sprintf("list %s under people:, or write a user name: %q", clip(id), "@…")
		if near, ok := l.r.nearest(id, words); ok {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		d.bad(n, "recipient", hint, "there is no person %s", clip(id))
		return Recipient{}, false
	}
	p := l.p.People[i]
	return Recipient{Person: p.ID, Handle: p.Handle, Was: p.Was, Pos: d.pos(n)}, true
}
