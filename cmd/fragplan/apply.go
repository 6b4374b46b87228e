package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
)

// applying is what was asked of apply.
type applying struct {
	saved    *reconcile.Plan // the plan of a file; nil for the one of now
	digest   string          // that the plan of now must have; "" for any
	approved bool            // nobody is asked
	budgeted bool            // only what campaign budgets allow
	asJSON   bool
	unsigned string // the file for a request to pay; "" signs

	target, exclude []string
}

func (p *program) applyCommand() *cobra.Command {
	var a applying
	var detailed bool
	c := &cobra.Command{
		Use: "apply [PLANFILE]", Short: "Buy what the plan says, exactly once", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			unattended := a.approved || a.digest != "" || a.budgeted
			if a.asJSON && !unattended && len(args) == 0 {
				return errors.New("apply -json needs -auto-approve or a plan file: it can't ask")
			}
			if len(args) == 1 && (a.digest != "" || a.budgeted || len(a.target)+len(a.exclude) > 0) {
				return errors.New("a plan file is bought as it is: -plan-digest, -within-budget, -target and -exclude are for a plan that is made anew")
			}
			if len(args) == 0 && !unattended && !p.terminal() {
				return errors.New("there is no terminal to ask on: give a plan file, -plan-digest or -auto-approve")
			}
			if c.Flags().Changed("unsigned") && a.unsigned == "" {
				return errors.New("-unsigned names the file for the request, or - for stdout")
			}
			if a.unsigned == "-" && a.asJSON {
				return errors.New("-unsigned - and -json both write to stdout: name a file")
			}
			if len(args) == 1 {
				var err error
				if a.saved, err = p.savedPlan(args[0]); err != nil {
					return err
				}
			}
			a.approved = unattended
			err := p.apply(c.Context(), a)
			if detailed {
				return detail(err)
			}
			return plainly(err)
		},
	}
	f := c.Flags()
	f.BoolVar(&a.approved, "auto-approve", false, "don't ask")
	f.BoolVar(&a.budgeted, "within-budget", false, "buy only what campaign budgets allow, without asking: for a schedule")
	f.Var(word{&a.digest, "DIGEST"}, "plan-digest", "go on only if the plan has this digest, without asking")
	f.Var(list{&a.target, "NAME"}, "target", "buy only this key, grant or label; may be repeated")
	f.Var(list{&a.exclude, "NAME"}, "exclude", "leave out this key, grant or label; may be repeated")
	f.BoolVar(&detailed, "detailed-exitcode", false, "exit with 3 to 7 for what was not bought, and why")
	f.BoolVar(&a.asJSON, "json", false, "print every step as one JSON object a line")
	f.Var(word{&p.metrics, "FILE"}, "metrics-file", "write figures of the run for Prometheus in this file")
	f.Var(word{&a.unsigned, "FILE"}, "unsigned", "sign nothing: write a TON Connect request to pay in this file (- for stdout)")
	return c
}

// plainly is the exit status of an apply without -detailed-exitcode: 0 or 1.
func plainly(err error) error {
	if e := (*exit)(nil); errors.As(err, &e) {
		return &exit{exitError, e.err}
	}
	return err
}

// apply settles what an earlier run left open, shows the plan, asks, and buys.
func (p *program) apply(ctx context.Context, a applying) (err error) {
	out := p.stdout
	if a.unsigned == "-" {
		p.stdout = p.stderr // the request stands alone
	}
	project, err := p.load()
	if err != nil {
		return err
	}
	defer project.Close()
	if p.metrics != "" {
		if err := p.harmless(p.path(p.metrics), project.spec.Ledger.File); err != nil {
			return fmt.Errorf("-metrics-file: %w", err)
		}
	}
	began := time.Now()
	defer func() { project.tellOf(ctx, began, err) }()
	project.unsigned = a.unsigned != ""
	if err := project.owned(); err != nil {
		return err
	}
	if err := project.unkept(); err != nil {
		return err
	}
	if err := project.openLedger(ctx); err != nil {
		return err
	}
	if err := project.begin(ctx, "apply"); err != nil {
		return err
	}
	project.buys, project.budgeted = true, a.budgeted
	project.unasked = a.saved == nil && a.approved && a.digest == ""
	if err := project.takeImports(ctx); err != nil {
		return err
	}
	shown := p.handler(a.asJSON)
	settled, err := project.carry(ctx, project.nothing(), shown)
	project.applied.and(settled)
	if err != nil {
		shown.Done(settled, err)
		return project.unsettled(err, settled)
	}
	if err := project.reload(ctx); err != nil {
		return err
	}
	if err := project.recognize(ctx, shown.Progress); err != nil {
		shown.Done(settled, err)
		return err
	}
	plan, err := project.toApply(ctx, a)
	if err != nil {
		return err
	}
	project.applied.plan = plan
	shown.Plan(plan)
	if len(plan.Violations) > 0 {
		return &exit{code: exitRefused}
	}
	if !plan.Changes() {
		if err := project.note(ctx, plan); err != nil {
			return err
		}
		err := project.verdict(settled, plan)
		if len(settled.Undelivered) > 0 {
			// Perhaps only because the session could not be used to confirm.
			if why := project.admit(ctx); barred(why) {
				err = why
			}
		}
		shown.Done(settled, err)
		return err
	}
	if err := project.approved(ctx, plan); err != nil {
		return err
	}
	if err := project.admit(ctx); err != nil {
		shown.Done(settled, err)
		return err
	}
	if a.unsigned != "" {
		if project.till, err = p.openTill(a.unsigned, out); err != nil {
			return err
		}
		defer project.till.close()
	}
	if a.saved == nil && !a.approved {
		if err := p.ask(); err != nil {
			return err
		}
	}
	result, err := project.carry(ctx, plan, shown)
	project.applied.and(result)
	if err == nil {
		err = project.verdict(result, plan)
	}
	shown.Done(result, err)
	p.undelivered(ctx, project)
	if len(result.Offered) > 0 && !a.asJSON {
		p.showRequest(project.till)
	}
	return project.unsettled(err, result)
}

