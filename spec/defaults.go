package spec

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// grantFields are what a grant may hold.
var grantFields = []string{"to", "stars", "premium", "ton", "gram", "reason", "labels"}

// alternatives are fields of which a grant has one: its own keeps out the
// default of any other.
var alternatives = [][]string{
	{"stars", "premium", "ton", "gram"},
}

// defaults reads the fields that the grants of a file take where they have none
// of their own. What they hold is checked where it is taken.
func (l *loader) defaults(d *doc, entries []entry) (list []entry) {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.name == "defaults" })
	if i < 0 {
		return nil
	}
	e := entries[i]
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.name == "grants" }) {
		d.bad(e.key, "defaults", "take them out, or write them where the grants are", "defaults hold for the grants of their own file, and it has none")
	}
	for _, f := range d.mapping(e.value, "defaults", "write fields of a grant: defaults: {reason: …}") {
		if !slices.Contains(grantFields, f.name) {
			d.unknown(f.key, "defaults", grantFields...)
			continue
		}
		list = append(list, f)
	}
	return list
}

// inherit adds to a grant's own fields the defaults that it leaves open.
func inherit(own, defaults []entry) []entry {
	if len(defaults) == 0 {
		return own
	}
	has := make(map[string]bool, len(own))
	for _, f := range own {
		has[f.name] = true
		for _, group := range alternatives {
			if slices.Contains(group, f.name) {
				for _, name := range group {
					has[name] = true
				}
			}
		}
	}
	for _, f := range defaults {
		if !has[f.name] {
			own = append(own, f)
		}
	}
	return own
}

// A Label says something of a grant for whoever sorts what was given.
type Label struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const maxLabels = 20

// labels reads `labels: {season: winter}`.
func (d *doc) labels(n *yaml.Node) (list []Label) {
	const example = "labels: {season: winter}"
	for _, e := range d.mapping(n, "labels", "write "+example) {
		name, ok := d.name(e.key, "a label's name")
		if !ok {
			continue
		}
		d.validate(n, struct {
			Name string `yaml:"name" validate:"name"`
		}{name}, e.key)
		value, ok := d.text(e.value, "label "+clip(name), "a word: "+example)
		if ok && len([]rune(value)) > 100 {
			d.bad(e.value, "max", "shorten it", "label %s is longer than 100 characters", clip(name))
		}
		if len(list) == maxLabels {
			d.bad(e.key, "max", "take some out", "more than %d labels", maxLabels)
			return list
		}
		list = append(list, Label{name, value})
	}
	return list
}
