// Package scripts_test runs the scripts of a release as users and runners do:
// the installer against releases on this machine, and the action's step against
// the real program.
package scripts_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// program builds fragplan once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fragplan")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "fragplan")
	out, err := exec.Command("go", "build", "-o", file, "../cmd/fragplan").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not on this machine", p)
		}
	}
}

// archive packs one file as a release does.
func archive(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// releases serves v1.2.3 as the newest release.
func releases(t *testing.T, files map[string][]byte) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/latest", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/tag/v1.2.3", http.StatusFound) })
	mux.HandleFunc("/tag/v1.2.3", func(http.ResponseWriter, *http.Request) {})
	for name, body := range files {
		mux.HandleFunc("/download/v1.2.3/"+name, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func install(t *testing.T, bin, url string, env ...string) (string, error) {
	t.Helper()
	c := exec.Command("sh", "./install.sh")
	c.Env = append(os.Environ(), append([]string{"FRAGPLAN_BIN=" + bin, "FRAGPLAN_RELEASES=" + url, "FRAGPLAN_VERSION="}, env...)...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// The installer takes the newest release, or the one that is named, and only
// if its checksum is the one that stands beside it. Otherwise what was there
// before stays.
func TestTheInstallerComparesChecksums(t *testing.T) {
	needs(t, "curl", "tar")
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("fragplan_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	good := archive(t, "fragplan", content)
	sums := []byte(fmt.Sprintf("%x  %s\n%064d  other.tar.gz\n", sha256.Sum256(good), name, 0))
	bin := filepath.Join(t.TempDir(), "bin")

	for what, files := range map[string]map[string][]byte{
		"another archive":  {name: archive(t, "fragplan", []byte("#!/bin/sh\necho stolen\n")), "checksums.txt": sums},
		"no checksum":      {name: good, "checksums.txt": []byte(fmt.Sprintf("%064d  other.tar.gz\n", 0))},
		"no checksums.txt": {name: good},
		"no archive":       {"checksums.txt": sums},
		"a longer name":    {name: good, "checksums.txt": []byte(fmt.Sprintf("%x  x%s\n", sha256.Sum256(good), name))},
	} {
		if out, err := install(t, bin, releases(t, files)); err == nil {
			t.Errorf("%s: installed: %s", what, out)
		}
		if left, _ := os.ReadDir(bin); len(left) > 0 {
			t.Errorf("%s: left %v", what, left)
		}
	}
	url := releases(t, map[string][]byte{name: good, "checksums.txt": sums})
	for _, env := range []string{"FRAGPLAN_VERSION=", "FRAGPLAN_VERSION=v1.2.3"} {
		out, err := install(t, bin, url, env)
		if err != nil || !strings.Contains(out, "Installed fragplan ") {
			t.Errorf("%s: %v: %s", env, err, out)
		}
	}
	if out, err := exec.Command(filepath.Join(bin, "fragplan"), "version").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, version := range []string{"1.2.3", "v1.2.3; echo", "../../etc", "main"} {
		if out, err := install(t, bin, url, "FRAGPLAN_VERSION="+version); err == nil || version != "v1.2.3; echo" && !strings.Contains(out, "is no version") {
			t.Errorf("%s: %v: %s", version, err, out)
		}
	}
}

// Before the first release the newest one is a page without any, and the
// installer says so.
func TestTheInstallerBeforeTheFirstRelease(t *testing.T) {
	needs(t, "curl")
	mux := http.NewServeMux()
	mux.HandleFunc("/fragplan/releases/latest", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/fragplan/releases", http.StatusFound)
	})
	mux.HandleFunc("/fragplan/releases", func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	out, err := install(t, t.TempDir(), s.URL+"/fragplan/releases")
	if err == nil || !strings.Contains(out, "install.sh: no release is out yet; with Go: go install ") {
		t.Errorf("%v: %s", err, out)
	}
}

// runner is a job of GitHub Actions that runs the action's step.
type runner struct {
	t    *testing.T
	dir  string // of the project
	temp string
}

func newRunner(t *testing.T) runner {
	t.Helper()
	needs(t, "jq", "awk")
	r := runner{t, t.TempDir(), t.TempDir()}
	for name, text := range map[string]string{
		"people.yaml": "people:\n  ann: \"@ann_petrova\"\n",
		"grants.yaml": "grants:\n  best: {to: ann, stars: 100}\n",
		"fragplan.yaml": `version: 1
wallet: {version: v5r1, address: UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk}
ledger: .fragplan/ledger.db
limits: {order: 20 TON, run: 60 TON, month: 200 TON, undelivered: 25 TON, price: {100 stars: 1.30 TON}}
files: [people.yaml, grants.yaml]
`,
	} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run runs the step, and returns its outputs and its exit status.
func (r runner) run(command, arguments string) (outputs map[string]string, code int, said string) {
	r.t.Helper()
	file, err := program()
	if err != nil {
		r.t.Fatal(err)
	}
	script, err := filepath.Abs("action.sh")
	if err != nil {
		r.t.Fatal(err)
	}
	output := filepath.Join(r.t.TempDir(), "output")
	c := exec.Command("sh", script)
	c.Dir = r.dir
	c.Env = append(os.Environ(), "FRAGPLAN="+file, "FRAGPLAN_SANDBOX=1", "RUNNER_TEMP="+r.temp, "GITHUB_OUTPUT="+output,
		"ACTION_COMMAND="+command, "ACTION_ARGUMENTS="+arguments, "ACTION_COMMENT=false")
	text, _ := c.CombinedOutput()
	outputs = map[string]string{}
	written, _ := os.ReadFile(output)
	for line := range strings.Lines(string(written)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		outputs[name] = value
	}
	return outputs, c.ProcessState.ExitCode(), string(text)
}

// The action says what a plan would do and at most cost, as outputs that other
// steps can use, and what an apply did.
func TestTheActionHasOutputs(t *testing.T) {
	r := newRunner(t)
	got, code, said := r.run("plan", "-show-unchanged\n\n")
	if code != 0 || got["changed"] != "true" || got["exitcode"] != "2" || got["cost"] != "1.3115 TON" {
		t.Fatalf("plan: %v, exit status %d: %s", got, code, said)
	}
	if plan, err := os.ReadFile(got["plan"]); err != nil || !strings.Contains(string(plan), `"best/ann"`) {
		t.Errorf("%v: %s", err, plan)
	}
	if got, code, said = r.run("apply", ""); code != 0 || got["changed"] != "true" || got["exitcode"] != "0" {
		t.Fatalf("apply: %v, exit status %d: %s", got, code, said)
	}
	if got, code, said = r.run("apply", ""); code != 0 || got["changed"] != "false" {
		t.Fatalf("apply again: %v, exit status %d: %s", got, code, said)
	}
	if got, code, said = r.run("plan", ""); code != 0 || got["changed"] != "false" || got["exitcode"] != "0" || got["cost"] != "" {
		t.Fatalf("plan again: %v, exit status %d: %s", got, code, said)
	}
}

// A plan that fails or is refused says so in the step's log, and leaves outputs;
// a line of it is no command to the runner.
func TestTheActionSaysWhatIsWrong(t *testing.T) {
	r := newRunner(t)
	grants := filepath.Join(r.dir, "grants.yaml")
	if err := os.WriteFile(grants, []byte("grants:\n  best: {to: \"##[add-mask]x\", stars: 100}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, code, said := r.run("plan", "")
	if code != 1 || got["exitcode"] != "1" || got["changed"] != "false" || !strings.Contains(said, "fragplan: ") || !strings.Contains(said, "grants.yaml:2") {
		t.Errorf("a broken file: %v, exit status %d: %s", got, code, said)
	}
	for line := range strings.Lines(said) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			t.Errorf("the runner takes this for a command: %s", line)
		}
	}
	if err := os.WriteFile(grants, []byte("grants:\n  best: {to: ann, stars: 100000}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, code, said = r.run("plan", "-target\nbest/ann")
	if want := filepath.Join(r.temp, "fragplan-plan.json"); code != 0 && got["plan"] != want || got["changed"] != "false" {
		t.Errorf("a line that is forbidden: %v, exit status %d: %s", got, code, said)
	}
	if err := os.WriteFile(grants, []byte("grants:\n  best: {to: ann, stars: 100}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	main, err := os.ReadFile(filepath.Join(r.dir, "fragplan.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, "fragplan.yaml"), bytes.Replace(main, []byte("run: 60 TON"), []byte("run: 0.5 TON"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, code, said = r.run("plan", "")
	if code != 1 || got["changed"] != "false" || got["plan"] == "" || got["planfile"] == "" || !strings.Contains(said, "fragplan: best/ann: limits.run allows 0.5 TON") {
		t.Errorf("a plan that is refused: %v, exit status %d: %s", got, code, said)
	}
	// An apply that fails early has bought nothing, whatever an earlier one did.
	if err := os.WriteFile(filepath.Join(r.temp, "fragplan.prom"), []byte("fragplan_run_bought_orders 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, code, said = r.run("apply", "-chdir\n/nowhere")
	if code == 0 || got["changed"] != "false" || strings.Contains(said, "awk") {
		t.Errorf("apply: %v, exit status %d: %s", got, code, said)
	}
	if got, code, said = r.run("plan", "-out\nmine.plan"); code == 0 || !strings.Contains(said, "planfile") {
		t.Errorf("-out: %v, exit status %d: %s", got, code, said)
	}
}

// What comes in is never run as a command, and a failure fails the step.
func TestTheActionRunsNoInput(t *testing.T) {
	r := newRunner(t)
	for _, c := range [][2]string{
		{"plan; touch stolen", ""}, {"plan", "$(touch stolen)"}, {"plan", "`touch stolen`"}, {"plan", "; touch stolen"}, {"apply", "-chdir /nowhere"}, {"", ""},
	} {
		got, code, said := r.run(c[0], c[1])
		if code == 0 {
			t.Errorf("%q: %v: %s", c, got, said)
		}
		if _, err := os.Stat(filepath.Join(r.dir, "stolen")); err == nil {
			t.Fatalf("%q was run", c)
		}
	}
}

// A release that is not the same bytes twice fails, and leaves nothing behind.
func TestADifferentReleaseIsNoticed(t *testing.T) {
	for what, c := range map[string]struct {
		sums string // a shell's word for what the n-th build makes
		good bool
	}{
		"the same bytes": {"cafe", true},
		"other bytes":    {"cafe$n", false},
	} {
		dir := t.TempDir()
		fake := "#!/bin/sh\nmkdir -p dist dist-extras\necho x >>count\nn=$(wc -l <count)\necho \"" + c.sums + "  a.tar.gz\" >dist/checksums.txt\n"
		if err := os.WriteFile(filepath.Join(dir, "goreleaser"), []byte(fake), 0o700); err != nil {
			t.Fatal(err)
		}
		script, err := filepath.Abs("same.sh")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); (err == nil) != c.good {
			t.Errorf("%s: %v: %s", what, err, out)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "dist-*")); len(left) > 0 {
			t.Errorf("%s: left %v", what, left)
		}
	}
}
