package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// JSONFormat is the version of everything that this package writes as JSON.
// A minor version adds fields, which readers ignore; a major one may change
// them. Codes and stages are open sets.
const JSONFormat = "1.0"

type jsonAmount struct {
	Asset ton.Asset `json:"asset"`
	Nano  string    `json:"nano,omitempty"`  // TON: integer nanoTON
	Units string    `json:"units,omitempty"` // other assets: integer smallest units
}

func amount(a ton.Amount) *jsonAmount {
	if a.Asset == ton.AssetTON {
		return &jsonAmount{Asset: a.Asset, Nano: fmt.Sprint(a.Units)}
	}
	return &jsonAmount{Asset: a.Asset, Units: fmt.Sprint(a.Units)}
}

type jsonAction struct {
	Action   string      `json:"action"` // buy, top_up, retire, blocked, unknown, moved, settled, no_op
	Code     string      `json:"code,omitempty"`
	Key      string      `json:"key"`
	Person   string      `json:"person"`
	Handle   string      `json:"handle"`         // without @
	Name     string      `json:"name,omitempty"` // the display name that the ledger knows; hostile
	Product  string      `json:"product"`
	Quantity int64       `json:"quantity"` // Stars, months or whole TON
	Want     int64       `json:"want"`
	Have     int64       `json:"have"`
	Part     int         `json:"part"`
	Estimate *jsonAmount `json:"estimate,omitempty"` // only of lines that buy
	Max      *jsonAmount `json:"max,omitempty"`      // only of lines that buy
	Why      string      `json:"why,omitempty"`
	Reason   string      `json:"reason,omitempty"`
	Warn     []string    `json:"warn,omitempty"` // what rules say of a line that is bought all the same
	Place    string      `json:"place,omitempty"`

	Labels map[string]string `json:"labels,omitempty"`
}

type jsonViolation struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Place   string `json:"place,omitempty"`
	Paste   string `json:"paste,omitempty"` // lines of YAML that may be what is missing
}

type jsonCaution struct {
	Rule    string   `json:"rule"`
	Message string   `json:"message"`
	Places  []string `json:"places,omitempty"`
}

type jsonComing struct {
	Date     string `json:"date"`
	Grant    string `json:"grant"`
	Product  string `json:"product"` // to each
	Quantity int64  `json:"quantity"`
	People   int    `json:"people"`
	PayWith  string `json:"pay_with,omitempty"` // TON if it isn't there
}

func comingOf(list []spec.Coming) (out []jsonComing) {
	for _, c := range list {
		out = append(out, jsonComing{c.Date.String(), c.Grant, string(c.Item.Kind), c.Item.Quantity, c.People, string(c.PayWith)})
	}
	return out
}

type jsonSummary struct {
	Buy     int `json:"buy"`
	TopUp   int `json:"top_up"`
	Retire  int `json:"retire"`
	Blocked int `json:"blocked"`
	Unknown int `json:"unknown"`
	Moved   int `json:"moved"`
	Settled int `json:"settled"`
	Same    int `json:"no_op"`
	// One amount an asset.
	Cost []*jsonAmount `json:"cost"`
	Max  []*jsonAmount `json:"max"`
	// The most that can leave the wallet, fees and payments under way included.
	Worst jsonWorst `json:"worst"`
}

type jsonWorst struct {
	Total  []*jsonAmount `json:"total"`
	Bought []*jsonAmount `json:"bought"`
	Open   []*jsonAmount `json:"open"` // payments under way and requests that are out, with their fees
	Gas    *jsonAmount   `json:"gas"`  // sent along with what is paid in USDT; most of it comes back
	Fees   *jsonAmount   `json:"fees"` // of the network, for what is bought
}

