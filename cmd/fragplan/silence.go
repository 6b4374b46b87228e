package main

import (
	"context"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/report"
)

// A run that ended well is recorded, if anybody is to be told of runs: a fresh
// machine knows from the ledger alone how long none has. What never ran can't
// tell of itself; notices.alive is for that.

// clock is the chain's time, or this machine's where the chain can't be reached.
// It is for telling people, and buys nothing.
func (p *project) clock(ctx context.Context) time.Time {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if now, err := p.now(ctx); err == nil {
		return now
	}
	return time.Now()
}

// silence is the time in which no run ended well before this one, which ended
// with err; nil if it is short, if people were told of it, or if that could not
// be remembered. Where nothing has a date nobody waits for a run, so that a
// good one after weeks is told of as what it is alone.
func (p *project) silence(now time.Time, err error) *report.Silence {
	if p.book == nil || p.book.Well.Told || !p.writes || err == nil && !p.spec.Dated() {
		return nil
	}
	s := p.quiet(now)
	if s != nil {
		s.Over = err == nil
	}
	return s
}

// quiet is the time since a run last ended well, nil if it is short or not known.
func (p *project) quiet(now time.Time) *report.Silence {
	if p.book == nil || p.book.Well.Time == 0 {
		return nil
	}
	since := time.Unix(p.book.Well.Time, 0)
	if lasts := now.Sub(since); lasts >= p.spec.Notices.Silence {
		return &report.Silence{Since: since, Lasts: lasts}
	}
	return nil
}

// remember records an event for those who are told. Whether it can be recorded
// changes nothing of the run.
func (p *project) remember(ctx context.Context, e ledger.Event) {
	if p.book == nil || !p.writes {
		return
	}
	err := p.recorder().Append(ctx, []ledger.Event{e})
	if err == nil {
		err = p.book.Apply(e)
	}
	if err != nil {
		p.program.tell("how this run ended is not recorded: " + err.Error())
	}
}

// warnOfSilence tells the reader of a plan, where runs are due, that none has
// ended well for long.
func (p *project) warnOfSilence(ctx context.Context) {
	if p.book.Well.Time == 0 || !p.spec.Dated() {
		return
	}
	if s := p.quiet(p.clock(ctx)); s != nil {
		p.program.tell(p.program.complete(s.String() + ": see whether the schedule starts its runs, and what they say"))
	}
}
