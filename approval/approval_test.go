package approval_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/approval"
)

const digest = "1c81b57c4c02f8d7e7f90f5258a7ca4d74356c217c396b75b04f72734276408a"

// key makes an SSH key and returns its file and its public part.
func key(t *testing.T, dir, name string) (file, public string) {
	t.Helper()
	file = filepath.Join(dir, name)
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(b))
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A signature counts for the person whose key made it, over that plan alone, in
// fragplan's namespace, while the key is valid; nobody counts twice.
func TestWhoHasSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gifts [2026*") // no pattern
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ann, annPublic := key(t, dir, "ann")
	again, againPublic := key(t, dir, "again")
	bob, bobPublic := key(t, dir, "bob")
	old, oldPublic := key(t, dir, "old")
	git, gitPublic := key(t, dir, "git")
	eve, _ := key(t, dir, "eve")
	all, allPublic := key(t, dir, "all")
	signers := write(t, filepath.Join(dir, "allowed_signers"), strings.Join([]string{
		"Ann@example.org " + annPublic, "ann@example.org " + againPublic, "bob@example.org,bobby@example.org " + bobPublic,
		`old@example.org valid-before="20250101" ` + oldPublic, `git@example.org namespaces="git" ` + gitPublic, "*@example.org " + allPublic, "",
	}, "\n"))
	sign := func(name, key, digest string) {
		t.Helper()
		b, err := approval.Sign(t.Context(), key, digest)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".sig"), string(b))
	}
	sign("1", ann, digest)
	sign("2", again, digest)
	sign("3", bob, digest)
	sign("4", old, digest)
	sign("5", git, digest)
	sign("6", eve, digest)
	sign("7", bob, strings.Repeat("0", 64))
	sign("8", all, digest)
	write(t, filepath.Join(dir, "9.sig"), "no signature")
	names, refused := approval.Check{Signers: signers, Time: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}.All(t.Context(), digest, dir)
	if got := strings.Join(names, " "); got != "ann@example.org bob@example.org" || len(refused) != 6 {
		t.Errorf("%s; refused: %v", got, refused)
	}
	names, _ = approval.Check{Signers: signers, Time: time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)}.All(t.Context(), digest, dir)
	if got := strings.Join(names, " "); got != "ann@example.org bob@example.org old@example.org" {
		t.Errorf("while the old key was valid: %s", got)
	}
}
