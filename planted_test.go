package fragplan_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// These are tried with every test of the module. PLANTED=NAME tries those whose
// name begins with that, and an empty PLANTED all.
var quick = []string{"firewall-no-ceiling", "pay-outlives-its-offers", "settle-dead-too-early"}

// A planted bug is a file testdata/planted/NAME.patch: a line that says what
// is wrong, a line with the tests that should notice, and a diff.
type planted struct {
	name string
	what string
	run  []string // arguments of go test
	diff string
}

func readPlanted(name string) (planted, error) {
	b, err := os.ReadFile(filepath.Join("testdata", "planted", name+".patch"))
	if err != nil {
		return planted{}, err
	}
	head, diff, _ := strings.Cut(string(b), "\ndiff --git ")
	what, run, ok := strings.Cut(head, "\nRun: go test ")
	what, isWhat := strings.CutPrefix(what, "What: ")
	if run = strings.TrimSpace(run); !ok || !isWhat || strings.Contains(run, "\n") || diff == "" {
		return planted{}, fmt.Errorf("%s.patch begins with a line What: and a line Run: go test, and has a diff behind them", name)
	}
	return planted{name, what, strings.Fields(run), "diff --git " + diff}, nil
}

// Every bug that was planted is noticed by a test.
func TestPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and tests the module again for every planted bug")
	}
	names := quick
	if which, chosen := os.LookupEnv("PLANTED"); chosen {
		files, err := filepath.Glob("testdata/planted/" + which + "*.patch")
		if err != nil || len(files) == 0 {
			t.Fatalf("no planted bug begins with %q: %v", which, err)
		}
		names = nil
		for _, f := range files {
			names = append(names, strings.TrimSuffix(filepath.Base(f), ".patch"))
		}
	}
	// One copy of the module for each that runs at a time. What was built for
	// one bug is used for the next in the same copy.
	copies := make(chan string, min(runtime.GOMAXPROCS(0), len(names)))
	for range cap(copies) {
		copies <- copyModule(t)
	}
	var caught atomic.Int32
	t.Run("bug", func(t *testing.T) {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p, err := readPlanted(name)
				if err != nil {
					t.Fatal(err)
				}
				dir := <-copies
				defer func() { copies <- dir }()
				if by := p.caught(t, dir); by != "" {
					caught.Add(1)
					t.Logf("%s: caught by %s. %s", name, by, p.what)
				}
			})
		}
	})
	t.Logf("%d of %d caught", caught.Load(), len(names))
}

// caught plants the bug in a copy of the module and returns the first test
// that fails there and doesn't fail without the bug. It leaves the copy as it
// was.
func (p planted) caught(t *testing.T, dir string) string {
	if failed, out := firstFailure(t, dir, p.run); failed != "" {
		t.Fatalf("%s fails without the bug too\n%s", failed, out)
	}
	changed, err := p.apply(dir)
	if err != nil {
		t.Fatalf("testdata/planted/%s.patch no longer applies: %v\n"+
			"To renew it, make the same mistake in today's code by hand, put what\n"+
			"git diff prints in the place of the old diff, below What: and Run:, and\n"+
			"take the mistake out again with git checkout. Then:\n"+
			"make planted BUG=%s", p.name, err, p.name)
	}
	defer func() {
		for _, file := range changed {
			if err := copyFile(dir, file); err != nil {
				t.Error(err)
			}
		}
	}()
	for _, args := range [][]string{{"build", "./..."}, {"vet", "./..."}} {
		if out, err := goIn(dir, args...); err != nil {
			t.Fatalf("with the bug, go %s fails: it must be one that only tests notice\n%s", args[0], out)
		}
	}
	failed, out := firstFailure(t, dir, p.run)
	switch {
	case failed == "":
		t.Errorf("%s\nNobody noticed: go test %s\n%s", p.what, strings.Join(p.run, " "), out)
	case strings.Contains(out, "panic: test timed out"):
		t.Errorf("%s\nNobody noticed, but the tests do not end\n%s", p.what, out)
		return ""
	}
	return failed
}

