package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Import returns the events that make a purchase without fragplan one of the key
// that the files name, or why it isn't: t is a transaction of a wallet's proven
// history, o is what is written for the key, and pays are the accounts that may
// be paid. What else the transaction bought is found with it, and waits until
// somebody says for whom it was.
func Import(book *ledger.State, wallet ton.Address, t ton.Transaction, i spec.Import, o spec.Occurrence, pays []ton.Address) ([]ledger.Event, error) {
	if p := newExplainer(book).payment(wallet, t); p != nil {
		return nil, fmt.Errorf("transaction %s is payment %d of this ledger, which knows whom it was for", i.Transaction, p.ID)
	}
	paid, err := purchase(t, i.Ref, pays)
	if err != nil {
		return nil, err
	}
	if paid.item.Kind != o.Item.Kind {
		return nil, fmt.Errorf("transaction %s bought %s, and %s gives %s", i.Transaction, paid.item, o.Key, o.Item)
	}
	begun := map[ledger.OrderID]bool{}
	for _, order := range book.ByKey(o.Key) {
		switch {
		case order.Phase == ledger.Reserved || order.Phase == ledger.Quoted:
			begun[order.ID] = true
		case order.Phase.Out() || order.Phase == ledger.Held:
			return nil, fmt.Errorf("order %d of %s is %s: that is settled first", order.ID, o.Key, order.Phase)
		}
	}
	given, part := bought(book, o.Key)
	var found ledger.FoundID
	var taken []ledger.Event
	next := book.LastOrder + 1
	if book.Explained(t.Position) {
		if found, err = openFound(book, t, paid.ref); err != nil {
			return nil, err
		}
	} else {
		if book.Outside[t.Position] != nil {
			return nil, fmt.Errorf("transaction %s was paid for a request of this ledger, which knows whom it was for", i.Transaction)
		}
		taken = TakeIn(book, wallet, []ton.Transaction{t}, i.Reason)
		quantity := map[ledger.FoundID]int64{}
		for _, e := range taken {
			switch f := e.(type) {
			case ledger.TransferFound:
				quantity[f.Found] = f.Item.Quantity
				if f.Ref == paid.ref {
					found = f.Found
				}
			case ledger.OrderReleased:
				delete(begun, f.Order)
			case ledger.FoundAssigned:
				next++
				switch {
				case f.Found == found:
					return nil, fmt.Errorf("the ref %s of transaction %s was offered for %s: fragplan ledger rebuild -reason TEXT takes it in", paid.ref, i.Transaction, f.Key)
				case f.Key == o.Key: // the transaction also paid what was offered for the key
					given += quantity[f.Found]
					part = f.Part
				}
			}
		}
		if found == 0 {
			return nil, fmt.Errorf("the ref %s of transaction %s is one that this ledger has used already", paid.ref, i.Transaction)
		}
	}
	if given+paid.item.Quantity > o.Item.Quantity {
		return nil, fmt.Errorf("transaction %s bought %s; with the %d that were given already this is more than %s gives, which is %s. Write the higher total first", i.Transaction, paid.item, given, o.Key, o.Item)
	}
	var events []ledger.Event
	for _, id := range slices.Sorted(maps.Keys(begun)) {
		events = append(events, ledger.OrderReleased{Order: id, Reason: "it was bought without fragplan: " + i.Reason})
	}
	events = append(events, taken...)
	return append(events, ledger.FoundAssigned{
		Found: found, Order: next, Key: o.Key, Generation: book.Generation(o.Key), Part: part + 1, Prior: given,
		Person: o.Person, Handle: o.Handle, Single: o.Single, Reason: i.Reason,
	}), nil
}

// bargain is what a transfer bought.
type bargain struct {
	item product.Item
	ref  string
}

// purchase finds the transfer of a transaction that bought something: the one
// with the ref, or the only one.
func purchase(t ton.Transaction, ref string, pays []ton.Address) (found bargain, err error) {
	var refs []string
	strange := ""
	for _, out := range t.Out {
		worth, to := out.Amount, out.To
		if out.Jetton != nil {
			worth, to = 0, out.Jetton.Destination
		}
		item, its, ok := firewall.Recognize(out.Comment, worth)
		switch {
		case !ok || ref != "" && its != ref:
		case !slices.Contains(pays, to):
			strange = fmt.Sprintf(": it paid %s, which is none of the accounts that may be paid", to)
		default:
			found = bargain{item, its}
			refs = append(refs, its)
		}
	}
	switch len(refs) {
	case 1:
		return found, nil
	case 0:
		if ref != "" {
			return found, fmt.Errorf("transaction %s bought nothing under the ref %s%s", t.Hash, ref, strange)
		}
		return found, fmt.Errorf("transaction %s bought nothing on Fragment%s", t.Hash, strange)
	}
	return found, fmt.Errorf("transaction %s bought several things: name one by its ref, of %s", t.Hash, strings.Join(refs, ", "))
}

// openFound is the transfer that was found in a transaction before, if nobody has
// said yet for whom it was.
func openFound(book *ledger.State, t ton.Transaction, ref string) (ledger.FoundID, error) {
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		f := book.Founds[id]
		switch {
		case f == nil || f.Transaction != t.Position || f.Ref != ref:
		case f.Open():
			return id, nil
		case f.Order != 0:
			return 0, fmt.Errorf("ref %s of transaction %s counts as given for %s already", ref, t.Hash, book.Orders[f.Order].Key)
		default:
			return 0, fmt.Errorf("ref %s of transaction %s was for nothing that is written, somebody said: %s", ref, t.Hash, f.Reason)
		}
	}
	return 0, fmt.Errorf("transaction %s is explained already (%s), and the ref %s was none of what it bought", t.Hash, book.Noted[t.Position], ref)
}
