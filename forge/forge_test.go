package forge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/forge"
	"github.com/fragplan/fragplan/forge/forgetest"
)

// at is a request of a small forge.
func at(t *testing.T, h *forgetest.Host) forge.Place {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	p := forge.Place{Kind: h.Kind, API: server.URL, Project: "town/gifts", Number: 7, Token: forge.TokenOf(forgetest.Token)}
	if h.Kind == forge.GitLab {
		p.Project = "42"
	}
	return p
}

// There is one comment, made once and renewed after, whoever else writes under
// the request and however much. What is as it should be is not written again.
func TestOneComment(t *testing.T) {
	for _, kind := range []forge.Kind{forge.GitHub, forge.GitLab} {
		for _, me := range []string{"rewards-bot", ""} {
			if kind == forge.GitLab && me == "" {
				continue // every token of GitLab is a user's
			}
			t.Run(string(kind)+" "+me, func(t *testing.T) {
				h := &forgetest.Host{Kind: kind, Me: me}
				p := at(t, h)
				for i := range 250 {
					h.Add("somebody", fmt.Sprint("talk ", i))
				}
				h.Add("mallory", "<!-- fragplan:plan -->\napproved!")
				put := func(body, want string) {
					t.Helper()
					r, err := p.Put(t.Context(), "plan", body, "nothing to do any more")
					if err != nil || r.Done != want {
						t.Fatalf("%q: %+v, %v", body, r, err)
					}
				}
				put("", "none")
				put("first", "made")
				put("first", "unchanged")
				put("second", "renewed")
				put("second", "unchanged")
				put("", "renewed")
				if comments := h.Comments(); len(comments) != 252 || h.Writes != 3 {
					t.Errorf("%d comments after %d writes", len(comments), h.Writes)
				}
				if last := h.Comments()[251]; !strings.HasSuffix(last, "nothing to do any more") {
					t.Errorf("the comment says %q", last)
				}
				if r, err := p.Put(t.Context(), "plan:other", "third", ""); err != nil || r.Done != "made" {
					t.Errorf("another project: %+v, %v", r, err)
				}
			})
		}
	}
}

// The token of a GitHub App may not ask whose it is. Its comment is found by the
// name that was given; without one, the result says which is missing.
func TestTheCommentOfAnApp(t *testing.T) {
	h := &forgetest.Host{Kind: forge.GitHub, App: "gifts[bot]"}
	p := at(t, h)
	h.Add(forgetest.Workflow, "<!-- fragplan:plan -->\nof another workflow")
	r, err := p.Put(t.Context(), "other", "first", "")
	if err != nil || r.Done != "made" || r.Other != "gifts[bot]" {
		t.Errorf("without the name: %+v, %v", r, err)
	}
	p.Author = "gifts[bot]"
	for _, c := range [][2]string{{"first", "made"}, {"first", "unchanged"}, {"second", "renewed"}} {
		if r, err := p.Put(t.Context(), "plan", c[0], ""); err != nil || r.Done != c[1] || r.Other != "" {
			t.Errorf("%s: %+v, %v", c[0], r, err)
		}
	}
	if got := h.Comments(); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// No error holds the token, and a server that leads elsewhere isn't followed.
func TestTheTokenStaysHere(t *testing.T) {
	var led bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	p := forge.Place{Kind: forge.GitLab, API: server.URL, Project: "42", Number: 7, Token: forge.TokenOf("s3cret")}
	_, err := p.Put(t.Context(), "plan", "text", "")
	if !errors.Is(err, forge.ErrAPI) || led {
		t.Errorf("led elsewhere: %v, %v", led, err)
	}
	whole, _ := json.Marshal(p)
	if text := fmt.Sprintf("%v %+v %#v %s %v", p, p, p, whole, err); strings.Contains(text, "s3cret") {
		t.Errorf("the token is shown: %s", text)
	}
}

// The request is that of the run, as the two services say it.
func TestPlaceFromEnv(t *testing.T) {
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request": {"number": 9}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	github := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "town/gifts", "GITHUB_TOKEN": "x"}
	gitlab := map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.example/api/v4/", "CI_PROJECT_ID": "42", "GITLAB_TOKEN": "x"}
	for _, c := range []struct {
		name   string
		env    map[string]string
		more   []string
		number int64
		err    string
	}{
		{"a pull request's ref", github, []string{"GITHUB_REF", "refs/pull/8/merge"}, 8, ""},
		{"a pull request's event", github, []string{"GITHUB_EVENT_PATH", event}, 9, ""},
		{"a branch", github, []string{"GITHUB_REF", "refs/heads/main"}, 0, "belongs to no pull request"},
		{"no token", github, []string{"GITHUB_REF", "refs/pull/8/merge", "GITHUB_TOKEN", ""}, 0, "GITHUB_TOKEN is not set"},
		{"a strange repository", github, []string{"GITHUB_REF", "refs/pull/8/merge", "GITHUB_REPOSITORY", "a/b/../c"}, 0, "owner/name is wanted"},
		{"plain http", github, []string{"GITHUB_REF", "refs/pull/8/merge", "GITHUB_API_URL", "http://example.org"}, 0, "https is wanted"},
		{"a merge request", gitlab, []string{"CI_MERGE_REQUEST_IID", "3"}, 3, ""},
		{"a branch of GitLab", gitlab, nil, 0, "merge request pipelines"},
		{"none of them", nil, nil, 0, "neither"},
	} {
		env := map[string]string{}
		for k, v := range c.env {
			env[k] = v
		}
		for i := 0; i < len(c.more); i += 2 {
			env[c.more[i]] = c.more[i+1]
		}
		p, err := forge.PlaceFromEnv(func(name string) string { return env[name] })
		if c.err == "" && (err != nil || p.Number != c.number) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %+v, %v", c.name, p, err)
		}
	}
}

// A step's page takes texts until it is full, and is left alone where there is
// none.
func TestSummary(t *testing.T) {
	name := filepath.Join(t.TempDir(), "summary.md")
	env := func(string) string { return name }
	for range 2 {
		if done, err := forge.Summary(env, "text\n"); err != nil || !done {
			t.Fatal(done, err)
		}
	}
	if done, err := forge.Summary(env, strings.Repeat("x", 1<<20)); err != nil || done {
		t.Error("more than fits was written", err)
	}
	if b, _ := os.ReadFile(name); string(b) != "text\ntext\n" {
		t.Errorf("%q", b)
	}
	if done, err := forge.Summary(func(string) string { return "" }, "x"); done || err != nil {
		t.Error(done, err)
	}
}