type jsonPlan struct {
	FormatVersion string          `json:"format_version"`
	Digest        string          `json:"digest"` // 64 hexadecimal digits
	Ledger        string          `json:"ledger"`
	Wallet        string          `json:"wallet"`
	Destinations  []string        `json:"destinations"` // the accounts that may be paid
	Priced        bool            `json:"priced"`       // false: estimates are ceilings
	Sandbox       bool            `json:"sandbox"`
	Changes       bool            `json:"changes"`
	Created       int64           `json:"created"`              // Unix seconds; when live prices were asked
	Expires       int64           `json:"expires,omitempty"`    // Unix seconds by the chain's time, after which it is not applied any more
	Partial       bool            `json:"partial,omitempty"`    // lines were left out of it
	Signatures    int             `json:"signatures,omitempty"` // so many people must sign its digest
	Actions       []jsonAction    `json:"actions"`
	Violations    []jsonViolation `json:"violations"`
	Cautions      []jsonCaution   `json:"cautions,omitempty"` // worth a look; they stop nothing
	Today         string          `json:"today,omitempty"`    // the day for which it was made, if anything has a date
	Next          []jsonComing    `json:"next,omitempty"`     // the dates that come next
	Behind        *jsonBackground `json:"behind,omitempty"`
	Warnings      []string        `json:"warnings"` // what was in the way of a better plan, such as prices that can't be asked for
	Summary       jsonSummary     `json:"summary"`
}

type jsonBackground struct {
	Month  string          `json:"month"`  // calendar month (UTC) of the plan
	Paid   []*jsonAmount   `json:"paid"`   // in that month so far
	Before []*jsonAmount   `json:"before"` // in the month before
	Prices []jsonLastPrice `json:"prices"` // what goods without a live price cost when they were last paid for
	Series []jsonChange    `json:"series"` // grants that recur, beside their last date
}

type jsonLastPrice struct {
	Product  string      `json:"product"`
	Quantity int64       `json:"quantity"`
	Price    *jsonAmount `json:"price"`
	Time     int64       `json:"time"` // Unix seconds of the block that paid it
}

type jsonChange struct {
	Grant string    `json:"grant"`
	Then  jsonGiven `json:"then"`
	Now   jsonGiven `json:"now"`
}

type jsonGiven struct {
	Date   string     `json:"date"`
	People int        `json:"people"`
	Items  []jsonItem `json:"items"` // sums
}

type jsonItem struct {
	Product  string `json:"product"`
	Quantity int64  `json:"quantity"`
}

func backgroundOf(b *reconcile.Background) *jsonBackground {
	if b == nil {
		return nil
	}
	j := &jsonBackground{Month: b.Month, Paid: amounts(b.Paid), Before: amounts(b.Before), Prices: []jsonLastPrice{}, Series: []jsonChange{}}
	for _, l := range b.Prices {
		j.Prices = append(j.Prices, jsonLastPrice{string(l.Item.Kind), l.Item.Quantity, amount(l.Price), l.Time})
	}
	for _, c := range b.Series {
		j.Series = append(j.Series, jsonChange{c.Grant, givenOf(c.Then), givenOf(c.Now)})
	}
	return j
}

func givenOf(g reconcile.Given) jsonGiven {
	j := jsonGiven{Date: g.Date.String(), People: g.People, Items: []jsonItem{}}
	for _, i := range g.Items {
		j.Items = append(j.Items, jsonItem{string(i.Kind), i.Quantity})
	}
	return j
}

var verbNames = map[reconcile.Verb]string{
	reconcile.Buy: "buy", reconcile.TopUp: "top_up", reconcile.Retire: "retire",
	reconcile.Blocked: "blocked", reconcile.Unknown: "unknown", reconcile.Moved: "moved", reconcile.Settle: "settled", reconcile.NoOp: "no_op",
}

