package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
)

// recognize asks Fragment's lists whom the found payments were for, if there
// are any and there is a session. What they leave in doubt, and what can't be
// read, stays for a person to say.
func (p *project) recognize(ctx context.Context, shown func(reconcile.Progress)) error {
	lists, err := p.lists(ctx)
	if err != nil || len(lists) == 0 {
		return err
	}
	now, err := p.knownUntil(ctx)
	if err != nil || now == 0 {
		return err
	}
	today := p.spec.Today(time.Unix(int64(now), 0))
	moving := p.moving() // what is given to those is under another name yet
	want := slices.DeleteFunc(p.spec.Occurrences(today), func(o spec.Occurrence) bool { return moving[o.Key] != "" })
	events := reconcile.Recognize(p.book, want, lists, now)
	if len(events) == 0 {
		return nil
	}
	if err := p.recorder().Append(ctx, events); err != nil {
		return err
	}
	for _, e := range events {
		e := e.(ledger.FoundAssigned)
		f := p.book.Founds[e.Found]
		shown(reconcile.Progress{Stage: "recognized", Key: e.Key, Handle: e.Handle, Item: f.Item, Order: e.Order, Amount: f.Amount, Text: e.Reason})
	}
	return p.reload(ctx)
}

// knownUntil is the time up to which the ledger knows all that its wallets did,
// or 0 if a history shows more by now: a row may be of what is not known yet.
func (p *project) knownUntil(ctx context.Context) (now uint32, err error) {
	for i, address := range p.book.Addresses() {
		sight, err := p.sight(ctx, p.book.Wallets[address])
		if err != nil {
			return 0, err
		}
		if !reconcile.Knows(p.book, address, sight.History) {
			return 0, nil
		}
		if t := sight.Account.Time; i == 0 || t < now {
			now = t
		}
	}
	return now, nil
}

// lists are those of the products of which found payments are open.
func (p *project) lists(ctx context.Context) (map[product.Kind]reconcile.List, error) {
	lists := map[product.Kind]reconcile.List{}
	for id := ledger.FoundID(1); id <= p.book.LastFound; id++ {
		kind := p.book.Founds[id].Item.Kind
		if _, read := lists[kind]; read || !p.book.Founds[id].Open() {
			continue
		}
		seats, err := p.seats(ctx)
		if errors.Is(err, fragment.ErrNoCredentials) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		list, err := newMarket(seats).History(ctx, kind)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			p.program.tell("Fragment's list of what was bought can't be read, so a person has to say whom found payments were for: " + err.Error())
			return nil, nil
		}
		lists[kind] = list
	}
	return lists, nil
}
