//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger/sqlite"
)

// Of applies that start at the same moment, also on a project without a
// ledger, one buys. The others say who holds the ledger, and nobody pays twice.
func TestTogether(t *testing.T) {
	binary := command(t)
	for _, n := range []int{2, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			v := doomed(t, binary, uint64(n), &toll{killed: map[string][2]int{}})
			rounds := 1
			if thorough() {
				rounds = 5
			}
			for range rounds {
				v.change()
				v.set("blocks", "off") // nobody is done before all have tried
				race := make([]*racer, n)
				ended := make(chan *racer, n)
				for i := range race {
					race[i] = v.start()
					go func() { race[i].wait(); ended <- race[i] }()
				}
				for range n - 1 {
					r := <-ended
					if r.code() != 1 || !strings.Contains(r.text(), "the ledger is locked by") || !strings.Contains(r.text(), "process ") {
						t.Errorf("exit status %d: %s", r.code(), r.text())
					}
				}
				v.set("blocks", "on")
				if r := <-ended; r.code() != 0 {
					t.Errorf("the winner: exit status %d: %s", r.code(), r.text())
				}
				v.compare()
			}
			v.agree()
		})
	}
}

// racer is an apply in a process of its own.
type racer struct {
	c      *exec.Cmd
	out    *bufio.Scanner
	said   bytes.Buffer // its JSON lines so far
	faults bytes.Buffer // its stderr
	err    error
}

func (v *victim) start(wrap ...string) *racer {
	v.Helper()
	args := append(wrap, v.binary, "-chdir", v.dir, "-sandbox", "apply", "-auto-approve", "-json")
	r := &racer{c: exec.Command(args[0], args[1:]...)}
	r.c.Stderr = &r.faults
	out, err := r.c.StdoutPipe()
	if err != nil {
		v.Fatal(err)
	}
	r.out = bufio.NewScanner(out)
	r.out.Buffer(nil, 1<<20)
	if err := r.c.Start(); err != nil {
		v.Fatal(err)
	}
	return r
}

// until reads lines up to one of that stage and reports whether there was one.
func (r *racer) until(stage string) bool {
	for r.out.Scan() {
		fmt.Fprintf(&r.said, "%s\n", r.out.Text())
		var l line
		if json.Unmarshal(r.out.Bytes(), &l) == nil && l.stage() == stage {
			return true
		}
	}
	return false
}

func (r *racer) wait() {
	r.until("none")
	r.err = r.c.Wait()
	r.said.Write(r.faults.Bytes())
}

// text is the end of what it said: the errors.
func (r *racer) text() string { s := r.said.String(); return s[max(0, len(s)-2000):] }

// code is the exit status, -1 for a process that was killed.
func (r *racer) code() int {
	var exit *exec.ExitError
	if errors.As(r.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// An apply that was stopped for longer than its lease, whatever it was doing,
// wakes up without power: meanwhile another has bought what was left, and the
// woken one pays nobody and says why it ends.
func TestPaused(t *testing.T) {
	binary := command(t)
	stages := []string{"opened", "signed"}
	if thorough() {
		stages = append(stages, "planned", "quoted", "armed", "paid") // it may be in the midst of a write, which takes a while
	}
	for i, stage := range stages {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			v := doomed(t, binary, uint64(20+i), &toll{killed: map[string][2]int{}})
			v.change()
			if stage == "signed" {
				v.set("blocks", "off") // so that it waits
			}
			paused := v.start()
			if !paused.until(stage) {
				paused.wait()
				t.Fatalf("it never came to %s: %v\n%s", stage, paused.err, paused.text())
			}
			pid := paused.c.Process.Pid
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			var state syscall.WaitStatus
			if _, err := syscall.Wait4(pid, &state, syscall.WUNTRACED, nil); err != nil || !state.Stopped() {
				t.Fatalf("it has not stopped: %v, %v", state, err)
			}
			early := v.start()
			early.wait()
			if early.code() != 1 || !strings.Contains(early.text(), "the ledger is locked by") {
				t.Errorf("within the lease: exit status %d: %s", early.code(), early.text())
			}
			v.set("blocks", "on")
			v.silent(2 * sqlite.Lease)
			other := v.start()
			other.wait()
			// SQLite's own lock on the file has no lease: whoever is stopped in
			// the midst of a write is waited for.
			midst := other.code() == 1 && strings.Contains(other.text(), "stopped while it wrote")
			if other.code() != 0 && !midst {
				t.Errorf("past the lease: exit status %d: %s", other.code(), other.text())
			}
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			paused.wait()
			if !midst && (paused.code() != 1 || !strings.Contains(paused.text(), "another writer has taken the ledger over")) {
				t.Errorf("woken: exit status %d: %s", paused.code(), paused.text())
			}
			if midst {
				v.run(nil)
			}
			v.compare()
			v.agree()
		})
	}
}

// silent lets the holder of the ledger's lock look as if it had shown no sign
// of life for so long.
func (v *victim) silent(age time.Duration) {
	v.Helper()
	name := filepath.Join(v.dir, ".fragplan", "sandbox", "ledger.db.lock")
	b, err := os.ReadFile(name)
	if err != nil {
		v.Fatal(err)
	}
	from, to, ok := strings.Cut(string(b), `"beat":"`)
	beat := time.Now().Add(-age).UTC().Format("2006-01-02T15:04:05Z")
	if !ok {
		v.Fatalf("the lock says %q", b)
	}
	if err := os.WriteFile(name, []byte(from+`"beat":"`+beat+to[len(beat):]), 0o600); err != nil {
		v.Fatal(err)
	}
}
