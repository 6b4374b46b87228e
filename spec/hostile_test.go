package spec_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// Files that no person wrote get a clear error at a place in them.
func TestHostileFiles(t *testing.T) {
	for _, tt := range []struct{ what, text, want string }{
		{"empty", "# nothing\n", "grants/a.yaml:1:1 empty"},
		{"invalid UTF-8", "grants:\n  a: \xff\n", "grants/a.yaml:2:6 encoding: 0xff"},
		{"a NUL", "grants:\n  a\x00: 1\n", "grants/a.yaml:2:4 encoding: U+0000"},
		{"larger than 8 MiB", "#" + strings.Repeat(" ", 8<<20), "fragplan.yaml:9:22 file-size: 8 MiB"},
		{"many values", "grants: [" + strings.Repeat("1,", 2_000_100) + "1]", "grants/a.yaml:1:1 size"},
		{"just too many values", "grants: [" + strings.Repeat("1,", 1_000_100) + "1]", "grants/a.yaml:1:2000004 size"},
		{"deep", "grants: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "grants/a.yaml:1:40 depth"},
		{"deeper than the parser goes", strings.Repeat("[", 20_000), "grants/a.yaml:1:1 syntax"},
		{"a key that is a list", "grants:\n  {[a]: 1, <<: {b: 2}}\n", "grants/a.yaml:2:4 key\ngrants/a.yaml:2:12 merge"},
		{"an alias to nothing", "grants:\n  a: *none\n", "grants/a.yaml:2:6 syntax: not allowed"},
		{"a bare @", "grants:\n  a: {to: @ann, stars: 50}\n", `grants/a.yaml:2:11 syntax: "@name"`},
		{"a list", "- a\n", "grants/a.yaml:1:1 type"},
		{"a bracket left open", "grants:\n  a: {to: ann\n", "grants/a.yaml:2:1 syntax"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			_, err := spec.Load(project(t, "grants/a.yaml", tt.text))
			check(t, err, tt.want)
		})
	}
}

// A main file that is missing or empty says what to do.
func TestNoMainFile(t *testing.T) {
	_, err := spec.Load(project(t, "fragplan.yaml", ""))
	check(t, err, "fragplan.yaml:1:1 no-file: fragplan init")
	_, err = spec.Load(project(t, "fragplan.yaml", "\n"))
	check(t, err, "fragplan.yaml:1:1 empty: version: 1")
	_, err = spec.Load(filepath.Join(t.TempDir(), "none"))
	check(t, err, "fragplan.yaml:1:1 no-folder: -chdir")
}

// Nothing outside the folder is read, and nothing that isn't an ordinary file.
func TestOnlyOrdinaryFilesInside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte("grants: {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what string
		make func(path string) error
	}{
		{"a link out", func(p string) error { return os.Symlink(outside, p) }},
		{"a link to a device", func(p string) error { return os.Symlink("/dev/zero", p) }},
		{"a named pipe", func(p string) error { return syscall.Mkfifo(p, 0o600) }},
		{"a folder", func(p string) error { return os.Mkdir(p, 0o700) }},
	} {
		t.Run(tt.what, func(t *testing.T) {
			dir := project(t)
			if err := tt.make(filepath.Join(dir, "grants", "b.yaml")); err != nil {
				t.Fatal(err)
			}
			_, err := spec.Load(dir)
			var e *spec.Errors
			if !errors.As(err, &e) || len(e.List) != 1 || e.List[0].Rule != "file" {
				t.Errorf("%v, want one error about the file", err)
			}
		})
	}
}

// More than 1,000 files are refused.
func TestTooManyFiles(t *testing.T) {
	files := []string{}
	for i := range 1001 {
		files = append(files, fmt.Sprintf("grants/%04d.yaml", i), "grants: {}")
	}
	_, err := spec.Load(project(t, files...))
	check(t, err, "fragplan.yaml:9:22 files: 1000")
}

// Any bytes are read or refused with a place in a file; none make it panic,
// and what is accepted has distinct keys.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{grantsFile, peopleFile, mainFile, "{[a]: 1, <<: {b: 2}}", "a: &x [*x]", "? a\n: b", "%YAML 1.1\n---\na: |\n x", "grants: {a: {to: [\"@aaaa\"], ton: 1}}"} {
		f.Add(s)
	}
	dir := project(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"grants/a.yaml", "fragplan.yaml"} {
			path := filepath.Join(dir, name)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := spec.Load(dir)
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if err == nil {
				keys := map[string]bool{}
				for _, o := range p.Occurrences(schedule.DateOf(2026, 11, 23)) {
					if _, sold := o.Item.Parts(); !sold || keys[o.Key] || o.Handle == "" {
						t.Errorf("accepted %+v", o)
					}
					keys[o.Key] = true
				}
				continue
			}
			var e *spec.Errors
			if !errors.As(err, &e) || len(e.List) == 0 {
				t.Fatalf("%T %v, want *spec.Errors", err, err)
			}
			for _, d := range e.List {
				if d.File == "" || d.Line < 1 || d.Column < 1 || d.Line > 2+strings.Count(text, "\n")+strings.Count(text, "\r")+9 {
					t.Errorf("no place: %+v", d)
				}
			}
			_ = err.Error()
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var people, grants strings.Builder
			people.WriteString("people:\n")
			grants.WriteString("grants:\n")
			for i := range n {
				fmt.Fprintf(&people, "  p%d: \"@person_%d\"\n", i, i)
				fmt.Fprintf(&grants, "  grant-%d: {to: p%d, stars: 1500, reason: best meme of November}\n", i, i)
			}
			dir := project(b, "people.yaml", people.String(), "grants/a.yaml", grants.String())
			b.ReportAllocs()
			for b.Loop() {
				p, err := spec.Load(dir)
				if err != nil {
					b.Fatal(err)
				}
				if got := len(p.Occurrences(schedule.DateOf(2026, 11, 23))); got != n {
					b.Fatalf("%d occurrences, want %d", got, n)
				}
			}
		})
	}
}
