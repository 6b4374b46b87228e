package reconcile

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
)

// gift is what a key gave: keys with the same gift may be names of one thing.
type gift struct {
	handle string
	item   product.Item
}

// renames finds keys that look renamed: one that was given vanished, and one
// with the same person, product and amount appeared. Buying would pay twice.
func (d *differ) renames(want []spec.Occurrence) []Violation {
	vanished := map[gift][]*ledger.Order{}
	for key := range d.have.Keys() {
		if given, _ := bought(d.have, key); given > 0 && !d.wanted[key] {
			orders := d.have.ByKey(key)
			last := orders[len(orders)-1]
			g := gift{last.Handle, product.Item{Kind: last.Item.Kind, Quantity: given}}
			vanished[g] = append(vanished[g], last)
		}
	}
	var found []Violation
	for _, o := range want {
		if !o.Due() || len(d.have.ByKey(o.Key)) > 0 || d.dated[o.Key].verb == NoOp {
			continue
		}
		for _, handle := range append([]string{o.Handle}, o.Was...) {
			var keys []string
			for _, old := range vanished[gift{strings.TrimPrefix(handle, "@"), o.Item}] {
				if d.alike(o, old) {
					keys = append(keys, old.Key)
				}
			}
			if len(keys) == 0 {
				continue
			}
			sort.Strings(keys)
			found = append(found, Violation{
				Rule:  "suspected_rename",
				Place: fmt.Sprintf("%s:%d", o.Pos.File, o.Pos.Line),
				Message: fmt.Sprintf("%s looks like %s under another name: same person, product and amount. It was paid; buying %s would pay again. Write the old key back, or keep it beside the new one if a second gift is meant",
					o.Key, strings.Join(keys, ", "), o.Key),
			})
			break
		}
	}
	return found
}

// alike reports whether a vanished key may be the new one, by their dates. A
// grant that recurs gives the same thing to the same person again and again.
func (d *differ) alike(o spec.Occurrence, old *ledger.Order) bool {
	before, after := dateOf(old.Key), schedule.Date(0)
	if o.Rule != "" {
		after = o.Date
	}
	written := d.history(old.Key)
	grant, _, _ := strings.Cut(old.Key, "/")
	switch {
	case after != 0 && before != 0:
		return after == before && (!written || grant == o.Grant)
	case after != 0: // what was given once recurs now: its later dates are new
		return old.Time == 0 || after <= schedule.Day(time.Unix(int64(old.Time), 0), time.UTC)
	}
	return !written
}
