// Package forgetest is a small forge for tests: it keeps the comments under one
// request as the APIs of GitHub and GitLab do, knows whose token calls, and
// lets nobody change what is somebody else's.
//
// It is no model of anything else that a forge does.
package forgetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/fragplan/fragplan/forge"
)

// What the forge knows: its token, and who writes with GitHub's token of a
// workflow, which is no user's.
const (
	Token    = "s3cret-forge-token"
	Workflow = "github-actions[bot]"
)

// A Host has the pull request 7 of town/gifts, or the merge request 7 of
// project 42.
type Host struct {
	Kind   forge.Kind
	Me     string // whose token it is; "" for one of a workflow, which may not ask
	App    string // who writes with a token that may not ask; "" for a workflow's
	Writes int    // comments made or changed through the API

	mu    sync.Mutex
	notes []*note
}

type note struct {
	id           int64
	author, body string
}

// Add writes a comment as somebody.
func (h *Host) Add(author, body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(author, body)
}

func (h *Host) add(author, body string) *note {
	n := &note{int64(len(h.notes) + 1000), author, body}
	h.notes = append(h.notes, n)
	return n
}

// Comments are the texts of all comments, the oldest first.
func (h *Host) Comments() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var texts []string
	for _, n := range h.notes {
		texts = append(texts, n.body)
	}
	return texts
}

func (h *Host) show(n *note) map[string]any {
	if h.Kind == forge.GitLab {
		return map[string]any{"id": n.id, "body": n.body, "author": map[string]any{"username": n.author}, "system": false}
	}
	return map[string]any{"id": n.id, "body": n.body, "user": map[string]any{"login": n.author}, "html_url": fmt.Sprintf("https://example.org/pull/7#c%d", n.id)}
}

// ServeHTTP answers a call of the API.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	status, v := h.answer(r)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func failure(text string) map[string]string { return map[string]string{"message": text} }

func (h *Host) answer(r *http.Request) (int, any) {
	list, one, change := "/repos/town/gifts/issues/7/comments", "/repos/town/gifts/issues/comments/", http.MethodPatch
	token := r.Header.Get("Authorization") == "Bearer "+Token
	if h.Kind == forge.GitLab {
		list, one, change = "/projects/42/merge_requests/7/notes", "/projects/42/merge_requests/7/notes/", http.MethodPut
		token = r.Header.Get("PRIVATE-TOKEN") == Token
	}
	writer := h.Me
	if writer == "" {
		if writer = h.App; writer == "" {
			writer = Workflow
		}
	}
	var sent struct{ Body string }
	if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&sent) != nil {
		return 400, failure("Problems parsing JSON")
	}
	switch {
	case !token:
		return 401, failure("Bad credentials")
	case r.URL.Path == "/user" && h.Me == "":
		return 403, failure("Resource not accessible by integration")
	case r.URL.Path == "/user" && h.Kind == forge.GitLab:
		return 200, map[string]string{"username": h.Me}
	case r.URL.Path == "/user":
		return 200, map[string]string{"login": h.Me}
	case r.URL.Path == list && r.Method == http.MethodPost:
		h.Writes++
		return 201, h.show(h.add(writer, sent.Body))
	case r.URL.Path == list:
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		shown := []map[string]any{}
		for i := (page - 1) * size; i < min(page*size, len(h.notes)); i++ {
			shown = append(shown, h.show(h.notes[i]))
		}
		return 200, shown
	case strings.HasPrefix(r.URL.Path, one) && r.Method == change:
		return h.renew(strings.TrimPrefix(r.URL.Path, one), writer, sent.Body)
	}
	return 404, failure("Not Found")
}

func (h *Host) renew(id, writer, body string) (int, any) {
	for _, n := range h.notes {
		switch {
		case strconv.FormatInt(n.id, 10) != id:
		case n.author != writer:
			return 403, failure("Must have admin rights to Repository.")
		default:
			h.Writes++
			n.body = strings.ReplaceAll(body, "\n", "\r\n") // as browsers and some servers do
			return 200, h.show(n)
		}
	}
	return 404, failure("Not Found")
}
