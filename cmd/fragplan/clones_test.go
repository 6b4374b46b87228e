//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// town is a repository on a server, the world that its rewards are bought in,
// and what is written there.
type town struct {
	*testing.T
	dir    string // with hub.git, world and the clones
	kept   string // the line of fragplan.yaml that says where the ledger is
	world  *sandbox.World
	clones int
	grants int
}

// Where a town may keep its ledger.
const (
	onBranch   = "branch"
	inPostgres = "database"
)

// founded makes a town whose ledger is on a branch, or in a database.
func founded(t *testing.T, where string) *town {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	v := &town{T: t, dir: t.TempDir(), kept: `{sync: "git:fragplan-ledger"}`}
	if where == inPostgres {
		v.kept = inDatabase(t).URL
	}
	return v.begin()
}

// begin opens the town's world and makes its ledger.
func (v *town) begin() *town {
	t := v.T
	t.Helper()
	// W5 addresses depend on the network, so the live program pays with V4.
	world, err := sandbox.Open(t.Context(), sandbox.Options{Dir: filepath.Join(v.dir, "world"), Version: ton.V4R2, Balance: 100_000 * ton.TON})
	v.check(err)
	v.world = world
	t.Cleanup(func() { _ = world.Close() })
	v.check(os.WriteFile(filepath.Join(v.dir, "global.config.json"), world.GlobalConfig, 0o600))
	v.git("", "init", "-q", "--bare", "-b", "main", "hub.git")
	first := v.clone()
	if out, code := v.run(first, nil, "ledger", "init"); code != 0 {
		t.Fatalf("ledger init: %s", out)
	}
	return v
}

