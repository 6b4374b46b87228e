package signer

import (
	"slices"
	"strings"
)

// Environment is what a program gets that fragplan runs: environ, as os.Environ
// has it, without fragplan's own variables, without the password of a database, and
// without those of which the names are given, in which a project keeps secrets.
func Environment(environ, secret []string) []string {
	kept := []string{}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		upper := strings.ToUpper(name)
		own := strings.HasPrefix(upper, "FRAGPLAN_") || strings.HasPrefix(upper, "FRAGMENT_") || upper == "PGPASSWORD"
		// Systems differ in whether they tell small letters from capitals.
		if own || slices.ContainsFunc(secret, func(s string) bool { return strings.EqualFold(s, name) }) {
			continue
		}
		kept = append(kept, e)
	}
	return kept
}
