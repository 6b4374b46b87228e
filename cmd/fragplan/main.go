// Command fragplan plans and buys what a Telegram community gives: Stars,
// Premium and top-ups, from YAML, exactly once.
//
// It parses flags, opens files and wires the rooms together. It decides
// nothing about money.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	_ "time/tzdata" // time zones also where the system has none

	"github.com/fragplan/fragplan/ton"
)

func main() {
	sparing()
	os.Exit(start("", ton.USDTMaster))
}

// Garbage may take three quarters of what is in use, and from generous bytes in
// use on less: a plan of 10,000 grants fits in 100 MB then, and large files don't
// take twice what they need.
const (
	garbage  = 75 // percent
	generous = 440 << 20
)

// sparing leaves both to GOGC and GOMEMLIMIT where somebody has set those.
func sparing() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(generous)
	}
}

// start runs the command line of this process, with Fragment at a URL and a
// contract that makes USDT.
func start(fragmentURL string, usdtMaster ton.Address) int {
	p := &program{
		fragmentURL: fragmentURL, usdtMaster: usdtMaster,
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		interrupt: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go p.listen(signals, cancel)
	return p.run(ctx)
}

// listen ends the program at the first interrupt, or at the second if the
// first began a clean stop. After that, the system's own way to end it works.
func (p *program) listen(signals chan os.Signal, cancel func()) {
	<-signals
	warn := p.warn.Load()
	close(p.interrupt)
	if warn != nil {
		(*warn)("Stopping: nothing new is begun, and what is under way is watched to its end. Interrupt again to stop at once.")
		<-signals
	}
	signal.Stop(signals)
	cancel()
}

// interrupted reports whether somebody has asked the program to stop.
func (p *program) interrupted() bool {
	select {
	case <-p.interrupt:
		return true
	default:
		return false
	}
}

// program is the command as a value: everything that it takes from the
// process stands here.
type program struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	interrupt      chan struct{}                // closed by the first interrupt
	warn           atomic.Pointer[func(string)] // tells of a clean stop; nil while nothing can be under way

	misread  error    // of a command line that asked for help on nothing
	collects bool     // warnings become part of what is printed as JSON
	warnings []string // that were collected

	fragmentURL string      // where Fragment is; "" is the live service, and only tests have another
	usdtMaster  ton.Address // mainnet's, and only tests have another

	dir     string // -chdir
	sandbox bool   // -sandbox
	metrics string // -metrics-file of apply
	plain   bool   // -no-color
}

// exit is an error that carries its own exit status and was reported already
// if it wraps nothing.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func (p *program) run(ctx context.Context) int {
	root := p.root()
	root.SetArgs(longFlags(root, p.args))
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = p.misread
	}
	if err == nil {
		return 0
	}
	code := 1
	var e *exit
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	if ctx.Err() != nil && !errors.Is(err, errCancelled) {
		err = errStopped
		if p.warn.Load() != nil {
			err = errStoppedBuying
		}
	}
	p.complain(err, printsJSON(c, p.args))
	return code
}
