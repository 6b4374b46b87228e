package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/fragplan/fragplan/ton"
)

// State is what the events so far add up to.
type State struct {
	Ledger   string
	Epoch    int64
	Orders   map[OrderID]*Order
	Payments map[PaymentID]*Payment
	Wallets  map[ton.Address]*Wallet
	Runs     map[RunID]*Run
	Refs     map[string]OrderID // every ref that Fragment ever gave us
	Pins     Pins               // how Fragment showed the person behind a handle, the newest of each
	Founds   map[FoundID]*Found
	Requests map[RequestID]*Request
	Outside  map[ton.Position]*Outside
	Noted    map[ton.Position]string // transactions outside our payments that are explained, with the reason
	Reissues map[string]Reissue      // the newest of each key
	Rules    map[string][]Rule       // of recurring grants, the oldest first
	Names    map[string]string       // every name that a key had before, and the one that it has now
	Settled  map[string][]Settlement // what was given to a key otherwise, the oldest first
	Well     Well

	LastOrder   OrderID
	LastPayment PaymentID
	LastRun     RunID
	LastFound   FoundID
	LastRequest RequestID

	keys    map[string][]OrderID
	rows    map[Row]OrderID // of Fragment's list that are evidence
	settled PaymentID       // this one and those before it are settled
}

// NewState returns the state before the first event.
func NewState() *State {
	return &State{
		Orders:   map[OrderID]*Order{},
		Payments: map[PaymentID]*Payment{},
		Wallets:  map[ton.Address]*Wallet{},
		Runs:     map[RunID]*Run{},
		Refs:     map[string]OrderID{},
		Pins:     Pins{},
		Founds:   map[FoundID]*Found{},
		Requests: map[RequestID]*Request{},
		Outside:  map[ton.Position]*Outside{},
		Noted:    map[ton.Position]string{},
		Reissues: map[string]Reissue{},
		Rules:    map[string][]Rule{},
		Names:    map[string]string{},
		Settled:  map[string][]Settlement{},
		keys:     map[string][]OrderID{},
		rows:     map[Row]OrderID{},
	}
}

// ErrTransition is returned, wrapped, for an event that may not follow the
// ones before it. The state is unchanged.
var ErrTransition = errors.New("this may not follow what is recorded")

// ErrPrior is returned, wrapped, for a reservation that was decided on a sum
// which has changed since: another run got there first.
var ErrPrior = errors.New("another run has changed what was given already")

// ByKey returns the orders of a key in the order of reservation.
func (s *State) ByKey(key string) []*Order {
	ids := s.keys[key]
	orders := make([]*Order, len(ids))
	for i, id := range ids {
		orders[i] = s.Orders[id]
	}
	return orders
}

// Keys maps every key that ever had an order to its orders. It is to be read only.
func (s *State) Keys() map[string][]OrderID { return s.keys }

// Addresses are those of the wallets, in one order.
func (s *State) Addresses() []ton.Address {
	return slices.SortedFunc(maps.Keys(s.Wallets), func(a, b ton.Address) int { return cmp.Compare(a.Raw(), b.Raw()) })
}

// Given is the key's sum over its current generation: what was paid, what may
// still be paid, and what a person says was given otherwise. Released orders
// count nothing.
func (s *State) Given(key string) (sum int64) {
	generation := s.Generation(key)
	for _, id := range s.keys[key] {
		if o := s.Orders[id]; o.Phase != Released && o.Generation == generation {
			sum += o.Item.Quantity
		}
	}
	return sum + s.SettledFor(key)
}

// Generation is the key's newest generation: 1, and one more for each time a
// person had it issued again.
func (s *State) Generation(key string) int { return max(1, s.Reissues[key].Generation) }

// NextPart is the number of the key's next part: the highest that is not
// released, and one.
func (s *State) NextPart(key string) int {
	part, generation := 0, s.Generation(key)
	for _, id := range s.keys[key] {
		if o := s.Orders[id]; o.Phase != Released && o.Generation == generation {
			part = max(part, o.Part)
		}
	}
	return part + 1
}

// Apply folds one event into the state, or returns ErrTransition or ErrPrior
// and changes nothing.
func (s *State) Apply(e Event) error {
	if err := s.apply(e); err != nil {
		return fmt.Errorf("%s: %w", e.kind(), err)
	}
	return nil
}

