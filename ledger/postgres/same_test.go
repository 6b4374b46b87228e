package postgres_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// promises reads what a schema promises out of its migrations: the triggers with
// their words, the named constraints, the unique indexes and the columns.
func promises(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := must(filepath.Glob(filepath.Join(folder, "*.sql")))
	if len(files) == 0 {
		t.Fatalf("no migrations in %s", folder)
	}
	found := map[string]string{}
	words := regexp.MustCompile(`(?:RAISE\(ABORT, |MESSAGE = |refuse\()('(?:[^']|'')*')`)
	for _, f := range files {
		table := ""
		for statement := range strings.SplitSeq("\n"+string(must(os.ReadFile(f))), "\nCREATE ") {
			name := regexp.MustCompile(`^(TRIGGER|FUNCTION|TABLE|UNIQUE INDEX) (\w+)`).FindStringSubmatch(statement)
			if name == nil {
				continue
			}
			kind, what := name[1], name[2]
			switch kind {
			case "UNIQUE INDEX":
				found["index "+what] = strings.Join(strings.Fields(strings.SplitN(statement, ";", 2)[0]), " ")
			case "TABLE":
				table = what
				for _, c := range regexp.MustCompile(`(?m)^  (\w+) +(?:INTEGER|BIGINT|TEXT|BLOB|BYTEA)\b`).FindAllStringSubmatch(statement, -1) {
					found["column "+table+"."+c[1]] = ""
				}
			default:
				var said []string
				for _, w := range words.FindAllStringSubmatch(statement, -1) {
					said = append(said, w[1])
				}
				if len(said) > 0 && what != "refuse" {
					found["trigger "+what] = strings.Join(said, " ")
				}
			}
			for _, c := range regexp.MustCompile(`CONSTRAINT (\w+)`).FindAllStringSubmatch(statement, -1) {
				found["constraint "+c[1]] = ""
			}
		}
		for _, c := range regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN (\w+)`).FindAllStringSubmatch(string(must(os.ReadFile(f))), -1) {
			found["column "+c[1]+"."+c[2]] = ""
		}
	}
	return found
}

// Every promise of SQLite's schema stands in this one, under the same name and
// with the same words: none was forgotten, and none says something else.
func TestTheSchemaPromisesWhatSQLitesDoes(t *testing.T) {
	want, got := promises(t, "../sqlite/migrations"), promises(t, "migrations")
	// What only a server needs.
	for _, own := range []string{"about", "holder"} {
		maps.DeleteFunc(got, func(k, _ string) bool {
			return strings.HasPrefix(k, "column "+own+".") || strings.HasPrefix(k, "trigger "+own+"_")
		})
	}
	for _, reference := range []string{"invoice_of_an_order", "order_of_a_request", "order_of_a_found_transfer"} {
		delete(got, "constraint "+reference) // SQLite needs no name for it
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SQLite's promises (-) are not PostgreSQL's (+):\n%s", diff)
	}
	if n := len(slices.Collect(maps.Keys(want))); n < 200 {
		t.Errorf("only %d promises were read: the test doesn't find them", n)
	}
}
