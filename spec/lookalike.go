package spec

import (
	"fmt"
	"strings"

	"github.com/mtibben/confusables"
)

// Lookalike is what a user name or an id looks like: those that people may take
// for one another have the same. It goes by the confusables of Unicode (UTS 39)
// and by what fonts and hasty eyes add: l, I and 1, 0 and O, rn and m, vv and w,
// an underscore more. Case does not count.
func Lookalike(name string) string {
	s := strings.ToLower(name)
	for _, r := range s {
		if r >= 0x80 {
			s = strings.ToLower(confusables.Skeleton(s))
			break
		}
	}
	b := make([]byte, 0, len(s)+1)
	for i := range len(s) {
		c := s[i]
		switch {
		case c == 'i' || c == '1' || c == '|':
			c = 'l'
		case c == '0':
			c = 'o'
		case c == 'm':
			b = append(b, 'r')
			c = 'n'
		case c == 'v' && len(b) > 0 && b[len(b)-1] == 'v':
			b[len(b)-1] = 'w'
			continue
		case c == '_' && len(b) > 0 && b[len(b)-1] == '_':
			continue
		}
		b = append(b, c)
	}
	return strings.TrimRight(string(b), "_")
}

// sighted is a name and where it stands.
type sighted struct {
	name string
	pos  Pos
}

// lookalikes warns of user names and of ids that people may take for one another.
func (l *loader) lookalikes() {
	first := map[string]sighted{}
	seen := map[string]bool{}
	look := func(kind, name, mark string, pos Pos) {
		if seen[kind+name] {
			return
		}
		seen[kind+name] = true
		as := kind + Lookalike(name)
		if other, taken := first[as]; taken {
			l.warn(pos, "lookalike", "make sure that both are meant; a stranger may have chosen the name to be taken for the other one",
				"%s %s%s looks like %s%s, at %s", kind, mark, name, mark, other.name, other.pos)
			return
		}
		first[as] = sighted{name, pos}
	}
	for _, p := range l.p.People {
		look("user name", p.Handle, "@", p.Pos)
		look("id", p.ID, "", p.Pos)
	}
	for _, g := range l.p.Grants {
		for _, r := range g.To {
			look("user name", r.Handle, "@", r.Pos)
		}
	}
}

// warn adds a warning, which stops nothing.
func (l *loader) warn(pos Pos, rule, hint, format string, args ...any) {
	if len(l.p.Warnings) == maxDiagnostics {
		return
	}
	d := Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint}
	if s := l.r.sources[pos.File]; s != nil {
		d.SourceLine = s.line(pos.Line)
	}
	l.p.Warnings = append(l.p.Warnings, d)
}

// foreign says which letter of a user name is none that Telegram takes, and what
// the name looks like.
func foreign(handle string) string {
	for _, r := range handle {
		if r >= 0x80 {
			plain := confusables.Skeleton(string(r))
			if len(plain) == 1 && plain[0] < 0x80 {
				return fmt.Sprintf("%q in it is not the letter %s but U+%04X, which only looks like it", r, plain, r)
			}
			return fmt.Sprintf("%q (U+%04X) is in no user name", r, r)
		}
	}
	return ""
}
