//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A deathbed is where runs over a branch die: at a push, which the server takes
// or not, or at a call of Fragment, before it or between it and its answer.
type deathbed struct {
	*town
	fragment http.Handler
	calls    int // of Fragment, in this run
	callsAt  int // the one at which the run dies, 0: none
	before   bool
}

// dying runs apply in a clone. It dies at the n-th push or call.
func (d *deathbed) dying(clone string, push, call int, before bool) (out string, code int) {
	d.Helper()
	d.calls, d.callsAt, d.before = 0, call, before
	taken := 0
	if before {
		taken = 1 // the status of the hook, by which the server doesn't take it
	}
	for name, n := range map[string]int{"pushes": 0, "at": push, "taken": taken} {
		d.check(os.WriteFile(filepath.Join(d.dir, name), []byte(strconv.Itoa(n)), 0o600))
	}
	var said bytes.Buffer
	fragmentURL := d.world.FragmentURL
	defer func() { d.world.FragmentURL = fragmentURL }()
	server := httptest.NewServer(d)
	defer server.Close()
	d.world.FragmentURL = server.URL
	c := d.command(clone, &said, "apply", "-auto-approve")
	// The shell tells its number and becomes the run.
	c.Args = append([]string{"sh", "-c", `echo $$ > "$0"; exec "$@"`, filepath.Join(d.dir, "pid")}, c.Args...)
	var err error
	c.Path, err = exec.LookPath("sh")
	d.check(err)
	d.check(c.Start())
	code = d.wait(c)
	return said.String(), code
}

// hook is what the repository's server does before it takes a push.
const hook = `#!/bin/sh
cd '%s' || exit 1
n=$(($(cat pushes) + 1))
echo $n > pushes
[ $n = "$(cat at)" ] || exit 0
kill -9 "$(cat pid)"
exit "$(cat taken)"
`

// ServeHTTP is Fragment, at a call of which the run may die.
func (d *deathbed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.calls++
	last := d.calls == d.callsAt
	if last && d.before {
		d.kill()
		return
	}
	answer := httptest.NewRecorder()
	d.fragment.ServeHTTP(answer, r)
	if last {
		d.kill()
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (d *deathbed) kill() {
	b, err := os.ReadFile(filepath.Join(d.dir, "pid"))
	d.check(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	d.check(err)
	d.check(syscall.Kill(pid, syscall.SIGKILL))
}

// However a run over a branch dies around what others can see of it (a push, a
// call of Fragment), whoever applies next gives everybody exactly what is
// written: on the same machine, and in a fresh clone that has the branch alone.
func TestCrashAtEveryPush(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	v := founded(t, onBranch)
	v.check(os.WriteFile(filepath.Join(v.dir, "hub.git", "hooks", "pre-receive"), fmt.Appendf(nil, hook, v.dir), 0o700))
	to, err := url.Parse(v.world.FragmentURL)
	v.check(err)
	d := &deathbed{town: v, fragment: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}}
	strides := map[string]int{"push": 1, "call": 12}
	if thorough() {
		strides["call"] = 1
	}
	for _, place := range []string{"push", "call"} {
		stride := strides[place]
		for _, before := range []bool{true, false} {
			for _, fresh := range []bool{true, false} {
				if fresh != before && !thorough() {
					continue
				}
				deaths := 0
				for n := 1; ; n += stride {
					v.grants += 6 // two payments
					push, call := n, 0
					if place == "call" {
						push, call = 0, n
					}
					clone := v.clone()
					said, code := d.dying(clone, push, call, before)
					if code == 0 {
						break // the run had fewer
					}
					if code != -1 {
						t.Fatalf("%s %d, before %t: exit status %d: %s", place, n, before, code, said)
					}
					deaths++
					v.leave()
					if fresh {
						clone = v.clone()
					}
					if said, code := d.dying(clone, 0, 0, false); code != 0 {
						t.Fatalf("after a death at %s %d, before %t, in a fresh clone %t: exit status %d: %s", place, n, before, fresh, code, said)
					}
				}
				t.Logf("%d deaths at a %s, before it %t, each followed by a fresh clone %t", deaths, place, before, fresh)
				if deaths == 0 {
					t.Errorf("no run died at a %s", place)
				}
			}
		}
	}
	v.agree()
}
