package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger/store"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// carry applies a plan through the real sockets.
func (p *project) carry(ctx context.Context, plan *reconcile.Plan, shown report.Handler) (reconcile.Result, error) {
	client, err := p.chain(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	var wallet ton.Wallet
	world := reconcile.World{Ledger: p.recorder(), Chain: lookout{client, p.usdtMaster()}, Watch: shown.Progress}
	if p.unsigned {
		wallet, err = p.payer(ctx, client)
		if p.till != nil {
			p.till.network, world.Till = wallet.NetworkID, p.till
		}
	} else {
		var key hand
		if key, err = p.signer(ctx); err == nil {
			wallet, world.Signer = key.Public(), key
		}
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	seats, err := p.seats(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, s := range seats {
		s.client.Wallet.PublicKey = wallet.PublicKey
	}
	world.Market = newMarket(seats)
	setup := reconcile.Setup{
		Plan: plan, Wallet: wallet, Unsigned: p.unsigned, Book: p.book, Host: host(), Rules: firewall.Rules{Destinations: plan.Limits.Destinations},
		Cancel: p.cancel, Reason: p.reason,
	}
	if p.program.sandbox {
		setup.Pause = 50 * time.Millisecond // its own world recovers at once or never
	}
	result, err := reconcile.Apply(ctx, p.program.interrupt, reconcile.NewState(setup), world)
	if errors.Is(err, reconcile.ErrTide) && p.overtaken(ctx) {
		err = store.ErrEpoch
	}
	return result, err
}

// overtaken reports whether another process has the ledger by now: then it has
// recorded what this one takes for payments that nobody knows of.
func (p *project) overtaken(ctx context.Context) bool {
	now, err := p.store.Load(ctx)
	return err == nil && now.Epoch != p.book.Epoch
}

// limits are what the project allows, and whom it pays: in a rehearsal the
// world's own account, otherwise those that fragplan.yaml pins.
func (p *project) limits() policy.Limits {
	l := p.spec.Limits
	switch {
	case p.program.sandbox:
		l.Destinations = []ton.Address{sandbox.Collector()}
	case len(p.spec.Destinations) > 0:
		l.Destinations = p.spec.Destinations
	default:
		l.Destinations = firewall.DefaultDestinations()
	}
	return l
}

// unpinned says how to pin the accounts that are paid, where that was not done.
func (p *project) unpinned() {
	if !p.program.sandbox && len(p.spec.Destinations) == 0 {
		p.program.tell("fragplan.yaml does not say which accounts may be paid, so those may that were observed in public (docs/firewall.md). To pin them, add this line to it: " + firewall.Line(firewall.DefaultDestinations()))
	}
}

// host says for whoever reads the ledger later on which machine a run was.
func host() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", name, os.Getpid())
}
