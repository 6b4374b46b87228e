package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/report"
)

func (p *program) validateCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "validate", Short: "Check the YAML; needs no network, no ledger and no secrets", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			project, err := p.load()
			if err != nil {
				return err
			}
			grants, people, files := len(project.spec.Grants), len(project.spec.People), len(project.spec.Files)
			if asJSON {
				return report.ValidJSON(p.stdout, grants, people, files)
			}
			_, err = fmt.Fprintf(p.stdout, "Sound: %s for %s in %s.\n", report.Count(grants, "grant"), report.Count(people, "person"), report.Count(files, "file"))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object, or a diagnostic a line")
	return c
}
