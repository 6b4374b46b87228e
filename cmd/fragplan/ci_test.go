package main

import (
	"net/http/httptest"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fragplan/fragplan/forge"
	"github.com/fragplan/fragplan/forge/forgetest"
)

// codeHost is the command forge. "forge github" and "forge gitlab" serve a small
// forge to a script and make it a run of its request 7, "forge app" that of a
// GitHub App's token; "forge comments FILE" writes what stands there.
func codeHost(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case neg || len(args) < 1:
		ts.Fatalf("usage: forge github|app|gitlab, or forge comments FILE")
	case args[0] == "comments":
		h := ts.Value(hostKey{}).(*forgetest.Host)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.ReplaceAll(strings.Join(h.Comments(), "\n====\n"), "\r\n", "\n")), 0o644))
		return
	}
	h := ts.Value(hostKey{}).(*forgetest.Host)
	if h.Kind = forge.Kind(args[0]); args[0] == "app" {
		h.Kind, h.App = forge.GitHub, "gifts[bot]"
	}
	server := httptest.NewServer(h)
	ts.Defer(server.Close)
	if h.Kind == forge.GitLab {
		h.Me = "rewards-bot"
		for name, value := range map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": server.URL, "CI_PROJECT_ID": "42", "CI_MERGE_REQUEST_IID": "7", "GITLAB_TOKEN": forgetest.Token} {
			ts.Setenv(name, value)
		}
		return
	}
	for name, value := range map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "town/gifts", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_TOKEN": forgetest.Token} {
		ts.Setenv(name, value)
	}
}

// hostKey finds the forge of a script.
type hostKey struct{}
