package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected texts in testdata")

// The scripts run this very program as a command of its own process.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fragplan": func() {
			p := &program{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, interrupt: make(chan struct{})}
			os.Exit(p.run(context.Background()))
		},
	})
}

// Each script is a promise: the real command on real files against the
// sandbox, with what a person sees.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode": exitcode,
			"edit":     edit,
		},
	})
}

// exitcode N command... runs a command that must end with just that status.
func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exitcode N command args...")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var status interface{ ExitCode() int }
	if errors.As(err, &status) {
		got = status.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// edit FILE OLD NEW replaces every OLD in a file, which must hold it.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	body := ts.ReadFile(args[0])
	if !strings.Contains(body, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(body, args[1], args[2])), 0o644))
}
