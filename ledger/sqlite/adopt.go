package sqlite

import (
	"context"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
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
	return log(func(r ledger.Record) error {
		if r.Seq != head.Seq+1 || r.Prev != head.Hash || r.Link() != r.Hash {
			return fmt.Errorf("ledger %s: record %d does not follow record %d: %w", s.path, r.Seq, head.Seq, ErrCorrupt)
		}
		e, err := ledger.Decode(r.Kind, r.Body)
		if err != nil {
			return fmt.Errorf("ledger %s: record %d: %w", s.path, r.Seq, err)
		}
		if err := s.project(ctx, e); err != nil {
			return s.refused(e, err)
		}
		if err := s.record(ctx, r); err != nil {
			return s.refused(e, err)
		}
		head = r.Head()
		return nil
	})
}

// RecordsAfter yields the records behind the one with the given number, the
// oldest first, on one unchanging view. yield must not call the store.
func (s *Store) RecordsAfter(ctx context.Context, seq int64, yield func(ledger.Record) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, func() error { return s.log(ctx, seq, yield) })
}
