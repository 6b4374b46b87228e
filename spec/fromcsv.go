package spec

import (
	"math"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/product"
)

// fromCSV is a grant whose recipients stand in a CSV file, a row each.
type fromCSV struct {
	node    *yaml.Node
	table   *table
	wanted  []string // columns: key, to, and those of amount and reason
	product string   // the name of the product's field, "" if the grant gives one
	at      *yaml.Node
	amount  int // index in wanted, 0 for none
	reason  int // 〃
	rows    []csvRow
}

// csvRow is what one row says, before it is known who everybody is.
type csvRow struct {
	key, to cell
	item    product.Item
	reason  string
}

// fromCSV reads `from_csv: {file: …, key: …, to: …, stars: …}`.
func (l *loader) fromCSV(d *doc, n *yaml.Node) *fromCSV {
	const example = "from_csv: {file: results.csv, key: id, to: username, stars: prize}"
	c := &fromCSV{node: n, wanted: make([]string, 2)}
	seen := map[string]bool{}
	var file entry
	for _, f := range d.mapping(n, "from_csv", "write "+example+", the last three naming columns") {
		seen[f.name] = true
		s, ok := d.text(f.value, f.name, "the name of a column")
		if !ok {
			continue
		}
		if s == "" {
			d.bad(f.value, "empty", "write "+example, "%s is empty", f.name)
		}
		switch f.name {
		case "file":
			file = entry{s, f.key, f.value}
		case "key":
			c.wanted[0] = s
		case "to":
			c.wanted[1] = s
		case "stars", "premium", "ton", "gram":
			if c.product != "" {
				d.bad(f.key, "product", "make a grant of each", "from_csv gives both %s and %s", c.product, f.name)
				continue
			}
			c.product, c.at, c.amount = f.name, f.key, len(c.wanted)
			c.wanted = append(c.wanted, s)
		case "reason":
			c.reason = len(c.wanted)
			c.wanted = append(c.wanted, s)
		default:
			d.unknown(f.key, "from_csv", "file", "key", "to", "stars", "premium", "ton", "gram", "reason")
		}
	}
	if n.Kind == yaml.MappingNode {
		d.require(n, "from_csv", seen, [][2]string{
			{"file", "file: and the name of a CSV file"},
			{"key", "key: and a column whose value names a row for ever, such as an entry's number; a row's place is no name"},
			{"to", "to: and the column of user names"},
		})
	}
	if file.name == "" || c.wanted[0] == "" || c.wanted[1] == "" {
		return c
	}
	if c.table = l.table(d, file.name, d.pos(file.value), c.wanted); c.table == nil {
		return c
	}
	c.table.rows(&l.rows, func(cells []cell) {
		if r, ok := c.row(cells); ok {
			c.rows = append(c.rows, r)
		}
	})
	return c
}

// row checks what stands in a row without knowing the people.
func (c *fromCSV) row(cells []cell) (r csvRow, ok bool) {
	r.key, r.to = cells[0], cells[1]
	ok = true
	for i, v := range cells {
		switch {
		case v.text == "" && i != c.reason:
			c.table.bad(v, "empty-cell", "fill it, or take the row out", "column %s is empty", clip(c.wanted[i]))
			ok = false
		case strings.HasPrefix(v.text, "=") || strings.HasPrefix(v.text, "+") || strings.HasPrefix(v.text, "@") && i != 1 || strings.HasPrefix(v.text, "-"):
			c.table.bad(v, "formula", "export the values of the table, not its formulas", "%s looks like a formula", clip(v.text))
			ok = false
		}
	}
	if !ok {
		return r, false
	}
	if !nameForm.MatchString(r.key.text) {
		c.table.bad(r.key, "name", "name a column whose values are such names", "the key %s must be 1 to 64 letters, digits, -, _ and points, beginning with a letter or digit", clip(r.key.text))
		ok = false
	}
	if c.amount > 0 {
		var fine bool
		r.item, fine = c.quantity(cells[c.amount])
		ok = ok && fine
	}
	if c.reason > 0 {
		if r.reason = strings.Join(strings.Fields(cells[c.reason].text), " "); len([]rune(r.reason)) > 500 {
			c.table.bad(cells[c.reason], "max", "shorten it", "a reason is longer than 500 characters")
			ok = false
		}
	}
	return r, ok
}

// quantity reads an amount as it would stand in YAML; months may stand alone,
// because their column says what they are.
func (c *fromCSV) quantity(v cell) (product.Item, bool) {
	kind, _ := product.ParseKind(c.product)
	hint, digits := sold(kind, c.product), v.text
	if kind == product.Premium {
		if m := months.FindStringSubmatch(digits); m != nil {
			digits = m[1]
		}
		hint = "premium takes 3, 6 or 12"
	}
	if !plainNumber.MatchString(digits) || len(digits) > 18 {
		c.table.bad(v, "number", meant(v.text, hint), "%s must be a whole number in plain digits, not %s", c.product, clip(v.text))
		return product.Item{}, false
	}
	i := product.Item{Kind: kind, Quantity: mustInt(digits)}
	if message := unsold(i); message != "" {
		c.table.bad(v, "product", hint, "%s", message)
		return i, false
	}
	return i, true
}

