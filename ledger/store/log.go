package store

import (
	"context"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
)

// Head reads the newest record's number and hash.
func Head(ctx context.Context, s Reader) (h ledger.Head, err error) {
	err = s.Each(ctx, `SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1`, func(r *Row) error {
		h = ledger.Head{Seq: r.number(), Hash: r.hash()}
		return nil
	})
	if err != nil {
		return ledger.Head{}, s.Failed("head", err)
	}
	return h, nil
}

// Log yields the records behind the one with the given number, the oldest
// first. yield must not use the reader; its error ends the reading and is
// returned as it is.
func Log(ctx context.Context, s Reader, after int64, yield func(ledger.Record) error) error {
	var stopped error
	err := s.Each(ctx, fmt.Sprintf(`SELECT seq, epoch, time, kind, body, prev, hash FROM event WHERE seq > %d ORDER BY seq`, after), func(r *Row) error {
		record := ledger.Record{Seq: r.number(), Epoch: r.number(), Time: r.number(), Kind: r.word(), Body: []byte(r.text()), Prev: r.hash(), Hash: r.hash()}
		if r.err != nil {
			return nil
		}
		stopped = yield(record)
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		return s.Failed("event", err)
	}
	return nil
}

// follows is ErrCorrupt unless a record is whole and the next one behind head.
func follows(head ledger.Head, r ledger.Record) error {
	if r.Seq != head.Seq+1 || r.Prev != head.Hash || r.Hash != r.Link() {
		return fmt.Errorf("record %d doesn't follow record %d: %w", r.Seq, head.Seq, ErrCorrupt)
	}
	return nil
}

// What a writer checks before it begins is bounded, so that the time for it
// doesn't grow with the ledger: up to wholeRecords everything, as Verify does,
// and above that the chain of the newest recentRecords.
const (
	wholeRecords  = 1 << 14
	recentRecords = 1 << 15
)

// Whole reports whether a ledger with that newest record is small enough to be
// checked as a whole before somebody writes to it. Of any other one Recent is
// checked.
func Whole(head ledger.Head) bool { return head.Seq <= wholeRecords }

// Recent checks that the newest records are chained.
func Recent(ctx context.Context, s Reader, head ledger.Head) error {
	var last ledger.Head
	return Log(ctx, s, head.Seq-recentRecords, func(r ledger.Record) error {
		if last.Seq == 0 {
			last = ledger.Head{Seq: r.Seq - 1, Hash: r.Prev}
		}
		if err := follows(last, r); err != nil {
			return s.Failed("event", err)
		}
		last = r.Head()
		return nil
	})
}

// Verify checks, on one unchanging view, the chain of records from the first to
// the newest, and that the tables are what a replay of the events gives. It
// returns the newest record, whose hash then stands for everything before it.
// What doesn't hold is ErrCorrupt.
func Verify(ctx context.Context, s Reader) (ledger.Head, error) {
	var head ledger.Head
	replay := ledger.NewState()
	damage := func(format string, args ...any) error {
		return s.Failed("verify", fmt.Errorf("%w: %w", ErrCorrupt, fmt.Errorf(format, args...)))
	}
	err := Log(ctx, s, 0, func(r ledger.Record) error {
		if err := follows(head, r); err != nil {
			return s.Failed("verify", err)
		}
		head = r.Head()
		e, err := ledger.Decode(r.Kind, r.Body)
		if err == nil {
			err = replay.Apply(e)
		}
		if err != nil {
			return damage("record %d: %w", r.Seq, err)
		}
		if r.Epoch != replay.Epoch {
			return damage("record %d is of epoch %d, not %d", r.Seq, r.Epoch, replay.Epoch)
		}
		return nil
	})
	if err != nil {
		return ledger.Head{}, err
	}
	tables, err := Load(ctx, s, true)
	if err != nil {
		return ledger.Head{}, err
	}
	if where := differs(replay, tables); where != "" {
		return ledger.Head{}, damage("%s in the tables is not what the log says", where)
	}
	return head, nil
}
