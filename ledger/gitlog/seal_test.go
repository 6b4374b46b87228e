package gitlog_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
)

// pair makes an identity of age and its recipient.
func pair(t *testing.T) (*age.X25519Identity, age.Recipient) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	check(t, err)
	return id, id.Recipient()
}

// sshPair makes an SSH key as a file holds it, and its recipient.
func sshPair(t *testing.T) (file string, to age.Recipient) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	check(t, err)
	key, err := ssh.NewPublicKey(public)
	check(t, err)
	to, err = agessh.ParseRecipient(string(ssh.MarshalAuthorizedKey(key)))
	check(t, err)
	return string(pem.EncodeToMemory(block)), to
}

// having is how a machine holds the identities of a text.
func having(text string) func(context.Context) ([]age.Identity, error) {
	return func(context.Context) ([]age.Identity, error) { return gitlog.ParseIdentities(text) }
}

// sealed is a founder whose log is encrypted.
func sealed(t *testing.T, remote, identity string, to ...age.Recipient) *runner {
	t.Helper()
	r := founder(t, remote)
	r.log.Recipients, r.log.Identities = to, having(identity)
	return r
}

// read is what a fresh clone reads of the branch with an identity, "" for none.
func read(t *testing.T, remote, identity string) (last ledger.Head, err error) {
	t.Helper()
	log := open(t, clone(t, remote))
	if identity != "" {
		log.Identities = having(identity)
	}
	check(t, log.Fetch(t.Context()))
	err = log.Records(t.Context(), ledger.Head{}, func(r ledger.Record) error { last = r.Head(); return nil })
	return last, err
}

// everything is all that a repository holds, unpacked.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, line := range strings.Split(git(t, dir, "cat-file", "--batch-all-objects", "--batch-check"), "\n") {
		f := strings.Fields(line)
		all.WriteString(git(t, dir, "cat-file", f[1], f[0]))
	}
	return all.String()
}

// Every record that is pushed is encrypted: no object of the repository, here or
// there, holds a word of one. A fresh clone with any of the identities reads the
// whole chain.
func TestAnEncryptedBranch(t *testing.T) {
	remote := server(t)
	own, to := pair(t)
	key, other := sshPair(t)
	r := sealed(t, remote, own.String(), to, other)
	check(t, r.begin(t))
	check(t, r.both.Append(t.Context(), append(reserves(r, 2), decides(20)...)))
	check(t, r.both.Close(t.Context()))
	for _, dir := range []string{remote, r.dir} {
		for _, word := range []string{"OrderReserved", `"seq"`, "ann", "run-1/0", r.head(t).Hash.String()} {
			if strings.Contains(everything(t, dir), word) {
				t.Errorf("%s holds %q in plain text", dir, word)
			}
		}
	}
	for name, identity := range map[string]string{"age": own.String(), "ssh": key} {
		last, err := read(t, remote, "\n"+identity+"\n")
		if err != nil || last != r.head(t) {
			t.Errorf("with the identity of %s the branch ends with %v, the store with %v: %v", name, last, r.head(t), err)
		}
	}
}

// Without an identity, and with one of somebody else, nothing is read, and the
// error tells the two apart.
func TestWithoutTheIdentity(t *testing.T) {
	remote := server(t)
	own, to := pair(t)
	check(t, sealed(t, remote, own.String(), to).begin(t))
	if _, err := read(t, remote, ""); !errors.Is(err, gitlog.ErrSealed) || !strings.Contains(err.Error(), "no identity") {
		t.Errorf("without an identity: %v", err)
	}
	foreign, _ := pair(t)
	if _, err := read(t, remote, foreign.String()); !errors.Is(err, gitlog.ErrSealed) || !strings.Contains(err.Error(), "other recipients") {
		t.Errorf("with a foreign identity: %v", err)
	}
}

// Nothing is pushed that the machine could not read again: recipients without
// its own would lock the next run out.
func TestALockIsNotThrownShut(t *testing.T) {
	remote := server(t)
	own, _ := pair(t)
	_, other := pair(t)
	r := sealed(t, remote, own.String(), other)
	if err := r.begin(t); !errors.Is(err, gitlog.ErrSealed) || !strings.Contains(err.Error(), "nothing was pushed") {
		t.Errorf("recipients without our own: %v", err)
	}
	if out := git(t, remote, "for-each-ref"); out != "" {
		t.Errorf("the remote has %s", out)
	}
}

