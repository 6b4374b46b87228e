package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

var (
	ours   = ton.Address{Account: [32]byte{1}}
	market = ton.Address{Account: [32]byte{9}}
)

func body(text string) ton.BoC {
	return ton.BoCOf(cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(text).EndCell())
}

func apply(t *testing.T, s *ledger.State, events ...ledger.Event) {
	t.Helper()
	for _, e := range events {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
}

func reserved(id int, key string) ledger.OrderReserved {
	return ledger.OrderReserved{
		Order: ledger.OrderID(id), Run: 1, Key: key, Generation: 1, Part: 1, Person: "ann", Handle: "ann",
		Item: product.Item{Kind: product.Stars, Quantity: 50}, Wallet: ours, Cap: ton.TON.Amount(), Reserve: ton.TON.Amount(),
	}
}

func quoted(id int, ref string) ledger.OrderQuoted {
	return ledger.OrderQuoted{Order: ledger.OrderID(id), Invoice: ledger.Invoice{
		N: 1, Ref: ref, Price: ton.Nano(5).Amount(), Transfer: ton.Transfer{To: market, Amount: 5, Body: body(ref)},
	}}
}

func armed(id int, seqno uint32, quotes ...ledger.OrderQuoted) ledger.PaymentArmedEvent {
	e := ledger.PaymentArmedEvent{Payment: ledger.PaymentID(id), Wallet: ours, Payload: ton.Payload{Wallet: ton.V5R1, Seqno: seqno, ValidUntil: 900}}
	for _, q := range quotes {
		e.Orders = append(e.Orders, q.Order)
		e.Payload.Transfers = append(e.Payload.Transfers, q.Invoice.Transfer)
	}
	return e
}

// at brings order 1 to a phase.
func at(t *testing.T, phase ledger.Phase) *ledger.State {
	t.Helper()
	s := ledger.NewState()
	q := quoted(1, "a")
	steps := map[ledger.Phase][]ledger.Event{
		ledger.Reserved:     {},
		ledger.Quoted:       {q},
		ledger.Armed:        {q, armed(1, 3, q)},
		ledger.Paid:         {q, armed(1, 3, q), executed1},
		ledger.Acknowledged: {q, armed(1, 3, q), executed1, ledger.OrderAcknowledged{Order: 1}},
		ledger.Delivered:    {q, armed(1, 3, q), executed1, ledger.OrderDelivered{Order: 1}},
		ledger.Held:         {q, armed(1, 3, q), executed1, ledger.OrderHeld{Order: 1, Reason: "look"}},
		ledger.Released:     {ledger.OrderReleased{Order: 1, Reason: "not wanted"}},
	}
	apply(t, s, append([]ledger.Event{ledger.Anchored{Wallet: ours}, reserved(1, "a/ann")}, steps[phase]...)...)
	if got := s.Orders[1].Phase; got != phase {
		t.Fatalf("got %s, want %s", got, phase)
	}
	return s
}

var executed1 = ledger.PaymentExecutedEvent{Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1}}

// The phases of an order follow one another only as the package comment draws
// them; a refused event changes nothing.
func TestOrdersMoveOnlyAlongTheTable(t *testing.T) {
	again := quoted(1, "b")
	events := map[string]ledger.Event{
		"quoted":       again,
		"dropped":      ledger.InvoiceDropped{Order: 1},
		"released":     ledger.OrderReleased{Order: 1, Reason: "not wanted"},
		"armed":        armed(2, 4, quoted(1, "a")),
		"signed":       ledger.PaymentSignedEvent{Payment: 1, Message: body("m")},
		"executed":     executed1,
		"dead":         ledger.PaymentDeadEvent{Payment: 1},
		"acknowledged": ledger.OrderAcknowledged{Order: 1},
		"delivered":    ledger.OrderDelivered{Order: 1},
		"held":         ledger.OrderHeld{Order: 1, Reason: "look"},
	}
	allowed := map[ledger.Phase]map[string]bool{
		ledger.Reserved:     {"quoted": true, "released": true},
		ledger.Quoted:       {"dropped": true, "released": true, "armed": true},
		ledger.Armed:        {"signed": true, "executed": true, "dead": true},
		ledger.Paid:         {"acknowledged": true, "delivered": true, "held": true},
		ledger.Acknowledged: {"delivered": true, "held": true},
		ledger.Delivered:    {},
		ledger.Held:         {},
		ledger.Released:     {},
	}
	for phase, ok := range allowed {
		for name, e := range events {
			s := at(t, phase)
			if name == "armed" {
				a := e.(ledger.PaymentArmedEvent)
				a.Payment = s.LastPayment + 1
				e = a
			}
			before := at(t, phase)
			err := s.Apply(e)
			if (err == nil) != ok[name] {
				t.Errorf("%s, then %s: %v", phase, name, err)
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, ledger.ErrTransition) {
				t.Errorf("%s, then %s: %v is not ErrTransition", phase, name, err)
			}
			if diff := cmp.Diff(before, s, cmpopts.IgnoreUnexported(ledger.State{})); diff != "" {
				t.Errorf("%s, then %s: the state changed\n%s", phase, name, diff)
			}
		}
	}
}

