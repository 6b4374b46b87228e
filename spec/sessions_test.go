package spec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/spec"
)

// Sessions stand in the order of the file, each with where its cookies are.
func TestSessions(t *testing.T) {
	p, err := spec.Load(project(t, "fragplan.yaml", mainFile+"sessions: {main: file:secrets/main.json, night: env:NIGHT, third: age:third.age}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range p.Sessions {
		got = append(got, s.Name+" "+s.Source.Kind+" "+s.Source.Name)
	}
	if d := cmp.Diff([]string{"main file secrets/main.json", "night env NIGHT", "third age third.age"}, got); d != "" {
		t.Error(d)
	}
}

// Cookies that stand in the file themselves are refused and not repeated; plan
// would run a program, so none may be named.
func TestSessionsErrors(t *testing.T) {
	for field, want := range map[string]string{
		`{main: "stel_ssid=s3cret; stel_dt=0"}`: "sessions.main doesn't say where the cookies are",
		`{main: [s3cret]}`:                      "sessions.main must say where the cookies are",
		`{main: "exec:cat s3cret"}`:             "a session has no exec: plan reads the cookies too, and runs no programs",
		`{main: {exec: [cat, s3cret]}}`:         "a session has no exec",
		`{"a b": file:x}`:                       "session",
		`[file:x]`:                              "sessions",
	} {
		_, err := spec.Load(project(t, "fragplan.yaml", mainFile+"sessions: "+field+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", field, err, want)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the secret is repeated: %v", field, err)
		}
	}
}
