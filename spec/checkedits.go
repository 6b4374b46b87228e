package spec

import (
	"cmp"
	"slices"
	"strings"
)

// checkEdits compares what is said of keys with what is written, once all files
// are read.
func (l *loader) checkEdits() {
	e := l.p.Edits
	if len(e.Moves)+len(e.Settled)+len(e.Imports) == 0 {
		return
	}
	written := l.written()
	l.checkMoves(e.Moves, written)
	first := map[string]Pos{}
	for _, s := range e.Settled {
		if at, twice := first[s.Key]; twice {
			l.r.add(s.Pos, "duplicate", "take one of them out", "%s is settled twice; the first is at %s", clip(s.Key), at)
		}
		first[s.Key] = s.Pos
		l.mustBeWritten(s.Pos, s.Key, "settled", written)
	}
	claims := map[string]Pos{}
	for _, i := range e.Imports {
		claim := i.Transaction.String() + " " + i.Ref
		if at, twice := claims[claim]; twice {
			l.r.add(i.Pos, "duplicate", "name each transfer by its ref", "the transaction is imported twice; the first is at %s", at)
		}
		claims[claim] = i.Pos
		l.mustBeWritten(i.Pos, i.Key, "import", written)
	}
}

// place is where a key is written.
type place struct {
	pos    Pos
	recurs bool
}

// written lists the keys that are written, without their dates, and the grants.
func (l *loader) written() map[string]place {
	all := map[string]place{}
	for _, g := range l.p.Grants {
		recurs := !g.Rule.IsZero()
		all[g.Name] = place{g.Pos, recurs}
		for _, r := range g.To {
			all[g.Name+"/"+cmp.Or(r.Row, r.Person)] = place{r.Pos, recurs}
		}
	}
	for name, pos := range l.grants { // also those that can't be read whole
		if _, known := all[name]; !known {
			all[name] = place{pos: pos}
		}
	}
	return all
}

// mustBeWritten reports a key of which nothing is written: a slip there would
// have the key that was meant bought.
func (l *loader) mustBeWritten(pos Pos, key, what string, written map[string]place) {
	series := withoutDate(key)
	at, known := written[series]
	switch {
	case known && series != key && !at.recurs:
		l.r.add(pos, what, "write "+series, "%s has no dates", clip(series))
	case known && series == key && at.recurs:
		l.r.add(pos, what, "write one of its dates: "+series+"@2026-12-01", "%s recurs, and each of its dates is a key", clip(series))
	case known || l.partial:
	default:
		hint := "write a key of a grant, as fragplan plan prints it, or take it out: the ledger remembers what was said of it"
		names := make([]string, 0, len(written))
		for name := range written {
			if strings.Contains(name, "/") {
				names = append(names, name)
			}
		}
		if near, ok := l.r.nearest(series, slices.Sorted(slices.Values(names))); ok {
			hint = "did you mean " + near + "?"
		}
		l.r.add(pos, what, hint, "no grant gives %s", clip(key))
	}
}

// checkMoves: a key has one name before it and one after it, no chain of moves
// comes back to where it began, and what moved is not written any more.
func (l *loader) checkMoves(moves []Move, written map[string]place) {
	from, to := map[string]Move{}, map[string]Move{}
	for _, m := range moves {
		if first, twice := from[m.From]; twice {
			l.r.add(m.Pos, "moved", "take one of them out", "%s is moved twice; the first is at %s", clip(m.From), first.Pos)
			continue
		}
		if first, twice := to[m.To]; twice {
			l.r.add(m.Pos, "moved", "two keys can't become one: give each a name of its own", "%s is moved to %s, and so is %s, at %s", clip(m.From), clip(m.To), clip(first.From), first.Pos)
			continue
		}
		from[m.From], to[m.To] = m, m
		if at, is := written[m.From]; is {
			l.r.add(m.Pos, "moved", "write it under its new name only, or take the move out", "%s was moved and is still written, at %s", clip(m.From), at.pos)
		}
	}
	way := moverOf(moves)
	for i, m := range moves {
		now, endless := way.follow(m.From)
		if endless {
			l.r.add(m.Pos, "moved", "keep the newest of these moves only", "moves lead from %s back to it", clip(m.From))
			return
		}
		_, moves[i].Written = written[withoutDate(now)]
	}
}

// Follow returns a function that says which name a key has, or a grant, by the
// moves. The move of a key goes before that of its grant, and a chain of moves
// leads to its end; Load has made sure that there is one.
func (e Edits) Follow() func(key string) string {
	m := moverOf(e.Moves)
	return func(key string) string {
		now, _ := m.follow(key)
		return now
	}
}

// mover maps names to the ones that they were given.
type mover map[string]string

func moverOf(moves []Move) mover {
	m := make(mover, len(moves))
	for _, move := range moves {
		m[move.From] = move.To
	}
	return m
}

// follow reports true for moves that never end.
func (m mover) follow(key string) (now string, endless bool) {
	for range len(m) + 1 {
		next, moved := m.step(key)
		if !moved {
			return key, false
		}
		key = next
	}
	_, moved := m.step(key)
	return key, moved
}

// step takes the most exact move that there is.
func (m mover) step(key string) (string, bool) {
	if to, ok := m[key]; ok {
		return to, true
	}
	if series := withoutDate(key); series != key {
		if to, ok := m[series]; ok {
			return to + key[len(series):], true
		}
	}
	if grant, rest, ok := strings.Cut(key, "/"); ok {
		if to, ok := m[grant]; ok {
			return to + "/" + rest, true
		}
	}
	return "", false
}

func withoutDate(key string) string {
	if dateIn(key) == 0 {
		return key
	}
	return key[:len(key)-len("@2026-12-01")]
}
