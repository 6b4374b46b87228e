package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// actionlint checks workflows; with shellcheck beside it, their steps too.
const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"

// linter is a command that checks files. LINT=1 demands it; without it a
// program that is not here is no reason to fail.
func linter(t *testing.T, program string, instead ...string) []string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return []string{path}
	}
	switch {
	case os.Getenv("LINT") == "":
		t.Skipf("%s is not on this machine; make lint demands it", program)
	case len(instead) == 0:
		t.Fatalf("%s is not on this machine (Debian: %[1]s)", program)
	}
	return instead
}

func lint(t *testing.T, command []string, files ...string) {
	t.Helper()
	if len(files) == 0 {
		t.Fatal("there is nothing to check")
	}
	if out, err := exec.Command(command[0], append(command[1:len(command):len(command)], files...)...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(command[0]), err, out)
	}
}

func glob(t *testing.T, patterns ...string) (files []string) {
	t.Helper()
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(p)))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %d files", p, err, len(found))
		}
		files = append(files, found...)
	}
	return files
}

// snippets are the blocks of YAML in a page of the documentation.
func snippets(t *testing.T, page string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		list = append(list, block+"\n")
	}
	return list
}

// Every workflow that runs here, that people copy, or that the documentation
// shows, is one that GitHub takes.
func TestWorkflowsAreSound(t *testing.T) {
	command := linter(t, "actionlint", "go", "run", actionlint)
	files := glob(t, ".github/workflows/*.yml", "examples/ci/github-*.yml")
	for i, block := range snippets(t, "docs/ci.md") {
		if !strings.HasPrefix(block, "- uses: ") {
			continue
		}
		steps := "      " + strings.ReplaceAll(strings.TrimSpace(block), "\n", "\n      ")
		file := filepath.Join(t.TempDir(), "snippet"+string(rune('a'+i))+".yml")
		if err := os.WriteFile(file, []byte("on: push\njobs:\n  shown:\n    runs-on: ubuntu-latest\n    steps:\n"+steps+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) < 6 {
		t.Errorf("only %v were found", files)
	}
	lint(t, command, files...)
}

// Every shell script is sound: the files, the steps of action.yml, and the jobs
// that people copy for GitLab.
func TestScriptsAreSound(t *testing.T) {
	command := append(linter(t, "shellcheck"), "-s", "sh")
	files := glob(t, "scripts/*.sh", "examples/*/*.sh")
	write := func(name string, lines ...string) {
		file := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-")+".sh")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, step := range readAction(t).Runs.Steps {
		write("action", step.Run)
	}
	jobs := 0
	for name, job := range gitlab(t) {
		if len(job.Script) > 0 {
			jobs++
			write(name, append(slices.Clone(job.Before), job.Script...)...)
		}
	}
	if jobs < 2 {
		t.Errorf("%d jobs for GitLab", jobs)
	}
	lint(t, command, files...)
}

type gitlabJob struct {
	Extends string
	Image   any
	Before  []string `yaml:"before_script"`
	Script  []string
	Rules   []struct {
		If        string
		Variables map[string]string
	}
}

// gitlab are the jobs of examples/ci/gitlab.yml, each with what it extends.
func gitlab(t *testing.T) map[string]gitlabJob {
	t.Helper()
	text, err := os.ReadFile("../examples/ci/gitlab.yml")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]yaml.Node
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	jobs := map[string]gitlabJob{}
	for name, node := range all {
		if node.Kind == yaml.MappingNode {
			var job gitlabJob
			if err := node.Decode(&job); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			jobs[name] = job
		}
	}
	for name, job := range jobs {
		if job.Extends == "" {
			continue
		}
		base, ok := jobs[job.Extends]
		if !ok {
			t.Errorf("%s extends %s, which is not there", name, job.Extends)
		}
		job.Before = append(slices.Clone(base.Before), job.Before...)
		jobs[name] = job
	}
	return jobs
}

// What the documentation shows of the action are inputs and outputs that it has.
func TestTheActionIsShownAsItIs(t *testing.T) {
	a, shown := readAction(t), 0
	for _, block := range snippets(t, "docs/ci.md") {
		var steps []struct {
			Uses, ID string
			With     map[string]string
		}
		if !strings.HasPrefix(block, "- uses: fragplan/fragplan@") {
			continue
		}
		shown++
		if err := yaml.Unmarshal([]byte(block), &steps); err != nil {
			t.Fatal(err)
		}
		for name := range steps[0].With {
			if _, ok := a.Inputs[name]; !ok {
				t.Errorf("docs/ci.md shows the input %s, which action.yml doesn't have", name)
			}
		}
		for _, e := range expression.FindAllStringSubmatch(block, -1) {
			if name, ok := strings.CutPrefix(e[1], "steps."+steps[0].ID+".outputs."); ok {
				if _, ok := a.Outputs[name]; !ok {
					t.Errorf("docs/ci.md shows the output %s, which action.yml doesn't have", name)
				}
			}
		}
	}
	if shown == 0 {
		t.Error("docs/ci.md doesn't show the action")
	}
}
