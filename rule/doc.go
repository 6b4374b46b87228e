// Package rule judges purchases by what a team demands beside limits:
// expressions in CEL, which are compiled and checked when they are read, and
// stopped when they cost too much.
//
// It knows no YAML, no ledger and no clock: what an expression may ask is an
// argument.
package rule
