package reconcile_test

import (
	"errors"
	"fmt"
	"slices"

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
	amount ton.Amount
}

// termsIn are those of an invoice, which may have lost its body.
func termsIn(i ledger.Invoice) terms {
	if i.Price.Asset == ton.AssetUSDT {
		return terms{i.Ref, i.Price}
	}
	return terms{i.Ref, i.Transfer.Amount.Amount()}
}

// sale is one offer and what became of it.
type sale struct {
	intent // what it was asked for; without a key for one that a person bought by hand
	terms
	handle string
	item   product.Item
	to     ton.Address
	until  uint32

	from    ton.Address // the wallet, of an offer in USDT
	query   uint64      // of the transfer
	gas     ton.Nano    // that goes with it
	bounces bool        // what is refused comes back

	left      int // how often a transfer for it has left the wallet
	paid      int // how often one arrived: with TON that is the same
	refused   int // how often a jetton wallet refused one
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

// out reports whether money for it has left and has not come back: it is given,
// or on its way.
func (s *sale) out() bool { return s.left > s.bounced+s.refused }

// refuse counts a transfer of USDT that can't arrive any more.
func (s *sale) refuse() {
	if s != nil {
		s.refused++
	}
}

func (s *sale) inUSDT() bool { return s.amount.Asset == ton.AssetUSDT }

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
func (m *market) price(item product.Item, asset ton.Asset) ton.Amount {
	nano := ton.Nano(item.Quantity) * (9_000_000 + ton.Nano(m.IntN(1_500_000)))
	switch item.Kind {
	case product.TopUp:
		nano = ton.Nano(item.Quantity) * ton.TON
	case product.Premium:
		nano = ton.Nano(item.Quantity) * ton.TON / 2
	}
	if asset == ton.AssetUSDT {
		return ton.Amount{Asset: asset, Units: int64(nano) * 15 / 10_000} // 1.50 for a TON
	}
	return nano.Amount()
}

// sell makes an offer that is sound, but for its ref, which may be an old one.
func (m *market) sell(i intent, handle string, item product.Item, asset ton.Asset) *sale {
	s := &sale{intent: i, terms: terms{fmt.Sprintf("Ref%06d", len(m.sales)+1), m.price(item, asset)}, handle: handle, item: item,
		to: firewall.DefaultDestinations()[0], until: m.chain.time + 400 + uint32(m.IntN(500))}
	if asset == ton.AssetUSDT {
		m.withGas(s)
	}
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

// withGas draws what goes with an offer in USDT.
func (m *market) withGas(s *sale) {
	s.from, s.query, s.gas, s.bounces = m.chain.account.Address, uint64(len(m.sales)+1)<<32+uint64(m.IntN(1<<30)), ton.TON/20, m.IntN(4) > 0
	if m.hit(gasShort) {
		s.gas = m.between(1, gasUsed-1)
	}
	if i := slices.IndexFunc(m.sales, (*sale).inUSDT); i >= 0 && m.hit(queryReused) {
		s.query = m.sales[i+m.IntN(len(m.sales)-i)].query
	}
}

func (s *sale) transfer() ton.Transfer {
	note := comment(firewall.CommentOf(s.item, s.ref))
	if s.inUSDT() {
		return s.asking(s.jetton(note))
	}
	return ton.Transfer{To: s.to, Amount: ton.Nano(s.amount.Units), Body: note}
}

func (s *sale) jetton(note ton.BoC) ton.JettonTransfer {
	return ton.JettonTransfer{QueryID: s.query, Amount: s.amount.Units, Destination: s.to, Response: s.from, Forward: 1, Payload: note}
}

// asking is what the wallet is to send its jetton wallet.
func (s *sale) asking(j ton.JettonTransfer) ton.Transfer {
	body, err := j.Encode()
	if err != nil {
		panic(err)
	}
	return ton.Transfer{To: purse, Bounce: s.bounces, Amount: s.gas, Body: ton.BoCOf(body)}
}

// quote answers a request for an offer. Whatever is wrong with the offer is
// wrong in one thing.
func (m *market) quote(i intent, handle string, item product.Item, asset ton.Asset) (reconcile.Offer, error) {
	m.calls++
	if m.hit(quoteAskedTwice) {
		m.sell(i, handle, item, asset)
	}
	switch {
	case m.hit(quoteRefused):
		return reconcile.Offer{}, &reconcile.Refusal{Code: "refused", Reason: "not now"}
	case m.hit(quoteFails):
		return reconcile.Offer{}, errSession
	}
	if m.hit(assetWrong) {
		asset = map[ton.Asset]ton.Asset{ton.AssetTON: ton.AssetUSDT, ton.AssetUSDT: ton.AssetTON}[asset]
	}
	s := m.sell(i, handle, item, asset)
	if m.hit(priceAboveCap) {
		delete(m.known, s.terms)
		s.amount.Units = 3*s.amount.Units + int64(len(m.sales)) // no other offer's
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
		Price: s.amount, ValidUntil: s.until, Confirm: "confirmReq", Params: map[string]string{"id": s.ref},
	}}
	switch {
	case s.inUSDT():
		t = m.spoilUSDT(s, t)
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
	}
	if m.hit(senderWrong) {
		offer.From = stranger
	}
	offer.Invoice.Transfer = t
	return offer, nil
}

// spoilUSDT may ask for something else in the body, or of somebody else.
func (m *market) spoilUSDT(s *sale, t ton.Transfer) ton.Transfer {
	j := s.jetton(comment(firewall.CommentOf(s.item, s.ref)))
	switch {
	case m.hit(unitsWrong):
		j.Amount += int64(m.IntN(3)-1)*j.Amount/2 + 1
	case m.hit(ownerWrong):
		j.Destination = stranger
	case m.hit(responseWrong):
		j.Response = stranger
	case m.hit(itemWrongUSDT):
		other := s.item
		other.Quantity += 3
		j.Payload = comment(firewall.CommentOf(other, s.ref))
	case m.hit(purseWrong):
		t.To = stranger
		return t
	case m.hit(gasMuch):
		t.Amount = firewall.MaxGas + 1
		return t
	default:
		return t
	}
	return s.asking(j)
}

// receive books a transaction of the wallet.
func (m *market) receive(t ton.Transaction) {
	for _, out := range t.Out {
		if s := m.sold(out); s != nil {
			if s.left++; !s.inUSDT() {
				m.arrive(s)
			}
		}
	}
}

// arrive books a payment that is there.
func (m *market) arrive(s *sale) {
	if s.paid++; s.key == "" && s.at == 0 {
		m.handOver(s)
	}
}

// sold is the offer that a transfer pays, or nil.
func (m *market) sold(out ton.Out) *sale {
	_, ref, _ := firewall.Recognize(out.Comment, out.Amount)
	if out.Jetton != nil {
		return m.known[terms{ref, ton.Amount{Asset: ton.AssetUSDT, Units: out.Jetton.Amount}}]
	}
	return m.known[terms{ref, out.Amount.Amount()}]
}

// confirm takes a confirm call.
func (m *market) confirm(i ledger.Invoice) error {
	m.calls++
	s := m.known[termsIn(i)]
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
