package main

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fragplan/fragplan/report"
)

// conforms NAME FILE... says that every line of the files is what the published
// schema of that name says, and holds no field that it does not name.
func conforms(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: conforms NAME FILE...")
	}
	raw, known := report.Schemas()[args[0]]
	if !known {
		ts.Fatalf("there is no schema %s", args[0])
	}
	parsed, err := validator.UnmarshalJSON(bytes.NewReader(raw))
	ts.Check(err)
	closed(parsed)
	c := validator.NewCompiler()
	ts.Check(c.AddResource("schema.json", parsed))
	schema, err := c.Compile("schema.json")
	ts.Check(err)
	for _, name := range args[1:] {
		for line := range strings.Lines(ts.ReadFile(name)) {
			v, err := validator.UnmarshalJSON(strings.NewReader(line))
			ts.Check(err)
			if err := schema.Validate(v); err != nil {
				ts.Fatalf("%s: %v\n%s", name, err, line)
			}
		}
	}
}

// closed lets a schema refuse the fields that it doesn't name.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, names := v["properties"]; names && v["type"] == "object" {
			if _, open := v["additionalProperties"]; !open {
				v["additionalProperties"] = false
			}
		}
		for _, inner := range v {
			closed(inner)
		}
	case []any:
		for _, inner := range v {
			closed(inner)
		}
	}
}
