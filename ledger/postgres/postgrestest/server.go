// Package postgrestest runs a real PostgreSQL server on this machine for tests.
//
// It is for tests alone, and needs the programs of Debian's package postgresql.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is one that runs. Its superuser is postgres, and nobody is asked for
// a password.
type Server struct {
	Host string // 127.0.0.1
	Port int

	dir  string // of its data
	bin  string // of its programs
	proc *exec.Cmd
	args []string
}

// Programs is the folder with PostgreSQL's programs, "" if there is none.
func Programs() string {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// Start makes a server with settings such as "fsync=off", and runs it until Stop.
// Where there are no programs of PostgreSQL it returns nil.
func Start(settings ...string) (*Server, error) {
	s := &Server{Host: "127.0.0.1", bin: Programs()}
	if s.bin == "" {
		return nil, nil
	}
	var err error
	if s.dir, err = os.MkdirTemp("", "fragplan-postgres-"); err != nil {
		return nil, err
	}
	if err := s.make(settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *Server) make(settings []string) error {
	if err := give(s.dir); err != nil {
		return err
	}
	if out, err := s.command("initdb", "-D", filepath.Join(s.dir, "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	l, err := net.Listen("tcp", s.Host+":0")
	if err != nil {
		return err
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	s.args = []string{"-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=" + s.Host, "-c", "port=" + strconv.Itoa(s.Port), "-c", "max_connections=100"}
	for _, c := range settings {
		s.args = append(s.args, "-c", c)
	}
	return s.Run()
}

// Run runs the server again after Kill or Stop.
func (s *Server) Run() error {
	s.proc = s.command("postgres", s.args...)
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.proc.Stdout, s.proc.Stderr = log, log
	if err := s.proc.Start(); err != nil {
		return err
	}
	for range 600 {
		conn, failed := pgx.Connect(context.Background(), s.URL("postgres", "postgres"))
		if failed == nil {
			return conn.Close(context.Background())
		}
		err = failed
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return errors.Join(fmt.Errorf("PostgreSQL doesn't answer: %w\n%s", err, text), s.Kill())
}

// Kill ends the server as a crash of the machine would: nothing is written out.
func (s *Server) Kill() error {
	if err := s.proc.Process.Signal(quit); err != nil {
		return err
	}
	_ = s.proc.Wait() // it says that it was ended
	return nil
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.Kill(), os.RemoveAll(s.dir))
}

// URL is the address of a database of the server, for a role.
func (s *Server) URL(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), Path: "/" + database}
	return u.String()
}

// Exec runs SQL as the superuser.
func (s *Server) Exec(database, sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.URL("postgres", database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, conn.Close(ctx))
}

// Need skips a test where there is no PostgreSQL, and says what would bring it.
func Need(t testing.TB, s *Server) {
	t.Helper()
	if s == nil {
		t.Skip("there is no PostgreSQL on this machine: apt-get install postgresql")
	}
}

// owner is who runs the server: PostgreSQL doesn't run as root.
func owner() (uid, gid int, other bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return uid, gid, true
		}
	}
	return 0, 0, false
}

func give(dir string) error {
	uid, gid, other := owner()
	if !other {
		return nil
	}
	return os.Chown(dir, uid, gid)
}
