package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/report"
)

func (p *program) showCommand() *cobra.Command {
	var asJSON, asMarkdown, unchanged bool
	c := &cobra.Command{
		Use: "show PLANFILE", Short: "Show a plan that plan -out has saved", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if asJSON && asMarkdown {
				return errors.New("-json and -markdown exclude each other")
			}
			plan, err := p.savedPlan(args[0])
			switch {
			case err != nil:
				return err
			case asJSON:
				return report.PlanJSON(p.stdout, plan, nil)
			case asMarkdown:
				return report.PlanMarkdown(p.stdout, plan, nil)
			}
			if err := report.Plan(p.stdout, plan, p.style(), unchanged); err != nil {
				return err
			}
			if err := report.Next(p.stdout, plan.Next, p.style()); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "\nDigest: %s\n", plan.Digest())
			if need := plan.Signatures(); need > 0 {
				fmt.Fprintf(p.stdout, "Needs %s. To sign: fragplan%s approve -key FILE %s\n", report.Count(need, "signature"), p.mode(), shell(args[0]))
			}
			return nil
		},
	}
	f := c.Flags()
	f.BoolVar(&asJSON, "json", false, "print the plan as JSON")
	f.BoolVar(&asMarkdown, "markdown", false, "print the plan as a comment for a code review")
	f.BoolVar(&unchanged, "show-unchanged", false, "also list what is given as written")
	return c
}
