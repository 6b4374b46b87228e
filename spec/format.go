package spec

import (
	"os"
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

// Sources lists the YAML files of a project, with the main one first.
func Sources(dir string) ([]string, error) {
	r := &reporter{sources: map[string]*source{}, said: map[said]bool{}}
	root, err := os.OpenRoot(dir)
	if err != nil {
		r.add(Pos{MainFile, 1, 1}, "no-folder", "name the project's folder with -chdir", "folder %q: %v", dir, plain(err))
		return nil, r.err()
	}
	defer root.Close()
	l := &loader{r: r, folder: &folder{root: root}, p: &Project{}}
	n, ok := l.open(MainFile, Pos{MainFile, 1, 1}, "make one with: fragplan init")
	if !ok {
		return nil, r.err()
	}
	files := []string{MainFile}
	d := &doc{MainFile, &reporter{sources: r.sources, said: map[said]bool{}}}
	for _, e := range d.mapping(n, MainFile, "") {
		if e.name == "files" {
			for _, f := range l.files(&doc{MainFile, r}, e.value) {
				files = append(files, f.name)
			}
		}
	}
	return files, r.err()
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
