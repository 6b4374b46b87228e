package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

func (p *program) ledgerAudit() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "audit", Short: "Compare the ledger with the wallets' whole proven history, both ways", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withLedger(c, func(project *project) error {
				book, err := project.store.LoadFull(c.Context())
				if err != nil {
					return err
				}
				findings, checked, err := project.audit(c.Context(), book)
				if err != nil {
					return err
				}
				if asJSON {
					err = report.AuditJSON(p.stdout, findings)
				} else {
					err = report.Audit(p.stdout, findings, checked, p.complete("fragplan ledger assign"), p.style())
				}
				if err == nil && len(findings) > 0 {
					err = &exit{code: 2}
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

// audit compares a full book with the history of each of its wallets, and counts
// the transactions that it looked at.
func (p *project) audit(ctx context.Context, book *ledger.State) (findings []reconcile.Finding, checked int, err error) {
	for _, address := range book.Addresses() {
		history, err := p.history(ctx, book.Wallets[address])
		if err != nil {
			return nil, 0, err
		}
		checked += len(history)
		findings = append(findings, reconcile.Audit(book, address, history)...)
	}
	return findings, checked, nil
}

// history is everything that a wallet did since its anchor, as proven.
func (p *project) history(ctx context.Context, w *ledger.Wallet) ([]ton.Transaction, error) {
	sight, err := p.sight(ctx, w)
	return sight.History, err
}

// sight is a wallet's account with that history.
func (p *project) sight(ctx context.Context, w *ledger.Wallet) (reconcile.Sight, error) {
	client, err := p.chain(ctx)
	if err != nil {
		return reconcile.Sight{}, err
	}
	return lookout{Client: client}.Look(ctx, w.Address, w.Version, w.Anchor)
}

func (p *program) ledgerRebuild() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "rebuild", Short: "Let a lost or old ledger catch up with the chain", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(reason); err != nil {
				return err
			}
			project, err := p.load()
			if err != nil {
				return err
			}
			defer project.Close()
			project.reason = reason
			if err := project.rebuild(c.Context()); err != nil {
				return err
			}
			today, err := project.today(c.Context())
			if err != nil {
				return err
			}
			return report.Unclaimed(p.stdout, project.book, project.spec.Occurrences(today), p.complete("fragplan ledger assign"), p.style())
		},
	}
	reasonFlag(c, &reason)
	return c
}

// rebuild makes a lost ledger anew from the wallet's first transaction on, or
// takes into an old one what it misses. Payments that it knows of are settled
// first, by the same engine as ever.
func (p *project) rebuild(ctx context.Context) error {
	if err := p.owned(); err != nil {
		return err
	}
	if made, err := p.makeLedger(ctx, p.origin, p.reason); err != nil {
		return err
	} else if !made {
		if err := p.openLedger(ctx); err != nil {
			return err
		}
	}
	if err := p.begin(ctx, "ledger rebuild"); err != nil {
		return err
	}
	if err := p.takeWallet(ctx); err != nil {
		return err
	}
	if len(p.book.Open()) > 0 {
		shown := p.program.handler(false)
		result, err := p.carry(ctx, p.nothing(), shown)
		if err != nil && !errors.Is(err, reconcile.ErrTide) {
			shown.Done(result, err)
			return err
		}
		if err := p.reload(ctx); err != nil {
			return err
		}
	}
	for _, address := range p.book.Addresses() {
		history, err := p.history(ctx, p.book.Wallets[address])
		if err != nil {
			return err
		}
		paid, err := reconcile.Answers(p.book, address, history)
		if err != nil {
			return err
		}
		taken := reconcile.TakeIn(p.book, address, history, p.reason)
		if err := p.recorder().Append(ctx, append(paid, taken...)); err != nil {
			return err
		}
		if err := report.GivenUp(p.program.stdout, p.book, taken); err != nil {
			return err
		}
		if err := p.reload(ctx); err != nil {
			return err
		}
	}
	return p.recognize(ctx, report.Lines(p.program.stdout, p.program.style()).Progress)
}

// takeWallet takes the wallet of fragplan.yaml into an old ledger that does not
// know it, with everything that it ever did.
func (p *project) takeWallet(ctx context.Context) error {
	address, err := p.address(ctx)
	if err != nil || p.book.Wallets[address] != nil {
		return err
	}
	anchor, err := p.origin(ctx, p.reason)
	if err != nil {
		return err
	}
	if err := p.recorder().Append(ctx, []ledger.Event{anchor}); err != nil {
		return err
	}
	return p.reload(ctx)
}
