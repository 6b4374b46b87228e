//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the files of a project may take of the machine that reads them.
const (
	corpusMemory = 512 << 20
	corpusTime   = 5 * time.Second // of the CPU
	whole        = 8 << 20         // the largest file that is read
)

// fill repeats lines, each with its number in it, up to so many bytes.
func fill(size int, head string, line func(i int) string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < size; i++ {
		l := line(i)
		if b.Len()+len(l) > size {
			break
		}
		b.WriteString(l)
	}
	return b.String()
}

// files are those of a folder, by name. Each is made when it is written: all of
// them together are large.
type files map[string]func() string

// hostileProjects are folders that somebody wrote to make a reader suffer.
// fragplan.yaml is added where it is missing.
func hostileProjects() map[string]files {
	grants := func(text func() string) files { return files{"grants.yaml": text} }
	same := func(piece string) string {
		return "grants:\n  a: " + strings.Repeat(piece, (whole-20)/len(piece))
	}
	table := func(text func() string) files {
		return files{"t.csv": text, "grants.yaml": func() string { return "grants:\n  g: {stars: 50, from_csv: {file: t.csv, key: k, to: u}}\n" }}
	}
	all := map[string]files{
		"eight MiB of grants": grants(func() string {
			return fill(whole, "grants:\n", func(i int) string { return fmt.Sprintf("  g%d: {to: \"@abcd%d\", stars: 50}\n", i, i) })
		}),
		"eight MiB of people": grants(func() string {
			return fill(whole, "people:\n", func(i int) string { return fmt.Sprintf("  p%d: \"@abcd%d\"\n", i, i) })
		}),
		"one list of a million people": grants(func() string {
			return "grants:\n  g:\n    stars: 50\n    to:\n" + fill(whole-100, "", func(i int) string { return fmt.Sprintf("    - \"@a%06x\"\n", i) })
		}),
		"eight MiB of unknown fields": grants(func() string { return fill(whole, "", func(i int) string { return fmt.Sprintf("f%d: 1\n", i) }) }),
		"eight MiB of the same field": grants(func() string {
			return fill(whole, "grants:\n", func(int) string { return "  a: {to: b, stars: 50}\n" })
		}),
		"unknown names, and many people": grants(func() string {
			return fill(whole/2, "people:\n", func(i int) string { return fmt.Sprintf("  person%d: \"@abcd%d\"\n", i, i) }) + fill(whole/2-10, "grants:\n", func(i int) string { return fmt.Sprintf("  g%d: {to: prson%d, stars: 50}\n", i, i) })
		}),
		"lists within lists":   grants(func() string { return same("[") }),
		"sequences on a line":  grants(func() string { return same("- ") }),
		"complex keys":         grants(func() string { return same("? ") }),
		"one long word":        grants(func() string { return same("x") }),
		"one long quoted word": grants(func() string { return "grants:\n  a: \"" + strings.Repeat(`\u0041`, whole/6-10) + "\"" }),
		"one long block":       grants(func() string { return "grants:\n  a: |\n" + strings.Repeat("    x\n", whole/6-10) }),
		"line breaks":          grants(func() string { return strings.Repeat("\n", whole) }),
		"carriage returns":     grants(func() string { return strings.Repeat("\r", whole) }),
		"comments":             grants(func() string { return strings.Repeat("#\n", whole/2) }),
		"documents":            grants(func() string { return strings.Repeat("---\n", whole/4) }),
		"tabs":                 grants(func() string { return same("\t") }),
		"commas":               grants(func() string { return "grants: [" + strings.Repeat(",", whole-20) + "]" }),
		"empty objects":        grants(func() string { return "grants: [" + strings.Repeat("{},", (whole-20)/3) + "]" }),
		"colons":               grants(func() string { return "grants: {" + strings.Repeat("a: b,", (whole-20)/5) + "}" }),
		"anchors": grants(func() string {
			return fill(whole, "grants:\n", func(i int) string { return fmt.Sprintf("  a%d: &a%d x\n", i, i) })
		}),
		"laughs": grants(func() string {
			return "a: &a [x,x,x,x,x,x,x,x,x]\n" + fill(4096, "", func(i int) string { return fmt.Sprintf("b%d: &b%d [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n", i, i) })
		}),
		"tags": grants(func() string {
			return fill(whole, "grants:\n", func(i int) string { return fmt.Sprintf("  a%d: !!binary x\n", i) })
		}),
		"directives":           grants(func() string { return strings.Repeat("%YAML 1.1\n", whole/10) }),
		"quotes":               grants(func() string { return same("'") }),
		"mappings on one line": grants(func() string { return "grants: " + strings.Repeat("{a: ", 2_000_000) }),
		"a thousand groups of a thousand": grants(func() string {
			return fill(1<<20, "people:\n", func(i int) string {
				if i < 1000 {
					return fmt.Sprintf("  p%d: \"@abcd%d\"\n", i, i)
				}
				return "#\n"
			}) + groupsOf(1000, 1000)
		}),
		"a hundred dates for ten thousand": grants(func() string {
			return "people:\n" + counted(10_000, func(i int) string { return fmt.Sprintf("  p%d: \"@abcd%d\"\n", i, i) }) +
				"groups:\n  all: [" + counted(10_000, func(i int) string { return fmt.Sprintf("p%d,", i) }) + "]\ngrants:\n  g: {to: all, stars: 50, every: day, starting: 2020-01-01, catch_up: all, max_catch_up: 100}\n"
		}),
		"dates that never come": grants(func() string {
			return "people: {ann: \"@ann_p\"}\ngrants:\n" + counted(5000, func(i int) string {
				return fmt.Sprintf("  g%d: {to: ann, stars: 50, rrule: \"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\", starting: 2020-01-01}\n", i)
			})
		}),
		"a rule of many parts": grants(func() string {
			return "people: {ann: \"@ann_p\"}\ngrants:\n  g: {to: ann, stars: 50, rrule: \"FREQ=DAILY;INTERVAL=99999999;BYYEARDAY=" + strings.Repeat("1,", 100_000) + "1\", starting: 2020-01-01}\n"
		}),
		"a table of two hundred thousand rows": table(func() string {
			return "k,u\n" + counted(199_999, func(i int) string { return fmt.Sprintf("%d,@abcd%d\n", i, i) })
		}),
		"a table of a hundred and fifty thousand rows on all dates": {
			"t.csv": func() string {
				return "k,u\n" + counted(150_000, func(i int) string { return fmt.Sprintf("%d,@abcd%d\n", i, i) })
			},
			"people.yaml": func() string {
				return "people:\n" + counted(150_000, func(i int) string { return fmt.Sprintf("  p%d: \"@abcd%d\"\n", i, i) })
			},
			"grants.yaml": func() string {
				return "grants:\n  g: {stars: 50, from_csv: {file: t.csv, key: k, to: u}, every: day, starting: 2020-01-01, catch_up: all}\n"
			},
		},
		"a table of as many rows as may be": table(func() string {
			return "k,u\n" + counted(100_000, func(i int) string { return fmt.Sprintf("%d,@abcd%d\n", i, i) })
		}),
		"as many dates as may be, with long reasons": {
			"t.csv": func() string {
				return "k,u\n" + counted(1000, func(i int) string { return fmt.Sprintf("%d,@abcd%d\n", i, i) })
			},
			"people.yaml": func() string {
				return "people:\n" + counted(1000, func(i int) string { return fmt.Sprintf("  p%d: \"@abcd%d\"\n", i, i) })
			},
			"grants.yaml": func() string {
				return "grants:\n  g: {stars: 50, from_csv: {file: t.csv, key: k, to: u}, every: day, starting: 2020-01-01, catch_up: all, reason: " + strings.Repeat("x", 330) + "}\n"
			},
		},
		"as many grants as may be": grants(func() string {
			return "grants:\n" + counted(100_000, func(i int) string { return fmt.Sprintf("  g%d: {to: \"@abcd%d\", stars: 50}\n", i, i) })
		}),
		"a large table for a thousand grants": {
			"t.csv": func() string {
				return "k,u\n" + counted(90_000, func(i int) string { return fmt.Sprintf("%d,@abcd%d\n", i, i) })
			},
			"grants.yaml": func() string {
				return "grants:\n" + counted(1000, func(i int) string {
					return fmt.Sprintf("  g%d: {stars: 50, from_csv: {file: t.csv, key: k, to: u}}\n", i)
				})
			},
		},
		"a table of quotes":   table(func() string { return "k,u\n" + strings.Repeat("\"", whole-10) }),
		"a table of one line": table(func() string { return strings.Repeat("k,", whole/2) }),
		"patterns":            {"fragplan.yaml": func() string { return "version: 1\nfiles: [" + strings.Repeat("\"*/*/*/*/*.yaml\",", 100_000) + "]\n" }},
	}
	for _, n := range []int{4, 5} { // 32 MiB are the most that is read
		many := files{}
		for k := range n {
			many[fmt.Sprintf("grants%d.yaml", k)] = func() string {
				return fill(whole, "grants:\n", func(i int) string { return fmt.Sprintf("  g%d-%d: {to: \"@abcd%d\", stars: 50}\n", k, i, i) })
			}
		}
		all[fmt.Sprintf("%d times eight MiB of grants", n)] = many
	}
	return all
}

