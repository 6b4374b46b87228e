package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/spec"
)

// Names of the schemas of what people write; the others are of what fragplan
// prints.
const (
	schemaFiles   = "files"   // of people and grants
	schemaProject = "project" // of fragplan.yaml
)

func (p *program) schemaCommand() *cobra.Command {
	all := report.Schemas()
	all[schemaFiles], all[schemaProject] = spec.Schema, spec.ProjectSchema
	names := slices.Sorted(maps.Keys(all))
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print a JSON Schema: of the files that editors check, or of what -json prints",
		Long: "Print a JSON Schema (draft 2020-12). \"" + schemaFiles + "\", which is printed without a NAME, is of the files of people and grants,\n\"" +
			schemaProject + "\" of fragplan.yaml, for editors. The others are of what -json prints: plan, a line of apply, validate, forecast,\nreport, receipt, ledger (list) and audit.",
		Args: cobra.MaximumNArgs(1), ValidArgs: names,
		RunE: func(_ *cobra.Command, args []string) error {
			name := schemaFiles
			if len(args) > 0 {
				name = args[0]
			}
			schema, known := all[name]
			if !known {
				return fmt.Errorf("there is no schema %q: write one of %s", name, strings.Join(names, ", "))
			}
			_, err := p.stdout.Write(schema)
			return err
		},
	}
}
