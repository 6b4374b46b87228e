package spec

import (
	"gopkg.in/yaml.v3"
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
