package spec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/schedule"
)

// A Step is a line through which somebody is given something.
type Step struct {
	What         string        // "group mods"
	Since, Until schedule.Date // of a member of a group; zero for no end
	Pos          Pos
}

// Find is what a key is written by: a grant, one of its recipients, and the date
// in the key, zero if it has none. Whether the grant has that date is not asked.
func (p *Project) Find(key string) (g Grant, r Recipient, date schedule.Date, ok bool) {
	grant, who, _ := strings.Cut(key, "/")
	if person, day, dated := strings.Cut(who, "@20"); dated && person != "" {
		if d, err := schedule.ParseDate("20" + day); err == nil {
			who, date = person, d
		}
	}
	i := slices.IndexFunc(p.Grants, func(g Grant) bool { return g.Name == grant })
	if i < 0 {
		return Grant{}, Recipient{}, 0, false
	}
	g = p.Grants[i]
	j := slices.IndexFunc(g.To, func(r Recipient) bool { return cmp.Or(r.Row, r.Person) == who })
	if j < 0 || date != 0 && g.Rule.IsZero() {
		return g, Recipient{}, 0, false
	}
	return g, g.To[j], date, true
}

// Trail lists the lines through which a grant reaches a recipient, beside the
// recipient's own.
func (p *Project) Trail(g Grant, r Recipient) (steps []Step) {
	if g.Pos.File != r.Pos.File || r.Row != "" {
		steps = append(steps, Step{What: "grant " + g.Name, Pos: g.Pos})
	}
	for _, group := range p.Groups {
		if group.Name != r.Group || r.Group == "" {
			continue
		}
		for _, m := range group.Members {
			if m.Person == r.Person {
				steps = append(steps, Step{"group " + group.Name, m.Since, m.Until, m.Pos})
			}
		}
	}
	for _, person := range p.People {
		if person.ID == r.Person {
			steps = append(steps, Step{What: "person " + person.ID, Pos: person.Pos})
		}
	}
	return steps
}

// Next is the first date after a day on which a grant gives a recipient
// something, zero if there is none.
func (g Grant) Next(r Recipient, after schedule.Date) schedule.Date {
	if g.On > after && r.belongs(g.On) {
		return g.On
	}
	for _, d := range g.Rule.After(max(after, r.Since-1), 1) {
		if r.belongs(d) {
			return d
		}
	}
	return 0
}
