package ledger

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ton"
)

// RequestID numbers the payment requests of one ledger from 1.
type RequestID int64

// Request is a payment that a person was asked to make with a wallet
// application. This program signs nothing of it, so that it has neither seqno
// nor bytes, and nothing can prove that it will never be paid.
type Request struct {
	ID         RequestID
	Run        RunID
	Wallet     ton.Address
	ValidUntil uint32 // Unix seconds; the application must not sign it later, and nobody can hold it to that
	Orders     []OrderID
	Base       ton.Position // the wallet's newest transaction when it was handed out
}

// Outside is a transaction of which another signer made the message, and which
// paid offered orders.
type Outside struct {
	Wallet      ton.Address
	Transaction ton.Position
	Time        uint32 // Unix seconds of its block
	Fees        ton.Nano
	Message     ton.BoC // the external message that caused it; nil if another account's did
	Orders      []OrderID
}

// The events of payments that are made outside.
type (
	// PaymentRequested is written before anybody sees the request. From here on
	// its orders may be paid at any time.
	PaymentRequested struct {
		Request    RequestID    `json:"request"`
		Run        RunID        `json:"run"`
		Wallet     ton.Address  `json:"wallet"`
		ValidUntil uint32       `json:"valid_until"`
		Orders     []OrderID    `json:"orders"`
		Base       ton.Position `json:"base"`
	}
	// RequestPaid settles the offered orders whose transfers stand in a
	// transaction of the proven history, each its own. Sent are those among them
	// that are in USDT: what became of it is proven later.
	RequestPaid struct {
		Wallet      ton.Address  `json:"wallet"`
		Transaction ton.Position `json:"transaction"`
		Time        uint32       `json:"time"`
		Fees        ton.Nano     `json:"fees,string"`
		Message     ton.BoC      `json:"message,omitempty"`
		Paid        []OrderID    `json:"paid"`
		Sent        []OrderID    `json:"sent,omitempty"`
	}
)

func (PaymentRequested) kind() string { return "payment_requested" }
func (RequestPaid) kind() string      { return "request_paid" }

// Orders are all that the transaction settles, those that are paid first.
func (e RequestPaid) Orders() []OrderID { return slices.Concat(e.Paid, e.Sent) }

func (s *State) request(e PaymentRequested) error {
	switch {
	case e.Request != s.LastRequest+1:
		return fmt.Errorf("request %d after %d: %w", e.Request, s.LastRequest, ErrTransition)
	case len(e.Orders) == 0 || e.ValidUntil == 0 || s.Wallets[e.Wallet] == nil:
		return fmt.Errorf("request %d: %w", e.Request, ErrTransition)
	}
	for i, id := range e.Orders {
		o := s.Orders[id]
		if o == nil || o.Phase != Quoted || o.Wallet != e.Wallet || slices.Contains(e.Orders[:i], id) {
			return fmt.Errorf("order %d is not quoted for this wallet, or twice in it: %w", id, ErrTransition)
		}
		if e.ValidUntil > o.Invoice.ValidUntil {
			return fmt.Errorf("request %d outlives the offer of order %d: %w", e.Request, id, ErrTransition)
		}
	}
	for _, id := range e.Orders {
		o := s.Orders[id]
		o.Phase, o.Request = Offered, e.Request
	}
	s.LastRequest = e.Request
	s.Requests[e.Request] = &Request{ID: e.Request, Run: e.Run, Wallet: e.Wallet, ValidUntil: e.ValidUntil, Orders: e.Orders, Base: e.Base}
	return nil
}

func (s *State) answer(e RequestPaid) error {
	_, noted := s.Noted[e.Transaction]
	orders := e.Orders()
	if e.Transaction.IsZero() || noted || s.Outside[e.Transaction] != nil || s.Wallets[e.Wallet] == nil || len(orders) == 0 {
		return fmt.Errorf("transaction %d: %w", e.Transaction.LT, ErrTransition)
	}
	for i, id := range orders {
		o := s.Orders[id]
		if o == nil || o.Phase != Offered || o.Wallet != e.Wallet || slices.Contains(orders[:i], id) {
			return fmt.Errorf("order %d is not offered for this wallet, or twice in it: %w", id, ErrTransition)
		}
		if s.Requests[o.Request].Base.LT >= e.Transaction.LT {
			return fmt.Errorf("order %d was offered after transaction %d: %w", id, e.Transaction.LT, ErrTransition)
		}
		if err := o.settles(i >= len(e.Paid)); err != nil {
			return err
		}
	}
	for i, id := range orders {
		o := s.Orders[id]
		o.Phase, o.Settled, o.Time = Paid, e.Transaction, e.Time
		if i >= len(e.Paid) {
			o.Phase = Sent
		}
	}
	s.Outside[e.Transaction] = &Outside{Wallet: e.Wallet, Transaction: e.Transaction, Time: e.Time, Fees: e.Fees, Message: e.Message, Orders: orders}
	return nil
}

// Answer returns the event by which a transaction of a wallet's proven history
// settles offered orders, and whether there is one. An order is paid by a
// transfer with its destination, its amount and its body, which holds a ref
// that is no other's; a transfer pays one order. With USDT such a transfer only
// asks the jetton wallet to send, so its order is sent. That somebody was asked,
// or that time has passed, says nothing.
func (s *State) Answer(wallet ton.Address, t ton.Transaction) (RequestPaid, bool) {
	e := RequestPaid{Wallet: wallet, Transaction: t.Position, Time: t.Time, Fees: t.Fees}
	if len(t.Out) == 0 || s.Outside[t.Position] != nil || s.Explained(t.Position) {
		return e, false
	}
	left := slices.Clone(t.Out)
	for id := RequestID(1); id <= s.LastRequest; id++ {
		r := s.Requests[id]
		if r == nil || r.Wallet != wallet || r.Base.LT >= t.LT {
			continue
		}
		for _, id := range r.Orders {
			o := s.Orders[id]
			if o.Phase != Offered {
				continue
			}
			i := slices.IndexFunc(left, func(out ton.Out) bool { return out.Is(o.Invoice.Transfer) })
			if i < 0 {
				continue
			}
			left = slices.Delete(left, i, i+1)
			if asks(o.Invoice.Transfer.Body) {
				e.Sent = append(e.Sent, o.ID)
			} else {
				e.Paid = append(e.Paid, o.ID)
			}
		}
	}
	settled := len(e.Paid)+len(e.Sent) > 0
	if t.External != nil && settled {
		if message, err := ton.External(wallet, nil, t.External); err == nil {
			e.Message = message
		}
	}
	return e, settled
}

// Message is the signed message that paid an order, to be shown to Fragment;
// nil if there is none, or it was not read.
func (s *State) Message(o *Order) ton.BoC {
	if p := s.Payments[o.Payment]; p != nil {
		return p.Message
	}
	if out := s.Outside[o.Settled]; out != nil && o.Request != 0 {
		return out.Message
	}
	return nil
}

// batch are the orders that were paid together with one, or were to be.
func (s *State) batch(o *Order) []OrderID {
	if p := s.Payments[o.Payment]; p != nil {
		return p.Orders
	}
	if r := s.Requests[o.Request]; r != nil {
		return r.Orders
	}
	return nil
}
