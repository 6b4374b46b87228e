package rule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/rule"
)

func one(t *testing.T, when string) rule.Rule {
	t.Helper()
	rules, problems := rule.Compile([]policy.Rule{{Name: "r", When: when, Deny: "no"}})
	if len(problems) > 0 {
		t.Fatalf("%s: %s", when, problems[0][0].Text)
	}
	return rules[0]
}

// A rule is asked about the facts of a purchase, with amounts as integers.
func TestRules(t *testing.T) {
	f := rule.Facts{
		Key: "thanks/ann@2026-12-01", Grant: "thanks", Person: "ann", Handle: "ann_petrova", Product: "stars", Quantity: 100, Want: 350, Have: 250,
		CostTON: 1_300_000_000, MaxTON: 2_000_000_000, Campaign: "winter", Labels: map[string]string{"season": "winter"}, Date: "2026-12-01", Reason: "thanks",
	}
	for when, want := range map[string]bool{
		`cost_ton > ton("1.3")`:                                       false,
		`cost_ton >= ton("1.3") && cost_usdt == 0`:                    true,
		`max_ton > ton("1.999999999")`:                                true,
		`max_usdt > usdt("0")`:                                        false,
		`first || new`:                                                false,
		`product == "stars" && want > have * 2`:                       false,
		`labels.season == "winter" && campaign != ""`:                 true,
		`"year" in labels && labels.year == "2026"`:                   false,
		`!("year" in labels)`:                                         true,
		`date.startsWith("2026-12") && grant in ["thanks", "prizes"]`: true,
		`key.matches("^thanks/.*@2026") && handle.endsWith("_bot")`:   false,
		`person == "ann" && reason == "" || quantity == 100`:          true,
	} {
		got, err := one(t, when).Holds(f)
		if err != nil || got != want {
			t.Errorf("%s: %t, %v", when, got, err)
		}
	}
}

// What can't be compiled is said with its place in the expression.
func TestWhatIsWrongIsSaid(t *testing.T) {
	for when, want := range map[string]string{
		`cost > 5`:                           "1:1 undeclared reference to 'cost'",
		`new &&`:                             "1:7 Syntax error",
		`quantity > "5"`:                     "1:10 found no matching overload",
		`quantity`:                           "1:1 it must be true or false, and is of type int",
		"new &&\n  cost_ton > ton(\"five\")": "2:17 ",
		`cost_ton > ton(reason)`:             "1:15 ton takes an amount in quotes",
		`cost_usdt > usdt("1.0000001")`:      "1:17 ",
		`cost_ton > 1.5`:                     "1:10 found no matching overload",
		strings.Repeat("(", 300) + "new" + strings.Repeat(")", 300): "recursion limit",
		`reason == "` + strings.Repeat("x", 2000) + `"`:             "size",
	} {
		_, problems := rule.Compile([]policy.Rule{{When: `new`}, {When: when}})
		if len(problems[1]) == 0 || len(problems[0]) > 0 {
			t.Errorf("%.40q was taken", when)
			continue
		}
		p := problems[1][0]
		if got := fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Text); !strings.Contains(got, want) {
			t.Errorf("%.40q: %q, want %q", when, got, want)
		}
	}
}

// A purchase of which a rule can't be judged is an error, not a no: a label that
// isn't there, and an expression that costs too much.
func TestWhatCantBeJudgedIsAnError(t *testing.T) {
	if _, err := one(t, `labels.season == "winter"`).Holds(rule.Facts{}); err == nil || !strings.Contains(err.Error(), `"season" in labels first`) {
		t.Errorf("%v", err)
	}
	start := time.Now()
	ten := "[1,2,3,4,5,6,7,8,9,10]"
	nested := `true`
	for _, v := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		nested = ten + ".all(" + v + ", " + nested + ")"
	}
	if _, err := one(t, nested).Holds(rule.Facts{}); err == nil || !strings.Contains(err.Error(), "cost limit") {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
