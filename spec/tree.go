package spec

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Rules of a file's form: one document; at most maxDepth levels and maxNodes
// values; keys are text and stand once; no anchors, aliases, merge keys and
// tags. A file that breaks one is still read as far as it goes, so that all of
// its errors are shown at once.
const (
	maxDepth = 32
	maxNodes = 1_000_000
)

// parse reads the one document of a file. It returns nil if there is none that
// could be read; then it has been reported.
func parse(file, text string, r *reporter) *yaml.Node {
	if !checkText(file, text, r) {
		return nil
	}
	// Every value needs a separator, so this bounds the tree before it is
	// built; memory is what it protects.
	if marks(text) > 2*maxNodes {
		r.add(Pos{file, 1, 1}, "size", "split the file", "the file holds more than %d values", maxNodes)
		return nil
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	doc, err := decode(d)
	switch {
	case errors.Is(err, io.EOF):
		r.add(Pos{file, 1, 1}, "empty", emptyHint(file), "the file is empty")
		return nil
	case err != nil:
		syntaxError(file, text, err, r)
		return nil
	}
	second, err := decode(d)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		syntaxError(file, text, err, r)
	default:
		r.add(Pos{file, second.Line, second.Column}, "documents", "take out the line --- or make a file of it", "a second document begins here; only one is read")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" && doc.Content[0].Value == "" {
		r.add(Pos{file, 1, 1}, "empty", emptyHint(file), "the file is empty")
		return nil
	}
	t := tree{file: file, r: r}
	if !t.check(doc.Content[0], 1) {
		return nil
	}
	return doc.Content[0]
}

func emptyHint(file string) string {
	if file == MainFile {
		return "begin with version: 1"
	}
	return "write people: or grants: in it, or delete it"
}

// decode turns a panic of the parser into an error: it has some on malformed
// input.
func decode(d *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: this can't be read")
		}
	}()
	n = new(yaml.Node)
	return n, d.Decode(n)
}

func marks(text string) (n int) {
	for i := range len(text) {
		switch text[i] {
		case ',', ':', '[', '{', '-', '?', '\n':
			n++
		}
	}
	return n
}

var (
	errorLine = regexp.MustCompile(`^yaml: line (\d+): `)
	// The parser counts lines from 0 in these, and from 1 in all others.
	parserError   = regexp.MustCompile(`^did not find expected (<|node content|key|'-'|',')`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)
)

func syntaxError(file, text string, err error, r *reporter) {
	message, line := err.Error(), 1
	if m := errorLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
		if parserError.MatchString(message) {
			line++
		}
	}
	message = strings.TrimPrefix(message, "yaml: ")
	pos := Pos{file, min(line, 1+strings.Count(text, "\n")), 1}
	hint := "look at this line and the one before it: indentation, quotes and brackets"
	switch {
	case unknownAnchor.MatchString(message):
		if at := strings.Index(text, "*"+unknownAnchor.FindStringSubmatch(message)[1]); at >= 0 {
			pos = position(file, text, at)
		}
		message, hint = "aliases (*name) are not allowed", "write the value out, or put it in quotes if it is text"
	case strings.Contains(message, "cannot start any token"):
		// The parser names the line but not the column.
		for i, l := range strings.Split(text, "\n") {
			if at := strings.IndexAny(l, "@`\t%"); i+1 >= pos.Line && at >= 0 {
				pos = Pos{file, i + 1, 1 + len([]rune(l[:at]))}
				switch l[at] {
				case '@':
					hint = `put handles in quotes: "@name"`
				case '\t':
					hint = "indent with spaces: YAML takes no tabs"
				}
				break
			}
		}
	}
	r.add(pos, "syntax", hint, "%s", message)
}

func position(file, text string, at int) Pos {
	before := text[:at]
	start := strings.LastIndexByte(before, '\n') + 1
	return Pos{file, 1 + strings.Count(before, "\n"), 1 + len([]rune(before[start:]))}
}

// tree checks the form of a document.
type tree struct {
	file  string
	r     *reporter
	nodes int
}

func (t *tree) pos(n *yaml.Node) Pos { return Pos{t.file, n.Line, n.Column} }

// check reports false if the document is too large or too deep to go on.
func (t *tree) check(n *yaml.Node, depth int) bool {
	if t.nodes++; t.nodes > maxNodes {
		t.r.add(t.pos(n), "size", "split the file", "the file holds more than %d values", maxNodes)
		return false
	}
	if depth > maxDepth {
		t.r.add(t.pos(n), "depth", "nothing that fragplan reads is that deep", "more than %d levels", maxDepth)
		return false
	}
	if n.Anchor != "" {
		t.r.add(t.pos(n), "anchor", "write the value out wherever it is needed", "anchors (&%s) are not allowed", n.Anchor)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		t.r.add(t.pos(n), "tag", "take the tag out", "tags (%s) are not allowed", n.Tag)
	}
	switch n.Kind {
	case yaml.AliasNode:
		t.r.add(t.pos(n), "alias", "write the value out", "aliases (*%s) are not allowed", n.Value)
		return true // what it stands for is checked where it is written
	case yaml.MappingNode:
		t.keys(n)
	}
	for _, c := range n.Content {
		if !t.check(c, depth+1) {
			return false
		}
	}
	return true
}

func (t *tree) keys(n *yaml.Node) {
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind == yaml.AliasNode: // reported as such
		case k.Kind != yaml.ScalarNode:
			t.r.add(t.pos(k), "key", "write a name before the colon", "a key must be text")
		case k.Value == "<<" && k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0:
			t.r.add(t.pos(k), "merge", "write the fields out", "merge keys (<<) are not allowed")
		case first[k.Value] != nil:
			t.r.add(t.pos(k), "duplicate", "rename one of them or take it out",
				"%q stands twice; the first is at %s", k.Value, t.pos(first[k.Value]))
		default:
			first[k.Value] = k
		}
	}
}
