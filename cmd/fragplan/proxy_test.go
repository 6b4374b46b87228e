package main

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// listed is a proxy that lets nothing through and writes down who came.
type listed struct {
	mu   sync.Mutex
	came []string
}

type trapKey struct{}

// trap begins to listen at $TRAP as a proxy; trap FILE writes there which hosts
// were asked of it since, each once.
func trap(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case neg || len(args) > 1:
		ts.Fatalf("usage: trap [FILE]")
	case len(args) == 1:
		l := ts.Value(trapKey{}).(*listed)
		l.mu.Lock()
		defer l.mu.Unlock()
		slices.Sort(l.came)
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(slices.Compact(l.came), "\n")+"\n"), 0o600))
		l.came = nil
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv("TRAP", listener.Addr().String())
	go ts.Value(trapKey{}).(*listed).serve(listener)
}

func (l *listed) serve(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			host := "something else than HTTP"
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				host = r.Method + " " + r.Host
			}
			l.mu.Lock()
			l.came = append(l.came, host)
			l.mu.Unlock()
			_, _ = c.Write([]byte("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		}()
	}
}
