package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/sandbox"
)

// sandboxRun runs the command; serving ends as soon as it has begun.
func sandboxRun(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	p := &program{args: append([]string{"-chdir", dir, "sandbox"}, args...), stdin: strings.NewReader(""),
		stdout: &out, stderr: &complaints, getenv: func(string) string { return "" }, interrupt: make(chan struct{})}
	close(p.interrupt)
	code = p.run(t.Context())
	return code, out.String(), complaints.String()
}

// Whoever asks the command, or reads docs/sandbox.md, is told every special
// user name, every setting and every key of a record.
func TestSandboxIsDocumented(t *testing.T) {
	_, help, _ := sandboxRun(t, t.TempDir(), "-help")
	_, setHelp, _ := sandboxRun(t, t.TempDir(), "set", "-help")
	doc, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	wants := func(where, text string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s doesn't speak of %s", where, w)
			}
		}
	}
	names := []string{"nobody_", "_channel", "bot", "no_gifts_", "has_premium_"}
	record := []string{"before", "message", "config", "time", "block_lt", "lt", "rand_seed", "after", "transaction", "transaction_hash"}
	files := []string{"global.config.json", "mnemonic.txt", "cookie.txt"}
	for _, words := range [][]string{names, record, files} {
		wants("sandbox -help", help, words...)
		wants("docs/sandbox.md", string(doc), words...)
	}
	for _, s := range sandbox.Settings() {
		wants("sandbox set -help", setHelp, "  "+s.Key, s.Values, s.Effect)
		wants("docs/sandbox.md", string(doc), "`"+s.Key+"`")
	}
}

// Serving writes what other programs need; a world that is served already is
// not served again, and a record that can't be written ends with status 1.
func TestSandboxServe(t *testing.T) {
	dir := t.TempDir()
	record := filepath.Join(dir, "record.jsonl")
	if code, _, stderr := sandboxRun(t, dir, "-record", record); code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, name := range []string{record, filepath.Join(dir, ".fragplan", "sandbox", "global.config.json")} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if code, _, stderr := sandboxRun(t, dir, "-record", record); code != 0 {
		t.Errorf("a record is not appended to: exit status %d: %s", code, stderr)
	}
	w, err := sandbox.Open(t.Context(), sandbox.Options{Dir: filepath.Join(dir, ".fragplan", "sandbox")})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"-record", record}} {
		if code, _, stderr := sandboxRun(t, dir, args...); code != 1 || !strings.Contains(stderr, "another process runs this world") {
			t.Errorf("exit status %d: %s", code, stderr)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := sandboxRun(t, dir, "-wallet", "v4r2"); code != 1 || !strings.Contains(stderr, "has a v5r1 wallet") {
		t.Errorf("another wallet: exit status %d: %s", code, stderr)
	}
	if code, _, stderr := sandboxRun(t, dir, "set", "blocks=off"); code != 1 || !strings.Contains(stderr, "blocks=off has no effect") {
		t.Errorf("blocks of a world that nobody runs: exit status %d: %s", code, stderr)
	}
	if code, _, stderr := sandboxRun(t, t.TempDir(), "books"); code != 1 || !strings.Contains(stderr, "no world yet") {
		t.Errorf("books of nothing: exit status %d: %s", code, stderr)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	if code, _, stderr := sandboxRun(t, t.TempDir(), "-record", "/dev/full"); code != 1 || !strings.Contains(stderr, "no space left") {
		t.Errorf("exit status %d: %s", code, stderr)
	}
}
