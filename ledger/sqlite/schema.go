package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// steps are the migrations in their order; user_version counts those that a
// file has had. A released step is never edited.
var steps = []string{"migrations/0001_ledger.sql", "migrations/0002_rule.sql", "migrations/0003_transit.sql", "migrations/0004_pin.sql", "migrations/0005_request.sql", "migrations/0006_session.sql", "migrations/0007_scope.sql", "migrations/0008_name.sql", "migrations/0009_request_usdt.sql", "migrations/0010_astray.sql", "migrations/0011_well.sql"}

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

// intended is the schema that the migrations make.
var intended = sync.OnceValues(func() (map[string]string, error) {
	configure()
	db, err := sql.Open("sqlite", "file::memory:?_dqs=0")
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer db.Close()
	ctx := context.Background() // of the process: the answer is for every store
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer conn.Close()
	s := &Store{path: "in memory", conn: conn}
	if err := s.migrate(ctx, 0); err != nil {
		return nil, err
	}
	return schema(ctx, conn)
})

// schema reads the text of every table, index and trigger, by kind and name.
func schema(ctx context.Context, conn *sql.Conn) (map[string]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT type || ' ' || name, tbl_name || ': ' || coalesce(sql, '') FROM sqlite_schema`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	texts := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		texts[name] = text
	}
	return texts, rows.Err()
}

// altered names the first part of a schema that isn't as it should be, "" if
// there is none.
func altered(has, want map[string]string) string {
	for _, texts := range []map[string]string{want, has} {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if text, ok := has[name]; !ok || text != want[name] {
				return name
			}
		}
	}
	return ""
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
