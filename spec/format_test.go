package spec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/spec"
)

const unformatted = "\ufeff# People\r\n\r\n\r\npeople:\r\n    ann:   \"@ann_petrova\"   \r\n    #who came later\r\n    bob: { username: \"@bob_k\",was: [ \"@bobby\" , '@it''s' ] , note: \"a # b, {c}\" }   # evenings\r\n\r\n\r\n\r\ngroups:\r\n   mods:\r\n   -   ann\r\n   - bob\r\n   # nobody else\r\n\r\n   more: {\r\n      ann: {since: 2026-12-01}, # a remark\r\n      bob: {} }\r\ngrants:\r\n      a:\r\n            to: ann\r\n            # in Stars\r\n            stars: 100\r\n            reason: >-\r\n                  two   \r\n                    lines\r\n\r\n\r\n                  and more\r\n      b: {to: [ann,bob], stars: 50}\r\n   # the end\r\n"

const formatted = `# People

people:
  ann:   "@ann_petrova"
  # who came later
  bob: {username: "@bob_k", was: ["@bobby", '@it''s'], note: "a # b, {c}"}   # evenings

groups:
  mods:
    - ann
    - bob
  # nobody else

  more: {
     ann: {since: 2026-12-01}, # a remark
     bob: {} }
grants:
  a:
    to: ann
    # in Stars
    stars: 100
    reason: >-
          two   
            lines


          and more
  b: {to: [ann, bob], stars: 50}
  # the end
`

// A file is laid out in one way: every comment, quote and order stays.
func TestFormat(t *testing.T) {
	got, err := spec.Format("x.yaml", unformatted)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(formatted, got); d != "" {
		t.Error(d)
	}
}

// What is no YAML is an error with its place, and no text.
func TestFormatBroken(t *testing.T) {
	for _, text := range []string{"a: [", "a: &x 1\nb: *x", "a: 1\na: 2", "\x00"} {
		got, err := spec.Format("x.yaml", text)
		if err == nil || got != "" || !strings.Contains(err.Error(), "x.yaml:") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// The examples that people copy, and what init writes, are formatted.
func TestFormattedAlready(t *testing.T) {
	for _, text := range []string{mainFile, peopleFile, grantsFile, comeAndGo, formatted} {
		if got, err := spec.Format("x.yaml", text); err != nil || got != text {
			t.Errorf("%v\n%s", err, cmp.Diff(text, got))
		}
	}
}

// A large file is laid out in time that grows with it.
func TestFormatLarge(t *testing.T) {
	text := "grants:\n" + strings.Repeat("  # a remark\n", 100_000) + "  a: [" + strings.Repeat("{b: c},", 50_000) + "]\n" + strings.Repeat("\n# end", 50_000)
	start := time.Now()
	got, err := spec.Format("x.yaml", text)
	if err != nil || !strings.Contains(got, "{b: c}, {b: c}") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

// Whatever is formatted says the same as before, with every comment, and
// formatting it again changes nothing.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{unformatted, formatted, mainFile, grantsFile, "a:\n- b\n-   c: 1\n    d: 2\n", "a: |2\n    x\n   y\nb: 1", "? a\n: b", "a: \"x\n  y # z\"", "[a, {b: c},\n d]", "a: {b, c: }", "a:\n    - - b\n      - c", "# x\na: 1 # y\n# z\n", "a: - b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := spec.Format("x.yaml", text)
		if err != nil {
			return
		}
		twice, err := spec.Format("x.yaml", once)
		if err != nil || twice != once {
			t.Fatalf("%q\n%q\n%q %v", text, once, twice, err)
		}
		var a, b any
		if yaml.Unmarshal([]byte(text), &a) == nil && (yaml.Unmarshal([]byte(once), &b) != nil || !cmp.Equal(a, b)) {
			t.Fatalf("%q says %v, and %q says %v", text, a, once, b)
		}
		if strings.Count(text, "#") > strings.Count(once, "#") {
			t.Fatalf("%q lost a comment: %q", text, once)
		}
	})
}
