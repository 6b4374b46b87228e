// Package approval signs the digest of a plan with a person's SSH key, and says
// who has signed, as git does it with commits: ssh-keygen makes and checks the
// signatures, and a file of allowed signers says whose keys they are.
//
// It knows no plans and no limits: how many signatures are enough, and whose, is
// decided elsewhere.
package approval

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// namespace keeps a signature from meaning anything in another program.
const namespace = "fragplan"

// program is the part of OpenSSH that signs. Version 8.9 is needed.
const program = "ssh-keygen"

// maxSignature bounds what is read of a file of somebody else.
const maxSignature = 16 << 10

// message is what is signed for a digest, so that a signature can't be taken for
// one of anything else.
func message(digest string) []byte { return []byte("fragplan approves the plan " + digest + "\n") }

// Sign returns a signature over a digest, made with the private key in a file or
// with the one that the SSH agent holds for a public key in a file. ssh-keygen
// may ask for a passphrase on the terminal.
func Sign(ctx context.Context, key, digest string) ([]byte, error) {
	out, err := run(ctx, message(digest), "-Y", "sign", "-n", namespace, "-f", key)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", key, err)
	}
	return out, nil
}

// A Check verifies signatures.
type Check struct {
	Signers string    // the file of allowed signers
	Time    time.Time // at which keys must have been valid
}

// Signer returns under which name of the file of allowed signers a signature
// over a digest was made.
func (c Check) Signer(ctx context.Context, digest, signature string) (string, error) {
	info, err := os.Stat(signature)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSignature {
		return "", fmt.Errorf("%s is no signature", signature)
	}
	at := "-Overify-time=" + c.Time.UTC().Format("20060102150405Z")
	out, err := run(ctx, nil, "-Y", "find-principals", at, "-s", signature, "-f", c.Signers)
	if err != nil {
		return "", fmt.Errorf("%s is by no key in %s: %w", filepath.Base(signature), filepath.Base(c.Signers), err)
	}
	for line := range strings.Lines(string(out)) {
		for name := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			// A pattern is nobody's name.
			if name == "" || strings.ContainsAny(name, "*?!") {
				continue
			}
			if _, err = run(ctx, message(digest), "-Y", "verify", at, "-n", namespace, "-I", name, "-s", signature, "-f", c.Signers); err == nil {
				return strings.ToLower(name), nil
			}
		}
	}
	return "", fmt.Errorf("%s is not over this plan: %w", filepath.Base(signature), err)
}

// All returns who has signed a digest in the files of a folder, each once, and
// why other files there don't count.
func (c Check) All(ctx context.Context, digest, dir string) (names []string, refused []error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		refused = append(refused, err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".sig") {
			continue
		}
		name, err := c.Signer(ctx, digest, filepath.Join(dir, f.Name()))
		switch {
		case err != nil:
			refused = append(refused, err)
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, refused
}

// run runs ssh-keygen with what it needs of the environment, and no more.
func run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // a person may have to touch a key
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Stdin = bytes.NewReader(stdin)
	var said bytes.Buffer
	c.Stderr = &said
	for _, name := range []string{"PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TMP", "TEMP", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER"} {
		if v, ok := os.LookupEnv(name); ok {
			c.Env = append(c.Env, name+"="+v)
		}
	}
	out, err := c.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("ssh-keygen of OpenSSH 8.9 or later is needed, and is not installed")
	}
	if text := strings.TrimSpace(said.String()); err != nil && text != "" {
		err = errors.New(text)
	}
	return out, err
}
