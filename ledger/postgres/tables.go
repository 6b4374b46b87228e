package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// batchSize is how many statements are sent before their answers are read.
const batchSize = 1000

// A writer collects the statements of a transaction and sends them in one piece:
// a server that is far away is asked once and not a hundred times.
type writer struct {
	*Store
	event  ledger.Event // for which the next statements are
	queued []statement
}

// statement is one whose answer is still to come.
type statement struct {
	event ledger.Event
	rows  int64 // that it must change or give; store.AnyRows for any number
	query string
	args  []any
}

var (
	_ store.Writer = (*writer)(nil)
	_ store.Reader = reader{}
)

func (w *writer) For(e ledger.Event) { w.event = e }

func (w *writer) Change(ctx context.Context, rows int64, query string, args ...any) error {
	for i, a := range args {
		if b, ok := a.(bool); ok {
			args[i] = 0
			if b {
				args[i] = 1
			}
		}
	}
	w.queued = append(w.queued, statement{w.event, rows, numbered(query), args})
	if len(w.queued) < batchSize {
		return nil
	}
	return w.flush(ctx)
}

func (w *writer) None(ctx context.Context, query string, args ...any) error {
	return w.Change(ctx, 0, query, args...)
}

// Refused says where. The error of a statement that was sent comes with the
// event that it was for.
func (w *writer) Refused(e ledger.Event, err error) error {
	var told *statementError
	if errors.As(err, &told) {
		return err
	}
	return w.refused(e, err)
}

func (w *writer) Failed(doing string, err error) error { return w.failed(doing, err) }

// statementError is the error of a statement that was sent, with what it was for.
type statementError struct{ error }

func (e *statementError) Unwrap() error { return e.error }

// flush sends what is queued and reads every answer.
func (w *writer) flush(ctx context.Context) error {
	if len(w.queued) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	b := &pgx.Batch{}
	for _, q := range w.queued {
		b.Queue(q.query, q.args...)
	}
	answers := w.conn.SendBatch(ctx, b)
	var failed error
	for _, q := range w.queued {
		tag, err := answers.Exec()
		if err == nil && q.rows != store.AnyRows && tag.RowsAffected() != q.rows {
			err = fmt.Errorf("%d rows fit: %w", tag.RowsAffected(), ledger.ErrTransition)
		}
		if err != nil {
			failed = &statementError{w.refused(q.event, err)}
			break
		}
	}
	if err := answers.Close(); failed == nil && err != nil {
		failed = w.failed("batch", err)
	}
	w.queued = w.queued[:0]
	return failed
}

// numbers remembers statements with PostgreSQL's placeholders.
var numbers sync.Map

// numbered turns ? into $1, $2, …, and ?2 into $2.
func numbered(query string) string {
	if known, ok := numbers.Load(query); ok {
		return known.(string)
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(query); i++ {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		b.WriteByte('$')
		if i+1 < len(query) && query[i+1] >= '1' && query[i+1] <= '9' {
			continue
		}
		n++
		fmt.Fprint(&b, n)
	}
	numbers.Store(query, b.String())
	return b.String()
}

// reader reads rows inside a transaction.
type reader struct{ *Store }

func (s reader) Failed(doing string, err error) error { return s.failed(doing, err) }

func (s reader) Each(ctx context.Context, query string, do func(*store.Row) error) error {
	rows, err := s.conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var r *store.Row
	for rows.Next() {
		if r == nil {
			r = store.NewRow(len(rows.FieldDescriptions()))
		}
		if r.Values, err = rows.Values(); err != nil {
			return err
		}
		if err := r.Read(do); err != nil {
			return err
		}
	}
	return rows.Err()
}
