package sqlite

import (
	"context"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Restore makes a ledger file from a log that is kept somewhere else, in one
// commit. log yields its records from the first one on. An existing file is refused with fs.ErrExist and not touched.
func Restore(ctx context.Context, path string, log func(yield func(ledger.Record) error) error) (*Store, error) {
	return create(ctx, path, func(ctx context.Context, s *Store) error { return s.adopt(ctx, log) })
}

// Adopt appends records that another writer of the same ledger made, byte for
// byte. The first one must follow the newest one here. All or none are taken.
func (s *Store) Adopt(ctx context.Context, log func(yield func(ledger.Record) error) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transact(ctx, func(ctx context.Context) error { return s.adopt(ctx, log) })
}

func (s *Store) adopt(ctx context.Context, log func(yield func(ledger.Record) error) error) error {
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	_, err = store.Adopt(ctx, tables{s}, head, log)
	return err
}

// RecordsAfter yields the records behind the one with the given number, the
// oldest first, on one unchanging view. yield must not call the store.
func (s *Store) RecordsAfter(ctx context.Context, seq int64, yield func(ledger.Record) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, func() error { return store.Log(ctx, tables{s}, seq, yield) })
}
