package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// A Rule makes dates, from Starting on. The zero Rule makes none.
//
// A rule is either an interval, as people say it ("every month"), or one of RFC
// 5545. They differ where a month has no such day: an interval from the 31st
// takes the month's last day, and an RFC's rule leaves the month out.
type Rule struct {
	Starting Date // the first date, or the one before which there is none
	Until    Date // the last day on which there may be a date; zero for no end

	n    int    // interval: so many units
	unit string // day, week, month or year; "" for an RFC's rule
	text string // the RFC's rule, in its canonical form
	rfc  *rrule.RRule
}

var interval = regexp.MustCompile(`^(?:([1-9][0-9]{0,2}) )?(day|week|month|quarter|year)(s?)$`)

// Every reads an interval: "month", "2 weeks", "quarter".
func Every(text string, starting, until Date) (Rule, error) {
	m := interval.FindStringSubmatch(text)
	if m == nil || (m[1] == "" || m[1] == "1") != (m[3] == "") {
		return Rule{}, fmt.Errorf("%q is no interval", text)
	}
	r := Rule{Starting: starting, Until: until, n: 1, unit: m[2]}
	if m[1] != "" {
		r.n, _ = strconv.Atoi(m[1])
	}
	if r.unit == "quarter" {
		r.n, r.unit = 3*r.n, "month"
	}
	return r, r.check()
}

// maxRule is the longest RFC's rule, in bytes.
const maxRule = 200

// Recur reads a rule of RFC 5545 (section 3.3.10), such as
// "FREQ=MONTHLY;BYDAY=1MO". Its dates are whole days, so it has no parts below
// a day and UNTIL is a date.
func Recur(text string, starting, until Date) (Rule, error) {
	text = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "RRULE:")
	if len(text) > maxRule {
		return Rule{}, fmt.Errorf("the rule is longer than %d characters", maxRule)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		if _, twice := parts[name]; twice {
			return Rule{}, fmt.Errorf("%s stands twice", name)
		}
		parts[name] = value
		switch name {
		case "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS":
		case "BYHOUR", "BYMINUTE", "BYSECOND":
			return Rule{}, fmt.Errorf("%s: only whole days can be counted", name)
		case "DTSTART":
			return Rule{}, fmt.Errorf("DTSTART has a field of its own: starting")
		default:
			return Rule{}, fmt.Errorf("unknown part %q", name)
		}
	}
	switch f := parts["FREQ"]; f {
	case "DAILY", "WEEKLY", "MONTHLY", "YEARLY":
	case "":
		return Rule{}, fmt.Errorf("FREQ is missing: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
	default:
		return Rule{}, fmt.Errorf("FREQ=%s: only whole days can be counted, so DAILY, WEEKLY, MONTHLY or YEARLY", f)
	}
	for _, name := range []string{"INTERVAL", "COUNT"} {
		if value, given := parts[name]; given && !positive.MatchString(value) {
			return Rule{}, fmt.Errorf("%s=%s is not a number from 1 to 9999", name, value)
		}
	}
	if u, given := parts["UNTIL"]; given {
		if len(u) != len(rrule.DateFormat) {
			return Rule{}, fmt.Errorf("UNTIL=%s must be a date such as 20271231", u)
		}
		if parts["COUNT"] != "" {
			return Rule{}, fmt.Errorf("COUNT and UNTIL exclude each other")
		}
	}
	most := 0 // the RFC has numbered weekdays in months and years only
	switch {
	case parts["FREQ"] == "MONTHLY" || parts["FREQ"] == "YEARLY" && parts["BYMONTH"] != "":
		most = 5
	case parts["FREQ"] == "YEARLY" && parts["BYWEEKNO"] == "":
		most = 53
	}
	for day := range strings.SplitSeq(parts["BYDAY"], ",") {
		if len(day) <= 2 {
			continue
		}
		if n, err := strconv.Atoi(day[:len(day)-2]); err != nil || n == 0 || n > most || -n > most {
			return Rule{}, fmt.Errorf("BYDAY=%s: there is no such weekday in its period", day)
		}
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return Rule{}, err
	}
	option.Dtstart = starting.Midnight()
	r := Rule{Starting: starting, Until: until, text: text}
	if r.rfc, err = rrule.NewRRule(*option); err != nil {
		return Rule{}, err
	}
	return r, r.check()
}

