package ledger

import (
	"fmt"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Reissue is a person's decision to buy a key again from nothing.
type Reissue struct {
	Generation int
	Reason     string
}

// hold stops a paid order until a person looked at it. One bounce may hold
// several orders, where it is not plain whose money came back; then a second
// one may be about an order that is held already.
func (s *State) hold(e OrderHeld) error {
	if !e.Row.IsZero() {
		return s.holdAstray(e)
	}
	if e.Bounce.IsZero() {
		return s.move(e.Order, Held, e.Reason, Sent, Paid, Acknowledged)
	}
	from := []Phase{Sent, Paid, Acknowledged, Delivered} // whatever Fragment says, it has sent the money back
	if o := s.Orders[e.Order]; o != nil && o.Bounce != e.Bounce {
		from = append(from, Held)
	}
	if err := s.move(e.Order, Held, e.Reason, from...); err != nil {
		return err
	}
	s.Orders[e.Order].Bounce = e.Bounce
	s.Noted[e.Bounce] = e.Reason
	return nil
}

// decide folds what a person decided. Nothing of it happens by itself.
func (s *State) decide(e Event) error {
	switch e := e.(type) {
	case OrderResolved:
		if e.As != Delivered && e.As != Released || e.Reason == "" {
			return fmt.Errorf("order %d as %q: %w", e.Order, e.As, ErrTransition)
		}
		return s.resolve(e)
	case KeyReissued:
		if !s.Known(e.Key) || e.Generation != s.Generation(e.Key)+1 || e.Reason == "" {
			return fmt.Errorf("%s generation %d: %w", e.Key, e.Generation, ErrTransition)
		}
		for _, id := range s.keys[e.Key] {
			if o := s.Orders[id]; o.Phase.Live() {
				return fmt.Errorf("%s: order %d is %s and may still be paid: %w", e.Key, id, o.Phase, ErrTransition)
			}
		}
		s.Reissues[e.Key] = Reissue{e.Generation, e.Reason}
		return nil
	case TransactionExplained:
		if _, known := s.Noted[e.Transaction]; known || s.Wallets[e.Wallet] == nil || e.Transaction.IsZero() || e.Reason == "" {
			return fmt.Errorf("transaction %d: %w", e.Transaction.LT, ErrTransition)
		}
		s.Noted[e.Transaction] = e.Reason
		return nil
	case KeyMoved:
		return s.rename(e)
	case KeySettled:
		return s.settleKey(e)
	case TransferFound:
		return s.find(e)
	case FoundAssigned:
		return s.assign(e)
	case FoundSetAside:
		f := s.Founds[e.Found]
		if f == nil || !f.Open() || e.Reason == "" {
			return fmt.Errorf("found transfer %d: %w", e.Found, ErrTransition)
		}
		f.Reason = e.Reason
		return nil
	}
	return fmt.Errorf("unknown event %T: %w", e, ErrTransition)
}

func (s *State) resolve(e OrderResolved) error {
	o := s.Orders[e.Order]
	switch {
	case o != nil && o.Phase == Offered && e.As == Released:
		// Nobody paid it, and only a person can know.
		o.Evidence = EvidencePerson
	case o == nil || o.Phase != Held:
		return fmt.Errorf("order %d is not held: %w", e.Order, ErrTransition)
	}
	// What paid it stays on record, also where the money came back.
	o.Phase, o.Reason = e.As, e.Reason
	if e.As == Delivered {
		o.Evidence = EvidencePerson
	} else {
		o.Invoice = nil
	}
	return nil
}

// find takes in a transfer. Its ref may be one that an order of this ledger was
// offered and gave up: then another run of the same project paid it.
func (s *State) find(e TransferFound) error {
	_, noted := s.Noted[e.Transaction]
	owner, used := s.Refs[e.Ref]
	if o := s.Orders[owner]; o != nil && o.Phase == Released && o.Settled.IsZero() {
		used = false
	}
	if e.Found != s.LastFound+1 || !noted || used || e.Ref == "" || e.Item.Quantity < 1 || s.Wallets[e.Wallet] == nil {
		return fmt.Errorf("found transfer %d, ref %q: %w", e.Found, e.Ref, ErrTransition)
	}
	s.LastFound = e.Found
	s.Founds[e.Found] = &Found{ID: e.Found, Wallet: e.Wallet, Transaction: e.Transaction, Time: e.Time, Item: e.Item, Amount: e.Amount, Ref: e.Ref}
	s.Refs[e.Ref] = 0 // no order's now, and never to be paid
	return nil
}

func (s *State) assign(e FoundAssigned) error {
	f := s.Founds[e.Found]
	switch {
	case f == nil || !f.Open() || e.Reason == "":
		return fmt.Errorf("found transfer %d: %w", e.Found, ErrTransition)
	case e.Order != s.LastOrder+1:
		return fmt.Errorf("order %d after %d: %w", e.Order, s.LastOrder, ErrTransition)
	case s.Names[e.Key] != "":
		return fmt.Errorf("%s is an earlier name of %s: %w", e.Key, s.Names[e.Key], ErrTransition)
	case !e.Row.IsZero() && (s.RowUsed(e.Row) || !e.Row.Names(e.Handle, f.Item, f.Amount)):
		return fmt.Errorf("found transfer %d: row %v is not of it, or is another order's: %w", e.Found, e.Row, ErrTransition)
	case e.Generation != s.Generation(e.Key) || e.Prior != s.Given(e.Key) || e.Part != s.NextPart(e.Key):
		return fmt.Errorf("%s: %d was given when this was decided, %d now: %w", e.Key, e.Prior, s.Given(e.Key), ErrPrior)
	}
	evidence := EvidencePerson
	if !e.Row.IsZero() {
		evidence = EvidenceHistory
	}
	f.Order, f.Reason = e.Order, e.Reason
	s.Refs[f.Ref] = e.Order
	s.Add(&Order{
		ID: e.Order, Key: e.Key, Generation: e.Generation, Part: e.Part, Person: e.Person, Handle: e.Handle, Single: e.Single,
		Item: f.Item, Wallet: f.Wallet, Cap: f.Amount, Reserve: f.Amount, Phase: Delivered, Reason: e.Reason,
		Settled: f.Transaction, Time: f.Time, Index: -1, Evidence: evidence, Row: e.Row, Found: f.ID,
	})
	return nil
}

// Unclaimed returns the found transfers of a product of which nobody has said
// yet whom they were for. Any of them may have paid for any key, whatever is
// written for it now: the total may have been another one then.
func (s *State) Unclaimed(kind product.Kind) (list []*Found) {
	for id := FoundID(1); id <= s.LastFound; id++ {
		if f := s.Founds[id]; f != nil && f.Open() && f.Item.Kind == kind {
			list = append(list, f)
		}
	}
	return list
}

// Explained reports whether a transaction outside our payments is accounted for.
func (s *State) Explained(at ton.Position) bool {
	_, ok := s.Noted[at]
	return ok
}
