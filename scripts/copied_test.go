package scripts_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/forge"
	"github.com/fragplan/fragplan/forge/forgetest"
)

// installed is a folder for PATH in which "go install" installs the program of
// this checkout, and the variables of a runner whose world is a rehearsal's.
func installed(t *testing.T, api string) []string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	fake := "#!/bin/sh\n[ \"$1 $2\" = 'install github.com/fragplan/fragplan/cmd/fragplan@latest' ] && cp '" + file + "' '" + bin + "/fragplan'\n"
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "FRAGPLAN_SANDBOX=1", "CI=true",
		"GITHUB_API_URL="+api, "CI_API_V4_URL="+api, "GITHUB_REPOSITORY=town/gifts", "GITHUB_REF=refs/pull/7/merge", "CI_PROJECT_ID=42",
		"CI_MERGE_REQUEST_IID=7", "CI_SERVER_PROTOCOL=https", "CI_SERVER_HOST=gitlab.example.org", "CI_SERVER_PORT=8443",
		"CI_PROJECT_URL=https://gitlab.example.org:8443/git/town/gifts")
}

// code runs lines as a runner does: the first that fails ends them.
func code(t *testing.T, dir string, env []string, lines ...string) string {
	t.Helper()
	c := exec.Command("sh", "-ec", strings.Join(lines, "\n"))
	c.Dir, c.Env = dir, env
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%q: %v: %s", lines, err, out)
	}
	return string(out)
}

