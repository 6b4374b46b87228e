package spec

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Format lays a YAML file out in the one way: two columns a level, one space
// between the parts of what stands in braces and brackets, no spaces at the end
// of lines, at most one empty line in a row, LF. It changes nothing but space,
// so every comment, quote and order stays; a file that it can't lay out without
// changing what it says, it returns as it is. Its error is *Errors, for text
// that is no YAML.
//
// Formatting again changes nothing.
func Format(name, text string) (string, error) {
	r := &reporter{sources: map[string]*source{name: {text: text}}, said: map[said]bool{}}
	before := parse(name, text, r)
	if err := r.err(); err != nil || before == nil {
		return "", err
	}
	out := text
	for range 4 {
		next, ok := layOut(out)
		if !ok {
			return text, nil
		}
		if next == out {
			if after, ok := reparse(out); ok && says(before, after) && slices.Equal(comments(before), comments(after)) {
				return out, nil
			}
			return text, nil
		}
		out = next
	}
	return text, nil
}

func reparse(text string) (*yaml.Node, bool) {
	doc, err := decode(yaml.NewDecoder(strings.NewReader(text)))
	if err != nil || len(doc.Content) != 1 {
		return nil, false
	}
	return doc.Content[0], true
}

// says reports whether two trees say the same in the same way.
func says(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && a.Style == b.Style &&
		slices.EqualFunc(a.Content, b.Content, says)
}

// comments lists what the comments of a tree say. Where one hangs may change
// with its column.
func comments(n *yaml.Node) (list []string) {
	for _, block := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.SplitSeq(block, "\n") {
			if line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#")); line != "" {
				list = append(list, line)
			}
		}
	}
	for _, c := range n.Content {
		list = append(list, comments(c)...)
	}
	slices.Sort(list)
	return list
}

// sheet is a file on its way to its layout.
type sheet struct {
	lines   []string
	indent  map[int]int  // of lines on which something begins, from 1: the new one
	literal map[int]bool // lines whose text goes on below as it stands
	follows []int        // by line: the next one on which something begins, 0 for none
	flow    map[int][]int
}

// layOut makes one pass. It reports false for what it can't read.
func layOut(text string) (string, bool) {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	root, ok := reparse(text)
	if !ok || strings.ContainsAny(text, "\r\u0085\u2028\u2029") { // lines that are counted differently
		return "", false
	}
	s := &sheet{lines: strings.Split(text, "\n"), indent: map[int]int{}, literal: map[int]bool{}, flow: map[int][]int{}}
	s.node(root, 0)
	return s.text(), true
}

// leading counts the spaces before a line's text; -1 for a line that isn't
// there: a value that isn't written may be placed beyond the end.
func (s *sheet) leading(line int) int {
	if line < 1 || line > len(s.lines) {
		return -1
	}
	l := s.lines[line-1]
	return len(l) - len(strings.TrimLeft(l, " "))
}

// node notes where the lines of a node begin. A level is two columns.
func (s *sheet) node(n *yaml.Node, level int) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.literal[n.Line] = true
	case n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode:
	case n.Style&yaml.FlowStyle != 0:
		s.flow[n.Line] = append(s.flow[n.Line], n.Column)
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			s.begins(key, level)
			s.value(value, key.Line, level+1)
		}
	default:
		for _, c := range n.Content {
			line := min(c.Line, len(s.lines))
			for line > 1 && !strings.HasPrefix(strings.TrimLeft(s.lines[line-1], " "), "-") {
				line--
			}
			if s.leading(line) == n.Column-1 {
				s.indent[line] = 2 * level
				if rest := strings.TrimLeft(s.lines[line-1], " ")[1:]; c.Line == line {
					s.lines[line-1] = strings.Repeat(" ", s.leading(line)) + "- " + strings.TrimLeft(rest, " ")
				}
			}
			s.value(c, line, level+1)
		}
	}
}

// value notes the lines of what stands behind a key or a dash.
func (s *sheet) value(n *yaml.Node, line, level int) {
	if n.Line != line && (n.Kind == yaml.ScalarNode || n.Style&yaml.FlowStyle != 0) {
		s.begins(n, level)
	}
	s.node(n, level)
}

// begins notes the indentation of a line that begins with a node.
func (s *sheet) begins(n *yaml.Node, level int) {
	if s.leading(n.Line) == n.Column-1 {
		s.indent[n.Line] = 2 * level
	}
}

func (s *sheet) text() string {
	s.follows = make([]int, len(s.lines)+1)
	for line, next := len(s.lines), 0; line > 0; line-- {
		s.follows[line] = next
		if _, begins := s.indent[line]; begins {
			next = line
		}
	}
	var out []string
	owner, shift, literal, blank := 0, 0, false, false
	for i, l := range s.lines {
		line := i + 1
		indent, begins := s.indent[line]
		bare := strings.TrimLeft(l, " \t")
		old := len(l) - len(strings.TrimLeft(l, " "))
		switch {
		case begins:
			owner, shift = line, indent-old
			literal = s.literal[line]
			l = strings.Repeat(" ", indent) + strings.TrimRight(s.flows(line)[old:], " \t")
		case literal && (bare == "" || old > s.leading(owner)):
			// The text of a block: it moves with its key, and stays as it is.
			if bare != "" {
				l = strings.Repeat(" ", max(0, old+shift)) + l[old:]
			} else {
				l = ""
			}
		case bare == "":
			l = ""
		case bare[0] == '#':
			l = strings.Repeat(" ", s.remark(line, old, s.indent[owner])) + spaced(strings.TrimRight(bare, " \t"))
		default:
			literal = literal || s.literal[line]
			l = strings.Repeat(" ", max(0, old+shift)) + strings.TrimRight(l[old:], " \t")
		}
		if l == "" && !literal && (blank || len(out) == 0) {
			continue
		}
		blank = l == "" && !literal
		out = append(out, l)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n"
}

// remark is the indentation of a comment: that of what follows, or of what
// stands before it if it was further right than what follows.
func (s *sheet) remark(line, old, before int) int {
	after := s.follows[line]
	switch {
	case after != 0 && old <= s.leading(after):
		return s.indent[after]
	case old == 0:
		return 0
	case after != 0:
		return max(before, s.indent[after])
	}
	return before
}

// spaced puts a space between the mark of a comment and a word.
func spaced(remark string) string {
	if len(remark) > 1 && (remark[1] >= 'a' && remark[1] <= 'z' || remark[1] >= 'A' && remark[1] <= 'Z') {
		return "# " + remark[1:]
	}
	return remark
}
