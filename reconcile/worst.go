package reconcile

import (
	"slices"
	"strings"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// Worst is the most that can leave the wallet, whatever Fragment and the
// network do, when a plan is applied and what is under way is settled. Each
// list has one amount an asset, sorted by asset.
//
// It holds because the engine takes no offer above an order's cap or beyond
// what is left of a limit, pays each order once, and signs no message whose
// emulated fees are above [firewall.Fees]. Rent that the wallet owes from
// before is not in it, nor are the fees of a message that the chain takes and
// rolls back, which emulation excludes. A person who was asked to pay can pay
// twice; once is in it.
type Worst struct {
	Bought []ton.Amount // what the plan buys
	Open   []ton.Amount // payments that are under way and those that people were asked for, with their fees
	Gas    ton.Nano     // sent along with what is bought in USDT; most of it comes back
	Fees   ton.Nano     // of the network, for what is bought
	Total  []ton.Amount
}

// Worst adds up the plan's caps, each at most what the limits allow one order,
// their sum at most what they allow one run or one month, and what the ledger
// held open when the plan was made.
func (p *Plan) Worst() Worst {
	w := Worst{Open: p.Open}
	sum := &policy.Budget{}
	var assets []ton.Asset
	if len(p.Violations) == 0 { // or nothing is bought
		for _, a := range p.Actions {
			if !a.Buys() {
				continue
			}
			sum.Spend(p.atMost(a.Cap, policy.Order, policy.Undelivered))
			assets = append(assets, a.Cap.Asset)
			if a.Cap.Asset != ton.AssetTON { // it is sent with gas
				w.Gas += firewall.MaxGas
				w.Fees += firewall.JettonFee
			}
			w.Fees += firewall.Fees(1) // a message of its own is the dearest
		}
	}
	for _, asset := range distinct(assets) {
		w.Bought = append(w.Bought, p.atMost(sum.Used(asset), policy.Run, policy.Month))
	}
	w.Total = total(w.Bought, w.Open, positive(w.Gas.Amount()), positive(w.Fees.Amount()))
	return w
}

// Signatures is how many people must have signed the plan's digest before it is
// applied, by what it may cost.
func (p *Plan) Signatures() int {
	if p.Limits.Approvals == nil || !p.Changes() {
		return 0
	}
	return p.Limits.Approvals.Needs(p.Worst().Bought)
}

// atMost is the least of an amount and of what the limits of those names allow.
func (p *Plan) atMost(a ton.Amount, limits ...string) ton.Amount {
	for _, name := range limits {
		most := ton.Amount{Asset: a.Asset}
		for _, l := range p.Limits.Of(name).Max {
			if l.Asset == a.Asset {
				most = l
			}
		}
		a.Units = min(a.Units, most.Units)
	}
	return a
}

// underWay is what may still be paid of what the ledger knows: open payments,
// and what people were asked to pay, for no time says that they won't.
func underWay(book *ledger.State) []ton.Amount {
	var all []ton.Amount
	for _, p := range book.Open() {
		for _, t := range p.Payload.Transfers {
			all = append(all, t.Amount.Amount())
		}
		for _, id := range p.Orders {
			// What is paid in another asset stands in the body of its transfer.
			if o := book.Orders[id]; o.Reserve.Asset != ton.AssetTON {
				all = append(all, o.Reserve, firewall.JettonFee.Amount())
			}
		}
		all = append(all, firewall.Fees(len(p.Payload.Transfers)).Amount())
	}
	for _, r := range book.Requests {
		n := 0
		for _, id := range r.Orders {
			o := book.Orders[id]
			if o.Phase != ledger.Offered {
				continue
			}
			all = append(all, o.Invoice.Transfer.Amount.Amount())
			if o.Reserve.Asset != ton.AssetTON {
				all = append(all, o.Reserve, firewall.JettonFee.Amount())
			}
			n++
		}
		if n > 0 { // in one message
			all = append(all, firewall.Fees(n).Amount())
		}
	}
	return total(all)
}

func positive(a ton.Amount) []ton.Amount {
	if a.Units <= 0 {
		return nil
	}
	return []ton.Amount{a}
}

// total sums by asset.
func total(lists ...[]ton.Amount) []ton.Amount {
	sum := &policy.Budget{}
	var assets []ton.Asset
	for _, a := range slices.Concat(lists...) {
		sum.Spend(a)
		assets = append(assets, a.Asset)
	}
	var out []ton.Amount
	for _, asset := range distinct(assets) {
		out = append(out, sum.Used(asset))
	}
	return out
}

func distinct(assets []ton.Asset) []ton.Asset {
	slices.SortFunc(assets, func(a, b ton.Asset) int { return strings.Compare(string(a), string(b)) })
	return slices.Compact(assets)
}
