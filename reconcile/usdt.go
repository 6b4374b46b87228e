package reconcile

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// leastGas is the gas that a payment in USDT is taken to need while Fragment
// has not said how much it attaches.
const leastGas = ton.TON / 20

// pays reports whether the plan pays for anything in the asset.
func (p *Plan) pays(asset ton.Asset) bool {
	for _, a := range p.Actions {
		if a.Buys() && a.Cap.Asset == asset {
			return true
		}
	}
	return false
}

func (s *State) inUSDT(id ledger.OrderID) bool { return s.book.Orders[id].Cap.Asset == ton.AssetUSDT }

// countUSDT is how many of the orders are paid in USDT.
func (s *State) countUSDT(orders []ledger.OrderID) (n int) {
	for _, id := range orders {
		if s.inUSDT(id) {
			n++
		}
	}
	return n
}

// covered reports why an order could not be paid for, by what is known before
// Fragment is asked: both balances, and its price if that is known.
func (s *State) covered(o *ledger.Order) error {
	if o.Cap.Asset != ton.AssetUSDT {
		return s.coveredTON(o)
	}
	if need := leastGas + firewall.Fees(1); s.available() < need {
		return s.shortOfGas(o, leastGas)
	}
	least := ton.Amount{Asset: ton.AssetUSDT, Units: 1}
	if s.plan.Priced {
		least = o.Reserve
	}
	// What was asked for before it is paid before it.
	for _, id := range s.before(o.ID) {
		if before := s.book.Orders[id]; before.Cap.Asset == ton.AssetUSDT {
			least.Units += before.Reserve.Units
		}
	}
	return s.holds(o, o.Reserve, least.Units)
}

// before lists the orders that were asked for and are paid before one, by the
// plan's order.
func (s *State) before(id ledger.OrderID) []ledger.OrderID {
	return slices.DeleteFunc(slices.Concat(s.quoting, s.ready), func(other ledger.OrderID) bool { return other >= id })
}

// coveredTON is covered for an order that is paid in TON. Without a price it
// takes a nanoTON and the fees.
func (s *State) coveredTON(o *ledger.Order) error {
	need := ton.Nano(1)
	// What could not be asked for holds its ceiling; a top-up costs what it credits.
	if s.plan.Priced && o.Reserve != o.Cap || o.Item.Kind == product.TopUp {
		need = ton.Nano(o.Reserve.Units)
	}
	if s.plan.Priced {
		// What was sent and is not settled is in the balance still.
		for _, p := range s.book.Open() {
			for _, t := range p.Payload.Transfers {
				need += t.Amount
			}
		}
		for _, id := range s.before(o.ID) {
			switch before := s.book.Orders[id]; {
			case before.Cap.Asset == ton.AssetTON:
				need += ton.Nano(before.Reserve.Units)
			case before.Invoice != nil:
				need += before.Invoice.Transfer.Amount
			default:
				need += leastGas
			}
		}
	}
	if s.available() < need+firewall.Fees(1) {
		return s.shortOfTON(o, o.Reserve)
	}
	return nil
}

// available is what the wallet may pay of its TON: what limits.balance leaves in
// it is not touched.
func (s *State) available() ton.Nano {
	return max(0, s.account.Balance-ton.Nano(s.plan.Limits.Left(ton.AssetTON).Units))
}

// kept says what limits.balance leaves in the wallet.
func (s *State) kept(asset ton.Asset) string {
	if left := s.plan.Limits.Left(asset); left.Units > 0 {
		return fmt.Sprintf(", of which limits.balance leaves %s in it", left)
	}
	return ""
}

// free is what the wallet may pay of its USDT.
func (s *State) free() ton.Amount {
	a := ton.Amount{Asset: ton.AssetUSDT, Units: max(0, s.purse.Balance-s.plan.Limits.Left(ton.AssetUSDT).Units)}
	a.Units = max(0, a.Units-s.leaving().Units)
	return a
}

