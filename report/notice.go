package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A Notice is one thing of a run that a person should be told. Its kinds are
// [spec.NoticeKinds].
type Notice struct {
	Kind string
	Text string   // one line, plain
	Keys []string // all that it is about
	Next string   // what a person can do; "" for nothing
}

// An Outcome is what became of an apply, as far as it came.
type Outcome struct {
	Plan     *reconcile.Plan   // nil: it came to none
	Want     []spec.Occurrence // what is written
	Today    schedule.Date     // of the project; zero if nothing is written with a date
	Book     *ledger.State     // as it stands now; nil: it was not opened
	Result   reconcile.Result  // of everything that the run settled and bought
	Err      error             // why it stopped; nil if it came to its end
	Hint     string            // what to do about Err
	Dry      *reconcile.Dry    // when the wallet runs dry; nil: not within the months that were looked at, or not known
	Sessions []string          // which sessions end soon, one sentence each
	Silence  *Silence          // of which nobody was told yet; nil for none
}

// A Silence is a time in which no run ended well.
type Silence struct {
	Since time.Time // the end of the run before it
	Lasts time.Duration
	Over  bool // this run has ended it
}

const (
	lowDays     = 14 // before the wallet runs dry
	overdueDays = 2  // after the day on which it was due
	mostKeys    = 5  // that a notice names
)

// Notices are what a person should be told of an apply. What was bought is told
// once; everything else is told again by each run as long as it is so.
func Notices(o Outcome) (list []Notice) {
	add := func(kind string, keys []string, next, format string, args ...any) {
		list = append(list, Notice{kind, fmt.Sprintf(format, args...), keys, next})
	}
	if keys := o.bought(); len(keys) > 0 {
		add("bought", keys, "", "Bought %s for %s: %s.", Count(len(keys), "gift"), o.spent(), someKeys(keys))
	}
	held, refused := o.problems()
	for _, p := range held {
		add("held", []string{p.Key}, "fragplan ledger show "+Clean(p.Key, 200), "%s is held: %s", Clean(p.Key, 200), Clean(p.Reason, 300))
	}
	for i, p := range refused {
		if i == mostKeys {
			add("refused", nil, "fragplan plan", "%d more were not bought.", len(refused)-i)
			break
		}
		add("refused", []string{p.Key}, "fragplan explain "+Clean(p.Key, 200), "%s was not bought: %s", Clean(p.Key, 200), Clean(p.Reason, 300))
	}
	if o.Plan != nil {
		for _, v := range o.Plan.Violations {
			add("refused", nil, "fragplan plan", "Nothing was bought: %s", Clean(v.Message, 300))
		}
	}
	if o.Err != nil {
		add("stopped", nil, oneLine(o.Hint), "The run stopped: %s", Clean(oneLine(o.Err.Error()), 500))
	}
	if keys := o.undelivered(); len(keys) > 0 {
		add("undelivered", keys, "fragplan ledger show KEY", "Paid, and Fragment does not show the delivery yet: %s.", someKeys(keys))
	}
	if keys := o.overdue(); len(keys) > 0 {
		add("overdue", keys, "fragplan plan", "Due for %d days or more, and not bought: %s.", overdueDays, someKeys(keys))
	}
	if d := o.Dry; d != nil && d.Date <= o.Today+lowDays {
		add("low", nil, "fragplan forecast", "%s runs dry on %s, at %s.", purse(d.Asset), d.Date, Clean(d.Grant, 200))
	}
	for _, s := range o.Sessions {
		add("session", nil, "log in at fragment.com anew before that", "%s.", s)
	}
	if s := o.Silence; s != nil {
		next := "fragplan doctor"
		if s.Over {
			next = "see whether the schedule starts its runs"
		}
		add("silent", nil, next, "%s.", s)
	}
	return list
}

