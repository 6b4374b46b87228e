package reconcile

import (
	"cmp"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Desired is what a project wants: what everybody is to have, and what its
// authors say of the past of keys.
type Desired struct {
	Want  []spec.Occurrence
	Edits spec.Edits

	Empty bool          // the project gives nothing to anybody, now or later
	Day   schedule.Date // about today, for warnings alone; zero if that is not known

	// Of Edits.Imports, by key: what was taken in a moment ago, and what stands in
	// the way of those that the ledger does not hold yet.
	Imported, Refused map[string]string
}

// edits sorts what is said of keys, and finds the imports that are not done.
func (d *differ) edits() {
	d.grants = make(map[string]bool)
	for _, o := range d.Want {
		d.grants[o.Grant] = true
	}
	for _, s := range d.Edits.Settled {
		d.says[s.Key] = s
	}
	for _, i := range d.Edits.Imports {
		if !TakenIn(d.have, i) {
			d.pending[i.Key] = cmp.Or(d.Refused[i.Key], fmt.Sprintf("apply looks for the transaction %s in the chain first", i.Transaction))
		}
	}
}

// TakenIn reports whether the ledger holds what is to be imported.
func TakenIn(have *ledger.State, i spec.Import) bool {
	for _, o := range have.ByKey(i.Key) {
		if f := have.Founds[o.Found]; f != nil && f.Transaction.Hash == i.Transaction && (i.Ref == "" || i.Ref == f.Ref) {
			return true
		}
	}
	return false
}

// taken are the lines that say what was imported a moment ago.
func (d *differ) taken() (lines []Action) {
	for _, o := range d.Want {
		text := d.Imported[o.Key]
		if text == "" {
			continue
		}
		given, _ := bought(d.have, o.Key)
		lines = append(lines, Action{
			Verb: Settle, Code: CodeImport, Key: o.Key, Person: o.Person, Handle: o.Handle, Single: o.Single, Generation: d.have.Generation(o.Key),
			Item: product.Item{Kind: o.Item.Kind, Quantity: given}, Have: given,
			Cap: ton.Nano(0).Amount(), Estimate: ton.Nano(0).Amount(), Reason: text, Place: at(o.Pos),
		})
	}
	return lines
}

// claimed is what is said of a key before anything else is looked at: its name
// is used up, or a purchase of it is taken in.
func (d *differ) claimed(o spec.Occurrence) (Verb, Code, string) {
	if verb, code, reason := d.movedAway(o); verb != 0 {
		return verb, code, reason
	}
	if problem := d.pending[o.Key]; problem != "" {
		return Blocked, CodeImport, "import: " + problem
	}
	return 0, "", ""
}

// empty stops where nothing at all is written, and much was given: most likely
// these are not the files that were meant.
func (d *differ) empty(actions []Action) []Violation {
	given := 0
	for _, a := range actions {
		if a.Have > 0 {
			given++
		}
	}
	if !d.Empty || given == 0 {
		return nil
	}
	return []Violation{{Rule: "empty", Place: spec.MainFile, Message: fmt.Sprintf("no grant is written, and the ledger holds %d keys that were given something. Is this the right folder, with all of its files? Nothing is bought and nothing can be taken back either way", given)}}
}
