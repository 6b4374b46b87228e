package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// steps are the migrations in their order; user_version counts those that a
// file has had. A released step is never edited.
var steps = []string{"migrations/0001_ledger.sql"}

// application marks a file as a ledger of fragplan ("fpln").
const application = 0x66706c6e

// recognise refuses what is no ledger and what a newer program wrote, and
// brings an older ledger up to date.
func (s *Store) recognise(ctx context.Context) error {
	var app, version int
	if err := s.conn.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&app); err != nil {
		return s.failed("application_id", err)
	}
	if err := s.conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return s.failed("user_version", err)
	}
	switch {
	case app != application || version < 1:
		return fmt.Errorf("ledger %s: not written by fragplan: %w", s.path, ErrCorrupt)
	case version > len(steps):
		return fmt.Errorf("ledger %s: schema %d, known up to %d: %w", s.path, version, len(steps), ErrNewer)
	case version < len(steps):
		return s.transact(ctx, func(ctx context.Context) error { return s.migrate(ctx, version) })
	}
	var id string
	if err := s.conn.QueryRowContext(ctx, `SELECT id FROM ledger`).Scan(&id); err != nil {
		return fmt.Errorf("ledger %s: id: %w: %w", s.path, ErrCorrupt, err)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context, from int) error {
	for i, name := range steps[from:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := s.conn.ExecContext(ctx, string(text)); err != nil {
			return s.failed(name, err)
		}
		if _, err := s.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", from+i+1)); err != nil {
			return s.failed(name, err)
		}
	}
	_, err := s.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", application))
	return err
}

// code is SQLite's primary result code of err, 0 if it is another error.
func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// failed says what was being done, and marks errors that mean damage.
func (s *Store) failed(doing string, err error) error {
	switch code(err) {
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return fmt.Errorf("ledger %s: %s: %w: %w", s.path, doing, ErrCorrupt, err)
	}
	return fmt.Errorf("ledger %s: %s: %w", s.path, doing, err)
}
