package report

import (
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/reconcile"
)

// actionTable writes who gets what, in so many bytes of the whole comment: the
// first lines and the last ones.
func actionTable(b *strings.Builder, p *reconcile.Plan, most int) {
	var rows []string
	last := lastPrices(p)
	for _, a := range p.Actions {
		if a.Verb != reconcile.NoOp {
			rows = append(rows, tableRow(span(string(a.Verb)), inline(a.Item.String()), span(whom(a)), inline(price(p, a, last)), span(a.Key), why(p, a)))
		}
	}
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| | what | for | cost | key | why |\n|---|---|---|---|---|---|\n")
	const note = "| | and 1,000,000,000 more, not shown | | | | |\n"
	room := most - b.Len() - len(note)
	first, end := fitting(rows, room)
	for _, row := range rows[:first] {
		b.WriteString(row)
	}
	if n := end - first; n > 0 {
		fmt.Fprintf(b, "| | and %d more, not shown | | | | |\n", n)
	}
	for _, row := range rows[end:] {
		b.WriteString(row)
	}
}

// fitting says which rows to show in so many bytes: those before first, which
// take two thirds of the room, and those from end on.
func fitting(rows []string, room int) (first, end int) {
	all := 0
	for _, row := range rows {
		all += len(row)
	}
	if all <= room {
		return len(rows), len(rows)
	}
	used := 0
	for first < len(rows) && used+len(rows[first]) <= room*2/3 {
		used += len(rows[first])
		first++
	}
	for end = len(rows); end > first && used+len(rows[end-1]) <= room; end-- {
		used += len(rows[end-1])
	}
	return first, end
}

// price is what a line costs; "about" where it was last paid for at that price.
func price(p *reconcile.Plan, a reconcile.Action, last map[reconcile.Goods]reconcile.LastPrice) string {
	if l, ok := last[goods(a)]; ok && a.Buys() && l.Price.Units <= a.Cap.Units {
		return "about " + l.Price.String() + ", at most " + a.Cap.String()
	}
	return cost(p, a)
}

// why is the reason of a line; that of one that must be mended stands above the
// table.
func why(p *reconcile.Plan, a reconcile.Action) string {
	text := remark(p, a)
	if a.Verb == reconcile.Blocked || a.Verb == reconcile.Unknown {
		text = a.Why
	}
	if text == "" {
		return ""
	}
	return span(text)
}

// tableRow is a row of cells. A cell ends at every "|" that has no backslash
// before it, in code spans too.
func tableRow(cells ...string) string {
	var b strings.Builder
	for _, cell := range cells {
		cell = strings.ReplaceAll(strings.ReplaceAll(cell, `\|`, `\u{7c}`), "|", `\|`)
		b.WriteString(strings.TrimRight("| "+cell, " ") + " ")
	}
	return b.String() + "|\n"
}
