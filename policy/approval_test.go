package policy_test

import (
	"testing"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// What may cost more needs more signatures; money that nobody listed needs the
// most.
func TestQuorum(t *testing.T) {
	a := policy.Approvals{Quorum: []policy.Quorum{{Above: amount(t, "50 TON"), Count: 3}, {Above: amount(t, "0 TON"), Count: 1}, {Above: amount(t, "10 TON"), Count: 2}}}
	for cost, want := range map[string]int{"0 TON": 0, "0.000000001 TON": 1, "10 TON": 1, "10.000000001 TON": 2, "50 TON": 2, "51 TON": 3, "0.01 USDT": 3, "0 USDT": 0} {
		if got := a.Needs([]ton.Amount{amount(t, cost)}); got != want {
			t.Errorf("%s: %d, want %d", cost, got, want)
		}
	}
	if got := a.Needs([]ton.Amount{amount(t, "1 TON"), amount(t, "1 USDT")}); got != 3 {
		t.Errorf("both: %d", got)
	}
	if got := a.Needs(nil); got != 0 {
		t.Errorf("nothing: %d", got)
	}
}
