package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/spec"
)

// pipeline is what this test reads of a workflow of GitHub and of a file of
// GitLab: by which changes it is started, and how it buys.
type pipeline struct {
	On struct {
		Push        struct{ Paths []string }
		PullRequest struct{ Paths []string } `yaml:"pull_request"`
		Schedule    []any
	}
	Jobs map[string]struct {
		Steps []struct {
			Uses, Run string
			With      map[string]any
			Env       map[string]string
		}
	}
	Review gitlabJob `yaml:"rewards review"`
	Apply  gitlabJob `yaml:"rewards apply"`
}

type gitlabJob struct {
	Variables map[string]string
	Rules     []struct {
		If        string
		Changes   []string
		Variables map[string]string
	}
	Script []string
}

func readPipeline(t *testing.T, name string) (p pipeline) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../examples/ci", name))
	if err == nil {
		err = yaml.Unmarshal(b, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// matches compares a path with the filters of a workflow; none lets all through.
func matches(filters []string, name string) bool {
	for _, f := range filters {
		pattern := strings.NewReplacer(`\*\*/\*`, ".*", `\*\*`, ".*", `\*`, "[^/]*").Replace(regexp.QuoteMeta(f))
		if regexp.MustCompile("^" + pattern + "$").MatchString(name) {
			return true
		}
	}
	return len(filters) == 0
}

// Whatever file of an example is changed, and whoever signs, the workflows that
// people copy beside it see it: a gift in a table is a gift.
func TestWorkflowsSeeEveryFile(t *testing.T) {
	filters := map[string][]string{}
	review, apply, gitlab := readPipeline(t, "github-review.yml"), readPipeline(t, "github-apply.yml"), readPipeline(t, "gitlab.yml")
	filters["github-review.yml"], filters["github-apply.yml"] = review.On.PullRequest.Paths, apply.On.Push.Paths
	for _, r := range append(gitlab.Review.Rules, gitlab.Apply.Rules...) {
		filters["gitlab.yml: "+r.If] = r.Changes
	}
	projects, err := filepath.Glob("../../examples/*/fragplan.yaml")
	if err != nil || len(projects) < 4 {
		t.Fatalf("%v: %v", projects, err)
	}
	for _, main := range projects {
		s, err := spec.Load(filepath.Dir(main))
		if err != nil {
			t.Fatal(err)
		}
		files := s.Files
		if a := s.Limits.Approvals; a != nil {
			files = append(files, a.Signers, approvalsDir+"/0123/4567.sig")
		}
		for _, name := range files {
			for workflow, paths := range filters {
				if !matches(paths, name) {
					t.Errorf("%s does not run when %s of %s changes", workflow, name, s.Dir)
				}
			}
		}
	}
}

// Nobody looks at what a schedule buys, so it buys only what budgets allow; and
// what asks for approvals has the history in which authors stand.
func TestWorkflowsBuyWithinBudgetOnASchedule(t *testing.T) {
	apply, gitlab := readPipeline(t, "github-apply.yml"), readPipeline(t, "gitlab.yml")
	bought, whole := false, false
	for _, job := range apply.Jobs {
		for _, s := range job.Steps {
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				depth, set := s.With["fetch-depth"]
				whole = set && depth == 0
			}
			if strings.Contains(s.Run, "fragplan apply") {
				bought = true
				if s.Run != `fragplan apply "$HOW"` || s.Env["HOW"] != "${{ github.event_name == 'schedule' && '-within-budget' || '-auto-approve' }}" {
					t.Errorf("github-apply.yml buys with %q, %q", s.Run, s.Env["HOW"])
				}
			}
		}
	}
	if len(apply.On.Schedule) == 0 || !bought || !whole {
		t.Errorf("github-apply.yml: schedule %v, buys %v, fetches the history %v", apply.On.Schedule, bought, whole)
	}
	for _, r := range gitlab.Apply.Rules {
		want := "-auto-approve"
		if strings.Contains(r.If, `"schedule"`) {
			want = "-within-budget"
		}
		if r.Variables["HOW"] != want {
			t.Errorf("gitlab.yml buys with %q if %s", r.Variables["HOW"], r.If)
		}
	}
	if script := gitlab.Apply.Script; len(script) == 0 || script[len(script)-1] != `fragplan apply "$HOW"` || gitlab.Apply.Variables["GIT_DEPTH"] != "0" {
		t.Errorf("gitlab.yml: %q, GIT_DEPTH %q", script, gitlab.Apply.Variables["GIT_DEPTH"])
	}
}

// The steps of docs/ci.md and the workflows name the list of TON servers as it
// was saved; without that, the next command looks for another file.
func TestStepsNameTheListOfServers(t *testing.T) {
	b, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	_, steps, _ := strings.Cut(string(b), "\n## From zero\n")
	steps, _, _ = strings.Cut(steps, "\n## ")
	saved := regexp.MustCompile("`curl -fo (\\S+) https://ton.org/global-config.json`").FindStringSubmatch(steps)
	if saved == nil {
		t.Fatal("no step saves the list of servers")
	}
	if !strings.Contains(steps, "`"+envConfig+"="+saved[1]+" fragplan ledger init`") || strings.Contains(steps, "`fragplan ledger init`") {
		t.Errorf("the steps don't name %s for fragplan ledger init", saved[1])
	}
	for _, name := range []string{"github-review.yml", "github-apply.yml", "gitlab.yml"} {
		text, err := os.ReadFile(filepath.Join("../../examples/ci", name))
		if err != nil || !strings.Contains(string(text), envConfig+": "+saved[1]+"\n") {
			t.Errorf("%s does not name %s: %v", name, saved[1], err)
		}
	}
}
