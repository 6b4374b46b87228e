package sqlite

import "context"

// Pragma reads a setting of the store's own connection.
func (s *Store) Pragma(ctx context.Context, name string) (value string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}
