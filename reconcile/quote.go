package reconcile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// askMore asks for offers, no further ahead than the next batch: an offer
// that waits too long expires.
func (s *State) askMore() {
	s.short = false
	for len(s.waiting) > 0 {
		id := s.waiting[0]
		// One that others wait for is asked for in any case.
		behind := len(s.ready) > 0 && id < s.ready[len(s.ready)-1]
		if !behind && len(s.quoting)+len(s.ready) >= s.batchLimit()+askAhead {
			return
		}
		s.waiting = s.waiting[1:]
		o := s.book.Orders[id]
		if err := s.covered(o); errors.Is(err, ErrFunds) {
			s.short = true
			s.waiting = insert(s.waiting, id)
			// What was asked for after it waits for it.
			if len(s.before(id)) == 0 && s.draft == nil && len(s.book.Open()) == 0 {
				s.stop(err)
			}
			return
		} else if err != nil {
			s.giveUp(o, "funds", err.Error())
			continue
		}
		s.quoting = insert(s.quoting, id)
		s.do(Ask{Order: id, Handle: o.Handle, Item: o.Item, Asset: o.Cap.Asset})
	}
}

// batchLimit is the ramp: at most 4 times the largest batch that Fragment has
// acknowledged for this wallet, beginning with 1.
func (s *State) batchLimit() int {
	ramp := s.book.Wallets[s.self].Ramp
	if ramp == 0 {
		return 1
	}
	return min(4*ramp, s.wallet.Version.MaxTransfers())
}

// insert keeps a list of orders in the order of the plan.
func insert(list []ledger.OrderID, id ledger.OrderID) []ledger.OrderID {
	at, _ := slices.BinarySearch(list, id)
	return slices.Insert(list, at, id)
}

func (s *State) offered(e Offered) {
	s.quoting = slices.DeleteFunc(s.quoting, func(id ledger.OrderID) bool { return id == e.Order })
	o := s.book.Orders[e.Order]
	if o == nil || !s.jobs[e.Order] || o.Phase != ledger.Reserved {
		return
	}
	var refusal *Refusal
	switch {
	case errors.As(e.Err, &refusal):
		s.giveUp(o, refusal.Code, refusal.Reason)
		return
	case e.Err != nil:
		s.stop(fmt.Errorf("%s: %w", o.Key, e.Err))
		return
	}
	invoice := e.Offer.Invoice
	invoice.N, invoice.Quoted = o.Invoices+1, s.account.Time
	if err := s.inspect(o, e.Offer.From, invoice); err != nil {
		code := "firewall"
		if r := (*firewall.Refusal)(nil); errors.As(err, &r) {
			code = string(r.Code)
		}
		s.giveUp(o, code, err.Error())
		return
	}
	pin, warning, stranger := s.recognise(o, e.Offer.Person, invoice.Price)
	if stranger != nil {
		s.giveUp(o, stranger.Code, stranger.Reason)
		return
	}
	err := errors.Join(s.plan.Limits.CheckOrder(invoice.Price), s.plan.Limits.Of(policy.Undelivered).Check(invoice.Price), s.slipped(o, invoice.Price))
	if err == nil {
		err = s.retake(s.held(o), s.counts.bill(o, costs(invoice.Price, invoice.Transfer)...))
	}
	if err != nil {
		s.giveUp(o, limitCode(err), err.Error())
		return
	}
	events := []ledger.Event{ledger.OrderQuoted{Order: o.ID, Invoice: invoice}}
	if pin != nil {
		events = append(events, *pin)
	}
	if s.record(events...) {
		s.learnQuery(invoice.Transfer)
		if warning != "" {
			s.notice(Progress{Stage: "changed", Key: o.Key, Order: o.ID, Text: warning})
		}
		// Offers are answered in any order; they are paid in the plan's.
		s.ready = insert(s.ready, o.ID)
		s.noticeOrder("quoted", o)
	}
}

// slipped is why an offer is too far above the price that the plan was made
// with, or nil. A plan without prices has only its ceilings.
func (s *State) slipped(o *ledger.Order, price ton.Amount) error {
	if planned := s.whom[o.ID].planned; s.plan.Priced && planned != o.Cap {
		return s.plan.Limits.CheckSlippage(planned, price)
	}
	return nil
}

// inspect has the firewall decode the offer to the last bit.
func (s *State) inspect(o *ledger.Order, from ton.Address, invoice ledger.Invoice) error {
	rules := s.rules
	rules.Wallet = s.self
	rules.RefKnown = func(ref string) bool { _, known := s.book.Refs[ref]; return known }
	unit := s.units[priced{unitOf(o.Item), o.Cap.Asset}].Units
	want := firewall.Want{Item: o.Item, Amount: ton.Nano(invoice.Price.Units), Cap: ton.Nano(o.Cap.Units), Now: s.account.Time, Unit: ton.Nano(unit)}
	t := invoice.Transfer
	offer := firewall.Offer{
		From: from, ValidUntil: invoice.ValidUntil,
		Messages: []firewall.Message{{To: t.To, Bounce: t.Bounce, Amount: t.Amount, Payload: t.Body}},
	}
	if err := firewall.CheckAsset(o.Cap.Asset, invoice.Price.Asset); err != nil {
		return err
	}
	if o.Cap.Asset == ton.AssetUSDT {
		return s.inspectUSDT(o, rules, offer, firewall.JettonWant{Item: o.Item, Amount: invoice.Price.Units, Cap: o.Cap.Units, Now: s.account.Time, Unit: unit})
	}
	return firewall.Check(rules, want, offer)
}

// priced is what has a price of its own in one money.
type priced struct {
	unit  product.Item
	asset ton.Asset
}

// unitOf is what has a price of its own: a Star, and a month of each length of
// Premium.
func unitOf(i product.Item) product.Item {
	if i.Kind == product.Stars {
		i.Quantity = 1
	}
	return i
}

// learnPrices notes what a unit of an item cost when it was last bought.
func (s *State) learnPrices() {
	s.units = map[priced]ton.Amount{}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Phase.Spent() && o.Item.Quantity > 0 {
			s.units[priced{unitOf(o.Item), o.Reserve.Asset}] = ton.Amount{Asset: o.Reserve.Asset, Units: o.Reserve.Units / o.Item.Quantity}
		}
	}
}

// giveUp releases an order that can't be bought in this run.
func (s *State) giveUp(o *ledger.Order, code, reason string) {
	s.giveBack(s.held(o)...)
	delete(s.jobs, o.ID)
	if s.record(ledger.OrderReleased{Order: o.ID, Reason: reason}) {
		s.problem(o.Key, code, reason)
	}
}

// dropExpired sends orders back whose offer would not outlive a message.
func (s *State) dropExpired() {
	var keep []ledger.OrderID
	for _, id := range s.ready {
		o := s.book.Orders[id]
		if o.Invoice.ValidUntil >= s.account.Time+2*expiryMargin {
			keep = append(keep, id)
			continue
		}
		s.giveBackGas(o)
		if !s.record(ledger.InvoiceDropped{Order: id, Reason: "the offer expired unpaid"}) {
			return
		}
		s.again(o, "offers expired before they could be paid")
	}
	s.ready = keep
}

// again puts a reserved order back into the queue, or gives it up if that has
// happened too often.
func (s *State) again(o *ledger.Order, why string) {
	if o.Invoices >= maxInvoices || o.Deaths >= maxDeaths {
		s.giveUp(o, "retries", fmt.Sprintf("%d %s; the next apply tries again", maxInvoices, why))
		return
	}
	s.waiting = insert(s.waiting, o.ID)
}
