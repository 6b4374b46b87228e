package spec_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/spec"
)

// editor speaks the Language Server Protocol with a server, one request at a
// time: a header with the length, an empty line, a JSON object.
type editor struct {
	t      *testing.T
	in     io.Writer
	out    *textproto.Reader
	id     int
	issues map[string][]string // of each document, once they were published
}

type packet struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  json.RawMessage `json:"error,omitempty"`
}

// languageServer starts the server that editors have, or skips the test.
func languageServer(t *testing.T) *editor {
	t.Helper()
	const script = "testdata/editor/node_modules/yaml-language-server/bin/yaml-language-server"
	node, err := exec.LookPath("node")
	if _, e := os.Stat(script); err != nil || e != nil {
		t.Skip("no node, or no yaml-language-server beside this test: make editor gets the server and tries the schemas in it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	c := exec.CommandContext(ctx, node, script, "--stdio")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = c.Wait() // it was killed
	})
	e := &editor{t: t, in: in, out: textproto.NewReader(bufio.NewReader(out)), issues: map[string][]string{}}
	e.call("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": map[string]any{"workspace": map[string]any{"configuration": true}}}, nil)
	e.tell("initialized", map[string]any{})
	return e
}

func (e *editor) send(v map[string]any) {
	e.t.Helper()
	v["jsonrpc"] = "2.0"
	b, err := json.Marshal(v)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(b), b); err != nil {
		e.t.Fatalf("the language server has ended: %v", err)
	}
}

func (e *editor) tell(method string, params any) {
	e.t.Helper()
	e.send(map[string]any{"method": method, "params": params})
}

// read takes one message in, and answers what the server asks of an editor.
func (e *editor) read() packet {
	e.t.Helper()
	header, err := e.out.ReadMIMEHeader()
	if err != nil {
		e.t.Fatalf("the language server has ended: %v", err)
	}
	n, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		e.t.Fatal(err)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(e.out.R, body); err != nil {
		e.t.Fatal(err)
	}
	var p packet
	if err := json.Unmarshal(body, &p); err != nil {
		e.t.Fatal(err)
	}
	switch {
	case p.Method == "workspace/configuration":
		var asked struct{ Items []struct{ Section string } }
		if err := json.Unmarshal(p.Params, &asked); err != nil {
			e.t.Fatal(err)
		}
		answers := []any{}
		for _, item := range asked.Items {
			var answer any = map[string]any{}
			if item.Section == "yaml" { // and nothing is asked of a catalog in the network
				answer = map[string]any{"validate": true, "completion": true, "hover": true, "schemaStore": map[string]any{"enable": false}}
			}
			answers = append(answers, answer)
		}
		e.send(map[string]any{"id": p.ID, "result": answers})
	case p.Method != "" && p.ID != nil:
		e.send(map[string]any{"id": p.ID, "result": nil})
	case p.Method == "textDocument/publishDiagnostics":
		var found struct {
			URI         string
			Diagnostics []struct {
				Message string
				Range   struct{ Start struct{ Line int } }
			}
		}
		if err := json.Unmarshal(p.Params, &found); err != nil {
			e.t.Fatal(err)
		}
		list := []string{}
		for _, d := range found.Diagnostics {
			list = append(list, fmt.Sprintf("%d: %s", d.Range.Start.Line+1, d.Message))
		}
		e.issues[found.URI] = list
	}
	return p
}

func (e *editor) call(method string, params, result any) {
	e.t.Helper()
	e.id++
	e.send(map[string]any{"id": e.id, "method": method, "params": params})
	for {
		p := e.read()
		if p.Method != "" || string(p.ID) != strconv.Itoa(e.id) {
			continue
		}
		if p.Error != nil {
			e.t.Fatalf("%s: %s", method, p.Error)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(p.Result, result); err != nil {
			e.t.Fatalf("%s: %v in %s", method, err, p.Result)
		}
		return
	}
}

// open shows a text under a name and returns what the server says is wrong.
func (e *editor) open(name, text string) (uri string, issues []string) {
	e.t.Helper()
	uri = "file://" + filepath.ToSlash(name)
	e.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
	for {
		e.read()
		if found, ok := e.issues[uri]; ok {
			return uri, found
		}
	}
}

// offers are the names that the editor proposes at the place of a "|".
func (e *editor) offers(name, text string) []string {
	e.t.Helper()
	at := strings.IndexByte(text, '|')
	uri, _ := e.open(name, text[:at]+text[at+1:])
	line := strings.Count(text[:at], "\n")
	column := at - strings.LastIndexByte(text[:at], '\n') - 1
	var list struct{ Items []struct{ Label string } }
	e.call("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": line, "character": column}}, &list)
	var labels []string
	for _, i := range list.Items {
		labels = append(labels, i.Label)
	}
	return labels
}

