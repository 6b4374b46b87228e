package spec

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/leak"
)

// A Pos is a place in a file of the project.
type Pos struct {
	File   string // relative to the project's folder, with slashes
	Line   int    // from 1
	Column int    // from 1, counted in characters
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", printable(p.File), p.Line, p.Column) }

// A Diagnostic is one thing that is wrong.
type Diagnostic struct {
	Pos
	Rule       string // a short name of the rule that was broken: "unknown-field"
	Message    string // what is wrong
	Hint       string // what to write instead; may be empty
	SourceLine string // the line at Pos, without what looks like a secret; may be empty
}

// String prints the place and the message, the source line with a caret below
// the column, and the hint. It holds nothing that a terminal acts upon.
func (d Diagnostic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s [%s]\n", d.Pos, printable(d.Message), d.Rule)
	if text, caret, ok := d.Source(); ok {
		number := fmt.Sprintf("%5d", d.Line)
		fmt.Fprintf(&b, "%s | %s\n%s | %s^\n", number, text, strings.Repeat(" ", len(number)), strings.Repeat(" ", caret))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "      = %s\n", printable(d.Hint))
	}
	return b.String()
}

// Source is the part of the line around the column, safe to print, and how many
// characters of it stand before the column. It reports false if there is none
// to show.
func (d Diagnostic) Source() (text string, before int, ok bool) {
	if d.SourceLine == "" {
		return "", 0, false
	}
	text, before = window(d.SourceLine, d.Column)
	return text, before, true
}

// window cuts the part of a line around a column that fits a screen, and says
// how many characters stand before the column in it.
func window(line string, column int) (string, int) {
	const before, width = 60, 100
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	from := max(0, at-before)
	to := min(len(runes), from+width)
	return printable(string(runes[from:to])), at - from
}

// printable replaces, one for one, the characters that a terminal might act
// upon: controls, direction marks and characters without width.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsGraphic(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Errors is everything that is wrong with a project.
type Errors struct {
	List []Diagnostic // sorted by file, line and column; at least one
	More int          // how many more there are, which aren't in List
}

func (e *Errors) Error() string {
	var b strings.Builder
	for _, d := range e.List {
		b.WriteString(d.String())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", e.More)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// maxDiagnostics bounds what a hostile file can make us print.
const maxDiagnostics = 1000

// reporter collects diagnostics.
type reporter struct {
	list    []Diagnostic
	more    int
	guesses int                   // comparisons that nearest has made
	slips   map[*yaml.Node]string // by unknown field: which one is meant, most likely
	sources map[string]*source
	said    map[said]bool
}

// said is a complaint. What a default makes wrong is wrong in every grant that
// takes it, and said once.
type said struct {
	pos           Pos
	rule, message string
}

func (r *reporter) add(pos Pos, rule, hint, format string, args ...any) {
	if len(r.list) >= maxDiagnostics {
		r.more++
		return
	}
	pos.Line, pos.Column = max(pos.Line, 1), max(pos.Column, 1)
	d := Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint}
	once := said{pos, rule, d.Message}
	if r.said[once] {
		return
	}
	r.said[once] = true
	if s := r.sources[pos.File]; s != nil {
		d.SourceLine = s.shown(pos)
	}
	r.list = append(r.list, d)
}

// slip notes that an unknown field is most likely meant to be another.
func (r *reporter) slip(k *yaml.Node, field string) {
	if r.slips == nil {
		r.slips = map[*yaml.Node]string{}
	}
	r.slips[k] = field
}

// err returns *Errors, or nil if nothing was added.
func (r *reporter) err() error {
	if len(r.list) == 0 {
		return nil
	}
	slices.SortStableFunc(r.list, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Errors{List: r.list, More: r.more}
}

// source is the text of a file, split into lines when the first is asked for.
type source struct {
	text   string
	lines  []string
	hidden map[int]int  // by line: the column from which it may hold a secret
	leaky  map[int]bool // lines on which one stands, by its looks
}

// hide keeps what stands from a place to the end of its line out of messages.
func (s *source) hide(p Pos) {
	if s.hidden == nil {
		s.hidden = map[int]int{}
	}
	if at, known := s.hidden[p.Line]; !known || p.Column < at {
		s.hidden[p.Line] = p.Column
	}
}

// maxSourceLine is the longest line that is shown, in bytes. In longer ones,
// finding the column again and again would cost too much.
const maxSourceLine = 4096

func (s *source) line(n int) string {
	if s.lines == nil {
		s.lines = strings.Split(s.text, "\n")
	}
	if n < 1 || n > len(s.lines) || len(s.lines[n-1]) > maxSourceLine {
		return ""
	}
	return strings.ToValidUTF8(strings.TrimSuffix(s.lines[n-1], "\r"), "\uFFFD")
}

// shown is the line of a place, without what looks like a secret. In
// fragplan.yaml, where secrets are named, that is what stands behind any such
// name; in other files, where names are the user's own, only what is a secret by
// its looks.
func (s *source) shown(p Pos) string {
	line := s.line(p.Line)
	if column, hidden := s.hidden[p.Line]; hidden {
		before := []rune(line)
		line = string(before[:max(0, min(column-1, len(before)))]) + notShown
	}
	if m := secretField.FindStringIndex(line); m != nil && p.File == MainFile {
		line = line[:m[1]] + " " + notShown
	}
	if s.leaky == nil {
		s.leaky = map[int]bool{}
		for _, f := range leak.Find([]byte(s.text)) {
			s.leaky[f.Line] = true
			for n := 0; n < longestSecret && f.Kind != leak.Cookie; n++ {
				s.leaky[f.Line+n] = true
			}
		}
	}
	if line != "" && s.leaky[p.Line] {
		return notShown
	}
	return line
}

const (
	notShown = "(not shown)"
	// longestSecret is how many lines a phrase or a private key may go on.
	longestSecret = 30
)

// secretField finds the names in fragplan.yaml whose values nobody should see in
// a log.
var secretField = regexp.MustCompile(`(?i)[\w.-]*(mnemonic|cookie|secret|seed|stel_|token|password|private_?key)[\w.-]*["']?\s*[:=]|\bkey["']?\s*:`)
