package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/fragplan/fragplan/reconcile"
)

// Live returns a handler for a terminal: a line stays for everything that
// was paid or went wrong, and the last line is drawn anew with the counts and
// with what happens now, also while nothing happens. What has scrolled away
// is never drawn again, so neither many grants nor another size of the window
// can break it. Width is asked before each drawing; nil means s.Width.
func Live(w io.Writer, s Style, width func() int) Handler {
	if width == nil {
		width = func() int { return s.Width }
	}
	return &live{w: w, s: s, width: width}
}

type live struct {
	w     io.Writer
	s     Style
	width func() int

	mu        sync.Mutex
	todo      work
	paid      int
	delivered int
	failed    int
	now       string
	since     time.Time
	quiet     chan struct{} // closed when the status line ends
	stopped   chan struct{}
}

const clearLine = "\r\x1b[K"

func (l *live) Plan(p *reconcile.Plan) {
	l.clear()
	_ = Plan(l.w, p, l.s, false)
	l.todo, l.paid, l.delivered, l.failed = workOf(p), 0, 0, 0
}

func (l *live) Progress(p reconcile.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stay := l.count(p)
	if stay != "" {
		fmt.Fprintf(l.w, "%s%s%s\n", clearLine, indent, stay)
	}
	l.now, l.since = progressLine(p), time.Now()
	l.draw()
	if l.quiet == nil {
		l.quiet, l.stopped = make(chan struct{}), make(chan struct{})
		go l.beat(l.quiet, l.stopped)
	}
}

// count counts an event and returns the line that stays of it, if any.
func (l *live) count(p reconcile.Progress) string {
	switch p.Stage {
	case "paid":
		l.paid++
		return l.s.paint(green, "paid") + strings.TrimPrefix(l.fit(paidLine(p)), "paid")
	case "delivered":
		l.delivered++
	case "refused":
		l.failed++
		return l.s.paint(red, "!") + strings.TrimPrefix(l.fit("! "+progressLine(p)), "!")
	case "recognized":
		return l.fit(progressLine(p))
	case "dead", "undelivered", "changed":
		return l.s.paint(yellow, "?") + strings.TrimPrefix(l.fit("? "+progressLine(p)), "?")
	}
	return ""
}

func paidLine(p reconcile.Progress) string {
	p.Stage, p.Text = "", ""
	return "paid  " + strings.Join(strings.Fields(progressLine(p)), " ")
}

// beat draws the line every second, so that people see that it lives.
func (l *live) beat(quiet, stopped chan struct{}) {
	defer close(stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-quiet:
			return
		case <-tick.C:
			l.mu.Lock()
			l.draw()
			l.mu.Unlock()
		}
	}
}

func (l *live) draw() {
	status := l.now
	if l.todo.orders > 0 {
		status = fmt.Sprintf("%d of %d paid", l.paid, l.todo.orders)
		if l.delivered > 0 {
			status += fmt.Sprintf(", %d delivered", l.delivered)
		}
		if l.failed > 0 {
			status += fmt.Sprintf(", %d failed", l.failed)
		}
		status += " | " + l.now
	}
	waited := ""
	if d := time.Since(l.since).Truncate(time.Second); d >= 2*time.Second {
		waited = fmt.Sprintf(" (%s)", d)
	}
	room := l.columns() - textWidth(waited)
	fmt.Fprint(l.w, clearLine+Clean(status, max(room, 1))+waited)
}

// columns is the room of a line: a full last column would wrap.
func (l *live) columns() int {
	if width := l.width(); width > 1 {
		return width - 1
	}
	return 79
}

func (l *live) fit(line string) string { return Clean(line, max(1, l.columns()-len(indent))) }

// clear ends the status line until the next event.
func (l *live) clear() {
	if l.quiet == nil {
		return
	}
	close(l.quiet)
	<-l.stopped
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quiet = nil
	fmt.Fprint(l.w, clearLine)
}

func (l *live) Warn(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%s%s\n", clearLine, l.s.prose("", "", text))
	if l.quiet != nil {
		l.draw()
	}
}

func (l *live) Done(r reconcile.Result, err error) {
	l.clear()
	finish(l.w, l.todo, r, err, l.s)
}