// String says it in one sentence, without its full stop.
func (s Silence) String() string {
	const form = "%s for %s, since %s"
	since := s.Since.UTC().Format("2006-01-02 15:04 UTC")
	if s.Over {
		return fmt.Sprintf(form, "Before this run none had ended well", s.words(), since)
	}
	return fmt.Sprintf(form, "No run has ended well", s.words(), since)
}

// words are how long it lasts, in full hours or, from four days on, in full days.
func (s Silence) words() string {
	if days := int(s.Lasts / (24 * time.Hour)); days >= 4 {
		return Count(days, "day")
	}
	return Count(int(s.Lasts/time.Hour), "hour")
}

// bought are the keys of what was found paid in this run.
func (o Outcome) bought() (keys []string) {
	if o.Book == nil {
		return nil
	}
	for _, id := range o.Result.Bought {
		if order := o.Book.Orders[id]; order != nil {
			keys = append(keys, order.Key)
		}
	}
	return keys
}

func (o Outcome) spent() string {
	var sums []string
	if o.Result.Spent > 0 {
		sums = append(sums, o.Result.Spent.Amount().String())
	}
	if o.Result.SpentUSDT.Units > 0 {
		sums = append(sums, ton.Amount{Asset: ton.AssetUSDT, Units: o.Result.SpentUSDT.Units}.String())
	}
	return strings.Join(sums, " and ")
}

// problems are what was not bought in this run, apart from what only waits, and
// the orders of it that are held now.
func (o Outcome) problems() (held, refused []reconcile.Problem) {
	seen := map[string]bool{}
	for _, p := range o.Result.Problems {
		switch {
		case !p.Failure() || seen[p.Key]:
			continue
		case o.holds(p.Key):
			held = append(held, p)
		default:
			refused = append(refused, p)
		}
		seen[p.Key] = true
	}
	if o.Plan == nil {
		return held, refused
	}
	for _, a := range o.Plan.Actions {
		if !a.Failure() || seen[a.Key] {
			continue
		}
		p := reconcile.Problem{Key: a.Key, Code: string(a.Code), Reason: a.Reason}
		if a.Code == reconcile.CodeHeld {
			held = append(held, p)
		} else {
			refused = append(refused, p)
		}
	}
	return held, refused
}

func (o Outcome) holds(key string) bool {
	if o.Book == nil {
		return false
	}
	for _, order := range o.Book.ByKey(key) {
		if order.Phase == ledger.Held {
			return true
		}
	}
	return false
}

// undelivered are the keys that are paid, and nobody knows to be delivered.
func (o Outcome) undelivered() (keys []string) {
	if o.Book == nil {
		return nil
	}
	for id := ledger.OrderID(1); id <= o.Book.LastOrder; id++ {
		if order := o.Book.Orders[id]; order != nil && (order.Phase == ledger.Paid || order.Phase == ledger.Acknowledged) {
			keys = append(keys, order.Key)
		}
	}
	return keys
}

// overdue are the dates that should have been made days ago. Those that are not
// made up for, or wait for a running Premium, are not in it.
func (o Outcome) overdue() (keys []string) {
	if o.Plan == nil || o.Today == 0 {
		return nil
	}
	due := map[string]bool{}
	for _, w := range o.Want {
		due[w.Key] = w.Date != 0 && w.Date+overdueDays <= o.Today
	}
	for _, a := range o.Plan.Actions {
		if due[a.Key] && (a.Buys() || a.Failure()) && (o.Book == nil || o.Book.Given(a.Key) < a.Want) {
			keys = append(keys, a.Key)
		}
	}
	return keys
}

func someKeys(keys []string) string {
	var named []string
	for _, k := range keys[:min(len(keys), mostKeys)] {
		named = append(named, Clean(k, 100))
	}
	text := strings.Join(named, ", ")
	if more := len(keys) - mostKeys; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// purse names what of the wallet runs dry.
func purse(asset ton.Asset) string {
	if asset == "" || asset == ton.AssetTON {
		return "The wallet"
	}
	return "The wallet's " + string(asset)
}