// goIn runs the go command in a copy.
func goIn(dir string, args ...string) (string, error) {
	c := exec.Command("go", append([]string{args[0], "-p=1"}, args[1:]...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "PWD="+dir)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

// firstFailure runs tests and returns the first that failed and what it
// printed, or what they all printed if none failed. Anything else that goes
// wrong is not the failure of a test.
func firstFailure(t *testing.T, dir string, run []string) (name, printed string) {
	out, err := goIn(dir, append([]string{"test", "-json", "-count=1", "-vet=off", "-failfast", "-timeout=5m"}, run...)...)
	var all strings.Builder
	said := map[string]string{} // by test
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e struct{ Action, Package, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			e.Output = lines.Text() + "\n"
		}
		all.WriteString(e.Output)
		test := strings.TrimPrefix(e.Package, module+"/") + " " + e.Test
		if e.Test != "" {
			said[test] += e.Output
		}
		if e.Action == "fail" && e.Test != "" && name == "" {
			name = test
		}
	}
	if printed = said[name]; name == "" || strings.Contains(all.String(), "panic: test timed out") {
		printed = all.String()
	}
	if len(printed) > 4000 {
		printed = "…" + strings.ToValidUTF8(printed[len(printed)-4000:], "")
	}
	if len(said) == 0 || err != nil && name == "" {
		t.Fatalf("go test %s ran no test, or failed without a failing test: %v\n%s", strings.Join(run, " "), err, printed)
	}
	return name, printed
}

// copyModule copies what a build and the tests need.
func copyModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == ".":
			return nil
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") || path == "bin" || path == "dist"):
			return fs.SkipDir
		case e.IsDir():
			return os.Mkdir(filepath.Join(dir, path), 0o700)
		case path == "fragplan" || !e.Type().IsRegular():
			return nil
		}
		return copyFile(dir, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(dir, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, path), b, info.Mode().Perm()|0o600)
}

// apply makes the changes of the diff in dir, and returns which files it
// changed. Line numbers may have moved, but the lines themselves must stand in
// their file, and only once: a bug in another place than was meant is another
// bug.
func (p planted) apply(dir string) (changed []string, err error) {
	texts := map[string]string{}
	var file string
	var before, after []string
	hunk := func() error {
		if before == nil && after == nil {
			return nil
		}
		if texts[file] == "" {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				return err
			}
			texts[file] = "\n" + string(b)
			changed = append(changed, file)
		}
		old, new := "\n"+strings.Join(before, "\n")+"\n", "\n"+strings.Join(after, "\n")+"\n"
		if n := strings.Count(texts[file], old); n != 1 {
			return fmt.Errorf("%s holds these lines %d times, not once:%s", file, n, old)
		}
		texts[file] = strings.Replace(texts[file], old, new, 1)
		before, after = nil, nil
		return nil
	}
	for line := range strings.Lines(p.diff) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "index "), strings.HasPrefix(line, "--- a/"), strings.HasPrefix(line, "@@"):
			err = hunk()
		case strings.HasPrefix(line, "+++ b/"):
			file = strings.TrimPrefix(line, "+++ b/")
		case strings.HasPrefix(line, "-"):
			before = append(before, line[1:])
		case strings.HasPrefix(line, "+"):
			after = append(after, line[1:])
		case strings.HasPrefix(line, " "), line == "":
			kept := strings.TrimPrefix(line, " ")
			before, after = append(before, kept), append(after, kept)
		default:
			err = fmt.Errorf("no line of a diff: %q", line)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := hunk(); err != nil {
		return nil, err
	}
	for _, file := range changed {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(texts[file][1:]), 0o600); err != nil {
			return changed, err
		}
	}
	return changed, nil
}
