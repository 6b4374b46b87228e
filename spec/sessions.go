package spec

// maxSessions bounds how many sessions are listed: each has its own pace, and
// is asked who it is before every run.
const maxSessions = 20

// sessions reads where the cookies of each session are.
func (l *loader) sessions(d *doc, e entry) {
	const example = "sessions: {main: file:PATH}"
	for _, f := range d.mapping(e.value, "sessions", "write "+example) {
		if len(l.p.Sessions) == maxSessions {
			d.bad(f.key, "sessions", "take some of them out", "more than %d sessions", maxSessions)
			return
		}
		l.r.sources[d.file].hide(d.pos(f.value))
		s := Session{Name: f.name, Pos: d.pos(f.key), Source: d.keySource(f.value, "sessions."+f.name, "the cookies")}
		if s.Source.Kind == "exec" {
			d.bad(f.value, "key", "write env:NAME, file:PATH or age:PATH", "a session has no exec: plan reads the cookies too, and runs no programs")
		}
		d.validate(e.value, s, f.key)
		l.p.Sessions = append(l.p.Sessions, s)
	}
}
