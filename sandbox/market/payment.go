package market

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Payment is one message with money that arrived at an address.
type Payment struct {
	LT     uint64 // of the receiver's transaction, which is unique per receiver
	From   ton.Address
	Amount ton.Nano
	USDT   int64      // micro-USDT that came in; then Amount is 0
	Body   *cell.Cell // nil for none; what was written along
	Time   uint32     // Unix seconds of the block
}

// Payments is the chain as the market sees it: what arrived at the collector
// in transactions after a logical time, which it does not include.
type Payments interface {
	Received(collector ton.Address, afterLT uint64) []Payment
}

// late is how long delivery takes under deliver=late.
const late = time.Minute

// Poll looks for payments and delivers what is due. Every API request does the
// same first; a world without requests calls it.
func (m *Market) Poll() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.poll()
}

func (m *Market) poll() error {
	if m.broken != nil {
		return m.broken
	}
	now := m.opt.Clock()
	if m.opt.Pay != nil {
		arrived := slices.Clone(m.opt.Pay.Received(Collector, m.cursor))
		slices.SortStableFunc(arrived, func(a, b Payment) int { return cmp.Compare(a.LT, b.LT) })
		var events []event
		seen := map[string]bool{} // refs paid in this very poll
		last := m.cursor
		for _, p := range arrived {
			if p.LT <= last {
				continue
			}
			last = p.LT
			e := m.judge(p, now, seen)
			if e.Paid != nil {
				seen[e.Paid.Ref] = true
			}
			events = append(events, e)
		}
		if len(events) > 0 {
			if err := m.record(events...); err != nil {
				return err
			}
		}
	}
	return m.deliver(now)
}

// judge decides what one payment buys: the order that its ref names, if the
// amount is exact and the time not past validUntil and the grace.
func (m *Market) judge(p Payment, now time.Time, seen map[string]bool) event {
	ref := refOf(p.Body)
	o := m.refs[ref]
	var reason string
	switch {
	case ref == "":
		reason = StrayNoRef
	case o == nil:
		reason = StrayUnknown
	case o.paid != 0 || seen[ref]:
		reason = StrayAgain
	case o.cancelled:
		reason = StrayCancelled
	case p.Amount != o.amount || p.USDT != o.usdt:
		reason = StrayAmount
	case int64(p.Time) > o.until+m.seconds("grace"):
		reason = StrayLate
	default:
		return event{Paid: &paidEvent{ref, p.LT, now.Unix()}}
	}
	return event{Stray: &Stray{reason, ref, p.LT, p.From, p.Amount, p.USDT}}
}

// deliver credits what is held and due. held is in order of payment, so the
// first that is not due ends the search.
func (m *Market) deliver(now time.Time) error {
	mode, required := m.value("deliver"), m.value("confirm") == "required"
	if mode == "never" {
		return nil
	}
	var events []event
	n := 0
	for ; n < len(m.held); n++ {
		o := m.held[n]
		if o.credited || required && !o.confirmed {
			continue // a confirmation puts the latter back
		}
		if mode == "late" && now.Before(o.paidAt.Add(late)) {
			break
		}
		events = append(events, event{Credit: &creditEvent{o.ref, now.Unix()}})
	}
	rest := m.held[n:]
	if len(events) > 0 {
		if err := m.record(events...); err != nil {
			return err
		}
	}
	m.held = rest
	return nil
}

// requeue makes held anew from all orders; a setting that decides delivery
// was changed.
func (m *Market) requeue() {
	m.held = nil
	for _, o := range m.orders {
		if o.paid != 0 && !o.credited {
			m.held = append(m.held, o)
		}
	}
	slices.SortFunc(m.held, func(a, b *order) int { return cmp.Compare(a.paid, b.paid) })
}

var refPattern = regexp.MustCompile(`Ref#([A-Za-z0-9]{9})$`)

func refOf(body *cell.Cell) string {
	if body == nil {
		return ""
	}
	text, err := ton.Comment(body)
	if err != nil {
		return ""
	}
	if found := refPattern.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}