// Two runs that decided on the same sum can't both reserve.
func TestAReservationNamesTheSumItWasDecidedOn(t *testing.T) {
	s := at(t, ledger.Paid)
	e := reserved(2, "a/ann")
	if err := s.Apply(e); !errors.Is(err, ledger.ErrPrior) {
		t.Errorf("got %v, want ErrPrior", err)
	}
	e.Prior, e.Part = 50, 2
	apply(t, s, e)
	if got := s.Given("a/ann"); got != 100 {
		t.Errorf("given %d, want 100", got)
	}
}

// A key begins a new generation when a person has it issued again, and never
// by an order alone; afterwards nothing joins the old one.
func TestOnlyAReissueBeginsAGeneration(t *testing.T) {
	s := at(t, ledger.Paid)
	second := reserved(2, "a/ann")
	second.Generation = 2
	joining := second // as if it went on with what the first was given
	joining.Part, joining.Prior = 2, 50
	for _, e := range []ledger.OrderReserved{second, joining} {
		if err := s.Apply(e); !errors.Is(err, ledger.ErrPrior) {
			t.Errorf("part %d without a reissue: %v, want ErrPrior", e.Part, err)
		}
	}
	apply(t, s, ledger.KeyReissued{Key: "a/ann", Generation: 2, Reason: "stolen"})
	first := reserved(2, "a/ann")
	first.Part, first.Prior = 2, 50
	if err := s.Apply(first); !errors.Is(err, ledger.ErrPrior) {
		t.Errorf("in the generation before: %v, want ErrPrior", err)
	}
	apply(t, s, second)
}

// A burn does nothing but take the payment's seqno, and no longer than the
// payment could.
func TestABurnOnlyTakesTheSeqno(t *testing.T) {
	for name, change := range map[string]func(*ton.Payload){
		"it pays":           func(p *ton.Payload) { p.Transfers = quotedTransfers("z") },
		"another seqno":     func(p *ton.Payload) { p.Seqno++ },
		"it lives longer":   func(p *ton.Payload) { p.ValidUntil++ },
		"another wallet":    func(p *ton.Payload) { p.Wallet = ton.V4R2 },
		"another wallet id": func(p *ton.Payload) { p.WalletID++ },
	} {
		s := at(t, ledger.Armed)
		burn := s.Payments[1].Payload
		burn.Transfers = nil
		good := burn
		change(&burn)
		if err := s.Apply(ledger.BurnArmed{Payment: 1, Payload: burn, Reason: "doubt"}); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v, want ErrTransition", name, err)
		}
		apply(t, s, ledger.BurnArmed{Payment: 1, Payload: good, Reason: "doubt"})
	}
}

func quotedTransfers(ref string) []ton.Transfer {
	return []ton.Transfer{quoted(1, ref).Invoice.Transfer}
}

// A payment that was proven dead sends its orders back, to be offered anew; a
// payment that may live is never joined by another of its wallet.
func TestOnlyADeadPaymentIsReplaced(t *testing.T) {
	s := at(t, ledger.Armed)
	other := quoted(2, "b")
	apply(t, s, reserved(2, "a/bob"), other)
	if err := s.Apply(armed(2, 4, other)); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("beside an open payment: %v", err)
	}
	apply(t, s, ledger.PaymentDeadEvent{Payment: 1})
	if o := s.Orders[1]; o.Phase != ledger.Reserved || o.Deaths != 1 || o.Invoice != nil || o.Payment != 0 {
		t.Errorf("got %+v", o)
	}
	apply(t, s, armed(2, 3, other))
	if got := s.Open(); len(got) != 1 || got[0].ID != 2 {
		t.Errorf("open: %v", got)
	}
}

// A verdict names each order of the payment once.
func TestAVerdictNamesEachOrderOnce(t *testing.T) {
	for name, e := range map[string]ledger.PaymentExecutedEvent{
		"one twice":      {Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1, 1}},
		"in both":        {Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1}, Skipped: []ledger.OrderID{1}},
		"one missing":    {Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1}},
		"stranger":       {Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1, 3}},
		"no transaction": {Payment: 1, Message: body("m"), Paid: []ledger.OrderID{1, 2}},
	} {
		s := ledger.NewState()
		one, two := quoted(1, "a"), quoted(2, "b")
		apply(t, s, reserved(1, "a/ann"), reserved(2, "a/bob"), reserved(3, "a/eve"), one, two, armed(1, 3, one, two))
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v, want ErrTransition", name, err)
		}
	}
}

