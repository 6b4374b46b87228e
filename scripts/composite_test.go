package scripts_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/forge"
	"github.com/fragplan/fragplan/forge/forgetest"
)

// composite is what a runner reads of action.yml.
type composite struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Shell, Run string
			Folder         string `yaml:"working-directory"`
			Env            map[string]string
		}
	}
}

func readAction(t *testing.T) (a composite) {
	t.Helper()
	text, err := os.ReadFile("../action.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &a)
	}
	if err != nil || a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Fatalf("action.yml: %v: %+v", err, a)
	}
	return a
}

// job is one job of a runner: a checkout, a folder for what is passing, and
// variables.
type job struct {
	t         *testing.T
	workspace string
	env       []string
}

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// use runs the steps of action.yml one after the other, as a runner does for
// uses: with its inputs. It returns the outputs, and the error of the step that
// failed, behind which none is run.
func (j job) use(with map[string]string) (outputs map[string]string, said string, err error) {
	j.t.Helper()
	a, temp := readAction(j.t), j.t.TempDir()
	known := map[string]string{"runner.temp": temp}
	for name, input := range a.Inputs {
		known["inputs."+name] = input.Default
	}
	for name, value := range with {
		if _, declared := a.Inputs[name]; !declared {
			j.t.Fatalf("action.yml has no input %s", name)
		}
		known["inputs."+name] = value
	}
	fill := func(text string) string {
		return expression.ReplaceAllStringFunc(text, func(e string) string {
			name := expression.FindStringSubmatch(e)[1]
			value, ok := known[name]
			if !ok && !strings.HasPrefix(name, "steps.") { // the output of a step may be missing
				j.t.Fatalf("action.yml: a runner knows no %s", name)
			}
			return value
		})
	}
	here, err := filepath.Abs("..")
	action := filepath.Join(temp, "the action") // also where a path has a space
	if err == nil {
		err = os.Symlink(here, action)
	}
	if err != nil {
		j.t.Fatal(err)
	}
	for i, step := range a.Runs.Steps {
		if step.Shell != "sh" {
			j.t.Fatalf("step %d runs in %q", i, step.Shell)
		}
		script, output := filepath.Join(temp, fmt.Sprintf("step%d.sh", i)), filepath.Join(temp, fmt.Sprintf("output%d", i))
		for name, text := range map[string]string{script: fill(step.Run), output: ""} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				j.t.Fatal(err)
			}
		}
		c := exec.Command("sh", "-e", script)
		c.Dir = filepath.Join(j.workspace, fill(step.Folder))
		c.Env = append(append(os.Environ(), j.env...), "CI=true", "GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH="+action,
			"GITHUB_WORKSPACE="+j.workspace, "GITHUB_OUTPUT="+output, "RUNNER_TEMP="+temp)
		for name, value := range step.Env {
			c.Env = append(c.Env, name+"="+fill(value))
		}
		text, failed := c.CombinedOutput()
		said += string(text)
		written, _ := os.ReadFile(output)
		for line := range strings.Lines(string(written)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			known["steps."+step.ID+".outputs."+name] = value
		}
		if failed != nil {
			err = fmt.Errorf("step %d: %w", i, failed)
			break
		}
	}
	outputs = map[string]string{}
	for name, output := range a.Outputs {
		outputs[name] = fill(output.Value)
	}
	return outputs, said, err
}

// checkout clones the repository as a fresh runner does, and takes the world of
// the rehearsals along, which stands for everything outside.
func checkout(t *testing.T, hub, world string) string {
	t.Helper()
	clone := filepath.Join(t.TempDir(), "rewards")
	if out, err := exec.Command("git", "clone", "-q", hub, clone).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Symlink(world, filepath.Join(clone, "project", ".fragplan")); err != nil {
		t.Fatal(err)
	}
	return clone
}

// hub is a bare repository with a project in one of its folders.
func hub(t *testing.T) string {
	t.Helper()
	needs(t, "git")
	r := newRunner(t)
	tree, bare := t.TempDir(), filepath.Join(t.TempDir(), "hub.git")
	if err := os.Rename(r.dir, filepath.Join(tree, "project")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "-A"},
		{"-c", "user.name=ann", "-c", "user.email=ann@example.org", "commit", "-qm", "rewards"},
		{"clone", "-q", "--bare", tree, bare},
	} {
		c := exec.Command("git", args...)
		c.Dir = tree
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return bare
}

// The action's own steps, in order and as they are written in action.yml: a
// release is installed whose checksum was compared, a pull request gets its
// comment and its figures, the merge is bought, and nothing is left to do. Each
// job has a fresh clone, and is of a runner that forgets all else.
func TestTheActionAsARunnerRunsIt(t *testing.T) {
	needs(t, "curl", "tar", "jq", "awk")
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
	sums := fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(good), name)
	host := &forgetest.Host{Kind: forge.GitHub}
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	repository, world, summary := hub(t), t.TempDir(), filepath.Join(t.TempDir(), "summary")
	env := []string{"FRAGPLAN_SANDBOX=1", "GITHUB_API_URL=" + server.URL, "GITHUB_REPOSITORY=town/gifts", "GITHUB_STEP_SUMMARY=" + summary}
	ours := "FRAGPLAN_RELEASES=" + releases(t, map[string][]byte{name: good, "checksums.txt": sums})
	of := func(more ...string) job { return job{t, checkout(t, repository, world), append(more, env...)} }
	with := func(command string, more ...string) map[string]string {
		m := map[string]string{"command": command, "working-directory": "project"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}

	// A release that is not what its checksum says: nothing of it is run.
	theirs := "FRAGPLAN_RELEASES=" + releases(t, map[string][]byte{name: archive(t, "fragplan", []byte("#!/bin/sh\ntouch stolen\n")), "checksums.txt": sums})
	got, said, err := of(theirs).use(with("plan"))
	if err == nil || !strings.Contains(said, "nothing was installed") || got["exitcode"] != "" {
		t.Errorf("another release: %v, %v: %s", err, got, said)
	}

	got, said, err = of(ours, "GITHUB_REF=refs/pull/7/merge", "GITHUB_TOKEN="+forgetest.Token).use(with("plan", "comment", "true", "version", "v1.2.3"))
	if err != nil || got["changed"] != "true" || got["exitcode"] != "2" || got["cost"] != "1.3115 TON" || got["plan"] == "" {
		t.Fatalf("review: %v, %v: %s", err, got, said)
	}
	if c := host.Comments(); len(c) != 1 || !strings.Contains(c[0], "best/ann") {
		t.Errorf("the pull request has %q", c)
	}
	if text, _ := os.ReadFile(summary); !strings.Contains(string(text), "best/ann") {
		t.Errorf("the page of the step has %q", text)
	}

	got, said, err = of(ours).use(with("apply", "arguments", "-target\nbest\n"))
	if err != nil || got["changed"] != "true" || got["exitcode"] != "0" || got["plan"] != "" || got["cost"] != "" {
		t.Fatalf("merge: %v, %v: %s", err, got, said)
	}
	want := map[string]string{"changed": "false", "exitcode": "0", "cost": ""}
	if got, said, err = of(ours).use(with("plan")); err != nil || got["plan"] == "" || got["planfile"] == "" {
		t.Fatalf("after it: %v, %v: %s", err, got, said)
	}
	delete(got, "plan")
	delete(got, "planfile")
	if !maps.Equal(want, got) {
		t.Errorf("after it: %v, want %v", got, want)
	}
}
