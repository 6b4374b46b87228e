package gitlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
)

// readme explains the branch to whoever opens it.
const readme = `This branch is the memory of what fragplan paid: the log of its ledger.

It is written by fragplan alone, a file a push, and never changed. Don't merge
it, don't edit it and don't delete it: without it, fragplan buys nothing until
the ledger is rebuilt from the chain.
`

// maxRecords is how many records a file holds at most, so that none is too
// large to be read in one piece. Only the first push of an old ledger has more.
const maxRecords = 5000

// Push appends records to the branch and returns when the remote holds them.
// They must follow what was fetched or pushed last; without any, only the
// subject is new.
//
// ErrLost says that somebody else has pushed meanwhile, and ErrRefused that the
// remote takes no push, such as to a protected branch. After any other error it
// is not known whether the remote has them; Fetch tells.
func (l *Log) Push(ctx context.Context, records []ledger.Record, subject string) error {
	commit, err := l.commit(ctx, records, subject)
	if err == nil {
		err = l.again(ctx, func() error { return l.push(ctx, commit) })
	}
	if err != nil {
		return fmt.Errorf("writing the ledger's branch %s: %w", l, err)
	}
	// Our reference is what a deleted branch can be put back from.
	if err := l.took(ctx, commit); err != nil {
		return err
	}
	return l.stand(ctx, commit)
}

// commit makes the commit that follows the tip. Nothing refers to it yet.
func (l *Log) commit(ctx context.Context, records []ledger.Record, subject string) (string, error) {
	tree := l.tree
	if len(records) > 0 {
		var err error
		if tree, err = l.grown(ctx, records); err != nil {
			return "", err
		}
	}
	args := []string{"commit-tree", "-F", "-", tree}
	if l.tip != "" {
		args = append(args, "-p", l.tip)
	}
	return l.name(ctx, []byte(subject), args...)
}

// grown is the tip's tree with a file more.
func (l *Log) grown(ctx context.Context, records []ledger.Record) (string, error) {
	entries := ""
	for part := range slices.Chunk(records, maxRecords) {
		body, err := encode(part)
		if err != nil {
			return "", err
		}
		path := pathOf(part[0].Seq)
		if len(l.Recipients) > 0 {
			path += sealedName
			if body, err = l.seal(ctx, path, body); err != nil {
				return "", err
			}
		}
		blob, err := l.write(ctx, body)
		if err != nil {
			return "", err
		}
		entries += fmt.Sprintf("100644 %s\t%s\n", blob, path)
	}
	if l.tip == "" {
		about, err := l.write(ctx, []byte(readme))
		if err != nil {
			return "", err
		}
		entries += fmt.Sprintf("100644 %s\tREADME.md\n", about)
	}
	return l.plant(ctx, entries)
}

func (l *Log) write(ctx context.Context, body []byte) (string, error) {
	return l.name(ctx, body, "hash-object", "-w", "--stdin", "--no-filters")
}

// plant adds entries to the tip's tree, in an index of our own, so that the
// user's is not touched.
func (l *Log) plant(ctx context.Context, entries string) (string, error) {
	index, done, err := l.repo.index()
	if err != nil {
		return "", err
	}
	defer done()
	if l.tree != "" {
		if _, err := index.git(ctx, nil, "read-tree", l.tree); err != nil {
			return "", err
		}
	}
	if _, err := index.git(ctx, []byte(entries), "update-index", "--add", "--index-info"); err != nil {
		return "", err
	}
	out, err := index.git(ctx, nil, "write-tree")
	return strings.TrimSpace(string(out)), err
}

// name runs a command that prints the name of an object.
func (l *Log) name(ctx context.Context, input []byte, args ...string) (string, error) {
	out, err := l.repo.git(ctx, input, args...)
	return strings.TrimSpace(string(out)), err
}

// push offers a commit to the remote once, and finds out what became of it.
func (l *Log) push(ctx context.Context, commit string) error {
	l.Pushes++
	// Without "+" and without any option of force: a server takes only what
	// follows the commit on which its branch stands.
	out, err := l.repo.git(ctx, nil, "push", "--porcelain", "--no-verify", "--no-signed", "--end-of-options", l.remote, commit+":refs/heads/"+l.branch)
	if err == nil {
		return nil
	}
	stands, seen := l.remoteTip(ctx)
	switch {
	case seen != nil:
		return errors.Join(err, seen) // not known: tried again, or left to the caller
	case stands == commit:
		return nil // it was taken, and only the answer was lost
	case stands != l.tip:
		return fmt.Errorf("%w: it stands on %.12s now", ErrLost, stands)
	case strings.Contains(string(out), "[remote rejected]") || strings.Contains(err.Error(), "protected branch"):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// remoteTip asks on which commit the branch stands, "" if it isn't there.
func (l *Log) remoteTip(ctx context.Context) (string, error) {
	out, err := l.repo.git(ctx, nil, "ls-remote", "--end-of-options", l.remote, "refs/heads/"+l.branch)
	if err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\t")
	return name, nil
}

// again runs do until it succeeds, or fails for a clear reason, or has failed
// too often.
func (l *Log) again(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil || try >= l.Tries || ctx.Err() != nil ||
			errors.Is(err, ErrLost) || errors.Is(err, ErrRefused) || errors.Is(err, ErrNoBranch) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(l.Pause << (try - 1)):
		}
	}
}