// leaving is what was sent and may still be counted in the wallet's USDT: its
// jetton wallet sends a moment after the wallet has asked.
func (s *State) leaving() ton.Amount {
	a := ton.Amount{Asset: ton.AssetUSDT}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Phase == ledger.Sent && o.Wallet == s.self {
			a.Units += o.Reserve.Units
		}
	}
	return a
}

// holds reports why the wallet's USDT does not cover so many units, where an
// order costs a part of them.
func (s *State) holds(o *ledger.Order, cost ton.Amount, units int64) error {
	switch {
	case s.purse.Locked:
		return fmt.Errorf("the USDT of wallet %s is locked by who makes it: none of it can be sent", s.self)
	case s.free().Units < units:
		leaving := ""
		if a := s.leaving(); a.Units > 0 {
			leaving = fmt.Sprintf(", of which up to %s may be on its way out", a)
		}
		return fmt.Errorf("the wallet %s holds %s%s%s; %s costs %s: %w", s.self, ton.Amount{Asset: ton.AssetUSDT, Units: s.purse.Balance}, leaving, s.kept(ton.AssetUSDT), o.Key, cost, ErrFundsUSDT)
	}
	return nil
}

func (s *State) shortOfTON(o *ledger.Order, cost ton.Amount) error {
	return fmt.Errorf("the wallet %s holds %s TON%s; %s costs %s and about %s TON of fees: %w",
		s.self, s.account.Balance, s.kept(ton.AssetTON), o.Key, cost, firewall.Fees(1), ErrFunds)
}

func (s *State) shortOfGas(o *ledger.Order, gas ton.Nano) error {
	return fmt.Errorf("the wallet %s holds %s TON%s; %s is paid in USDT and takes %s TON of gas and about %s TON of fees: %w",
		s.self, s.account.Balance, s.kept(ton.AssetTON), o.Key, gas, firewall.Fees(1), ErrFunds)
}

// costs are all that an order takes of the budgets: its price and, where USDT
// pays, the gas, which counts as TON.
func costs(price ton.Amount, t ton.Transfer) []ton.Amount {
	if price.Asset == ton.AssetTON {
		return []ton.Amount{price}
	}
	return []ton.Amount{price, t.Amount.Amount()}
}

// holding is what an order holds of the budgets now.
func holding(o *ledger.Order) []ton.Amount {
	if o.Invoice == nil {
		return []ton.Amount{o.Reserve}
	}
	return costs(o.Reserve, o.Invoice.Transfer)
}

// giveBackGas gives back what an order held for the gas of an offer that is
// gone; its price it goes on holding.
func (s *State) giveBackGas(o *ledger.Order) {
	s.giveBack(s.held(o)[1:]...)
}

// inspectUSDT has the firewall decode an offer in USDT to the last bit.
func (s *State) inspectUSDT(o *ledger.Order, rules firewall.Rules, offer firewall.Offer, want firewall.JettonWant) error {
	if s.queries == nil {
		s.learnQueries()
	}
	rules.Jetton = s.purse.Wallet
	rules.QueryKnown = func(id uint64) bool { return s.queries[query{rules.Jetton, id}] }
	return firewall.CheckJetton(rules, want, offer)
}

// A query is what a transfer of USDT is known by when it comes back: Fragment
// chooses the id.
type query struct {
	wallet ton.Address // that was asked: a jetton wallet
	id     uint64
}

// learnQueries notes the query ids of all orders but those that were given up:
// nothing was sent under theirs, or it came back.
func (s *State) learnQueries() {
	s.queries = map[query]bool{}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && o.Invoice != nil {
			s.learnQuery(o.Invoice.Transfer)
		}
	}
}

// learnQuery notes that of one offer. It is not given back with the offer.
func (s *State) learnQuery(t ton.Transfer) {
	if j, ok := jettonOf(t); ok && s.queries != nil {
		s.queries[query{t.To, j.QueryID}] = true
	}
}
