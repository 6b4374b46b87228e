package spec_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/spec"
)

var update = flag.Bool("update", false, "make schema.json from the Go types")

// The shape of a file of people and grants, from which the schema is made.
type (
	shape struct {
		People    map[string]person `yaml:"people,omitempty" jsonschema_description:"who can be given something, by id"`
		Confirmed map[handle]string `yaml:"confirmed,omitempty" jsonschema_description:"display names of which somebody said that they are the right person's"`
		Groups    map[string]group  `yaml:"groups,omitempty" jsonschema_description:"people under one name, in the namespace of people"`
		PayWith   asset             `yaml:"pay_with,omitempty" jsonschema_description:"the money that pays for the grants of this file"`
		Campaign  string            `yaml:"campaign,omitempty" jsonschema_description:"what the grants of this file are for"`
		Budget    budget            `yaml:"budget,omitempty" jsonschema_description:"what they may cost together: 55 TON, or 70 TON per month"`
		Defaults  *Fields           `yaml:"defaults,omitempty" jsonschema_description:"fields that the grants of this file take where they have none of their own"`
		Grants    map[string]grant  `yaml:"grants,omitempty" jsonschema_description:"who gets what"`
		Moved     []moved           `yaml:"moved,omitempty" jsonschema_description:"names that grants or keys had before"`
		Settled   map[key]string    `yaml:"settled,omitempty" jsonschema_description:"keys that were given otherwise, each with who gave it and how"`
		Import    []imported        `yaml:"import,omitempty" jsonschema_description:"purchases that the wallet made without fragplan"`
	}
	Fields struct {
		To           recipients        `yaml:"to,omitempty" jsonschema_description:"a person, a group, a user name, or a list of them"`
		Stars        int               `yaml:"stars,omitempty" jsonschema:"minimum=50,maximum=1000000000" jsonschema_description:"so many Stars to each, as a total"`
		Premium      months            `yaml:"premium,omitempty" jsonschema_description:"so many months of Premium to each"`
		Ton          int               `yaml:"ton,omitempty" jsonschema:"minimum=1,maximum=1000000000" jsonschema_description:"so many whole TON to each balance"`
		Gram         int               `yaml:"gram,omitempty" jsonschema:"minimum=1,maximum=1000000000" jsonschema_description:"another name of ton"`
		Reason       string            `yaml:"reason,omitempty" jsonschema:"maxLength=500" jsonschema_description:"why, for whoever reviews it"`
		Labels       map[string]string `yaml:"labels,omitempty" jsonschema_description:"for whoever sorts what was given"`
		PayWith      asset             `yaml:"pay_with,omitempty" jsonschema_description:"the money that pays"`
		Every        string            `yaml:"every,omitempty" jsonschema:"pattern=^([1-9][0-9]{0\\,2} )?(day|week|month|quarter|year)s?$" jsonschema_description:"month, 2 weeks, quarter"`
		RRule        string            `yaml:"rrule,omitempty" jsonschema_description:"a rule of RFC 5545, of whole days"`
		Starting     date              `yaml:"starting,omitempty" jsonschema_description:"the first date of a grant that recurs"`
		Until        date              `yaml:"until,omitempty" jsonschema_description:"the last day on which there may be a date"`
		On           date              `yaml:"on,omitempty" jsonschema_description:"the day on which it is given once"`
		CatchUp      string            `yaml:"catch_up,omitempty" jsonschema:"enum=none,enum=latest,enum=all" jsonschema_description:"which of the dates that were missed are made up for"`
		MaxCatchUp   int               `yaml:"max_catch_up,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"with catch_up: all"`
		IfSubscribed string            `yaml:"if_subscribed,omitempty" jsonschema:"pattern=^wait( [1-9][0-9]{0\\,2} days?)?$" jsonschema_description:"how long Premium waits for one that runs"`
	}
	grant struct {
		Fields          `yaml:",inline"`
		FromCSV         *fromTable `yaml:"from_csv,omitempty" jsonschema_description:"recipients from a table"`
		Expect          *expected  `yaml:"expect,omitempty" jsonschema_description:"what the table adds up to, as counted"`
		AllowDuplicates string     `yaml:"allow_duplicates,omitempty" jsonschema_description:"why it may look like another gift, or a person stand twice in its table"`
	}
	moved struct {
		From grantOrKey `yaml:"from" jsonschema_description:"the name that it had: a grant, or a key"`
		To   grantOrKey `yaml:"to" jsonschema_description:"the name that it has"`
	}
	imported struct {
		Key         key    `yaml:"key" jsonschema_description:"the key that it was for"`
		Transaction hash   `yaml:"transaction" jsonschema_description:"its hash"`
		Ref         string `yaml:"ref,omitempty" jsonschema:"pattern=^[A-Za-z0-9_-]{1\\,64}$" jsonschema_description:"of the transfer, where the transaction holds several"`
		Reason      string `yaml:"reason" jsonschema:"minLength=1,maxLength=500" jsonschema_description:"who bought it, and why"`
	}
	fromTable struct {
		File    string `yaml:"file" jsonschema_description:"path of the CSV file, from the project's folder"`
		Key     string `yaml:"key" jsonschema_description:"the column that names a row for ever"`
		To      string `yaml:"to" jsonschema_description:"the column of user names"`
		Stars   string `yaml:"stars,omitempty" jsonschema_description:"the column of amounts"`
		Premium string `yaml:"premium,omitempty" jsonschema_description:"the column of months"`
		Ton     string `yaml:"ton,omitempty" jsonschema_description:"the column of amounts"`
		Gram    string `yaml:"gram,omitempty" jsonschema_description:"the column of amounts"`
		Reason  string `yaml:"reason,omitempty" jsonschema_description:"the column of reasons"`
	}
	expected struct {
		Rows    int `yaml:"rows,omitempty" jsonschema:"minimum=0" jsonschema_description:"recipients in the table"`
		Stars   int `yaml:"stars,omitempty" jsonschema:"minimum=0" jsonschema_description:"all Stars in the table"`
		Premium int `yaml:"premium,omitempty" jsonschema:"minimum=0" jsonschema_description:"all months in the table"`
		Ton     int `yaml:"ton,omitempty" jsonschema:"minimum=0" jsonschema_description:"all TON in the table"`
		Gram    int `yaml:"gram,omitempty" jsonschema:"minimum=0" jsonschema_description:"all TON in the table"`
	}
	person struct {
		Username handle  `yaml:"username" jsonschema_description:"as it is in Telegram now"`
		Was      handles `yaml:"was,omitempty" jsonschema_description:"earlier user names"`
		Note     string  `yaml:"note,omitempty" jsonschema:"maxLength=500" jsonschema_description:"for those who edit the file"`
	}
	member struct {
		Since date `yaml:"since,omitempty" jsonschema_description:"the first day"`
		Until date `yaml:"until,omitempty" jsonschema_description:"the last day"`
	}
	handle     string
	key        string
	grantOrKey string
	hash       string
	handles    struct{}
	date       string
	months     string
	asset      string
	recipients struct{}
	budget     struct{}
	group      struct{}
)

