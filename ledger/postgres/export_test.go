package postgres

import "context"

// Described is what Verify compares with schema.txt.
func Described(ctx context.Context, s *Store) (lines []string, err error) {
	err = s.read(ctx, func(ctx context.Context, r reader) error {
		lines, err = s.describe(ctx, r)
		return err
	})
	return lines, err
}

// Intended is schema.txt.
func Intended() string { return intended }
