package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/forge"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
)

func (p *program) ciCommand() *cobra.Command {
	c := &cobra.Command{Use: "ci", Short: "Speak to the code host that runs this"}
	c.AddCommand(p.ciComment())
	return c
}

func (p *program) ciComment() *cobra.Command {
	var number, author string
	var always bool
	c := &cobra.Command{
		Use: "comment [PLANFILE]", Short: "Put the plan under the pull request, in one comment that is renewed", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			place, err := p.request(number)
			if err != nil {
				return err
			}
			if author != "" {
				place.Author = author
			}
			plan, signed, err := p.reviewed(c.Context(), args)
			if err != nil {
				return err
			}
			return p.comment(c.Context(), place, plan, signed, always)
		},
	}
	c.Flags().Var(word{&number, "NUMBER"}, "pr", "the pull request, where the run itself is not of one")
	c.Flags().Var(word{&author, "NAME"}, "author", "as whom the token comments, for that of a GitHub App (FRAGPLAN_COMMENT_AUTHOR)")
	c.Flags().BoolVar(&always, "always", false, "comment also if nothing would be bought")
	return c
}

// request is the pull request of this run, or the one that was named.
func (p *program) request(number string) (forge.Place, error) {
	via, err := p.proxy()
	if err != nil {
		return forge.Place{}, err
	}
	place, err := forge.PlaceFromEnv(p.getenv)
	place.Proxy = via
	if number == "" || place.Kind == "" || err != nil && !errors.Is(err, forge.ErrNoReview) {
		return place, err
	}
	if place.Number, err = strconv.ParseInt(number, 10, 64); err != nil || place.Number < 1 {
		return place, fmt.Errorf("-pr %q is no number of a pull request", number)
	}
	return place, nil
}

// reviewed is the plan of a file, or else the one of this moment and who has
// signed it.
func (p *program) reviewed(ctx context.Context, args []string) (*reconcile.Plan, *report.Signed, error) {
	if len(args) == 1 {
		plan, err := p.savedPlan(args[0])
		return plan, nil, err
	}
	project, err := p.load()
	if err != nil {
		return nil, nil, err
	}
	defer project.Close()
	if err := project.openLedger(ctx); err != nil {
		return nil, nil, err
	}
	plan, err := project.plan(ctx)
	if err != nil {
		return nil, nil, err
	}
	return plan, project.signed(ctx, plan), nil
}

func (p *program) comment(ctx context.Context, place forge.Place, plan *reconcile.Plan, signed *report.Signed, always bool) error {
	var b strings.Builder
	if err := report.PlanMarkdown(&b, plan, signed); err != nil {
		return err
	}
	text, body := b.String(), b.String()
	if !always && !plan.Changes() && len(plan.Violations)+len(plan.Moves)+len(plan.Settled) == 0 {
		body = ""
	}
	done, err := place.Put(ctx, p.marker(), body, text)
	if err != nil {
		return err
	}
	if _, err := forge.Summary(p.getenv, text+"\n"); err != nil {
		return err
	}
	if done.Other != "" {
		name := report.Clean(done.Other, 100)
		p.tell(fmt.Sprintf("the token comments as %s: give -author %s, or set %s, or the next run does not find this comment and makes another one", name, shell(name), forge.EnvAuthor))
	}
	switch done.Done {
	case "none":
		fmt.Fprintln(p.stdout, "Nothing would be bought, so there is no comment.")
	default:
		fmt.Fprintf(p.stdout, "The comment was %s: %s\n", done.Done, report.Clean(done.URL, 200))
	}
	return nil
}

var notInMarkers = regexp.MustCompile(`[^A-Za-z0-9/._]+`)

// marker tells the comments of several projects of one repository apart.
func (p *program) marker() string {
	if dir := filepath.ToSlash(filepath.Clean(p.dir)); dir != "." {
		return "plan:" + notInMarkers.ReplaceAllString(dir, "_")
	}
	return "plan"
}
