package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Records yields the whole chain, and ledger.Head is its end.
func (k kit) RecordsAreChained(t *testing.T) {
	s, _ := k.locked(t)
	put(t, s, story(2)...)
	var last ledger.Record
	err := s.Records(t.Context(), func(r ledger.Record) error {
		if r.Seq != last.Seq+1 || r.Prev != last.Hash || r.Link() != r.Hash {
			t.Errorf("record %d", r.Seq)
		}
		last = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := must(s.Head(t.Context())), (ledger.Head{Seq: last.Seq, Hash: last.Hash}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Verify sees a record that was changed, and a table that says something else
// than the log.
func (k kit) VerifySeesWhatWasChanged(t *testing.T) {
	for name, statement := range map[string]string{
		"record changed": `DROP TRIGGER event_is_never_changed; UPDATE event SET body = replace(body, '"h"', '"g"') WHERE kind = 'order_reserved'`,
		"record removed": `DROP TRIGGER event_is_never_deleted; DELETE FROM event WHERE seq = 4`,
		"clock changed":  `DROP TRIGGER event_is_never_changed; UPDATE event SET time = time + 1 WHERE seq = 5`,
		"order changed":  `DROP TRIGGER order_is_fixed; DROP TRIGGER order_takes_the_steps; UPDATE orders SET quantity = 60 WHERE id = 2`,
		"params changed": `DROP TRIGGER invoice_is_never_changed; UPDATE invoice SET params = '{}' WHERE order_id = 2`,
		"ramp changed":   `UPDATE wallet SET ramp = 100`,
		"fees changed":   `DROP TRIGGER payment_takes_the_steps; UPDATE payment SET fees = 4`,
		"check changed":  `UPDATE wallet SET checked_lt = 98, checked_hash = zeroblob(32)`,
		"note changed":   `DROP TRIGGER noted_only_by_a_bounce_anew; UPDATE noted SET reason = 'x'`,
		"note added":     `INSERT INTO noted VALUES (5, zeroblob(32), NULL, 'x')`,
		"found changed":  `UPDATE found SET reason = 'x' WHERE id = 1`,
		"reissue added":  `INSERT INTO reissue VALUES ('gift/p1', 2, 'x')`,
		"burn changed":   `DROP TRIGGER burn_is_fixed; DROP TRIGGER burn_is_signed_once; UPDATE burn SET reason = 'x', message = x'00'`,
	} {
		t.Run(name, func(t *testing.T) {
			s, path := k.locked(t)
			put(t, s, story(3)...)
			burned := armed(2, 2, quoted(4, 1))
			burn := ledger.BurnArmed{Payment: 2, Reason: "wrong", Payload: burned.Payload}
			burn.Payload.Transfers = nil
			put(t, s, explained(), found(1, "r"), reserved(4), quoted(4, 1), burned, burn)
			if _, err := s.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := path.Exec(statement); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Verify(t.Context()); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
		})
	}
}

// A log that is restored elsewhere has the same records, byte for byte, and adds
// up to the same tables; what comes later is adopted, and nothing that doesn't
// follow is.
func (k kit) ALogIsRestoredByteForByte(t *testing.T) {
	s, _ := k.locked(t)
	put(t, s, story(20)...)
	other := k.place(t)
	copied, err := other.Restore(t.Context(), func(yield func(ledger.Record) error) error { return s.Records(t.Context(), yield) })
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if got, want := must(copied.Verify(t.Context())), must(s.Head(t.Context())); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff(load(t, s).Orders, load(t, copied).Orders); diff != "" {
		t.Error(diff)
	}
	before := must(s.Head(t.Context())).Seq
	put(t, s, reserved(21), quoted(21, 1))
	later := func(yield func(ledger.Record) error) error { return s.RecordsAfter(t.Context(), before, yield) }
	if err := copied.Adopt(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if got, want := must(copied.Verify(t.Context())), must(s.Head(t.Context())); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := copied.Adopt(t.Context(), later); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("what doesn't follow was adopted: %v", err)
	}
	if _, err := other.Restore(t.Context(), later); err == nil {
		t.Error("restored over another")
	}
}

// A writer of an epoch that has passed changes nothing, whatever it believes.
func (k kit) AnOldEpochWritesNothing(t *testing.T) {
	s, p := k.locked(t)
	put(t, s, reserved(1))
	if err := p.Exec(`UPDATE ledger SET epoch = epoch + 1`); err != nil {
		t.Fatal(err)
	}
	head := must(s.Head(t.Context()))
	refused(t, s, store.ErrEpoch, reserved(2))
	if got := must(s.Head(t.Context())); got != head {
		t.Errorf("the log grew from %d to %d", head.Seq, got.Seq)
	}
}

// Without the lock nothing is written, and with nothing to write nothing is.
func (k kit) NobodyWritesWithoutTheLock(t *testing.T) {
	s, _ := k.create(t)
	refused(t, s, store.ErrEpoch, reserved(1))
	if err := s.Lock(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	head := must(s.Head(t.Context()))
	put(t, s)
	if got := must(s.Head(t.Context())); got != head {
		t.Errorf("nothing was written, and the log grew from %d to %d", head.Seq, got.Seq)
	}
}

// While one holds the ledger, another is told who does; given back it is free at
// once.
func (k kit) OneHoldsTheLedger(t *testing.T) {
	s, p := k.locked(t)
	other := must(p.Open(t.Context()))
	defer other.Close()
	var held *store.LockedError
	if err := other.Lock(t.Context(), "second"); !errors.Is(err, store.ErrLocked) || !errors.As(err, &held) || held.Holder != "test" {
		t.Fatalf("got %v, want a *LockedError of the holder", err)
	}
	if held.PID == 0 || held.Host == "" || held.Since.IsZero() || held.Age < 0 || held.Age > store.Lease {
		t.Errorf("got %+v", held)
	}
	put(t, s, reserved(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Lock(t.Context(), "second"); err != nil {
		t.Fatalf("given back, and not free: %v", err)
	}
	put(t, other, reserved(2))
}
