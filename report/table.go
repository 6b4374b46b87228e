package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Style says how text is shown.
type Style struct {
	Color bool // escape sequences may be written
	Width int  // columns of the terminal; 0 means that lines are not folded

	Now time.Time // when it is read, to say how old prices are; zero for not saying it
}

// Columns that hold text from outside are cut at cellWidth, and the last one,
// which is folded, at tailWidth.
const (
	cellWidth = 64
	tailWidth = 1000
	nameWidth = 24 // of a display name beside its handle
)

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

// What the lines of a table begin with, and those that continue one.
const (
	indent    = "  "
	hanging   = "       "
	leastTail = 24 // narrower, and the last column goes below the others
)

// rows writes cells in aligned columns, the first one painted. On a terminal
// no cell is lost: the last column is folded beside the others or, if that
// would take many lines, below them; the others are folded when they alone
// are wider than the terminal.
func (s Style) rows(w io.Writer, rows [][]string, color func(row int) string) error {
	widths := cleaned(rows)
	room := s.Width - 1 - len(indent) // a full last column would wrap
	fixed := 0
	for _, width := range widths[:max(0, len(widths)-1)] {
		if width > 0 {
			fixed += width + 2
		}
	}
	for n, row := range rows {
		last := len(row) - 1
		var lines []string
		switch tail := row[last]; {
		case s.Width == 0:
			lines = []string{aligned(row, widths)}
		case fixed-2 > room:
			lines = flow(row[:last], room)
			lines = append(lines, shifted(hanging, fold(tail, room-len(hanging)))...)
		case fixed+min(leastTail, textWidth(tail)) > room:
			lines = append([]string{aligned(row[:last], widths)}, shifted(hanging, fold(tail, room-len(hanging)))...)
		default:
			lines = []string{aligned(row[:last], widths)}
			beside, below := fold(tail, room-fixed), fold(tail, room-len(hanging))
			switch {
			case len(beside) > 2 && len(below) < len(beside):
				lines = append(lines, shifted(hanging, below)...)
			case len(beside) > 0:
				lines[0] = pad(lines[0], fixed) + beside[0]
				lines = append(lines, shifted(strings.Repeat(" ", fixed), beside[1:])...)
			}
		}
		for i, line := range lines {
			line = strings.TrimRight(line, " ")
			if rest, ok := strings.CutPrefix(line, row[0]); ok && i == 0 && color != nil {
				line = s.paint(color(n), row[0]) + rest
			}
			if _, err := fmt.Fprintln(w, indent+line); err != nil {
				return err
			}
		}
	}
	return nil
}

// cleaned makes every cell printable and returns the widths of the columns.
func cleaned(rows [][]string) (widths []int) {
	for _, row := range rows {
		for i, cell := range row {
			limit := cellWidth
			if i == len(row)-1 {
				limit = tailWidth
			}
			row[i] = Clean(cell, limit)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], textWidth(row[i]))
		}
	}
	return widths
}

// aligned joins cells that are padded to their columns; empty columns take no
// room.
func aligned(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		if widths[i] > 0 {
			b.WriteString(pad(cell, widths[i]) + "  ")
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// flow fills lines with whole cells.
func flow(cells []string, room int) []string {
	var lines []string
	line := ""
	for _, cell := range cells {
		switch {
		case cell == "":
		case line == "":
			line = cell
		case textWidth(line)+2+textWidth(cell) > room:
			lines = append(lines, line)
			line = hanging + cell
		default:
			line += "  " + cell
		}
	}
	return append(lines, line)
}

// fold breaks a text between words. A word that is wider than the room is
// left whole, so that it can be copied.
func fold(text string, room int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case textWidth(line)+1+textWidth(word) > room:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func shifted(by string, lines []string) []string {
	for i := range lines {
		lines[i] = by + lines[i]
	}
	return lines
}

// prose is a word, painted, and a text from outside behind it, folded to the
// terminal.
func (s Style) prose(color, word, text string) string {
	line := strings.TrimPrefix(word+" "+Clean(text, tailWidth), " ")
	if s.Width > 0 {
		line = strings.Join(fold(line, s.Width-1-len(indent)), "\n"+indent)
	}
	if rest, ok := strings.CutPrefix(line, word); ok {
		return s.paint(color, word) + rest
	}
	return line
}
