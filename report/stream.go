package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fragplan/fragplan/reconcile"
)

// JSONStream returns a handler that writes a JSON object a line. The first
// has the type "version"; every one has @level, @message, @module,
// @timestamp (RFC 3339, UTC) and type: planned_change, diagnostic,
// change_summary, apply_progress, apply_complete (one order is paid) or
// apply_errored. A command that fails ends with diagnostics. Readers show
// @message of types that they don't know.
func JSONStream(w io.Writer, version string, now func() time.Time) Handler {
	s := &stream{w: w, now: now}
	_ = s.write("info", "version", "fragplan "+version, record{Version: version, FormatVersion: JSONFormat})
	return s
}

type stream struct {
	w    io.Writer
	now  func() time.Time
	todo work
}

// A Diagnostic is something that people must know: why a command failed, or
// what an interrupt did.
type Diagnostic struct {
	Severity string `json:"severity"` // error or warning
	Summary  string `json:"summary"`
	Detail   string `json:"detail,omitempty"` // what to try
	Rule     string `json:"rule,omitempty"`
	File     string `json:"file,omitempty"`   // of the project, with slashes
	Line     int    `json:"line,omitempty"`   // from 1
	Column   int    `json:"column,omitempty"` // from 1
	Source   string `json:"source,omitempty"` // the part of the line around the column, without secrets
	Caret    *int   `json:"caret,omitempty"`  // how many characters of source stand before the column
}

// DiagnosticJSON writes a diagnostic as one record of JSONStream's shape.
// Every command that prints JSON ends with them when it fails.
func DiagnosticJSON(w io.Writer, d Diagnostic, now time.Time) error {
	level := "error"
	if d.Severity == "warning" {
		level = "warn"
	}
	return (&stream{w: w, now: func() time.Time { return now }}).write(level, "diagnostic", d.Summary, record{Diagnostic: &d})
}

type record struct {
	Level         string        `json:"@level"`
	Message       string        `json:"@message"`
	Module        string        `json:"@module"`
	Timestamp     string        `json:"@timestamp"`
	Type          string        `json:"type"`
	Version       string        `json:"fragplan,omitempty"`
	FormatVersion string        `json:"format_version,omitempty"`
	Change        *jsonAction   `json:"change,omitempty"`
	Diagnostic    *Diagnostic   `json:"diagnostic,omitempty"`
	Plan          *jsonSummary  `json:"plan,omitempty"`
	Digest        string        `json:"digest,omitempty"`
	Hook          *jsonProgress `json:"hook,omitempty"`
	Result        *jsonResult   `json:"result,omitempty"`
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
	Waiting     int           `json:"waiting"`           // for their turn, such as Premium that still runs
	Blocked     int           `json:"blocked"`           // lines of the plan that somebody must mend first
	Offered     int           `json:"offered,omitempty"` // a person was asked to pay them
	Left        int           `json:"left"`              // planned, and neither bought nor failed
	Undelivered int           `json:"undelivered"`
	Settled     int           `json:"settled"`
	Payments    int           `json:"payments"`
	Spent       *jsonAmount   `json:"spent"`
	SpentUSDT   *jsonAmount   `json:"spent_usdt,omitempty"`
	Gas         *jsonAmount   `json:"gas,omitempty"` // sent along with USDT; most of it comes back
	Fees        *jsonAmount   `json:"fees"`
	Problems    []jsonProblem `json:"problems"`
}

func (s *stream) write(level, kind, message string, r record) error {
	r.Level, r.Type, r.Message, r.Module = level, kind, Clean(message, 1000), "fragplan"
	r.Timestamp = s.now().UTC().Format("2006-01-02T15:04:05.000000Z")
	return writeJSON(s.w, r)
}

func (s *stream) Plan(p *reconcile.Plan) {
	for _, v := range p.Violations {
		file, line, _ := strings.Cut(v.Place, ":")
		n, _ := strconv.Atoi(line)
		_ = s.write("error", "diagnostic", v.Message, record{Diagnostic: &Diagnostic{Severity: "error", Summary: v.Message, Rule: v.Rule, File: file, Line: n}})
	}
	for _, v := range p.Warnings {
		file, line, _ := strings.Cut(strings.Join(v.Places[:min(1, len(v.Places))], ""), ":")
		n, _ := strconv.Atoi(line)
		_ = s.write("warn", "diagnostic", v.Message, record{Diagnostic: &Diagnostic{Severity: "warning", Summary: v.Message, Rule: v.Rule, File: file, Line: n}})
	}
	for _, a := range p.Actions {
		if a.Verb == reconcile.NoOp {
			continue
		}
		j := actionOf(a)
		_ = s.write("info", "planned_change", fmt.Sprintf("%s: %s %s for @%s", a.Key, j.Action, a.Item, a.Handle), record{Change: &j})
	}
	s.todo = workOf(p)
	sum := summaryOf(p)
	_ = s.write("info", "change_summary", summary(p), record{Plan: &sum, Digest: p.Digest().String()})
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
	case "dead", "undelivered", "changed":
		level = "warn"
	}
	_ = s.write(level, kind, progressLine(p), record{Hook: &j})
}

func (s *stream) Done(r reconcile.Result, err error) {
	if s.todo.unbegun(r, err) {
		return
	}
	failed := failures(r)
	j := jsonResult{
		Run: int64(r.Run), Bought: len(r.Bought), Offered: len(r.Offered), Failed: failed, Waiting: len(r.Problems) - failed, Blocked: s.todo.blocked, Left: s.todo.left(r, err), Undelivered: len(r.Undelivered), Settled: r.Settled,
		Payments: r.Payments, Spent: amount(r.Spent.Amount()), Fees: amount(r.Fees.Amount()), Problems: []jsonProblem{},
	}
	if r.SpentUSDT.Units > 0 {
		j.SpentUSDT = amount(r.SpentUSDT)
	}
	if r.Gas > 0 {
		j.Gas = amount(r.Gas.Amount())
	}
	for _, p := range r.Problems {
		j.Problems = append(j.Problems, jsonProblem{p.Key, p.Code, p.Reason})
	}
	_ = s.write("info", "change_summary", s.todo.outcome(r, err), record{Result: &j})
}

func (s *stream) Warn(text string) {
	_ = s.write("warn", "diagnostic", text, record{Diagnostic: &Diagnostic{Severity: "warning", Summary: text}})
}
