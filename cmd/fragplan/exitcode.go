package main

import (
	"context"
	"errors"

	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/reconcile"
)

// What apply -detailed-exitcode exits with; docs/exit-codes.md. 2 is plan's.
const (
	exitError   = 1
	exitPartial = 3 // something was not bought, and a person must look
	exitUnknown = 4 // what became of a payment, or of what it paid for, is not known yet
	exitRefused = 5 // a limit, a rule, a budget or missing approvals forbid it
	exitStale   = 6 // the plan that was approved no longer holds
	exitLocked  = 7 // another run has the ledger
)

// detail gives an error of apply the code of its kind.
func detail(err error) error {
	var e *exit
	switch {
	case err == nil:
		return nil
	case errors.Is(err, reconcile.ErrStale), errors.Is(err, reconcile.ErrApplied), errors.Is(err, reconcile.ErrOther):
		return &exit{exitStale, err}
	case errors.Is(err, errUnapproved):
		return &exit{exitRefused, err}
	case errors.Is(err, sqlite.ErrLocked), errors.Is(err, sqlite.ErrEpoch), errors.Is(err, gitlog.ErrLost):
		return &exit{exitLocked, err}
	case errors.As(err, &e):
		return err // it has one
	}
	return err
}

// exitCode is the code of an apply that ran, by what must be looked at first.
func (p *project) exitCode(r reconcile.Result, plan *reconcile.Plan) int {
	switch {
	case len(p.book.Open()) > 0 || len(r.Undelivered) > 0:
		return exitUnknown
	case len(plan.Violations) > 0, forbidden(r, plan):
		return exitRefused
	}
	return exitPartial
}

// unsettled marks an error with which a run stopped while a payment was open, or
// Fragment had not acknowledged what was paid.
func (p *project) unsettled(err error, r reconcile.Result) error {
	if e := (*exit)(nil); err == nil || errors.Is(err, context.Canceled) || errors.As(err, &e) || len(p.book.Open()) == 0 && len(r.Undelivered) == 0 {
		return err
	}
	return &exit{exitUnknown, err}
}

// forbidden reports whether nothing was bought and only limits and rules were in
// the way.
func forbidden(r reconcile.Result, plan *reconcile.Plan) bool {
	if len(r.Bought)+len(r.Offered) > 0 {
		return false
	}
	n := 0
	for _, a := range plan.Actions {
		if a.Failure() {
			if !a.Code.OfLimit() {
				return false
			}
			n++
		}
	}
	for _, problem := range r.Problems {
		if problem.Failure() {
			if !reconcile.Code(problem.Code).OfLimit() {
				return false
			}
			n++
		}
	}
	return n > 0
}
