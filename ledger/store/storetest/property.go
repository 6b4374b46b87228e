package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// The tables refuse what State.Apply refuses and take what it takes, and both
// come to the same state: projections equal a replay of the events.
func (k kit) TablesEqualAReplayOfTheEvents(t *testing.T) {
	// Every check makes a durable file; -rapid.checks=N asks for more of them.
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(strconv.Itoa(k.checks)); err != nil {
			t.Fatal(err)
		}
	}
	taken, refusals := map[string]int{}, map[string]int{}
	check := func(r *rapid.T) {
		s, err := k.place(t).Create(t.Context(), First())
		if err != nil {
			r.Fatal(err)
		}
		if err := s.Lock(t.Context(), "test"); err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		state := load(t, s)
		var batch []ledger.Event
		flush := func() {
			if err := s.Append(t.Context(), batch); err != nil {
				r.Fatalf("%+v: %v", batch, err)
			}
			batch = nil
		}
		for range rapid.IntRange(40, 160).Draw(r, "events") {
			e := anyEvent(r, state)
			want := state.Apply(e)
			if want == nil {
				taken[ledger.KindOf(e)]++
				if batch = append(batch, e); len(batch) == 20 {
					flush()
				}
				continue
			}
			flush()
			got := s.Append(t.Context(), []ledger.Event{e})
			kind := ledger.KindOf(e)
			if got == nil || errors.Is(want, ledger.ErrPrior) != errors.Is(got, ledger.ErrPrior) ||
				errors.Is(want, ledger.ErrTransition) != errors.Is(got, ledger.ErrTransition) {
				r.Fatalf("%s %+v: state says %v, store says %v", kind, e, want, got)
			}
			refusals[kind]++
		}
		flush()
		if diff := gocmp.Diff(light(state), load(t, s), cmpopts.IgnoreUnexported(ledger.State{}), cmpopts.EquateEmpty()); diff != "" {
			r.Fatalf("(-events +tables)\n%s", diff)
		}
		if diff := gocmp.Diff(state.Keys(), load(t, s).Keys()); diff != "" {
			r.Fatal(diff)
		}
		if _, err := s.Verify(t.Context()); err != nil {
			r.Fatal(err)
		}
	}
	// Luck decides which events come up; more rounds are played until all have.
	for round := 0; round == 0 || round < maxRounds && len(missing(taken)) > 0; round++ {
		rapid.Check(t, check)
	}
	t.Log("taken", taken, "refused", refusals)
	for _, kind := range missing(taken) {
		t.Errorf("%s never happened: the test doesn't reach it", kind)
	}
}

// maxRounds bounds how often the property is checked anew for an event that
// has not come up.
const maxRounds = 20

// missing lists the events of a ledger's life that never happened.
func missing(taken map[string]int) []string {
	return slices.DeleteFunc([]string{
		"order_quoted", "invoice_dropped", "order_released", "payment_armed", "payment_signed", "payment_executed",
		"payment_dead", "transfer_received", "order_acknowledged", "order_delivered", "order_held", "wallet_checked", "burn_armed", "burn_signed", "order_resolved",
		"payment_requested", "request_paid", "key_reissued", "transaction_explained", "transfer_found", "found_assigned", "found_set_aside", "rule_seen", "person_pinned", "key_moved", "key_settled",
	}, func(kind string) bool { return taken[kind] > 0 })
}

