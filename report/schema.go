package report

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed schema/*.json
var schemas embed.FS

// Schemas are JSON Schemas (draft 2020-12) of what this package writes as JSON,
// by name: plan, apply (a line of the stream), validate, forecast, report,
// receipt, ledger and audit. They allow fields that they don't name, as a minor
// version of the format does. They are made from the Go types in
// schema_test.go.
func Schemas() map[string][]byte {
	all := map[string][]byte{}
	files, err := fs.Glob(schemas, "schema/*.json")
	if err != nil {
		panic("report: " + err.Error())
	}
	for _, name := range files {
		b, err := schemas.ReadFile(name)
		if err != nil {
			panic("report: the program lacks " + name)
		}
		all[strings.TrimSuffix(path.Base(name), ".json")] = b
	}
	return all
}
