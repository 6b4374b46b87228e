package reconcile_test

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// market is Fragment: it makes offers, and hands over what the chain shows to
// be paid. Its books are its own and know nothing of any ledger.
type market struct {
	*chance
	chain *chain
	sales []*sale                    // every offer ever made, the oldest first
	known map[terms]*sale            // the same by what tells them apart
	shown map[string]ledger.Identity // who is behind a handle
	calls int                        // that may change something: offers and confirmations
}

// terms tell an offer from all others. A ref alone does not, in a market that
// offers one again.
type terms struct {
	ref    string
	amount ton.Nano
}

// sale is one offer and what became of it.
type sale struct {
	intent // what it was asked for; without a key for one that a person bought by hand
	terms
	handle string
	item   product.Item
	to     ton.Address
	until  uint32

	paid      int // how often
	bounced   int // how often that money went back
	confirmed bool
	lost      bool   // Fragment took the money and will never say so
	late      int    // inquiries after which it is handed over
	at        uint32 // when it is listed as bought; 0 for not yet
	hidden    int    // lists that lack it
	closed    bool   // a person has had its key issued again since
	settled   bool   // a person looks after it, or has
}

// given reports whether the person has it.
func (s *sale) given() bool { return s.paid > s.bounced }

// Errors of a market that misbehaves.
var (
	errSession = errors.New("the session has ended")
	errUnpaid  = errors.New("not paid yet")
	errNetwork = errors.New("connection reset by peer")
)

func newMarket(luck *chance, c *chain) *market {
	return &market{chance: luck, chain: c, known: map[terms]*sale{}, shown: map[string]ledger.Identity{}}
}

// person is how a handle is shown: now and then not as before.
func (m *market) person(handle string) ledger.Identity {
	p, known := m.shown[handle]
	swapped := m.hit(personSwapped)
	changed := m.hit(personChanged)
	if !known || swapped || changed && m.IntN(2) == 0 {
		p.Name = fmt.Sprint(handle, " ", m.calls)
	}
	if !known || swapped || changed && p == m.shown[handle] {
		p.Photo = ton.Hash{byte(m.calls), byte(m.calls >> 8), 1}
	}
	m.shown[handle] = p
	return p
}

// stranger is an account that nobody may pay.
var stranger = ton.Address{Account: [32]byte{13}}

// price is what an item costs now.
func (m *market) price(item product.Item) ton.Nano {
	switch item.Kind {
	case product.TopUp:
		return ton.Nano(item.Quantity) * ton.TON
	case product.Premium:
		return ton.Nano(item.Quantity) * ton.TON / 2
	}
	return ton.Nano(item.Quantity) * (9_000_000 + ton.Nano(m.IntN(1_500_000)))
}

// sell makes an offer that is sound, but for its ref, which may be an old one.
func (m *market) sell(i intent, handle string, item product.Item) *sale {
	s := &sale{intent: i, terms: terms{fmt.Sprintf("Ref%06d", len(m.sales)+1), m.price(item)}, handle: handle, item: item,
		to: firewall.DefaultDestinations()[0], until: m.chain.time + 400 + uint32(m.IntN(500))}
	if i.key != "" && len(m.sales) > 0 && m.hit(refReused) {
		s.ref = m.sales[m.IntN(len(m.sales))].ref
	}
	if m.known[s.terms] != nil { // a top-up's amount says nothing
		s.ref = fmt.Sprintf("Ref%06d", len(m.sales)+1)
	}
	s.lost = m.hit(confirmNever)
	m.sales = append(m.sales, s)
	m.known[s.terms] = s
	return s
}

// comment is the body of a transfer with that text, packed as Fragment does.
func comment(text string) ton.BoC {
	b := cell.BeginCell().MustStoreUInt(0, 32)
	first, rest := text[:min(len(text), 35)], text[min(len(text), 35):]
	b.MustStoreSlice([]byte(first), uint(len(first))*8)
	if rest != "" {
		b.MustStoreRef(cell.BeginCell().MustStoreSlice([]byte(rest), uint(len(rest))*8).EndCell())
	}
	return ton.BoCOf(b.EndCell())
}

