// Package report shows plans, the progress of an apply and the ledger to
// people and to programs.
//
// It decides nothing and reads nothing from outside: it writes what it is
// given, in the same bytes every time.
package report
