package reconcile

import (
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// bounceFee is the most that a message may lose on its way back.
const bounceFee = 50_000_000

// bounces holds the orders whose money came back: a person must look, and
// nothing is bought again by itself.
func (s *State) bounces(wallet ton.Address, history []ton.Transaction) bool {
	for _, t := range history {
		if t.In == nil || !t.In.Bounced || s.book.Explained(t.Position) {
			continue
		}
		orders := s.cameBack(wallet, t)
		if len(orders) == 0 {
			// Nobody's, as far as we can tell. It is looked at again by every
			// run: the history is not noted as explained past it.
			s.puzzled[wallet] = true
			s.notice(Progress{Stage: "bounced", Text: fmt.Sprintf("%s TON came back from %s, and no order waits for it; fragplan ledger audit shows it", t.In.Amount, t.In.From)})
		}
		for _, o := range orders {
			reason := fmt.Sprintf("%s TON came back from %s in transaction %s", t.In.Amount, t.In.From, t.Hash)
			if len(orders) > 1 {
				reason += fmt.Sprintf("; it may be the money of any of %d orders", len(orders))
			}
			if !s.record(ledger.OrderHeld{Order: o.ID, Reason: reason, Bounce: t.Position}) {
				return false
			}
			delete(s.telling, o.ID)
			s.noticeOrder("held", o)
			s.result.Problems = append(s.result.Problems, Problem{o.Key, "bounced", reason})
		}
	}
	return true
}

// cameBack finds the orders whose transfer a bounce may be. Little is left of
// its comment, so there may be several.
func (s *State) cameBack(wallet ton.Address, t ton.Transaction) (orders []*ledger.Order) {
	text, err := ton.BouncedComment(t.In.Body)
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		o := s.book.Orders[id]
		if o == nil || o.Wallet != wallet || o.Invoice == nil || !o.Phase.Spent() || o.Phase == ledger.Held || o.Settled.LT >= t.LT {
			continue
		}
		lost := o.Invoice.Transfer.Amount - t.In.Amount
		if o.Invoice.Transfer.To != t.In.From || lost < 0 || lost > bounceFee {
			continue
		}
		if err == nil && !strings.HasPrefix(firewall.CommentOf(o.Item, o.Invoice.Ref), text) {
			continue
		}
		orders = append(orders, o)
	}
	return orders
}
