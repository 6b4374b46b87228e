package reconcile_test

import (
	"slices"
	"time"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// checker watches the chain and knows what was written by people, what the
// market offered and what was made durable. It never asks package ledger what
// any of it means.
type checker struct {
	*sim
	most    map[string]map[product.Kind]int64 // by first name: the largest total that was ever written for a key
	handles map[string][]string               // that were ever written for a key
	more    map[string]int64                  // what people's decisions allow beyond it
	byHand  map[string]bool                   // keys that a person says were given otherwise
	misled  map[string]bool                   // keys for which a person said something wrong

	armed    map[ton.Hash]armed // durable payloads, burns among them
	executed map[ton.Hash]int   // payloads that the chain has taken, and what left with them
	dead     map[ton.Hash]bool  // payloads that never must be
	readied  map[string]bool    // durable messages
	paid     map[intent]*sale   // what was paid for each part
	refs     map[string]int     // how often each ref was paid
	rows     map[usedRow]int    // of the market's list, as evidence
	spent    map[*process]sums
	left     map[*process]sums // what left with payments that a process armed, and with their fees
	inMonths map[period][]*sale
	inDays   map[period][]*sale
}

// armed says who made a payload durable, under which limits.
type armed struct {
	process *process
	limits  policy.Limits
	worst   reconcile.Worst // what its plan said
}

// sums are what was spent of each money, in its smallest unit.
type sums map[ton.Asset]int64

func (m sums) add(list ...ton.Amount) {
	for _, a := range list {
		m[a.Asset] += a.Units
	}
}

// intent is what a purchase was for, as the run that made it had it.
type intent struct {
	branch           int
	key              string
	generation, part int
}

type period struct {
	branch int
	year   int
	month  time.Month
	day    int // 0 for the whole month
}

func newChecker(s *sim) *checker {
	c := &checker{sim: s, most: map[string]map[product.Kind]int64{}, handles: map[string][]string{}, more: map[string]int64{}, misled: map[string]bool{}, byHand: map[string]bool{},
		armed: map[ton.Hash]armed{}, executed: map[ton.Hash]int{}, dead: map[ton.Hash]bool{}, readied: map[string]bool{}, paid: map[intent]*sale{}, refs: map[string]int{}, rows: map[usedRow]int{}, spent: map[*process]sums{}, left: map[*process]sums{}, inMonths: map[period][]*sale{}, inDays: map[period][]*sale{}}
	s.chain.observe = s.transacted
	return c
}

// written takes note of what people want.
func (c *checker) written(want []spec.Occurrence) {
	for _, o := range want {
		key := origin(o.Key)
		if !slices.Contains(c.handles[key], o.Handle) {
			c.handles[key] = append(c.handles[key], o.Handle)
		}
		if c.most[key] == nil {
			c.most[key] = map[product.Kind]int64{}
		}
		c.most[key][o.Item.Kind] = max(c.most[key][o.Item.Kind], o.Item.Quantity)
	}
}

// forgotten: a ledger was lost, and with it what people decided.
func (c *checker) forgotten() {
	for _, s := range c.market.sales {
		s.closed = false
	}
}

// signs checks I4 for the key: what it is to sign is durable.
func (c *checker) signs(payload ton.Payload) {
	hash, err := payload.Hash()
	if _, known := c.armed[hash]; err != nil || !known {
		c.violate(4, "seqno %d is to be signed and is not recorded", payload.Seqno)
	}
}

// sent checks I4 for the network: what leaves is durable.
func (c *checker) sent(message ton.BoC) {
	if !c.readied[string(message)] {
		c.violate(4, "a message leaves that is not recorded")
	}
}

// decides checks I5: a process that knows of a burn does not send its payment
// again.
func (c *checker) decides(p *process, f reconcile.Effect) {
	if f, ok := f.(reconcile.Send); ok && p.burns[string(f.Message)] {
		c.violate(5, "p%d sends a payment that is being burned", p.id)
	}
}

// transaction checks what left the wallet.
func (c *checker) transaction(t ton.Transaction, m *external) {
	if m == nil || !t.Success {
		return // nothing of ours, or rolled back
	}
	hash, err := m.payload.Hash()
	if err != nil {
		c.violate(4, "%v", err)
		return
	}
	if c.executed[hash] = len(t.Out); c.dead[hash] && len(t.Out) > 0 {
		c.violate(6, "seqno %d was executed, and is recorded as dead", m.payload.Seqno)
	}
	by, ours := c.armed[hash]
	if !ours {
		return // somebody else's
	}
	c.withinWorst(t, m, by)
	for _, out := range t.Out {
		sold := c.market.sold(out)
		if sold == nil || !out.Is(sold.transfer()) {
			c.violate(10, "%s TON left for %s with %q, which nobody offered", out.Amount, out.To, out.Comment)
			continue
		}
		c.offerKept(t, out, sold, by)
		c.paidOnce(sold)
		c.withinTotals(sold)
		c.withinLimits(t, out, sold, by)
	}
}

// offerKept is I10: every transfer is what was offered and approved: to an
// allowed account, within the cap and before the offer's end.
func (c *checker) offerKept(t ton.Transaction, out ton.Out, sold *sale, by armed) {
	most, known := by.limits.CapIn(sold.amount.Asset, sold.item)
	to, units := out.To, int64(out.Amount)
	if j := out.Jetton; j != nil {
		to, units = j.Destination, j.Amount
		if out.To != purse || j.Response != c.chain.account.Address || out.Amount > firewall.MaxGas {
			c.violate(10, "%s asks %s for USDT with %s TON of gas", sold.ref, out.To, out.Amount)
		}
	}
	switch {
	case !slices.Contains(firewall.DefaultDestinations(), to):
		c.violate(10, "%s was paid to %s", sold.ref, to)
	case !known || units > most.Units:
		c.violate(10, "%s were paid for %s, above the cap", sold.amount, sold.item)
	case t.Time >= sold.until:
		c.violate(10, "%s was paid at %d and had ended at %d", sold.ref, t.Time, sold.until)
	}
}

// paidOnce is I14 and I2: no ref is paid twice, and no part of a key either.
func (c *checker) paidOnce(sold *sale) {
	if c.refs[sold.ref]++; c.refs[sold.ref] > 1 {
		c.violate(14, "%s was paid %d times", sold.ref, c.refs[sold.ref])
	}
	intent := sold.intent
	intent.key = origin(intent.key)
	if first := c.paid[intent]; first != nil && first != sold && first.out() {
		c.violate(2, "%+v was paid with %s and with %s", sold.intent, first.ref, sold.ref)
	}
	c.paid[intent] = sold
}

// withinTotals is I2: nobody has more of a key than was ever written for it,
// but for what a person decided.
func (c *checker) withinTotals(sold *sale) {
	var sum int64
	for _, s := range c.market.sales {
		if origin(s.key) == origin(sold.key) && s.item.Kind == sold.item.Kind && s.out() {
			sum += s.item.Quantity
		}
	}
	if most := c.most[origin(sold.key)][sold.item.Kind] + c.more[origin(sold.key)]; sum > most {
		c.violate(2, "%d %s were paid for %s, and never more than %d were written", sum, sold.item.Kind, sold.key, most)
	}
}

// withinLimits is I8: what left stays within the limits of the run, of the
// month, and of what is paid and unacknowledged.
func (c *checker) withinLimits(t ton.Transaction, out ton.Out, sold *sale, by armed) {
	at := time.Unix(int64(t.Time), 0).UTC()
	month := period{by.process.branch, at.Year(), at.Month(), 0}
	day := period{by.process.branch, at.Year(), at.Month(), at.Day()}
	if c.spent[by.process] == nil {
		c.spent[by.process] = sums{}
	}
	c.spent[by.process].add(sold.costs()...)
	c.inMonths[month] = append(c.inMonths[month], sold)
	c.inDays[day] = append(c.inDays[day], sold)
	left := func(sales []*sale) sums {
		sum := sums{}
		for _, s := range sales {
			if s.out() { // what came back may be spent again
				sum.add(s.costs()...)
			}
		}
		return sum
	}
	order, unacknowledged := sums{}, sums{}
	order.add(sold.amount)
	for _, s := range c.market.sales {
		if s.branch == by.process.branch && s.out() && !s.confirmed && !s.settled {
			unacknowledged.add(s.amount)
		}
	}
	for _, l := range []struct {
		name  string
		spent sums
		most  []ton.Amount
	}{
		{"order", order, by.limits.Order}, {"run", c.spent[by.process], by.limits.Run},
		{"day", left(c.inDays[day]), by.limits.Day}, {"month", left(c.inMonths[month]), by.limits.Month}, {"undelivered", unacknowledged, by.limits.Undelivered},
	} {
		for _, asset := range []ton.Asset{ton.AssetTON, ton.AssetUSDT} {
			if len(l.most) == 0 {
				continue // not drawn
			}
			if most := limitOf(l.most, asset); l.spent[asset] > most {
				c.violate(8, "limits.%s: %d of %s have left with %s, of %d", l.name, l.spent[asset], asset, sold.ref, most)
			}
		}
	}
}

// costs are all that a sale takes: its price and, in USDT, the gas.
func (s *sale) costs() []ton.Amount {
	if s.inUSDT() {
		return []ton.Amount{s.amount, s.gas.Amount()}
	}
	return []ton.Amount{s.amount}
}

// limitOf is what a limit allows of a money: nothing that is not listed.
func limitOf(most []ton.Amount, asset ton.Asset) int64 {
	for _, a := range most {
		if a.Asset == asset {
			return a.Units
		}
	}
	return 0
}

// withinWorst is I8 for what people approved: with the payments of a plan no
// more leaves than it said could, fees included, whatever became of the run. A
// burn is no plan's; it costs at most the fees of a message.
func (c *checker) withinWorst(t ton.Transaction, m *external, by armed) {
	if len(m.payload.Transfers) == 0 {
		if t.Fees > firewall.Fees(0) {
			c.violate(8, "a burn cost %s TON", t.Fees)
		}
		return
	}
	if c.left[by.process] == nil {
		c.left[by.process] = sums{}
	}
	left := c.left[by.process]
	left.add(t.Fees.Amount())
	for _, out := range t.Out {
		if left.add(out.Amount.Amount()); out.Jetton != nil {
			left.add(ton.Amount{Asset: ton.AssetUSDT, Units: out.Jetton.Amount})
		}
	}
	for asset, n := range left {
		if most := limitOf(by.worst.Total, asset); n > most {
			c.violate(8, "%d of %s have left with the payments of a plan that said at most %d", n, asset, most)
		}
	}
}
