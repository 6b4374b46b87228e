package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNoRight is matched by the error about a role that may not do what it is used
// for, such as one that may only read.
var ErrNoRight = errors.New("the role has no right to that")

// ErrRights is matched by the error about a role that may do more than a writer
// should.
var ErrRights = errors.New("the role may change what was recorded")

// changes are the columns that a writer changes. Everything else it only adds.
var changes = []struct{ table, columns string }{
	{"ledger", "epoch"},
	{"holder", "epoch, holder, host, pid, since, beat, backend, begun, ended"},
	{"wallet", "ramp, checked_lt, checked_hash"},
	{"run", "outcome"},
	{"payment", "phase, message, settled_lt, settled_hash, time, fees, taken_lt, taken_hash, proof_seqno, proof_time, proof_block"},
	{"burn", "message"},
	{"orders", "phase, reason, invoice, invoices, reserve_asset, reserve, deaths, payment, idx, settled_lt, settled_hash, time, evidence, request, bounces"},
	{"noted", "reason"},
	{"found", "order_id, reason"},
	{"transit", "received_lt, received_hash"},
	{"name", "now"},
	{"well", "time, told"},
}

// Grants is the SQL with which the owner of a ledger gives a role what a writer
// needs, and no more: it reads, adds, and moves orders and payments on. It can
// neither change nor delete an event, nor take away a trigger.
func Grants(a Address, role string) string {
	schema, to := pgx.Identifier{a.schema()}.Sanitize(), pgx.Identifier{role}.Sanitize()
	var b strings.Builder
	fmt.Fprintf(&b, "REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM %s;\n", schema, to)
	fmt.Fprintf(&b, "GRANT USAGE ON SCHEMA %s TO %s;\n", schema, to)
	fmt.Fprintf(&b, "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA %s TO %s;\n", schema, to)
	fmt.Fprintf(&b, "REVOKE INSERT ON %s.about, %[1]s.person FROM %s;\n", schema, to)
	for _, c := range changes {
		fmt.Fprintf(&b, "GRANT UPDATE (%s) ON %s.%s TO %s;\n", c.columns, schema, c.table, to)
	}
	return b.String()
}

// modest refuses to write as a role that could change the log.
func (s *Store) modest(ctx context.Context) error {
	var role string
	var super, mighty bool
	err := s.conn.QueryRow(ctx, `SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
		has_any_column_privilege('event', 'UPDATE') OR has_table_privilege('event', 'DELETE') OR has_table_privilege('event', 'TRUNCATE')`).Scan(&role, &super, &mighty)
	switch {
	case err != nil:
		return s.failed("rights", err)
	case super:
		return fmt.Errorf("ledger %s: %w: %q is a superuser, for whom no rule holds", s.at, ErrRights, role)
	case mighty:
		return fmt.Errorf("ledger %s: %w: %q may update, delete or truncate the table event", s.at, ErrRights, role)
	}
	return nil
}
