package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
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
	if !p.book.Known(key) {
		key = p.dated(key, plan.Today)
	}
	e := reconcile.Explain(plan, p.spec.Occurrences(plan.Today), p.book, key, at)
	p.whence(&e, plan.Today)
	if now := p.book.Now(key); now != key && e.Written == nil {
		return fmt.Errorf("%q was moved to %s: fragplan explain %s", key, now, now)
	}
	if e.Written == nil && !p.book.Known(key) {
		return p.noKey(key, plan.Today)
	}
	last, err := p.moments(ctx, key)
	if err != nil {
		return err
	}
	return report.Explain(p.program.stdout, plan, e, last, p.program.style())
}

// dated is a key with a date: where a grant recurs and the key names none, the
// newest that has come, or else the next.
func (p *project) dated(key string, today schedule.Date) string {
	g, r, date, ok := p.spec.Find(key)
	if !ok || date != 0 || g.Rule.IsZero() {
		return key
	}
	newest := g.Next(r, today)
	for _, o := range p.spec.Occurrences(today) {
		if o.Series() == key {
			newest = o.Date
		}
	}
	if newest == 0 {
		return key
	}
	return key + "@" + newest.String()
}

// whence adds what the files say of a key, and what becomes of it where the plan
// has no line because its day has not come or is over.
func (p *project) whence(e *reconcile.Explanation, today schedule.Date) {
	g, r, date, ok := p.spec.Find(e.Key)
	if !ok {
		return
	}
	date = cmp.Or(date, g.On)
	if e.Written == nil && date != 0 {
		written := p.spec.Occurrences(date)
		if i := slices.IndexFunc(written, func(o spec.Occurrence) bool { return o.Key == e.Key }); i >= 0 {
			e.Written = &written[i]
		}
	}
	if e.Written == nil {
		return
	}
	e.Through, e.NextDate = p.spec.Trail(g, r), g.Next(r, max(today, date))
	at := fmt.Sprintf("%s:%d", e.Written.Pos.File, e.Written.Pos.Line)
	again := fmt.Sprintf("to give it once more: fragplan reissue %s -reason TEXT", e.Key)
	switch {
	case len(e.Lines) > 0 && !g.Rule.IsZero() && e.Item.Quantity > 0 && e.Lines[len(e.Lines)-1].Verb == reconcile.NoOp:
		e.Next = "another amount at " + at + " holds for later dates; " + again
	case len(e.Lines) > 0 && e.Lines[len(e.Lines)-1].Code == reconcile.CodePassed:
		e.Next = fmt.Sprintf("that date is passed over: catch_up and if_subscribed at %s decide which are, and an edited rule makes none in the past", at)
	case len(e.Lines) > 0:
	case date > today:
		e.Not = fmt.Sprintf("buys nothing yet: it falls due on %s", date)
		e.Next = fmt.Sprintf("nothing is to be done: an apply on %s or later buys it; to prevent that, take it out at %s before", date, at)
	case e.Item.Quantity > 0:
		e.Not = "changes nothing: " + e.Item.String()
		e.Next = again
	default:
		e.Not = fmt.Sprintf("buys nothing: a later date is due or given, and catch_up: %s makes up for that only", spec.CatchLatest)
		if g.CatchUp == spec.CatchNone {
			e.Not = fmt.Sprintf("buys nothing: its day is over, and catch_up: %s makes up for nothing", spec.CatchNone)
		}
		e.Next = fmt.Sprintf("to have earlier dates made up for, write catch_up: %s at %s", spec.CatchAll, at)
	}
}

// someOf is how many keys of a grant an error lists.
const someOf = 5

// noKey says what may have been meant by a key that there is not.
func (p *project) noKey(key string, today schedule.Date) error {
	g, r, date, ok := p.spec.Find(key)
	name, _, whole := strings.Cut(key, "/")
	switch {
	case ok && date != 0 && g.Next(r, today) != 0:
		return fmt.Errorf("%s gives %s nothing on %s; what comes next is %s@%s", g.Name, r.Person, date, strings.TrimSuffix(key, "@"+date.String()), g.Next(r, today))
	case ok && (date != 0 || !g.Rule.IsZero()):
		return fmt.Errorf("%s gives %s nothing more, and nothing was given under %q", g.Name, r.Person, key)
	case g.Name == "":
		return fmt.Errorf("%q is neither written nor in the ledger: a key is a grant's name, a slash and a person, as fragplan plan -show-unchanged prints them", key)
	}
	keys := ""
	for i, r := range g.To {
		if i == someOf {
			keys += fmt.Sprintf(" and %d more", len(g.To)-i)
			break
		}
		if i > 0 {
			keys += ", "
		}
		keys += g.Name + "/" + cmp.Or(r.Row, r.Person)
	}
	if !whole {
		return fmt.Errorf("%q is no key: grant %s has %s", key, name, keys)
	}
	return fmt.Errorf("%q is neither written nor in the ledger: grant %s has %s", key, name, keys)
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
