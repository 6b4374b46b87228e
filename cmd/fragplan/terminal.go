package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/fragplan/fragplan/report"
)

var errCancelled = errors.New("apply cancelled: nothing was bought")

// ask wants the whole word, as Terraform does. An interrupt is a no.
func (p *program) ask() error {
	warn := p.warn.Swap(nil) // nothing is under way
	if err := p.asks("\nDo you want to buy this? The money can't come back."); err != nil {
		return err
	}
	p.warn.Store(warn)
	fmt.Fprint(p.stdout, "\nBuying. Ctrl-C stops cleanly.\n")
	return nil
}

func (p *program) asks(question string) error {
	fmt.Fprint(p.stdout, question+"\nOnly 'yes' is accepted: ")
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		answers <- answer{line, err}
	}()
	var a answer
	select {
	case <-p.interrupt:
	case a = <-answers:
	}
	if !strings.HasSuffix(a.line, "\n") {
		fmt.Fprintln(p.stdout)
	}
	if strings.TrimSpace(a.line) != "yes" {
		if a.err != nil && a.err != io.EOF {
			return fmt.Errorf("reading the answer: %w", a.err)
		}
		return errCancelled
	}
	return nil
}

func (p *program) terminal() bool {
	f, ok := p.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p *program) style() report.Style {
	width := p.width()
	return report.Style{Color: width > 0 && !p.plain && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb", Width: width, Now: time.Now()}
}

// width is that of the terminal that stdout is, or 0.
func (p *program) width() int {
	f, ok := p.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// handler shows what happens. From now on an interrupt is a clean stop.
func (p *program) handler(asJSON bool) report.Handler {
	var h report.Handler
	switch {
	case asJSON:
		h = report.JSONStream(p.stdout, version(), time.Now)
	case p.width() > 0 && p.getenv("TERM") != "dumb":
		h = report.Live(p.stdout, p.style(), p.width)
	default:
		h = report.Lines(p.stdout, p.style())
	}
	warn := h.Warn
	p.warn.Store(&warn)
	return h
}
