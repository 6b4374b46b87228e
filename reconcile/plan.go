package reconcile

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A Verb is what is to be done for a key. Its value is the glyph that people
// see.
type Verb rune

// The verbs.
const (
	Buy     Verb = '+' // nothing was given yet
	TopUp   Verb = '~' // more is wanted than was given
	Retire  Verb = '.' // no longer wanted; what was given stays
	Blocked Verb = '!' // can't or must not be bought; Reason says why
	Unknown Verb = '?' // a payment for it is in flight; settled before anything else
	Moved   Verb = '→' // the key has another name from now on
	Settle  Verb = '=' // counts as given from now on, because a person says so
	NoOp    Verb = ' ' // given as wanted
)

// A Code says for programs why an action is blocked or what kind of line it
// is. The set is open.
type Code string

// The codes.
const (
	CodePremiumRuns Code = "premium_runs" // waits for its turn; not a failure
	CodeNotSold     Code = "not_sold"     // the difference is no quantity that is sold
	CodeOverGranted Code = "over_granted" // more was given than is wanted
	CodeOneWinner   Code = "one_winner"   // the prize was paid to somebody else
	CodeHeld        Code = "held"         // a person must look at an earlier order
	CodeUnclaimed   Code = "unclaimed"    // a payment in the chain may have been for it
	CodeAstray      Code = "went_astray"  // Fragment lists somebody else for it
	CodeOffered     Code = "offered"      // a person was asked to pay it, and it is not seen yet
	CodeReissued    Code = "reissued"     // bought again because a person said so
	CodeOrderLimit  Code = "order_limit"
	CodeNoCeiling   Code = "no_ceiling"
	CodePrice       Code = "price_above_ceiling"
	CodeHandle      Code = "handle_changed" // it was given to another user name
	CodeFirstTime   Code = "first_time"     // too much for somebody to whom nothing came yet
	CodePassed      Code = "passed"         // a date that is not made up for; not a failure
	CodeCatchUp     Code = "catch_up"       // more dates were missed than may be made up for
	CodeMovedAway   Code = "moved_away"     // the name is used up: the key was moved to another one
	CodeSettled     Code = "settled"        // a person says that it was given otherwise, or that more is meant
	CodeImport      Code = "import"         // of a purchase without fragplan: taken in, or what stands in its way
	CodeBound       Code = "bound"          // the key was paid for another product or person

	CodeDay      Code = "day_limit"
	CodeMonth    Code = "month_limit"
	CodePerson   Code = "person_limit"
	CodeCampaign Code = "campaign_limit"
	CodeLabel    Code = "label_limit"
	CodeAsset    Code = "asset_limit"
	CodeIncrease Code = "increase_limit" // many times what was given before
	CodeRule     Code = "rule"           // a rule of the team denies it
	CodeBalance  Code = "balance_limit"  // it would leave too little in the wallet

	CodeNoBudget  Code = "no_budget"  // no campaign budget allows it, and nobody watches
	CodeUnasked   Code = "unasked"    // would be given once more, and nobody has looked at this plan
	CodeNewGrants Code = "new_grants" // too much that is new at once; it stops the whole plan
	CodeSlippage  Code = "slippage"   // an offer that is dearer than the plan; only apply meets it
)

// CodeIdentity is the code of a [Refusal]: the person is not as the ledger or
// the YAML knows them.
const CodeIdentity = "identity"

// An Action is one line of a plan.
type Action struct {
	Verb       Verb         `json:"verb"`
	Code       Code         `json:"code,omitempty"`
	Key        string       `json:"key"`
	Person     string       `json:"person"`
	Handle     string       `json:"handle"`
	Was        []string     `json:"was,omitempty"`       // earlier handles
	Name       string       `json:"name,omitempty"`      // the display name that the ledger knows; hostile
	Confirmed  string       `json:"confirmed,omitempty"` // the display name that the YAML confirms
	Single     bool         `json:"single,omitempty"`
	Item       product.Item `json:"item"` // what is bought; for lines that buy nothing, what is wanted
	Want       int64        `json:"want"`
	Have       int64        `json:"have"` // the prior sum that the action was decided on
	Generation int          `json:"generation"`
	Part       int          `json:"part"`
	Cap        ton.Amount   `json:"cap"`              // the most it may cost
	Estimate   ton.Amount   `json:"estimate"`         // what it is expected to cost; the cap where no price is known
	Why        string       `json:"why,omitempty"`    // the author's reason
	Reason     string       `json:"reason,omitempty"` // fragplan's
	Warn       []string     `json:"warn,omitempty"`   // what rules say of a line that is bought all the same
	Place      string       `json:"place,omitempty"`  // file and line of the grant
	Labels     []spec.Label `json:"labels,omitempty"` // the author's
	Scopes     []string     `json:"scopes,omitempty"` // what it counts for beside its person: its campaign and its labels
}

// Buys reports whether the action spends money.
func (a Action) Buys() bool { return a.Verb == Buy || a.Verb == TopUp }

// A decision is what makes two purchases the same one.
type decision struct {
	Key, Person, Handle string
	Single              bool
	Item                product.Item
	Have                int64
	Generation, Part    int
	Cap                 ton.Amount
	Was, Confirmed      string `json:",omitempty"`
	Scopes              string `json:",omitempty"`
}