func counted(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

func groupsOf(n, members int) string {
	all := "[" + counted(members, func(i int) string { return fmt.Sprintf("p%d,", i) }) + "]"
	return "groups:\n" + counted(n, func(i int) string { return fmt.Sprintf("  g%d: %s\n", i, all) }) +
		"grants:\n" + counted(n+1, func(i int) string { return fmt.Sprintf("  to%d: {to: g%d, stars: 50}\n", i, i%n) })
}

// Whatever the files hold, they are read or refused with a place and a reason,
// in bounded time and memory, and without a panic.
func TestHostileProjects(t *testing.T) {
	if os.Getenv("HOSTILE") == "" {
		t.Skip("takes minutes: make hostile")
	}
	binary := built(t)
	for name, files := range hostileProjects() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if files["fragplan.yaml"] == nil {
				files["fragplan.yaml"] = func() string {
					return `version: 1
wallet: {version: v5r1, address: UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk}
limits: {order: 20 TON, run: 60 TON, month: 200 TON, undelivered: 25 TON, price: {100 stars: 1.30 TON}}
files: ["*.yaml"]
`
				}
			}
			for file, text := range files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			unsound := false
			remembered(t, filepath.Join(dir, ".fragplan", "ledger.db"), 0)
			for _, command := range [][]string{{"validate"}, {"fmt", "-check"}, {"plan"}, {"plan", "-json"}, {"plan", "-out", filepath.Join(dir, "it.plan")}} {
				if unsound && command[0] == "plan" {
					break
				}
				got := spawn(t, binary, append([]string{"-chdir", dir}, command...)...)
				out, code := got.Out, got.Code
				text := string(out[:min(len(out), 2000)])
				unsound = unsound || command[0] == "validate" && code != 0
				if code < 0 || code > 3 || strings.Contains(string(out), "goroutine ") || code == 1 && !strings.Contains(text, ".yaml:") && !strings.Contains(text, ".csv:") && command[0] != "plan" {
					t.Errorf("%v ends with %d and says\n%s", command, code, text)
				}
				if len(out) > 1<<20 && command[0] != "plan" {
					t.Errorf("%v says %d bytes", command, len(out))
				}
				t.Logf("%v: %d, %v, %d MB", command, code, got.CPU.Round(10*time.Millisecond), got.Peak>>20)
				if got.Peak > corpusMemory || got.CPU > corpusTime {
					t.Errorf("%v takes %v and %d MB", command, got.CPU, got.Peak>>20)
				}
			}
		})
	}
}
