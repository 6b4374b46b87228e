package report

import (
	"fmt"
	"io"

	"github.com/fragplan/fragplan/reconcile"
)

// Lines returns a handler that writes one line an event, for logs.
func Lines(w io.Writer, s Style) Handler { return &lines{w: w, s: s} }

type lines struct {
	w    io.Writer
	s    Style
	todo work
}

func (l *lines) Plan(p *reconcile.Plan) {
	_ = Plan(l.w, p, l.s, false)
	l.todo = workOf(p)
}

func (l *lines) Progress(p reconcile.Progress) { fmt.Fprintln(l.w, progressLine(p)) }

func (l *lines) Done(r reconcile.Result, err error) { finish(l.w, l.todo, r, err, l.s) }

func (l *lines) Warn(text string) { fmt.Fprintln(l.w, Clean(text, tailWidth)) }