// note records what is said of keys and the rules of grants, where nothing is
// bought.
func (p *project) note(ctx context.Context, plan *reconcile.Plan) error {
	if events := reconcile.NewEdits(plan, p.book); len(events) > 0 {
		return p.recorder().Append(ctx, events)
	}
	return nil
}

// showRequest says what to do with a request, on a terminal with its picture.
func (p *program) showRequest(t *till) {
	t.explain(p.stdout, p)
	if width := p.width(); width > 0 {
		t.picture(p.stdout, width)
	}
}

// maxNamed is how many keys a warning names.
const maxNamed = 5

// undelivered says which orders Fragment has taken the payment of and nobody
// knows to be delivered. That is no failure, and no reason to buy again.
func (p *program) undelivered(ctx context.Context, project *project) {
	if project.reload(ctx) != nil {
		return
	}
	var keys []string
	for id := ledger.OrderID(1); id <= project.book.LastOrder; id++ {
		if o := project.book.Orders[id]; o != nil && o.Phase == ledger.Acknowledged {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		return
	}
	named := strings.Join(keys[:min(len(keys), maxNamed)], ", ")
	if more := len(keys) - maxNamed; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	p.tell(p.complete(fmt.Sprintf("Fragment knows of the payment and does not show the delivery yet: %s. Every apply asks again; fragplan ledger show KEY prints what its support asks for", named)))
}

// toApply is the plan that was asked for, if it may be bought.
func (p *project) toApply(ctx context.Context, a applying) (*reconcile.Plan, error) {
	if a.saved != nil {
		return a.saved, p.fresh(ctx, a.saved)
	}
	if a.budgeted && !p.program.sandbox {
		if err := p.committed(ctx); err != nil {
			return nil, fmt.Errorf("-within-budget buys what merged budgets allow: %w", err)
		}
	}
	plan, err := p.plan(ctx)
	if err != nil {
		return nil, err
	}
	if err := plan.Only(a.target, a.exclude); err != nil {
		return nil, err
	}
	if a.digest != "" {
		return plan, checkDigest(plan, a.digest)
	}
	return plan, nil
}

// verdict is the exit status of a run that came to its end: not 0 if a person
// must look at something.
func (p *project) verdict(r reconcile.Result, plan *reconcile.Plan) error {
	if r.Failed() || failures(plan) {
		return &exit{code: p.exitCode(r, plan)}
	}
	return nil
}

func failures(plan *reconcile.Plan) bool {
	for _, a := range plan.Actions {
		if a.Failure() {
			return true
		}
	}
	return false
}

// nothing is a plan without actions: applying it settles and checks the tide.
func (p *project) nothing() *reconcile.Plan {
	return &reconcile.Plan{FormatVersion: reconcile.FormatVersion, Ledger: p.book.Ledger, Limits: p.limits()}
}

// fresh refuses a saved plan that is no longer what would be decided.
func (p *project) fresh(ctx context.Context, plan *reconcile.Plan) error {
	if plan.Sandbox != p.program.sandbox {
		return fmt.Errorf("%w: it was made for %s", reconcile.ErrStale, map[bool]string{true: "a rehearsal (-sandbox)", false: "the real service"}[plan.Sandbox])
	}
	wallet, err := p.address(ctx)
	if err != nil {
		return err
	}
	today, err := p.today(ctx)
	if err != nil {
		return err
	}
	at, err := p.moment(ctx)
	if err != nil {
		return err
	}
	want, book, err := p.desired(ctx, today)
	if err != nil {
		return err
	}
	return want.CheckSaved(plan, wallet, book, p.limits(), at)
}
