package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// TakeIn returns the events that let a ledger catch up with a wallet's proven
// history, for a ledger that is lost, old or not the only one. Each transaction
// that it can't explain is explained with the person's reason, and what it paid
// to Fragment becomes a found transfer. The chain does not say for whom, except
// where this ledger had been offered the very ref.
func TakeIn(book *ledger.State, wallet ton.Address, destinations []ton.Address, history []ton.Transaction, reason string) []ledger.Event {
	s := &State{book: book, byHash: map[ton.Hash]ledger.PaymentID{}}
	for _, p := range book.Payments {
		s.byHash[p.Hash] = p.ID
	}
	var events []ledger.Event
	next, order := book.LastFound, book.LastOrder
	given := map[string]int64{}
	parts := map[string]int{}
	taken := map[string]bool{} // refs; one that was paid twice is known the second time
	for _, t := range history {
		if len(t.Out) == 0 || book.Explained(t.Position) || s.explained(book.Wallets[wallet].Version, t) {
			continue
		}
		events = append(events, ledger.TransactionExplained{Wallet: wallet, Transaction: t.Position, Reason: reason})
		for _, out := range t.Out {
			item, ref, ok := firewall.Recognize(out.Comment, out.Amount)
			if !ok || !slices.Contains(destinations, out.To) {
				continue
			}
			if taken[ref] {
				continue
			}
			owner := book.Orders[book.Refs[ref]]
			if _, used := book.Refs[ref]; used && (owner == nil || owner.Phase.Spent() || owner.Phase == ledger.Armed) {
				continue // known already; audit tells of it
			}
			if owner != nil && owner.Phase != ledger.Released {
				events = append(events, ledger.OrderReleased{Order: owner.ID, Reason: "another run paid its offer: " + reason})
			}
			next++
			taken[ref] = true
			events = append(events, ledger.TransferFound{Found: next, Wallet: wallet, Transaction: t.Position, Time: t.Time, Item: item, Amount: out.Amount.Amount(), Ref: ref})
			if owner == nil || owner.Generation != book.Generation(owner.Key) {
				continue
			}
			// What was only reserved or quoted counts nothing once it is given up.
			if _, begun := parts[owner.Key]; !begun {
				for _, o := range book.ByKey(owner.Key) {
					if o.Generation == owner.Generation && o.Phase != ledger.Released && o.ID != owner.ID {
						given[owner.Key] += o.Item.Quantity
						parts[owner.Key] = max(parts[owner.Key], o.Part)
					}
				}
			}
			order++
			parts[owner.Key]++
			events = append(events, ledger.FoundAssigned{
				Found: next, Order: order, Key: owner.Key, Generation: owner.Generation, Part: parts[owner.Key], Prior: given[owner.Key],
				Person: owner.Person, Handle: owner.Handle, Single: owner.Single, Reason: fmt.Sprintf("its ref was offered for %s: %s", owner.Key, reason),
			})
			given[owner.Key] += item.Quantity
		}
	}
	return events
}
