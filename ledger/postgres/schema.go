package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// steps are the migrations in their order; the table about counts those that a
// ledger has had. A released step is never edited.
var steps = []string{
	"0001_log.sql", "0002_payment.sql", "0003_order.sql", "0004_person.sql", "0005_grant.sql", "0006_request.sql", "0007_name.sql",
	"0008_well.sql",
}

// stands reports whether the schema holds a ledger, and how many tables it
// holds.
func (s *Store) stands(ctx context.Context) (ledger bool, tables int, err error) {
	err = s.conn.QueryRow(ctx, `SELECT coalesce(bool_or(c.relname = 'about'), false), count(*)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
		s.schema()).Scan(&ledger, &tables)
	if err != nil {
		return false, 0, s.failed("schema", err)
	}
	return ledger, tables, nil
}

// schema is the name of the ledger's schema.
func (s *Store) schema() string {
	name, _, _ := strings.Cut(s.config.RuntimeParams["search_path"], ",")
	return name
}

// found makes the schema and its tables, inside a transaction. The role that
// makes them may not change events either, from then on.
func (s *Store) found(ctx context.Context, a Address) error {
	var exists bool
	err := s.conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)`, a.schema()).Scan(&exists)
	if err == nil && !exists {
		_, err = s.conn.Exec(ctx, `CREATE SCHEMA `+pgx.Identifier{a.schema()}.Sanitize())
	}
	if err == nil {
		err = s.migrate(ctx, 0)
	}
	if err == nil {
		_, err = s.conn.Exec(ctx, `REVOKE UPDATE, DELETE, TRUNCATE ON event FROM CURRENT_USER`)
	}
	var e *pgconn.PgError
	if errors.As(err, &e) && (e.Code == "42P06" || e.Code == "42P07" || e.Code == "23505") {
		return fmt.Errorf("ledger %s: somebody makes it at this moment: %w", s.at, fs.ErrExist)
	}
	if code(err) == codeNoRight {
		return fmt.Errorf("ledger %s: the role may not make tables here. Let one that may own them make the ledger (PGUSER), then give the rights that are needed to this one: fragplan ledger grant: %w", s.at, err)
	}
	if err != nil {
		return s.failed("making the tables", err)
	}
	return nil
}

// recognise refuses what is no ledger and what a newer program wrote, and
// brings an older ledger up to date.
func (s *Store) recognise(ctx context.Context) error {
	exists, _, err := s.stands(ctx)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("ledger %s: %w", s.at, store.ErrMissing)
	}
	var version int
	if err := s.conn.QueryRow(ctx, `SELECT version FROM about`).Scan(&version); err != nil {
		if code(err) == codeNoRight || code(err) == "42P01" { // of a schema that it may not use, the tables aren't seen
			return fmt.Errorf("ledger %s: the role may not read it; its owner gives the rights with what fragplan ledger grant prints: %w", s.at, err)
		}
		return s.failed("version", err)
	}
	switch {
	case version > len(steps):
		return fmt.Errorf("ledger %s: schema %d, known up to %d: %w", s.at, version, len(steps), store.ErrNewer)
	case version < len(steps):
		return s.upgrade(ctx, version)
	}
	return nil
}

func (s *Store) upgrade(ctx context.Context, version int) error {
	err := s.transact(ctx, func(ctx context.Context, w *writer) (ledger.Head, error) {
		now, err := s.grasp(ctx)
		if err != nil {
			return ledger.Head{}, err
		}
		// Another one may have done it meanwhile.
		if err := s.conn.QueryRow(ctx, `SELECT version FROM about`).Scan(&version); err != nil {
			return ledger.Head{}, s.failed("version", err)
		}
		return now.head, s.migrate(ctx, version)
	})
	if code(err) == codeNoRight {
		return fmt.Errorf("ledger %s: an older fragplan made its tables, and this role may not change them. Their owner brings them up to date with any command, such as fragplan ledger verify (PGUSER): %w", s.at, err)
	}
	return err
}

func (s *Store) migrate(ctx context.Context, from int) error {
	for _, name := range steps[from:] {
		text, err := migrations.ReadFile("migrations/" + name)
		if err != nil {
			return err
		}
		// Several statements in one string need the simple protocol.
		if _, err := s.conn.Exec(ctx, string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
			return s.failed(name, err)
		}
		if _, err := s.conn.Exec(ctx, `UPDATE about SET version = version + 1`); err != nil {
			return s.failed(name, err)
		}
	}
	return nil
}

//go:embed schema.txt
var intended string

// unaltered makes sure that the tables and what guards them are those that the
// migrations make.
func (s *Store) unaltered(ctx context.Context, r reader) error {
	has, err := s.describe(ctx, r)
	if err != nil {
		return err
	}
	want := strings.Split(strings.TrimSuffix(intended, "\n"), "\n")
	if name := altered(has, want); name != "" {
		return fmt.Errorf("ledger %s: its schema was altered: %q is not what fragplan makes: %w", s.at, name, store.ErrCorrupt)
	}
	return nil
}

// describe lists everything in the schema that is not data, a line each, in
// words that are the same in every version of PostgreSQL: of functions the text,
// of the rest the names and the kinds.
func (s *Store) describe(ctx context.Context, r reader) (lines []string, err error) {
	rows, err := s.conn.Query(ctx, `WITH own AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
			rel AS (SELECT c.* FROM pg_class c JOIN own ON c.relnamespace = own.oid)
		SELECT line FROM (
			SELECT format('relation %s %s rls=%s rules=%s', relname, relkind, relrowsecurity, EXISTS (SELECT 1 FROM pg_rewrite w WHERE w.ev_class = rel.oid AND rel.relkind <> 'v')) AS line FROM rel
			UNION ALL SELECT format('column %s.%s %s null=%s', rel.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull)
				FROM pg_attribute a JOIN rel ON a.attrelid = rel.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND rel.relkind IN ('r', 'v')
			UNION ALL SELECT format('constraint %s.%s %s valid=%s deferred=%s', rel.relname, k.conname, k.contype, k.convalidated, k.condeferred)
				FROM pg_constraint k JOIN rel ON k.conrelid = rel.oid WHERE k.contype <> 'n'
			UNION ALL SELECT format('index %s unique=%s valid=%s whole=%s on %s', i.indexrelid::regclass::text, i.indisunique, i.indisvalid, i.indpred IS NULL, i.indkey)
				FROM pg_index i JOIN rel ON i.indrelid = rel.oid
			UNION ALL SELECT format('trigger %s.%s type=%s enabled=%s when=%s of=%s does %s(%s)', rel.relname, t.tgname, t.tgtype, t.tgenabled,
				t.tgqual IS NOT NULL, t.tgattr, f.proname, encode(t.tgargs, 'escape'))
				FROM pg_trigger t JOIN rel ON t.tgrelid = rel.oid JOIN pg_proc f ON f.oid = t.tgfoid WHERE NOT t.tgisinternal
			UNION ALL SELECT format('function %s %s', f.proname, encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex')) FROM pg_proc f JOIN own ON f.pronamespace = own.oid
		) AS every ORDER BY line COLLATE "C"`, s.schema())
	if err == nil {
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, s.failed("schema", err)
	}
	return lines, nil
}

// altered names the first line that only one of two sorted lists has, "" if
// there is none.
func altered(has, want []string) string {
	for i := range max(len(has), len(want)) {
		switch {
		case i == len(has):
			return want[i]
		case i == len(want):
			return has[i]
		case has[i] != want[i]:
			return min(has[i], want[i])
		}
	}
	return ""
}
