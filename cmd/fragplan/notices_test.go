package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// ear is who is told, for scripts: Telegram, Slack, a webhook and a service
// that waits for knocks, at one address.
type ear struct {
	mu    sync.Mutex
	heard []string
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	said := string(body)
	var message struct{ Text string }
	if json.Unmarshal(body, &message) == nil && message.Text != "" {
		said = message.Text
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, fmt.Sprintf("%s %s\n%s\n", r.Method, r.URL.Path, said))
	if signature := r.Header.Get("webhook-signature"); signature != "" {
		e.heard = append(e.heard, "signed "+signature[:3]+"\n")
	}
	fmt.Fprint(w, `{"ok":true}`)
}

type earKey struct{}

// ears begins to listen at $EAR; ears FILE writes there what was heard since.
func ears(ts *testscript.TestScript, neg bool, args []string) {
	e := ts.Value(earKey{}).(*ear)
	switch {
	case neg || len(args) > 1:
		ts.Fatalf("usage: ears [FILE]")
	case len(args) == 1:
		e.mu.Lock()
		defer e.mu.Unlock()
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(e.heard, "")), 0o644))
		e.heard = nil
		return
	}
	server := httptest.NewServer(e)
	ts.Defer(server.Close)
	ts.Setenv("EAR", server.URL)
}
