package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// doc reads values out of one file, and reports each that isn't what is meant
// at its place. Nodes that parse has reported already are passed over.
type doc struct {
	file string
	r    *reporter
}

func (d *doc) pos(n *yaml.Node) Pos { return Pos{d.file, n.Line, n.Column} }

func (d *doc) bad(n *yaml.Node, rule, hint, format string, args ...any) {
	d.r.add(d.pos(n), rule, hint, format, args...)
}

type entry struct {
	name       string
	key, value *yaml.Node
}

// mapping lists the entries of a mapping, each name once.
func (d *doc) mapping(n *yaml.Node, what, hint string) []entry {
	if n.Kind != yaml.MappingNode {
		if n.Kind != yaml.AliasNode {
			d.bad(n, "type", hint, "%s must be fields, not %s", what, kind(n))
		}
		return nil
	}
	list := make([]entry, 0, len(n.Content)/2)
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Value == "<<" || seen[k.Value] {
			continue
		}
		seen[k.Value] = true
		list = append(list, entry{k.Value, k, n.Content[i+1]})
	}
	return list
}

// merges reports whether a mapping has a merge key, from which its missing
// fields might have come.
func merges(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "<<" {
			return true
		}
	}
	return false
}

func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "fields"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return "a single value"
}

// surprising are the plain words that some YAML readers take for something
// other than text.
var surprising = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}

// text reads a value that is meant as text.
func (d *doc) text(n *yaml.Node, what, example string) (string, bool) {
	switch {
	case n.Kind == yaml.AliasNode:
		return "", false
	case n.Kind != yaml.ScalarNode:
		d.bad(n, "type", "write "+example, "%s must be text, not %s", what, kind(n))
		return "", false
	case quoted(n):
		return n.Value, true
	case n.Value == "" || n.ShortTag() == "!!null":
		d.bad(n, "type", "write "+example, "%s is empty", what)
		return "", false
	case slices.Contains(surprising, strings.ToLower(n.Value)), n.ShortTag() != "!!str":
		d.bad(n, "not-text", fmt.Sprintf("put it in quotes if it is meant: %q", n.Value),
			"%s must be text, and YAML can read %s as something else", what, clip(n.Value))
		return "", false
	}
	return n.Value, true
}

// name reads the key of an entry that the user has chosen.
func (d *doc) name(k *yaml.Node, what string) (string, bool) {
	return d.text(k, what, "a name of letters and digits")
}

func quoted(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

var (
	plainNumber = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
	numberish   = regexp.MustCompile(`^[0-9_ ']+$`)
)

// number reads a whole number that is written in plain digits.
func (d *doc) number(n *yaml.Node, what, hint string) (int64, bool) {
	switch {
	case n.Kind == yaml.AliasNode:
		return 0, false
	case n.Kind != yaml.ScalarNode:
		d.bad(n, "type", hint, "%s must be a number, not %s", what, kind(n))
		return 0, false
	case quoted(n) && plainNumber.MatchString(n.Value):
		d.bad(n, "number", "write it without quotes: "+n.Value, "%s must be a number, not text", what)
		return 0, false
	case !plainNumber.MatchString(n.Value):
		d.bad(n, "number", meant(n.Value, hint), "%s must be a whole number in plain digits, not %s", what, clip(n.Value))
		return 0, false
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		d.bad(n, "number", hint, "%s is too large: %s", what, clip(n.Value))
		return 0, false
	}
	return v, true
}

// meant guesses which number was meant: 012 is 12 to people and 10 to YAML, so
// it says both where they differ.
func meant(s, hint string) string {
	var guesses []string
	if numberish.MatchString(s) {
		if g := strings.TrimLeft(strings.NewReplacer("_", "", " ", "", "'", "").Replace(s), "0"); g != "" {
			guesses = append(guesses, g)
		}
	}
	if v, err := strconv.ParseInt(s, 0, 64); err == nil && v > 0 {
		guesses = append(guesses, strconv.FormatInt(v, 10))
	} else if digits, exp, ok := strings.Cut(strings.ToLower(s), "e"); ok && plainNumber.MatchString(digits) {
		if e, err := strconv.Atoi(exp); err == nil && e >= 0 && e < 15 {
			guesses = append(guesses, digits+strings.Repeat("0", e))
		}
	}
	guesses = slices.Compact(guesses)
	if len(guesses) == 0 {
		return hint
	}
	return "write " + strings.Join(guesses, " or ")
}

// clip quotes a value for a message, and shortens it.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return strconv.Quote(s)
}

// list returns the members of a scalar or a list, and whether it was a scalar.
func (d *doc) list(n *yaml.Node, what, example string) (members []*yaml.Node, scalar bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		return []*yaml.Node{n}, true
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			d.bad(n, "empty-list", "write "+example, "%s is an empty list", what)
		}
		return n.Content, false
	case yaml.MappingNode:
		d.bad(n, "type", "write "+example, "%s must be a value or a list, not fields", what)
	}
	return nil, false
}

// listOf returns the members of a list of fields.
func (d *doc) listOf(n *yaml.Node, what, example string) []*yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	if n.Kind != yaml.AliasNode {
		d.bad(n, "type", "write "+what+": "+example, "%s must be a list, not %s", what, kind(n))
	}
	return nil
}

// secretKey finds fields that people might think of for their secrets.
var secretKey = regexp.MustCompile(`(?i)mnemonic|seed|private_?key|secret|cookie|stel_|token|password|^hash$|^key$`)

// unknown reports a field that isn't read.
func (d *doc) unknown(k *yaml.Node, where string, known ...string) {
	if secretKey.MatchString(k.Value) {
		hint := "take it out of the file and of its history. The wallet's words belong into a file with mode 0600 that FRAGPLAN_MNEMONIC_FILE names, or where key: under wallet says that they are"
		if regexp.MustCompile(`(?i)cookie|stel_|token|hash`).MatchString(k.Value) {
			hint = "take it out of the file and of its history. The session belongs into a file with mode 0600 that FRAGPLAN_SESSION_FILE names, or into the environment variable FRAGPLAN_SESSION"
		}
		d.r.sources[d.file].hide(Pos{d.file, k.Line, k.Column + len([]rune(k.Value)) + 1})
		d.bad(k, "secret", hint, "secrets don't belong into YAML: %s", clip(k.Value))
		return
	}
	hint := "known here: " + strings.Join(known, ", ")
	if s, ok := d.r.nearest(k.Value, known); ok {
		hint = fmt.Sprintf("did you mean %s?", s)
		d.r.slip(k, s)
	}
	d.bad(k, "unknown-field", hint, "unknown field %s in %s", clip(k.Value), where)
}

// misspelt reports whether an unknown field of a mapping is most likely a slip of
// one of these.
func (d *doc) misspelt(n *yaml.Node, fields ...string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if s := d.r.slips[n.Content[i]]; s != "" && slices.Contains(fields, s) {
			return true
		}
	}
	return false
}
