package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/fragplan/fragplan/reconcile"
)

// Comments on code hosts end at 65,536 characters.
const markdownLimit = 60_000

// PlanMarkdown writes a plan as a comment for a code review: the summary and
// the digest first, then what stops it and a list item an action. Every text
// from the plan stands in a code span. Lines that would make the comment too
// long are counted instead.
func PlanMarkdown(w io.Writer, p *reconcile.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### fragplan\n\n%s\n\n%s\n\nDigest: `%s`\n", summary(p), worst(p), p.Digest())
	if p.Sandbox {
		b.WriteString("\nSandbox: no real money moves.\n")
	}
	if ceilings(p) {
		b.WriteString("\nPrices are ceilings, the worst case.\n")
	}
	var items []string
	for _, v := range p.Violations {
		items = append(items, "**Stopped** by "+span(v.Rule)+": "+span(commands(p, v.Message))+place(v.Place))
	}
	for _, a := range p.Actions {
		if a.Verb == reconcile.NoOp {
			continue
		}
		item := fmt.Sprintf("%s %s %s for %s", span(string(a.Verb)), span(a.Key), span(a.Item.String()), span(whom(a)))
		if c := cost(p, a); c != "" {
			item += ", " + c
		}
		if r := remark(p, a); r != "" {
			item += ": " + span(r)
		}
		items = append(items, item)
	}
	if len(items) > 0 {
		b.WriteByte('\n')
	}
	for i, item := range items {
		if b.Len()+len(item) > markdownLimit {
			fmt.Fprintf(&b, "- and %d more\n", len(items)-i)
			break
		}
		b.WriteString("- " + item + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func place(s string) string {
	if s == "" {
		return ""
	}
	return " at " + span(s)
}

// span puts text into a code span that the text can't end: its fence is
// longer than any run of backticks inside.
func span(s string) string {
	s = Clean(s, 300)
	longest, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || strings.TrimSpace(s) != s || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}
