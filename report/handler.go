package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/reconcile"
)

// A Handler shows an apply while it runs. Its methods are called one after
// another: Progress of what an earlier run left, Plan, Progress of this run,
// Done. What can't be written is dropped; a run never ends because nobody can
// watch it.
type Handler interface {
	Plan(*reconcile.Plan)
	Progress(reconcile.Progress)
	// Done ends the run. The error only decides how the end is worded:
	// whoever called has to print it.
	Done(reconcile.Result, error)
	// Warn shows a text in between; any goroutine may call it at any time.
	Warn(text string)
}

// work is what a plan leaves to do: for apply, and for a person first.
type work struct {
	orders  int // purchases
	asked   int // lines that a person was asked to pay before
	blocked int // lines that somebody must mend before they can be bought
}

func workOf(p *reconcile.Plan) work {
	t := p.Summary()
	w := work{orders: t.Buy + t.TopUp}
	for _, a := range p.Actions {
		switch {
		case a.Failure():
			w.blocked++
		case a.Code == reconcile.CodeOffered:
			w.asked++
		}
	}
	return w
}

// stageWords are the stages of payments, for people.
var stageWords = map[string]string{
	"armed":   "recorded",
	"signed":  "signed and sent",
	"waiting": "waits for the chain",
	"offered": "to be paid by hand:",
	"dead":    "can't reach the chain any more",
	"burning": "is being cancelled",

	"changed":    "warning",
	"recognized": "was paid already,",
	"bounced":    "a bounce",
	"unreadable": "the TON network doesn't answer; trying again",
}

func progressLine(p reconcile.Progress) string {
	var words []string
	if p.Key != "" {
		words = append(words, Clean(p.Key, cellWidth)+":")
	} else if p.Payment != 0 {
		words = append(words, fmt.Sprintf("payment %d:", p.Payment))
	}
	stage := p.Stage
	if plain := stageWords[stage]; plain != "" {
		stage = plain
	}
	words = append(words, Clean(stage, cellWidth))
	if p.Item.Quantity != 0 {
		words = append(words, Clean(p.Item.String(), cellWidth))
	}
	if p.Handle != "" {
		words = append(words, "for @"+Clean(p.Handle, cellWidth))
	}
	if p.Amount.Units != 0 {
		words = append(words, "at "+Clean(p.Amount.String(), cellWidth))
	}
	if p.Orders > 0 {
		words = append(words, "with "+Count(p.Orders, "order"))
	}
	line := strings.Join(words, " ")
	if p.Text != "" {
		line += ": " + Clean(p.Text, 400)
	}
	return line
}

