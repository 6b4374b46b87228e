package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A plan of any size is known by how it begins, and what only looks like one is
// not: it isn't overwritten.
func TestBegins(t *testing.T) {
	large := `{"checksum":"00","plan":{"actions":["` + strings.Repeat("x", maxBeginning+1000) + `"]}}`
	for text, want := range map[string]bool{
		large:                           true,
		`{"checksum":"00","plan":{}}`:   true,
		`{"plan":{},"checksum":"00"}`:   true,
		`{"checksum":"plan","x":1}`:     false,
		`{"x":{"checksum":1,"plan":2}}`: false,
		`{"checksum":"00"}`:             false,
		`["checksum","plan"]`:           false,
		`checksum plan`:                 false,
		``:                              false,
		`{"x":"` + strings.Repeat("x", maxBeginning) + `","checksum":"00","plan":{}}`: false,
	} {
		name := filepath.Join(t.TempDir(), "it.plan")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := begins(name, "checksum", "plan"); got != want {
			t.Errorf("%.60s… begins like a plan: %v, want %v", text, got, want)
		}
	}
}
