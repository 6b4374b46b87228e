package storetest

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// next are the steps that an order of a phase makes likely.
var next = map[ledger.Phase][]int{
	ledger.Reserved: {6}, ledger.Quoted: {9, 10, 11, 29, 30}, ledger.Offered: {21, 31, 31}, ledger.Sent: {28, 28, 17}, ledger.Paid: {15, 16, 17}, ledger.Acknowledged: {16, 17}, ledger.Delivered: {17, 22},
	ledger.Held: {17, 21, 21, 22}, ledger.Released: {22},
}

// anyEvent draws an event that is often legal and sometimes not.
func anyEvent(r *rapid.T, s *ledger.State) ledger.Event {
	n := func(lo, hi int) int { return rapid.IntRange(lo, max(lo, hi)).Draw(r, "n") }
	odd := func() bool { return rapid.IntRange(0, 19).Draw(r, "odd") == 13 }
	order := func(phases ...ledger.Phase) ledger.OrderID {
		var fit []ledger.OrderID
		for id := ledger.OrderID(1); id <= s.LastOrder; id++ {
			for _, p := range phases {
				if s.Orders[id].Phase == p {
					fit = append(fit, id)
				}
			}
		}
		if len(fit) == 0 || odd() {
			return ledger.OrderID(n(0, int(s.LastOrder)+1))
		}
		return rapid.SampledFrom(fit).Draw(r, "order")
	}
	payment := func() ledger.PaymentID {
		if open := s.Open(); len(open) > 0 && !odd() {
			return open[n(0, len(open)-1)].ID
		}
		return ledger.PaymentID(n(0, int(s.LastPayment)+1))
	}
	position := func() ton.Position { return ton.Position{LT: uint64(n(0, 50)), Hash: ton.Hash{byte(n(0, 3))}} }
	// The story's own next steps, three times in four.
	step := n(0, 35)
	if n(0, 3) > 0 {
		kinds := []int{3, 18, 23, 27, 32, 33, 34, 35}
		for _, o := range s.Orders {
			kinds = append(kinds, next[o.Phase]...)
		}
		if len(s.Open()) > 0 {
			kinds = append(kinds, 14)
		}
		if len(s.Noted) > 0 {
			kinds = append(kinds, 24)
		}
		for _, f := range s.Founds {
			if f.Open() {
				kinds = append(kinds, 25, 25, 26)
			}
		}
		slices.Sort(kinds)
		kinds = slices.Compact(kinds)
		for _, p := range s.Open() { // what passes soon comes more often
			kinds = append(kinds, 12, 13, 13)
			if p.Burn == nil {
				kinds = append(kinds, 19, 19, 19)
			} else if p.Burn.Message == nil {
				kinds = append(kinds, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20)
			}
		}
		for _, rare := range []int{11, 15, 28} {
			if slices.Contains(kinds, rare) {
				kinds = append(kinds, rare, rare)
			}
		}
		step = rapid.SampledFrom(kinds).Draw(r, "step")
	}
	switch step {
	case 0:
		return ledger.RunStarted{Run: s.LastRun + ledger.RunID(n(1, 10)/10+1), Digest: ton.Hash{1}, Host: "h"}
	case 1:
		return ledger.RunFinished{Run: ledger.RunID(n(0, int(s.LastRun)+1)), Outcome: "ok"}
	case 34:
		return ledger.AllWell{Time: int64(n(0, 9))}
	case 35:
		e := ledger.SilenceTold{Since: s.Well.Time}
		if odd() {
			e.Since++
		}
		return e
	case 2:
		return ledger.Anchored{Wallet: ton.Address{Account: [32]byte{byte(n(1, 5))}}, Version: ton.V5R1}
	case 3, 4, 5:
		key := rapid.SampledFrom([]string{"a/x", "a/y", "b/x"}).Draw(r, "key")
		if !odd() {
			key = s.Now(key)
		}
		e := ledger.OrderReserved{
			Order: s.LastOrder + 1, Run: 1, Key: key, Generation: s.Generation(key), Part: s.NextPart(key), Prior: s.Given(key), Person: "x", Handle: "x",
			Item: product.Item{Kind: product.Stars, Quantity: int64(n(50, 60))}, Wallet: ours, Cap: ton.TON.Amount(), Reserve: ton.TON.Amount(),
		}
		if n(0, 2) == 0 {
			e.Cap.Asset, e.Reserve.Asset = ton.AssetUSDT, ton.AssetUSDT
		}
		if n(0, 2) == 0 {
			e.Scopes = []string{"campaign winter", "label season=a\nb"}
		}
		switch n(0, 12) {
		case 0:
			e.Prior++
		case 1:
			e.Order++
		case 2:
			e.Generation++
		case 3:
			e.Wallet = theirs
		case 4:
			e.Part++
		}
		return e
	case 6, 7, 8:
		id := order(ledger.Reserved)
		invoices := 0
		if o := s.Orders[id]; o != nil {
			invoices = o.Invoices
		}
		q := quoted(int(id), invoices+1)
		if o := s.Orders[id]; o != nil && (o.Cap.Asset == ton.AssetUSDT) != odd() {
			q.Invoice = inUSDT(q.Invoice)
		}
		if odd() {
			q.Invoice.Price.Asset = ton.AssetUSDT
		}
		if odd() {
			q.Invoice.Ref = "ref-1-1"
		}
		if odd() && len(s.Refs) > 0 {
			q.Invoice.Ref = rapid.SampledFrom(slices.Sorted(maps.Keys(s.Refs))).Draw(r, "ref")
		}
		if odd() {
			q.Invoice.N++
		}
		q.Invoice.Quoted = uint32(n(0, 3))
		return q
	case 9:
		return ledger.InvoiceDropped{Order: order(ledger.Quoted), Reason: "expired"}
	case 10:
		return ledger.OrderReleased{Order: order(ledger.Reserved, ledger.Quoted), Reason: "not wanted"}
	case 11:
		var quotes []ledger.OrderQuoted
		for range n(1, 3) {
			id := order(ledger.Quoted)
			if slices.ContainsFunc(quotes, func(q ledger.OrderQuoted) bool { return q.Order == id }) && !odd() {
				continue
			}
			if o := s.Orders[id]; o != nil && o.Invoice != nil {
				quotes = append(quotes, ledger.OrderQuoted{Order: id, Invoice: *o.Invoice})
			} else {
				quotes = append(quotes, quoted(int(id), 1))
			}
		}
		e := armed(int(s.LastPayment)+1, uint32(n(0, 60)), quotes...)
		if odd() {
			e.Wallet = theirs
		}
		return e
	case 12:
		e := ledger.PaymentSignedEvent{Payment: payment(), Message: body("m")}
		if odd() {
			e.Message = nil
		}
		return e
	case 13:
		e := ledger.PaymentExecutedEvent{Payment: payment(), Transaction: position(), Time: 5, Fees: 2}
		if p := s.Payments[e.Payment]; p != nil && (p.Message == nil) != odd() {
			e.Message = body("message")
		}
		if p := s.Payments[e.Payment]; p != nil {
			for _, id := range p.Orders {
				if odd() {
					e.Skipped = append(e.Skipped, id)
				} else if o := s.Orders[id]; o != nil && (o.Cap.Asset == ton.AssetUSDT) != odd() {
					e.Sent = append(e.Sent, id)
				} else {
					e.Paid = append(e.Paid, id)
				}
			}
			if odd() {
				e.Paid = append(e.Paid, e.Paid...)
			}
			if odd() && len(e.Paid) > 0 {
				e.Paid[0] = e.Paid[len(e.Paid)-1]
			}
		}
		return e
	case 14:
		return ledger.PaymentDeadEvent{Payment: payment(), Certificate: ledger.Certificate{Taken: position(), Seqno: 1, Time: 2, Block: 3}}
	case 28:
		return ledger.TransferReceived{Order: order(ledger.Sent), Transaction: position()}
	case 15:
		return ledger.OrderAcknowledged{Order: order(ledger.Paid)}
	case 16:
		e := ledger.OrderDelivered{Order: order(ledger.Paid, ledger.Acknowledged), Evidence: ledger.EvidencePage}
		if n(0, 3) > 0 {
			e.Evidence, e.Row = ledger.EvidenceHistory, listed(r, "h", product.Item{Kind: product.Stars, Quantity: 50}, ton.Nano(5).Amount())
		}
		if odd() {
			e.Evidence = ledger.EvidencePerson
		}
		return e
	case 17:
		e := ledger.OrderHeld{Order: order(ledger.Sent, ledger.Paid, ledger.Acknowledged), Reason: "look"}
		if n(0, 2) == 0 {
			e.Order, e.Bounce = order(ledger.Paid, ledger.Acknowledged, ledger.Delivered, ledger.Held), position()
		} else if o := s.Orders[order(ledger.Acknowledged, ledger.Delivered)]; n(0, 1) == 0 && o != nil && o.Invoice != nil {
			e.Order, e.Row = o.ID, ledger.Row{Handle: "eve", Item: o.Item, Price: o.Invoice.Price, Time: o.Invoice.Quoted + uint32(n(0, 3))}
			if odd() {
				e.Row.Handle = o.Handle
			}
			if odd() {
				e.Row.Price.Units++
			}
		}
		if odd() {
			e.Reason = ""
		}
		return e
	case 30:
		e := ledger.PaymentRequested{Request: s.LastRequest + 1, Run: 1, Wallet: ours, ValidUntil: 7, Base: ton.Position{LT: uint64(n(0, 9))}}
		for range n(1, 3) {
			if id := order(ledger.Quoted); !slices.Contains(e.Orders, id) || odd() {
				e.Orders = append(e.Orders, id)
			}
			if o := s.Orders[e.Orders[len(e.Orders)-1]]; o != nil && o.Invoice != nil {
				e.ValidUntil = o.Invoice.ValidUntil
			}
		}
		switch n(0, 20) {
		case 0:
			e.Wallet = theirs
		case 1:
			e.Request++
		case 2:
			e.ValidUntil++
		case 3:
			e.ValidUntil = 0
		case 4:
			e.Orders = nil
		}
		return e
	case 31:
		e := ledger.RequestPaid{Wallet: ours, Transaction: position(), Time: 5, Fees: 2}
		for range n(1, 2) {
			id := order(ledger.Offered)
			if slices.Contains(e.Orders(), id) && !odd() {
				continue
			}
			if o := s.Orders[id]; (o != nil && o.Cap.Asset == ton.AssetUSDT) != odd() {
				e.Sent = append(e.Sent, id)
			} else {
				e.Paid = append(e.Paid, id)
			}
		}
		if odd() {
			e.Wallet = theirs
		}
		if n(0, 3) > 0 {
			e.Message = body("outside")
		}
		return e
	}
	return anyDecision(r, s, step, order, payment)
}
