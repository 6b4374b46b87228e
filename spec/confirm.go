package spec

import "strings"

// A confirmation is a display name that somebody has looked up in Telegram and
// found to be the right person's.
type confirmation struct {
	name string
	pos  Pos
}

// maxConfirmed bounds a display name in characters; Telegram's end at 129.
const maxConfirmed = 500

// confirm reads `"@ann_petrova": "Ann P."`. It goes by the user name and not by
// the person's id, so that it can be pasted whatever else is written, also for
// somebody who isn't listed.
func (l *loader) confirm(d *doc, e entry) {
	const example = `"@…": "…"`
	handle, ok := d.handle(e.key, "who is confirmed")
	name, named := d.text(e.value, "the display name", `"…"`)
	switch first, twice := l.confirmed[handle]; {
	case !ok || !named:
	case strings.TrimSpace(name) == "":
		d.bad(e.value, "confirmed", "write the display name as Telegram shows it: "+example, "the display name is empty")
	case len([]rune(name)) > maxConfirmed:
		d.bad(e.value, "confirmed", "write the display name as Telegram shows it: "+example, "the display name is too long")
	case twice:
		d.bad(e.key, "duplicate", "take one of them out", "@%s is confirmed twice; the first is at %s", handle, first.pos)
	default:
		l.confirmed[handle] = confirmation{name, d.pos(e.key)}
	}
}
