package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// lookAgain settles what the chain shows of a key's orders by now, so that
// nobody gives up what was paid, or takes back what arrived, a minute ago.
func (p *project) lookAgain(ctx context.Context, key, as string) error {
	switch as {
	case asUnpaid:
		return p.findPaid(ctx, key)
	case asReturned:
		return p.findArrived(ctx, key)
	}
	return nil
}

// findPaid settles the requests of a key that the chain shows as paid by now.
func (p *project) findPaid(ctx context.Context, key string) error {
	client, err := p.chain(ctx)
	if err != nil {
		return err
	}
	looked := map[ton.Address]bool{}
	for _, o := range p.book.ByKey(key) {
		if o.Phase != ledger.Offered || looked[o.Wallet] {
			continue
		}
		looked[o.Wallet] = true
		w := p.book.Wallets[o.Wallet]
		sight, err := lookout{Client: client}.Look(ctx, w.Address, w.Version, w.Since())
		if err != nil {
			return fmt.Errorf("whether it was paid meanwhile: %w", err)
		}
		events, err := reconcile.Answers(p.book, w.Address, sight.History)
		if err == nil {
			err = p.recorder().Append(ctx, events)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// findArrived settles the key's transfers of USDT of which the chain shows by
// now whether they arrived. Where the servers have dropped the history that
// would tell, a person's word must do.
func (p *project) findArrived(ctx context.Context, key string) error {
	for _, o := range p.book.ByKey(key) {
		wallet, owner, sent := ledger.Route(o)
		if !sent {
			continue
		}
		client, err := p.chain(ctx)
		if err != nil {
			return err
		}
		trail, err := lookout{client, p.usdtMaster()}.Trail(ctx, wallet, owner, o.Settled.LT)
		if errors.Is(err, chain.ErrPruned) || errors.Is(err, chain.ErrLongTrail) {
			continue
		}
		if err != nil {
			return fmt.Errorf("whether the USDT of order %d arrived: %w", o.ID, err)
		}
		event, err := ledger.ReceiptOf(o, trail)
		if err != nil {
			return err
		}
		if event == nil {
			continue
		}
		if err := p.recorder().Append(ctx, []ledger.Event{event}); err != nil {
			return err
		}
		if err := p.book.Apply(event); err != nil {
			return err
		}
		if _, arrived := event.(ledger.TransferReceived); arrived {
			return fmt.Errorf("order %d: its USDT has arrived, in the chain as %d:%s, and apply goes on with it. It is held if it comes back", o.ID, o.Received.LT, o.Received.Hash)
		}
	}
	return nil
}