// In a real editor's language server, with the lines that init writes, fields
// and values are proposed, what is sound has nothing against it, and a mistake
// is underlined on its line.
func TestTheSchemasInAnEditor(t *testing.T) {
	e := languageServer(t)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "grants"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, schema := range map[string][]byte{"fragplan.schema.json": spec.Schema, "fragplan.yaml.schema.json": spec.ProjectSchema} {
		if err := os.WriteFile(filepath.Join(dir, name), schema, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const (
		grants = "# yaml-language-server: $schema=../fragplan.schema.json\n"
		people = "# yaml-language-server: $schema=fragplan.schema.json\n"
		main   = "# yaml-language-server: $schema=fragplan.yaml.schema.json\n"
	)
	n := 0
	file := func(head string) string { // each text is another document
		n++
		if head == grants {
			return filepath.Join(dir, "grants", fmt.Sprintf("%d.yaml", n))
		}
		return filepath.Join(dir, fmt.Sprintf("%d.yaml", n))
	}
	for _, tt := range []struct {
		head, text string
		want       []string
	}{
		{grants, "grants:\n  prize:\n    to: ann\n    |\n", []string{"stars", "premium", "ton", "reason", "every", "rrule", "starting", "on", "catch_up", "labels", "from_csv"}},
		{grants, "grants:\n  prize:\n    catch_up: |\n", []string{"none", "latest", "all"}},
		{grants, "grants:\n  prize:\n    from_csv:\n      |\n", []string{"file", "key", "to", "stars"}},
		{grants, "|\n", []string{"grants", "defaults", "campaign", "budget", "people", "groups"}},
		{people, "people:\n  ann:\n    |\n", []string{"username", "was", "note"}},
		{main, "version: 1\nlimits:\n  |\n", []string{"order", "run", "month", "undelivered", "price"}},
		{main, "wallet:\n  version: |\n", []string{"v5r1", "v4r2"}},
	} {
		got := e.offers(file(tt.head), tt.head+tt.text)
		for _, want := range tt.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q: %q is not offered in %q", tt.text, want, got)
			}
		}
	}
	sound := map[string]string{
		peopleFile: people, grantsFile: grants, comeAndGo: grants, fromCSV: grants,
		strings.ReplaceAll(mainFile, "ADDRESS", wallet.String()): main,
	}
	for text, head := range sound {
		if _, issues := e.open(file(head), head+text); len(issues) > 0 {
			t.Errorf("%s\n%q", text, issues)
		}
	}
	for _, tt := range []struct{ head, text, want string }{
		{grants, "grants:\n  prize:\n    to: ann\n    star: 100\n", "5: Property star is not allowed"},
		{grants, "grants:\n  prize:\n    to: ann\n    stars: 5\n", "5: Value is below the minimum of 50"},
		{grants, "grants:\n  prize: {to: ann, stars: 50, catch_up: some, every: day}\n", "3: Value is not accepted"},
		{people, "people:\n  ann: ann\n", "3: String does not match the pattern"},
		{main, "version: 2\n", "2: Value is not accepted"},
		{main, "version: 1\nlimits: {order: 20}\n", "3: Incorrect type"},
	} {
		_, issues := e.open(file(tt.head), tt.head+tt.text)
		if !slices.ContainsFunc(issues, func(s string) bool { return strings.HasPrefix(s, tt.want) }) {
			t.Errorf("%q: no %q in %q", tt.text, tt.want, issues)
		}
	}
}
