package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
)

// AnyRows is the number of rows of a statement that may change any number.
const AnyRows = -1

// A Writer runs the statements of one transaction, in their order. It may run
// them later than it is told to: what it returns then is the error of one
// before, and all of them have been run, and their errors seen, before it
// commits.
type Writer interface {
	// For names the event for which the next statements are.
	For(e ledger.Event)
	// Change runs a statement that must change so many rows, or AnyRows.
	// Another number is ledger.ErrTransition.
	Change(ctx context.Context, rows int64, query string, args ...any) error
	// None runs a query that must give no row. One is ledger.ErrTransition.
	None(ctx context.Context, query string, args ...any) error
	// Refused turns the error of an event's statement into that of the rule
	// that it broke, and says where.
	Refused(e ledger.Event, err error) error
	// Failed says where, and what was being done.
	Failed(doing string, err error) error
}

// A Reader reads rows.
type Reader interface {
	// Each runs do for every row of a query.
	Each(ctx context.Context, query string, do func(*Row) error) error
	// Failed says where, and what was being done.
	Failed(doing string, err error) error
}

// Append changes the tables as the events say, and records them behind head, of
// an epoch and at a time (Unix milliseconds). It returns the newest record.
func Append(ctx context.Context, w Writer, head ledger.Head, epoch, time int64, events []ledger.Event) (ledger.Head, error) {
	for _, e := range events {
		body, unfit := ledger.Encode(e)
		if errors.Is(unfit, ledger.ErrText) { // no table sees it, because some would hold it
			return ledger.Head{}, w.Failed("append", unfit)
		}
		if err := project(ctx, w, e); err != nil {
			return ledger.Head{}, err
		}
		if taken, ok := e.(ledger.EpochTaken); ok {
			epoch = taken.Epoch
		}
		if unfit != nil {
			return ledger.Head{}, unfit
		}
		r := ledger.Record{Seq: head.Seq + 1, Epoch: epoch, Time: time, Kind: ledger.KindOf(e), Body: body, Prev: head.Hash}
		r.Hash = r.Link()
		if err := record(ctx, w, e, r); err != nil {
			return ledger.Head{}, err
		}
		head = r.Head()
	}
	return head, nil
}

// Adopt does the same with records that another writer of the same ledger made,
// and takes them byte for byte. The first one must follow head.
func Adopt(ctx context.Context, w Writer, head ledger.Head, log func(yield func(ledger.Record) error) error) (ledger.Head, error) {
	err := log(func(r ledger.Record) error {
		if err := follows(head, r); err != nil {
			return w.Failed("adopt", err)
		}
		e, err := ledger.Decode(r.Kind, r.Body)
		if err != nil {
			return w.Failed("adopt", fmt.Errorf("record %d: %w", r.Seq, err))
		}
		if err := project(ctx, w, e); err != nil {
			return err
		}
		if err := record(ctx, w, e, r); err != nil {
			return err
		}
		head = r.Head()
		return nil
	})
	return head, err
}

func project(ctx context.Context, w Writer, e ledger.Event) error {
	w.For(e)
	if err := (projection{w}).project(ctx, e); err != nil {
		return w.Refused(e, err)
	}
	return nil
}

func record(ctx context.Context, w Writer, e ledger.Event, r ledger.Record) error {
	err := w.Change(ctx, 1, `INSERT INTO event (seq, epoch, time, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.Seq, r.Epoch, r.Time, r.Kind, string(r.Body), r.Prev[:], r.Hash[:])
	if err != nil {
		return w.Refused(e, err)
	}
	return nil
}
