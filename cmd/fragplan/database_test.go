package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fragplan/fragplan/ledger/postgres/postgrestest"
	"github.com/fragplan/fragplan/spec"
)

// databases is the PostgreSQL server of this package's tests, made at first use.
var databases struct {
	once   sync.Once
	server *postgrestest.Server // nil where there is no PostgreSQL
	err    error
	made   atomic.Int64
}

func databaseServer() (*postgrestest.Server, error) {
	databases.once.Do(func() { databases.server, databases.err = postgrestest.Start() })
	return databases.server, databases.err
}

// stopping ends the server after the tests.
type stopping struct{ *testing.M }

func (m stopping) Run() int {
	code := m.M.Run()
	if err := databases.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// newDatabase makes a database with two roles: owner, who may make tables in it,
// and buyer, who may nothing yet.
func newDatabase(s *postgrestest.Server) (name string, err error) {
	name = fmt.Sprintf("rewards_%d", databases.made.Add(1))
	for _, sql := range []string{
		`DO $$ BEGIN CREATE ROLE owner LOGIN; CREATE ROLE buyer LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
		`CREATE DATABASE ` + name + ` OWNER owner`,
	} {
		if err := s.Exec("postgres", sql); err != nil {
			return "", err
		}
	}
	return name, nil
}

// database makes a database and sets $PGHOST, $PGPORT and $PGDATABASE, so that
// postgres://owner@/ is its address for the role that owns it.
func database(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: database")
	}
	s, err := databaseServer()
	ts.Check(err)
	name, err := newDatabase(s)
	ts.Check(err)
	ts.Setenv("PGHOST", s.Host)
	ts.Setenv("PGPORT", fmt.Sprint(s.Port))
	ts.Setenv("PGDATABASE", name)
}

// sql STATEMENT|FILE runs SQL in that database, as a superuser.
func sqlCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: sql STATEMENT, or sql stdout")
	}
	statement := args[0]
	if statement == "stdout" {
		statement = ts.ReadFile("stdout")
	}
	s, err := databaseServer()
	ts.Check(err)
	if err := s.Exec(ts.Getenv("PGDATABASE"), statement); (err != nil) != neg {
		ts.Fatalf("sql: %v", err)
	}
}

// inDatabase is a place for a ledger in a database of its own; without
// PostgreSQL the test is skipped.
func inDatabase(t *testing.T) spec.Ledger {
	t.Helper()
	s, err := databaseServer()
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.Need(t, s)
	name, err := newDatabase(s)
	if err != nil {
		t.Fatal(err)
	}
	return spec.Ledger{URL: s.URL("owner", name)}
}
