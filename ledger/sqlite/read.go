package sqlite

import (
	"context"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/store"
)

// Load reads the state from the tables, without the bulk of what is settled
// (store.Load says what that is).
func (s *Store) Load(ctx context.Context) (*ledger.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view(ctx, false)
}

// LoadFull is Load with the bulk of what is settled, for audits: every transfer,
// message, body and parameter that the ledger ever held.
func (s *Store) LoadFull(ctx context.Context) (*ledger.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view(ctx, true)
}

func (s *Store) view(ctx context.Context, full bool) (*ledger.State, error) {
	var state *ledger.State
	err := s.read(ctx, func() (err error) {
		state, err = store.Load(ctx, tables{s}, full)
		return err
	})
	return state, err
}

// read runs do on one unchanging view of the file.
func (s *Store) read(ctx context.Context, do func() error) error {
	if err := s.patient(ctx, `BEGIN`); err != nil {
		return s.failed("begin", err)
	}
	err := do()
	if end := s.rollback(context.WithoutCancel(ctx)); err == nil {
		err = end
	}
	return err
}
