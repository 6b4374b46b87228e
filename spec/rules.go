package spec

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/rule"
)

// maxRules bounds what each purchase is asked.
const maxRules = 100

const exampleRule = `rules: [{name: newcomers, when: 'first && cost_ton > ton("5")', deny: ask in the team chat first}]`

// rules reads what a team demands beside limits. The expressions are compiled,
// so that what is wrong is said with its place in the file.
func (l *loader) rules(d *doc, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		d.bad(n, "type", "write "+exampleRule, "rules must be a list, not %s", kind(n))
		return
	}
	var list []policy.Rule
	var at []*yaml.Node // of the expressions
	for _, m := range n.Content {
		if len(list) == maxRules {
			d.bad(m, "max", "take some out", "more than %d rules", maxRules)
			break
		}
		r, when := d.rule(m)
		if slices.ContainsFunc(list, func(o policy.Rule) bool { return o.Name == r.Name && r.Name != "" }) {
			d.bad(m, "duplicate", "give it a name of its own", "rule %s stands twice", clip(r.Name))
		}
		if when != nil {
			list, at = append(list, r), append(at, when)
		}
	}
	_, problems := rule.Compile(list)
	for i := range list {
		for _, p := range problems[i] {
			l.r.add(d.within(at[i], p), "rule", "docs/limits.md lists what an expression can ask", "rule %s: %s", list[i].Name, strings.TrimSpace(p.Text))
		}
	}
	l.p.Limits.Rules = list
}

// rule reads one rule, and where its expression stands; nil if it has none.
func (d *doc) rule(n *yaml.Node) (r policy.Rule, when *yaml.Node) {
	seen := map[string]bool{}
	for _, f := range d.mapping(n, "a rule", "write "+exampleRule) {
		seen[f.name] = true
		switch f.name {
		case "name":
			r.Name, _ = d.text(f.value, "a rule's name", "name: newcomers")
			d.validate(f.value, struct {
				Name string `yaml:"rule" validate:"name"`
			}{r.Name}, f.value)
		case "when":
			var ok bool
			if r.When, ok = d.text(f.value, "when", `an expression: first && cost_ton > ton("5")`); ok {
				when = f.value
			}
		case "deny":
			r.Deny = d.says(f)
		case "warn":
			r.Warn = d.says(f)
		default:
			d.unknown(f.key, "a rule", "name", "when", "deny", "warn")
		}
	}
	if n.Kind != yaml.MappingNode {
		return r, nil
	}
	d.require(n, "a rule", seen, [][2]string{{"name", "name: newcomers"}, {"when", `when: first && cost_ton > ton("5")`}})
	if seen["deny"] == seen["warn"] {
		d.bad(n, "rule", "write deny: TEXT for what must not be bought, or warn: TEXT for what people should look at", "a rule denies or warns: one of the two")
	}
	return r, when
}

// says reads what people are told.
func (d *doc) says(f entry) string {
	s, ok := d.text(f.value, f.name, f.name+": ask in the team chat first")
	if ok && (s == "" || len([]rune(s)) > 500) {
		d.bad(f.value, "max", "write one sentence", "%s is empty or longer than 500 characters", f.name)
	}
	return s
}

// within is the place in the file of a place in a text that stands there. In a
// text that is folded over several lines, it is where the text begins.
func (d *doc) within(n *yaml.Node, p *rule.Problem) Pos {
	pos := d.pos(n)
	if p.Line < 1 {
		return pos
	}
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.LiteralStyle:
		pos.Line += p.Line
		line := d.r.sources[d.file].line(pos.Line)
		pos.Column = len(line) - len(strings.TrimLeft(line, " ")) + p.Column
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		if p.Line == 1 {
			pos.Column += p.Column // and the quote
		}
	case 0:
		if p.Line == 1 {
			pos.Column += p.Column - 1
		}
	}
	return pos
}
