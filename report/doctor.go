package report

import (
	"fmt"
	"io"
)

// Status is what came of a check.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // apply works, and somebody should look
	Problem Status = "problem" // apply would stop, or money or secrets are in danger
	Skipped Status = "skipped" // it could not be looked at, for a reason that stands above
)

// Check is one thing that was looked at. Its texts may hold parts from outside.
type Check struct {
	Name    string
	Status  Status
	Finding string
	Next    string // what to do; empty if there is nothing
}

// Checkup is everything that was looked at, in order.
type Checkup []Check

// Count is how many checks have a status.
func (c Checkup) Count(s Status) (n int) {
	for _, check := range c {
		if check.Status == s {
			n++
		}
	}
	return n
}

// Doctor writes a line a check, and below it what to do.
func Doctor(w io.Writer, c Checkup, s Style) error {
	marks := map[Status]struct{ mark, color string }{
		OK: {"ok", green}, Warning: {"warning", yellow}, Problem: {"PROBLEM", red}, Skipped: {"skipped", faint},
	}
	width := 0
	for _, check := range c {
		width = max(width, textWidth(check.Name))
	}
	for _, check := range c {
		m := marks[check.Status]
		rows := [][]string{{pad(m.mark, len("PROBLEM")), pad(check.Name, width), check.Finding}}
		if err := s.rows(w, rows, func(int) string { return m.color }); err != nil {
			return err
		}
		if check.Next != "" {
			if _, err := fmt.Fprintf(w, "  %s%s\n", hanging, s.prose(bold, "->", check.Next)); err != nil {
				return err
			}
		}
	}
	problems, warnings := c.Count(Problem), c.Count(Warning)
	line, color := "Nothing stands in the way of an apply.", bold+";"+green
	switch {
	case problems > 0:
		line, color = fmt.Sprintf("%s and %s.", Count(problems, "problem"), Count(warnings, "warning")), bold+";"+red
	case warnings > 0:
		line, color = fmt.Sprintf("%s, no problem.", Count(warnings, "warning")), bold+";"+yellow
	}
	_, err := fmt.Fprintf(w, "\n%s\n", s.paint(color, line))
	return err
}

// DoctorJSON writes the same as one JSON object with format_version, problems,
// warnings and checks, on one line of ASCII.
func DoctorJSON(w io.Writer, c Checkup) error {
	type check struct {
		Name    string `json:"check"`
		Status  string `json:"status"` // ok, warning, problem, skipped
		Finding string `json:"finding"`
		Next    string `json:"next,omitempty"`
	}
	list := []check{}
	for _, one := range c {
		list = append(list, check{one.Name, string(one.Status), one.Finding, one.Next})
	}
	return writeJSON(w, struct {
		FormatVersion string  `json:"format_version"`
		Problems      int     `json:"problems"`
		Warnings      int     `json:"warnings"`
		Checks        []check `json:"checks"`
	}{JSONFormat, c.Count(Problem), c.Count(Warning), list})
}
