package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// bounceFee is the most that a message may lose on its way back.
const bounceFee = 50_000_000

// bounces holds the orders whose money came back: a person must look, and
// nothing is bought again by itself. What can't be told apart is held together.
func (s *State) bounces(wallet ton.Address, history []ton.Transaction) bool {
	var groups []*returned
	for _, t := range history {
		if t.In == nil || !t.In.Bounced || s.book.Explained(t.Position) {
			continue
		}
		if query, units, ok := ton.BouncedJetton(t.In.Body); ok {
			if !s.gasBack(wallet, t, query, units) {
				return false
			}
			continue
		}
		orders := s.cameBack(wallet, t)
		if len(orders) == 0 {
			s.puzzle(wallet, t)
			continue
		}
		groups = join(groups, &returned{[]ton.Transaction{t}, orders})
	}
	for _, g := range groups {
		if !s.holdAll(wallet, g) {
			return false
		}
	}
	return true
}

// puzzle: the money is nobody's, as far as we can tell. It is looked at again
// by every run: the history is not noted as explained past it.
func (s *State) puzzle(wallet ton.Address, t ton.Transaction) {
	s.puzzled[wallet] = true
	s.notice(Progress{Stage: "bounced", Text: fmt.Sprintf("%s TON came back from %s, and no order waits for it; fragplan ledger audit shows it", t.In.Amount, t.In.From)})
}

// cameBack finds the orders whose transfer a bounce may be, by id. Little is
// left of its comment, so there may be several; those that another bounce
// holds are among them.
func (s *State) cameBack(wallet ton.Address, t ton.Transaction) (orders []*ledger.Order) {
	text, err := ton.BouncedComment(t.In.Body)
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		o := s.book.Orders[id]
		if o == nil || o.Wallet != wallet || !o.Phase.Spent() || o.Phase == ledger.Held && o.Bounce.IsZero() || o.Settled.LT >= t.LT {
			continue
		}
		to, amount, ref, known := paidWith(s.book, o)
		lost := amount - t.In.Amount
		if !known || to != t.In.From && !to.IsZero() || lost < 0 || lost > bounceFee {
			continue
		}
		if err == nil && !strings.HasPrefix(firewall.CommentOf(o.Item, ref), text) {
			continue
		}
		orders = append(orders, o)
	}
	return orders
}

// paidWith is the transfer that paid an order. The ledger does not know to whom
// a found one went; then to is zero.
func paidWith(book *ledger.State, o *ledger.Order) (to ton.Address, amount ton.Nano, ref string, known bool) {
	if f := book.Founds[o.Found]; f != nil {
		return to, ton.Nano(f.Amount.Units), f.Ref, f.Amount.Asset == ton.AssetTON
	}
	if o.Invoice == nil {
		return to, 0, "", false
	}
	return o.Invoice.Transfer.To, o.Invoice.Transfer.Amount, o.Invoice.Ref, true
}

// returned are bounces that can't be told apart, and the orders of which they
// may be the money.
type returned struct {
	bounces []ton.Transaction // in their order
	orders  []*ledger.Order   // by id
}

// join adds g to the groups, made one with all that share an order with it.
func join(groups []*returned, g *returned) []*returned {
	for i := 0; i < len(groups); {
		other := groups[i]
		if !slices.ContainsFunc(g.orders, func(o *ledger.Order) bool { return slices.Contains(other.orders, o) }) {
			i++
			continue
		}
		g.bounces = append(slices.Clone(other.bounces), g.bounces...)
		g.orders = append(slices.Clone(other.orders), g.orders...)
		groups = slices.Delete(groups, i, i+1)
	}
	slices.SortFunc(g.bounces, func(a, b ton.Transaction) int { return cmp.Compare(a.LT, b.LT) })
	slices.SortFunc(g.orders, func(a, b *ledger.Order) int { return cmp.Compare(a.ID, b.ID) })
	g.orders = slices.Compact(g.orders)
	return append(groups, g)
}

