package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/ledger/store"
	"github.com/fragplan/fragplan/ton"
)

// A ledger is in a file of the project, or in a database. A rehearsal's is
// always a file of its own.

// inDatabase reports whether the ledger is in a database.
func (p *project) inDatabase() bool { return p.spec.Ledger.URL != "" && !p.program.sandbox }

// database is where in it.
func (p *project) database() postgres.Address {
	return postgres.Address{URL: p.spec.Ledger.URL, Ledger: p.spec.Ledger.Name}
}

func (p *project) ledgerPath() string {
	if p.program.sandbox {
		return filepath.Join(p.program.worldDir(), "ledger.db")
	}
	return filepath.Join(p.program.dir, filepath.FromSlash(p.spec.Ledger.File))
}

// ledgerName is what people call the place of the ledger.
func (p *project) ledgerName() string {
	if p.inDatabase() {
		return p.database().String()
	}
	return p.ledgerPath()
}

// openLedger opens the ledger. The sandbox's own is made on first use; a real
// one only by `ledger init`.
func (p *project) openLedger(ctx context.Context) error {
	if p.program.sandbox {
		made, err := p.makeLedger(ctx, p.anchor, "")
		if made || err != nil && !errors.Is(err, fs.ErrExist) { // another rehearsal may have been faster
			return err
		}
	}
	if p.synced() {
		return p.openSynced(ctx)
	}
	var err error
	if p.store, err = p.openShelf(ctx); err != nil {
		return err
	}
	return p.reload(ctx)
}

// openShelf opens the ledger and makes none.
func (p *project) openShelf(ctx context.Context) (shelf, error) {
	if p.inDatabase() {
		return kept(postgres.Open(ctx, p.database()))
	}
	return kept(sqlite.Open(ctx, p.ledgerPath()))
}

func (p *project) reload(ctx context.Context) (err error) {
	p.book, err = p.store.Load(ctx)
	return err
}

// makeLedger makes the ledger where nothing stands in its place, with the
// wallet's history beginning as since says, and opens it. It reports whether
// it did.
func (p *project) makeLedger(ctx context.Context, since func(context.Context, string) (ledger.Anchored, error), reason string) (made bool, err error) {
	if exists, err := p.ledgerExists(ctx); exists || err != nil {
		return false, err
	}
	var log *gitlog.Log
	if p.synced() {
		if log, err = p.absent(ctx); err != nil {
			return false, err
		}
	}
	anchor, err := since(ctx, reason)
	if err == nil {
		var id [16]byte
		_, _ = rand.Read(id[:]) // it never fails
		p.store, err = p.createShelf(ctx, []ledger.Event{ledger.Opened{Ledger: hex.EncodeToString(id[:])}, anchor})
	}
	if err != nil {
		return false, fmt.Errorf("making the ledger %s: %w", p.ledgerName(), err)
	}
	if log != nil {
		p.both = gitlog.Sync(log, p.store)
		if err := p.both.Begin(ctx, gitlog.Writer("ledger init")); err != nil {
			return true, err
		}
		p.atWork = true
	}
	return true, p.reload(ctx)
}

func (p *project) createShelf(ctx context.Context, first []ledger.Event) (shelf, error) {
	if p.inDatabase() {
		return kept(postgres.Create(ctx, p.database(), first))
	}
	return kept(sqlite.Create(ctx, p.ledgerPath(), first))
}

// ledgerExists reports whether something stands in the place of the ledger,
// whatever it is.
func (p *project) ledgerExists(ctx context.Context) (bool, error) {
	if !p.inDatabase() {
		_, err := os.Lstat(p.ledgerPath())
		return !errors.Is(err, fs.ErrNotExist), nil
	}
	s, err := postgres.Open(ctx, p.database())
	switch {
	case errors.Is(err, store.ErrMissing):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, s.Close()
}

// anchor is where the wallet's history begins for the ledger: now.
func (p *project) anchor(ctx context.Context, reason string) (ledger.Anchored, error) {
	address, err := p.address(ctx)
	if err != nil {
		return ledger.Anchored{}, err
	}
	account, err := p.account(ctx)
	if err != nil {
		return ledger.Anchored{}, err
	}
	if account.Active && account.CodeHash != p.spec.Wallet.Version.CodeHash() {
		return ledger.Anchored{}, fmt.Errorf("the code of wallet %s is not that of a %s wallet", address, p.spec.Wallet.Version)
	}
	if past := past(account); past != "" && reason == "" {
		return ledger.Anchored{}, fmt.Errorf("the wallet %s %s, and the ledger knows nothing of it. If a ledger was lost: fragplan ledger rebuild -reason TEXT. If none of it was bought by fragplan, say so: fragplan ledger init -from-now -reason TEXT", address, past)
	}
	return ledger.Anchored{Wallet: address, Version: p.spec.Wallet.Version, Anchor: account.Last, Block: account.Block, Reason: reason}, nil
}

// origin is anchor for a ledger that takes in everything that the wallet ever
// did.
func (p *project) origin(ctx context.Context, reason string) (ledger.Anchored, error) {
	anchor, err := p.anchor(ctx, reason)
	anchor.Anchor = ton.Position{}
	return anchor, err
}

// past says why a wallet may have paid something before, "" if it can't have.
func past(account ton.Account) string {
	switch {
	case account.Frozen:
		return "is frozen, so it was in use before"
	case account.Active && account.Data.Seqno > 0:
		return fmt.Sprintf("has paid before (its seqno is %d)", account.Data.Seqno)
	}
	return ""
}

// heldBy says who holds the ledger, nil if nobody does.
func (p *project) heldBy(ctx context.Context) error {
	if s, ok := p.store.(*postgres.Store); ok {
		held, err := s.Held(ctx)
		if held == nil {
			return err
		}
		return held
	}
	if held := sqlite.Held(p.ledgerPath()); held != nil {
		return held
	}
	return nil
}

// backup writes a copy of the ledger to a new file: one of SQLite, wherever the
// ledger is.
func (p *project) backup(ctx context.Context, path string) (ledger.Head, error) {
	if s, ok := p.store.(*sqlite.Store); ok {
		return s.Backup(ctx, path)
	}
	draft, err := os.MkdirTemp(filepath.Dir(path), ".fragplan-backup-")
	if err != nil {
		return ledger.Head{}, fmt.Errorf("backup: %w", err)
	}
	head, err := p.backupBy(ctx, path, filepath.Join(draft, "ledger.db"))
	return head, errors.Join(err, os.RemoveAll(draft))
}

// backupBy makes a file of the records, which is checked as every copy is.
func (p *project) backupBy(ctx context.Context, path, draft string) (ledger.Head, error) {
	s, err := sqlite.Restore(ctx, draft, func(yield func(ledger.Record) error) error { return p.store.Records(ctx, yield) })
	if err != nil {
		return ledger.Head{}, err
	}
	head, err := s.Backup(ctx, path)
	return head, errors.Join(err, s.Close())
}