// light drops what Load leaves on disk.
func light(s *ledger.State) *ledger.State {
	for _, o := range s.Orders {
		if o.Invoice != nil && o.Invoice.Price.Asset != ton.AssetUSDT && (o.Phase == ledger.Acknowledged || o.Phase == ledger.Delivered) {
			o.Invoice.Params, o.Invoice.Transfer.Body = nil, nil
		}
	}
	for _, t := range s.Outside {
		if !slices.ContainsFunc(t.Orders, func(id ledger.OrderID) bool {
			return s.Orders[id].Phase == ledger.Paid || s.Orders[id].Phase == ledger.Sent
		}) {
			t.Message = nil
		}
	}
	for _, p := range s.Payments {
		bulky := p.Phase.Open()
		for _, id := range p.Orders {
			bulky = bulky || p.Phase == ledger.PaymentExecuted && (s.Orders[id].Phase == ledger.Paid || s.Orders[id].Phase == ledger.Sent)
		}
		if !bulky {
			p.Payload.Transfers, p.Message = nil, nil
		}
	}
	return s
}

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
	step := n(0, 33)
	if n(0, 3) > 0 {
		kinds := []int{3, 18, 23, 27, 32, 33}
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

// anyDecision draws what a person decides, the same way.
func anyDecision(r *rapid.T, s *ledger.State, step int, order func(...ledger.Phase) ledger.OrderID, payment func() ledger.PaymentID) ledger.Event {
	n := func(lo, hi int) int { return rapid.IntRange(lo, max(lo, hi)).Draw(r, "n") }
	odd := func() bool { return rapid.IntRange(0, 19).Draw(r, "odd") == 13 }
	position := func() ton.Position { return ton.Position{LT: uint64(n(0, 50)), Hash: ton.Hash{byte(n(0, 3))}} }
	wallet := func() ton.Address { return rapid.SampledFrom([]ton.Address{ours, theirs, market}).Draw(r, "wallet") }
	key := func() string { return rapid.SampledFrom([]string{"a/x", "a/y", "b/x", "c/x", "d/x"}).Draw(r, "key") }
	found := func() ledger.FoundID {
		for id := ledger.FoundID(1); id <= s.LastFound; id++ {
			if s.Founds[id].Open() && !odd() {
				return id
			}
		}
		return ledger.FoundID(n(0, int(s.LastFound)+1))
	}
	reason := "asked"
	if odd() {
		reason = ""
	}
	switch step {
	case 18:
		e := ledger.WalletChecked{Wallet: wallet(), Position: position()}
		if w := s.Wallets[e.Wallet]; w != nil && n(0, 2) > 0 {
			e.Position.LT = w.Since().LT + uint64(n(0, 4))
		}
		return e
	case 19:
		e := ledger.BurnArmed{Payment: payment(), Reason: reason, Payload: ton.Payload{Wallet: ton.V5R1}}
		if p := s.Payments[e.Payment]; p != nil {
			e.Payload = p.Payload
			e.Payload.Transfers = nil
			switch n(0, 24) {
			case 0:
				e.Payload.Transfers = p.Payload.Transfers
			case 1:
				e.Payload.Seqno++
			case 2:
				e.Payload.ValidUntil++
			case 3:
				e.Payload.ValidUntil--
			case 4:
				e.Payload.Wallet = ton.V4R2
			case 5:
				e.Payload.WalletID++
			case 6:
				e.Payload.Wallet = "v9"
			}
		}
		return e
	case 20:
		e := ledger.BurnSigned{Payment: payment(), Message: body("burn")}
		if odd() {
			e.Message = nil
		}
		return e
	case 21:
		return ledger.OrderResolved{Order: order(ledger.Held, ledger.Offered), As: rapid.SampledFrom([]ledger.Phase{
			ledger.Delivered, ledger.Delivered, ledger.Released, ledger.Released, ledger.Paid}).Draw(r, "as"), Reason: reason}
	case 22:
		e := ledger.KeyReissued{Key: key(), Reason: reason}
		for _, k := range slices.Sorted(maps.Keys(s.Keys())) {
			if !odd() && !slices.ContainsFunc(s.ByKey(k), func(o *ledger.Order) bool { return o.Phase.Live() }) {
				e.Key = k
			}
		}
		e.Generation = s.Generation(e.Key) + n(0, 12)/6
		return e
	case 23:
		return ledger.TransactionExplained{Wallet: wallet(), Transaction: position(), Reason: reason}
	case 24:
		e := ledger.TransferFound{Found: s.LastFound + 1, Wallet: wallet(), Transaction: position(), Time: 7,
			Item: product.Item{Kind: product.Stars, Quantity: int64(n(0, 60))}, Amount: ton.Nano(n(0, 9)).Amount(), Ref: fmt.Sprintf("found-%d", s.LastFound)}
		if noted := slices.SortedFunc(maps.Keys(s.Noted), func(a, b ton.Position) int {
			return cmp.Or(cmp.Compare(a.LT, b.LT), bytes.Compare(a.Hash[:], b.Hash[:]))
		}); len(noted) > 0 && !odd() {
			e.Transaction = rapid.SampledFrom(noted).Draw(r, "noted")
		}
		switch n(0, 12) {
		case 0:
			e.Found++
		case 1:
			e.Ref = ""
		case 2:
			e.Ref = "ref-1-1"
		case 3:
			e.Ref = "found-0"
		}
		return e
	case 25:
		e := ledger.FoundAssigned{Found: found(), Order: s.LastOrder + 1, Key: key(), Person: "x", Handle: "x", Single: odd(), Reason: reason}
		e.Generation, e.Part, e.Prior = s.Generation(e.Key), s.NextPart(e.Key), s.Given(e.Key)
		switch n(0, 16) {
		case 0:
			e.Order++
		case 1:
			e.Generation++
		case 2:
			e.Part++
		case 3:
			e.Prior++
		}
		if f := s.Founds[e.Found]; f != nil && n(0, 2) == 0 {
			e.Row = listed(r, "x", f.Item, f.Amount)
		}
		return e
	case 32:
		e := ledger.KeyMoved{From: key(), To: key()}
		if known := slices.Sorted(maps.Keys(s.Keys())); len(known) > 0 && !odd() {
			e.From = rapid.SampledFrom(known).Draw(r, "from")
		}
		return e
	case 33:
		e := ledger.KeySettled{Key: key(), Person: "x", Handle: "x", Item: product.Item{Kind: product.Stars, Quantity: int64(n(0, 60))}, Reason: reason}
		e.Generation, e.Prior = s.Generation(e.Key), s.Given(e.Key)
		switch n(0, 16) {
		case 0:
			e.Item.Quantity = -1
		case 1:
			e.Generation++
		case 2:
			e.Prior++
		case 3:
			e.Key = ""
		}
		return e
	case 27:
		return ledger.RuleSeen{Grant: []string{"", "g", "g", "h", "h"}[n(0, 4)], Rule: fmt.Sprintf("every %d days", n(1, 3)), Since: int64(n(-1, 12) / 2)}
	}
	if step == 29 {
		e := ledger.PersonPinned{Order: order(ledger.Quoted), Reason: reason}
		e.Name, e.Photo = rapid.SampledFrom([]string{"", "Ann", "\x1b[2J\u202e", "Ann ", "=1+1"}).Draw(r, "name"), ton.Hash{byte(n(0, 1))}
		if n(0, 3) == 0 {
			e.Reason = ledger.PinConfirmed
		}
		return e
	}
	return ledger.FoundSetAside{Found: found(), Reason: reason}
}

// listed is a row of Fragment's list: mostly of that purchase, out of so few
// that they are taken already.
func listed(r *rapid.T, handle string, item product.Item, price ton.Amount) ledger.Row {
	n := func(hi int) int { return rapid.IntRange(0, hi).Draw(r, "row") }
	row := ledger.Row{Handle: handle, Item: item, Price: price, Time: uint32(1 + n(3))}
	if n(3) == 0 {
		row.Price = ton.Amount{}
	}
	switch n(20) {
	case 0:
		row.Handle += "x"
	case 1:
		row.Item.Quantity++
	case 2:
		row.Item.Kind = product.TopUp
	case 3:
		row.Price = ton.Nano(6).Amount()
	case 4:
		row.Price = ton.Amount{Asset: ton.AssetUSDT, Units: price.Units}
	}
	return row
}
