package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/store"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/wallet"
)

// What of an error is printed: parts of it may come from outside.
const (
	maxLine  = 1000 // columns
	maxLines = 20
)

// printable makes each line of a message safe for a terminal.
func printable(message string) string {
	lines := strings.Split(message, "\n")
	if len(lines) > maxLines {
		lines = append(lines[:maxLines], "…")
	}
	for i, l := range lines {
		lines[i] = report.Clean(l, maxLine)
	}
	return strings.Join(lines, "\n")
}

// What a command says that an interrupt ended.
var (
	errStopped       = errors.New("interrupted")
	errStoppedBuying = errors.New("stopped at once; a payment may be under way")
)

// complain prints an error and, where one is known, what to try next: for
// people on stderr, for programs as JSON lines on stdout.
func (p *program) complain(err error, asJSON bool) {
	var wrong *spec.Errors
	switch {
	case asJSON && errors.As(err, &wrong):
		for _, d := range wrong.List {
			p.diagnostic(diagnosticOf(d))
		}
		if wrong.More > 0 {
			p.diagnostic(report.Diagnostic{Summary: fmt.Sprintf("and %d more", wrong.More)})
		}
	case asJSON:
		d := report.Diagnostic{Summary: p.complete(err.Error()), Detail: p.hint(err)}
		if errors.Is(err, errFork) {
			d.Rule = "fork"
		}
		p.diagnostic(d)
	case errors.As(err, &wrong):
		fmt.Fprintln(p.stderr, wrong.Error())
	default:
		fmt.Fprintf(p.stderr, "fragplan: %s\n", printable(p.complete(err.Error())))
		if hint := p.hint(err); hint != "" {
			fmt.Fprintf(p.stderr, "  %s\n", hint)
		}
	}
}

// tell warns: in the midst of an apply where its progress is shown, otherwise
// on stderr, or in the JSON of what is printed in one piece.
func (p *program) tell(text string) {
	if p.collects {
		p.warnings = append(p.warnings, text)
		return
	}
	if warn := p.warn.Load(); warn != nil {
		(*warn)(text)
		return
	}
	fmt.Fprintf(p.stderr, "fragplan: %s\n", printable(text))
}

// diagnosticOf is what is found in a file, for programs.
func diagnosticOf(d spec.Diagnostic) report.Diagnostic {
	j := report.Diagnostic{Summary: d.Message, Detail: d.Hint, Rule: d.Rule, File: d.File, Line: d.Line, Column: d.Column}
	if text, before, ok := d.Source(); ok {
		j.Source, j.Caret = text, &before
	}
	return j
}

func (p *program) diagnostic(d report.Diagnostic) {
	d.Severity = "error"
	_ = report.DiagnosticJSON(p.stdout, d, time.Now())
}

// printsJSON reports whether a command was asked for JSON, even if its flags
// could not be read to the end.
func printsJSON(c *cobra.Command, args []string) bool {
	if f := c.Flags().Lookup("json"); f == nil || f.Value.String() == "true" {
		return f != nil
	}
	return slices.Contains(args, "-json") || slices.Contains(args, "--json")
}

