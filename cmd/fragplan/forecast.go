package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// mostMonths is how far a forecast looks.
const mostMonths = 36

func (p *program) forecastCommand() *cobra.Command {
	var asJSON bool
	var months int
	c := &cobra.Command{
		Use: "forecast", Short: "Show what the coming months cost, and when the wallet runs dry", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if months < 1 || months > mostMonths {
				return fmt.Errorf("-months must be from 1 to %d", mostMonths)
			}
			p.collects = asJSON
			return p.withLedger(c, func(project *project) error {
				f, err := project.forecast(c.Context(), months)
				if err != nil {
					return err
				}
				if asJSON {
					return report.ForecastJSON(p.stdout, f, p.warnings)
				}
				return report.Forecast(p.stdout, f, p.style())
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	c.Flags().IntVar(&months, "months", 6, "so many months, with the current one")
	return c
}

// forecast adds to what the plan buys now what falls due later.
func (p *project) forecast(ctx context.Context, months int) (reconcile.Forecast, error) {
	plan, err := p.plan(ctx)
	if err != nil {
		return reconcile.Forecast{}, err
	}
	today := plan.Today
	var balances []ton.Amount
	switch account, err := p.account(ctx); {
	case ctx.Err() != nil:
		return reconcile.Forecast{}, ctx.Err()
	case err != nil:
		p.program.tell("the wallet's balance is not known: " + err.Error())
	default:
		balances = append(balances, account.Balance.Amount())
		if today == 0 {
			today = p.spec.Today(time.Unix(int64(account.Time), 0))
		}
	}
	if today == 0 { // nothing that is written has a date
		today = p.spec.Today(time.Now())
	}
	year, month, _ := today.Midnight().Date()
	through := schedule.DateOf(year, month+time.Month(months), 1) - 1
	later := p.spec.Calendar(today, through)
	if len(balances) > 0 && paysWith(plan, later, ton.AssetUSDT) {
		usdt, err := p.usdt(ctx)
		switch {
		case ctx.Err() != nil:
			return reconcile.Forecast{}, ctx.Err()
		case err != nil:
			p.program.tell("the wallet's USDT is not known: " + err.Error())
		default:
			balances = append(balances, usdt)
		}
	}
	prices, err := p.prices(ctx, unpriced(later))
	if err != nil {
		return reconcile.Forecast{}, err
	}
	return reconcile.Foresee(plan, later, today, through, prices, p.limits(), balances), nil
}

// paysWith reports whether a plan buys something now, or something falls due
// later, that is paid with an asset.
func paysWith(plan *reconcile.Plan, later []spec.Coming, asset ton.Asset) bool {
	return slices.ContainsFunc(plan.Actions, func(a reconcile.Action) bool { return a.Buys() && a.Estimate.Asset == asset }) ||
		slices.ContainsFunc(later, func(c spec.Coming) bool { return c.Asset() == asset })
}

// unpriced is a plan that would buy each item once, to ask what they cost.
func unpriced(later []spec.Coming) *reconcile.Plan {
	p := &reconcile.Plan{}
	for _, c := range later {
		parts, _ := c.Item.Parts()
		for _, part := range parts {
			p.Actions = append(p.Actions, reconcile.Action{Verb: reconcile.Buy, Item: part, Cap: ton.Amount{Asset: c.Asset()}})
		}
	}
	return p
}
