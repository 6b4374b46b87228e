package schedule_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/schedule"
)

func date(t testing.TB, s string) schedule.Date {
	t.Helper()
	d, err := schedule.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func words(list []schedule.Date) string {
	var s []string
	for _, d := range list {
		s = append(s, d.String())
	}
	return strings.Join(s, " ")
}

// Dates are what a person expects of them: months keep their day, or take their
// last where they are too short; leap days come back in leap years.
func TestEvery(t *testing.T) {
	for _, tt := range []struct{ every, starting, want string }{
		{"day", "2026-12-30", "2026-12-30 2026-12-31 2027-01-01 2027-01-02"},
		{"week", "2026-12-28", "2026-12-28 2027-01-04 2027-01-11 2027-01-18"},
		{"2 weeks", "2026-12-28", "2026-12-28 2027-01-11 2027-01-25 2027-02-08"},
		{"month", "2026-12-01", "2026-12-01 2027-01-01 2027-02-01 2027-03-01"},
		{"month", "2027-01-31", "2027-01-31 2027-02-28 2027-03-31 2027-04-30"},
		{"month", "2028-01-30", "2028-01-30 2028-02-29 2028-03-30 2028-04-30"},
		{"3 months", "2026-11-30", "2026-11-30 2027-02-28 2027-05-30 2027-08-30"},
		{"quarter", "2026-12-31", "2026-12-31 2027-03-31 2027-06-30 2027-09-30"},
		{"year", "2028-02-29", "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29"},
	} {
		r, err := schedule.Every(tt.every, date(t, tt.starting), 0)
		if err != nil {
			t.Errorf("every %s: %v", tt.every, err)
			continue
		}
		if got := words(r.After(r.Starting-1, len(strings.Fields(tt.want)))); got != tt.want {
			t.Errorf("every %s from %s: %s, want %s", tt.every, tt.starting, got, tt.want)
		}
	}
}

// A rule of RFC 5545 means what the RFC says, also that a month without such a
// day is left out.
func TestRecur(t *testing.T) {
	for _, tt := range []struct{ rule, starting, want string }{
		{"FREQ=MONTHLY;BYDAY=1MO", "2026-12-01", "2026-12-07 2027-01-04 2027-02-01"},
		{"RRULE:FREQ=MONTHLY;BYMONTHDAY=-1", "2026-12-01", "2026-12-31 2027-01-31 2027-02-28"},
		{"freq=monthly", "2027-01-31", "2027-01-31 2027-03-31 2027-05-31"},
		{"FREQ=YEARLY", "2028-02-29", "2028-02-29 2032-02-29 2036-02-29"},
		{"FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH", "2026-12-01", "2026-12-01 2026-12-03 2026-12-15"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-12-01", "2026-12-31 2027-01-29 2027-02-26"},
		{"FREQ=DAILY;COUNT=2", "2026-12-01", "2026-12-01 2026-12-02"},
		{"FREQ=DAILY;UNTIL=20261202", "2026-12-01", "2026-12-01 2026-12-02"},
	} {
		r, err := schedule.Recur(tt.rule, date(t, tt.starting), 0)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		if got := words(r.After(r.Starting-1, 3)); got != tt.want {
			t.Errorf("%s from %s: %s, want %s", tt.rule, tt.starting, got, tt.want)
		}
	}
}

// A rule that can't be meant is refused.
func TestRefused(t *testing.T) {
	from := date(t, "2026-12-01")
	for _, rule := range []string{
		"", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=99999",
		"FREQ=DAILY;UNTIL=20261231T000000Z", "FREQ=DAILY;COUNT=1;UNTIL=20261231", "FREQ=DAILY;FREQ=DAILY", "DTSTART=20261201;FREQ=DAILY",
		"FREQ=DAILY;X=1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20261101", "INTERVAL=1",
		"FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;BYDAY=8MO", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=YEARLY;BYMONTH=2;BYDAY=6FR", "FREQ=YEARLY;BYDAY=54MO", "FREQ=MONTHLY;BYDAY=0MO", "FREQ=DAILY;;", "FREQ", strings.Repeat("FREQ=DAILY;", 30),
	} {
		start := time.Now()
		if r, err := schedule.Recur(rule, from, 0); err == nil {
			t.Errorf("%q is taken for %s", rule, r)
		}
		t.Logf("%s: %s", rule, time.Since(start))
	}
	for _, every := range []string{"", "months", "1 months", "2 month", "0 days", "fortnight", "1000 days", "Month", " month"} {
		if r, err := schedule.Every(every, from, 0); err == nil {
			t.Errorf("%q is taken for %s", every, r)
		}
	}
	if _, err := schedule.Every("month", from, from-1); err == nil {
		t.Error("a rule that ends before it begins")
	}
}

func aRule(t *rapid.T) schedule.Rule {
	from := schedule.Date(rapid.IntRange(int(schedule.DateOf(2024, 1, 1)), int(schedule.DateOf(2032, 12, 31))).Draw(t, "from"))
	until := schedule.Date(0)
	if rapid.Bool().Draw(t, "ends") {
		until = from + schedule.Date(rapid.IntRange(0, 2000).Draw(t, "length"))
	}
	text := rapid.SampledFrom([]string{
		"day", "week", "month", "quarter", "year", "2 days", "5 weeks", "7 months", "3 years",
		"FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=DAILY;INTERVAL=10;COUNT=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
	}).Draw(t, "rule")
	make := schedule.Every
	if strings.HasPrefix(text, "FREQ") {
		make = schedule.Recur
	}
	r, err := make(text, from, until)
	if err != nil { // a short span that no date fits
		r, _ = schedule.Every("day", from, until)
	}
	return r
}

// The set of due dates only grows with time, is sorted, holds no date twice,
// and none before the first or after the last.
func TestDatesOnlyGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := aRule(t)
		a := r.Starting + schedule.Date(rapid.IntRange(-10, 2000).Draw(t, "earlier"))
		b := a + schedule.Date(rapid.IntRange(0, 2000).Draw(t, "later"))
		before, after := r.Through(a), r.Through(b)
		if len(after) < len(before) || words(after[:len(before)]) != words(before) {
			t.Fatalf("%s: due on %s: %s; on %s: %s", r, a, words(before), b, words(after))
		}
		for i, d := range after {
			if d < r.Starting || d > b || r.Until != 0 && d > r.Until || i > 0 && d <= after[i-1] || !r.Has(d) {
				t.Fatalf("%s: %s", r, words(after))
			}
			if i >= len(before) && d <= a {
				t.Fatalf("%s makes the past date %s", r, d)
			}
		}
	})
}