func (v *town) check(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

func (v *town) git(dir string, args ...string) string {
	v.Helper()
	c := exec.Command("git", args...)
	c.Dir = filepath.Join(v.dir, dir)
	out, err := c.CombinedOutput()
	if err != nil {
		v.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// clone is a fresh runner with what is written now: it has no ledger yet.
func (v *town) clone() string {
	v.Helper()
	v.clones++
	name := "clone" + strconv.Itoa(v.clones)
	v.git("", "init", "-q", "-b", "main", name)
	v.git(name, "remote", "add", "origin", filepath.Join(v.dir, "hub.git"))
	v.check(os.WriteFile(filepath.Join(v.dir, name, "fragplan.yaml"), fmt.Appendf(nil, `version: 1
wallet: {version: v4r2, address: %s}
ledger: %s
limits: {order: 20 TON, run: 90000 TON, month: 90000 TON, undelivered: 9000 TON, price: {100 stars: 3 TON}}
files: [g.yaml]
`, v.world.Wallet, v.kept), 0o600))
	var b strings.Builder
	b.WriteString("grants:\n")
	for n := range max(1, v.grants) {
		fmt.Fprintf(&b, "  g%d: {to: [\"@person_%d\"], stars: 50}\n", n, n)
	}
	v.check(os.WriteFile(filepath.Join(v.dir, name, "g.yaml"), []byte(b.String()), 0o600))
	return name
}

// start begins the live program in a clone.
func (v *town) start(clone string, out *bytes.Buffer, args ...string) *exec.Cmd {
	v.Helper()
	c := v.command(clone, out, args...)
	v.check(c.Start())
	return c
}

// command is the live program in a clone.
func (v *town) command(clone string, out *bytes.Buffer, args ...string) *exec.Cmd {
	c := exec.Command("fragplan-live", append([]string{"-chdir", filepath.Join(v.dir, clone)}, args...)...)
	c.Env = append(os.Environ(),
		"FRAGPLAN_TON_CONFIG="+filepath.Join(v.dir, "global.config.json"), "FRAGMENT_COOKIE="+v.world.Cookie, "FRAGMENT_URL="+v.world.FragmentURL,
		"FRAGPLAN_MNEMONIC="+strings.Join(v.world.Mnemonic, " "), "CI=true")
	c.Stdout, c.Stderr = out, out
	return c
}

func (v *town) run(clone string, kill func(*exec.Cmd), args ...string) (said string, code int) {
	v.Helper()
	var out bytes.Buffer
	c := v.start(clone, &out, args...)
	if kill != nil {
		kill(c)
	}
	return out.String(), v.wait(c)
}

// wait returns the exit status, -1 for a process that was killed.
func (v *town) wait(c *exec.Cmd) int {
	v.Helper()
	err := c.Wait()
	var status *exec.ExitError
	switch {
	case errors.As(err, &status):
		return status.ExitCode()
	case err != nil:
		v.Fatal(err)
	}
	return 0
}

// settle applies in one fresh clone after the other until one comes to its end.
func (v *town) settle() {
	v.Helper()
	for range 30 {
		said, code := v.run(v.clone(), nil, "apply", "-auto-approve")
		if code == 0 {
			return
		}
		if !strings.Contains(said, "another run is at work") && !strings.Contains(said, "the ledger is locked by") {
			v.Fatalf("exit status %d: %s", code, said)
		}
		v.leave()
	}
	v.Fatal("30 runs in a row did not come to an end")
}

// leave marks the branch as left, as time would: a runner that was killed is
// waited for, for two minutes.
func (v *town) leave() {
	v.Helper()
	if !strings.Contains(v.kept, "git:") {
		time.Sleep(20 * time.Millisecond) // the server sees at once that a connection has ended
		return
	}
	old := "2020-01-01T00:00:00Z"
	c := exec.Command("git", "commit-tree", "-m", "left", "-p", "fragplan-ledger", "fragplan-ledger^{tree}")
	c.Dir = filepath.Join(v.dir, "hub.git")
	c.Env = append(os.Environ(), "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@localhost", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@localhost", "GIT_COMMITTER_DATE="+old)
	commit, err := c.Output()
	v.check(err)
	v.git("hub.git", "update-ref", "refs/heads/fragplan-ledger", strings.TrimSpace(string(commit)))
}

// agree compares the world's books with what is written: each grant once.
func (v *town) agree() {
	v.Helper()
	books, err := v.world.Books(v.Context())
	v.check(err)
	got := map[string]int64{}
	for _, c := range books.Credits {
		got[c.Handle] += c.Quantity
	}
	for n := range v.grants {
		if handle := fmt.Sprintf("person_%d", n); got[handle] != 50 {
			v.Errorf("@%s got %d Stars, and 50 are written", handle, got[handle])
		}
	}
	if len(got) != v.grants || len(books.Strays) != 0 {
		v.Errorf("%d people got something and %d are written; strays: %v", len(got), v.grants, books.Strays)
	}
	if out, code := v.run(v.clone(), nil, "ledger", "audit"); code != 0 {
		v.Errorf("audit: exit status %d: %s", code, out)
	}
	if out, code := v.run(v.clone(), nil, "ledger", "verify"); code != 0 {
		v.Errorf("verify: exit status %d: %s", code, out)
	}
}

// Of fresh clones that apply the same merge at once one buys, and nobody is
// paid twice or forgotten. CLONES=n is how many.
func TestClonesTogether(t *testing.T) {
	for _, where := range []string{onBranch, inPostgres} {
		t.Run(where, func(t *testing.T) { clonesTogether(t, where) })
	}
}

func clonesTogether(t *testing.T, where string) {
	n, grants, rounds := number(t, "CLONES", 4), 8, 1
	if thorough() {
		grants, rounds = 2000, 5
	}
	v := founded(t, where)
	begin := time.Now()
	won, refused := 0, 0
	for range rounds {
		v.grants += grants
		race := make([]*exec.Cmd, n)
		out := make([]bytes.Buffer, n)
		for i := range race {
			race[i] = v.start(v.clone(), &out[i], "apply", "-auto-approve")
		}
		for i := range race {
			switch said := out[i].String; v.wait(race[i]) {
			case 0:
				won++
			case 1:
				refused++
				if !strings.Contains(said(), "another run") && !strings.Contains(said(), "the ledger is locked by") {
					t.Errorf("a loser says: %s", said())
				}
			}
		}
		v.leave()
		v.settle()
	}
	v.agree()
	t.Logf("%d rounds of %d clones: %d came to an end, %d were refused; %d grants in %s", rounds, n, won, refused, v.grants, time.Since(begin).Round(time.Second))
	if where == onBranch {
		t.Logf("%s commits on the branch", v.git("hub.git", "rev-list", "--count", "fragplan-ledger"))
	}
}

// However often a runner is killed, and though each run begins in a fresh
// clone, everybody gets just what is written. KILLS=n is how many kills.
func TestClonesKilled(t *testing.T) {
	for _, where := range []string{onBranch, inPostgres} {
		t.Run(where, func(t *testing.T) { clonesKilled(t, where) })
	}
}

func clonesKilled(t *testing.T, where string) {
	kills := 5
	if thorough() {
		kills = number(t, "CLONEKILLS", 200)
	}
	v := founded(t, where)
	r := rand.New(rand.NewPCG(1, 2))
	begin, killed := time.Now(), 0
	for killed < kills {
		v.grants += 1 + r.IntN(6)
		for range 1 + r.IntN(3) {
			after := time.Duration(r.IntN(1500)) * time.Millisecond
			said, code := v.run(v.clone(), func(c *exec.Cmd) {
				time.Sleep(after) // the moment is what is tried
				_ = c.Process.Kill()
			}, "apply", "-auto-approve")
			switch {
			case code == -1:
				killed++
			case code != 0 && !strings.Contains(said, "the ledger is locked by"):
				t.Fatalf("exit status %d: %s", code, said)
			}
			v.leave()
		}
		v.settle()
	}
	v.agree()
	t.Logf("%d kills, each in a fresh clone: %d grants in %s", killed, v.grants, time.Since(begin).Round(time.Second))
}
