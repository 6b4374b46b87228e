package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
)

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
				err = report.PlanMarkdown(p.stdout, plan, project.signed(c.Context(), plan))
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
		if p.unasked {
			plan.Unasked()
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
