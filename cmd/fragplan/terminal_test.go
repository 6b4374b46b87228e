package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
)

// Only the whole word buys; everything else, also the end of the input and an
// interrupt, cancels, and the cursor is left at the beginning of a line.
func TestAsk(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		interrupted bool
		buys        bool
	}{
		{name: "yes", typed: "yes\n", buys: true},
		{name: "yes and spaces", typed: " yes \r\n", buys: true},
		{name: "y", typed: "y\n"},
		{name: "no", typed: "no\n"},
		{name: "capitals", typed: "YES\n"},
		{name: "nothing", typed: "\n"},
		{name: "end of input", typed: ""},
		{name: "interrupt", interrupted: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			p := &program{stdin: strings.NewReader(c.typed), stdout: &out, interrupt: make(chan struct{})}
			if c.interrupted {
				r, w := io.Pipe() // nobody types
				defer w.Close()
				p.stdin = r
				close(p.interrupt)
			}
			warn := func(string) {}
			p.warn.Store(&warn)
			err := p.ask()
			if bought := err == nil; bought != c.buys || !bought && !errors.Is(err, errCancelled) {
				t.Errorf("answer: %v", err)
			}
			if (p.warn.Load() != nil) != c.buys {
				t.Error("after a no nothing is under way, after a yes it is")
			}
			if ended := !strings.HasSuffix(out.String(), ": "); !c.buys && !strings.HasSuffix(c.typed, "\n") && !ended {
				t.Errorf("the line is not ended: %q", out.String())
			}
		})
	}
}

// The first interrupt ends what spends nothing. While money may be under way
// it begins a clean stop, which is told, and the second ends the program.
func TestInterrupts(t *testing.T) {
	for _, buying := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := &program{interrupt: make(chan struct{})}
			told, cancelled := "", false
			if buying {
				warn := func(text string) { told = text }
				p.warn.Store(&warn)
			}
			signals := make(chan os.Signal, 2)
			go p.listen(signals, func() { cancelled = true })
			signals <- os.Interrupt
			synctest.Wait()
			<-p.interrupt
			if cancelled == buying || (told != "") != buying {
				t.Errorf("buying %v: cancelled %v, told %q", buying, cancelled, told)
			}
			signals <- os.Interrupt
			synctest.Wait()
			if !cancelled {
				t.Error("the second interrupt does not end the program")
			}
		})
	}
}
