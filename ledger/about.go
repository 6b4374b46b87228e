package ledger

import "slices"

// About reports whether an event of this state's past belongs to the story of
// a key: it is about one of its orders, or about a payment of one.
func (s *State) About(e Event, key string) bool {
	switch e := e.(type) {
	case OrderReserved:
		return e.Key == key
	case OrderQuoted:
		return s.keyOf(e.Order) == key
	case InvoiceDropped:
		return s.keyOf(e.Order) == key
	case OrderReleased:
		return s.keyOf(e.Order) == key
	case OrderAcknowledged:
		return s.keyOf(e.Order) == key
	case OrderDelivered:
		return s.keyOf(e.Order) == key
	case OrderHeld:
		return s.keyOf(e.Order) == key
	case OrderResolved:
		return s.keyOf(e.Order) == key
	case KeyReissued:
		return e.Key == key
	case FoundAssigned:
		return e.Key == key
	case PaymentRequested:
		return s.about(e.Orders, key)
	case RequestPaid:
		return s.about(e.Paid, key)
	case PaymentArmedEvent:
		return s.pays(e.Payment, key)
	case PaymentSignedEvent:
		return s.pays(e.Payment, key)
	case PaymentExecutedEvent:
		return s.pays(e.Payment, key)
	case PaymentDeadEvent:
		return s.pays(e.Payment, key)
	case BurnArmed:
		return s.pays(e.Payment, key)
	case BurnSigned:
		return s.pays(e.Payment, key)
	}
	return false
}

func (s *State) keyOf(id OrderID) string {
	if o := s.Orders[id]; o != nil {
		return o.Key
	}
	return ""
}

func (s *State) pays(id PaymentID, key string) bool {
	p := s.Payments[id]
	if p == nil {
		return false
	}
	return s.about(p.Orders, key)
}

func (s *State) about(orders []OrderID, key string) bool {
	return slices.ContainsFunc(orders, func(id OrderID) bool { return s.keyOf(id) == key })
}
