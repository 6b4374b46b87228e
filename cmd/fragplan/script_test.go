package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fragplan/fragplan/forge/forgetest"
	"github.com/fragplan/fragplan/ledger/postgres/postgrestest"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

var update = flag.Bool("update", false, "rewrite the expected texts in testdata")

// The scripts run this very program as a command of its own process.
func TestMain(m *testing.M) {
	testscript.Main(stopping{m}, map[string]func(){
		"fragplan": main,
		// The same with a Fragment of this machine in the place of the live
		// service, for what a rehearsal doesn't have.
		"fragplan-live":   func() { os.Exit(start(os.Getenv("FRAGMENT_URL"), masterOfUSDT())) },
		"fragplan-panics": panics,
		"fragplan-taken":  between,
	})
}

// masterOfUSDT is the world's, if the script has one.
func masterOfUSDT() ton.Address {
	if s := os.Getenv("USDT_MASTER"); s != "" {
		return ton.MustParseAddress(s)
	}
	return ton.USDTMaster
}

// Each script is a promise: the real command on real files against the
// sandbox, with what a person sees.
func TestScripts(t *testing.T) {
	example := filepath.Join(t.TempDir(), "signer")
	if out, err := exec.Command("go", "build", "-o", example, "../../examples/signer").CombinedOutput(); err != nil {
		t.Fatalf("examples/signer: %v\n%s", err, out)
	}
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.RunT(watched{t, &strings.Builder{}}, testscript.Params{
		Dir:                 "testdata",
		WorkdirRoot:         os.Getenv(envScriptsKept),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SIGNER", example)
			e.Setenv("EXAMPLES", examples)
			watchSecrets(e, t)
			e.Values[hostKey{}] = &forgetest.Host{}
			e.Values[earKey{}] = &ear{}
			e.Values[trapKey{}] = &listed{}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "postgres" {
				return postgrestest.Programs() != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"database": database,
			"sql":      sqlCommand,
			"exitcode": exitcode,
			"edit":     edit,
			"await":    await,
			"world":    world,
			"forge":    codeHost,
			"ears":     ears,
			"poke":     poke,
			"pad":      pad,
			"capture":  capture,
			"byhand":   byhand,
			"lose":     lose,
			"halfway":  halfway,
			"seed":     seed,
			"secret":   secret,
			"seal":     seal,
			"identity": identity,
			"cookies":  cookies,
			"trap":     trap,
			"conforms": conforms,
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

// await FILE PATTERN waits until a file holds what a background command has to
// write, so that what follows happens after it.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var b []byte
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if b, err = os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(b) {
			return
		}
	}
	ts.Fatalf("%s never held %q: %v\n%s", args[0], args[1], err, b)
}

// world waits until a background "fragplan sandbox" runs the world of this
// folder, and sets $WALLET and $WORDS to its wallet, and $FRAGMENT_URL and
// $COOKIE to its session.
func world(ts *testscript.TestScript, neg bool, args []string) {
	const name = ".fragplan/sandbox/running.json"
	await(ts, neg, append([]string{name, `\}\s*$`}, args...))
	var facts sandbox.Facts
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &facts))
	ts.Setenv("WALLET", facts.Wallet.String())
	ts.Setenv("WORDS", strings.Join(facts.Mnemonic, " "))
	ts.Setenv("FRAGMENT_URL", facts.FragmentURL)
	ts.Setenv("COOKIE", facts.Cookie)
	ts.Setenv("USDT_MASTER", facts.USDTMaster.String())
}

// poke FILE OFFSET HEX writes bytes over a file's own.
func poke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: poke FILE OFFSET HEX")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	bytes, err := hex.DecodeString(args[2])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	copy(b[at:], bytes)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// pad FILE SIZE TEXT appends a text to a file until it has just that size.
func pad(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pad FILE SIZE TEXT")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	for len(b) < size {
		b = append(b, args[2]...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b[:size], 0o600))
}
