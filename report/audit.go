package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
)

// Audit writes in what the chain and the ledger differ, or that they agree.
// Money that came back and that no order is held for waits for a person, who says
// with the command assign whose it was.
func Audit(w io.Writer, findings []reconcile.Finding, transactions int, assign string, s Style) error {
	if len(findings) == 0 {
		_, err := fmt.Fprintf(w, "The ledger and the chain agree: %s looked at.\n", Count(transactions, "transaction"))
		return err
	}
	var rows [][]string
	for _, f := range findings {
		rows = append(rows, []string{f.Code, date(f.Time), f.Text})
	}
	if err := s.rows(w, rows, nil); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\n%s in %s.\n", Count(len(findings), "finding"), Count(transactions, "transaction")); err != nil {
		return err
	}
	if slices.ContainsFunc(findings, func(f reconcile.Finding) bool { return f.Code == reconcile.FindingBounce }) {
		_, err := fmt.Fprintf(w, "Whose money came back is said by a person:\n%s TRANSACTION KEY -reason TEXT (or -nobody).\n", assign)
		return err
	}
	return nil
}

// AuditJSON writes the findings as one JSON object, on one line of ASCII.
func AuditJSON(w io.Writer, findings []reconcile.Finding) error {
	if findings == nil {
		findings = []reconcile.Finding{}
	}
	return writeJSON(w, jsonAudit{JSONFormat, findings})
}

type jsonAudit struct {
	FormatVersion string              `json:"format_version"`
	Findings      []reconcile.Finding `json:"findings"`
}

// Unclaimed writes the found payments that wait for a person, each with the
// keys that it may have been for, and the command with which to say so.
func Unclaimed(w io.Writer, book *ledger.State, want []spec.Occurrence, assign string, s Style) error {
	var rows [][]string
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		f := book.Founds[id]
		if !f.Open() {
			continue
		}
		var keys []string
		for _, o := range want {
			if rest := o.Item.Quantity - book.Given(o.Key); o.Item.Kind == f.Item.Kind && f.Item.Quantity <= rest {
				keys = append(keys, o.Key)
			}
		}
		if len(keys) > 5 {
			keys = append(keys[:5], "…")
		}
		rows = append(rows, []string{f.Ref, date(f.Time), f.Item.String(), f.Amount.String(), strings.Join(keys, ", ")})
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "The ledger explains every transfer that left the wallet.")
		return err
	}
	if _, err := fmt.Fprintf(w, `The chain holds payments of which the ledger does not know whom they were for.
What they may have paid is not bought until somebody says whom:
%s REF KEY -reason TEXT (or -nobody).

`, assign); err != nil {
		return err
	}
	return s.rows(w, append([][]string{{"REF", "PAID", "WHAT", "FOR", "MAY BE"}}, rows...), nil)
}

// GivenUp names the requests that must not be paid any more, because their ref
// is paid: of the events by which a ledger caught up with the chain, those that
// a person has to act upon. book is the state before them.
func GivenUp(w io.Writer, book *ledger.State, taken []ledger.Event) error {
	for _, e := range taken {
		r, ok := e.(ledger.OrderResolved)
		if !ok {
			continue
		}
		o := book.Orders[r.Order]
		if _, err := fmt.Fprintf(w, "Request %d must not be paid any more: another transfer paid for %s. Reject it in the wallet application.\n", o.Request, Clean(o.Key, 200)); err != nil {
			return err
		}
	}
	return nil
}

func date(t uint32) string {
	if t == 0 {
		return ""
	}
	return time.Unix(int64(t), 0).UTC().Format(time.RFC3339)
}
