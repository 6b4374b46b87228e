package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/approval"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

// errUnapproved: too few people have signed the plan.
var errUnapproved = errors.New("the plan is not approved")

// approvalsDir is where signatures lie in the project, by the digest that they
// are over.
const approvalsDir = "approvals"

func (p *program) approveCommand() *cobra.Command {
	var key, digest string
	c := &cobra.Command{
		Use: "approve [PLANFILE]", Short: "Sign a plan with an SSH key, so that apply may buy it", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if key == "" {
				return errors.New("-key names the file of your SSH key, as in -key ~/.ssh/id_ed25519; of a key in the agent, its .pub")
			}
			if digest == "" && !p.terminal() {
				return errors.New("there is no terminal to ask on: give -plan-digest of the plan that you have read; fragplan show FILE prints it")
			}
			return p.withLedger(c, func(project *project) error { return project.approve(c.Context(), args, p.path(key), digest) })
		},
	}
	c.Flags().Var(word{&key, "FILE"}, "key", "sign with the SSH key in this file")
	c.Flags().Var(word{&digest, "DIGEST"}, "plan-digest", "sign only the plan with this digest, without asking")
	return c
}

func (p *project) approve(ctx context.Context, args []string, key, digest string) error {
	if p.spec.Limits.Approvals == nil {
		return errors.New("fragplan.yaml asks for no approvals; docs/limits.md says how it does")
	}
	plan, err := p.toApprove(ctx, args, digest)
	if err != nil {
		return err
	}
	out := p.program.stdout
	if err := report.Plan(out, plan, p.program.style(), false); err != nil {
		return err
	}
	switch {
	case len(plan.Violations) > 0:
		return &exit{code: 1}
	case !plan.Changes():
		_, err := fmt.Fprintln(out, "There is nothing to approve.")
		return err
	case digest == "":
		err := p.program.asks("\nDo you approve that this is bought?")
		if errors.Is(err, errCancelled) {
			return errors.New("cancelled: nothing was signed")
		}
		if err != nil {
			return err
		}
	}
	named := plan.Digest().String()
	signature, err := approval.Sign(ctx, key, named)
	if err != nil {
		return err
	}
	dir := filepath.Join(p.program.dir, approvalsDir, named)
	name := fmt.Sprintf("%x.sig", sha256.Sum256(signature))[48:]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name), signature, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nSigned. Commit it to the repository: %s\n", filepath.ToSlash(filepath.Join(approvalsDir, named, name)))
	return err
}

// toApprove is the plan of a file, if it still holds, or that of now.
func (p *project) toApprove(ctx context.Context, args []string, digest string) (plan *reconcile.Plan, err error) {
	if len(args) == 1 {
		if plan, err = p.program.savedPlan(args[0]); err == nil {
			err = p.fresh(ctx, plan)
		}
	} else {
		plan, err = p.plan(ctx)
	}
	if err == nil && digest != "" {
		err = checkDigest(plan, digest)
	}
	return plan, err
}

// checkDigest compares a plan with a digest that a person or a program has
// named.
func checkDigest(plan *reconcile.Plan, digest string) error {
	var want ton.Hash
	if err := want.UnmarshalText([]byte(strings.TrimPrefix(digest, "sha256:"))); err != nil {
		return fmt.Errorf("-plan-digest %q is no digest of a plan: it has 64 hexadecimal digits", report.Clean(digest, 100))
	}
	return plan.CheckDigest(want)
}

// approvedBy says who has signed a plan and how many must have, 0 if nobody.
func (p *project) approvedBy(ctx context.Context, plan *reconcile.Plan) (need int, names []string, refused []error, err error) {
	if need = plan.Signatures(); need == 0 {
		return 0, nil, nil, nil
	}
	now, err := p.now(ctx)
	if err != nil {
		return need, nil, nil, fmt.Errorf("keys are judged by the chain's time: %w", err)
	}
	digest := plan.Digest().String()
	check := approval.Check{Signers: filepath.Join(p.program.dir, filepath.FromSlash(plan.Limits.Approvals.Signers)), Time: now}
	names, refused = check.All(ctx, digest, filepath.Join(p.program.dir, approvalsDir, digest))
	return need, names, refused, nil
}

// approved refuses a plan that too few people have signed, or only those who
// wrote what it buys.
func (p *project) approved(ctx context.Context, plan *reconcile.Plan) error {
	need, names, refused, err := p.approvedBy(ctx, plan)
	if need == 0 || err != nil {
		return err
	}
	authors, err := p.authors(ctx, plan)
	if err != nil {
		return fmt.Errorf("%w: who wrote what it buys can't be told: %w", errUnapproved, err)
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(authors, name) })
	digest := plan.Digest()
	switch {
	case len(names) < need:
		why := ""
		if len(refused) > 0 {
			why = fmt.Sprintf(" (not counted: %s)", errors.Join(refused...))
		}
		return fmt.Errorf("%w: it may cost %s, for which approvals: in fragplan.yaml asks %s, and %s has signed%s. Its digest is %s", errUnapproved, amountsOf(plan.Worst().Bought), report.Count(need, "signature"), orNobody(names), why, digest)
	case len(others) == 0:
		return fmt.Errorf("%w: %s has signed it and wrote what it buys; somebody else must sign it too. Its digest is %s", errUnapproved, strings.Join(names, ", "), digest)
	}
	return nil
}

// signed is who has signed a plan and what is lacking; nil if nobody must, or it
// can't be told.
func (p *project) signed(ctx context.Context, plan *reconcile.Plan) *report.Signed {
	need, names, _, err := p.approvedBy(ctx, plan)
	if need == 0 || err != nil {
		return nil
	}
	s := &report.Signed{By: names}
	if len(names) == 0 {
		return nil // the whole of it is required
	} else if len(names) < need {
		s.Lacks = fmt.Sprintf("%d of %s over the digest below, not only the author's", len(names), report.Count(need, "signature"))
	} else if err := p.approved(ctx, plan); err != nil {
		s.Lacks = err.Error()
	}
	return s
}

func amountsOf(list []ton.Amount) string {
	var texts []string
	for _, a := range list {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, " and ")
}

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// required says below a plan who has signed it and who must.
func (p *project) required(ctx context.Context, plan *reconcile.Plan) {
	need, names, _, err := p.approvedBy(ctx, plan)
	if need == 0 || err != nil {
		return
	}
	sign := ""
	if s := p.signed(ctx, plan); s == nil || s.Lacks != "" {
		sign = " To sign: fragplan" + p.program.mode() + " approve -key FILE"
	}
	fmt.Fprintf(p.program.stdout, "\nApprovals: %d of %d (%s).%s\n  Digest: %s\n", len(names), need, orNobody(names), sign, plan.Digest())
}