// The jobs that people copy for GitLab say what merging would buy, and buy it.
func TestTheJobsForGitLab(t *testing.T) {
	host := &forgetest.Host{Kind: forge.GitLab, Me: "rewards-bot"}
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	jobs, repository, world := gitlab(t), hub(t), t.TempDir()
	clone := ""
	run := func(name, source string) string {
		job, rules := jobs[name], 0
		env := append(installed(t, server.URL), "GITLAB_CI=true", "GITLAB_TOKEN="+forgetest.Token)
		for _, rule := range job.Rules {
			if !strings.Contains(rule.If, `$CI_PIPELINE_SOURCE == "`+source+`"`) {
				continue
			}
			rules++
			for name, value := range rule.Variables {
				env = append(env, name+"="+value)
			}
		}
		if rules != 1 {
			t.Errorf("%d rules run %s for a %s", rules, name, source)
		}
		clone = checkout(t, repository, world)
		return code(t, filepath.Join(clone, "project"), env, append(slices.Clone(job.Before), job.Script...)...)
	}
	// git asks for a password with the configuration that the job has left.
	asked := func(url string) string {
		c := exec.Command("git", "-c", "core.askPass=true", "credential", "fill")
		c.Dir, c.Stdin = clone, strings.NewReader("url="+url+"\n\n")
		c.Env = append(os.Environ(), "GITLAB_TOKEN="+forgetest.Token, "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "HOME="+clone)
		out, _ := c.Output()
		return string(out)
	}
	if said := run("rewards review", "merge_request_event"); !strings.Contains(said, "The comment was made") {
		t.Errorf("the review said %s", said)
	}
	if c := host.Comments(); len(c) != 1 || !strings.Contains(c[0], "best/ann") {
		t.Errorf("the merge request has %q", c)
	}
	if said := run("rewards apply", "push"); !strings.Contains(said, "1 bought") {
		t.Errorf("the apply said %s", said)
	}
	if said := run("rewards apply", "schedule"); !strings.Contains(said, "No changes") {
		t.Errorf("the schedule said %s", said)
	}

	// The branch is pushed with the job's token, which no file holds and no other
	// host is given.
	config, err := os.ReadFile(filepath.Join(clone, ".git", "config"))
	if text := string(config); err != nil || !strings.Contains(text, "url = https://fragplan@gitlab.example.org:8443/git/town/gifts.git\n") || strings.Contains(text, forgetest.Token) {
		t.Errorf("%v: %s", err, text)
	}
	if said := asked("https://fragplan@gitlab.example.org:8443/git/town/gifts.git"); !strings.Contains(said, "username=fragplan\npassword="+forgetest.Token+"\n") {
		t.Errorf("git would send %s", said)
	}
	if said := asked("https://fragplan@example.net/town/gifts.git"); strings.Contains(said, forgetest.Token) {
		t.Errorf("git would send the token to another host: %s", said)
	}
}

// The workflows that people copy for GitHub do the same. For a pull request of
// a fork, whose token may not comment, the step's page has the plan.
func TestTheWorkflowsForGitHub(t *testing.T) {
	repository, world := hub(t), t.TempDir()
	type page struct{ said, summary, comments string }
	play := func(file, event, head string) (p page) {
		host := &forgetest.Host{Kind: forge.GitHub}
		server := httptest.NewServer(host)
		defer server.Close()
		dir, summary := filepath.Join(checkout(t, repository, world), "project"), filepath.Join(t.TempDir(), "summary")
		env := append(installed(t, server.URL), "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY="+summary)
		known := map[string]string{"github.event_name": event, "github.token": forgetest.Token, "github.repository": "town/gifts", "github.event.pull_request.head.repo.full_name": head}
		for _, step := range steps(t, file) {
			if step.Run == "" || step.If != "" && !holds(t, step.If, known) {
				continue
			}
			own := slices.Clone(env)
			for name, value := range step.Env {
				if e := expression.FindStringSubmatch(value); e != nil {
					value = evaluate(e[1], known)
				}
				own = append(own, name+"="+value)
			}
			p.said += code(t, dir, own, step.Run)
		}
		text, _ := os.ReadFile(summary)
		p.summary, p.comments = string(text), strings.Join(host.Comments(), "\n")
		return p
	}
	if p := play("github-review.yml", "pull_request", "town/gifts"); !strings.Contains(p.comments, "best/ann") || !strings.Contains(p.summary, "best/ann") {
		t.Errorf("review: %+v", p)
	}
	if p := play("github-review.yml", "pull_request", "eve/gifts"); p.comments != "" || !strings.Contains(p.summary, "best/ann") {
		t.Errorf("review of a fork: %+v", p)
	}
	if p := play("github-apply.yml", "push", ""); !strings.Contains(p.said, "1 bought") {
		t.Errorf("apply: %+v", p)
	}
	if p := play("github-apply.yml", "schedule", ""); !strings.Contains(p.said, "No changes") {
		t.Errorf("schedule: %+v", p)
	}
}

type githubStep struct {
	If, Run string
	Env     map[string]string
}

// steps are those of a workflow of examples/ci that has one job.
func steps(t *testing.T, name string) []githubStep {
	t.Helper()
	var w struct {
		Jobs map[string]struct{ Steps []githubStep }
	}
	text, err := os.ReadFile(filepath.Join("../examples/ci", name))
	if err == nil {
		err = yaml.Unmarshal(text, &w)
	}
	if err != nil || len(w.Jobs) != 1 {
		t.Fatalf("%s: %v, %d jobs", name, err, len(w.Jobs))
	}
	for _, job := range w.Jobs {
		return job.Steps
	}
	return nil
}

var choice = regexp.MustCompile(`^([a-z_.]+) == '([^']*)' && '([^']*)' \|\| '([^']*)'$`)

// evaluate is the value of a name, or of a choice by one. A secret is empty: the
// rehearsals need none.
func evaluate(e string, known map[string]string) string {
	c := choice.FindStringSubmatch(e)
	switch {
	case c == nil:
		return known[e]
	case known[c[1]] == c[2]:
		return c[3]
	}
	return c[4]
}

var comparison = regexp.MustCompile(`^([a-z_.]+) (==|!=) ([a-z_.]+)$`)

// holds decides a condition that compares two things that a runner knows.
func holds(t *testing.T, condition string, known map[string]string) bool {
	t.Helper()
	c := comparison.FindStringSubmatch(condition)
	if c == nil {
		t.Fatalf("%q can't be decided here", condition)
	}
	for _, name := range []string{c[1], c[3]} {
		if _, ok := known[name]; !ok {
			t.Fatalf("a runner knows no %s", name)
		}
	}
	return (known[c[1]] == known[c[3]]) == (c[2] == "==")
}