// What is printed is read as the same rule.
func TestParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := aRule(t)
		again, err := schedule.Parse(r.String())
		if err != nil || again.String() != r.String() || words(again.Through(r.Starting+900)) != words(r.Through(r.Starting+900)) {
			t.Fatalf("%s is read as %s: %v", r, again, err)
		}
	})
}

// A day begins when the clocks of the place say so, also on days when they are
// changed, and where midnight itself is left out.
func TestDay(t *testing.T) {
	for _, tt := range []struct{ where, at, want string }{
		{"UTC", "2026-12-01T00:00:00Z", "2026-12-01"},
		{"UTC", "2026-11-30T23:59:59Z", "2026-11-30"},
		{"Europe/Berlin", "2026-11-30T23:00:00Z", "2026-12-01"},
		{"Europe/Berlin", "2027-03-27T22:59:59Z", "2027-03-27"}, // the clocks go on at 2:00
		{"Europe/Berlin", "2027-03-28T21:59:59Z", "2027-03-28"},
		{"Europe/Berlin", "2027-03-28T22:00:00Z", "2027-03-29"},
		{"Europe/Berlin", "2027-10-31T22:59:59Z", "2027-10-31"},    // and back at 3:00
		{"America/Santiago", "2027-09-05T03:59:59Z", "2027-09-04"}, // midnight is left out
		{"America/Santiago", "2027-09-05T04:00:00Z", "2027-09-05"},
		{"Australia/Lord_Howe", "2027-10-02T13:30:00Z", "2027-10-03"},
		{"Pacific/Kiritimati", "2026-11-30T10:00:00Z", "2026-12-01"},
	} {
		where, err := time.LoadLocation(tt.where)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := schedule.Day(at, where).String(); got != tt.want {
			t.Errorf("%s in %s is %s, want %s", tt.at, tt.where, got, tt.want)
		}
	}
}

// Dates are written in one way.
func TestParseDate(t *testing.T) {
	for _, s := range []string{"", "2026-2-1", "2026-02-30", "01.12.2026", "2019-12-31", "2200-01-01", "2026-12-01T00:00:00Z"} {
		if d, err := schedule.ParseDate(s); err == nil {
			t.Errorf("%q is taken for %s", s, d)
		}
	}
}

// Any text is a rule with dates or an error, never a panic.
func FuzzRecur(f *testing.F) {
	for _, s := range []string{"FREQ=MONTHLY;BYDAY=1MO", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU", "FREQ=WEEKLY;BYSETPOS=-366"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := schedule.Recur(s, schedule.DateOf(2026, 12, 1), 0)
		if err != nil {
			return
		}
		if again, err := schedule.Parse(r.String()); err != nil || again.String() != r.String() || len(r.After(0, 1)) != 1 {
			t.Errorf("%q: %s, %s, %v", s, r, again, err)
		}
	})
}
