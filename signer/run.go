package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// secretTimeout is how long a password manager may take: a person may have to
// unlock it first.
const secretTimeout = time.Minute

// lastWords bounds what is shown of a program's stderr, in bytes.
const lastWords = 2 << 10

// secrets are the variables that no child gets.
var secrets = []string{EnvMnemonic, EnvMnemonicFile, EnvAgeIdentity, EnvAgePassphrase, "FRAGPLAN_SESSION", "FRAGPLAN_SESSION_FILE", "FRAGMENT_COOKIE", "FRAGMENT_HASH"}

// runFor runs a program with input on its stdin and returns what it printed,
// at most limit bytes. It runs in the project's folder, without a shell, and
// without the secrets of the environment. Nothing of its stdout is in an error.
func runFor(ctx context.Context, in Surroundings, command []string, input []byte, limit int, timeout time.Duration) ([]byte, error) {
	if len(command) == 0 || command[0] == "" {
		return nil, errors.New("no program is named")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	name := command[0]
	c := exec.CommandContext(ctx, in.program(name), command[1:]...)
	c.Dir, c.Env = in.Dir, in.environment()
	if input != nil {
		c.Stdin = bytes.NewReader(input)
	}
	// A child of the child may hold the pipes open after it was killed.
	c.WaitDelay = time.Second
	out, said := &bounded{limit: limit + 1}, &bounded{limit: lastWords, newest: true}
	c.Stdout, c.Stderr = out, said
	err := c.Run()
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return nil, fmt.Errorf("%q did not end within %s%s", name, timeout, said.quoted())
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%q was interrupted: %w", name, ctx.Err())
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("there is no program %q", name)
	case errors.Is(err, exec.ErrWaitDelay): // it ended well; what it left behind is cut off
	case err != nil:
		return nil, fmt.Errorf("%q: %w%s", name, err, said.quoted())
	}
	if len(out.b) > limit {
		return nil, fmt.Errorf("%q printed more than %d bytes", name, limit)
	}
	return out.b, nil
}

// program is the file to run: one in the project or anywhere if its name has a
// slash, otherwise one in PATH.
func (in Surroundings) program(name string) string {
	if strings.ContainsRune(filepath.ToSlash(name), '/') {
		path := in.path(name)
		if whole, err := filepath.Abs(path); err == nil {
			return whole // the child begins in another folder
		}
		return path
	}
	return name
}

// environment is this process's without its secrets.
func (in Surroundings) environment() []string {
	env := []string{}
	for _, e := range in.Environ() {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains(secrets, name) {
			env = append(env, e)
		}
	}
	return env
}

// bounded keeps the first or the newest bytes that are written to it and takes
// all of them, so that no program stops at a full pipe.
type bounded struct {
	b      []byte
	limit  int
	newest bool
}

var _ io.Writer = (*bounded)(nil)

func (w *bounded) Write(p []byte) (int, error) {
	if w.newest {
		w.b = append(w.b, p...)
		w.b = w.b[max(0, len(w.b)-w.limit):]
	} else {
		w.b = append(w.b, p[:min(len(p), w.limit-len(w.b))]...)
	}
	return len(p), nil
}

// quoted is what a program said, in one printable line.
func (w *bounded) quoted() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(w.b), "�")), " ")
	if text == "" {
		return ""
	}
	if r := []rune(text); len(r) > 400 {
		text = "…" + string(r[len(r)-400:])
	}
	return fmt.Sprintf("; it said %q", text)
}
