package main

import (
	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/spec"
)

func (p *program) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print a JSON Schema of the files of people and grants, for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.stdout.Write(spec.Schema)
			return err
		},
	}
}
