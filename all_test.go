// Package fragplan_test keeps the drawing of ARCHITECTURE.md true: which room
// may import which, and which rooms can't reach the outside.
package fragplan_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fragplan/fragplan"

// doors lists, for every room, the rooms it may import.
var doors = map[string][]string{
	"ton":             {},
	"product":         {"ton"},
	"leak":            {},
	"policy":          {"product", "ton"},
	"schedule":        {},
	"rule":            {"policy", "ton"},
	"spec":            {"leak", "policy", "product", "rule", "schedule", "ton"},
	"ledger":          {"product", "ton"},
	"ledger/store":    {"ledger", "product", "ton"},
	"ledger/sqlite":   {"ledger", "ledger/store", "ton"},
	"ledger/postgres": {"ledger", "ledger/store", "ton"},
	"ledger/gitlog":   {"ledger"},

	"ledger/store/storetest":       {"ledger", "ledger/store", "product", "ton"},
	"ledger/postgres/postgrestest": {},

	"firewall":        {"product", "ton"},
	"reconcile":       {"firewall", "ledger", "policy", "product", "rule", "schedule", "spec", "ton"},
	"report":          {"ledger", "policy", "product", "reconcile", "schedule", "spec", "ton"},
	"fragment":        {"ton"},
	"wallet":          {"ton"},
	"signer":          {"leak", "ton", "wallet"},
	"chain":           {"ton"},
	"sandbox":         {"sandbox/market", "sandbox/network", "ton"},
	"sandbox/market":  {"ton"},
	"sandbox/network": {"ton"},
	"examples/signer": {"ton"},
	"approval":        {},
	"forge":           {},
	"notify":          {},
	"forge/forgetest": {"forge"},
	"scripts":         {},
	"cmd/fragplan":    nil, // wires: may import all
}

// sealed rooms can't reach the network, a database or another program.
var sealed = []string{"ton", "product", "leak", "policy", "rule", "schedule", "spec", "ledger", "ledger/store", "firewall", "reconcile", "report", "wallet"}

// What a sealed room must not reach by any path. validator/v10 links net for
// its address checks, so net alone is only forbidden in our own imports.
var outside = []string{"net/http", "crypto/tls", "database/sql", "os/exec"}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func rooms(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if room, ok := strings.CutPrefix(p.ImportPath, module+"/"); ok {
			all[room] = p
		}
	}
}

// A room imports only the rooms that the drawing allows.
func TestDoors(t *testing.T) {
	for room, p := range rooms(t) {
		allowed, known := doors[room]
		if !known {
			t.Errorf("%s is not in the drawing", room)
			continue
		}
		if room == "cmd/fragplan" {
			continue
		}
		for _, path := range p.Imports {
			if other, ok := strings.CutPrefix(path, module+"/"); ok && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s: the drawing has no such door", room, other)
			}
		}
	}
}

// A sealed room neither imports net itself nor reaches the outside by any path.
func TestSealed(t *testing.T) {
	all := rooms(t)
	for _, room := range sealed {
		p, exists := all[room]
		if !exists {
			continue
		}
		for _, path := range p.Imports {
			// net/url takes addresses apart and can't reach one.
			if path == "net" || strings.HasPrefix(path, "net/") && path != "net/url" {
				t.Errorf("%s imports %s", room, path)
			}
		}
		for _, path := range outside {
			if slices.Contains(p.Deps, path) {
				t.Errorf("%s reaches %s", room, path)
			}
		}
	}
}
