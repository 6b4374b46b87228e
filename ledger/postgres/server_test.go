package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/postgres/postgrestest"
	"github.com/fragplan/fragplan/ledger/store"
	"github.com/fragplan/fragplan/ledger/store/storetest"
)

// A server that would not keep what it commits, or lets writes past the
// triggers, is not written to.
func TestAServerThatForgetsIsRefused(t *testing.T) {
	postgrestest.Need(t, server)
	for name, c := range map[string]struct{ database, want string }{
		"triggers off":         {"ALTER DATABASE careless SET session_replication_role = replica", "the triggers that hold the promises would not run"},
		"not in UTF-8":         {"", "encoding is SQL_ASCII"},
		"committed later":      {"ALTER DATABASE careless SET synchronous_commit = off", ""}, // our own setting stands above
		"rows that are hidden": {"ALTER DATABASE careless SET row_security = on", ""},
	} {
		t.Run(name, func(t *testing.T) {
			encoding := "UTF8"
			if name == "not in UTF-8" {
				encoding = "SQL_ASCII"
			}
			for _, sql := range []string{"DROP DATABASE IF EXISTS careless", "CREATE DATABASE careless TEMPLATE template0 ENCODING '" + encoding + "'", c.database} {
				if err := server.Exec("postgres", sql); err != nil {
					t.Fatal(err)
				}
			}
			s, err := postgres.Create(t.Context(), postgres.Address{URL: server.URL("postgres", "careless")}, storetest.First())
			if s != nil {
				s.Close()
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, postgres.ErrServer) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A server that runs without fsync, or follows another one, is refused.
func TestAServerWithoutFsyncIsRefused(t *testing.T) {
	postgrestest.Need(t, server)
	for setting, want := range map[string]string{"fsync=off": "a power cut would take back", "full_page_writes=off": "tear its pages"} {
		careless, err := postgrestest.Start(setting)
		if err != nil {
			t.Fatal(err)
		}
		_, err = postgres.Open(t.Context(), postgres.Address{URL: careless.URL("postgres", "postgres")})
		if !errors.Is(err, postgres.ErrServer) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", setting, err, want)
		}
		if err := careless.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// What was acknowledged is there after the server has crashed, and the store
// goes on over a new connection.
func TestWhatWasAcknowledgedSurvivesACrash(t *testing.T) {
	postgrestest.Need(t, server)
	own, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := own.Exec("postgres", "CREATE ROLE owner LOGIN; GRANT CREATE ON DATABASE postgres TO owner"); err != nil {
		t.Fatal(err)
	}
	a := postgres.Address{URL: own.URL("owner", "postgres")}
	s := must(postgres.Create(t.Context(), a, storetest.First()))
	defer func() { s.Close() }()
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	run := ledger.RunID(0)
	for range 3 {
		crashed := make(chan error, 1)
		go func() { crashed <- errors.Join(own.Kill(), own.Run()) }()
		for err, over := error(nil), false; !over; {
			select {
			case failed := <-crashed:
				if failed != nil {
					t.Fatal(failed)
				}
				over = true
			default:
			}
			if err = s.Append(t.Context(), []ledger.Event{ledger.RunStarted{Run: run + 1, Host: "h"}}); err != nil {
				t.Fatalf("run %d: %v", run+1, err)
			}
			run++
		}
	}
	if got := must(s.Load(t.Context())).LastRun; got != run {
		t.Errorf("%d runs, want %d", got, run)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A role that could change the log doesn't write to it: neither a superuser, nor
// one that was given the right.
func TestARoleThatCouldChangeTheLogDoesNotWrite(t *testing.T) {
	s, a := create(t)
	s.Close()
	mighty := must(postgres.Open(t.Context(), postgres.Address{URL: server.URL("postgres", "postgres"), Ledger: a.Ledger}))
	defer mighty.Close()
	if err := mighty.Lock(t.Context(), "test"); !errors.Is(err, postgres.ErrRights) {
		t.Errorf("a superuser: %v", err)
	}
	for _, right := range []string{"UPDATE", "DELETE", "TRUNCATE", "UPDATE (body)"} {
		if err := server.Exec("postgres", "GRANT "+right+" ON "+a.Ledger+".event TO owner"); err != nil {
			t.Fatal(err)
		}
		owner := must(postgres.Open(t.Context(), a))
		if err := owner.Lock(t.Context(), "test"); !errors.Is(err, postgres.ErrRights) {
			t.Errorf("%s: %v", right, err)
		}
		owner.Close()
		if err := server.Exec("postgres", "REVOKE "+right+" ON "+a.Ledger+".event FROM owner"); err != nil {
			t.Fatal(err)
		}
	}
	owner := must(postgres.Open(t.Context(), a))
	defer owner.Close()
	if err := owner.Lock(t.Context(), "test"); err != nil {
		t.Errorf("the rights were taken away again: %v", err)
	}
}

// With what Grants gives, a role can live the whole life of a ledger, and can
// neither change it nor its guards.
func TestGrantsAreEnoughAndNoMore(t *testing.T) {
	s, a := create(t)
	s.Close()
	if err := server.Exec("postgres", `DO $$ BEGIN CREATE ROLE buyer LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;`+postgres.Grants(a, "buyer")); err != nil {
		t.Fatal(err)
	}
	buyer := must(postgres.Open(t.Context(), postgres.Address{URL: server.URL("buyer", "postgres"), Ledger: a.Ledger}))
	defer buyer.Close()
	if err := buyer.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	put(t, buyer, storetest.Story(20)...)
	if _, err := buyer.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	for _, sql := range []string{
		`UPDATE event SET body = '{}'`, `DELETE FROM event`, `TRUNCATE event`, `DROP TRIGGER event_is_never_changed ON event`,
		`ALTER TABLE event DISABLE TRIGGER ALL`, `UPDATE orders SET quantity = 1`, `DELETE FROM orders`, `UPDATE invoice SET ref = 'x'`, `UPDATE ledger SET id = 'x'`,
		`UPDATE about SET version = 99`, `DROP TABLE pin`, `CREATE TABLE mine (x int)`, `SET session_replication_role = replica`,
		`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
	} {
		if err := (schema{a}).Exec(`SET ROLE buyer; SET search_path = ` + a.Ledger + `; ` + sql); err == nil {
			t.Errorf("it may: %s", sql)
		} else if code := err.Error(); !strings.Contains(code, "42501") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// A schema that is guarded by less than the migrations make is damage.
func TestAnAlteredSchemaIsDamage(t *testing.T) {
	s, a := create(t)
	for _, alter := range []string{
		`ALTER TABLE event DISABLE TRIGGER event_is_never_changed`,
		`DROP TRIGGER event_is_never_deleted ON event`,
		`DROP INDEX one_open_payment_per_wallet`,
		`ALTER TABLE payment DROP CONSTRAINT signed_has_its_message`,
		`CREATE OR REPLACE FUNCTION payment_takes_the_steps() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		`CREATE TABLE mine (x int)`,
		`CREATE RULE deaf AS ON UPDATE TO orders DO INSTEAD NOTHING`,
		`ALTER TABLE orders ENABLE ROW LEVEL SECURITY`,
	} {
		if _, err := s.Verify(t.Context()); err != nil {
			t.Fatalf("before %s: %v", alter, err)
		}
		undo, err := altered(t, a, alter)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context()); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: verify says %v", alter, err)
		}
		undo()
	}
}

// altered alters a schema in a copy of it, and gives back the one before.
func altered(t *testing.T, a postgres.Address, alter string) (undo func(), err error) {
	t.Helper()
	back := map[string]string{
		"DISABLE TRIGGER": `ALTER TABLE event ENABLE TRIGGER event_is_never_changed`,
		"DROP TRIGGER":    `CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse('an event is never deleted')`,
		"DROP INDEX":      `CREATE UNIQUE INDEX one_open_payment_per_wallet ON payment (wallet) WHERE phase IN ('armed', 'signed')`,
		"DROP CONSTRAINT": `ALTER TABLE payment ADD CONSTRAINT signed_has_its_message CHECK (phase <> 'signed' OR message IS NOT NULL)`,
		"CREATE TABLE":    `DROP TABLE mine`,
		"CREATE RULE":     `DROP RULE deaf ON orders`,
		"ENABLE ROW":      `ALTER TABLE orders DISABLE ROW LEVEL SECURITY`,
	}
	var text string
	if strings.Contains(alter, "OR REPLACE FUNCTION") {
		migration := string(must(os.ReadFile("migrations/0002_payment.sql")))
		from := strings.Index(migration, "CREATE FUNCTION payment_takes_the_steps()")
		to := from + strings.Index(migration[from:], "$$;") + 3
		text = strings.Replace(migration[from:to], "CREATE", "CREATE OR REPLACE", 1)
	}
	for part, sql := range back {
		if strings.Contains(alter, part) {
			text = sql
		}
	}
	return func() {
		if err := (schema{a}).Exec(text); err != nil {
			t.Fatal(err)
		}
	}, (schema{a}).Exec(alter)
}

// A holder that shows no sign of life for a lease loses the ledger, and can
// write nothing when it goes on; one whose process has died loses it at once.
func TestAStalledHolderIsTakenOverFrom(t *testing.T) {
	stalled, a := create(t)
	stalled.Lease = time.Hour // as good as no heartbeat
	if err := stalled.Lock(t.Context(), "stalled"); err != nil {
		t.Fatal(err)
	}
	newcomer := must(postgres.Open(t.Context(), a))
	defer newcomer.Close()
	if err := newcomer.Lock(t.Context(), "newcomer"); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("within the lease: %v", err)
	}
	if err := (schema{a}).Exec(`UPDATE holder SET beat = beat - interval '2 minutes'`); err != nil {
		t.Fatal(err)
	}
	if err := newcomer.Lock(t.Context(), "newcomer"); err != nil {
		t.Fatal(err)
	}
	put(t, newcomer, ledger.RunStarted{Run: 1, Host: "h"})
	if err := stalled.Append(t.Context(), []ledger.Event{ledger.RunStarted{Run: 2, Host: "h"}}); !errors.Is(err, store.ErrEpoch) {
		t.Errorf("the stalled one writes: %v", err)
	}
	if err := stalled.Close(); err != nil {
		t.Error(err)
	}
	if held := must(newcomer.Held(t.Context())); held == nil || held.Holder != "newcomer" {
		t.Errorf("the stalled one gave back what isn't its own: %v", held)
	}
	// Its process has died: the server sees the end of its connections.
	if err := server.Exec("postgres", `SELECT pg_terminate_backend(backend::int) FROM `+a.Ledger+`.holder`); err != nil {
		t.Fatal(err)
	}
	next := must(postgres.Open(t.Context(), a))
	defer next.Close()
	var err error
	for range 100 { // the server takes a moment to see it
		if err = next.Lock(t.Context(), "next"); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("its connection has ended, and it still holds the ledger: %v", err)
	}
}

// The heart beats while the ledger is held, and stops with Close.
func TestTheHolderShowsThatItRuns(t *testing.T) {
	s, a := create(t)
	s.Lease = 300 * time.Millisecond
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	other := must(postgres.Open(t.Context(), a))
	defer other.Close()
	first := must(other.Held(t.Context()))
	for range 200 {
		if now := must(other.Held(t.Context())); now != nil && now.Beat.After(first.Beat) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if now := must(other.Held(t.Context())); now == nil || !now.Beat.After(first.Beat) || now.Since != first.Since {
		t.Errorf("at first %+v, then %+v", first, now)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if held := must(other.Held(t.Context())); held != nil {
		t.Errorf("given back, and held by %v", held)
	}
}

// Of eight processes that write at once, each takes its turn: nobody overwrites
// another, and the chain is one.
func TestEightProcessesAtOnce(t *testing.T) {
	if address := os.Getenv("FRAGPLAN_TEST_WRITE_TO"); address != "" {
		writeInTurn(t, address, os.Getenv("FRAGPLAN_TEST_LEDGER"))
		return
	}
	s, a := create(t)
	var children []*exec.Cmd
	for range 8 {
		c := exec.Command(os.Args[0], "-test.run=^TestEightProcessesAtOnce$", "-test.v")
		c.Env = append(os.Environ(), "FRAGPLAN_TEST_WRITE_TO="+a.URL, "FRAGPLAN_TEST_LEDGER="+a.Ledger)
		out := &strings.Builder{}
		c.Stdout, c.Stderr = out, out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	for _, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("%v\n%s", err, c.Stdout)
		}
	}
	head, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := must(s.Load(t.Context()))
	if state.LastRun != 8*turns || state.Epoch < 8 || len(state.Runs) != 8*turns {
		t.Errorf("%d runs of %d, epoch %d, head %+v", state.LastRun, 8*turns, state.Epoch, head)
	}
}

const turns = 5

// writeInTurn writes some runs, each when it has the ledger.
func writeInTurn(t *testing.T, address, name string) {
	for i := range turns {
		s := must(postgres.Open(context.Background(), postgres.Address{URL: address, Ledger: name}))
		var err error
		for range 3000 {
			if err = s.Lock(context.Background(), fmt.Sprint("process ", os.Getpid())); !errors.Is(err, store.ErrLocked) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err != nil {
			t.Fatalf("turn %d: %v", i, err)
		}
		last := must(s.Load(context.Background())).LastRun
		put(t, s, ledger.RunStarted{Run: last + 1, Host: "h"})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
