package spec

import (
	"encoding/hex"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// Edits are what people say of the past of keys, beside what everybody is to
// have. Each stays true once it was said, so it may stand for ever; the ledger
// remembers it, so it may be taken out too.
type Edits struct {
	Moves   []Move    // in the order of the files
	Settled []Settled // in the order of the files
	Imports []Import  // in the order of the files
}

// A Move says that a key had another name before, or all keys of a grant. Both
// are grants, or both are keys; a key without a date means all of its dates.
type Move struct {
	From, To string
	Written  bool // the name to which it leads, with the moves after it, is written
	Pos      Pos
}

// Settled says that what is written for a key was given otherwise.
type Settled struct {
	Key    string
	Reason string
	Pos    Pos
}

// An Import says that a transaction of the project's wallet, made without
// fragplan, was a purchase for a key.
type Import struct {
	Key         string
	Transaction ton.Hash
	Ref         string // of the transfer, where the transaction holds several; or ""
	Reason      string
	Pos         Pos
}

// maxMoves bounds the moves, because chains of them are followed.
const maxMoves = 5000

// move reads `{from: thanks/bob, to: helpers/bob}`.
func (l *loader) move(d *doc, n *yaml.Node) {
	const example = "{from: thanks, to: helpers} or {from: thanks/bob, to: helpers/bob}"
	m := Move{Pos: d.pos(n)}
	seen := map[string]bool{}
	sound := n.Kind == yaml.MappingNode
	for _, f := range d.mapping(n, "a move", "write "+example) {
		seen[f.name] = true
		switch f.name {
		case "from", "to":
			s, ok := d.key(f.value, f.name)
			if sound = sound && ok; f.name == "from" {
				m.From = s
			} else {
				m.To = s
			}
		default:
			d.unknown(f.key, "a move", "from", "to")
		}
	}
	if n.Kind == yaml.MappingNode {
		d.require(n, "a move", seen, [][2]string{{"from", "from: and the name that it had"}, {"to", "to: and the name that it has"}})
	}
	switch {
	case !sound || !seen["from"] || !seen["to"]:
	case m.From == m.To:
		d.bad(n, "moved", "take it out", "%s is moved to itself", clip(m.From))
	case strings.Contains(m.From, "/") != strings.Contains(m.To, "/"):
		d.bad(n, "moved", "write "+example, "a grant is moved to a grant, and a key to a key")
	case dateIn(m.From) == 0 && dateIn(m.To) != 0:
		d.bad(n, "moved", "write a key without a date, which means all its dates", "all of %s can't become one date", clip(m.From))
	case len(l.p.Edits.Moves) == maxMoves:
		d.bad(n, "size", "take out what every ledger of the project knows", "more than %d moves", maxMoves)
	default:
		l.p.Edits.Moves = append(l.p.Edits.Moves, m)
	}
}

// settle reads `best-meme/ann: Kim gave it from her own wallet`.
func (l *loader) settle(d *doc, e entry) {
	key, ok := d.wholeKey(e.key, "what is settled")
	reason, given := d.text(e.value, "why it is settled", "how it was given, and by whom")
	if ok && given && d.reason(e.value, reason) {
		l.p.Edits.Settled = append(l.p.Edits.Settled, Settled{Key: key, Reason: reason, Pos: d.pos(e.key)})
	}
}

// takeIn reads `{key: best-meme/ann, transaction: 64 digits, ref: …, reason: …}`.
func (l *loader) takeIn(d *doc, n *yaml.Node) {
	const example = "{key: best-meme/ann, transaction: its hash, reason: who bought it}"
	i := Import{Pos: d.pos(n)}
	seen := map[string]bool{}
	sound := n.Kind == yaml.MappingNode
	for _, f := range d.mapping(n, "an import", "write "+example) {
		seen[f.name] = true
		ok := true
		switch f.name {
		case "key":
			i.Key, ok = d.wholeKey(f.value, "key")
		case "transaction":
			i.Transaction, ok = d.transaction(f.value)
		case "ref":
			if i.Ref, ok = d.text(f.value, "ref", "what stands behind Ref# in the transfer's comment"); ok && !refForm.MatchString(i.Ref) {
				d.bad(f.value, "ref", "write what stands behind Ref# in the transfer's comment", "%s is no ref", clip(i.Ref))
				ok = false
			}
		case "reason":
			i.Reason, ok = d.text(f.value, "reason", "who bought it, and why")
			ok = ok && d.reason(f.value, i.Reason)
		default:
			d.unknown(f.key, "an import", "key", "transaction", "ref", "reason")
		}
		sound = sound && ok
	}
	if n.Kind == yaml.MappingNode {
		d.require(n, "an import", seen, [][2]string{{"key", "key: and the key that it was for"}, {"transaction", "transaction: and its hash"}, {"reason", "reason: and who bought it, for whoever reads it later"}})
	}
	if sound && seen["key"] && seen["transaction"] && seen["reason"] {
		l.p.Edits.Imports = append(l.p.Edits.Imports, i)
	}
}

var refForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// maxReason bounds a reason in characters, as that of a grant.
const maxReason = 500

func (d *doc) reason(n *yaml.Node, s string) bool {
	switch {
	case strings.TrimSpace(s) == "":
		d.bad(n, "reason", "write it for whoever reads it later", "the reason is empty")
	case len([]rune(s)) > maxReason:
		d.bad(n, "max", "shorten it", "the reason is too long")
	case strings.ContainsRune(s, 0): // no ledger holds one
		d.bad(n, "not-text", "take it out", "the reason holds a NUL character")
	default:
		return true
	}
	return false
}

// transaction reads the hash of one, with or without the logical time before it.
func (d *doc) transaction(n *yaml.Node) (h ton.Hash, ok bool) {
	const example = "its hash, 64 hexadecimal digits, in quotes"
	if n.Kind != yaml.ScalarNode {
		d.bad(n, "type", "write "+example, "transaction must be text, not %s", kind(n))
		return h, false
	}
	text := n.Value
	if _, hash, both := strings.Cut(text, ":"); both {
		text = hash
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(h) {
		d.bad(n, "transaction", "write "+example, "%s is no transaction", clip(n.Value))
		return h, false
	}
	copy(h[:], b)
	return h, true
}

var memberForm = regexp.MustCompile(`^(@[A-Za-z][A-Za-z0-9_]{3,31}|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$`)

// key reads the name of a grant or of a key.
func (d *doc) key(n *yaml.Node, what string) (string, bool) {
	s, ok := d.text(n, what, "thanks/bob, or the grant's name alone")
	if !ok {
		return "", false
	}
	grant, member, whole := strings.Cut(s, "/")
	if date := dateIn(member); date != 0 {
		member = member[:len(member)-len("@2026-12-01")]
	}
	if !nameForm.MatchString(grant) || whole && !memberForm.MatchString(member) {
		d.bad(n, "key", "write a key as fragplan plan prints it (thanks/bob), or a grant's name alone", "%s %s is no key", what, clip(s))
		return "", false
	}
	return normalKey(s), true
}

// wholeKey reads a key with its member.
func (d *doc) wholeKey(n *yaml.Node, what string) (string, bool) {
	s, ok := d.key(n, what)
	if ok && !strings.Contains(s, "/") {
		d.bad(n, "key", "write each key as fragplan plan prints it: "+s+"/…", "%s %s is a grant, not a key", what, clip(s))
		return "", false
	}
	return s, ok
}

// normalKey writes user names in lower case, as keys have them.
func normalKey(key string) string {
	if grant, handle, ok := strings.Cut(key, "/@"); ok {
		return grant + "/@" + strings.ToLower(handle)
	}
	return key
}

// dateIn is the date behind a key or a member, zero if there is none.
func dateIn(key string) schedule.Date {
	at := len(key) - len("@2026-12-01")
	if at < 1 || key[at] != '@' {
		return 0
	}
	date, _ := schedule.ParseDate(key[at+1:])
	return date
}
