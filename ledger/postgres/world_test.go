package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/postgres/postgrestest"
	"github.com/fragplan/fragplan/ledger/store/storetest"
)

var ledgers atomic.Int64

// place is the address of a ledger that isn't there yet, for a role that is no
// superuser.
func place(t testing.TB) postgres.Address {
	t.Helper()
	postgrestest.Need(t, server)
	name := fmt.Sprintf("ledger_%d", ledgers.Add(1))
	if err := server.Exec("postgres", `DO $$ BEGIN CREATE ROLE owner LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
		GRANT CREATE ON DATABASE postgres TO owner`); err != nil {
		t.Fatal(err)
	}
	return postgres.Address{URL: server.URL("owner", "postgres"), Ledger: name}
}

// PostgreSQL keeps the promises of every store.
func TestPromises(t *testing.T) {
	postgrestest.Need(t, server)
	storetest.Run(t, 5, func(t testing.TB) storetest.Place { return schema{place(t)} })
}

// schema is a place for a ledger: a name in the database.
type schema struct{ postgres.Address }

func (a schema) Create(ctx context.Context, first []ledger.Event) (storetest.Store, error) {
	return opened(postgres.Create(ctx, a.Address, first))
}

func (a schema) Restore(ctx context.Context, log func(yield func(ledger.Record) error) error) (storetest.Store, error) {
	return opened(postgres.Restore(ctx, a.Address, log))
}

func (a schema) Open(ctx context.Context) (storetest.Store, error) {
	return opened(postgres.Open(ctx, a.Address))
}

func opened(s *postgres.Store, err error) (storetest.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Exec runs SQL as the superuser, in one transaction.
func (a schema) Exec(statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.URL("postgres", "postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SET search_path = "+a.Ledger+", pg_temp", pgx.QueryExecModeSimpleProtocol)
	if err == nil {
		_, err = conn.Exec(ctx, spoken(statement), pgx.QueryExecModeSimpleProtocol)
	}
	return errors.Join(err, conn.Close(ctx))
}

// spoken is SQLite's SQL as PostgreSQL speaks it.
func spoken(statement string) string {
	statement = strings.ReplaceAll(statement, "zeroblob(32)", "decode(repeat('00', 32), 'hex')")
	statement = blob.ReplaceAllString(statement, `'\\x$1'::bytea`)
	statement = strings.ReplaceAll(statement, "PRAGMA foreign_keys = 1;", "")
	return dropped.ReplaceAllString(statement, `DO $$$$ BEGIN EXECUTE (SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgname = '$1' AND tgrelid = any (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)); END $$$$;`)
}

var (
	blob    = regexp.MustCompile(`\bx'([0-9a-f]*)'`)
	dropped = regexp.MustCompile(`DROP TRIGGER (\w+);`)
)

func create(t testing.TB) (*postgres.Store, postgres.Address) {
	t.Helper()
	a := place(t)
	s, err := postgres.Create(t.Context(), a, storetest.First())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, a
}

func locked(t testing.TB) (*postgres.Store, postgres.Address) {
	t.Helper()
	s, a := create(t)
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return s, a
}

func put(t testing.TB, s *postgres.Store, events ...ledger.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