func (s *sale) transfer() ton.Transfer {
	return ton.Transfer{To: s.to, Amount: s.amount, Body: comment(firewall.CommentOf(s.item, s.ref))}
}

// quote answers a request for an offer. Whatever is wrong with the offer is
// wrong in one thing.
func (m *market) quote(i intent, handle string, item product.Item) (reconcile.Offer, error) {
	m.calls++
	if m.hit(quoteAskedTwice) {
		m.sell(i, handle, item)
	}
	switch {
	case m.hit(quoteRefused):
		return reconcile.Offer{}, &reconcile.Refusal{Code: "refused", Reason: "not now"}
	case m.hit(quoteFails):
		return reconcile.Offer{}, errSession
	}
	s := m.sell(i, handle, item)
	if m.hit(priceAboveCap) {
		delete(m.known, s.terms)
		s.amount = 3*s.amount + ton.Nano(len(m.sales)) // no other offer's
		m.known[s.terms] = s
	}
	switch {
	case m.hit(offerEndsSoon):
		s.until = m.chain.time + uint32(m.IntN(400))
	case m.hit(offerEnded):
		s.until = m.chain.time - uint32(m.IntN(2))
	}
	t := s.transfer()
	offer := reconcile.Offer{From: m.chain.account.Address, Person: m.person(handle), Invoice: ledger.Invoice{
		RequestID: "req" + s.ref, Ref: s.ref, Recipient: "token of " + handle, Name: handle,
		Price: s.amount.Amount(), ValidUntil: s.until, Confirm: "confirmReq", Params: map[string]string{"id": s.ref},
	}}
	switch {
	case m.hit(amountWrong):
		t.Amount += ton.Nano(m.IntN(3)-1)*t.Amount/2 + 1
	case m.hit(destinationWrong):
		t.To = stranger
	case m.hit(itemWrong):
		other := item
		other.Quantity += 3
		t.Body = comment(firewall.CommentOf(other, s.ref))
	case m.hit(refMalformed):
		t.Body = comment(firewall.CommentOf(item, "§"))
	case m.hit(senderWrong):
		offer.From = stranger
	}
	offer.Invoice.Transfer = t
	return offer, nil
}

// receive books a transaction of the wallet.
func (m *market) receive(t ton.Transaction) {
	for _, out := range t.Out {
		if s := m.sold(out); s != nil {
			if s.paid++; s.key == "" && s.at == 0 {
				m.handOver(s)
			}
		}
	}
}

// sold is the offer that a transfer pays, or nil.
func (m *market) sold(out ton.Out) *sale {
	_, ref, _ := firewall.Recognize(out.Comment, out.Amount)
	return m.known[terms{ref, out.Amount}]
}

// confirm takes a confirm call.
func (m *market) confirm(i ledger.Invoice) error {
	m.calls++
	s := m.known[terms{i.Ref, i.Transfer.Amount}]
	switch {
	case m.hit(confirmLost):
		return errNetwork
	case s.lost || !s.given():
		return errUnpaid
	}
	if !s.confirmed {
		s.confirmed = true
		if m.hit(deliveryLate) {
			s.late = 1 + m.IntN(30)
		}
		m.handOver(s)
	}
	if m.hit(confirmAnswerLost) {
		return errNetwork
	}
	return nil
}

// delivered says whether everything of a kind that was confirmed was handed over.
func (m *market) delivered(kind product.Kind) (bool, error) {
	if m.hit(deliveryUnknown) {
		return false, errNetwork
	}
	done := true
	for _, s := range m.sales {
		if s.item.Kind == kind && s.confirmed && s.late > 0 {
			s.late--
			done = false
		}
	}
	return done, nil
}
