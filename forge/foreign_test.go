package forge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/forge"
)

// Whose code a run may have checked out is read from what the host says of it.
// What doesn't say it clearly is an error, never "our own".
func TestForeign(t *testing.T) {
	const (
		github = "GITHUB_ACTIONS=true GITHUB_EVENT_NAME="
		gitlab = "GITLAB_CI=true CI_PROJECT_ID=7 "
		unsure = "?"
	)
	pull := func(head, base string) string {
		return `{"action":"opened","pull_request":{"number":7,"head":{"repo":` + head + `},"base":{"repo":` + base + `}},"repository":{"full_name":"org/x"}}`
	}
	own, fork := `{"full_name":"org/rewards","fork":false}`, `{"full_name":"eve/rewards","fork":true}`
	for name, test := range map[string]struct{ env, event, want string }{
		"no CI":                       {"CI=true", pull(fork, own), ""},
		"a push":                      {github + "push", `{"ref":"refs/heads/main"}`, ""},
		"a schedule, without a file":  {github + "schedule", "", ""},
		"a branch of our own":         {github + "pull_request", pull(own, own), ""},
		"in other capitals":           {github + "pull_request", pull(`{"full_name":"Org/Rewards"}`, own), ""},
		"our own is a fork itself":    {github + "pull_request", pull(fork, fork), ""},
		"a fork":                      {github + "pull_request", pull(fork, own), "eve/rewards"},
		"a fork, with the target's":   {github + "pull_request_target", pull(fork, own), "eve/rewards"},
		"a fork that is reviewed":     {github + "pull_request_review", pull(fork, own), "eve/rewards"},
		"a fork that was deleted":     {github + "pull_request", pull("null", own), unsure},
		"a name that is none":         {github + "pull_request", pull(`{"full_name":"eve\u001b[2J"}`, own), unsure},
		"no base":                     {github + "pull_request", `{"pull_request":{"head":{"repo":` + fork + `}}}`, unsure},
		"no event":                    {github + "pull_request", "", unsure},
		"half an event":               {github + "pull_request", pull(own, own)[:90], unsure},
		"no JSON":                     {github + "pull_request_target", "x", unsure},
		"after a run of a fork":       {github + "workflow_run", `{"workflow_run":{"head_repository":` + fork + `},"repository":` + own + `}`, "eve/rewards"},
		"after a run of our own":      {github + "workflow_run", `{"workflow_run":{"head_repository":` + own + `},"repository":` + own + `}`, ""},
		"after a run of nobody":       {github + "workflow_run", `{"workflow_run":{},"repository":` + own + `}`, unsure},
		"GitLab, a push":              {gitlab + "CI_PIPELINE_SOURCE=push", "", ""},
		"GitLab, a branch of our own": {gitlab + "CI_MERGE_REQUEST_IID=3 CI_MERGE_REQUEST_PROJECT_ID=7 CI_MERGE_REQUEST_SOURCE_PROJECT_ID=7", "", ""},
		"GitLab, a fork":              {gitlab + "CI_MERGE_REQUEST_PROJECT_ID=7 CI_MERGE_REQUEST_SOURCE_PROJECT_ID=9", "", "project 9"},
		"GitLab, a fork with a path":  {gitlab + "CI_MERGE_REQUEST_PROJECT_ID=7 CI_MERGE_REQUEST_SOURCE_PROJECT_ID=9 CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=eve/rewards", "", "eve/rewards"},
		"GitLab, only our number":     {gitlab + "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=9", "", "project 9"},
		"GitLab, nothing said":        {gitlab + "CI_PIPELINE_SOURCE=merge_request_event", "", unsure},
		"GitLab, half said":           {gitlab + "CI_MERGE_REQUEST_IID=3", "", unsure},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for _, v := range strings.Fields(test.env) {
				name, value, _ := strings.Cut(v, "=")
				env[name] = value
			}
			if test.event != "" {
				env["GITHUB_EVENT_PATH"] = filepath.Join(t.TempDir(), "event.json")
				if err := os.WriteFile(env["GITHUB_EVENT_PATH"], []byte(test.event), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := forge.Foreign(func(name string) string { return env[name] })
			if err != nil {
				got = unsure
			}
			if got != test.want {
				t.Errorf("%q (%v), want %q", got, err, test.want)
			}
		})
	}
}
