package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/fragplan/fragplan/ton"
)

// A row is read column by column, from the left. The schema is strict, so that
// a column of another type is damage; the first is kept in err.
//
// It stands between the driver and what database/sql makes of each value,
// which takes longer than all else that loading a large ledger does.
type row struct {
	values []driver.Value
	at     int
	err    error
	same   map[string]string      // texts of which there are few
	known  map[string]ton.Address // addresses by their raw form
}

// each runs do for every row of a query.
func (s *Store) each(ctx context.Context, query string, do func(*row) error) error {
	return s.conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		r := row{values: make([]driver.Value, len(rows.Columns())), same: map[string]string{}, known: map[string]ton.Address{}}
		for err == nil {
			r.at = 0
			if err = rows.Next(r.values); err == nil {
				err = errors.Join(do(&r), r.err)
			}
		}
		if err == io.EOF {
			err = nil
		}
		return errors.Join(err, rows.Close())
	})
}

func (r *row) next() driver.Value {
	r.at++
	return r.values[r.at-1]
}

func (r *row) damaged(want string, v driver.Value) {
	if r.err == nil {
		r.err = fmt.Errorf("column %d is %T, not %s: %w", r.at, v, want, ErrCorrupt)
	}
}

// number reads an integer; NULL is 0.
func (r *row) number() int64 {
	v := r.next()
	n, ok := v.(int64)
	if !ok && v != nil {
		r.damaged("an integer", v)
	}
	return n
}

func (r *row) flag() bool { return r.number() != 0 }

// text reads a text; NULL is empty.
func (r *row) text() string {
	v := r.next()
	t, ok := v.(string)
	if !ok && v != nil {
		r.damaged("a text", v)
	}
	return t
}

// word is text of which a ledger has few different ones.
func (r *row) word() string {
	t := r.text()
	if w, ok := r.same[t]; ok {
		return w
	}
	r.same[t] = t
	return t
}

// blob reads bytes; NULL is nil.
func (r *row) blob() []byte {
	v := r.next()
	b, ok := v.([]byte)
	if !ok && v != nil {
		r.damaged("bytes", v)
	}
	return b
}

// hash reads a hash; NULL is the zero one.
func (r *row) hash() (h ton.Hash) {
	b := r.blob()
	if b != nil && len(b) != len(h) && r.err == nil {
		r.err = fmt.Errorf("a hash of %d bytes: %w", len(b), ErrCorrupt)
	}
	copy(h[:], b)
	return h
}

func (r *row) address() ton.Address {
	raw := r.text()
	if a, ok := r.known[raw]; ok {
		return a
	}
	a, _, err := ton.ParseAddress(raw)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	r.known[raw] = a
	return a
}
