package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Every command and every file of the tutorial stands in the script that tries
// them, in the same order.
func TestTheTutorialIsTried(t *testing.T) {
	text, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("testdata/tutorial.txtar")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(script.Comment)
	commands := regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(commands) < 15 {
		t.Errorf("only %d commands", len(commands))
	}
	for _, c := range commands {
		line := "\nexec " + c[1] + "\n"
		if !strings.HasPrefix(c[1], "fragplan ") {
			line = "\nexec sh -c '" + c[1] + "'\n"
		}
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Errorf("the script does not run %q there", c[1])
			continue
		}
		rest = "\n" + after
	}
	files := map[string]string{}
	for _, f := range script.Files {
		files[f.Name] = string(f.Data)
	}
	blocks := regexp.MustCompile("(?ms)^```yaml\n# ([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != len(files) {
		t.Errorf("%d files in the tutorial, %d in the script", len(blocks), len(files))
	}
	for _, b := range blocks {
		if files[b[1]] != b[2] {
			t.Errorf("%s in the script is not what the tutorial says:\n%s", b[1], files[b[1]])
		}
	}
}
