package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/fragplan/fragplan/reconcile"
)

// Table returns a handler for a terminal: a line stays for everything that
// was paid or went wrong, and the last line is drawn anew with the counts and
// with what happens now, also while nothing happens. What has scrolled away
// is never drawn again, so neither many grants nor another size of the window
// can break it. Width is asked before each drawing; nil means s.Width.
func Table(w io.Writer, s Style, width func() int) Handler {
	if width == nil {
		width = func() int { return s.Width }
	}
	return &table{w: w, s: s, width: width}
}

type table struct {
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

func (t *table) Plan(p *reconcile.Plan) {
	t.clear()
	_ = Plan(t.w, p, t.s, false)
	t.todo, t.paid, t.delivered, t.failed = workOf(p), 0, 0, 0
}

func (t *table) Progress(p reconcile.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	stay := t.count(p)
	if stay != "" {
		fmt.Fprintf(t.w, "%s%s%s\n", clearLine, indent, stay)
	}
	t.now, t.since = progressLine(p), time.Now()
	t.draw()
	if t.quiet == nil {
		t.quiet, t.stopped = make(chan struct{}), make(chan struct{})
		go t.beat(t.quiet, t.stopped)
	}
}

// count counts an event and returns the line that stays of it, if any.
func (t *table) count(p reconcile.Progress) string {
	switch p.Stage {
	case "paid":
		t.paid++
		return t.s.paint(green, "paid") + strings.TrimPrefix(t.fit(paidLine(p)), "paid")
	case "delivered":
		t.delivered++
	case "refused":
		t.failed++
		return t.s.paint(red, "!") + strings.TrimPrefix(t.fit("! "+progressLine(p)), "!")
	case "recognized":
		return t.fit(progressLine(p))
	case "dead", "undelivered", "changed":
		return t.s.paint(yellow, "?") + strings.TrimPrefix(t.fit("? "+progressLine(p)), "?")
	}
	return ""
}

func paidLine(p reconcile.Progress) string {
	p.Stage, p.Text = "", ""
	return "paid  " + strings.Join(strings.Fields(progressLine(p)), " ")
}

// beat draws the line every second, so that people see that it lives.
func (t *table) beat(quiet, stopped chan struct{}) {
	defer close(stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-quiet:
			return
		case <-tick.C:
			t.mu.Lock()
			t.draw()
			t.mu.Unlock()
		}
	}
}

func (t *table) draw() {
	status := t.now
	if t.todo.orders > 0 {
		status = fmt.Sprintf("%d of %d paid", t.paid, t.todo.orders)
		if t.delivered > 0 {
			status += fmt.Sprintf(", %d delivered", t.delivered)
		}
		if t.failed > 0 {
			status += fmt.Sprintf(", %d failed", t.failed)
		}
		status += " | " + t.now
	}
	waited := ""
	if d := time.Since(t.since).Truncate(time.Second); d >= 2*time.Second {
		waited = fmt.Sprintf(" (%s)", d)
	}
	room := t.columns() - textWidth(waited)
	fmt.Fprint(t.w, clearLine+Clean(status, max(room, 1))+waited)
}

// columns is the room of a line: a full last column would wrap.
func (t *table) columns() int {
	if width := t.width(); width > 1 {
		return width - 1
	}
	return 79
}

func (t *table) fit(line string) string { return Clean(line, max(1, t.columns()-len(indent))) }

// clear ends the status line until the next event.
func (t *table) clear() {
	if t.quiet == nil {
		return
	}
	close(t.quiet)
	<-t.stopped
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet = nil
	fmt.Fprint(t.w, clearLine)
}

func (t *table) Warn(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.w, "%s%s\n", clearLine, t.s.prose("", "", text))
	if t.quiet != nil {
		t.draw()
	}
}

func (t *table) Done(r reconcile.Result, err error) {
	t.clear()
	finish(t.w, t.todo, r, err, t.s)
}
