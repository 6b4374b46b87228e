package postgres_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/fragplan/fragplan/ledger/postgres/postgrestest"
)

// server is the one that all tests of this package use; nil without PostgreSQL.
var server *postgrestest.Server

func TestMain(m *testing.M) {
	if os.Getenv("FRAGPLAN_TEST_WRITE_TO") != "" { // a process of a test, which has a server already
		os.Exit(m.Run())
	}
	var err error
	if server, err = postgrestest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
