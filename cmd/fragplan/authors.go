package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// The authors of a plan are those of each of its purchases: who made it be
// wanted, beyond what was given, and who gave it the amount, the money, the
// dates and the user name that it has. Of somebody to whom nothing has come yet
// that is also who wrote the user name under people:.
//
// Each of these is followed back through the history, from commit to parent as
// long as the files of the parent say the same, however it is written there:
// what was only moved, copied or merged keeps its author, and a later commit
// about something else changes nothing. Where the files of a commit can't be
// read as a project, its authors count, and it is looked behind it.

// A wish is what the files of a commit say of a key without its date.
type wish struct {
	item    product.Item
	handle  string
	payWith ton.Asset
	when    string
}

// written is what the files of a commit say.
type written struct {
	wishes  map[string]wish
	handles map[string]string // by the id under people:
}

func writtenIn(s *spec.Project) *written {
	w := &written{map[string]wish{}, map[string]string{}}
	for _, p := range s.People {
		w.handles[p.ID] = p.Handle
	}
	for _, g := range s.Grants {
		for _, r := range g.To {
			one := wish{g.Item, r.Handle, g.PayWith, fmt.Sprint(g.On, g.Rule.Starting, g.Rule.Until, g.Rule.String(), r.Since, r.Until, g.CatchUp, g.MaxCatchUp)}
			if r.Item.Quantity != 0 {
				one.item = r.Item
			}
			name := r.Row
			if name == "" {
				name = r.Person
			}
			w.wishes[g.Name+"/"+name] = one
		}
	}
	return w
}

// A trait is something about a purchase that somebody has written.
type trait func(*written) bool

// traits are those of a purchase, as the newest commit has it.
func (p *project) traits(a reconcile.Action, now *written) ([]trait, error) {
	series := a.Key
	g, known := now.wishes[series]
	if undated, date, dated := cutLast(series, "@"); !known && dated {
		if _, err := schedule.ParseDate(date); err == nil {
			series = undated
			g, known = now.wishes[series]
		}
	}
	if !known || g.handle != a.Handle || g.item.Kind != a.Item.Kind || g.item.Quantity != a.Want {
		return nil, fmt.Errorf("the newest commit does not have %s as the plan buys it", report.Clean(a.Key, 200))
	}
	names := p.names(series)
	// What was written before it was wanted beyond what was given is no matter
	// any more: that was bought, and approved, as it was.
	wanted := func(holds func(wish) bool) trait {
		return func(w *written) bool {
			return slices.ContainsFunc(names, func(name string) bool {
				then, there := w.wishes[name]
				return there && (then.item.Kind != g.item.Kind || then.item.Quantity > a.Have) && holds(then)
			})
		}
	}
	list := []trait{
		wanted(func(wish) bool { return true }),
		wanted(func(then wish) bool { return then.item == g.item }),
		wanted(func(then wish) bool { return then.payWith == g.payWith }),
		wanted(func(then wish) bool { return then.when == g.when }),
		wanted(func(then wish) bool { return then.handle == g.handle }),
	}
	if now.handles[a.Person] == a.Handle && !p.came(a.Handle) {
		list = append(list, func(w *written) bool { return w.handles[a.Person] == a.Handle })
	}
	return list, nil
}

// names are a key without its date, and those that it had before.
func (p *project) names(series string) []string {
	names := []string{series}
	for i := 0; i < len(names); i++ {
		grant, member, _ := strings.Cut(names[i], "/")
		for _, m := range p.spec.Edits.Moves {
			before := ""
			switch m.To {
			case names[i]:
				before = m.From
			case grant:
				before = m.From + "/" + member
			}
			if before != "" && !slices.Contains(names, before) {
				names = append(names, before)
			}
		}
	}
	return names
}

// came reports whether money has left for something for this user name.
func (p *project) came(handle string) bool {
	for _, o := range p.book.Orders {
		if o.Handle == handle && o.Phase.Spent() {
			return true
		}
	}
	return false
}

// authors are the addresses of those who wrote what a plan buys. A .mailmap adds
// addresses of the same people, and takes none away.
func (p *project) authors(ctx context.Context, plan *reconcile.Plan) ([]string, error) {
	if err := p.committed(ctx); err != nil {
		return nil, err
	}
	h, err := openHistory(ctx, p.program.dir)
	if err != nil {
		return nil, err
	}
	defer h.close()
	now := h.written(ctx, h.commits[0])
	if now == nil {
		return nil, fmt.Errorf("the files of commit %s can't be read as a project", h.commits[0].id)
	}
	var traits []trait
	for _, a := range plan.Actions {
		if !a.Buys() {
			continue
		}
		list, err := p.traits(a, now)
		if err != nil {
			return nil, err
		}
		traits = append(traits, list...)
	}
	return h.blame(ctx, traits)
}

// blame returns who has brought in what holds in the newest commit.
func (h *history) blame(ctx context.Context, traits []trait) (authors []string, err error) {
	here := map[string][]int{} // by commit: the traits that hold there, or may
	for i := range traits {
		here[h.commits[0].id] = append(here[h.commits[0].id], i)
	}
	for _, c := range h.commits { // each before its parents
		held := here[c.id]
		delete(here, c.id)
		if len(held) == 0 {
			continue
		}
		slices.Sort(held)
		held = slices.Compact(held)
		at := h.written(ctx, c)
		brought := at == nil
		older := map[int]bool{} // held by a parent
		for _, id := range c.parents {
			before := h.written(ctx, h.byID[id])
			passed := held
			if before != at && before != nil {
				passed = nil
				for _, i := range held {
					if traits[i](before) {
						passed = append(passed, i)
					}
				}
			}
			if before != nil {
				for _, i := range passed {
					older[i] = true
				}
			}
			here[id] = slices.Concat(here[id], passed)
		}
		if brought || len(older) < len(held) {
			authors = append(authors, c.authors...)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.Sort(authors)
	return slices.Compact(authors), nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