// fromRows finds who the rows' people are. Keys and people stand once.
func (l *loader) fromRows(g *pendingGrant) {
	c := g.csv
	if c.table == nil {
		return
	}
	keys, people := make(map[string]cell, len(c.rows)), make(map[string]cell, len(c.rows))
	for _, row := range c.rows {
		r, ok := l.inCell(c.table, row.to)
		if at, twice := keys[row.key.text]; twice {
			c.table.bad(row.key, "duplicate", "name a column whose values are different in every row", "the key %s stands twice; the first is at %s", clip(row.key.text), c.table.pos(at))
			ok = false
		}
		keys[row.key.text] = row.key
		if !ok {
			continue
		}
		if !g.Rule.IsZero() && r.Person == "@"+r.Handle {
			c.table.bad(row.to, "recipient", listThem, "grant %s recurs, and a user name may change its owner", clip(g.Name))
			continue
		}
		if at, twice := people[r.Person]; twice && g.Double == "" {
			c.table.bad(row.to, "duplicate", "take one of them out; if each is meant, write in the grant: allow_duplicates: and why", "%s stands twice in grant %s; the first is at %s", clip(r.Person), clip(g.Name), c.table.pos(at))
			continue
		}
		people[r.Person] = row.to
		r.Row, r.Item, r.Reason = row.key.text, row.item, row.reason
		r.Pos = Pos{c.table.file, row.key.line, 1}
		g.To = append(g.To, r)
	}
}

// inCell reads who a cell means: a user name, with or without @ or as a link,
// or an id under people. What may be both is refused.
func (l *loader) inCell(t *table, c cell) (Recipient, bool) {
	name := c.text
	h, at := userName(name)
	low := strings.ToLower(h)
	if i, listed := l.byID[name]; listed && !at {
		p := l.p.People[i]
		if l.handles[low] != name && handleForm.MatchString(name) {
			t.bad(c, "recipient", "write the user name that is meant, with @", "%s may be person %s (@%s) or the user name @%s", clip(name), clip(p.ID), p.Handle, low)
			return Recipient{}, false
		}
		return Recipient{Person: p.ID, Handle: p.Handle, Was: p.Was}, true
	}
	if foreign(h) != "" {
		t.bad(c, "handle", "copy the user name from Telegram; its letters are a to z, digits and _", "%s is no user name: %s", clip(c.text), foreign(h))
		return Recipient{}, false
	}
	if !handleForm.MatchString(h) {
		t.bad(c, "handle", "write the user name as Telegram shows it", "a recipient must be a user name of 4 to 32 letters, digits and _, beginning with a letter, or an id under people, not %s", clip(c.text))
		return Recipient{}, false
	}
	if n := l.names[name]; n != nil && !at {
		t.bad(c, "recipient", "write a user name", "%s is a %s, and a row is one person's", clip(name), n.what)
		return Recipient{}, false
	}
	if id, listed := l.handles[low]; listed {
		i, known := l.byID[id]
		if !known {
			return Recipient{}, false // reported where the person stands
		}
		p := l.p.People[i]
		if p.Handle != low {
			t.bad(c, "recipient", "write the present one", "@%s is an earlier user name of person %s", low, clip(id))
			return Recipient{}, false
		}
		return Recipient{Person: p.ID, Handle: p.Handle, Was: p.Was}, true
	}
	return Recipient{Person: "@" + low, Handle: low}, true
}

// expect compares what was read with what its author counted.
func (l *loader) expect(g *pendingGrant) {
	const example = "expect: {rows: 10, stars: 2500}"
	d := g.d
	if g.csv.table == nil {
		return
	}
	for _, f := range d.mapping(g.expected, "expect", "write for example "+example) {
		got, what := int64(len(g.To)), "rows"
		switch f.name {
		case "rows":
		case "stars", "premium", "ton", "gram":
			kind, _ := product.ParseKind(f.name)
			got, what = 0, f.name
			for _, r := range g.To {
				if item := g.item(r); item.Kind == kind {
					got = min(got, math.MaxInt64-item.Quantity) + item.Quantity
				}
			}
			if kind == product.Premium {
				what = "months of premium"
			}
		default:
			d.unknown(f.key, "expect", "rows", "stars", "premium", "ton", "gram")
			continue
		}
		want, ok := d.number(f.value, "expect."+f.name, "write for example "+example)
		if ok && want != got && !g.csv.table.failed {
			d.bad(f.value, "expect", "look whether it is the right export; if it is, correct expect", "%s has %d %s, not %d", g.csv.table.file, got, what, want)
		}
	}
}

// csvFields reports fields that only grants from a CSV file have, or only
// others, and returns the products without one that a column gives.
func (d *doc) csvFields(e entry, g *pendingGrant, items []entry) []entry {
	if g.csv == nil {
		for i := 0; i+1 < len(e.value.Content); i += 2 {
			if k := e.value.Content[i]; k.Value == "expect" {
				d.bad(k, "unknown-field", "take it out, or read the recipients with from_csv:", "%s is for grants from a CSV file", k.Value)
			}
		}
		return items
	}
	if len(g.to) > 0 {
		d.bad(e.key, "recipient", "take one of them out", "grant %s has both to and from_csv", clip(g.Name))
	}
	if g.csv.product != "" && len(items) > 0 {
		d.bad(items[0].key, "product", "take one of them out", "grant %s gives %s, and from_csv gives %s", clip(g.Name), items[0].name, g.csv.product)
		return nil
	}
	return items
}
