package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/postgres"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/ledger/store"
	"github.com/fragplan/fragplan/report"
)

func (p *program) ledgerCopy() *cobra.Command {
	return &cobra.Command{
		Use: "copy FROM TO", Short: "Copy a ledger: between a file, a branch (git:NAME) and a database (postgres://…)",
		Long: `Copy a ledger to another place, record by record, and check both ends whole.

FROM and TO are each the path of a file, git:BRANCH for a branch of this
project's repository, or the address of a database: postgres://user@host/database,
with #NAME behind it for a ledger that has a name there.

Nothing is ever copied onto a ledger with other records. One that holds a part of
the same records gets the rest. Nothing is taken out of FROM: a file or a database
gets a record that this command had locked it (and what a new version adds to its
tables), a branch is only read. Name TO in fragplan.yaml then, and don't use FROM
any more.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			project, err := p.load()
			if err != nil {
				return err
			}
			defer project.Close()
			return project.copyLedger(c.Context(), args[0], args[1])
		},
	}
}

// copyLedger copies a ledger, and says what to do with the two.
func (p *project) copyLedger(ctx context.Context, from, to string) error {
	if p.program.sandbox {
		return fmt.Errorf("a rehearsal's ledger stays where it is: it is worth nothing anywhere else")
	}
	if from == to || isFile(from) && isFile(to) && p.program.path(filepath.Clean(from)) == p.program.path(filepath.Clean(to)) {
		return fmt.Errorf("both names are those of one ledger")
	}
	if p.synced() && !strings.HasPrefix(from, "git:") && p.program.path(from) == p.ledgerPath() {
		return fmt.Errorf("the log of %s is on a branch, and the branch is what counts: fragplan ledger copy git:%s %s", from, p.spec.Ledger.Branch, to)
	}
	work, err := os.MkdirTemp("", "fragplan-copy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	source, err := p.copySource(ctx, from, work)
	if err != nil {
		return err
	}
	defer source.Close()
	head, err := source.Verify(ctx)
	if err != nil {
		return err
	}
	added, err := p.copyOnto(ctx, source, head, to, work)
	if err != nil {
		return fmt.Errorf("copying to %s: %w", report.Clean(to, 200), err)
	}
	fmt.Fprintf(p.program.stdout, "Copied: %s added, %s in both, head %s. Both ends are sound.\n", report.Count(added, "record"), report.Count(int(head.Seq), "record"), head.Hash)
	fmt.Fprintf(p.program.stdout, "Now name it in fragplan.yaml, and don't use %s any more:\n\n  %s\n", report.Clean(from, 200), ledgerLine(to))
	if fields := p.besideBranch(); strings.HasPrefix(to, "git:") && len(fields) > 0 {
		fmt.Fprintf(p.program.stdout, "\nKeep %s beside it.\n", strings.Join(fields, " and "))
	}
	return nil
}

// besideBranch names what fragplan.yaml says of a branch beside its name: without
// encrypt_to, what comes next would be pushed in plain text.
func (p *project) besideBranch() (fields []string) {
	at := p.spec.Ledger
	if len(at.EncryptTo) > 0 {
		fields = append(fields, "encrypt_to")
	}
	if at.Identity.Kind != "" {
		fields = append(fields, "identity")
	}
	if at.Remote != "" && at.Remote != "origin" {
		fields = append(fields, "remote")
	}
	return fields
}

func isFile(place string) bool {
	_, isDatabase := inURL(place)
	return !isDatabase && !strings.HasPrefix(place, "git:")
}

// ledgerLine is what fragplan.yaml says of a place.
func ledgerLine(to string) string {
	if branch, isGit := strings.CutPrefix(to, "git:"); isGit {
		return fmt.Sprintf(`ledger: {sync: "git:%s"}`, branch)
	}
	if address, isDatabase := inURL(to); isDatabase {
		if address.Ledger == "" {
			return "ledger: " + address.URL
		}
		return fmt.Sprintf("ledger: {url: %q, name: %s}", address.URL, address.Ledger)
	}
	return "ledger: " + filepath.ToSlash(to)
}

// inURL reads the address of a ledger in a database, whose name stands behind #.
func inURL(place string) (postgres.Address, bool) {
	if !strings.HasPrefix(place, "postgres://") && !strings.HasPrefix(place, "postgresql://") {
		return postgres.Address{}, false
	}
	bare, name, _ := strings.Cut(place, "#")
	if name, err := url.PathUnescape(name); err == nil {
		return postgres.Address{URL: bare, Ledger: name}, true
	}
	return postgres.Address{URL: bare, Ledger: name}, true
}

// copySource opens what is copied from. Nobody else writes to a file or a database
// meanwhile; a branch is read as it stood when nobody was at work there.
func (p *project) copySource(ctx context.Context, from, work string) (shelf, error) {
	if branch, isGit := strings.CutPrefix(from, "git:"); isGit {
		return p.branchCopy(ctx, branch, filepath.Join(work, "from.db"))
	}
	var s shelf
	var err error
	if address, isDatabase := inURL(from); isDatabase {
		s, err = kept(postgres.Open(ctx, address))
	} else {
		s, err = kept(sqlite.Open(ctx, p.program.path(from)))
	}
	if err != nil {
		return nil, err
	}
	if err := s.Lock(ctx, "ledger copy"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// branchCopy is a file that holds what a branch holds, if nobody is at work
// there.
func (p *project) branchCopy(ctx context.Context, branch, path string) (shelf, error) {
	log, err := p.branchLog(ctx, branch)
	if err != nil {
		return nil, err
	}
	if err := log.Fetch(ctx); err != nil {
		return nil, err
	}
	s, err := kept(sqlite.Restore(ctx, path, func(yield func(ledger.Record) error) error { return log.Records(ctx, ledger.Head{}, yield) }))
	if err != nil {
		return nil, err
	}
	if err := gitlog.Sync(log, s).Busy(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// copyOnto puts the source's records where they are missing, and returns how
// many. What stands there then is checked whole and compared.
func (p *project) copyOnto(ctx context.Context, source shelf, head ledger.Head, to, work string) (added int, err error) {
	if branch, isGit := strings.CutPrefix(to, "git:"); isGit {
		return p.copyToBranch(ctx, source, head, branch, work)
	}
	records := func(yield func(ledger.Record) error) error { return source.Records(ctx, yield) }
	var s shelf
	address, isDatabase := inURL(to)
	if isDatabase {
		if s, err = kept(postgres.Open(ctx, address)); errors.Is(err, store.ErrMissing) {
			added = int(head.Seq)
			s, err = kept(postgres.Restore(ctx, address, records))
		}
	} else {
		path := p.program.path(to)
		if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
			added = int(head.Seq)
			s, err = kept(sqlite.Restore(ctx, path, records))
		} else {
			s, err = kept(sqlite.Open(ctx, path))
		}
	}
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if added == 0 {
		if added, err = continued(ctx, source, head, s); err != nil {
			return 0, err
		}
	}
	return added, same(ctx, s, head)
}

// errOtherRecords is what a copy says of a place that holds another ledger.
var errOtherRecords = errors.New("it holds other records than those that are copied, so nothing was changed")

// continued adds what a ledger misses of the source, if all that it holds is the
// source's.
func continued(ctx context.Context, source shelf, head ledger.Head, s shelf) (added int, err error) {
	have, err := s.Head(ctx)
	if err != nil {
		return 0, err
	}
	prefix := false
	found := errors.New("found")
	err = source.RecordsAfter(ctx, have.Seq-1, func(r ledger.Record) error {
		prefix = r.Head() == have
		return found
	})
	if err != nil && !errors.Is(err, found) {
		return 0, err
	}
	if !prefix {
		return 0, errOtherRecords
	}
	if have == head {
		return 0, nil
	}
	err = s.Adopt(ctx, func(yield func(ledger.Record) error) error { return source.RecordsAfter(ctx, have.Seq, yield) })
	return int(head.Seq - have.Seq), err
}

// same checks a copy whole.
func same(ctx context.Context, s shelf, head ledger.Head) error {
	got, err := s.Verify(ctx)
	if err == nil && got != head {
		err = fmt.Errorf("the copy ends with record %d and not with %d of the same hash: %w", got.Seq, head.Seq, store.ErrCorrupt)
	}
	return err
}

// copyToBranch pushes what the branch doesn't hold yet.
func (p *project) copyToBranch(ctx context.Context, source shelf, head ledger.Head, branch, work string) (added int, err error) {
	log, err := p.branchLog(ctx, branch)
	if err != nil {
		return 0, err
	}
	local, err := sqlite.Restore(ctx, filepath.Join(work, "to.db"), func(yield func(ledger.Record) error) error { return source.Records(ctx, yield) })
	if err != nil {
		return 0, err
	}
	defer local.Close()
	both := gitlog.Sync(log, local)
	added, err = both.CatchUp(ctx)
	switch {
	case errors.Is(err, gitlog.ErrNoBranch) && !log.Known(ctx):
		added = int(head.Seq)
	case errors.Is(err, gitlog.ErrDiverged):
		return 0, errOtherRecords
	case err != nil:
		return 0, err
	}
	if now, err := local.Head(ctx); err != nil {
		return 0, err
	} else if now != head {
		return 0, errOtherRecords // newer ones
	}
	if added > 0 {
		if err := both.Busy(ctx); err != nil {
			return 0, err
		}
		if err := both.Begin(ctx, gitlog.Writer("ledger copy")); err != nil {
			return 0, err
		}
		if err := both.Close(ctx); err != nil {
			return 0, err
		}
	}
	copied, err := p.branchCopy(ctx, branch, filepath.Join(work, "copied.db"))
	if err != nil {
		return 0, err
	}
	defer copied.Close()
	return added, same(ctx, copied, head)
}
