// Package schedule says on which dates a recurring grant falls due.
//
// It counts whole days and has no clock: what day it is, is an argument.
package schedule

import (
	"fmt"
	"time"
)

// A Date is a day of the calendar, counted in days from 1970-01-01. Dates are
// compared as numbers. The zero Date is none.
type Date int

// The dates that may be written: Fragment sells since 2022, and nobody plans
// further ahead.
const (
	firstYear = 2020
	lastYear  = 2199
)

// Last is after every date that may be written.
var Last = DateOf(lastYear, time.December, 31)

// DateOf returns a day of the calendar; a 31st of a month that has none is a
// day of the next.
func DateOf(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Day returns which day it is at an instant somewhere.
func Day(at time.Time, where *time.Location) Date {
	return DateOf(at.In(where).Date())
}

// ParseDate reads "2026-12-01".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	switch {
	case err != nil && len(s) == len(time.DateOnly) && s[4] == '-' && s[7] == '-':
		return 0, fmt.Errorf("there is no day %q", s)
	case err != nil:
		return 0, fmt.Errorf("%q is no date like 2026-12-01", s)
	case t.Year() < firstYear || t.Year() > lastYear:
		return 0, fmt.Errorf("the year of %s is not between %d and %d", s, firstYear, lastYear)
	}
	return DateOf(t.Date()), nil
}

// Midnight is when the date begins in UTC: the wall clock of nowhere, on which
// dates are counted.
func (d Date) Midnight() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String prints the date as ParseDate reads it, and "" for none.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.Midnight().Format(time.DateOnly)
}

// MarshalText prints the date as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText printed.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if *d = 0; len(text) > 0 {
		*d, err = ParseDate(string(text))
	}
	return err
}