func text(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern}
}

func one(list ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{OneOf: list} }

func many(of *jsonschema.Schema) *jsonschema.Schema {
	least := uint64(1)
	return &jsonschema.Schema{Type: "array", Items: of, MinItems: &least}
}

const name = `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`

func (handle) JSONSchema() *jsonschema.Schema {
	return text(`^(@|https://t\.me/@?)[A-Za-z][A-Za-z0-9_]{3,31}$`)
}
func (handles) JSONSchema() *jsonschema.Schema {
	return one(handle("").JSONSchema(), many(handle("").JSONSchema()))
}
func (key) JSONSchema() *jsonschema.Schema {
	return text(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/(@[A-Za-z][A-Za-z0-9_]{3,31}|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})(@2[01][0-9]{2}-[01][0-9]-[0-3][0-9])?$`)
}
func (grantOrKey) JSONSchema() *jsonschema.Schema {
	return text(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(/(@[A-Za-z][A-Za-z0-9_]{3,31}|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})(@2[01][0-9]{2}-[01][0-9]-[0-3][0-9])?)?$`)
}
func (hash) JSONSchema() *jsonschema.Schema { return text(`^([0-9]+:)?[0-9A-Fa-f]{64}$`) }
func (date) JSONSchema() *jsonschema.Schema {
	return text(`^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
}
func (months) JSONSchema() *jsonschema.Schema { return text(`^(3|6|12) months?$`) }
func (asset) JSONSchema() *jsonschema.Schema {
	return text(`^([Tt][Oo][Nn]|[Gg][Rr][Aa][Mm]|[Uu][Ss][Dd][Tt])$`)
}
func (recipients) JSONSchema() *jsonschema.Schema {
	who := text(`^((@|https://t\.me/@?)[A-Za-z][A-Za-z0-9_]{3,31}|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$`)
	return one(who, many(who))
}
func (budget) JSONSchema() *jsonschema.Schema {
	return one(text(aRate), many(text(aRate)))
}
func (group) JSONSchema() *jsonschema.Schema {
	most := uint64(1)
	return one(text(name), many(text(name)), &jsonschema.Schema{Type: "object", AdditionalProperties: reflector().Reflect(member{}), PropertyNames: text(name), MinProperties: &most})
}

// JSONSchemaExtend: a person is often only a user name.
func (person) JSONSchemaExtend(s *jsonschema.Schema) {
	long := *s
	*s = *one(handle("").JSONSchema(), &long)
}

func sentence() *jsonschema.Schema {
	least, most := uint64(1), uint64(500)
	return &jsonschema.Schema{Type: "string", MinLength: &least, MaxLength: &most}
}

func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{FieldNameTag: "yaml", Anonymous: true, DoNotReference: true, ExpandedStruct: true}
}

// made is the schema as the types say it now.
func made(t *testing.T) []byte {
	t.Helper()
	s := reflector().Reflect(shape{})
	s.Title = "People and grants of fragplan"
	for _, named := range []string{"people", "groups", "grants"} {
		field, _ := s.Properties.Get(named)
		field.PropertyNames = text(name)
	}
	settled, _ := s.Properties.Get("settled")
	settled.PropertyNames, settled.AdditionalProperties = key("").JSONSchema(), sentence()
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// schema.json is what the Go types say, and a grant in it has the fields that
// are read.
func TestSchemaIsMadeFromTheTypes(t *testing.T) {
	want := made(t)
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(string(want), string(spec.Schema)); d != "" {
		t.Errorf("go test ./spec -run Schema -update makes it anew: %s", d)
	}
	var s struct {
		Properties struct {
			Grants struct {
				AdditionalProperties struct{ Properties map[string]any }
			}
		}
	}
	if err := json.Unmarshal(want, &s); err != nil {
		t.Fatal(err)
	}
	var got []string
	for field := range s.Properties.Grants.AdditionalProperties.Properties {
		got = append(got, field)
	}
	fields := slices.Clone(spec.GrantFields)
	slices.Sort(got)
	slices.Sort(fields)
	if d := cmp.Diff(fields, got); d != "" {
		t.Errorf("(-read +schema) %s", d)
	}
}

// plain turns YAML into what JSON knows, with dates as they are written.
func plain(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.DocumentNode:
		return plain(n.Content[0])
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(c))
		}
		return list
	case n.ShortTag() == "!!int" || n.ShortTag() == "!!float":
		return json.Number(n.Value)
	case n.ShortTag() == "!!null":
		return nil
	case n.ShortTag() == "!!bool":
		return n.Value == "true"
	}
	return n.Value
}

