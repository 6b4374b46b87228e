package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/spec"
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
			grants, people, files := len(project.spec.Grants), recipients(project.spec), len(project.spec.Files)
			if asJSON {
				var warnings []report.Diagnostic
				for _, d := range project.spec.Warnings {
					w := diagnosticOf(d)
					w.Severity = "warning"
					warnings = append(warnings, w)
				}
				return report.ValidJSON(p.stdout, grants, people, files, warnings)
			}
			for _, d := range project.spec.Warnings {
				fmt.Fprint(p.stderr, "warning: "+d.String())
			}
			_, err = fmt.Fprintf(p.stdout, "Sound: %s for %s in %s.\n", report.Count(grants, "grant"), report.Count(people, "person"), report.Count(files, "file"))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object, or a diagnostic a line")
	return c
}

// recipients counts the people that are listed, and those whom only grants name.
func recipients(p *spec.Project) int {
	all := map[string]bool{}
	for _, person := range p.People {
		all[person.ID] = true
	}
	for _, g := range p.Grants {
		for _, r := range g.To {
			all[r.Person] = true
		}
	}
	return len(all)
}
