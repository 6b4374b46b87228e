package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
)

// lastMoments is how many records of a key explain shows.
const lastMoments = 10

func (p *program) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain KEY", Short: "Say why one key is bought or not, and what would change it", Args: cobra.ExactArgs(1), ValidArgsFunction: p.keys,
		RunE: func(c *cobra.Command, args []string) error {
			return p.withLedger(c, func(project *project) error { return project.explain(c.Context(), args[0]) })
		},
	}
}

func (p *project) explain(ctx context.Context, key string) error {
	plan, err := p.plan(ctx)
	if err != nil {
		return err
	}
	at, err := p.moment(ctx)
	if err != nil {
		return err
	}
	e := reconcile.Explain(plan, p.spec.Occurrences(plan.Today), p.book, key, at)
	if now := p.book.Now(key); now != key && e.Written == nil {
		return fmt.Errorf("%q was moved to %s: fragplan explain %s", key, now, now)
	}
	if e.Written == nil && !p.book.Known(key) {
		return fmt.Errorf("%q is neither written nor in the ledger: a key is a grant's name, a slash and a person, as fragplan plan -show-unchanged prints them", key)
	}
	last, err := p.moments(ctx, key)
	if err != nil {
		return err
	}
	return report.Explain(p.program.stdout, plan, e, last, p.program.style())
}

// moments reads the newest records about a key, the oldest of them first.
func (p *project) moments(ctx context.Context, key string) ([]report.Moment, error) {
	var last []report.Moment
	err := p.store.Records(ctx, func(r ledger.Record) error {
		about, err := p.book.About(r, key)
		if err != nil || !about {
			return errors.Join(err, ctx.Err())
		}
		e, err := ledger.Decode(r.Kind, r.Body)
		if err != nil {
			return err
		}
		last = append(last, report.Moment{Time: time.UnixMilli(r.Time), Event: e})
		last = last[max(0, len(last)-lastMoments):]
		return ctx.Err()
	})
	if errors.Is(err, context.Canceled) {
		return nil, ctx.Err()
	}
	return last, err
}
