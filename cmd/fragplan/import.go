package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// wanted is what the project's files say, for a day.
func (p *project) wanted(today schedule.Date) reconcile.Desired {
	w := reconcile.Desired{Want: p.spec.Written(today), Edits: p.spec.Edits, Empty: len(p.spec.Grants) == 0, Day: today, Imported: p.imported}
	if w.Day == 0 {
		w.Day = p.spec.Today(time.Now()) // for warnings alone
	}
	return w
}

// desired is what the project's files say, and the ledger to compare it with:
// apply has taken in what is imported, a plan takes it into a copy.
func (p *project) desired(ctx context.Context, today schedule.Date) (reconcile.Desired, *ledger.State, error) {
	book := p.book
	if !p.buys && len(p.imports()) > 0 {
		var err error
		if book, err = p.store.Load(ctx); err != nil {
			return reconcile.Desired{}, nil, err
		}
		p.imported, p.refused = map[string]string{}, map[string]string{}
		for _, i := range p.imports() {
			events, err := p.importing(ctx, book, i)
			if ctx.Err() != nil {
				return reconcile.Desired{}, nil, ctx.Err()
			}
			for _, e := range events {
				if err == nil {
					err = book.Apply(e)
				}
			}
			p.learn(i, err)
		}
	}
	w := p.wanted(today)
	w.Refused = maps.Clone(p.refused)
	return w, book, nil
}

// learn notes what became of an import.
func (p *project) learn(i spec.Import, err error) {
	if err != nil {
		p.refused[i.Key] = err.Error()
		return
	}
	p.imported[i.Key] = fmt.Sprintf("bought without fragplan, in transaction %s: %s", i.Transaction, i.Reason)
}

// imports are those that the ledger does not hold yet.
func (p *project) imports() (list []spec.Import) {
	for _, i := range p.spec.Edits.Imports {
		if !reconcile.TakenIn(p.book, i) {
			list = append(list, i)
		}
	}
	return list
}

// takeImports records the purchases that the files say were made without
// fragplan. What the chain does not show waits, and its key with it.
func (p *project) takeImports(ctx context.Context) error {
	list := p.imports()
	p.imported, p.refused = map[string]string{}, map[string]string{}
	for _, i := range list {
		events, err := p.importing(ctx, p.book, i)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = p.recorder().Append(ctx, events)
			if err != nil && !errors.Is(err, ledger.ErrPrior) && !errors.Is(err, ledger.ErrTransition) {
				return err
			}
		}
		if p.learn(i, err); err != nil {
			continue // this one waits; the others are bought
		}
		if err := p.reload(ctx); err != nil {
			return err
		}
	}
	return nil
}

// importing looks for the transaction in the proven history of the ledger's
// wallets, also before the point where the ledger begins.
func (p *project) importing(ctx context.Context, book *ledger.State, i spec.Import) ([]ledger.Event, error) {
	if err := p.unmoved(i.Key); err != nil {
		return nil, err
	}
	o, ok, err := p.written(ctx, i.Key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s is not due yet", i.Key)
	}
	var unread error
	for _, wallet := range book.Addresses() {
		t, found, err := p.transaction(ctx, book.Wallets[wallet], i.Transaction)
		if found {
			return reconcile.Import(book, wallet, t, i, o, p.limits().Destinations)
		}
		unread = errors.Join(unread, err)
	}
	if unread != nil {
		return nil, fmt.Errorf("transaction %s was not found, and what the wallet did before can't be read: %w", i.Transaction, unread)
	}
	return nil, fmt.Errorf("transaction %s is not in the history of this ledger's wallets; what somebody paid from another wallet is settled: {%s: \"…\"}", i.Transaction, i.Key)
}

// unmoved refuses to give anything to a key whose history is still under another
// name: it would have two.
func (p *project) unmoved(key string) error {
	if from := p.moving()[key]; from != "" {
		return fmt.Errorf("%s is moved to %s, and the ledger does not know it yet: fragplan apply notes it, then try again", from, key)
	}
	return nil
}

// moving are the keys that get their name with the next apply, each with the one
// that it has.
func (p *project) moving() map[string]string {
	from := map[string]string{}
	for _, e := range (reconcile.Desired{Edits: p.spec.Edits}).Moving(p.book) {
		from[e.To] = e.From
	}
	return from
}

// backward is what was read so far of what a wallet did, from the newest back.
type backward struct {
	read map[ton.Hash]ton.Transaction
	next ton.Position // where reading goes on; zero at the beginning
}

// transaction finds one of a wallet by its hash. It reads no further back than it
// must: public servers have the newest weeks alone.
func (p *project) transaction(ctx context.Context, w *ledger.Wallet, hash ton.Hash) (ton.Transaction, bool, error) {
	client, err := p.chain(ctx)
	if err != nil {
		return ton.Transaction{}, false, err
	}
	walk := p.past[w.Address]
	if walk == nil {
		account, err := client.Account(ctx, w.Address, w.Version)
		if err != nil {
			return ton.Transaction{}, false, err
		}
		if p.past == nil {
			p.past = map[ton.Address]*backward{}
		}
		walk = &backward{map[ton.Hash]ton.Transaction{}, account.Last}
		p.past[w.Address] = walk
	}
	for {
		if t, found := walk.read[hash]; found || walk.next.IsZero() {
			return t, found, nil
		}
		page, err := client.Page(ctx, w.Address, walk.next)
		if err != nil {
			return ton.Transaction{}, false, err
		}
		for _, t := range page {
			walk.read[t.Hash], walk.next = t, t.Prev
		}
	}
}
