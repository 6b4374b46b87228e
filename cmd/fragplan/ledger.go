package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/report"
)

func (p *program) ledgerCommand() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "Make, list and check the record of what was bought"}
	c.AddCommand(p.ledgerInit(), p.ledgerList(), p.ledgerShow(), p.ledgerVerify(), p.ledgerAudit(), p.ledgerRebuild(), p.ledgerAssign(), p.ledgerResolve(), p.ledgerBackup(), p.ledgerCopy(), p.ledgerGrant())
	return c
}

func (p *program) ledgerInit() *cobra.Command {
	var fromNow bool
	var reason string
	c := &cobra.Command{
		Use: "init", Short: "Make the ledger and record where the wallet's history begins", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if fromNow != (reason != "") {
				return fmt.Errorf("-from-now and -reason go together: the reason is recorded")
			}
			project, err := p.load()
			if err != nil {
				return err
			}
			defer project.Close()
			return project.initLedger(c.Context(), reason)
		},
	}
	c.Flags().BoolVar(&fromNow, "from-now", false, "the wallet has paid before, and none of it was bought by fragplan")
	c.Flags().Var(word{&reason, "TEXT"}, "reason", "why the earlier history doesn't count; it is recorded")
	return c
}

// initLedger makes the ledger, or takes a new wallet into the one that exists.
func (p *project) initLedger(ctx context.Context, reason string) error {
	if err := p.owned(); err != nil {
		return err
	}
	if p.unpublished(ctx) {
		return p.publish(ctx)
	}
	if made, err := p.makeLedger(ctx, p.anchor, reason); err != nil {
		return err
	} else if made {
		if p.both != nil {
			fmt.Fprintf(p.program.stdout, "Made the branch %s/%s. Keep it: it is the memory of what was paid. %s is a copy.\n", p.spec.Ledger.Remote, p.spec.Ledger.Branch, p.ledgerPath())
			return nil
		}
		fmt.Fprintf(p.program.stdout, "Made %s. Keep it: it is the memory of what was paid.\n", p.ledgerName())
		return nil
	}
	if err := p.openLedger(ctx); err != nil {
		return err
	}
	address, err := p.address(ctx)
	if err != nil {
		return err
	}
	if p.book.Wallets[address] != nil {
		return fmt.Errorf("the ledger %s exists already and knows the wallet %s; nothing was changed", p.ledgerName(), address)
	}
	if err := p.begin(ctx, "ledger init"); err != nil {
		return err
	}
	anchor, err := p.anchor(ctx, reason)
	if err != nil {
		return err
	}
	if err := p.recorder().Append(ctx, []ledger.Event{anchor}); err != nil {
		return err
	}
	fmt.Fprintf(p.program.stdout, "%s now answers for the wallet %s too.\n", p.ledgerName(), address)
	return nil
}

// begin makes this process the only writer, and reads what is recorded then.
// Others who want to write are told what it does.
func (p *project) begin(ctx context.Context, command string) error {
	if p.both != nil && !p.atWork {
		if err := p.both.Busy(ctx); err != nil {
			return err
		}
	}
	if err := p.store.Lock(ctx, command); err != nil {
		return err
	}
	p.writes = true
	if p.both != nil {
		if err := p.both.Begin(ctx, gitlog.Writer(command)); err != nil {
			return err
		}
	}
	return p.reload(ctx)
}

// withLedger runs do on an opened ledger.
func (p *program) withLedger(c *cobra.Command, do func(*project) error) error {
	project, err := p.load()
	if err != nil {
		return err
	}
	defer project.Close()
	if err := project.openLedger(c.Context()); err != nil {
		return err
	}
	return do(project)
}

func (p *program) ledgerList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List every key and what was given under it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withLedger(c, func(project *project) error {
				if asJSON {
					return report.LedgerJSON(p.stdout, project.book)
				}
				return report.LedgerList(p.stdout, project.book, p.style())
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print every order as JSON")
	return c
}

func (p *program) ledgerShow() *cobra.Command {
	return &cobra.Command{
		Use: "show KEY", Short: "Show everything known of one key", Args: cobra.ExactArgs(1), ValidArgsFunction: p.keys,
		RunE: func(c *cobra.Command, args []string) error {
			return p.withLedger(c, func(project *project) error {
				book, err := project.store.LoadFull(c.Context()) // with the messages, for the evidence
				if err != nil {
					return err
				}
				if now := book.Now(args[0]); now != args[0] {
					return fmt.Errorf("%q was moved to %s: fragplan ledger show %s", args[0], now, now)
				}
				if !book.Known(args[0]) {
					return fmt.Errorf("the ledger has no order for %q; fragplan ledger list shows the keys", args[0])
				}
				return report.LedgerShow(p.stdout, book, args[0], p.style())
			})
		},
	}
}

// keys completes a key of the ledger. It makes none, and says nothing of what
// is wrong with one.
func (p *program) keys(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	project, err := p.load()
	if err != nil || len(args) > 0 {
		return nil, none
	}
	defer project.Close()
	if project.store, err = project.openShelf(c.Context()); err != nil {
		return nil, none
	}
	if err := project.reload(c.Context()); err != nil {
		return nil, none
	}
	var found []string
	for key := range project.book.Keys() {
		if strings.HasPrefix(key, begun) {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	return found, none
}

func (p *program) ledgerVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Check the file, the hash chain and that the events add up to the tables", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withLedger(c, func(project *project) error {
				head, err := project.store.Verify(c.Context())
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "The ledger is sound: %d events, head %s\n", head.Seq, head.Hash)
				return nil
			})
		},
	}
}

func (p *program) ledgerBackup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write a consistent copy of the ledger, also while it is in use", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withLedger(c, func(project *project) error {
				if err := p.harmless(p.path(args[0]), project.spec.Ledger.File); err != nil {
					return fmt.Errorf("backup: %w", err)
				}
				head, err := project.backup(c.Context(), p.path(args[0]))
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "Wrote %s: %d events, head %s\n", report.Clean(args[0], 200), head.Seq, head.Hash)
				return nil
			})
		},
	}
}

func (p *program) ledgerGrant() *cobra.Command {
	return &cobra.Command{
		Use: "grant ROLE", Short: "Print the SQL that gives a role of the database what apply needs, and no more", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			project, err := p.load()
			if err != nil {
				return err
			}
			defer project.Close()
			if project.spec.Ledger.URL == "" {
				return fmt.Errorf("the ledger of this project is in no database: ledger: postgres://user@host/database")
			}
			fmt.Fprint(p.stdout, postgres.Grants(project.database(), args[0]))
			return nil
		},
	}
}