// hint says what to try. The errors themselves only say what is wrong.
func (p *program) hint(err error) string {
	for _, h := range []struct {
		is   error
		text string
	}{
		{errFork, "A review needs no secret: take it out of this job, and keep it in one that only the default branch reaches (docs/ci.md). Never check a request's code out in pull_request_target or workflow_run; what a fork's run has saved with plan -out, another job can comment on: fragplan ci comment FILE -pr N"},
		{store.ErrMissing, "A lost ledger must not mean that everything is bought again, so none is made by itself. For a new project: fragplan ledger init. Otherwise restore the newest copy, or, if there is none: fragplan ledger rebuild -reason TEXT. To rehearse: fragplan -sandbox plan"},
		{gitlog.ErrNoBranch, "For a new project: fragplan ledger init makes it. If it was deleted, put it back from any clone that has it (git push origin refs/fragplan/BRANCH:refs/heads/BRANCH); if no clone has it, fragplan ledger rebuild -reason TEXT in a folder without a ledger takes in what the chain holds."},
		{gitlog.ErrLost, "Run it again when the other run has ended: it begins with what that one has written."},
		{gitlog.ErrRefused, "The account of this run must be allowed to push to that branch, without review and without force."},
		{gitlog.ErrLog, "Somebody has edited the branch. Put it back to a commit that fragplan made; fragplan apply compares it with the chain before it buys anything."},
		{gitlog.ErrSealed, "Set FRAGPLAN_LEDGER_IDENTITY_FILE to a file (mode 0600) with an identity of one of ledger.encrypt_to, or FRAGPLAN_LEDGER_IDENTITY to the identity itself (AGE-SECRET-KEY-… or an SSH key without a passphrase), or say in fragplan.yaml where it is: ledger: {identity: env:NAME}"},
		{gitlog.ErrGit, "Nothing was bought that is not recorded. " + remote(err)},
		{store.ErrNewer, "Use that version or a later one; this one would not understand all of it."},
		{store.ErrCorrupt, "Restore the newest copy of the ledger; fragplan apply compares it with the chain before it buys anything. If a file of its name with -journal behind it lies there, remove that first: it belongs to the damaged file, and would be played into the copy."},
		{store.ErrLocked, "Wait for the other run to end. Nothing needs to be unlocked by hand: a process that has died holds no lock, and one that shows no sign of life for a minute is taken over from."},
		{store.ErrEpoch, "This process did nothing for so long that another went on in its place. Nothing is lost; run it again: fragplan apply"},
		{postgres.ErrRights, "Apply with a role that can only read and add: fragplan ledger grant ROLE prints the SQL that makes it one. Or let the table's owner give the right up, which fragplan ledger init does."},
		{postgres.ErrNoRight, "A role that may only read is enough for plan. To buy, name one that may add: fragplan ledger grant ROLE prints the SQL that makes it one."},
		{postgres.ErrServer, "Nothing was bought that is not recorded. When the server is as it should be: fragplan apply"},
		{reconcile.ErrTide, "Nothing was bought. Restore the newest copy of the ledger, then: fragplan apply. If there is none, or somebody paid by hand, this takes them in: fragplan ledger rebuild -reason TEXT"},
		{chain.ErrPruned, "Public lite servers keep an account's history for some weeks. What is asked for here is older, and no server of global.config.json has it: add one that keeps an archive to its list, then run it again. Nothing was bought; without the history it can't be known what was."},
		{reconcile.ErrChain, "Run apply again when the servers answer: it settles first what is under way. The servers are those of global.config.json."},
		{reconcile.ErrNoAnchor, "This ledger was begun for another wallet. If fragplan.yaml names a new wallet on purpose, fragplan ledger init takes it in; otherwise name the old one, or restore the ledger of this one."},
		{ledger.ErrPrior, "Run it again, and it decides anew on what is recorded now: fragplan apply"},
		{reconcile.ErrFunds, "Send TON to the wallet, then run it again; it goes on where this stopped: fragplan apply"},
		{reconcile.ErrBreaker, "Look at fragment.com whether the orders were delivered. Then run it again; it repeats the confirm calls first: fragplan apply"},
		{reconcile.ErrAstray, "Look at fragment.com what was bought and for whom; the next plan says what to do: fragplan plan"},
		{errStoppedBuying, "Run it again; it settles that payment first, and that is the whole recovery: fragplan apply"},
		{errNoPlan, "Name the file that was saved, or save a plan with: fragplan plan -out FILE"},
		{reconcile.ErrPlanFile, "Make a new one with: fragplan plan -out FILE"},
		{reconcile.ErrStale, "Make a new one with: fragplan plan -out FILE"},
		{reconcile.ErrApplied, "A plan is good for one run. See what it bought with: fragplan ledger list"},
		{fragment.ErrNoCredentials, "Set FRAGPLAN_SESSION_FILE to a file (mode 0600) with the cookies of a session that is logged in at fragment.com, or rehearse with: fragplan -sandbox apply"},
		{fragment.ErrCookies, "In a browser that is logged in at fragment.com with the wallet connected, copy all four of stel_ssid, stel_dt, stel_token and stel_ton_token: as the Cookie header, or with an extension that exports cookies as JSON or cookies.txt."},
		{fragment.ErrLoggedOut, "The session has ended: log in at fragment.com again and give fragplan its new cookies. To see what it says: fragplan fragment whoami"},
		{fragment.ErrVerification, "Finish the verification (KYC) at fragment.com with this account, then: fragplan apply"},
		{fragment.ErrNoWallet, "Connect the project's wallet to the session at fragment.com."},
		{fragment.ErrOtherWallet, "Connect the project's wallet to the session at fragment.com; another version of the same key is another wallet."},
		{fragment.ErrBlocked, "Fragment's front door (Cloudflare) refuses this machine for now; try later or from another address."},
		{fragment.ErrUnavailable, "Nothing is lost. When fragment.com works again: fragplan apply"},
		{fragment.ErrUnreachable, "Nothing is lost. When fragment.com can be reached from this machine: fragplan apply"},
		{fragment.ErrBadAnswer, "Nothing is lost; run fragplan apply again. If it stays so, look at fragment.com with a browser; if it works there, Fragment has changed, and a newer fragplan is needed."},
		{fragment.ErrBadRequest, "Run fragplan apply again. If it stays so, Fragment has changed, and a newer fragplan is needed."},
		{fragment.ErrRateLimited, "Fragment asks to slow down; try again in some minutes: fragplan apply"},
		{signer.ErrNoMnemonic, "Set FRAGPLAN_MNEMONIC_FILE to a file (mode 0600) with the wallet's 24 words, or say under wallet in fragplan.yaml where they are (key:) or who signs (signer:), or rehearse with: fragplan -sandbox apply"},
		{wallet.ErrMnemonic, "The wallet's recovery phrase has 24 English words, in their order."},
	} {
		if errors.Is(err, h.is) {
			return p.complete(h.text)
		}
	}
	return ""
}

// notLetIn are what git and the hosts of repositories say to whom they don't know,
// or don't let in. GitHub says of what a token may not see that it isn't there.
var notLetIn = []string{
	"Authentication failed", "could not read Username", "could not read Password", "Permission denied (publickey",
	"returned error: 401", "returned error: 403", "Repository not found", "not allowed to push", "don't have permission",
}

// remote says what to do about a repository's remote that git has failed with.
func remote(err error) string {
	said := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "The repository's remote gave git no answer within two minutes. When it answers again: fragplan apply"
	case strings.Contains(said, "Host key verification failed"):
		return "Put the key of the repository's remote into ~/.ssh/known_hosts of this machine, then: fragplan apply"
	case slices.ContainsFunc(notLetIn, func(s string) bool { return strings.Contains(said, s) }):
		return "The repository's remote doesn't let this run in: give its git a token or a key that may read the ledger's branch and push to it (docs/ci.md), then: fragplan apply"
	}
	return "When the repository's remote can be reached: fragplan apply"
}
