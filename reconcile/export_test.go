package reconcile

import (
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Diff is Desired.Diff where nothing is said of the past of keys.
func Diff(want []spec.Occurrence, have *ledger.State, prices Prices, limits policy.Limits) *Plan {
	return Desired{Want: want}.Diff(have, prices, limits)
}

// CheckSaved is Desired.CheckSaved where nothing is said of the past of keys.
func CheckSaved(plan *Plan, wallet ton.Address, want []spec.Occurrence, have *ledger.State, limits policy.Limits, at Moment) error {
	return Desired{Want: want}.CheckSaved(plan, wallet, have, limits, at)
}

// ConfirmLine is what a refusal prints to be pasted.
var ConfirmLine = confirmLine

// ForgetQueries has an offer taken whose query id another order has, as older
// versions did.
func (s *State) ForgetQueries() { s.queries = map[query]bool{} }
