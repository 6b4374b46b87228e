package policy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

func rate(t *testing.T, s string) policy.Rate {
	t.Helper()
	r, err := policy.ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func unix(t *testing.T, s string) uint32 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(at.Unix())
}

// Each limit counts what is of its own day, month, person, campaign, label or
// asset, and nothing else; what may leave at any time is of every period.
func TestEachLimitCountsItsOwn(t *testing.T) {
	now := unix(t, "2026-12-20T00:00:00Z")
	winter, spring := policy.CampaignScope("winter"), policy.LabelScope("season", "spring")
	plenty := []ton.Amount{amount(t, "1000 TON"), amount(t, "1000 USDT")}
	for name, c := range map[string]struct {
		limits  func(*policy.Limits)
		spent   policy.Spending
		refused string // the code; "" if the purchase of 4 TON is allowed
	}{
		"a day": {func(l *policy.Limits) { l.Day = []ton.Amount{amount(t, "10 TON")} },
			policy.Spending{Time: unix(t, "2026-12-20T00:00:00Z")}, "day_limit"},
		"the day before": {func(l *policy.Limits) { l.Day = []ton.Amount{amount(t, "10 TON")} },
			policy.Spending{Time: unix(t, "2026-12-19T23:59:59Z")}, ""},
		"a day, under way": {func(l *policy.Limits) { l.Day = []ton.Amount{amount(t, "10 TON")} },
			policy.Spending{}, "day_limit"},
		"a month": {func(l *policy.Limits) { l.Month = []ton.Amount{amount(t, "10 TON")} },
			policy.Spending{Time: unix(t, "2026-12-01T00:00:00Z")}, "month_limit"},
		"the month before": {func(l *policy.Limits) { l.Month = []ton.Amount{amount(t, "10 TON")} },
			policy.Spending{Time: unix(t, "2026-11-30T23:59:59Z")}, ""},
		"a person": {func(l *policy.Limits) { l.Person = []policy.Rate{rate(t, "10 TON")} },
			policy.Spending{Time: 1, People: []string{"bob", "ann"}}, "person_limit"},
		"another person": {func(l *policy.Limits) { l.Person = []policy.Rate{rate(t, "10 TON")} },
			policy.Spending{Time: 1, People: []string{"bob"}}, ""},
		"a person, in another month": {func(l *policy.Limits) { l.Person = []policy.Rate{rate(t, "10 TON per month")} },
			policy.Spending{Time: 1, People: []string{"ann"}}, ""},
		"a campaign": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: winter, Max: []policy.Rate{rate(t, "10 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{winter}}, "campaign_limit"},
		"another campaign": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: winter, Max: []policy.Rate{rate(t, "10 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{policy.CampaignScope("wint")}}, ""},
		"each campaign": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: policy.CampaignScope("*"), Max: []policy.Rate{rate(t, "10 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{winter}}, "campaign_limit"},
		"each for itself": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: policy.CampaignScope("*"), Max: []policy.Rate{rate(t, "10 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{policy.CampaignScope("other")}}, ""},
		"its own limit before that of each": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: policy.CampaignScope("*"), Max: []policy.Rate{rate(t, "10 TON")}}, {Scope: winter, Max: []policy.Rate{rate(t, "12 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{winter}}, ""},
		"a label": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: policy.LabelScope("season", "*"), Max: []policy.Rate{rate(t, "10 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{spring}}, "label_limit"},
		"another label": {func(l *policy.Limits) {
			l.Scoped = []policy.Scoped{{Scope: policy.LabelScope("year", "*"), Max: []policy.Rate{rate(t, "10 TON")}}}
		}, policy.Spending{Time: 1, Scopes: []string{spring}}, ""},
		"an asset": {func(l *policy.Limits) { l.Asset = []policy.Rate{rate(t, "10 TON")} },
			policy.Spending{Time: 1}, "asset_limit"},
		"one that isn't listed": {func(l *policy.Limits) { l.Person = []policy.Rate{rate(t, "10 USDT")} },
			policy.Spending{Time: 1}, "person_limit"},
	} {
		l := policy.Limits{Month: plenty}
		c.limits(&l)
		accounts := l.Accounts(now)
		c.spent.Amount = amount(t, "7 TON")
		accounts.Spend(c.spent)
		buy := policy.Spending{Amount: amount(t, "4 TON"), People: []string{"ann"}, Scopes: []string{winter, spring}}
		err := accounts.Check(buy)
		var over *policy.Exceeded
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.refused != "" && (!errors.As(err, &over) || over.Code() != c.refused):
			t.Errorf("%s: %v, want %s", name, err, c.refused)
		}
		accounts.Release(c.spent)
		if err := accounts.Check(buy); c.refused != "" && c.refused != "person_limit" && err != nil {
			t.Errorf("%s: what was given back still counts: %v", name, err)
		}
	}
}

// A refusal says in numbers what is allowed and used, for whom, and what to do.
func TestARefusalSaysForWhom(t *testing.T) {
	l := policy.Limits{Month: []ton.Amount{amount(t, "100 TON")}, Person: []policy.Rate{rate(t, "5 TON per month")}}
	accounts := l.Accounts(unix(t, "2026-12-20T00:00:00Z"))
	ann := policy.Spending{Amount: amount(t, "3 TON"), People: []string{"ann"}}
	accounts.Spend(ann)
	var e *policy.Exceeded
	if err := accounts.Check(ann); !errors.As(err, &e) {
		t.Fatal(err)
	}
	if got, want := e.Error(), "limits.person allows 5 TON per month for @ann, of which 3 TON is used, and this takes 3 TON"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := e.Remedy(), "raise limits.person in a reviewed commit, or wait for the next month"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A share is read exactly, in hundredths of a percent, and rounds down.
func TestShare(t *testing.T) {
	for text, want := range map[string]string{"5%": "1.05 TON", "0.25%": "1.0025 TON", "100%": "2 TON", "0.01%": "1.0001 TON", "12.5%": "1.125 TON"} {
		s, err := policy.ParseShare(text)
		if got := s.Above(amount(t, "1 TON")); err != nil || got.String() != want || s.String() != text {
			t.Errorf("%s: %s above 1 TON is %s, %v", text, s, got, err)
		}
	}
	for _, text := range []string{"", "%", "5", "5 %", "-1%", "101%", "100.01%", "1.234%", "1.%", ".5%", "1,5%", "1e1%", "1000%"} {
		if s, err := policy.ParseShare(text); err == nil {
			t.Errorf("%q was read as %s", text, s)
		}
	}
	if got := policy.Share(1).Above(ton.Amount{Asset: ton.AssetTON, Units: 9_999}); got.Units != 9_999 {
		t.Errorf("a hundredth of a percent of 9999 nanoTON: %d", got.Units)
	}
}

// An offer is accepted up to the share above its plan, in the plan's money.
func TestSlippage(t *testing.T) {
	l := policy.Limits{Slippage: 500}
	for asked, ok := range map[string]bool{"1 TON": true, "1.05 TON": true, "1.050000001 TON": false, "0.1 TON": true, "1 USDT": false} {
		if err := l.CheckSlippage(amount(t, "1 TON"), amount(t, asked)); (err == nil) != ok {
			t.Errorf("%s for 1 TON and 5%%: %v", asked, err)
		}
	}
	if err := (policy.Limits{}).CheckSlippage(amount(t, "1 TON"), amount(t, "9 TON")); err != nil {
		t.Errorf("without the limit: %v", err)
	}
}
