package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// Whatever page of the file is torn, nobody begins to write on it: what an
// apply relies on at its start is what the records say, or there is no apply.
func TestNobodyWritesOnATornPage(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(12)...)
	put(t, s, reserved(13), quoted(13, 1))
	want := light(must(s.LoadFull(t.Context())))
	s.Close()
	whole := must(os.ReadFile(path))
	const page = 4096
	refused, harmless := 0, 0
	for from := page / 2; from < len(whole); from += page {
		torn := bytes.Clone(whole)
		clear(torn[from : from+page/2])
		if bytes.Equal(torn, whole) {
			continue
		}
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path)
		if err == nil {
			err = s.Lock(t.Context(), "test")
		}
		switch {
		case errors.Is(err, sqlite.ErrCorrupt):
			refused++
		case err != nil:
			t.Errorf("page %d: %v", from/page+1, err)
		default: // an index, of which nothing is read
			harmless++
			want.Epoch++
			if got := light(load(t, s)); !same(got, want) {
				t.Errorf("page %d is torn, and other things are read", from/page+1)
			}
			want.Epoch--
		}
		if s != nil {
			s.Close()
		}
	}
	t.Logf("%d torn pages: %d refused, %d harmless", refused+harmless, refused, harmless)
	if refused < 20 {
		t.Errorf("only %d torn pages were refused", refused)
	}
}

func same(a, b *ledger.State) bool {
	return cmp.Diff(a, b, cmpopts.IgnoreUnexported(ledger.State{}), cmpopts.EquateEmpty()) == ""
}
