package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/forge/forgetest"
	"github.com/fragplan/fragplan/sandbox"
)

// No test of any package prints a secret that it works with, or leaves it in a
// file: not in a log, an error, a ledger, a plan or the words of a panic. The tests
// of the packages that CANARIES names are run with all their output, in a folder
// for temporary files that nothing is removed from, and everything is searched, in
// all the forms that secrets_test.go knows. "make canaries" does it for the whole
// suite.
func TestCanaries(t *testing.T) {
	packages := os.Getenv("CANARIES")
	if packages == "" {
		t.Skip("it runs the tests of all packages: make canaries")
	}
	kept := t.TempDir()
	if err := os.Chmod(filepath.Dir(kept), 0o711); err != nil { // PostgreSQL does not run as root
		t.Fatal(err)
	}
	said := runKept(t, kept, packages)
	secrets := heldByTests()
	each(kept, func(path string, body []byte) { secrets = append(secrets, heldByWorld(path, body)...) })
	s := newSieve(secrets)

	files, size := 0, 0
	each(kept, func(path string, body []byte) {
		if holdsSecrets(path) {
			return
		}
		files++
		size += len(body)
		for _, leak := range s.search(body) {
			t.Errorf("%s holds %s", strings.TrimPrefix(path, kept), leak)
		}
	})
	output := printed(said)
	for _, leak := range s.search([]byte(output)) {
		t.Errorf("the output holds %s", leak)
	}
	t.Logf("%d secrets in %d forms, looked for in %.1f MB of output and in %d files of %.1f MB", len(secrets), s.patterns, float64(len(output))/1e6, files, float64(size)/1e6)
	if packages == "./..." && (len(secrets) < 1000 || files < 1000 || len(output) < 500_000) {
		t.Error("that is less than the tests make: the search is not sound")
	}
}

// runKept runs all tests with their temporary files in a folder, and returns
// what they said. Of package testing they are built with an overlay that removes
// no folder; the scripts know by themselves how to leave theirs.
func runKept(t *testing.T, kept, packages string) string {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(strings.TrimSpace(string(goroot)), "src", "testing", "testing.go")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const from = "\nfunc removeAll(path string) error {\n"
	if bytes.Count(body, []byte(from)) != 1 {
		t.Fatalf("%s does not remove files as it did", file)
	}
	work, scripts := t.TempDir(), filepath.Join(kept, scriptsKept)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: filepath.Join(work, "testing.go")}})
	if err == nil {
		err = os.WriteFile(filepath.Join(work, "overlay.json"), overlay, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(work, "testing.go"), bytes.Replace(body, []byte(from), []byte(from+"\tif true {\n\t\treturn nil\n\t}\n"), 1), 0o600)
	}
	if err == nil {
		err = os.Mkdir(scripts, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "test", "-count=1", "-v", "-timeout", "1h", "-vet=off", "-overlay", filepath.Join(work, "overlay.json"), packages)
	c.Dir = "../.."
	c.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "CANARIES=") }),
		"TMPDIR="+kept, "GOTMPDIR="+kept, envScriptsKept+"="+scripts)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, failing(out))
	}
	return string(out)
}

// envScriptsKept names the folder in which scripts leave their files.
const envScriptsKept, scriptsKept = "FRAGPLAN_SCRIPTS_KEPT", "scripts"

// failing are the lines of an output that say what failed.
func failing(out []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "FAIL") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// heldByTests are the secrets that tests have of their own: the keys with which
// they sign, and not those of the thieves that they play.
func heldByTests() (list []canary) {
	for _, b := range []byte{0x03, 0x07, hostileSeed[0]} {
		seed := bytes.Repeat([]byte{b}, ed25519.SeedSize)
		list = append(list, canary{fmt.Sprintf("the key of the seed %#x", b), string(seed)}, canary{fmt.Sprintf("the whole key of the seed %#x", b), string(ed25519.NewKeyFromSeed(seed))})
	}
	for _, text := range []string{forgetest.Token, "canary-of-the-session", "canary-of-the-wallet", "LoginS3cret", "WalletS3cret", "AAexampleexampleexample_-"} {
		list = append(list, canary{"the secret " + text, text})
	}
	return list
}

// heldByWorld are the secrets of a world, if the file tells them.
func heldByWorld(path string, body []byte) []canary {
	var facts sandbox.Facts
	if !slices.Contains(worldMade, filepath.Base(path)) || json.Unmarshal(body, &facts) != nil || len(facts.Mnemonic) == 0 {
		return nil
	}
	list := wordsOf("a world's recovery phrase", facts.Mnemonic)
	for cookie := range strings.SplitSeq(facts.Cookie, "; ") {
		if _, value, _ := strings.Cut(cookie, "="); len(value) >= 8 {
			list = append(list, canary{"a session's cookie", value})
		}
	}
	return list
}

// holdsSecrets reports whether a file is there to hold secrets: a world's own,
// those that tests fill as people do, and copies of the tests themselves.
func holdsSecrets(path string) bool {
	path = filepath.ToSlash(path)
	if strings.Contains(path, "/TestPlanted") || strings.Contains(path, "/go-build") {
		return true
	}
	name := filepath.Base(path)
	world := strings.Contains(path, "/.fragplan/sandbox/") && !strings.HasPrefix(name, "ledger")
	return world || name == "market.jsonl" || slices.Contains(worldMade, name) || slices.Contains(given, name)
}

// A sieve finds any of many secrets in one walk through a text.
type sieve struct {
	patterns int
	first    []uint64            // a bit for what the first eight bytes of a pattern hash to
	by       map[uint64][]figure // by those bytes
}

type figure struct{ text, says string }

const sieveBits = 24

func newSieve(secrets []canary) *sieve {
	s := &sieve{first: make([]uint64, 1<<sieveBits/64), by: map[uint64][]figure{}}
	seen := map[string]bool{}
	for _, c := range secrets {
		for how, form := range c.forms() {
			if len(form) < 8 || seen[form] {
				continue
			}
			seen[form] = true
			k := binary.LittleEndian.Uint64([]byte(form))
			s.first[slot(k)/64] |= 1 << (slot(k) % 64)
			s.by[k] = append(s.by[k], figure{form, c.name + " " + how})
			s.patterns++
		}
	}
	return s
}

func slot(k uint64) uint64 { return k * 0x9e3779b97f4a7c15 >> (64 - sieveBits) }

func (s *sieve) search(text []byte) []string {
	found := map[string]bool{}
	for i := 0; i+8 <= len(text); i++ {
		k := binary.LittleEndian.Uint64(text[i:])
		if s.first[slot(k)/64]&(1<<(slot(k)%64)) == 0 {
			continue
		}
		for _, f := range s.by[k] {
			if bytes.HasPrefix(text[i:], []byte(f.text)) {
				found[f.says] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// The sieve finds what the search of the scripts finds.
func TestTheSieveFindsSecrets(t *testing.T) {
	secret := canary{"canary", "tower-Ümlaut+and/42"}
	s := newSieve(append(heldByTests(), secret))
	for how, form := range secret.forms() {
		if found := s.search([]byte("before " + form + " behind")); len(found) == 0 {
			t.Errorf("%s: not found", how)
		}
	}
	if found := s.search([]byte("nothing of it, nor of anything else")); len(found) > 0 {
		t.Errorf("found %v in nothing", found)
	}
}
