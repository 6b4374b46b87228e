package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/ledger/store"
)

// A ledger is in a file of the project, or in a database. A rehearsal's is
// always a file of its own.

// inDatabase reports whether the ledger is in a database.
func (p *project) inDatabase() bool { return p.spec.Ledger.URL != "" && !p.program.sandbox }

// database is where in it.
func (p *project) database() postgres.Address {
	return postgres.Address{URL: p.spec.Ledger.URL, Ledger: p.spec.Ledger.Name}
}

// ledgerName is what people call the place of the ledger.
func (p *project) ledgerName() string {
	if p.inDatabase() {
		return p.database().String()
	}
	return p.ledgerPath()
}

// openShelf opens the ledger and makes none.
func (p *project) openShelf(ctx context.Context) (shelf, error) {
	if p.inDatabase() {
		return kept(postgres.Open(ctx, p.database()))
	}
	return kept(sqlite.Open(ctx, p.ledgerPath()))
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