var positive = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)

// sound is how many dates of a rule are tried before it is taken.
const sound = 400

// check refuses a rule that never comes to pass, which is a slip, and one on
// which the library fails.
func (r Rule) check() (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the rule can't be followed")
		}
	}()
	if r.Starting == 0 {
		return fmt.Errorf("a rule needs a date from which it holds")
	}
	if r.Until != 0 && r.Until < r.Starting {
		return fmt.Errorf("it ends on %s, before it begins on %s", r.Until, r.Starting)
	}
	n := 0
	for range r.dates(Last) {
		if n++; n == sound {
			return nil
		}
	}
	if n > 0 {
		return nil
	}
	return fmt.Errorf("no date from %s on fits it", r.Starting)
}

// IsZero reports whether there is no rule.
func (r Rule) IsZero() bool { return r.unit == "" && r.rfc == nil }

// Through lists the dates up to and with last, the oldest first. With a later
// last, the list is the same and maybe longer.
func (r Rule) Through(last Date) []Date {
	var list []Date
	for d := range r.dates(last) {
		list = append(list, d)
	}
	return list
}

// After lists the next dates after one, n at most.
func (r Rule) After(d Date, n int) []Date {
	var list []Date
	for next := range r.dates(Last) {
		if next > d {
			list = append(list, next)
		}
		if len(list) == n {
			break
		}
	}
	return list
}

// Has reports whether the rule makes a date.
func (r Rule) Has(d Date) bool {
	for next := range r.dates(d) {
		if next == d {
			return true
		}
	}
	return false
}

// dates yields the dates up to and with last.
func (r Rule) dates(last Date) func(yield func(Date) bool) {
	return func(yield func(Date) bool) {
		if r.Until != 0 {
			last = min(last, r.Until)
		}
		last = min(last, Last)
		if r.rfc != nil {
			for next := r.rfc.Iterator(); ; {
				t, ok := next()
				if !ok || DateOf(t.Date()) > last || !yield(DateOf(t.Date())) {
					return
				}
			}
		}
		for k := 0; !r.IsZero(); k++ {
			if d := r.step(k * r.n); d > last || !yield(d) {
				return
			}
		}
	}
}

// step is the date so many units after the first. A day that the month does not
// have is the month's last.
func (r Rule) step(units int) Date {
	year, month, day := r.Starting.Midnight().Date()
	switch r.unit {
	case "day":
		return r.Starting + Date(units)
	case "week":
		return r.Starting + Date(7*units)
	case "year":
		units *= 12
	}
	first := time.Date(year, month+time.Month(units), 1, 0, 0, 0, 0, time.UTC)
	length := first.AddDate(0, 1, -1).Day()
	return DateOf(first.Year(), first.Month(), min(day, length))
}

// String prints the rule whole, for people and for Parse: "every 3 months from
// 2026-12-01", "FREQ=WEEKLY;BYDAY=FR from 2026-12-01 until 2027-06-30".
func (r Rule) String() string {
	if r.IsZero() {
		return ""
	}
	text := r.text
	if r.unit != "" {
		text = "every " + r.unit
		if r.n > 1 {
			text = fmt.Sprintf("every %d %ss", r.n, r.unit)
		}
	}
	text += " from " + r.Starting.String()
	if r.Until != 0 {
		text += " until " + r.Until.String()
	}
	return text
}

// Parse reads what String printed.
func Parse(s string) (Rule, error) {
	text, until, ends := strings.Cut(s, " until ")
	text, starting, ok := strings.Cut(text, " from ")
	if !ok {
		return Rule{}, fmt.Errorf("%q is no rule", s)
	}
	from, err := ParseDate(starting)
	if err != nil {
		return Rule{}, fmt.Errorf("rule %q: %w", s, err)
	}
	var to Date
	if ends {
		if to, err = ParseDate(until); err != nil {
			return Rule{}, fmt.Errorf("rule %q: %w", s, err)
		}
	}
	var r Rule
	if every, is := strings.CutPrefix(text, "every "); is {
		r, err = Every(every, from, to)
	} else {
		r, err = Recur(text, from, to)
	}
	if err != nil {
		return Rule{}, fmt.Errorf("rule %q: %w", s, err)
	}
	return r, nil
}
