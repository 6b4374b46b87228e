package reconcile

import (
	"sort"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
)

// tell makes the confirm call for a paid order. Its answer is recorded; its
// absence never leads to a second purchase.
func (s *State) tell(o *ledger.Order) {
	message := s.book.Message(o)
	if o.Invoice == nil || len(message) == 0 {
		return // nothing to show: what another account's message paid
	}
	attempt := s.telling[o.ID]
	s.telling[o.ID] = attempt + 1
	pause := time.Duration(0)
	if attempt > 0 {
		pause = s.patience(attempt)
	}
	s.do(Tell{Order: o.ID, Kind: o.Item.Kind, Invoice: *o.Invoice, Message: message, After: pause})
}

func (s *State) told(e Told) {
	o := s.book.Orders[e.Order]
	s.braked = false
	switch {
	case o.Phase != ledger.Paid:
		delete(s.telling, e.Order)
	case e.Err == nil:
		delete(s.telling, e.Order)
		if s.record(ledger.OrderAcknowledged{Order: e.Order}) {
			s.noticeOrder("acknowledged", o)
		}
	case s.telling[e.Order] < maxTelling && s.stopped == nil:
		s.tell(o)
	default:
		delete(s.telling, e.Order)
		s.notice(Progress{Stage: "undelivered", Key: o.Key, Handle: o.Handle, Item: o.Item, Order: o.ID, Amount: o.Reserve, Text: e.Err.Error()})
	}
}

// inquire asks whether what was acknowledged has been handed over. It reports
// whether there is an answer to wait for.
func (s *State) inquire() bool {
	awaited := s.awaited()
	kinds := make([]product.Kind, 0, len(awaited))
	for k, most := range awaited {
		if s.asked[k] < most || s.inquiry[k] {
			kinds = append(kinds, k)
		}
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i] < kinds[j] })
	for _, k := range kinds {
		if s.inquiry[k] {
			continue
		}
		s.inquiry[k] = true
		pause := time.Duration(0)
		if s.asked[k] > 0 {
			pause = s.pause
		}
		s.asked[k]++
		s.do(Inquire{Kind: k, After: pause})
	}
	return len(kinds) > 0
}

// awaited are the products of which something is acknowledged and not known to
// be delivered, and how often they are asked after: patiently for what was paid
// in this run, and once for what earlier ones left, however they ended.
func (s *State) awaited() map[product.Kind]int {
	most := map[product.Kind]int{}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Phase == ledger.Acknowledged {
			most[o.Item.Kind] = 1
		}
	}
	for _, id := range s.result.Bought {
		if o := s.book.Orders[id]; o.Phase == ledger.Acknowledged {
			most[o.Item.Kind] = maxInquiries
		}
	}
	return most
}

// learned records what the list proves order by order, and the page's word for
// the rest: the page names no order, so it is weaker.
func (s *State) learned(e Learned) {
	s.inquiry[e.Kind] = false
	if !s.deliver(listed(s.book, e.Kind, e.List.Rows)) || e.Err != nil || !e.Done || !s.astray(e.Kind, e.List) {
		return
	}
	var rest []ledger.Event
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Phase == ledger.Acknowledged && o.Item.Kind == e.Kind {
			rest = append(rest, ledger.OrderDelivered{Order: id, Evidence: ledger.EvidencePage})
		}
	}
	s.deliver(rest)
}

// deliver reports false if the events could not be recorded.
func (s *State) deliver(events []ledger.Event) bool {
	if len(events) == 0 {
		return true
	}
	if !s.record(events...) {
		return false
	}
	for _, e := range events {
		s.noticeOrder("delivered", s.book.Orders[e.(ledger.OrderDelivered).Order])
	}
	return true
}
