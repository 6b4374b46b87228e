package reconcile

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// ErrPlanFile is returned, wrapped, for bytes that are no intact plan.
var ErrPlanFile = errors.New("not an intact plan file")

type planFile struct {
	Checksum ton.Hash        `json:"checksum"` // of Plan, byte for byte
	Plan     json.RawMessage `json:"plan"`
}

// Encode writes the plan with a checksum over every byte of it.
func (p *Plan) Encode() ([]byte, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(planFile{sha256.Sum256(body), body})
}

// DecodePlan reads what Encode wrote. A changed byte or another major version
// is ErrPlanFile.
func DecodePlan(b []byte) (*Plan, error) {
	var f planFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%w: it is cut off, or was not written by plan -out", ErrPlanFile)
	}
	if f.Checksum != ton.Hash(sha256.Sum256(f.Plan)) {
		return nil, fmt.Errorf("%w: the checksum does not fit", ErrPlanFile)
	}
	// What JSON reads the same is not the same: no byte may differ.
	if again, err := json.Marshal(f); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: it is not as it was written", ErrPlanFile)
	}
	var p Plan
	if err := json.Unmarshal(f.Plan, &p); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrPlanFile, err)
	}
	if major(p.FormatVersion) != major(FormatVersion) {
		return nil, fmt.Errorf("%w: format %q, this program reads %q", ErrPlanFile, p.FormatVersion, FormatVersion)
	}
	return &p, nil
}

func major(version string) string {
	before, _, _ := strings.Cut(version, ".")
	return before
}

// Errors of CheckSaved.
var (
	// ErrApplied: a plan is good for one run.
	ErrApplied = errors.New("the saved plan was applied already")
	// ErrStale: the plan would not be made like this any more.
	ErrStale = errors.New("the saved plan is stale")
)

// CheckSaved returns why a plan that was approved earlier must not be applied
// now, as ErrApplied or ErrStale with the difference, or nil. Each purchase in
// it must still be the one that Diff would decide on, at the prices that were
// approved; what an interrupted run of the same plan has bought is left out. What
// the plan doesn't buy counts for no limit.
func (w Desired) CheckSaved(plan *Plan, wallet ton.Address, have *ledger.State, limits policy.Limits, at Moment) error {
	switch {
	case plan.Ledger != have.Ledger:
		return fmt.Errorf("%w: it was made from another ledger", ErrStale)
	case plan.Wallet != wallet:
		return fmt.Errorf("%w: it pays from %s, and now %s pays", ErrStale, plan.Wallet, wallet)
	case !slices.Equal(plan.Limits.Destinations, limits.Destinations):
		return fmt.Errorf("%w: the accounts that may be paid have changed", ErrStale)
	case !slices.Equal(encoded(plan.Limits), encoded(limits)):
		return fmt.Errorf("%w: the limits or the rules in fragplan.yaml have changed", ErrStale)
	}
	digest := plan.Digest()
	ours := map[ledger.RunID]bool{}
	for id, r := range have.Runs {
		// The nonce tells this plan from another that would do the same.
		ours[id] = r.Digest == digest && r.Nonce == plan.Nonce
		if ours[id] && r.Outcome != "" {
			return ErrApplied
		}
	}
	if err := plan.expired(at); err != nil {
		return err
	}
	now := w.Diff(have, plan.prices(), limits)
	now.leaveTo(plan)
	now.Judge(have, at)
	if len(now.Violations) > 0 {
		return fmt.Errorf("%w: %s", ErrStale, now.Violations[0].Message)
	}
	for _, e := range now.Moves {
		if !slices.Contains(plan.Moves, e) { // or something would be bought under the new name before the ledger knows it
			return fmt.Errorf("%w: %s is moved to %s, which it does not say", ErrStale, e.From, e.To)
		}
	}
	for _, e := range NewEdits(plan, have) {
		switch e := e.(type) {
		case ledger.KeyMoved:
			if !slices.Contains(now.Moves, e) {
				return fmt.Errorf("%w: %s is no longer moved to %s", ErrStale, e.From, e.To)
			}
		case ledger.KeySettled:
			if !slices.Contains(now.Settled, e) {
				return fmt.Errorf("%w: %s is no longer settled as was approved", ErrStale, e.Key)
			}
		}
	}
	for _, e := range NewRules(plan, have) {
		if r := e.(ledger.RuleSeen); !slices.ContainsFunc(now.Rules, func(n ledger.RuleSeen) bool { return n.Grant == r.Grant && n.Rule == r.Rule }) {
			return fmt.Errorf("%w: grant %s recurs by another rule than was approved", ErrStale, r.Grant)
		}
	}
	type place struct {
		key  string
		part int
	}
	still, keys := map[place]Action{}, map[string]Action{}
	for _, a := range now.Actions {
		still[place{a.Key, a.Part}], keys[a.Key] = a, a
	}
	var other Stale
	for _, a := range plan.Actions {
		if o := boughtFor(have, a); !a.Buys() || o != nil && ours[o.Run] {
			continue
		}
		if b := still[place{a.Key, a.Part}]; !b.Buys() || b.decision() != a.decision() {
			b, found := keys[a.Key]
			other.Lines = append(other.Lines, StaleLine{a.Key, stale(a, b, found)})
		}
	}
	if len(other.Lines) > 0 {
		return &other
	}
	return nil
}

// boughtFor is the order that bought what the action says, or that a person was
// asked to pay, or nil. A part of a
// key is bought once.
func boughtFor(have *ledger.State, a Action) *ledger.Order {
	for _, o := range have.ByKey(a.Key) {
		if o.Generation == a.Generation && o.Part == a.Part && o.Item == a.Item && (o.Phase.Spent() || o.Phase == ledger.Offered) {
			return o
		}
	}
	return nil
}

// encoded are the limits as what is approved knows them. The budgets of
// campaigns are asked anew: that of another file may have changed.
func encoded(l policy.Limits) []byte {
	l.Campaigns = nil
	b, err := json.Marshal(l)
	if err != nil {
		panic(fmt.Sprintf("reconcile: limits do not serialize: %v", err))
	}
	return b
}