// The ramp is the largest batch that was acknowledged whole.
func TestTheRampWaitsForTheWholeBatch(t *testing.T) {
	s := ledger.NewState()
	one, two := quoted(1, "a"), quoted(2, "b")
	apply(t, s, ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), reserved(2, "a/bob"), one, two, armed(1, 3, one, two),
		ledger.PaymentExecutedEvent{Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1, 2}}, ledger.OrderAcknowledged{Order: 2})
	if got := s.Wallets[ours].Ramp; got != 0 {
		t.Errorf("ramp %d after half of the batch", got)
	}
	apply(t, s, ledger.OrderAcknowledged{Order: 1})
	if got := s.Wallets[ours].Ramp; got != 2 {
		t.Errorf("ramp %d, want 2", got)
	}
}

// A transfer that the wallet skipped showed Fragment nothing, so it does not
// raise the ramp.
func TestTheRampCountsWhatFragmentSaw(t *testing.T) {
	s := ledger.NewState()
	one, two := quoted(1, "a"), quoted(2, "b")
	apply(t, s, ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), reserved(2, "a/bob"), one, two, armed(1, 3, one, two),
		ledger.PaymentExecutedEvent{Payment: 1, Message: body("m"), Transaction: ton.Position{LT: 5}, Paid: []ledger.OrderID{1}, Skipped: []ledger.OrderID{2}}, ledger.OrderAcknowledged{Order: 1})
	if got := s.Wallets[ours].Ramp; got != 1 {
		t.Errorf("ramp %d, want 1", got)
	}
}

// A payment pays what was invoiced, to the last byte.
func TestAPaymentPaysItsInvoices(t *testing.T) {
	for name, change := range map[string]func(*ton.Transfer){
		"amount": func(x *ton.Transfer) { x.Amount++ }, "destination": func(x *ton.Transfer) { x.To = ours },
		"bounce": func(x *ton.Transfer) { x.Bounce = !x.Bounce }, "body": func(x *ton.Transfer) { x.Body = body("other") },
	} {
		s := ledger.NewState()
		one := quoted(1, "a")
		e := armed(1, 3, one)
		change(&e.Payload.Transfers[0])
		apply(t, s, reserved(1, "a/ann"), one)
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v, want ErrTransition", name, err)
		}
	}
}

// Nothing is given up or held without a reason that can be read later.
func TestReasonsAreGiven(t *testing.T) {
	for phase, e := range map[ledger.Phase]ledger.Event{ledger.Quoted: ledger.OrderReleased{Order: 1}, ledger.Paid: ledger.OrderHeld{Order: 1}} {
		if err := at(t, phase).Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v, want ErrTransition", ledger.KindOf(e), err)
		}
	}
}

// Events read back as they were written, and equal events are equal bytes.
func TestEventsReadBackAsWritten(t *testing.T) {
	q := quoted(1, "a")
	q.Invoice.Params = map[string]string{"b": "2", "a": "1", "c": "<&>"}
	for _, e := range []ledger.Event{
		ledger.Opened{Ledger: "x"}, ledger.Anchored{Wallet: ours, Version: ton.V4R2, Anchor: ton.Position{LT: 1 << 62}}, reserved(1, "a/ann"), q,
		armed(1, 3, q), ledger.PaymentSignedEvent{Payment: 1, Message: body("m")}, executed1,
		ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Seqno: 4, Time: 5, Block: 6}}, ledger.OrderHeld{Order: 1, Reason: "\x1b[31m"},
	} {
		first, err := ledger.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ledger.Decode(ledger.KindOf(e), first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := ledger.Encode(read)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%s\n%s\n%s", ledger.KindOf(e), first, second)
		}
	}
	if _, err := ledger.Decode("order_eaten", []byte(`{}`)); err == nil {
		t.Error("an unknown event was read")
	}
}

// Changing anything in a record changes its hash.
func TestALinkCoversTheWholeRecord(t *testing.T) {
	r := ledger.Record{Seq: 1, Epoch: 2, Time: 3, Kind: "a", Body: []byte("b"), Prev: ton.Hash{4}}
	for name, change := range map[string]func(*ledger.Record){
		"seq": func(r *ledger.Record) { r.Seq++ }, "epoch": func(r *ledger.Record) { r.Epoch++ }, "time": func(r *ledger.Record) { r.Time++ },
		"kind": func(r *ledger.Record) { r.Kind = "ab"; r.Body = nil }, "body": func(r *ledger.Record) { r.Body = []byte("c") },
		"prev": func(r *ledger.Record) { r.Prev = ton.Hash{5} },
	} {
		c := r
		change(&c)
		if c.Link() == r.Link() {
			t.Errorf("%s can be changed", name)
		}
	}
}