// holdAll holds all orders of a group, each for one of the bounces. More
// bounces than orders are nobody's.
func (s *State) holdAll(wallet ton.Address, g *returned) bool {
	free, doubtful := g.free(), g.doubtful()
	if len(doubtful) == 0 {
		g.orders = free // those that are held have had their money back
	}
	taken := min(len(g.bounces), len(free)+len(doubtful))
	for _, t := range g.bounces[taken:] {
		s.puzzle(wallet, t)
	}
	if taken == 0 {
		return true
	}
	reason := g.reason()
	for i, o := range append(free, doubtful[:max(0, taken-len(free))]...) {
		if !s.record(ledger.OrderHeld{Order: o.ID, Reason: reason, Bounce: g.bounces[min(i, taken-1)].Position}) {
			return false
		}
		delete(s.telling, o.ID)
		s.result.Bought = slices.DeleteFunc(s.result.Bought, func(id ledger.OrderID) bool { return id == o.ID })
		s.noticeOrder("held", o)
		s.result.Problems = append(s.result.Problems, Problem{o.Key, "bounced", reason})
	}
	return true
}

// free are the orders that no bounce holds yet.
func (g *returned) free() (orders []*ledger.Order) {
	for _, o := range g.orders {
		if o.Phase != ledger.Held {
			orders = append(orders, o)
		}
	}
	return orders
}

// doubtful are held orders beyond the first of each bounce that holds them: so
// many have not had their money back.
func (g *returned) doubtful() (orders []*ledger.Order) {
	first := map[ton.Position]bool{}
	for _, o := range g.orders {
		if o.Phase != ledger.Held {
			continue
		}
		if first[o.Bounce] {
			orders = append(orders, o)
		}
		first[o.Bounce] = true
	}
	return orders
}

// reason names every bounce of the group and, where there are several, every
// order.
func (g *returned) reason() string {
	var b strings.Builder
	for i, t := range g.bounces {
		if i > 0 {
			b.WriteString(", and ")
		}
		b.WriteString(broughtBack(t))
	}
	if len(g.orders) > 1 {
		b.WriteString("; it may be the money of any of the orders ")
		for i, o := range g.orders {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprint(&b, o.ID)
		}
	}
	return b.String()
}

func broughtBack(t ton.Transaction) string {
	return fmt.Sprintf("%s TON came back from %s in transaction %s", t.In.Amount, t.In.From, t.Hash)
}

// Claim is what a person says of a bounce that no order explains: it brought
// the money of o back, which is held and can be resolved then, or, with a nil
// o, nothing that was bought here. It returns an error if that can't be.
func Claim(book *ledger.State, wallet ton.Address, t ton.Transaction, o *ledger.Order, reason string) (ledger.Event, error) {
	switch {
	case t.In == nil || !t.In.Bounced:
		return nil, fmt.Errorf("transaction %s brought nothing back", t.Hash)
	case book.Explained(t.Position):
		return nil, fmt.Errorf("transaction %s is accounted for: %s", t.Hash, book.Noted[t.Position])
	case o == nil:
		for _, p := range book.Open() {
			if p.Wallet == wallet {
				return nil, fmt.Errorf("%s, and payment %d of this wallet is not settled: it may be its money, so run fragplan apply first", broughtBack(t), p.ID)
			}
		}
		return ledger.TransactionExplained{Wallet: wallet, Transaction: t.Position, Reason: reason}, nil
	case o.Wallet != wallet || o.Settled.IsZero() || o.Settled.LT >= t.LT:
		return nil, fmt.Errorf("%s, and before it order %d for %s was not paid from this wallet", broughtBack(t), o.ID, o.Key)
	case o.Reserve.Asset == ton.AssetTON && int64(t.In.Amount) > o.Reserve.Units:
		return nil, fmt.Errorf("%s, and order %d for %s was paid with %s, which is less", broughtBack(t), o.ID, o.Key, o.Reserve)
	case o.Phase == ledger.Released:
		// A person has said before that its money came back. This is how.
		return ledger.TransactionExplained{Wallet: wallet, Transaction: t.Position, Reason: fmt.Sprintf("the money of order %d for %s: %s", o.ID, o.Key, reason)}, nil
	}
	return ledger.OrderHeld{Order: o.ID, Reason: broughtBack(t) + ": " + reason, Bounce: t.Position}, nil
}
