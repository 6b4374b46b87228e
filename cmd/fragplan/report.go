package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/spec"
)

// reportFormats are the values of report's flag -format.
var reportFormats = []string{"text", "html", "csv", "json", "telegram"}

func (p *program) reportCommand() *cobra.Command {
	var from, to, grant string
	format := reportFormats[0]
	c := &cobra.Command{
		Use: "report", Short: "Show what was spent: by week, product, grant and person", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(reportFormats, format) {
				return fmt.Errorf("-format %q is none: write %s", format, strings.Join(reportFormats, ", "))
			}
			first, err := day("from", from)
			if err != nil {
				return err
			}
			end, err := day("to", to)
			if err != nil {
				return err
			}
			if !end.IsZero() {
				end = end.AddDate(0, 0, 1) // the day named is the last one
			}
			if !end.IsZero() && !first.Before(end) {
				return fmt.Errorf("-from %s is after -to %s", from, to)
			}
			return p.withLedger(c, func(project *project) error {
				s := report.SpendingOf(project.book, first, end)
				if grant != "" {
					if err := project.bought(grant); err != nil {
						return err
					}
					s = s.Of(grant)
				}
				switch format {
				case "html":
					return report.SpendingHTML(p.stdout, s)
				case "csv":
					return report.SpendingCSV(p.stdout, s)
				case "json":
					return report.SpendingJSON(p.stdout, s)
				case "telegram":
					return report.SpendingPost(p.stdout, s)
				}
				return report.SpendingText(p.stdout, s, p.style())
			})
		},
	}
	f := c.Flags()
	f.Var(word{&format, "FORMAT"}, "format", "text, html, csv, json or telegram (a post about who got what)")
	f.Var(word{&from, "DATE"}, "from", "the first day that counts, such as 2026-11-01 (UTC)")
	f.Var(word{&to, "DATE"}, "to", "the last day that counts")
	f.Var(word{&grant, "GRANT"}, "grant", "only what was bought for this grant")
	return c
}

// bought refuses the name of a grant that isn't written and for which nothing was
// ever bought.
func (p *project) bought(grant string) error {
	names := report.SpendingOf(p.book, time.Time{}, time.Time{}).Grants()
	for _, g := range p.spec.Grants {
		names = append(names, g.Name)
	}
	if slices.Contains(names, grant) {
		return nil
	}
	hint := "without -grant, report lists them"
	if near, ok := spec.Nearest(grant, names); ok {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("-grant %s: there is no such grant: %s", report.Clean(grant, 100), hint)
}

func day(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("-%s %q is no date: write it as 2026-11-01", flag, text)
	}
	return t, nil
}

func (p *program) receiptCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "receipt KEY", Short: "Show what proves that a key was paid", Args: cobra.ExactArgs(1), ValidArgsFunction: p.keys,
		RunE: func(c *cobra.Command, args []string) error {
			return p.withLedger(c, func(project *project) error {
				list := report.PurchasesOf(report.SpendingOf(project.book, time.Time{}, time.Time{}), args[0])
				switch {
				case len(list) == 0:
					return fmt.Errorf("nothing was paid for %q; fragplan ledger list shows the keys", args[0])
				case asJSON:
					return report.ReceiptJSON(p.stdout, args[0], list)
				}
				return report.Receipt(p.stdout, args[0], list, p.style())
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the receipt as JSON")
	return c
}
