package report

import (
	"fmt"
	"io"
	"strings"
)

// Style says how text is shown.
type Style struct {
	Color bool // escape sequences may be written
	Width int  // columns of the terminal; 0 means that lines are not cut
}

// Columns that hold text from outside are cut at this width.
const cellWidth = 64

const (
	bold    = "1"
	red     = "31"
	green   = "32"
	yellow  = "33"
	magenta = "35"
	faint   = "2"
)

func (s Style) paint(code, text string) string {
	if !s.Color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// rows writes cells in aligned columns, the first one painted. The last
// column is as long as the terminal allows.
func (s Style) rows(w io.Writer, rows [][]string, color func(row int) string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			limit := cellWidth
			if i == len(row)-1 {
				limit = 0
			}
			row[i] = Clean(cell, limit)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], textWidth(row[i]))
		}
	}
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			if b.WriteString(pad(cell, widths[i])); i < len(row)-1 {
				b.WriteString("  ")
			}
		}
		line := Clean(strings.TrimRight(b.String(), " "), max(0, s.Width-2))
		if color != nil {
			first := row[0]
			if rest, ok := strings.CutPrefix(line, first); ok {
				line = s.paint(color(n), first) + rest
			}
		}
		if _, err := fmt.Fprintf(w, "  %s\n", line); err != nil {
			return err
		}
	}
	return nil
}
