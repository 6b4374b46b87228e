//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// built compiles the command as `make build` does.
func built(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fragplan")
	c := exec.Command("go", "build", "-trimpath", "-o", name, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return name
}

// taken is what a process printed, how it ended and what it took.
type taken struct {
	Out  []byte
	Code int           // -1: by a signal
	CPU  time.Duration // of user and system
	Peak int64         // bytes of memory
}

// spawn runs a command to its end. The peak that a system tells of a process is
// never below what its parent held when it began, so a small process stands
// between it and the tests.
func spawn(t testing.TB, name string, args ...string) (got taken) {
	t.Helper()
	c := exec.Command("fragplan-taken", append([]string{name}, args...)...)
	var out, problem bytes.Buffer
	c.Stdout, c.Stderr = &out, &problem
	if err := c.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, problem.Bytes())
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out.Bytes())
	}
	return got
}

// between is the small process.
func between() {
	c := exec.Command(os.Args[1], os.Args[2:]...)
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := c.ProcessState
	got := taken{Out: out, Code: s.ExitCode(), CPU: s.UserTime() + s.SystemTime()}
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		got.Peak = int64(u.Maxrss)
		if runtime.GOOS != "darwin" {
			got.Peak *= 1024
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
