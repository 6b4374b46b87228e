package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

func (p *program) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look at all that an apply needs, each finding with its next step", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p.collects = true // what checks warn of is part of their findings
			list := p.examine(c.Context())
			if err := c.Context().Err(); err != nil {
				return err
			}
			var err error
			if asJSON {
				err = report.DoctorJSON(p.stdout, list)
			} else {
				err = report.Doctor(p.stdout, list, p.style())
			}
			if err == nil && list.Count(report.Problem) > 0 {
				err = &exit{code: 1}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// patient is one examination: what is known so far, and what was found.
type patient struct {
	*project
	found   report.Checkup
	account *ton.Account // as the chain proves it; nil if it could not be read
}

// examine looks at everything, in the order in which one thing rests on
// another. It changes nothing and buys nothing.
func (p *program) examine(ctx context.Context) report.Checkup {
	e := &patient{}
	if e.files(p) {
		defer e.Close()
		e.record(ctx)
		e.key(ctx)
		e.sessions(ctx)
		e.network(ctx)
		e.runs(ctx)
		e.wallet(ctx)
		e.tide(ctx)
	}
	e.repository(ctx, p)
	return e.found
}

func (e *patient) add(name string, status report.Status, next, format string, args ...any) {
	e.found = append(e.found, report.Check{Name: name, Status: status, Finding: fmt.Sprintf(format, args...), Next: next})
}

// fail adds an error, with the hint that a command would give.
func (e *patient) fail(name string, err error) {
	p := e.program
	e.add(name, report.Problem, p.hint(err), "%s", p.complete(err.Error()))
}

// files checks the YAML, and reports whether there is a project to look at.
func (e *patient) files(p *program) bool {
	project, err := p.load()
	var wrong *spec.Errors
	switch {
	case errors.As(err, &wrong):
		first := wrong.List[0]
		e.add("files", report.Problem, p.complete("fragplan validate"), "%s; the first: %s:%d: %s", report.Count(len(wrong.List)+wrong.More, "error"), first.File, first.Line, first.Message)
		return false
	case err != nil:
		e.add("files", report.Problem, p.hint(err), "%v", err)
		return false
	}
	e.project = project
	if err := project.owned(); err != nil {
		e.add("files", report.Problem, "Correct wallet.address in fragplan.yaml.", "%v", err)
		return true
	}
	e.add("files", report.OK, "", "%s for %s in %s", report.Count(len(project.spec.Grants), "grant"), report.Count(recipients(project.spec), "person"), report.Count(len(project.spec.Files), "file"))
	return true
}

// record checks that the ledger is there, sound, and whose it is now.
func (e *patient) record(ctx context.Context) {
	const name = "ledger"
	if _, err := os.Lstat(e.ledgerPath()); e.program.sandbox && errors.Is(err, fs.ErrNotExist) {
		e.add(name, report.OK, "", "the first rehearsal makes one")
		return
	}
	if err := e.openLedger(ctx); err != nil {
		e.fail(name, err)
		return
	}
	head, err := e.store.Verify(ctx)
	if err != nil {
		e.fail(name, err)
		return
	}
	if held := e.heldBy(ctx); held != nil {
		e.add(name, report.Warning, "Wait until it has ended; an apply would be refused.", "sound, %s; %v", report.Count(int(head.Seq), "event"), held)
		return
	}
	e.add(name, report.OK, "", "sound, %s", report.Count(int(head.Seq), "event"))
}

// key checks that what signs is there and is the project's.
func (e *patient) key(ctx context.Context) {
	key, err := e.signer(ctx)
	if err != nil {
		e.fail("key", err)
		return
	}
	e.add("key", report.OK, "", "of %s (%s)", key.Public().Address(), key.Public().Version)
}

// runs looks at when one last ended well, if that was ever recorded.
func (e *patient) runs(ctx context.Context) {
	if e.book == nil || e.book.Well.Time == 0 {
		return
	}
	if s := e.quiet(e.clock(ctx)); s != nil && e.spec.Dated() {
		e.add("runs", report.Warning, "See whether the schedule starts its runs, and what they say.", "%s", s)
		return
	}
	e.add("runs", report.OK, "", "the newest that ended well: %s", time.Unix(e.book.Well.Time, 0).UTC().Format("2006-01-02 15:04 UTC"))
}

// sessions checks each session at Fragment.
func (e *patient) sessions(ctx context.Context) {
	seats, err := e.seats(ctx)
	if err != nil {
		e.fail("session", err)
		return
	}
	for _, s := range seats {
		name := "session"
		if s.name != "" {
			name += " " + s.name
		}
		who, err := s.admit(ctx)
		switch ends := s.ends(time.Now().Add(soon)); {
		case err != nil:
			e.fail(name, err)
		case ends != "":
			e.add(name, report.Warning, "Log in at fragment.com anew before that.", "%s is logged in; %s", person(who), ends)
		case who.Identity == fragment.IdentityUnknown:
			e.add(name, report.Warning, "Look at fragment.com whether this account is verified; if it has to be, an apply stops before it pays.", "%s is logged in with the project's wallet; Fragment does not say whether the identity is verified", person(who))
		default:
			e.add(name, report.OK, "", "%s is logged in and verified, with the project's wallet", person(who))
		}
	}
}

func person(who fragment.Profile) string {
	switch {
	case who.Username != "":
		return "@" + report.Clean(who.Username, 64)
	case who.Name != "":
		return report.Clean(who.Name, 64)
	}
	return "somebody"
}

// drift is how far this machine's clock may be from the chain's.
const drift = 30 * time.Second

// network checks that the chain can be read with proofs, and the clock by it.
func (e *patient) network(ctx context.Context) {
	address, err := e.address(ctx)
	if err == nil {
		client, dialed := e.chain(ctx)
		if err = dialed; err == nil {
			var account ton.Account
			if account, err = client.Account(ctx, address, e.spec.Wallet.Version); err == nil {
				e.account = &account
			}
		}
	}
	if err != nil {
		e.fail("TON network", err)
		e.add("clock", report.Skipped, "", "it is compared with the chain's")
		return
	}
	e.add("TON network", report.OK, "", "proven up to masterchain block %d", e.account.Block)
	behind := time.Since(time.Unix(int64(e.account.BlockTime), 0))
	switch {
	case e.program.sandbox:
		e.add("clock", report.OK, "", "the world has its own")
	case behind < -drift:
		e.add("clock", report.Warning, "Set this machine's clock; what decides is the chain's, but plans show dates by this one.", "%s behind the chain's", (-behind).Round(time.Second))
	case behind > 2*drift:
		e.add("clock", report.Warning, "Set this machine's clock, or look whether the lite servers are up to date.", "the newest block is %s old by it", behind.Round(time.Second))
	default:
		e.add("clock", report.OK, "", "agrees with the chain's")
	}
}

// wallet checks that the account can pay, and for all that is planned.
func (e *patient) wallet(ctx context.Context) {
	const name = "wallet"
	if e.account == nil {
		e.add(name, report.Skipped, "", "the TON network could not be read")
		return
	}
	a := e.account
	switch {
	case a.Frozen:
		e.add(name, report.Problem, "Unfreeze it in a wallet application, or move to another wallet.", "%s is frozen", a.Address)
		return
	case a.Active && a.CodeHash != e.spec.Wallet.Version.CodeHash():
		e.add(name, report.Problem, "Move to another wallet, or correct wallet.version in fragplan.yaml.", "the code of %s is not that of a %s wallet", a.Address, e.spec.Wallet.Version)
		return
	case a.Balance == 0:
		e.add(name, report.Problem, "Send TON to it.", "%s is empty", a.Address)
		return
	case !a.Active:
		e.add(name, report.OK, "", "%s is not deployed yet; its first payment does that", a.Address)
	default:
		e.add(name, report.OK, "", "%s is deployed; its next seqno is %d", a.Address, a.Data.Seqno)
	}
	if e.book == nil {
		e.add("balance", report.Skipped, "", "%s TON; what is planned can't be told without the ledger", a.Balance)
		return
	}
	plan := e.wanted(e.spec.Today(time.Unix(int64(a.Time), 0))).Diff(e.book, nil, e.limits())
	most := map[ton.Asset]int64{ton.AssetTON: 0}
	for _, worst := range plan.Worst().Total {
		most[worst.Asset] = worst.Units
	}
	for _, asset := range slices.Sorted(maps.Keys(most)) {
		has, err := e.balance(ctx, asset)
		if err != nil {
			e.fail("balance", err)
			continue
		}
		worst := ton.Amount{Asset: asset, Units: most[asset]}
		if missing := worst.Units - has.Units; missing > 0 {
			e.add("balance", report.Warning, fmt.Sprintf("Send %s; an apply stops where the money ends.", ton.Amount{Asset: asset, Units: missing}), "%s, and the plan may take %s", has, worst)
		} else {
			e.add("balance", report.OK, "", "%s, and the plan takes at most %s", has, worst)
		}
	}
}

// balance is what the wallet has of an asset, as proven.
func (e *patient) balance(ctx context.Context, asset ton.Asset) (ton.Amount, error) {
	if asset == ton.AssetTON {
		return e.account.Balance.Amount(), nil
	}
	return e.usdt(ctx)
}

// tide compares the ledger with the chain, both ways.
func (e *patient) tide(ctx context.Context) {
	const name = "ledger and chain"
	if e.book == nil || e.account == nil {
		e.add(name, report.Skipped, "", "both are needed")
		return
	}
	book, err := e.store.LoadFull(ctx)
	if err != nil {
		e.fail(name, err)
		return
	}
	address, err := e.address(ctx)
	if err != nil {
		e.fail(name, err)
		return
	}
	if book.Wallets[address] == nil {
		e.fail(name, reconcile.ErrNoAnchor)
		return
	}
	findings, checked, err := e.audit(ctx, book)
	if err != nil {
		e.fail(name, err)
		return
	}
	status, next := weigh(findings)
	if status == report.OK {
		e.add(name, status, "", "they agree: %s looked at", report.Count(checked, "transaction"))
		return
	}
	e.add(name, status, e.program.complete(next), "%s; the first: %s", report.Count(len(findings), "difference"), findings[0].Text)
}

// weigh says what differences mean together, the worst first.
func weigh(findings []reconcile.Finding) (report.Status, string) {
	has := map[string]bool{}
	for _, f := range findings {
		has[f.Code] = true
	}
	switch {
	case len(findings) == 0:
		return report.OK, ""
	case has[reconcile.FindingTransaction] || has[reconcile.FindingTransfer]:
		return report.Problem, "The ledger is behind the chain: it is an old copy, lost, or not the only one. Restore the newest copy, or take in what it misses: fragplan ledger rebuild -reason TEXT"
	case has[reconcile.FindingMissing] || has[reconcile.FindingUnpaid] || has[reconcile.FindingDead]:
		return report.Problem, "The ledger says what the chain does not hold: look whether it is this wallet's and this network's. This lists it: fragplan ledger audit"
	case has[reconcile.FindingUnclaimed]:
		return report.Warning, "Say whom the payment was for: fragplan ledger assign REF KEY -reason TEXT"
	case has[reconcile.FindingOpen] && len(has) == 1:
		return report.Warning, "An interrupted run left it; this settles it: fragplan apply"
	}
	return report.Warning, "This lists them: fragplan ledger audit"
}
