package reconcile_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
)

// People give keys and grants other names and say so under moved. The checker
// goes by the first name that a key had: whatever it is called, it is one gift.
// And they say under settled that a key was given otherwise.

// move gives a grant another name, or one key of it, that was never used.
func (s *sim) move() {
	if len(s.want) == 0 {
		return
	}
	o := s.want[s.IntN(len(s.want))]
	grant := fmt.Sprintf("%s.%d", originOf(o.Grant), len(s.moves)+1)
	whole := o.Single || o.Rule != "" || s.IntN(2) == 0
	m := spec.Move{From: o.Grant, To: grant, Pos: spec.Pos{File: "moved.yaml", Line: len(s.moves) + 1}}
	if !whole {
		m.From, m.To = m.From+"/"+o.Person, m.To+"/"+o.Person
	}
	s.tracef("a person moves %s to %s", m.From, m.To)
	s.moves = append(slices.Clone(s.moves), m)
	s.rules[grant] = o.Rule
	s.want = slices.Clone(s.want)
	for i := range s.want {
		o := &s.want[i]
		s.gone = append(s.gone, *o) // so that it can be written again
		o.Key = s.called(o.Key)
		o.Grant, _, _ = strings.Cut(o.Key, "/")
	}
}

// settle says that a key was given otherwise, whatever became of it so far.
func (s *sim) settle() {
	if len(s.want) == 0 {
		return
	}
	o := s.want[s.IntN(len(s.want))]
	s.tracef("a person says that %s was given otherwise", o.Key)
	s.otherwise = append(slices.Clone(s.otherwise), spec.Settled{Key: o.Key, Reason: fmt.Sprint("given by hand, ", len(s.otherwise)+1), Pos: spec.Pos{File: "settled.yaml", Line: len(s.otherwise) + 1}})
	s.checker.byHand[origin(o.Key)] = true
}

// called is the name of a key by the moves.
func (s *sim) called(key string) string { return spec.Edits{Moves: s.moves}.Follow()(key) }

// note records what is said of keys where nothing is bought. It reports false if
// the process has ended over it.
func (p *process) note(plan *reconcile.Plan, book *ledger.State) bool {
	events := reconcile.NewEdits(plan, book)
	p.count("decided ", events)
	return len(events) == 0 || p.commit(events)
}

// moving are the keys that get their name with the next apply.
func (f files) moving(book *ledger.State) map[string]bool {
	to := map[string]bool{}
	for _, e := range f.desired(nil).Moving(book) {
		to[e.To] = true
	}
	return to
}

// files are what a run reads: what is said of keys beside what is wanted.
type files struct {
	moves     []spec.Move
	otherwise []spec.Settled
}

// desired is what a run reads in the files. Of a key that is not written nothing
// is said to be settled.
func (f files) desired(want []spec.Occurrence) reconcile.Desired {
	moves := slices.Clone(f.moves)
	follow := spec.Edits{Moves: moves}.Follow()
	for i := range moves {
		now := follow(moves[i].To)
		moves[i].Written = slices.ContainsFunc(want, func(o spec.Occurrence) bool { return now == o.Grant || now == o.Grant+"/"+o.Person })
	}
	newest := map[string]spec.Settled{}
	for _, s := range f.otherwise {
		s.Key = follow(s.Key)
		newest[s.Key] = s
	}
	var otherwise []spec.Settled
	for _, o := range want {
		if s, said := newest[o.Key]; said {
			otherwise = append(otherwise, s)
		}
	}
	return reconcile.Desired{Want: want, Edits: spec.Edits{Moves: moves, Settled: otherwise}}
}

// origin is the first name of a key.
func origin(key string) string {
	grant, rest, whole := strings.Cut(key, "/")
	if !whole {
		return key // nobody's
	}
	return originOf(grant) + "/" + rest
}

func originOf(grant string) string {
	grant, _, _ = strings.Cut(grant, ".")
	return grant
}

// keyOf is the key that a person's decision on a found transfer is about.
func keyOf(e ledger.Event) string {
	if e, ok := e.(ledger.FoundAssigned); ok {
		return e.Key
	}
	return ""
}
