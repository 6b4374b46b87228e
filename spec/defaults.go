package spec

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// grantFields are what a grant may hold.
var grantFields = []string{"to", "from_csv", "expect", "allow_duplicates", "stars", "premium", "ton", "gram", "reason", "labels", "pay_with",
	"every", "rrule", "starting", "until", "on", "catch_up", "max_catch_up", "if_subscribed"}

// ownFields are those that only make sense where the recipients stand.
var ownFields = []string{"from_csv", "expect", "allow_duplicates"}

// keepsOut says which defaults a grant's own field keeps out: those of which it
// can have only one, and those that go with what it does not take.
var keepsOut = func() map[string][]string {
	out := map[string][]string{
		"to": {"from_csv"}, "from_csv": {"to"},
		"every": {"rrule", "on"}, "rrule": {"every", "on"},
		"catch_up": {"max_catch_up"},
		"on":       {"every", "rrule", "starting", "until", "catch_up", "max_catch_up"},
	}
	for _, name := range products {
		out[name] = products
	}
	return out
}()

var products = []string{"stars", "premium", "ton", "gram"}

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
		if slices.Contains(ownFields, f.name) {
			d.bad(f.key, "defaults", "write it in the grant", "%s can't be a default", f.name)
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
	for _, f := range slices.Concat(own, columns(own)) {
		has[f.name] = true
		for _, name := range keepsOut[f.name] {
			has[name] = true
		}
	}
	for _, f := range defaults {
		if !has[f.name] {
			own = append(own, f)
		}
	}
	return own
}

// columns are the fields of from_csv: a column may give the product.
func columns(own []entry) (list []entry) {
	for _, f := range own {
		for i := 0; f.name == "from_csv" && i+1 < len(f.value.Content); i += 2 {
			if name := f.value.Content[i].Value; slices.Contains(products, name) {
				list = append(list, entry{name: name})
			}
		}
	}
	return list
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
		if ok && strings.ContainsRune(value, 0) { // no ledger holds one
			d.bad(e.value, "not-text", "take it out", "label %s holds a NUL character", clip(name))
		}
		if len(list) == maxLabels {
			d.bad(e.key, "max", "take some out", "more than %d labels", maxLabels)
			return list
		}
		list = append(list, Label{name, value})
	}
	return list
}
