package sqlite_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// A process that was stopped for longer than its lease, and then goes on, can
// change nothing: its next write says that another took over.
func TestAStoppedProcessWakesWithoutPower(t *testing.T) {
	if path := os.Getenv("FRAGPLAN_TEST_STOP_WITH"); path != "" {
		stopped(t, path)
		return
	}
	_, path := create(t)
	child := exec.Command(os.Args[0], "-test.run=^TestAStoppedProcessWakesWithoutPower$")
	child.Env = append(os.Environ(), "FRAGPLAN_TEST_STOP_WITH="+path)
	in, out := must(child.StdinPipe()), must(child.StdoutPipe())
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "locked" {
		t.Fatalf("the child says %q", lines.Text())
	}
	if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var state syscall.WaitStatus
	if _, err := syscall.Wait4(child.Process.Pid, &state, syscall.WUNTRACED, nil); err != nil || !state.Stopped() {
		t.Fatalf("the child has not stopped: %v, %v", state, err)
	}
	s := second(t, path)
	s.Lease = sqlite.Lease // its own beats come too late for this test
	old := time.Now().Add(-2 * sqlite.Lease).UTC().Format("2006-01-02T15:04:05Z")
	text := string(must(os.ReadFile(path + ".lock")))
	from, to, _ := strings.Cut(text, `"beat":"`)
	if err := os.WriteFile(path+".lock", []byte(from+`"beat":"`+old+to[len(old):]), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Lock(t.Context(), "newcomer"); err != nil {
		t.Fatal(err)
	}
	put(t, s, reserved(1))
	head, want := must(s.Head(t.Context())), note(t, path)
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, "go on")
	if !lines.Scan() || lines.Text() != "powerless" {
		t.Errorf("the child says %q", lines.Text())
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	if got := must(s.Head(t.Context())); got != head {
		t.Errorf("the log grew from %d to %d", head.Seq, got.Seq)
	}
	if got := note(t, path); got != want {
		t.Errorf("the lock says %+v, want %+v", got, want)
	}
}

// stopped is the child: it holds the ledger, is stopped, and goes on when it
// reads a line.
func stopped(t *testing.T, path string) {
	s := must(sqlite.Open(t.Context(), path))
	if err := s.Lock(t.Context(), "stopped"); err != nil {
		t.Fatal(err)
	}
	fmt.Println("locked")
	if !bufio.NewScanner(os.Stdin).Scan() {
		t.Fatal("nobody said to go on")
	}
	if err := s.Append(t.Context(), []ledger.Event{reserved(1)}); errors.Is(err, sqlite.ErrEpoch) {
		fmt.Println("powerless")
	} else {
		fmt.Println("it wrote:", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
