package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// TakeIn returns the events that let a ledger catch up with a wallet's proven
// history, for a ledger that is lost, old or not the only one. Each transaction
// that it can't explain is explained with the person's reason, and what it paid
// to Fragment becomes a found transfer. The chain does not say for whom, except
// where this ledger had been offered the very ref.
//
// What is held is wider than what may be paid: a purchase is known by its
// comment, whatever account it went to.
func TakeIn(book *ledger.State, wallet ton.Address, history []ton.Transaction, reason string) []ledger.Event {
	known := newExplainer(book)
	t := taker{
		book: book, wallet: wallet, reason: reason,
		lastFound: book.LastFound, lastOrder: book.LastOrder,
		taken: map[string]bool{}, released: map[ledger.OrderID]bool{}, given: map[string]int64{}, parts: map[string]int{},
	}
	for _, tx := range history {
		if !known.explained(wallet, tx) {
			t.transaction(tx)
		}
	}
	return t.events
}

// Knows reports whether nothing of a wallet's proven history is new to a ledger.
func Knows(book *ledger.State, wallet ton.Address, history []ton.Transaction) bool {
	known := newExplainer(book)
	return !slices.ContainsFunc(history, func(t ton.Transaction) bool { return !known.explained(wallet, t) })
}

// Answers returns the events by which a wallet's proven history settles what
// people were asked to pay, and folds them into the book. It is what an apply
// does first; TakeIn takes in what remains.
func Answers(book *ledger.State, wallet ton.Address, history []ton.Transaction) ([]ledger.Event, error) {
	known := newExplainer(book)
	var events []ledger.Event
	for _, t := range history {
		if known.payment(wallet, t) != nil {
			continue
		}
		if e, paid := book.Answer(wallet, t); paid {
			if err := book.Apply(e); err != nil {
				return nil, err
			}
			events = append(events, e)
		}
	}
	return events, nil
}

type taker struct {
	book   *ledger.State
	wallet ton.Address
	reason string

	lastFound ledger.FoundID
	lastOrder ledger.OrderID
	taken     map[string]bool // refs
	released  map[ledger.OrderID]bool
	given     map[string]int64 // to a key, by what is assigned here
	parts     map[string]int   // of a key, the newest that is assigned here
	events    []ledger.Event
}

func (t *taker) transaction(tx ton.Transaction) {
	explained := ledger.TransactionExplained{Wallet: t.wallet, Transaction: tx.Position, Reason: t.reason}
	var found []ledger.Event
	for _, out := range tx.Out {
		amount, worth := out.Amount.Amount(), out.Amount
		if j := out.Jetton; j != nil {
			// The coins are its gas; they say nothing of a quantity.
			amount, worth = ton.Amount{Asset: ton.AssetUSDT, Units: j.Amount}, 0
		}
		item, ref, ok := firewall.Recognize(out.Comment, worth)
		if !ok {
			explained.Reason += fmt.Sprintf("; %s TON of it went to %s for nothing that fragplan knows", out.Amount, out.To)
			continue
		}
		owner := t.book.Orders[t.book.Refs[ref]]
		_, used := t.book.Refs[ref]
		switch {
		case t.taken[ref] || owner == nil:
		case owner.Request != 0 && owner.Settled == tx.Position:
			t.taken[ref] = true
			continue // a person was asked for it, and paid
		}
		if t.taken[ref] || used && (owner == nil || owner.Phase == ledger.Armed || !owner.Settled.IsZero()) {
			// Paid a second time. What it bought is known; the money is not.
			explained.Reason += fmt.Sprintf("; %s of it went out once more under the ref %s", amount, ref)
			continue
		}
		t.taken[ref] = true
		t.lastFound++
		if owner != nil {
			found = append(found, t.release(owner)...)
		}
		found = append(found, ledger.TransferFound{Found: t.lastFound, Wallet: t.wallet, Transaction: tx.Position, Time: tx.Time, Item: item, Amount: amount, Ref: ref})
		if owner != nil && owner.Generation == t.book.Generation(owner.Key) {
			found = append(found, t.assign(owner, item))
		}
	}
	t.events = append(append(t.events, explained), found...)
}

// release gives up what was begun for the key of an order whose ref is paid:
// another run went on with it. Other requests of the key stay open, since a
// person may have paid them.
func (t *taker) release(owner *ledger.Order) (events []ledger.Event) {
	for _, o := range t.book.ByKey(owner.Key) {
		switch {
		case t.released[o.ID]:
			continue
		case o.Phase == ledger.Reserved || o.Phase == ledger.Quoted:
			events = append(events, ledger.OrderReleased{Order: o.ID, Reason: "another run paid for this key: " + t.reason})
		case o == owner && o.Phase == ledger.Offered:
			events = append(events, ledger.OrderResolved{Order: o.ID, As: ledger.Released,
				Reason: fmt.Sprintf("something else than request %d paid its ref, so nobody must pay that request: %s", o.Request, t.reason)})
		default:
			continue
		}
		t.released[o.ID] = true
	}
	return events
}

// assign gives a found transfer to the key of the order that was offered its
// ref.
func (t *taker) assign(owner *ledger.Order, item product.Item) ledger.Event {
	t.lastOrder++
	e := ledger.FoundAssigned{
		Found: t.lastFound, Order: t.lastOrder, Key: owner.Key, Generation: owner.Generation, Part: t.parts[owner.Key], Prior: t.book.SettledFor(owner.Key) + t.given[owner.Key],
		Person: owner.Person, Handle: owner.Handle, Single: owner.Single, Reason: fmt.Sprintf("its ref was offered for %s: %s", owner.Key, t.reason),
	}
	for _, o := range t.book.ByKey(owner.Key) {
		if o.Generation == owner.Generation && (o.Phase.Spent() || o.Phase.Out()) && !t.released[o.ID] {
			e.Prior += o.Item.Quantity
			e.Part = max(e.Part, o.Part)
		}
	}
	e.Part++
	t.given[owner.Key] += item.Quantity
	t.parts[owner.Key] = e.Part
	return e
}
