package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// community writes a project of n grants in dir, every third of them Stars, a
// top-up and Premium, each for a person of its own. It returns what the
// world's books must say afterwards.
func community(tb testing.TB, dir string, n int) map[gift]int {
	tb.Helper()
	want := map[gift]int{}
	var people, grants strings.Builder
	people.WriteString("people:\n")
	grants.WriteString("grants:\n")
	for i := range n {
		handle := fmt.Sprintf("person_%05d", i)
		var text string
		var g gift
		switch i % 3 {
		case 0:
			g = gift{handle, "stars", int64(50 + i%200)}
			text = fmt.Sprintf("stars: %d", g.quantity)
		case 1:
			g = gift{handle, "ton", int64(1 + i%5)}
			text = fmt.Sprintf("ton: %d", g.quantity)
		case 2:
			g = gift{handle, "premium", []int64{3, 6, 12}[i/3%3]}
			text = fmt.Sprintf("premium: %d months", g.quantity)
		}
		want[g]++
		fmt.Fprintf(&people, "  p%05d: \"@%s\"\n", i, handle)
		fmt.Fprintf(&grants, "  g%05d: {to: p%05d, %s}\n", i, i, text)
	}
	write := func(name, text string) {
		tb.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	write("people.yaml", people.String())
	write("grants.yaml", grants.String())
	write("fragplan.yaml", `version: 1
wallet: {version: v5r1, address: UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk}
ledger: .fragplan/ledger.db
limits:
  order: 100 TON
  run: 1000000 TON
  month: 1000000 TON
  undelivered: 1000000 TON
  price: {100 stars: 1.30 TON, premium 3 months: 12 TON, premium 6 months: 16 TON, premium 12 months: 30 TON}
files: [people.yaml, grants.yaml]
`)
	return want
}

// gift is one credit: quantity is Stars, months or whole TON.
type gift struct {
	handle, product string
	quantity        int64
}

// rich opens the project's world with a wallet that can pay for everything,
// and keeps it running until the test ends.
func rich(tb testing.TB, dir string) *sandbox.World {
	tb.Helper()
	w, err := sandbox.Open(tb.Context(), sandbox.Options{Dir: filepath.Join(dir, ".fragplan", "sandbox"), Balance: 1_000_000 * ton.TON})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Error(err)
		}
	})
	return w
}

// fragplan runs the command in this process, on a project's sandbox, and
// returns what it printed.
func fragplan(ctx context.Context, tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	code, stdout, stderr := fragplanSays(ctx, dir, args...)
	if code != 0 {
		tb.Fatalf("fragplan %s: exit status %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

func fragplanSays(ctx context.Context, dir string, args ...string) (code int, stdout, stderr string) {
	var out, complaints bytes.Buffer
	p := &program{
		args: append([]string{"-chdir", dir, "-sandbox"}, args...), stdin: strings.NewReader(""), stdout: &out, stderr: &complaints,
		getenv: func(string) string { return "" }, interrupt: make(chan struct{}),
	}
	code = p.run(ctx)
	return code, out.String(), complaints.String()
}

// A thousand people are credited exactly what the YAML says, in every
// product, and applying again gives nobody anything.
func TestThousandGrants(t *testing.T) {
	dir := t.TempDir()
	want := community(t, dir, 1000)
	w := rich(t, dir)
	for range 2 {
		fragplan(t.Context(), t, dir, "apply", "-auto-approve")
		books, err := w.Books(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[gift]int{}
		for _, c := range books.Credits {
			got[gift{c.Handle, c.Product, c.Quantity}]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("credits (-YAML +world):\n%s", diff)
		}
		if len(books.Strays) > 0 {
			t.Fatalf("payments that bought nothing: %v", books.Strays)
		}
	}
}
