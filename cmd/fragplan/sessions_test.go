package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cookies export|netscape TTL FILE writes the cookies of $COOKIE as a browser
// extension or a browser of old would, each ending after TTL.
func cookies(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: cookies export|netscape TTL FILE")
	}
	ttl, err := time.ParseDuration(args[1])
	ts.Check(err)
	ends := time.Now().Add(ttl).Unix()
	var list []map[string]any
	text := "# Netscape HTTP Cookie File\n"
	for pair := range strings.SplitSeq(ts.Getenv("COOKIE"), "; ") {
		name, value, _ := strings.Cut(pair, "=")
		list = append(list, map[string]any{"name": name, "value": value, "domain": ".fragment.com", "expirationDate": float64(ends) + 0.5})
		text += fmt.Sprintf("#HttpOnly_.fragment.com\tTRUE\t/\tTRUE\t%d\t%s\t%s\n", ends, name, value)
	}
	b := []byte(text)
	if args[0] == "export" {
		b, err = json.MarshalIndent(list, "", "  ")
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b, 0o600))
}