func (s *State) apply(e Event) error {
	switch e := e.(type) {
	case Opened:
		if s.Ledger != "" {
			return ErrTransition
		}
		s.Ledger = e.Ledger
	case Anchored:
		if s.Wallets[e.Wallet] != nil {
			return fmt.Errorf("wallet %s has an anchor: %w", e.Wallet, ErrTransition)
		}
		s.Wallets[e.Wallet] = &Wallet{Address: e.Wallet, Version: e.Version, Anchor: e.Anchor, Block: e.Block, Reason: e.Reason}
	case EpochTaken:
		if e.Epoch != s.Epoch+1 {
			return fmt.Errorf("epoch %d after %d: %w", e.Epoch, s.Epoch, ErrTransition)
		}
		s.Epoch = e.Epoch
	case RunStarted:
		if e.Run != s.LastRun+1 {
			return fmt.Errorf("run %d after %d: %w", e.Run, s.LastRun, ErrTransition)
		}
		s.LastRun = e.Run
		s.Runs[e.Run] = &Run{ID: e.Run, Digest: e.Digest, Nonce: e.Nonce, Host: e.Host}
	case RunFinished:
		r := s.Runs[e.Run]
		if r == nil || r.Outcome != "" {
			return fmt.Errorf("run %d: %w", e.Run, ErrTransition)
		}
		r.Outcome = e.Outcome
	case AllWell, SilenceTold:
		return s.watch(e)
	case OrderReserved:
		return s.reserve(e)
	case OrderQuoted:
		return s.quote(e)
	case PersonPinned:
		return s.pin(e)
	case InvoiceDropped:
		return s.move(e.Order, Reserved, e.Reason, Quoted)
	case OrderReleased:
		return s.move(e.Order, Released, e.Reason, Reserved, Quoted)
	case TransferReceived:
		if e.Transaction.IsZero() {
			return fmt.Errorf("order %d: %w", e.Order, ErrTransition)
		}
		if err := s.move(e.Order, Paid, "", Sent); err != nil {
			return err
		}
		s.Orders[e.Order].Received = e.Transaction
	case OrderAcknowledged:
		return s.acknowledge(e)
	case OrderDelivered:
		return s.deliver(e)
	case OrderHeld:
		return s.hold(e)
	case WalletChecked:
		w := s.Wallets[e.Wallet]
		if w == nil || e.Position.LT <= w.Since().LT {
			return fmt.Errorf("wallet %s at %d: %w", e.Wallet, e.Position.LT, ErrTransition)
		}
		w.Checked = e.Position
	case PaymentRequested:
		return s.request(e)
	case RequestPaid:
		return s.answer(e)
	case PaymentArmedEvent, PaymentSignedEvent, PaymentExecutedEvent, PaymentDeadEvent, BurnArmed, BurnSigned:
		return s.applyPayment(e)
	case RuleSeen:
		return s.see(e)
	default:
		return s.decide(e)
	}
	return nil
}

func (s *State) reserve(e OrderReserved) error {
	switch {
	case e.Order != s.LastOrder+1:
		return fmt.Errorf("order %d after %d: %w", e.Order, s.LastOrder, ErrTransition)
	case s.Names[e.Key] != "":
		return fmt.Errorf("%s is an earlier name of %s: %w", e.Key, s.Names[e.Key], ErrTransition)
	case e.Generation != s.Generation(e.Key):
		return fmt.Errorf("%s generation %d, and %d is the newest: %w", e.Key, e.Generation, s.Generation(e.Key), ErrPrior)
	case e.Prior != s.Given(e.Key) || e.Part != s.NextPart(e.Key):
		return fmt.Errorf("%s: %d was given when this was decided, %d now: %w", e.Key, e.Prior, s.Given(e.Key), ErrPrior)
	}
	s.LastOrder = e.Order
	s.Add(&Order{
		ID: e.Order, Run: e.Run, Key: e.Key, Generation: e.Generation, Part: e.Part,
		Person: e.Person, Handle: e.Handle, Single: e.Single, Item: e.Item,
		Wallet: e.Wallet, Cap: e.Cap, Reserve: e.Reserve, Scopes: e.Scopes, Phase: Reserved, Index: -1,
	})
	return nil
}

// Add puts an order that a store has read into the state, with its key and row.
func (s *State) Add(o *Order) {
	s.Orders[o.ID] = o
	s.keys[o.Key] = append(s.keys[o.Key], o.ID)
	s.LastOrder = max(s.LastOrder, o.ID)
	if !o.Row.IsZero() {
		s.rows[o.Row] = o.ID
	}
}

func (s *State) quote(e OrderQuoted) error {
	if owner, used := s.Refs[e.Invoice.Ref]; used {
		return fmt.Errorf("ref %q belongs to order %d: %w", e.Invoice.Ref, owner, ErrTransition)
	}
	o := s.Orders[e.Order]
	if o != nil && e.Invoice.N != o.Invoices+1 {
		return fmt.Errorf("order %d: invoice %d after %d: %w", e.Order, e.Invoice.N, o.Invoices, ErrTransition)
	}
	if err := e.Invoice.Check(); err != nil {
		return err
	}
	if o != nil && e.Invoice.Price.Asset != o.Cap.Asset {
		return fmt.Errorf("order %d is to be paid in %s, not in %s: %w", o.ID, o.Cap.Asset, e.Invoice.Price.Asset, ErrTransition)
	}
	if err := s.move(e.Order, Quoted, "", Reserved); err != nil {
		return err
	}
	invoice := e.Invoice
	o.Invoice, o.Invoices, o.Reserve = &invoice, invoice.N, invoice.Price
	s.Refs[invoice.Ref] = o.ID
	return nil
}

// move changes an order's phase if it stands in one of the phases from.
func (s *State) move(id OrderID, to Phase, reason string, from ...Phase) error {
	o := s.Orders[id]
	if o == nil {
		return fmt.Errorf("no order %d: %w", id, ErrTransition)
	}
	if (to == Released || to == Held) && reason == "" {
		return fmt.Errorf("order %d can't become %s without a reason: %w", id, to, ErrTransition)
	}
	for _, p := range from {
		if o.Phase == p {
			o.Phase, o.Reason = to, reason
			if to == Reserved || to == Released {
				o.Invoice = nil
			}
			return nil
		}
	}
	return fmt.Errorf("order %d is %s and can't become %s: %w", id, o.Phase, to, ErrTransition)
}
