package spec

import (
	"slices"
	"strings"
)

// flows lays out what stands in braces and brackets on one line.
func (s *sheet) flows(line int) string {
	text := s.lines[line-1]
	columns := s.flow[line]
	slices.Sort(columns)
	for i := len(columns) - 1; i >= 0; i-- {
		runes := []rune(text)
		at := columns[i] - 1
		if at < len(runes) {
			if flow, rest, ok := laidOut(string(runes[at:])); ok {
				text = string(runes[:at]) + flow + rest
			}
		}
	}
	return text
}

// laidOut reads a flow collection at the beginning of a text, and returns it
// laid out, and what follows it. It reports false if it does not end there.
func laidOut(text string) (flow, rest string, ok bool) {
	var b strings.Builder
	depth, start := 0, true // start: a value may begin here
	runes := []rune(text)
	space := false
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case c == ' ' || c == '\t':
			space = true
			continue
		case c == '#' && space:
			return "", "", false
		case start && (c == '"' || c == '\''):
			end := closing(runes, i)
			if end < 0 {
				return "", "", false
			}
			if space && !opened(&b) {
				b.WriteByte(' ')
			}
			b.WriteString(string(runes[i : end+1]))
			i, start, space = end, false, false
			continue
		case start && (c == '{' || c == '['):
			if space && !opened(&b) {
				b.WriteByte(' ')
			}
			b.WriteRune(c)
			depth++
			start, space = true, false
			continue
		case c == '}' || c == ']':
			b.WriteRune(c)
			if depth--; depth == 0 {
				return b.String(), string(runes[i+1:]), true
			}
			start, space = false, false
			continue
		case c == ',':
			b.WriteString(", ")
			start, space = true, false
			// One space follows, whatever stood there.
			for i+1 < len(runes) && runes[i+1] == ' ' {
				i++
			}
			continue
		case c == ':' && (i+1 == len(runes) || strings.ContainsRune(" ,[]{}", runes[i+1])):
			b.WriteByte(':')
			start = true
			if i+1 < len(runes) && runes[i+1] == ' ' {
				space = true
			}
			continue
		}
		if space && !opened(&b) {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
		start, space = false, false
	}
	return "", "", false
}

// opened reports whether no space belongs here: behind a bracket, or where one
// stands.
func opened(b *strings.Builder) bool {
	s := b.String()
	return s == "" || strings.ContainsRune("{[ ", rune(s[len(s)-1]))
}

// closing finds the end of a quoted value that begins at i, -1 if it is not on
// the line.
func closing(runes []rune, i int) int {
	quote := runes[i]
	for j := i + 1; j < len(runes); j++ {
		switch {
		case quote == '"' && runes[j] == '\\':
			j++
		case quote == '\'' && runes[j] == '\'' && j+1 < len(runes) && runes[j+1] == '\'':
			j++
		case runes[j] == quote:
			return j
		}
	}
	return -1
}
