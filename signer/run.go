package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fragplan/fragplan/leak"
)

// secretTimeout is how long a password manager may take: a person may have to
// unlock it first.
const secretTimeout = time.Minute

// lastWords bounds what is shown of a program's stderr, in bytes.
const lastWords = 2 << 10

// secrets are the kinds that no error repeats.
var secrets = map[leak.Kind]string{leak.Words: "secret words", leak.Cookie: "a session cookie", leak.Key: "a private key"}

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
	c.Dir, c.Env = in.Dir, Environment(in.Environ(), in.Secret)
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

// quoted is what a program said, in one printable line, unless it said a secret.
func (w *bounded) quoted() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(w.b), "�")), " ")
	if text == "" {
		return ""
	}
	if leak.WordsIn(w.b) {
		return "; it said something (hidden: it holds secret words)"
	}
	if found := leak.Find(w.b); len(found) > 0 {
		return fmt.Sprintf("; it said something (hidden: it holds %s)", secrets[found[0].Kind])
	}
	if r := []rune(text); len(r) > 400 {
		text = "…" + string(r[len(r)-400:])
	}
	return fmt.Sprintf("; it said %q", text)
}