func actionOf(a reconcile.Action) jsonAction {
	j := jsonAction{
		Action: verbNames[a.Verb], Code: string(a.Code), Key: a.Key, Person: a.Person, Handle: a.Handle, Name: a.Name,
		Product: string(a.Item.Kind), Quantity: a.Item.Quantity, Want: a.Want, Have: a.Have, Part: a.Part,
		Why: a.Why, Reason: a.Reason, Warn: a.Warn, Place: a.Place,
	}
	for _, l := range a.Labels {
		if j.Labels == nil {
			j.Labels = map[string]string{}
		}
		j.Labels[l.Name] = l.Value
	}
	if a.Buys() {
		j.Estimate, j.Max = amount(a.Estimate), amount(a.Cap)
	}
	return j
}

func summaryOf(p *reconcile.Plan) jsonSummary {
	t, s := p.Summary(), sumsOf(p)
	return jsonSummary{t.Buy, t.TopUp, t.Retire, t.Blocked, t.Unknown, t.Moved, t.Settled, t.Same, amounts(s.cost), amounts(s.max), worstOf(p)}
}

func worstOf(p *reconcile.Plan) jsonWorst {
	w := p.Worst()
	return jsonWorst{amounts(w.Total), amounts(w.Bought), amounts(w.Open), amount(w.Gas.Amount()), amount(w.Fees.Amount())}
}

func amounts(list []ton.Amount) []*jsonAmount {
	out := []*jsonAmount{}
	for _, a := range list {
		out = append(out, amount(a))
	}
	return out
}

// PlanJSON writes a plan for programs: one object with format_version,
// digest, ledger, wallet, destinations, priced, sandbox, changes, created, actions,
// violations, cautions, warnings and summary, on one line of ASCII. Amounts are {"asset", "nano"}
// with an integer in a string. It is a view: apply takes the bytes of
// Plan.Encode.
func PlanJSON(w io.Writer, p *reconcile.Plan, warnings []string) error {
	j := jsonPlan{
		FormatVersion: JSONFormat, Digest: p.Digest().String(), Ledger: p.Ledger, Wallet: p.Wallet.String(),
		Priced: p.Priced, Sandbox: p.Sandbox, Changes: p.Changes(), Created: p.Created, Expires: int64(p.Expires), Partial: p.Partial, Signatures: p.Signatures(), Today: p.Today.String(), Next: comingOf(p.Next), Behind: backgroundOf(p.Behind),
		Destinations: []string{}, Actions: []jsonAction{}, Violations: []jsonViolation{}, Warnings: append([]string{}, warnings...), Summary: summaryOf(p),
	}
	for _, a := range p.Limits.Destinations {
		j.Destinations = append(j.Destinations, a.String())
	}
	for _, a := range p.Actions {
		j.Actions = append(j.Actions, actionOf(a))
	}
	for _, v := range p.Violations {
		j.Violations = append(j.Violations, jsonViolation{v.Rule, v.Message, v.Place, v.Paste})
	}
	for _, v := range p.Warnings {
		j.Cautions = append(j.Cautions, jsonCaution{v.Rule, v.Message, v.Places})
	}
	return writeJSON(w, j)
}

// ValidJSON writes that a project is sound, how much it holds, and what in it is
// worth a look.
func ValidJSON(w io.Writer, grants, people, files int, warnings []Diagnostic) error {
	return writeJSON(w, jsonValid{JSONFormat, true, grants, people, files, append([]Diagnostic{}, warnings...)})
}

type jsonValid struct {
	FormatVersion string `json:"format_version"`
	Valid         bool   `json:"valid"`  // what is not sound comes as diagnostics instead, a line each
	Grants        int    `json:"grants"` // that are written
	People        int    `json:"people"` // who are listed or named
	Files         int    `json:"files"`  // that were read

	Warnings []Diagnostic `json:"warnings"` // of what is sound and worth a look
}

// writeJSON writes v and a newline in ASCII, so that texts from outside reach
// a program unchanged and a terminal never.
func writeJSON(w io.Writer, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		raw = raw[size:]
		switch {
		case r < 0x7f:
			b.WriteByte(byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}
