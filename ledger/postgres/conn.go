package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fragplan/fragplan/ledger"
)

// ErrServer is matched by errors about the server: it can't be reached, or it
// would not keep what it says it has kept.
var ErrServer = errors.New("the database is not fit for a ledger now")

// oldest is the oldest version of PostgreSQL that is known to work.
const oldest = 13

// dial connects, in the place of a connection that broke.
func (s *Store) dial(ctx context.Context) error {
	if s.conn != nil {
		_ = s.conn.Close(ctx) // it is of no use any more
	}
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return fmt.Errorf("ledger %s: %w: %w", s.at, ErrServer, err)
	}
	s.conn = conn
	if err := s.fit(ctx); err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	return nil
}

// fit makes sure that the server keeps what it commits, and lets nobody past
// the triggers.
func (s *Store) fit(ctx context.Context) error {
	var version int
	var replica bool
	var fsync, pages, commit, role, encoding, path string
	err := s.conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(), current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('session_replication_role'), current_setting('server_encoding'), current_setting('search_path')`).
		Scan(&version, &replica, &fsync, &pages, &commit, &role, &encoding, &path)
	if err != nil {
		return s.failed("settings", err)
	}
	for _, c := range []struct {
		bad bool
		say string
	}{
		{version < oldest, fmt.Sprintf("it is PostgreSQL %d, and %d is the oldest that is known to work", version, oldest)},
		{replica, "it is a replica, which follows another server: name that one"},
		{fsync != "on", "it runs with fsync = " + fsync + ": a power cut would take back what it has committed"},
		{pages != "on", "it runs with full_page_writes = " + pages + ": a power cut could tear its pages"},
		{commit != "on", "synchronous_commit stays " + commit + ": a crash would take back what it has committed"},
		{role != "origin", "session_replication_role is " + role + ": the triggers that hold the promises would not run"},
		{path != s.config.RuntimeParams["search_path"], "something between here and the server drops the settings of a connection: connect to PostgreSQL itself, or to a pooler in session mode"},
		{encoding != "UTF8", "the database's encoding is " + encoding + ": make it with ENCODING 'UTF8'"},
	} {
		if c.bad {
			return fmt.Errorf("ledger %s: %w: %s", s.at, ErrServer, c.say)
		}
	}
	return nil
}

// patience bounds one exchange with the server.
const patience = 60 * time.Second

func (s *Store) exec(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.conn.Exec(ctx, statement)
	return err
}

// rollback ends a transaction. A connection that is gone has ended it already.
func (s *Store) rollback(ctx context.Context) error {
	if s.conn.IsClosed() {
		return nil
	}
	if err := s.exec(context.WithoutCancel(ctx), `ROLLBACK`); err != nil && !s.conn.IsClosed() {
		return s.failed("rollback", err)
	}
	return nil
}

// Codes of PostgreSQL's errors.
const (
	classConstraint = "23"
	codeNoLock      = "55P03"
	codeNoRight     = "42501"
)

// code is the code of PostgreSQL's error, "" if it is another error.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// refused turns a constraint of the schema into the error of the rule it stands
// for.
func (s *Store) refused(e ledger.Event, err error) error {
	doing := ledger.KindOf(e)
	if !strings.HasPrefix(code(err), classConstraint) {
		return s.failed(doing, err)
	}
	if strings.Contains(err.Error(), "prior sum") {
		return fmt.Errorf("ledger %s: %s: %w: %w", s.at, doing, ledger.ErrPrior, err)
	}
	return fmt.Errorf("ledger %s: %s: %w: %w", s.at, doing, ledger.ErrTransition, err)
}

func (s *Store) failed(doing string, err error) error {
	if code(err) == codeNoRight {
		err = fmt.Errorf("%w: %w", ErrNoRight, err)
	}
	return fmt.Errorf("ledger %s: %s: %w", s.at, doing, err)
}
