package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from outside fit for one line of a terminal. Control and
// format characters, bidirectional controls, zero-width characters, strange
// spaces and piles of combining marks become \u{..}; bytes that are no UTF-8
// become \u{fffd}. What makes one emoji of pictographs stays, between them and
// nowhere else. The result takes at most max columns, the last of which
// is "…" if something was cut; max below 1 means no limit.
func Clean(s string, max int) string {
	if plain(s) {
		if max > 0 && len(s) > max {
			return s[:max-1] + "…"
		}
		return s
	}
	var b strings.Builder
	width, marks, cut := 0, 0, 0
	var before glyph
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		piece := s[i : i+size]
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		w := columns(r)
		joins := before.joins(r, next)
		if r == utf8.RuneError && size == 1 || !shown(r) && !joins || marks > 2 || marks > 0 && i == 0 {
			piece = fmt.Sprintf(`\u{%x}`, r)
			w = len(piece)
		}
		i += size
		if max > 0 && width+w > max {
			return b.String()[:cut] + "…"
		}
		b.WriteString(piece)
		if width += w; width < max && !(joins && r == joiner) {
			cut = b.Len()
		}
		before = before.then(r, joins)
	}
	return b.String()
}

// plain says whether all of s is ASCII that can be seen, a column each: what
// most cells of a large plan are.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

const (
	selector = 0xfe0f // shows the character before it as an emoji
	joiner   = 0x200d // makes one emoji of the two beside it
)

// glyph is what stands before a rune, as far as emoji go.
type glyph int

const (
	other      glyph = iota
	pictograph       // or one with the color of a skin
	asEmoji          // a pictograph and the selector
)

// joins reports whether an invisible rune makes an emoji of its neighbours.
func (g glyph) joins(r, next rune) bool {
	return r == selector && g == pictograph || r == joiner && (g == pictograph || g == asEmoji) && pictorial(next)
}

// then is what stands before the rune after r.
func (g glyph) then(r rune, joins bool) glyph {
	switch {
	case pictorial(r), g == pictograph && r >= 0x1f3fb && r <= 0x1f3ff:
		return pictograph
	case joins && r == selector:
		return asEmoji
	}
	return other
}

// pictorial runes are two columns wide, with a selector and without.
func pictorial(r rune) bool {
	return unicode.Is(unicode.So, r) && (r >= 0x231a && r <= 0x2bff || r >= 0x1f000 && r <= 0x1faff)
}

// shown reports whether a rune is visible and does not change its neighbours'
// order or shape.
func shown(r rune) bool {
	switch {
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800: // joiners, fillers, blanks
		return false
	case r >= 0x180b && r <= 0x180f, r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef: // variation selectors
		return false
	}
	return unicode.IsPrint(r)
}

// columns is how many columns terminals give a rune. Where they differ the
// larger number is right, because lines must not wrap.
func columns(r rune) int {
	switch {
	case r < 0x300: // where the combining marks begin
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me), r == joiner:
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x231a && r <= 0x2bff && unicode.Is(unicode.So, r), r >= 0x2e80 && r <= 0xa4cf,
		r >= 0xa960 && r <= 0xa97f, r >= 0xac00 && r <= 0xd7ff, r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x16fe0 && r <= 0x18fff, r >= 0x1aff0 && r <= 0x1b2ff,
		r >= 0x1f000 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

func textWidth(s string) (n int) {
	for _, r := range s {
		n += columns(r)
	}
	return n
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-textWidth(s)))
}
