package gitlog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/ledger"
)

// A run whose push fails stops, so nothing that relied on what it had recorded
// leaves the machine. The local store holds those records all the same, and looks
// like one that was used without its branch. A reference of this repository
// remembers which they are.

// unpushed is the reference to a blob that names them.
func (l *Log) unpushed() string { return "refs/fragplan-unpushed/" + l.branch }

// disown notes that nothing relied on the records behind after, up to last.
func (l *Log) disown(ctx context.Context, after int64, last ledger.Head) error {
	blob, err := l.name(ctx, fmt.Appendf(nil, "%d %d %s\n", after, last.Seq, last.Hash), "hash-object", "-w", "--stdin", "--no-filters")
	if err == nil {
		_, err = l.repo.git(ctx, nil, "update-ref", l.unpushed(), blob)
	}
	return err
}

// took points our reference to a commit that the remote has taken, with all that
// was recorded here: what was noted as unpushed no longer is.
func (l *Log) took(ctx context.Context, commit string) error {
	_, err := l.repo.git(ctx, fmt.Appendf(nil, "update %s %s\ndelete %s\n", l.own(), commit, l.unpushed()), "update-ref", "--stdin")
	return err
}

// Unpushed names the records of a local store of which nothing has ever left this
// machine, because the push that had to come first failed: those behind the
// number after, up to last. They mean a store that holds last. The zero last says
// that there are none.
func (l *Log) Unpushed(ctx context.Context) (after int64, last ledger.Head, err error) {
	out, err := l.repo.git(ctx, nil, "for-each-ref", "--format=%(objectname)", l.unpushed())
	if err != nil || len(out) == 0 {
		return 0, ledger.Head{}, err
	}
	if out, err = l.repo.git(ctx, nil, "cat-file", "blob", strings.TrimSpace(string(out))); err != nil {
		return 0, ledger.Head{}, err
	}
	var hash string
	if _, err := fmt.Sscanf(string(out), "%d %d %64s\n", &after, &last.Seq, &hash); err != nil {
		return 0, ledger.Head{}, fmt.Errorf("%w: %s holds %q", ErrGit, l.unpushed(), out)
	}
	if err := last.Hash.UnmarshalText([]byte(hash)); err != nil {
		return 0, ledger.Head{}, fmt.Errorf("%w: %s: %w", ErrGit, l.unpushed(), err)
	}
	return after, last, nil
}

// disown notes that nothing relied on what the local store holds and the branch
// doesn't, after a push has failed with the given error.
func (s *Synced) disown(ctx context.Context, failed error) error {
	if !s.ours {
		return failed
	}
	ctx = context.WithoutCancel(ctx)
	head, err := s.local.Head(ctx)
	if err == nil && head.Seq > s.pushed.Seq {
		err = s.log.disown(ctx, s.pushed.Seq, head)
	}
	return errors.Join(failed, err)
}
