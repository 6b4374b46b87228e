package gitlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ErrGit is matched by errors of the git program, with what it said.
var ErrGit = errors.New("git")

// patience bounds one call of git; a remote that says nothing for so long is
// gone.
const patience = 2 * time.Minute

// pinned are settings that no configuration of the repository may change: no
// program is run from it, and no prompt is shown.
var pinned = []string{
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.fsmonitor=false",
	"-c", "core.askPass=true", // answers nothing
	"-c", "protocol.ext.allow=never",
	"-c", "gc.auto=0",
	"-c", "maintenance.auto=false",
	"-c", "commit.gpgSign=false",
	"-c", "push.gpgSign=false",
	"-c", "push.followTags=false",
	"-c", "submodule.recurse=false",
	"-c", "fetch.recurseSubmodules=false",
	"-c", "fetch.prune=false",
	"-c", "advice.detachedHead=false",
	"-c", "transfer.fsckObjects=true",
}

// repository is a folder in which git finds a repository.
type repository struct {
	dir     string
	environ []string // of git, less what environment takes out
	stage   string   // an index file to use instead of the user's; "" for none
}

// index is the repository with an empty index of its own, until done is called.
func (r repository) index() (own repository, done func(), err error) {
	dir, err := os.MkdirTemp("", "fragplan-index-")
	if err != nil {
		return r, nil, err
	}
	r.stage = filepath.Join(dir, "index")
	return r, func() { _ = os.RemoveAll(dir) }, nil
}

// git runs one command and returns what it printed.
func (r repository) git(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, "git", append(pinned[:len(pinned):len(pinned)], args...)...)
	c.Dir = r.dir
	c.Env = environment(r.environ)
	if r.stage != "" {
		c.Env = append(c.Env, "GIT_INDEX_FILE="+r.stage)
	}
	c.WaitDelay = time.Second
	// Without an interrupt git could leave a lock file behind.
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	if input != nil {
		c.Stdin = bytes.NewReader(input)
	}
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrGit, args[0], ctx.Err())
	}
	if err != nil {
		return out, fmt.Errorf("%w %s: %w: %s", ErrGit, args[0], err, tidy(said.String()))
	}
	return out, nil
}

// environment is environ, less what would lead git elsewhere or make it ask.
func environment(environ []string) []string {
	var env []string
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case name == "GIT_SSH", name == "GIT_SSH_COMMAND", name == "GIT_SSH_VARIANT", strings.HasPrefix(name, "GIT_CONFIG_"):
			// How the remote is reached and proven is the user's matter.
		case strings.HasPrefix(name, "GIT_"):
			continue
		}
		env = append(env, v)
	}
	return append(env, "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=fragplan", "GIT_AUTHOR_EMAIL=fragplan@localhost", "GIT_COMMITTER_NAME=fragplan", "GIT_COMMITTER_EMAIL=fragplan@localhost")
}

// credentials in an address that git repeats in its messages.
var credentials = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)[^/@\s]*@`)

// tidy makes what git said fit for an error: bounded, one line, without the
// user and password of an address.
func tidy(said string) string {
	said = credentials.ReplaceAllString(said, "$1")
	words := strings.Fields(said)
	said = strings.Join(words, " ")
	if len(said) > 600 {
		said = said[:600] + "…"
	}
	return said
}
