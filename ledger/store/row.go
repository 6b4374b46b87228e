package store

import (
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ton"
)

// A Row is read column by column, from the left: integers are int64, texts are
// strings, NULL is nil. A column of another type is damage; the first is kept.
//
// It stands in the place of what database/sql makes of each value, which takes
// longer than all else that loading a large ledger does.
type Row struct {
	Values []any // of the columns; set anew before each Read

	at    int
	err   error
	same  map[string]string      // texts of which there are few
	known map[string]ton.Address // addresses by their raw form
}

// NewRow is for all rows of one query, with so many columns.
func NewRow(columns int) *Row {
	return &Row{Values: make([]any, columns), same: map[string]string{}, known: map[string]ton.Address{}}
}

// Read gives the values to do, which reads them.
func (r *Row) Read(do func(*Row) error) error {
	r.at = 0
	return errors.Join(do(r), r.err)
}

func (r *Row) next() any {
	r.at++
	return r.Values[r.at-1]
}

func (r *Row) damaged(want string, v any) {
	if r.err == nil {
		r.err = fmt.Errorf("column %d is %T, not %s: %w", r.at, v, want, ErrCorrupt)
	}
}

// number reads an integer; NULL is 0.
func (r *Row) number() int64 {
	v := r.next()
	n, ok := v.(int64)
	if !ok && v != nil {
		r.damaged("an integer", v)
	}
	return n
}

func (r *Row) flag() bool { return r.number() != 0 }

// text reads a text; NULL is empty.
func (r *Row) text() string {
	v := r.next()
	t, ok := v.(string)
	if !ok && v != nil {
		r.damaged("a text", v)
	}
	return t
}

// word is text of which a ledger has few different ones.
func (r *Row) word() string {
	t := r.text()
	if w, ok := r.same[t]; ok {
		return w
	}
	r.same[t] = t
	return t
}

// blob reads bytes; NULL is nil.
func (r *Row) blob() []byte {
	v := r.next()
	b, ok := v.([]byte)
	if !ok && v != nil {
		r.damaged("bytes", v)
	}
	return b
}

// hash reads a hash; NULL is the zero one.
func (r *Row) hash() (h ton.Hash) {
	b := r.blob()
	if b != nil && len(b) != len(h) && r.err == nil {
		r.err = fmt.Errorf("a hash of %d bytes: %w", len(b), ErrCorrupt)
	}
	copy(h[:], b)
	return h
}

func (r *Row) address() ton.Address {
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
