package spec

import (
	"cmp"
	"slices"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// An Occurrence is one thing that one person is to have. Its Key is its name
// for ever.
type Occurrence struct {
	Key    string // "best-meme/ann", "promo/@our_channel", "runners-up/17" for a row, "thanks/ann@2026-12-01"
	Grant  string
	Person string // the id under people, or "@handle"
	Handle string // in lower case, without "@"
	Was    []string
	Item   product.Item
	Single bool
	Reason string
	Double string // why it may look like another gift
	Labels []Label
	Pos    Pos // of the recipient

	Confirmed string    // the display name that somebody has found to be this person's, or ""
	PayWith   ton.Asset // the money that pays; "" is TON

	Date  schedule.Date // on which it falls due; zero for what is due at once
	Last  schedule.Date // the last day on which it is bought; zero for no end
	Today schedule.Date // the day for which it was listed; zero for what is due at once

	// Of grants that recur.
	Rule       string // as package schedule prints it; "" for what is given once
	CatchUp    CatchUp
	MaxCatchUp int
}

// Asset is the money that pays.
func (o Occurrence) Asset() ton.Asset { return cmp.Or(o.PayWith, ton.AssetTON) }

// Series names what the dates of one recipient have in common: the key
// without its date.
func (o Occurrence) Series() string {
	if o.Rule == "" {
		return o.Key
	}
	return o.Key[:len(o.Key)-len("@2026-12-01")]
}

// Due reports whether the day has come.
func (o Occurrence) Due() bool { return o.Date <= o.Today }

// Occurrences lists what everybody is to have on a day, in the order of the
// files, the dates of each recipient together and the oldest first. No two have
// the same Key. Of grants that recur it lists the latest date; with CatchAll
// all of them, up to a hundred.
//
// Which of those are to be bought depends on what was bought before.
func (p *Project) Occurrences(today schedule.Date) []Occurrence {
	return slices.DeleteFunc(p.Written(today), func(o Occurrence) bool { return !o.Due() })
}

// Written lists what a plan is made of: Occurrences, and of each grant that
// recurs and of which nothing is due its next date, which says by which rule it
// recurs.
func (p *Project) Written(today schedule.Date) []Occurrence {
	n := 0
	for _, g := range p.Grants {
		n += len(g.To)
	}
	list, dated := make([]Occurrence, 0, n), p.Dated()
	for _, g := range p.Grants {
		if g.On > today {
			continue
		}
		dates, first := g.Rule.Through(today), len(list)
		for _, r := range g.To {
			o := g.occurrence(r, today)
			if dated {
				o.Today = today
			}
			if !g.Rule.IsZero() {
				list = g.recur(list, o, r, dates)
			} else if g.On == 0 || r.belongs(g.On) {
				list = append(list, o)
			}
		}
		if next := g.Rule.After(today, 1); len(list) == first && len(next) > 0 && len(g.To) > 0 {
			r := g.To[0]
			r.Since, r.Until = 0, 0
			list = g.recur(list, g.occurrence(r, today), r, next)
		}
	}
	return list
}

func (g Grant) occurrence(r Recipient, today schedule.Date) Occurrence {
	o := Occurrence{
		Key: g.Name + "/" + cmp.Or(r.Row, r.Person), Grant: g.Name, Person: r.Person, Handle: r.Handle, Was: r.Was,
		Item: g.item(r), Single: g.Single, Reason: cmp.Or(r.Reason, g.Reason), Double: g.Double, Labels: g.Labels, Pos: r.Pos,
		Confirmed: r.Confirmed, PayWith: g.PayWith, Date: g.On, Last: g.last(g.On),
	}
	if g.On != 0 || !g.Rule.IsZero() {
		o.Today = today
	}
	return o
}

// recur lists the dates of one recipient.
func (g Grant) recur(list []Occurrence, o Occurrence, r Recipient, dates []schedule.Date) []Occurrence {
	most := 1
	if g.CatchUp == CatchAll {
		most = maxDates
	}
	from := len(dates)
	for n := 0; from > 0 && n < most; {
		if from--; r.belongs(dates[from]) {
			n++
		} else if dates[from] < r.Since {
			break
		}
	}
	series := o.Key
	o.Rule, o.CatchUp, o.MaxCatchUp = g.Rule.String(), g.CatchUp, g.MaxCatchUp
	for _, d := range dates[from:] {
		if r.belongs(d) {
			o.Key, o.Date, o.Last = series+"@"+d.String(), d, g.last(d)
			list = append(list, o)
		}
	}
	return list
}

// last is the last day on which Premium for somebody who has it is waited for.
func (g Grant) last(date schedule.Date) schedule.Date {
	if g.Wait == 0 || date == 0 {
		return 0
	}
	return date + schedule.Date(g.Wait)
}
