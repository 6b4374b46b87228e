package spec

import "fmt"

// What small files can make of large groups, of tables and of many dates is
// bounded, so that a plan of it fits in 512 MB.
const (
	// maxOccurrences is how many purchases all grants together may list, each
	// date that is made up for counted.
	maxOccurrences = 100_000
	// maxSaid is how many bytes of reasons, labels and the like they may repeat.
	maxSaid = 32 << 20
)

// extent is how much the grants that were read make of a plan.
type extent struct {
	occurrences, said int
	confirmed         map[string]confirmation
	dates             map[string]int // by rule: how many of its dates are listed at most
}

// add counts what recipients of a grant make of a plan. It says what is too
// much, or "".
func (e *extent) add(g *Grant, to ...Recipient) string {
	dates, shared := e.most(g), len(g.Double)
	for _, label := range g.Labels {
		shared += len(label.Name) + len(label.Value)
	}
	for _, r := range to {
		said := shared + len(e.confirmed[r.Handle].name) + len(r.Reason)
		if r.Reason == "" {
			said += len(g.Reason)
		}
		for _, was := range r.Was {
			said += len(was)
		}
		e.occurrences += dates
		e.said += dates * said
		switch {
		case e.occurrences > maxOccurrences && dates > 1:
			return fmt.Sprintf("all grants together list more than %d purchases; with catch_up: all each of the last %d dates counts", maxOccurrences, dates)
		case e.occurrences > maxOccurrences:
			return fmt.Sprintf("all grants together list more than %d purchases", maxOccurrences)
		case e.said > maxSaid:
			return fmt.Sprintf("the reasons, labels and earlier names of all purchases together are longer than %d MiB", maxSaid>>20)
		}
	}
	return ""
}

// most is how many dates of a recipient are listed on any day: as many as the
// rule ever makes, where those are few.
func (e *extent) most(g *Grant) int {
	if g.CatchUp != CatchAll || g.Rule.IsZero() {
		return 1
	}
	rule := g.Rule.String()
	if n, known := e.dates[rule]; known {
		return n
	}
	e.dates[rule] = max(1, len(g.Rule.After(0, maxDates)))
	return e.dates[rule]
}