// judge returns how an independent validator reads YAML by a schema.
func judge(t *testing.T, schema []byte) func(string) error {
	t.Helper()
	c := validator.NewCompiler()
	s, err := validator.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("schema.json", s); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			return err
		}
		return compiled.Validate(plain(&n))
	}
}

// The schema and Load judge the same files alike, as far as a schema can.
func TestSchemaAgreesWithLoad(t *testing.T) {
	judge := judge(t, spec.Schema)
	good := []string{peopleFile, grantsFile, comeAndGo, fromCSV, `groups: {a: ann, b: [ann, bob], c: {ann: {}}}`, `confirmed: {"@ann_petrova": "Ann P."}`,
		`{defaults: {labels: {a: b}, every: 2 weeks, starting: 2026-12-01, catch_up: all, max_catch_up: 5}, grants: {x: {to: ann, stars: 50, if_subscribed: wait 3 days}, y: {to: [ann, "@somebody"], gram: 1, on: "2026-12-31"}}}`}
	good = append(good, "{campaign: regular, budget: 70 TON per month, grants: {}}", "{campaign: regular, budget: [55.5 TON, 1 usdt per month], grants: {}}")
	good = append(good, `{moved: [{from: a, to: b}, {from: c/ann, to: d/ann}, {from: "e/@some_body@2026-12-01", to: f/bob}], grants: {x: {to: ann, stars: 50}}, settled: {x/ann: by hand},
		import: [{key: x/ann, transaction: "1:1111111111111111111111111111111111111111111111111111111111111111", ref: aB_-1, reason: by hand}]}`)
	examples, _ := filepath.Glob("../examples/*/*/*.yaml")
	more, _ := filepath.Glob("../examples/*/people.yaml")
	for _, name := range append(examples, more...) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		good = append(good, string(b))
	}
	for _, text := range good {
		if err := judge(text); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for _, text := range []string{
		`people: [ann]`, `people: {ann: ann_petrova}`, `people: {ann: {usrname: "@ann_petrova"}}`, `people: {ann: {note: x}}`, `people: {"a/b": "@ann_petrova"}`,
		`{campaign: x, budget: 70, grants: {}}`, `{campaign: x, budget: 70 TON a month, grants: {}}`, `groups: {a: []}`, `groups: {a: {ann: {sinse: 2026-12-01}}}`, `groups: {a: {ann: {since: 2026-13-01}}}`, `grant: {}`,
		`grants: {a: {to: ann, stars: 5}}`, `grants: {a: {to: ann, stars: "100"}}`, `grants: {a: {to: ann, premium: 5 months}}`, `grants: {a: {to: [], stars: 50}}`,
		`grants: {a: {to: ann, stars: 50, every: fortnight, starting: 2026-12-01}}`, `grants: {a: {to: ann, stars: 50, on: tomorrow}}`, `grants: {a: {to: ann, star: 50}}`,
		`grants: {a: {stars: 50, from_csv: {file: x.csv, to: who}}}`, `grants: {a: {to: ann, stars: 50, every: day, starting: 2026-12-01, catch_up: some}}`,
		`grants: {a: {to: ann, premium: 3 months, on: 2026-12-01, if_subscribed: skip}}`, `{defaults: {from_csv: {}}, grants: {}}`,
		`{moved: {from: a, to: b}, grants: {}}`, `{moved: [{from: a}], grants: {}}`, `{moved: [{from: a/b/c, to: d/e}], grants: {}}`, `{settled: [x/ann], grants: {}}`,
		`{settled: {x: by hand}, grants: {x: {to: ann, stars: 50}}}`, `{settled: {x/ann: ""}, grants: {x: {to: ann, stars: 50}}}`, `{import: [{key: x/ann, transaction: "12", reason: y}], grants: {x: {to: ann, stars: 50}}}`,
	} {
		if judge(text) == nil {
			t.Errorf("the schema takes %s", text)
		}
		files := []string{"grants/a.yaml", text, "people.yaml", peopleFile}
		if strings.HasPrefix(text, "people") {
			files = []string{"people.yaml", text, "grants/a.yaml", "grants: {}"}
		}
		if _, err := spec.Load(project(t, files...)); err == nil {
			t.Errorf("Load takes %s", text)
		}
	}
}
