package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fragplan/fragplan/reconcile"
)

// A Handler shows an apply while it runs. Its methods are called one after
// another: Plan first, Done last. What can't be written is dropped; a run
// never ends because nobody can watch it.
type Handler interface {
	Plan(*reconcile.Plan)
	Progress(reconcile.Progress)
	Done(reconcile.Result, error)
}

func progressLine(p reconcile.Progress) string {
	var words []string
	if p.Key != "" {
		words = append(words, Clean(p.Key, cellWidth)+":")
	} else if p.Payment != 0 {
		words = append(words, fmt.Sprintf("payment %d:", p.Payment))
	}
	words = append(words, Clean(p.Stage, 20))
	if p.Item.Quantity != 0 {
		words = append(words, Clean(p.Item.String(), cellWidth))
	}
	if p.Handle != "" {
		words = append(words, "for @"+Clean(p.Handle, cellWidth))
	}
	if p.Amount.Units != 0 {
		words = append(words, "at "+Clean(p.Amount.String(), cellWidth))
	}
	switch {
	case p.Orders == 1:
		words = append(words, "with 1 order")
	case p.Orders > 1:
		words = append(words, fmt.Sprintf("with %d orders", p.Orders))
	}
	line := strings.Join(words, " ")
	if p.Text != "" {
		line += ": " + Clean(p.Text, 400)
	}
	return line
}

// outcome is the last line of an apply.
func outcome(r reconcile.Result, err error) string {
	word := "Apply complete!"
	if err != nil || len(r.Problems) > 0 {
		word = "Apply incomplete."
	}
	payments := "payments"
	if r.Payments == 1 {
		payments = "payment"
	}
	return fmt.Sprintf("%s %d bought, %d failed. Paid %s and %s of fees in %d %s.",
		word, len(r.Bought), len(r.Problems), r.Spent.Amount(), r.Fees.Amount(), r.Payments, payments)
}

func finish(w io.Writer, r reconcile.Result, err error, s Style) {
	for _, p := range r.Problems {
		fmt.Fprintf(w, "%s %s: %s\n", s.paint(red, "!"), Clean(p.Key, cellWidth), Clean(p.Reason, 400))
	}
	if n := len(r.Undelivered); n > 0 {
		fmt.Fprintf(w, "%s %d paid and not acknowledged by Fragment yet; the next apply asks again.\n", s.paint(yellow, "?"), n)
	}
	if r.Settled > 0 {
		fmt.Fprintf(w, "%d of earlier runs settled first.\n", r.Settled)
	}
	if err != nil {
		fmt.Fprintf(w, "%s %s\n", s.paint(red, "Error:"), Clean(err.Error(), 1000))
	}
	line, color := outcome(r, err), bold+";"+green
	if err != nil || len(r.Problems) > 0 {
		color = bold
	}
	first := strings.IndexAny(line, "!.") + 1
	fmt.Fprintf(w, "%s%s\n", s.paint(color, line[:first]), line[first:])
}

// Lines returns a handler that writes one line an event.
func Lines(w io.Writer, s Style) Handler { return lines{w, s} }

type lines struct {
	w io.Writer
	s Style
}

func (l lines) Plan(p *reconcile.Plan)             { _ = Plan(l.w, p, l.s, false) }
func (l lines) Progress(p reconcile.Progress)      { fmt.Fprintln(l.w, progressLine(p)) }
func (l lines) Done(r reconcile.Result, err error) { finish(l.w, r, err, l.s) }

// Table returns a handler for a terminal: counts that are redrawn in one
// line, and a line that stays for everything that went wrong.
func Table(w io.Writer, s Style) Handler { return &table{w: w, s: s} }

type table struct {
	w                 io.Writer
	s                 Style
	total             int
	quoted, paid, bad int
}

const clearLine = "\r\x1b[K"

func (t *table) Plan(p *reconcile.Plan) {
	_ = Plan(t.w, p, t.s, false)
	sum := p.Summary()
	t.total = sum.Buy + sum.TopUp
}

func (t *table) Progress(p reconcile.Progress) {
	line := progressLine(p)
	switch p.Stage {
	case "quoted":
		t.quoted++
	case "paid":
		t.paid++
	case "refused", "dead", "undelivered":
		if p.Stage == "refused" {
			t.bad++
		}
		fmt.Fprintf(t.w, "%s%s %s\n", clearLine, t.s.paint(yellow, "!"), line)
	}
	status := fmt.Sprintf("%d offers, %d paid, %d failed of %d | %s", t.quoted, t.paid, t.bad, t.total, line)
	width := 79
	if t.s.Width > 1 {
		width = t.s.Width - 1 // a full last column would wrap
	}
	fmt.Fprint(t.w, clearLine+Clean(status, width))
}

func (t *table) Done(r reconcile.Result, err error) {
	fmt.Fprint(t.w, clearLine)
	finish(t.w, r, err, t.s)
}