// Count is a number of things: "1 order", "2 orders", "2 people".
func Count(n int, noun string) string {
	switch {
	case n == 1:
	case noun == "person":
		noun = "people"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// left is how many of the planned purchases were not begun or not finished. A
// run that came to its end leaves none, but for what did not fit into a request
// to pay: what else it skipped was bought by an earlier run of the same plan.
func (w work) left(r reconcile.Result, err error) int {
	if err == nil {
		return r.Left
	}
	return max(0, w.orders-len(r.Bought)-len(r.Problems)-len(r.Offered))
}

// unbegun reports whether an error came before anything was done or meant to
// be done: then it says all that there is to say.
func (w work) unbegun(r reconcile.Result, err error) bool {
	return err != nil && w == work{} && len(r.Bought)+len(r.Offered)+len(r.Problems)+len(r.Undelivered)+r.Settled+r.Payments == 0
}

// complete reports whether an apply did all that is written.
func (w work) complete(r reconcile.Result, err error) bool {
	return err == nil && failures(r) == 0 && w.blocked == 0
}

// failures counts what a person must mend; the other problems only wait.
func failures(r reconcile.Result) (n int) {
	for _, p := range r.Problems {
		if p.Failure() {
			n++
		}
	}
	return n
}

// outcome is the last line of an apply.
func (w work) outcome(r reconcile.Result, err error) string {
	var b strings.Builder
	switch {
	case len(r.Offered) > 0:
		b.WriteString("Handed out.")
	case w.complete(r, err):
		b.WriteString("Apply complete!")
	default:
		b.WriteString("Apply incomplete.")
	}
	failed := failures(r)
	if n := len(r.Offered); n > 0 {
		fmt.Fprintf(&b, " %s to be paid by hand, %d failed", Count(n, "order"), failed)
	} else {
		fmt.Fprintf(&b, " %d bought, %d failed", len(r.Bought), failed)
		if w.asked > 0 {
			fmt.Fprintf(&b, ", %d to be paid by hand", w.asked)
		}
	}
	if waiting := len(r.Problems) - failed; waiting > 0 {
		fmt.Fprintf(&b, ", %d waiting", waiting)
	}
	if w.blocked > 0 {
		fmt.Fprintf(&b, ", %d blocked", w.blocked)
	}
	if n := w.left(r, err); n > 0 {
		fmt.Fprintf(&b, ", %d left", n)
	}
	b.WriteByte('.')
	if r.Payments > 0 {
		fmt.Fprintf(&b, " Paid %s and %s of fees in %s.", paid(r), r.Fees.Amount(), Count(r.Payments, "payment"))
		if r.Gas > 0 {
			fmt.Fprintf(&b, " %s went along as gas; what is not used of it comes back.", r.Gas.Amount())
		}
	}
	return b.String()
}

// paid is what was spent, by asset.
func paid(r reconcile.Result) string {
	switch {
	case r.SpentUSDT.Units == 0:
		return r.Spent.Amount().String()
	case r.Spent == 0:
		return r.SpentUSDT.String()
	}
	return r.Spent.Amount().String() + ", " + r.SpentUSDT.String()
}

// finish says what came of an apply: what a person must look at first, then
// one line of sums.
func finish(w io.Writer, todo work, r reconcile.Result, err error, s Style) {
	if todo.unbegun(r, err) {
		return
	}
	for _, p := range r.Problems {
		color := red
		if !p.Failure() {
			color = yellow
		}
		fmt.Fprintln(w, s.prose(color, "!", Clean(p.Key, cellWidth)+": "+p.Reason))
	}
	for _, text := range advice(r.Problems) {
		fmt.Fprintln(w, indent+s.prose("", "", text))
	}
	if n := len(r.Undelivered); n > 0 {
		fmt.Fprintln(w, s.prose(yellow, "?", fmt.Sprintf("%d paid and not acknowledged by Fragment yet; the next apply asks again.", n)))
	}
	if r.Settled > 0 {
		fmt.Fprintf(w, "%s of an earlier run settled first.\n", Count(r.Settled, "payment"))
	}
	line, color := todo.outcome(r, err), bold+";"+green
	if !todo.complete(r, err) {
		color = bold + ";" + yellow
	}
	first := strings.IndexAny(line, "!.") + 1
	fmt.Fprintln(w, s.prose(color, line[:first], line[first+1:]))
}

// advice says what to try about orders that were not bought, once for each
// kind of reason.
func advice(problems []reconcile.Problem) []string {
	var texts []string
	for _, p := range problems {
		text := ""
		switch p.Code {
		case "no_recipient":
			text = "Correct the handle. Of a person whose handle has changed, keep the old one under was."
		case "not_eligible":
			text = "Who can't be given something now may be given something else later."
		case "premium_runs":
			text = "Premium is not sold to somebody who has it: the grant waits until it has run out."
		case "price_changed":
			text = "Prices are moving: run apply again."
		case "funds":
			text = "Where USDT is short, send some to the wallet's address and run apply again."
		case "FW-008", "FW-044":
			text = "Where the price is above the ceiling, wait for a lower one, or raise it under limits: price in fragplan.yaml."
		default:
			if strings.HasPrefix(p.Code, "FW-") {
				text = "Where Fragment asked for something else than was ordered, nothing was signed. Run apply again; if it stays so, look for a newer fragplan, and report it."
			}
		}
		if text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}
