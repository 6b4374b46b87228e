package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/reconcile"
)

var glyphs = []struct {
	verb        reconcile.Verb
	word, color string
}{
	{reconcile.Buy, "buy", green},
	{reconcile.TopUp, "top up: buy the difference", yellow},
	{reconcile.Retire, "retire", faint},
	{reconcile.Blocked, "blocked", red},
	{reconcile.Unknown, "in flight", magenta},
	{reconcile.Moved, "moved: the same gift under another name", faint},
	{reconcile.Settle, "settled: counts as given", faint},
}

func colorOf(v reconcile.Verb) string {
	for _, g := range glyphs {
		if g.verb == v {
			return g.color
		}
	}
	return ""
}

// Plan writes a plan for people: a legend of the glyphs in use, a line an
// action in the plan's order, what stops it, and the sums. Lines of people who
// have what is written are shown only with showUnchanged.
func Plan(w io.Writer, p *reconcile.Plan, s Style, showUnchanged bool) error {
	var b bytes.Buffer
	legend(&b, p, s)
	var rows [][]string
	var verbs []reconcile.Verb
	for _, a := range p.Actions {
		if a.Verb == reconcile.NoOp && !showUnchanged {
			continue
		}
		verbs = append(verbs, a.Verb)
		rows = append(rows, []string{string(a.Verb), a.Key, a.Item.String(), whom(a), cost(p, a), remark(p, a)})
	}
	if err := s.rows(&b, rows, func(n int) string { return colorOf(verbs[n]) }); err != nil {
		return err
	}
	if len(rows) > 0 {
		b.WriteByte('\n')
	}
	for _, v := range p.Violations {
		fmt.Fprintln(&b, s.prose(red, "Stopped by "+Clean(v.Rule, cellWidth)+":", commands(p, v.Message)))
		if v.Place != "" {
			fmt.Fprintf(&b, "  at %s\n", Clean(v.Place, 0))
		}
		for _, line := range pasted(v.Paste) {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	for _, v := range p.Warnings {
		fmt.Fprintln(&b, s.prose(yellow, "Look at this ("+Clean(v.Rule, cellWidth)+"):", commands(p, v.Message)))
		if len(v.Places) > 0 {
			fmt.Fprintf(&b, "  at %s\n", Clean(strings.Join(v.Places, ", "), 0))
		}
	}
	if len(p.Violations)+len(p.Warnings) > 0 {
		b.WriteByte('\n')
	}
	if p.Sandbox {
		b.WriteString("Sandbox: no real money moves.\n")
	}
	if p.Partial {
		b.WriteString("Partial: lines were left out of this plan.\n")
	}
	if ceilings(p) {
		b.WriteString("Prices are ceilings, the worst case: today's prices were not asked for.\n")
	}
	if old := s.since(p.Created); p.Priced && old >= time.Minute && !sumsOf(p).exact {
		fmt.Fprintf(&b, "Prices are %s old: they were asked %s.\n", age(int64(old/time.Second)), moment(p.Created))
	}
	line := summary(p)
	if rest, ok := strings.CutPrefix(line, "No changes. "); ok {
		line = s.prose(bold+";"+green, "No changes.", rest)
	} else {
		line = s.prose(bold, "Plan:", strings.TrimPrefix(line, "Plan: "))
	}
	b.WriteString(line + "\n" + s.prose("", "", worst(p)) + "\n")
	_, err := w.Write(b.Bytes())
	return err
}

// since is how long an instant in Unix seconds has passed, if that is asked.
func (s Style) since(seconds int64) time.Duration {
	if s.Now.IsZero() {
		return 0
	}
	return s.Now.Sub(time.Unix(seconds, 0))
}

// pasted are lines of YAML, each fit for a terminal.
func pasted(text string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if text != "" {
			lines = append(lines, Clean(line, 0))
		}
	}
	return lines
}

// legend explains only the glyphs that the plan uses.
func legend(b *bytes.Buffer, p *reconcile.Plan, s Style) {
	used := map[reconcile.Verb]bool{}
	for _, a := range p.Actions {
		used[a.Verb] = true
	}
	any := false
	for _, g := range glyphs {
		if used[g.verb] {
			fmt.Fprintf(b, "  %s %s\n", s.paint(g.color, string(g.verb)), g.word)
			any = true
		}
	}
	if any {
		b.WriteByte('\n')
	}
}

// ownCommand finds the commands that a reason of fragplan's own names.
var ownCommand = regexp.MustCompile(`\bfragplan (apply|ledger|payment|plan|reissue)\b`)

// commands lets the commands that a text names act on the rehearsal's ledger,
// if the plan is one of a rehearsal.
func commands(p *reconcile.Plan, text string) string {
	if !p.Sandbox {
		return text
	}
	return ownCommand.ReplaceAllString(text, "fragplan -sandbox $1")
}

// whom is the handle, behind the display name that the ledger knows. A handle
// ends the cell: its letters keep a name in another direction from drawing the
// columns after it.
func whom(a reconcile.Action) string {
	handle := "@" + a.Handle
	if a.Name == "" {
		return handle
	}
	return Clean(a.Name, nameWidth) + " " + handle
}

// remark prefers fragplan's reason to the author's.
func remark(p *reconcile.Plan, a reconcile.Action) string {
	text := commands(p, a.Reason)
	if text == "" {
		text = strings.Join(append(slices.Clone(a.Warn), slices.DeleteFunc([]string{a.Why}, func(s string) bool { return s == "" })...), "; ")
	}
	if a.Verb == reconcile.Blocked && a.Place != "" {
		text += " (" + a.Place + ")"
	}
	return text
}

func summary(p *reconcile.Plan) string {
	t := p.Summary()
	if t.Buy+t.TopUp+t.Retire+t.Blocked+t.Unknown+t.Moved+t.Settled == 0 && len(p.Violations) == 0 {
		return "No changes. Everybody has what is written."
	}
	line := fmt.Sprintf("Plan: %d to buy, %d to top up, %d to retire, %d blocked", t.Buy, t.TopUp, t.Retire, t.Blocked)
	if t.Unknown > 0 {
		line += fmt.Sprintf(", %d in flight", t.Unknown)
	}
	if t.Moved > 0 {
		line += fmt.Sprintf(", %d moved", t.Moved)
	}
	if t.Settled > 0 {
		line += fmt.Sprintf(", %d settled", t.Settled)
	}
	switch {
	case len(p.Violations) > 0:
		return line + ". Stopped: nothing is bought."
	case t.Buy+t.TopUp == 0:
		return line + "."
	}
	return line + ". " + sumsOf(p).sentence(p.Priced)
}

// ceilings reports whether prices are shown that nobody asked for.
func ceilings(p *reconcile.Plan) bool {
	t := p.Summary()
	return !p.Priced && t.Buy+t.TopUp > 0 && !sumsOf(p).exact
}
