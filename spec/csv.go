package spec

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// maxTables is how many bytes of tables are read, a table counted once for each
// grant that reads it.
const maxTables = 64 << 20

// A table is a CSV file as spreadsheets write it: with a line of names first;
// separated by commas, semicolons or tabs; lines end in LF or CRLF; a byte order
// mark, a line "sep=;" and empty lines are passed over.
type table struct {
	file    string
	r       *reporter
	names   []string
	columns []int // where the columns that were asked for stand, in their order
	reader  *csv.Reader
	before  int // lines that stand before what the reader sees
	failed  bool
}

// cell is a value of a row, without the spaces around it.
type cell struct {
	text string
	line int
	byte int // column in bytes, from 1
}

// pos is where a cell stands, in characters. Counting them is left for those
// that are wrong.
func (t *table) pos(c cell) Pos {
	line := strings.TrimPrefix(t.r.sources[t.file].line(c.line), "\ufeff")
	return Pos{t.file, c.line, 1 + utf8.RuneCountInString(line[:min(len(line), max(0, c.byte-1))])}
}

func (t *table) bad(c cell, rule, hint, format string, args ...any) {
	t.failed = true
	t.r.add(t.pos(c), rule, hint, format, args...)
}

// table opens a CSV file that is named at pos, and finds the wanted columns.
func (l *loader) table(d *doc, name string, pos Pos, wanted []string) *table {
	const example = "write a path relative to the project's folder: results.csv"
	names, err := l.folder.match(name)
	var out *errNotRead
	if errors.As(err, &out) && out.rule == "path" {
		out.hint = example
	}
	if err == nil && (len(names) != 1 || names[0] != name || name == MainFile) {
		err = &errNotRead{"path", fmt.Sprintf("%q is not the name of one file", name), example}
	}
	var text string
	if err == nil && l.r.sources[name] == nil {
		text, err = l.folder.read(name)
	} else if err == nil {
		text = l.r.sources[name].text
	}
	if err != nil {
		hint := example
		if beside := path.Join(path.Dir(d.file), name); beside != name && l.folder.has(beside) {
			hint = "paths begin at the project's folder: write " + beside
		}
		l.notRead(pos, err, hint)
		return nil
	}
	if l.tables += len(text); l.tables > maxTables {
		l.r.add(pos, "size", "read a table in one grant", "the tables of all grants are more than %d MiB, a table counted each time that it is read", maxTables>>20)
		return nil
	}
	if l.r.sources[name] == nil {
		l.p.Files = append(l.p.Files, name)
		l.r.sources[name] = &source{text: text}
	}
	t := &table{file: name, r: l.r}
	if !checkText(name, text, l.r) || !t.lineEnds(text) || !t.head(strings.TrimPrefix(text, "\ufeff"), wanted) {
		return nil
	}
	return t
}

// lineEnds reports carriage returns that end no line: some programs write
// them alone, and all rows would be one.
func (t *table) lineEnds(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			t.r.add(position(t.file, text, i), "encoding", "save the file with line ends of Unix or Windows", "a carriage return stands alone here")
			return false
		}
	}
	return true
}

const separators = ",;\t"

// head reads the line of names, and learns from it what separates values.
func (t *table) head(text string, wanted []string) bool {
	if first, rest, _ := strings.Cut(text, "\n"); len(first) <= 7 && strings.HasPrefix(strings.ToLower(first), "sep=") {
		t.before, text = 1, rest
	}
	best := -1
	var wrong error
	for _, separator := range separators {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord, r.ReuseRecord = separator, -1, true
		names, err := r.Read()
		if err != nil {
			wrong = err
			continue
		}
		found := 0
		columns := make([]int, len(wanted))
		trimmed := make([]string, len(names))
		for i, n := range names {
			trimmed[i] = strings.TrimSpace(n)
		}
		for i, w := range wanted {
			if columns[i] = column(trimmed, w); columns[i] >= 0 {
				found++
			}
		}
		// More columns decide where no separator gives the names.
		if score := found<<20 + len(names); score > best {
			best, t.names, t.columns, t.reader = score, trimmed, columns, r
		}
	}
	if t.reader == nil {
		t.broken(wrong, "the line of names can't be read")
		return false
	}
	ok := true
	head := cell{line: t.before + 1, byte: 1}
	for i, w := range wanted {
		if t.columns[i] < 0 {
			ok = false
			hint := "its columns: " + clipList(t.names)
			if near, found := t.r.nearest(w, t.names); found {
				hint = fmt.Sprintf("did you mean %s?", clip(near))
			}
			t.bad(head, "column", hint, "there is no column %s", clip(w))
		} else if again := column(t.names[t.columns[i]+1:], w); again >= 0 {
			ok = false
			t.bad(head, "duplicate", "rename one of them", "two columns are named %s", clip(w))
		}
	}
	return ok
}

func column(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func clipList(names []string) string {
	if len(names) > 12 {
		names = append(names[:12:12], "…")
	}
	var list []string
	for _, n := range names {
		list = append(list, clip(n))
	}
	return strings.Join(list, ", ")
}

// rows yields the wanted cells of each row, in the order in which they were
// asked for. It counts them; more than a project may have are reported once.
func (t *table) rows(all *int, yield func(cells []cell)) {
	if *all > maxOccurrences {
		return
	}
	cells := make([]cell, len(t.columns))
	for {
		record, err := t.reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			t.broken(err, "this row can't be read")
			return
		case strings.TrimSpace(strings.Join(record, "")) == "":
			continue // spreadsheets leave such rows behind
		}
		if *all++; *all > maxOccurrences {
			line, _ := t.reader.FieldPos(0)
			t.bad(cell{line: line + t.before, byte: 1}, "size", "give to fewer, or split the project", "all grants together have more than %d rows", maxOccurrences)
			return
		}
		if !t.even(record) {
			continue
		}
		for i, c := range t.columns {
			line, byte := t.reader.FieldPos(c)
			cells[i] = cell{strings.TrimSpace(record[c]), line + t.before, byte}
		}
		yield(cells)
	}
}

// even reports a row that has not as many values as there are names: a
// separator inside a value would shift the rest.
func (t *table) even(record []string) bool {
	want := len(t.names)
	if len(record) == want || len(record) > want && strings.TrimSpace(strings.Join(record[want:], "")) == "" {
		return true
	}
	line, byte := t.reader.FieldPos(min(want, len(record)-1))
	t.bad(cell{line: line + t.before, byte: byte}, "columns", "put values that hold the separator in double quotes", "%d values, and there are %d columns", len(record), want)
	return false
}

func (t *table) broken(err error, what string) {
	var p *csv.ParseError
	c, hint := cell{line: t.before + 1, byte: 1}, "a value with a double quote in it is written \"like \"\"this\"\"\""
	switch {
	case errors.Is(err, io.EOF):
		t.bad(c, "empty", "export it again, with a line of names first", "the file is empty")
		return
	case errors.As(err, &p):
		c = cell{line: p.Line + t.before, byte: max(1, p.Column)}
		if errors.Is(p.Err, csv.ErrQuote) {
			what = "a double quote is not closed, or text follows it"
		} else if errors.Is(p.Err, csv.ErrBareQuote) {
			what = "a double quote in the midst of a value"
		}
	}
	t.bad(c, "syntax", hint, "%s", what)
}
