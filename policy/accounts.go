package policy

import (
	"math"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

// A Spending is money that left, that may leave, or that is about to, with all
// that limits ask about it.
type Spending struct {
	Amount ton.Amount
	Time   uint32   // Unix seconds of the chain's block; 0 for what may leave at any time
	People []string // whom it is for, by every name that counts; none for fees
	Scopes []string // its campaign and its labels, as CampaignScope and LabelScope name them; none for fees
}

// CampaignScope names a campaign among the scopes of a purchase.
func CampaignScope(name string) string { return Campaigned + " " + name }

// LabelScope names a label among the scopes of a purchase.
func LabelScope(name, value string) string { return Labeled + " " + name + "=" + value }

// A Scoped limit bounds a campaign or a label; "campaign *" and "label season=*"
// bound, each for itself, those that have no limit of their own.
type Scoped struct {
	Scope string
	Max   []Rate
}

// Accounts count what was spent against every limit that sums up over time: by
// day, by month, by asset, by person, by campaign and by label. They are not
// safe for concurrent use.
type Accounts struct {
	limits Limits
	now    uint32
	used   map[account]int64
}

// An account is one sum that one limit bounds.
type account struct {
	limit, subject string
	asset          ton.Asset
	per            Period
}

// Accounts returns empty accounts for the moment now, in Unix seconds.
func (l Limits) Accounts(now uint32) *Accounts {
	return &Accounts{limits: l, now: now, used: map[account]int64{}}
}

// Check returns nil if a purchase is within every limit, and *Exceeded for the
// first that it is not.
func (a *Accounts) Check(s Spending) error {
	for _, v := range a.Verdicts(s) {
		if v.Over() {
			return &v
		}
	}
	return nil
}

// Verdicts are what each limit that counts the purchase says of it, in the
// order in which they are asked.
func (a *Accounts) Verdicts(s Spending) (list []Exceeded) {
	a.each(s, func(key account, limit ton.Amount) {
		used := ton.Amount{Asset: key.asset, Units: a.used[key]}
		list = append(list, Exceeded{Limit: key.limit, Subject: key.subject, Per: key.per, Max: limit, Used: used, Want: s.Amount})
	})
	return list
}

// Spend counts a spending, whatever the limits say. One of an earlier period
// counts only where limits hold for good.
func (a *Accounts) Spend(s Spending) {
	a.each(s, func(key account, _ ton.Amount) {
		if key.per.Holds(s.Time, a.now) {
			a.used[key] += min(s.Amount.Units, math.MaxInt64-a.used[key])
		}
	})
}

// Release gives back what Spend counted.
func (a *Accounts) Release(s Spending) {
	a.each(s, func(key account, _ ton.Amount) {
		if key.per.Holds(s.Time, a.now) {
			a.used[key] = max(0, a.used[key]-s.Amount.Units)
		}
	})
}

// each lists the sums that a spending is counted in.
func (a *Accounts) each(s Spending, do func(account, ton.Amount)) {
	l := a.limits
	all := func(limit, subject string, rates []Rate) {
		for _, r := range ratesOf(rates, s.Amount.Asset) {
			do(account{limit, subject, s.Amount.Asset, r.Per}, r.Max)
		}
	}
	if len(l.Day) > 0 {
		all(Day, "", per(l.Day, PerDay))
	}
	all(Month, "", per(l.Month, PerMonth))
	if len(l.Asset) > 0 {
		all(InAsset, "", l.Asset)
	}
	if len(l.Person) > 0 {
		for _, who := range s.People {
			all(Person, "@"+who, l.Person)
		}
	}
	for _, scope := range s.Scopes {
		if rates := l.scoped(scope); len(rates) > 0 {
			limit, subject, _ := strings.Cut(scope, " ")
			all(limit, subject, rates)
		}
	}
}

// scoped is the limit of a scope: its own, or the one for those that have none.
func (l Limits) scoped(scope string) []Rate {
	general := Campaigned + " *"
	if label, _, ok := strings.Cut(scope, "="); ok && strings.HasPrefix(scope, Labeled+" ") {
		general = label + "=*"
	}
	for _, name := range []string{scope, general} {
		if i := slices.IndexFunc(l.Scoped, func(s Scoped) bool { return s.Scope == name }); i >= 0 {
			return l.Scoped[i].Max
		}
	}
	return nil
}
