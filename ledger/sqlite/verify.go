package sqlite

import (
	"context"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Verify checks the whole ledger: the file's structure, that its tables and
// triggers are those of this program, the chain of records from the first to
// the newest, and that the tables are what a replay of the events gives. It
// returns the newest record, whose hash then stands for everything before it.
// What doesn't hold is ErrCorrupt.
func (s *Store) Verify(ctx context.Context) (ledger.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var head ledger.Head
	err := s.read(ctx, func() (err error) {
		head, err = s.verify(ctx)
		return err
	})
	if err != nil {
		return ledger.Head{}, err
	}
	return head, nil
}

// sound checks what a writer is about to rely on.
func (s *Store) sound(ctx context.Context) error {
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	if store.Whole(head) {
		_, err := s.verify(ctx)
		return err
	}
	return store.Recent(ctx, tables{s}, head)
}

func (s *Store) verify(ctx context.Context) (ledger.Head, error) {
	damage := func(format string, args ...any) error {
		return fmt.Errorf("ledger %s: %w: %w", s.path, ErrCorrupt, fmt.Errorf(format, args...))
	}
	var verdict string
	if err := s.conn.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return ledger.Head{}, s.failed("quick_check", err)
	}
	if verdict != "ok" {
		return ledger.Head{}, damage("%q", verdict)
	}
	want, err := intended()
	if err != nil {
		return ledger.Head{}, err
	}
	has, err := schema(ctx, s.conn)
	if err != nil {
		return ledger.Head{}, s.failed("schema", err)
	}
	if name := altered(has, want); name != "" {
		return ledger.Head{}, damage("its schema was altered: %q is not what fragplan makes", name)
	}
	return store.Verify(ctx, tables{s})
}

// Records yields the log from the first record to the newest, on one
// unchanging view. yield must not call the store.
func (s *Store) Records(ctx context.Context, yield func(ledger.Record) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, func() error { return store.Log(ctx, tables{s}, 0, yield) })
}
