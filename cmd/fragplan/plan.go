package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
)

// livePace is the least time between two calls of the live service; people
// who search names there keep to 15 to 30 a minute.
const livePace = 2 * time.Second

func (p *program) planCommand() *cobra.Command {
	var out string
	var asJSON, asMarkdown, detailed, unchanged bool
	var target, exclude []string
	c := &cobra.Command{
		Use: "plan", Short: "Show what apply would buy and what it costs", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON && asMarkdown {
				return errors.New("-json and -markdown exclude each other")
			}
			project, err := p.load()
			if err != nil {
				return err
			}
			defer project.Close()
			if out != "" {
				if err := project.planTarget(p.path(out)); err != nil {
					return err
				}
			}
			if err := project.openLedger(c.Context()); err != nil {
				return err
			}
			p.collects = asJSON
			plan, err := project.plan(c.Context())
			if err != nil {
				return err
			}
			if err := plan.Only(target, exclude); err != nil {
				return err
			}
			if plan.Changes() {
				if err := project.foresee(c.Context()); err != nil {
					return err
				}
			}
			project.tide(c.Context())
			project.warnOfSilence(c.Context())
			if out != "" {
				if err := writePlan(p.path(out), plan); err != nil {
					return err
				}
			}
			switch {
			case asJSON:
				err = report.PlanJSON(p.stdout, plan, p.warnings)
			case asMarkdown:
				err = report.PlanMarkdown(p.stdout, plan)
			default:
				if err = report.Plan(p.stdout, plan, p.style(), unchanged); err == nil {
					err = report.Next(p.stdout, plan.Next, p.style())
				}
				p.saved(out, plan)
				project.required(c.Context(), plan)
			}
			if err != nil {
				return err
			}
			if len(plan.Violations) > 0 {
				return &exit{code: 1}
			}
			if detailed && plan.Changes() {
				return &exit{code: 2}
			}
			return nil
		},
	}
	f := c.Flags()
	f.Var(word{&out, "FILE"}, "out", "save the plan for apply in this file")
	f.BoolVar(&asJSON, "json", false, "print the plan as JSON")
	f.BoolVar(&asMarkdown, "markdown", false, "print the plan as a comment for a code review")
	f.BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 if something would be bought")
	f.Var(list{&target, "NAME"}, "target", "plan only this key, grant or label; may be repeated")
	f.Var(list{&exclude, "NAME"}, "exclude", "leave out this key, grant or label; may be repeated")
	f.BoolVar(&unchanged, "show-unchanged", false, "also list what is given as written")
	return c
}

// errNoPlan: there is no file where a plan was named.
var errNoPlan = errors.New("plan file")

// savedPlan reads a plan that -out has written.
func (p *program) savedPlan(name string) (*reconcile.Plan, error) {
	b, err := os.ReadFile(p.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s", errNoPlan, name)
	}
	if err != nil {
		return nil, fmt.Errorf("plan file: %w", err)
	}
	plan, err := reconcile.DecodePlan(b)
	if err != nil {
		return nil, fmt.Errorf("plan file %s: %w", name, err)
	}
	return plan, nil
}

// saved says how to apply a plan that was saved and may be applied.
func (p *program) saved(name string, plan *reconcile.Plan) {
	if name == "" || len(plan.Violations) > 0 || !plan.Changes() {
		return
	}
	fmt.Fprintf(p.stdout, "\nSaved. To buy exactly this: fragplan%s apply %s\n", p.mode(), shell(name))
}

// shell quotes a word for a shell, if it has to be.
func shell(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(report.Clean(word, 0), "'", `'\''`) + "'"
}

// maxPrices bounds how many different items are priced; further ones are
// shown at their ceilings.
const maxPrices = 50

// nextDates is how many dates to come a plan shows.
const nextDates = 5

// plan compares the YAML with the ledger. Prices are asked only for what would
// be bought, and only if there is a session; otherwise the ceilings stand.
func (p *project) plan(ctx context.Context) (*reconcile.Plan, error) {
	today, err := p.today(ctx)
	if err != nil {
		return nil, err
	}
	want, book, err := p.desired(ctx, today)
	if err != nil {
		return nil, err
	}
	plan := want.Diff(book, nil, p.limits())
	if plan.Changes() {
		p.unpinned()
		prices, err := p.prices(ctx, plan)
		if err != nil {
			return nil, err
		}
		at, err := p.moment(ctx)
		if err != nil {
			return nil, err
		}
		plan = want.Diff(book, prices, p.limits())
		if p.budgeted {
			plan.WithinBudgets()
		}
		plan.Judge(book, at)
		plan.Expires = at.Time + at.Lasts
	}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	plan.Nonce, plan.Created, plan.Sandbox = hex.EncodeToString(nonce[:]), time.Now().Unix(), p.program.sandbox
	if today != 0 {
		plan.Next = p.spec.Next(today, nextDates)
	}
	plan.Behind = reconcile.Behind(plan, p.book, instant(today, plan.Created))
	plan.Wallet, err = p.address(ctx)
	return plan, err
}

// instant is when a plan is made: by this machine's clock, unless the chain says
// that it is another day.
func instant(today schedule.Date, local int64) int64 {
	day := today.Midnight().Unix()
	if today == 0 || local >= day-86400 && local < day+2*86400 {
		return local
	}
	return day
}

func (p *project) prices(ctx context.Context, plan *reconcile.Plan) (reconcile.Prices, error) {
	seats, err := p.seats(ctx)
	if errors.Is(err, fragment.ErrNoCredentials) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	prices := reconcile.Prices{}
	for _, a := range plan.Actions {
		goods := reconcile.Goods{Item: a.Item, Asset: a.Cap.Asset}
		if _, known := prices[goods]; known || !a.Buys() || len(prices) == maxPrices {
			continue
		}
		price, err := seats[0].client.PriceIn(ctx, a.Cap.Asset, products[a.Item.Kind], a.Item.Quantity)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			p.program.tell("no prices, so the plan shows the ceilings: " + err.Error())
			return nil, nil
		}
		prices[goods] = price
	}
	return prices, nil
}

// writePlan replaces the file whole, for its owner only.
func writePlan(name string, plan *reconcile.Plan) error {
	b, err := plan.Encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".plan-*")
	if err != nil {
		return fmt.Errorf("plan file %s: the folder can't be written to: %w", name, cause(err))
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("plan file %s: %w", name, errors.Join(cause(err), os.Remove(f.Name())))
	}
	return nil
}

// cause takes operation and path off an error of package os, where the path is
// not one that the user has named.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
