package spec_test

import (
	"strings"
	"testing"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// A display name is confirmed by user name, for people who are listed and for
// those who aren't, whatever case the user name is written in.
func TestConfirmed(t *testing.T) {
	p, err := spec.Load(project(t, "people.yaml", peopleFile+"confirmed:\n  \"@ann_petrova\": \"Ann P.\"\n  \"@OUR_channel\": Ours\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range p.Occurrences(schedule.DateOf(2026, 11, 23)) {
		got[o.Key] = o.Confirmed
	}
	for key, want := range map[string]string{"best-meme/ann": "Ann P.", "mods-premium/ann": "Ann P.", "mods-premium/bob": "", "promo/@our_channel": "Ours"} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
}

// What could confirm the wrong person is an error.
func TestConfirmedWrongly(t *testing.T) {
	_, err := spec.Load(project(t, "people.yaml", peopleFile+`confirmed:
  ann: "Ann P."
  "@bob_k": " "
  "@our_channel": no
  "@ann_petrova": "Ann P."
  "@Ann_Petrova": "Eve"
`))
	check(t, err, `
		people.yaml:5:3 handle: "ann"
		people.yaml:6:13 confirmed: is empty
		people.yaml:7:19 not-text: "no"
		people.yaml:9:3 duplicate: confirmed twice; the first is at people.yaml:8:3
	`)
}

// What may be spent on somebody new is a limit as the others are, and may be
// left out.
func TestFirstTimeLimit(t *testing.T) {
	limited := strings.Replace(mainFile, "  price:", "  first_time: [5 TON, 3 USDT]\n  price:", 1)
	p, err := spec.Load(project(t, "fragplan.yaml", limited))
	if err != nil || len(p.Limits.FirstTime) != 2 {
		t.Fatalf("written: %+v, %v", p, err)
	}
	if p, err = spec.Load(project(t)); err != nil || p.Limits.FirstTime != nil {
		t.Errorf("left out: %+v, %v", p, err)
	}
}
