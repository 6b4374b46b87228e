package postgres_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger/postgres"
)

var update = flag.Bool("update", false, "write schema.txt anew")

// What Verify compares a schema with is what the migrations make.
func TestTheIntendedSchemaIsWhatTheMigrationsMake(t *testing.T) {
	s, _ := create(t)
	lines, err := postgres.Described(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("schema.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(postgres.Intended(), got); diff != "" {
		t.Error(diff)
	}
}
