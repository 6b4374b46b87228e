package spec

import (
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

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
