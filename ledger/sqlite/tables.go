package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// tables runs the statements that all stores share, inside a transaction.
type tables struct{ *Store }

var (
	_ store.Writer = tables{}
	_ store.Reader = tables{}
)

// For is of no use here: a statement runs at once.
func (s tables) For(ledger.Event) {}

func (s tables) Change(ctx context.Context, rows int64, query string, args ...any) error {
	n, err := s.exec(ctx, query, args...)
	if err == nil && rows != store.AnyRows && n != rows {
		err = fmt.Errorf("%d rows fit: %w", n, ledger.ErrTransition)
	}
	return err
}

func (s tables) None(ctx context.Context, query string, args ...any) error {
	var one int
	switch err := s.conn.QueryRowContext(ctx, query, args...).Scan(&one); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("a row fits: %w", ledger.ErrTransition)
}

func (s tables) Refused(e ledger.Event, err error) error { return s.refused(e, err) }

func (s tables) Failed(doing string, err error) error { return s.failed(doing, err) }

func (s tables) Each(ctx context.Context, query string, do func(*store.Row) error) error {
	return s.conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		values := make([]driver.Value, len(rows.Columns()))
		r := store.NewRow(len(values))
		for err == nil {
			if err = rows.Next(values); err == nil {
				for i, v := range values {
					r.Values[i] = v
				}
				err = r.Read(do)
			}
		}
		if err == io.EOF {
			err = nil
		}
		return errors.Join(err, rows.Close())
	})
}
