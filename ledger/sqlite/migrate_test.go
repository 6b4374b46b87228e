package sqlite_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// A ledger from before there were pins is brought up to date and stays sound.
func TestLedgerWithoutPinsIsMigrated(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(3)...)
	s.Close()
	if _, err := raw(t, path).Exec(nameless(t) + `DROP TRIGGER order_keeps_its_scopes; ALTER TABLE orders DROP COLUMN scopes; ALTER TABLE invoice DROP COLUMN session; DROP TABLE outside_order; DROP TABLE outside; DROP TABLE request_order; DROP TABLE request; DROP TABLE pin; PRAGMA user_version = 3`); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(load(t, s).Pins); n != 0 {
		t.Errorf("%d pins from nowhere", n)
	}
}

// nameless takes a ledger back to the schema before keys had other names.
func nameless(t *testing.T) string {
	t.Helper()
	first := must(os.ReadFile("migrations/0001_ledger.sql"))
	back := `DROP TABLE well; DROP TRIGGER order_under_the_newest_name; DROP TABLE moved; DROP TABLE name; DROP TABLE settled;`
	for _, name := range []string{"order_knows_the_prior", "reissue_follows_the_newest", "reissue_waits_for_live_orders"} {
		made := regexp.MustCompile(`(?s)CREATE TRIGGER ` + name + ` .*?END;`).Find(first)
		if made == nil {
			t.Fatalf("no trigger %s in the first migration", name)
		}
		back += "DROP TRIGGER " + name + ";" + string(made)
	}
	return back
}

// A ledger from before keys could be moved is brought up to date, stays sound,
// and its keys can be moved.
func TestALedgerWithoutNamesIsMigrated(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(3)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := raw(t, path).Exec(nameless(t) + `PRAGMA user_version = 7`); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if err := again.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	put(t, again, ledger.KeyMoved{From: "gift/p1", To: "new/p1"})
	refused(t, again, ledger.ErrPrior, func() ledger.Event { e := reserved(4); e.Key = "new/p1"; return e }())
}

// A ledger of the schema before USDT opens, and nothing of it changes.
func TestALedgerFromBeforeUSDTOpens(t *testing.T) {
	s, path := locked(t)
	put(t, s, story(3)...)
	want := load(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// With what came later.
	if _, err := raw(t, path).Exec(nameless(t) + `DROP TRIGGER order_keeps_its_scopes; ALTER TABLE orders DROP COLUMN scopes; ALTER TABLE invoice DROP COLUMN session; DROP TABLE outside_order; DROP TABLE outside; DROP TABLE request_order; DROP TABLE request; DROP TABLE pin;
		DROP TRIGGER order_is_in_transit_unless_it_is_paid_in_ton; DROP TRIGGER order_in_transit_is_not_known_to_be_paid;
		DROP TRIGGER invoice_is_in_the_asset_of_its_order; DROP TABLE transit; PRAGMA user_version = ` + beforeUSDT); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if got := load(t, again); len(got.Orders) != len(want.Orders) || got.Orders[3].Phase != want.Orders[3].Phase {
		t.Errorf("it holds %d orders, and held %d", len(got.Orders), len(want.Orders))
	}
}

// beforeUSDT is the number of the last schema without transit.
const beforeUSDT = "2"