// JSONStream returns a handler that writes a JSON object a line. The first
// has the type "version"; every one has @level, @message, @module,
// @timestamp (RFC 3339, UTC) and type: planned_change, diagnostic,
// change_summary, apply_progress, apply_complete (one order is paid) or
// apply_errored. Readers show @message of types that they don't know.
func JSONStream(w io.Writer, version string, now func() time.Time) Handler {
	s := &stream{w, now}
	s.write("info", "version", "fragplan "+version, record{Version: version, FormatVersion: JSONFormat})
	return s
}

type stream struct {
	w   io.Writer
	now func() time.Time
}

type record struct {
	Level         string         `json:"@level"`
	Message       string         `json:"@message"`
	Module        string         `json:"@module"`
	Timestamp     string         `json:"@timestamp"`
	Type          string         `json:"type"`
	Version       string         `json:"fragplan,omitempty"`
	FormatVersion string         `json:"format_version,omitempty"`
	Change        *jsonAction    `json:"change,omitempty"`
	Violation     *jsonViolation `json:"violation,omitempty"`
	Plan          *jsonSummary   `json:"plan,omitempty"`
	Digest        string         `json:"digest,omitempty"`
	Hook          *jsonProgress  `json:"hook,omitempty"`
	Result        *jsonResult    `json:"result,omitempty"`
}

type jsonProgress struct {
	Stage    string      `json:"stage"`
	Key      string      `json:"key,omitempty"`
	Handle   string      `json:"handle,omitempty"`
	Product  string      `json:"product,omitempty"`
	Quantity int64       `json:"quantity,omitempty"`
	Order    int64       `json:"order,omitempty"`
	Payment  int64       `json:"payment,omitempty"`
	Orders   int         `json:"orders,omitempty"`
	Amount   *jsonAmount `json:"amount,omitempty"`
	Text     string      `json:"text,omitempty"`
}

type jsonProblem struct {
	Key    string `json:"key"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

type jsonResult struct {
	Run         int64         `json:"run"`
	Bought      int           `json:"bought"`
	Failed      int           `json:"failed"`
	Undelivered int           `json:"undelivered"`
	Settled     int           `json:"settled"`
	Payments    int           `json:"payments"`
	Spent       *jsonAmount   `json:"spent"`
	Fees        *jsonAmount   `json:"fees"`
	Problems    []jsonProblem `json:"problems"`
}

func (s *stream) write(level, kind, message string, r record) {
	r.Level, r.Type, r.Message, r.Module = level, kind, Clean(message, 1000), "fragplan"
	r.Timestamp = s.now().UTC().Format("2006-01-02T15:04:05.000000Z")
	_ = writeJSON(s.w, r)
}

func (s *stream) Plan(p *reconcile.Plan) {
	for _, v := range p.Violations {
		s.write("error", "diagnostic", v.Message, record{Violation: &jsonViolation{v.Rule, v.Message, v.Place}})
	}
	for _, a := range p.Actions {
		if a.Verb == reconcile.NoOp {
			continue
		}
		j := actionOf(a)
		s.write("info", "planned_change", fmt.Sprintf("%s: %s %s for @%s", a.Key, j.Action, a.Item, a.Handle), record{Change: &j})
	}
	sum := summaryOf(p.Summary())
	s.write("info", "change_summary", summary(p), record{Plan: &sum, Digest: p.Digest().String()})
}

func (s *stream) Progress(p reconcile.Progress) {
	j := jsonProgress{
		Stage: p.Stage, Key: p.Key, Handle: p.Handle, Product: string(p.Item.Kind), Quantity: p.Item.Quantity,
		Order: int64(p.Order), Payment: int64(p.Payment), Orders: p.Orders, Text: p.Text,
	}
	if p.Amount.Asset != "" {
		j.Amount = amount(p.Amount)
	}
	level, kind := "info", "apply_progress"
	switch p.Stage {
	case "paid":
		kind = "apply_complete"
	case "refused":
		level, kind = "error", "apply_errored"
	case "dead", "undelivered":
		level = "warn"
	}
	s.write(level, kind, progressLine(p), record{Hook: &j})
}

func (s *stream) Done(r reconcile.Result, err error) {
	if err != nil {
		s.write("error", "diagnostic", err.Error(), record{})
	}
	j := jsonResult{
		Run: int64(r.Run), Bought: len(r.Bought), Failed: len(r.Problems), Undelivered: len(r.Undelivered), Settled: r.Settled,
		Payments: r.Payments, Spent: amount(r.Spent.Amount()), Fees: amount(r.Fees.Amount()), Problems: []jsonProblem{},
	}
	for _, p := range r.Problems {
		j.Problems = append(j.Problems, jsonProblem{p.Key, p.Code, p.Reason})
	}
	s.write("info", "change_summary", outcome(r, err), record{Result: &j})
}