func (a Action) decision() decision {
	return decision{a.Key, a.Person, a.Handle, a.Single, a.Item, a.Have, a.Generation, a.Part, a.Cap, strings.Join(a.Was, " "), a.Confirmed, strings.Join(a.Scopes, "\n")}
}

// Failure reports whether the line is something that a person must mend.
func (a Action) Failure() bool {
	return a.Verb == Blocked && a.Code != CodePremiumRuns && a.Code != CodeNoBudget
}

// A Violation stops the whole plan.
type Violation struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Place   string `json:"place,omitempty"`
	Paste   string `json:"paste,omitempty"` // lines of YAML that may be what is missing
}

// A Warning is worth a look, and stops nothing.
type Warning struct {
	Rule    string   `json:"rule"`
	Message string   `json:"message"`
	Places  []string `json:"places,omitempty"` // files and lines
}

// A Plan is what apply would do, as data: sorted, self-contained, comparable
// and savable.
type Plan struct {
	FormatVersion string        `json:"format_version"`
	Ledger        string        `json:"ledger"` // id of the ledger it was made from
	Wallet        ton.Address   `json:"wallet"`
	Limits        policy.Limits `json:"limits"`
	Priced        bool          `json:"priced"`           // false: estimates are the ceilings
	Prices        []Price       `json:"prices,omitempty"` // all that it was made with, also of lines that it doesn't buy or hold
	Actions       []Action      `json:"actions"`
	Violations    []Violation   `json:"violations,omitempty"`
	Today         schedule.Date `json:"today,omitzero"` // the day for which it was made; zero if nothing that is written has a date

	// Next are the dates that come next; display only.
	Next []spec.Coming `json:"next,omitempty"`
	// Moves of keys and Settled, what was given otherwise, are noted by the ledger
	// before anything is bought.
	Moves   []ledger.KeyMoved   `json:"moves,omitempty"`
	Settled []ledger.KeySettled `json:"settled,omitempty"`
	// Warnings stop nothing; display only.
	Warnings []Warning `json:"warnings,omitempty"`
	// Rules of grants that recur, which the ledger notes before it relies on them.
	Rules []ledger.RuleSeen `json:"rules,omitempty"`

	// What a reviewer wants to know beside it; display only.
	Behind *Background `json:"behind,omitempty"`

	Open    []ton.Amount `json:"open,omitempty"` // what payments under way and requests that are out may still pay, with their fees
	Created int64        `json:"created"`        // Unix seconds of the planner's clock; display only
	Nonce   string       `json:"nonce"`
	Expires uint32       `json:"expires,omitempty"` // Unix seconds of the chain, after which it is not applied any more; 0 if it buys nothing
	Partial bool         `json:"partial,omitempty"` // lines were left out of it
	Sandbox bool         `json:"sandbox,omitempty"` // made against the world on this machine
}

// FormatVersion is that of the plans that this program writes: minor versions
// add fields, another major version is refused.
const FormatVersion = "1.0"

// Summary counts the lines of a plan.
type Summary struct {
	Buy     int `json:"buy"`
	TopUp   int `json:"top_up"`
	Retire  int `json:"retire"`
	Blocked int `json:"blocked"`
	Unknown int `json:"unknown"`
	Moved   int `json:"moved"`
	Settled int `json:"settled"`
	Same    int `json:"same"`
}

// Summary counts. What the lines cost depends on what each is paid with.
func (p *Plan) Summary() Summary {
	var s Summary
	for _, a := range p.Actions {
		switch a.Verb {
		case Buy:
			s.Buy++
		case TopUp:
			s.TopUp++
		case Retire:
			s.Retire++
		case Blocked:
			s.Blocked++
		case Unknown:
			s.Unknown++
		case Moved:
			s.Moved++
		case Settle:
			s.Settled++
		case NoOp:
			s.Same++
		}
	}
	return s
}

// Changes reports whether apply would do anything.
func (p *Plan) Changes() bool {
	for _, a := range p.Actions {
		if a.Buys() || a.Verb == Unknown && a.Code != CodeOffered {
			return true
		}
	}
	return false
}

// Digest names what the plan does: its actions, the sums that they were
// decided on, the caps, the limits and the ledger. Prices, times and the nonce
// are not in it.
func (p *Plan) Digest() ton.Hash {
	type line struct {
		Verb Verb
		decision
	}
	var lines []line
	for _, a := range p.Actions {
		if a.Buys() {
			lines = append(lines, line{a.Verb, a.decision()})
		}
	}
	b, err := json.Marshal(struct {
		Ledger string
		Wallet ton.Address
		Limits json.RawMessage
		Lines  []line
		Rules  []ledger.RuleSeen `json:",omitempty"`

		Moves   []ledger.KeyMoved   `json:",omitempty"`
		Settled []ledger.KeySettled `json:",omitempty"`
	}{p.Ledger, p.Wallet, encoded(p.Limits), lines, p.Rules, p.Moves, p.Settled})
	if err != nil {
		panic(fmt.Sprintf("reconcile: a plan does not serialize: %v", err))
	}
	return sha256.Sum256(b)
}
