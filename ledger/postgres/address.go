package postgres

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// DefaultLedger is the schema of a ledger that has no other name.
const DefaultLedger = "fragplan"

// An Address says where a ledger is.
type Address struct {
	// URL is postgres://[user@]host[:port]/database[?sslmode=…]. What it leaves
	// out comes from PGUSER, PGHOST, PGSSLMODE and the other variables of
	// PostgreSQL's own programs; the password always does: PGPASSWORD, or the
	// file that PGPASSFILE names (~/.pgpass).
	URL string
	// Ledger names the ledger in the database, and is its schema: several may
	// stand side by side. Empty is DefaultLedger.
	Ledger string
}

// Names are those that need no quoting anywhere.
var ledgerName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Options that may stand in an address. Any other might name a program, a
// password or another server.
var options = []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "host", "port", "connect_timeout"}

// schema is the ledger's name.
func (a Address) schema() string {
	if a.Ledger == "" {
		return DefaultLedger
	}
	return a.Ledger
}

// String is the address as people see it, with what the environment adds. No
// secret is part of one.
func (a Address) String() string {
	c, err := pgx.ParseConfig(a.URL)
	if err != nil {
		return "postgres (" + a.schema() + ")"
	}
	where := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		where = c.Host
	}
	return "postgres://" + where + "/" + c.Database + " (" + a.schema() + ")"
}

// Check refuses what is no address of a ledger, without going there.
func (a Address) Check() error {
	u, err := url.Parse(a.URL)
	if err != nil {
		return fmt.Errorf("this is no address of a database: write postgres://user@host/database")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return fmt.Errorf("the address of a database begins with postgres://")
	}
	if _, set := u.User.Password(); set {
		return fmt.Errorf("a password must not stand in an address: put it into the variable PGPASSWORD, or into a file that PGPASSFILE names")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fmt.Errorf("what follows the ? in the address of the database can't be read")
	}
	for name := range q {
		if !slices.Contains(options, name) {
			return fmt.Errorf("the address of the database sets something that doesn't belong there; it may set %s", strings.Join(options, ", "))
		}
	}
	if strings.Contains(u.Host, ",") || strings.Contains(q.Get("host"), ",") {
		return fmt.Errorf("the address names several servers: a ledger is on one, or two would be written to")
	}
	if !ledgerName.MatchString(a.schema()) || strings.HasPrefix(a.schema(), "pg_") {
		return fmt.Errorf("%q is no name for a ledger in a database: lower-case letters, digits and _, at most 40", a.schema())
	}
	return nil
}

// config is how to connect.
func (a Address) config() (*pgx.ConnConfig, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	c, err := pgx.ParseConfig(a.URL)
	if err == nil && plain(c) && !saysTLS(a.URL) {
		// Nobody said how, so it is done well.
		c, err = pgx.ParseConfig(withTLS(a.URL))
	}
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", a, err)
	}
	if plain(c) {
		return nil, fmt.Errorf("ledger %s: everything that is sent to %s could be read and changed on the way: set sslmode=verify-full (or verify-ca, or require) in its address or in PGSSLMODE", a, c.Host)
	}
	for _, f := range c.Fallbacks {
		if f.Host != c.Host || f.Port != c.Port {
			return nil, fmt.Errorf("ledger %s: PGHOST or a service file names several servers: a ledger is on one", a)
		}
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	for name, value := range map[string]string{
		"application_name":   "fragplan",
		"search_path":        a.schema() + ", pg_temp", // no temporary table hides one of ours
		"synchronous_commit": "on",
		"row_security":       "off", // an error instead of rows that are missing
		// Tables grow within one transaction, before anybody has counted them: an
		// index is taken where there is one.
		"enable_seqscan": "off",
		"jit":            "off", // compiling one of our small statements takes longer than running it
		"lock_timeout":   "10s",
		// A writer that stops in the middle gives way.
		"idle_in_transaction_session_timeout": "60s",
		"default_transaction_read_only":       "off",
	} {
		c.RuntimeParams[name] = value
	}
	return c, nil
}

// plain reports whether a connection to another machine may be made without TLS.
func plain(c *pgx.ConnConfig) bool {
	open := c.TLSConfig == nil
	for _, f := range c.Fallbacks {
		open = open || f.TLSConfig == nil
	}
	return open && !local(c.Host)
}

// local reports whether a host is this machine: a socket in a folder, or a
// loopback address.
func local(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

func saysTLS(address string) bool {
	u, err := url.Parse(address)
	return err != nil || u.Query().Has("sslmode") || os.Getenv("PGSSLMODE") != "" || os.Getenv("PGSERVICE") != ""
}

func withTLS(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set("sslmode", "verify-full")
	u.RawQuery = q.Encode()
	return u.String()
}