// A branch that began in plain text is encrypted from then on, and goes on in
// plain text if that is taken back; both are read as one log, with the identity.
func TestPlainAndEncryptedOnOneBranch(t *testing.T) {
	remote := server(t)
	own, to := pair(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	r.log.Recipients, r.log.Identities = []age.Recipient{to}, having(own.String())
	check(t, r.both.Append(t.Context(), decides(21)))
	r.log.Recipients = nil
	check(t, r.both.Append(t.Context(), decides(22)))
	names := git(t, remote, "ls-tree", "-r", "--name-only", "fragplan-ledger", "log/")
	if want := "log/000000/000000001.jsonl\nlog/000000/000000004.jsonl.age\nlog/000000/000000005.jsonl"; names != want {
		t.Errorf("the branch holds\n%s\nwant\n%s", names, want)
	}
	if last, err := read(t, remote, own.String()); err != nil || last != r.head(t) {
		t.Errorf("the branch ends with %v, the store with %v: %v", last, r.head(t), err)
	}
	if _, err := read(t, remote, ""); !errors.Is(err, gitlog.ErrSealed) {
		t.Errorf("without the identity: %v", err)
	}
}

// overwrite puts a file on the branch as somebody would who may push.
func overwrite(t *testing.T, remote, name string, body []byte) {
	t.Helper()
	work := t.TempDir()
	git(t, work, "clone", "-q", "-b", "fragplan-ledger", remote, ".")
	check(t, os.WriteFile(filepath.Join(work, filepath.FromSlash(name)), body, 0o644))
	git(t, work, "add", "-A")
	git(t, work, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-q", "-m", "x")
	git(t, work, "push", "-q", "origin", "HEAD")
}

// Who may push but has no identity can't add a record that is believed, sealed
// or plain: it would have to follow a hash that stands in no plain text. Nor can
// a byte be changed.
func TestARecordOfAStranger(t *testing.T) {
	own, to := pair(t)
	begun := func(t *testing.T) (remote string, r *runner) {
		remote = server(t)
		r = sealed(t, remote, own.String(), to)
		check(t, r.begin(t))
		return remote, r
	}
	forged := ledger.Record{Seq: 4, Epoch: 1, Time: 1, Kind: "run_started", Body: []byte("{}")} // after a hash that is guessed
	record := fmt.Sprintf(`{"seq":4,"epoch":1,"time":1,"kind":"run_started","body":"{}","hash":%q}`+"\n", forged.Link().String())
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	check(t, err)
	_, err = w.Write([]byte(record))
	check(t, errors.Join(err, w.Close()))
	for name, change := range map[string]func(t *testing.T, remote string){
		"sealed":          func(t *testing.T, remote string) { overwrite(t, remote, "log/000000/000000004.jsonl.age", b.Bytes()) },
		"plain":           func(t *testing.T, remote string) { overwrite(t, remote, "log/000000/000000004.jsonl", []byte(record)) },
		"the same again":  func(t *testing.T, remote string) { overwrite(t, remote, "log/000000/000000001.jsonl", []byte(record)) },
		"of another form": func(t *testing.T, remote string) { overwrite(t, remote, "log/000000/000000004.jsonl.zst", []byte("x")) },
		"one byte": func(t *testing.T, remote string) {
			c := git(t, remote, "cat-file", "blob", "fragplan-ledger:log/000000/000000001.jsonl.age")
			c = c[:len(c)-2] + string(c[len(c)-2]^1) + c[len(c)-1:]
			overwrite(t, remote, "log/000000/000000001.jsonl.age", []byte(c))
		},
		"not of age": func(t *testing.T, remote string) {
			overwrite(t, remote, "log/000000/000000001.jsonl.age", []byte(record))
		},
	} {
		t.Run(name, func(t *testing.T) {
			remote, _ := begun(t)
			change(t, remote)
			if _, err := read(t, remote, own.String()); !errors.Is(err, gitlog.ErrLog) {
				t.Errorf("it was read: %v", err)
			}
		})
	}
}

// What is no identity is refused, and the error holds nothing of it.
func TestParseIdentities(t *testing.T) {
	own, _ := pair(t)
	key, _ := sshPair(t)
	for _, good := range []string{own.String(), "# mine\n" + own.String() + "\r\n", key, "\n" + key} {
		if _, err := gitlog.ParseIdentities(good); err != nil {
			t.Errorf("%.20q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "hunter2", own.String() + "\nhunter2", strings.Replace(key, "b", "hunter2", 1), "-----BEGIN hunter2"} {
		if _, err := gitlog.ParseIdentities(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}
