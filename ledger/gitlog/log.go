package gitlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/fragplan/fragplan/ledger"
)

// Errors that callers tell apart.
var (
	ErrNoBranch = errors.New("the remote has no such branch")
	ErrLost     = errors.New("another run has written to the ledger's branch")
	ErrRefused  = errors.New("the remote refuses the push")
)

// Log is a log on a branch. Its methods are not safe for concurrent use.
type Log struct {
	// Tries is how often a push or a fetch that failed for no clear reason is
	// tried, and Pause what passes before the second try; each further one
	// waits twice as long.
	Tries int
	Pause time.Duration

	// Pushes counts the pushes that were tried.
	Pushes int

	// Recipients are those to whom what is pushed is encrypted; plain text if
	// there are none. Identities is asked once for what opens it, when a file
	// that is encrypted is read or written.
	Recipients []age.Recipient
	Identities func(context.Context) ([]age.Identity, error)

	repo   repository
	remote string
	branch string

	tip  string // the newest commit that we know of; "" before the first
	tree string // its tree

	identities []age.Identity // that Identities has brought
}

// Branch names are those that need no quoting anywhere.
var branchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

// Open prepares the log on a branch of a remote of the repository that dir
// lies in. environ is what git may know of the environment: how it proves itself
// to the remote, and no secret that is not git's. Nothing is fetched yet.
func Open(ctx context.Context, dir, remote, branch string, environ []string) (*Log, error) {
	if !branchName.MatchString(branch) || strings.HasSuffix(branch, ".lock") || strings.Contains(branch, "..") {
		return nil, fmt.Errorf("%q is no name for a branch", branch)
	}
	l := &Log{Tries: 4, Pause: 2 * time.Second, repo: repository{dir: dir, environ: environ}, remote: remote, branch: branch}
	if _, err := l.repo.git(ctx, nil, "rev-parse", "--git-dir"); err != nil {
		return nil, fmt.Errorf("the ledger's branch %s: %s lies in no git repository: %w", branch, dir, err)
	}
	if _, err := l.repo.git(ctx, nil, "remote", "get-url", "--end-of-options", remote); err != nil {
		return nil, fmt.Errorf("the ledger's branch %s: the repository has no remote %q: %w", branch, remote, err)
	}
	return l, nil
}

// String names the branch.
func (l *Log) String() string { return l.remote + "/" + l.branch }

// own is our reference to what was fetched. It lies outside of what other
// commands of git touch.
func (l *Log) own() string { return "refs/fragplan/" + l.branch }

// Known reports whether this repository has ever seen the branch: then, if it is
// gone, somebody has deleted it.
func (l *Log) Known(ctx context.Context) bool {
	_, err := l.repo.git(ctx, nil, "rev-parse", "--quiet", "--verify", l.own())
	return err == nil
}

// Fetch reads where the branch stands. ErrNoBranch says that it isn't there.
func (l *Log) Fetch(ctx context.Context) error {
	err := l.again(ctx, func() error {
		_, err := l.repo.git(ctx, nil, "fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--force", "--end-of-options",
			l.remote, "refs/heads/"+l.branch+":"+l.own())
		if err != nil && strings.Contains(err.Error(), "couldn't find remote ref") {
			l.tip, l.tree = "", ""
			return ErrNoBranch
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the ledger's branch %s: %w", l, err)
	}
	return l.stand(ctx, l.own())
}

// stand remembers a commit as the one that the branch stands on.
func (l *Log) stand(ctx context.Context, commit string) error {
	out, err := l.repo.git(ctx, nil, "rev-parse", commit+"^{commit}", commit+"^{tree}")
	if err != nil {
		return err
	}
	names := strings.Fields(string(out))
	if len(names) != 2 {
		return fmt.Errorf("%w: rev-parse printed %q", ErrGit, out)
	}
	l.tip, l.tree = names[0], names[1]
	return nil
}

// Tip is when the newest commit was made, by the clock of whoever made it, and
// what it says of itself.
func (l *Log) Tip(ctx context.Context) (at time.Time, subject string, err error) {
	out, err := l.repo.git(ctx, nil, "log", "-1", "--format=%ct %s", "--end-of-options", l.tip)
	if err != nil {
		return time.Time{}, "", err
	}
	seconds, subject, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("%w: log printed %q", ErrGit, out)
	}
	return time.Unix(n, 0), subject, nil
}

// file is one push's part of the log.
type file struct {
	path   string
	first  int64 // number of its first record
	sealed bool  // it is encrypted
}

var logFile = regexp.MustCompile(`^log/[0-9]{6,}/([0-9]{9,})\.jsonl(\.age)?$`)

func pathOf(first int64) string { return fmt.Sprintf("log/%06d/%09d.jsonl", first/1000, first) }

// files lists the log's files at the tip, the oldest first.
func (l *Log) files(ctx context.Context) ([]file, error) {
	out, err := l.repo.git(ctx, nil, "ls-tree", "-r", "-z", "--name-only", "--full-tree", l.tree)
	if err != nil {
		return nil, err
	}
	var list []file
	for _, path := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if !strings.HasPrefix(path, "log/") {
			continue
		}
		// A file that a later version has written in its own way must not look
		// like one that isn't there.
		match := logFile.FindStringSubmatch(path)
		if match == nil {
			return nil, fmt.Errorf("%w: %q is no name of a file of it", ErrLog, path)
		}
		first, err := strconv.ParseInt(match[1], 10, 64)
		if err != nil || path != pathOf(first)+match[2] {
			return nil, fmt.Errorf("%w: %q is no name of a file of it", ErrLog, path)
		}
		list = append(list, file{path, first, match[2] != ""})
	}
	slices.SortFunc(list, func(a, b file) int { return cmp.Compare(a.first, b.first) })
	return list, nil
}

// Boundary is the newest record at or before seq with which a push ended, 0 if
// there is none: reading can begin behind it.
func (l *Log) Boundary(ctx context.Context, seq int64) (int64, error) {
	if l.tip == "" {
		return 0, nil
	}
	list, err := l.files(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the ledger's branch %s: %w", l, err)
	}
	var last int64
	for _, f := range list {
		if f.first-1 <= seq {
			last = f.first - 1
		}
	}
	return last, nil
}

// Records yields what the branch holds after a boundary. Every record has the
// next number and continues the chain of hashes from after.
func (l *Log) Records(ctx context.Context, after ledger.Head, yield func(ledger.Record) error) error {
	if l.tip == "" {
		return nil
	}
	list, err := l.files(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger's branch %s: %w", l, err)
	}
	head := after
	for _, f := range list {
		if f.first <= after.Seq {
			continue
		}
		if f.first != head.Seq+1 {
			return fmt.Errorf("%s: %w: %s follows record %d", l, ErrLog, f.path, head.Seq)
		}
		body, err := l.repo.git(ctx, nil, "cat-file", "blob", l.tree+":"+f.path)
		if err != nil {
			return fmt.Errorf("reading the ledger's branch %s: %w", l, err)
		}
		if f.sealed {
			if body, err = l.unseal(ctx, f.path, body); err != nil {
				return fmt.Errorf("reading the ledger's branch %s: %w", l, err)
			}
		}
		records, err := decode(body, head)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", l, f.path, err)
		}
		for _, r := range records {
			if err := yield(r); err != nil {
				return err
			}
			head = r.Head()
		}
	}
	return nil
}
