package spec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/spec"
)

// node is what the reference reads of a JSON Schema.
type node struct {
	Description          string          `json:"description"`
	Type                 string          `json:"type"`
	Enum                 []any           `json:"enum"`
	Pattern              string          `json:"pattern"`
	Least                json.Number     `json:"minimum"`
	Most                 json.Number     `json:"maximum"`
	OneOf                []*node         `json:"oneOf"`
	Items                *node           `json:"items"`
	Required             []string        `json:"required"`
	Properties           fields          `json:"properties"`
	AdditionalProperties json.RawMessage `json:"additionalProperties"`
}

// fields keeps the order in which they stand.
type fields []struct {
	name string
	node *node
}

func (f *fields) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		n := &node{}
		if err := d.Decode(n); err != nil {
			return err
		}
		*f = append(*f, struct {
			name string
			node *node
		}{name.(string), n})
	}
	return nil
}

// values are the shapes that a field may have, without the list of several.
func (n *node) values() []*node {
	if len(n.OneOf) == 0 {
		return []*node{n}
	}
	return n.OneOf
}

// named is the shape of the values of an object whose names are free.
func (n *node) named() *node {
	var inner node
	if n.Type != "object" || len(n.Properties) > 0 || json.Unmarshal(n.AdditionalProperties, &inner) != nil {
		return nil
	}
	return &inner
}

// known are examples of the forms that stand often.
var known = map[string]string{
	date("").JSONSchema().Pattern:   "`2026-12-01`",
	handle("").JSONSchema().Pattern: "`\"@name\"`",
	months("").JSONSchema().Pattern: "`3 months`",
	asset("").JSONSchema().Pattern:  "`ton`, `usdt`",
	anAmount:                        "`20 TON`",
	aRate:                           "`20 TON`, `20 TON per month`",
}

// form says in words what a field takes.
func (n *node) form() string {
	var forms []string
	for _, v := range n.values() {
		switch {
		case len(v.Enum) > 0:
			var words []string
			for _, e := range v.Enum {
				words = append(words, fmt.Sprintf("`%v`", e))
			}
			forms = append(forms, strings.Join(words, ", "))
		case v.Type == "array":
			forms = append(forms, "a list")
		case v.Type == "integer" && v.Least != "" && v.Most != "":
			forms = append(forms, fmt.Sprintf("%s to %s", v.Least, v.Most))
		case v.Type == "integer" && v.Least != "":
			forms = append(forms, "a whole number from "+v.Least.String())
		case v.Type == "integer":
			forms = append(forms, "a whole number")
		case v.Type == "boolean":
			forms = append(forms, "`true`, `false`")
		case len(v.Properties) > 0:
			forms = append(forms, "fields")
		case v.Type == "object":
			forms = append(forms, "names")
		case known[v.Pattern] != "":
			forms = append(forms, known[v.Pattern])
		case v.Type == "string":
			forms = append(forms, "text")
		}
	}
	return strings.Join(slices.Compact(forms), " or ")
}

// tables writes a table of the fields of an object, and of those below it.
func (n *node) tables(b *strings.Builder, path string) {
	if len(n.Properties) > 0 {
		title := "`" + path + "`"
		if path == "" {
			title = "On the top of the file"
		}
		fmt.Fprintf(b, "\n### %s\n\n| field | takes | |\n|---|---|---|\n", title)
		for _, f := range n.Properties {
			must := ""
			if slices.Contains(n.Required, f.name) {
				must = ", must stand"
			}
			fmt.Fprintf(b, "| `%s` | %s%s | %s |\n", f.name, f.node.form(), must, strings.ReplaceAll(f.node.Description, "|", `\|`))
		}
	}
	for _, f := range n.Properties {
		for _, v := range f.node.values() {
			v.tables(b, below(path, f.name))
			if v.Items != nil {
				v.Items.tables(b, below(path, f.name)+"[]")
			}
			if inner := v.named(); inner != nil {
				for _, w := range inner.values() {
					w.tables(b, below(path, f.name)+".NAME")
					if member := w.named(); member != nil {
						member.tables(b, below(path, f.name)+".NAME.MEMBER")
					}
				}
			}
		}
	}
}

func below(path, field string) string { return strings.TrimPrefix(path+"."+field, ".") }

// docs/fields.md has every field that the schemas know.
func TestTheReferenceIsCurrent(t *testing.T) {
	const name = "../docs/fields.md"
	var b strings.Builder
	b.WriteString("# Every field\n\nMade from the schemas by `go test ./spec -run Reference -update`. What the fields\nmean together is told in [files.md](files.md), [limits.md](limits.md),\n[schedules.md](schedules.md) and [people.md](people.md).\n")
	for _, part := range []struct {
		title  string
		schema []byte
	}{{"Files of people and grants", spec.Schema}, {"fragplan.yaml", spec.ProjectSchema}} {
		var n node
		if err := json.Unmarshal(part.schema, &n); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n## %s\n", part.title)
		n.tables(&b, "")
	}
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(got)); d != "" {
		t.Errorf("go test ./spec -run Reference -update makes it anew (-want +got):\n%s", d)
	}
}
