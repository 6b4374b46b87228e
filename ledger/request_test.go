package ledger_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// asked is a state in which a person was asked to pay two orders.
func asked(t *testing.T) *ledger.State {
	t.Helper()
	s := ledger.NewState()
	a, b := quoted(1, "a"), quoted(2, "b")
	a.Invoice.ValidUntil, b.Invoice.ValidUntil = 900, 950
	apply(t, s, ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), reserved(2, "a/bob"), a, b,
		ledger.PaymentRequested{Request: 1, Wallet: ours, ValidUntil: 900, Orders: []ledger.OrderID{1, 2}, Base: ton.Position{LT: 4}})
	return s
}

func transfer(ref string) ton.Transfer { return ton.Transfer{To: market, Amount: 5, Body: body(ref)} }

func outside(t *testing.T, lt uint64, transfers ...ton.Transfer) ton.Transaction {
	t.Helper()
	return ton.Transaction{Position: ton.Position{LT: lt, Hash: ton.Hash{byte(lt)}}, Time: 10_000, Out: out(t, transfers...), External: signed(t, ton.Payload{Wallet: ton.V5R1}, 1)}
}

// An order that a person was asked to pay is settled by a transfer with its
// destination, amount and body after it was handed out, and by nothing else. A
// transfer pays one order, and an order is paid once.
func TestAnOfferedOrderIsSettledByItsTransferAlone(t *testing.T) {
	more, elsewhere := transfer("a"), transfer("a")
	more.Amount++
	elsewhere.To = ours
	for name, c := range map[string]struct {
		t    ton.Transaction
		want []ledger.OrderID
	}{
		"both":                        {outside(t, 9, transfer("a"), transfer("b")), []ledger.OrderID{1, 2}},
		"in another order":            {outside(t, 9, transfer("b"), transfer("a")), []ledger.OrderID{1, 2}},
		"one of them":                 {outside(t, 9, transfer("b")), []ledger.OrderID{2}},
		"one of them, twice":          {outside(t, 9, transfer("b"), transfer("b")), []ledger.OrderID{2}},
		"with something else":         {outside(t, 9, transfer("a"), transfer("x")), []ledger.OrderID{1}},
		"another sum":                 {outside(t, 9, more), nil},
		"to another account":          {outside(t, 9, elsewhere), nil},
		"another body":                {outside(t, 9, transfer("x")), nil},
		"nothing left the wallet":     {outside(t, 9), nil},
		"before it was handed out":    {outside(t, 4, transfer("a")), nil},
		"long after it was to be":     {outside(t, 900, transfer("a")), []ledger.OrderID{1}},
		"brought by another account":  {func() ton.Transaction { x := outside(t, 9, transfer("a")); x.External = nil; return x }(), []ledger.OrderID{1}},
		"a transfer that is no order": {outside(t, 9, transfer("x"), transfer("y")), nil},
	} {
		s := asked(t)
		e, ok := s.Answer(ours, c.t)
		if ok != (c.want != nil) || !slices.Equal(e.Paid, c.want) || ok && (len(e.Message) > 0) != (c.t.External != nil) {
			t.Errorf("%s: %+v, %t", name, e, ok)
		}
		if !ok {
			continue
		}
		apply(t, s, e)
		for _, id := range c.want {
			if o := s.Orders[id]; o.Phase != ledger.Paid || o.Settled != c.t.Position || o.Time != 10_000 || o.Payment != 0 {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if again, ok := s.Answer(ours, c.t); ok {
			t.Errorf("%s: the same transaction again pays %v", name, again.Paid)
		}
		if again, ok := s.Answer(ours, ton.Transaction{Position: ton.Position{LT: 12}, Out: c.t.Out}); ok && slices.ContainsFunc(again.Paid, func(id ledger.OrderID) bool { return slices.Contains(c.want, id) }) {
			t.Errorf("%s: paid once more, %v", name, again.Paid)
		}
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: recorded twice: %v", name, err)
		}
	}
	if e, ok := asked(t).Answer(market, outside(t, 9, transfer("a"))); ok {
		t.Errorf("another wallet's transaction pays %v", e.Paid)
	}
}

// A transfer of USDT only asks the jetton wallet to send: an offered order whose
// transfer left the wallet is sent, and never paid by that alone. Its way is
// followed like that of one that this program sends.
func TestAnOfferedOrderInUSDTIsSent(t *testing.T) {
	s := ledger.NewState()
	a, b := quoted(1, "a"), inUSDT(quoted(2, "b"))
	a.Invoice.ValidUntil, b.Invoice.ValidUntil = 900, 900
	apply(t, s, ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), reservedInUSDT(2, "a/bob"), a, b, ledger.PaymentRequested{Request: 1, Wallet: ours, ValidUntil: 900, Orders: []ledger.OrderID{1, 2}, Base: ton.Position{LT: 4}})
	e, ok := s.Answer(ours, outside(t, 9, a.Invoice.Transfer, b.Invoice.Transfer))
	if !ok || !slices.Equal(e.Paid, []ledger.OrderID{1}) || !slices.Equal(e.Sent, []ledger.OrderID{2}) {
		t.Fatalf("%+v", e)
	}
	for name, change := range map[string]func(*ledger.RequestPaid){
		"USDT is paid":     func(e *ledger.RequestPaid) { e.Paid, e.Sent = []ledger.OrderID{1, 2}, nil },
		"TON is only sent": func(e *ledger.RequestPaid) { e.Paid, e.Sent = nil, []ledger.OrderID{1, 2} },
		"twice":            func(e *ledger.RequestPaid) { e.Sent = []ledger.OrderID{2, 2} },
		"paid and sent":    func(e *ledger.RequestPaid) { e.Sent = []ledger.OrderID{1} },
	} {
		wrong := e
		change(&wrong)
		if err := s.Apply(wrong); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	apply(t, s, e)
	o := s.Orders[2]
	if o.Phase != ledger.Sent || o.Settled.LT != 9 || s.Orders[1].Phase != ledger.Paid || !slices.Equal(s.Outside[e.Transaction].Orders, []ledger.OrderID{1, 2}) {
		t.Fatalf("%+v", o)
	}
	if err := s.Apply(ledger.OrderAcknowledged{Order: 2}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("acknowledged before it arrived: %v", err)
	}
	apply(t, s, ledger.TransferReceived{Order: 2, Transaction: ton.Position{LT: 12, Hash: ton.Hash{1}}}, ledger.OrderAcknowledged{Order: 1})
	if s.Wallets[ours].Ramp != 0 {
		t.Errorf("half acknowledged: %d", s.Wallets[ours].Ramp)
	}
	apply(t, s, ledger.OrderAcknowledged{Order: 2})
	if s.Wallets[ours].Ramp != 2 || len(s.Message(o)) == 0 {
		t.Errorf("ramp %d, %d bytes of its message", s.Wallets[ours].Ramp, len(s.Message(o)))
	}
}

// An offered order counts, and nothing that the program does by itself ends it:
// only a person can say that it was not paid. Then it may be bought again, and
// its transfer may still turn up.
func TestOnlyAPersonGivesUpAnOfferedOrder(t *testing.T) {
	s := asked(t)
	if s.Given("a/ann") != 50 || !s.Orders[1].Phase.Live() {
		t.Errorf("%d given, %+v", s.Given("a/ann"), s.Orders[1])
	}
	q := quoted(1, "c")
	q.Invoice.N = 2
	for name, e := range map[string]ledger.Event{
		"released":         ledger.OrderReleased{Order: 1, Reason: "it expired"},
		"dropped":          ledger.InvoiceDropped{Order: 1, Reason: "it expired"},
		"offered anew":     q,
		"armed":            armed(1, 3, quoted(1, "a")),
		"asked for twice":  ledger.PaymentRequested{Request: 2, Wallet: ours, ValidUntil: 900, Orders: []ledger.OrderID{1}},
		"delivered":        ledger.OrderDelivered{Order: 1, Evidence: ledger.EvidencePage},
		"acknowledged":     ledger.OrderAcknowledged{Order: 1},
		"held":             ledger.OrderHeld{Order: 1, Reason: "look"},
		"issued again":     ledger.KeyReissued{Key: "a/ann", Generation: 2, Reason: "x"},
		"given by a word":  ledger.OrderResolved{Order: 1, As: ledger.Delivered, Reason: "x"},
		"without a reason": ledger.OrderResolved{Order: 1, As: ledger.Released},
	} {
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Orders[1].Phase != ledger.Offered {
		t.Fatalf("%+v", s.Orders[1])
	}
	apply(t, s, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "never scanned"})
	if s.Given("a/ann") != 0 || s.Orders[1].Evidence != ledger.EvidencePerson {
		t.Errorf("%d given, %+v", s.Given("a/ann"), s.Orders[1])
	}
	if e, ok := s.Answer(ours, outside(t, 9, transfer("a"))); ok {
		t.Errorf("what was given up pays %v", e.Paid)
	}
	apply(t, s, ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "scanned after all"}, found(1, "a"))
}

// A request asks for quoted orders of its wallet, and for no longer than
// Fragment offers them.
func TestARequestAsksForWhatIsQuoted(t *testing.T) {
	good := ledger.PaymentRequested{Request: 1, Wallet: ours, ValidUntil: 900, Orders: []ledger.OrderID{1}}
	for name, change := range map[string]func(*ledger.PaymentRequested){
		"":                        func(*ledger.PaymentRequested) {},
		"for longer than offered": func(e *ledger.PaymentRequested) { e.ValidUntil = 901 },
		"without an end":          func(e *ledger.PaymentRequested) { e.ValidUntil = 0 },
		"for nothing":             func(e *ledger.PaymentRequested) { e.Orders = nil },
		"for one twice":           func(e *ledger.PaymentRequested) { e.Orders = []ledger.OrderID{1, 1} },
		"for none of ours":        func(e *ledger.PaymentRequested) { e.Orders = []ledger.OrderID{2} },
		"from another wallet":     func(e *ledger.PaymentRequested) { e.Wallet = market },
		"out of turn":             func(e *ledger.PaymentRequested) { e.Request = 2 },
	} {
		s := at(t, ledger.Reserved)
		q := quoted(1, "a")
		q.Invoice.ValidUntil = 900
		apply(t, s, q, ledger.Anchored{Wallet: market})
		e := good
		change(&e)
		if err := s.Apply(e); (name == "") != (err == nil) || err != nil && !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, phase := range []ledger.Phase{ledger.Reserved, ledger.Armed, ledger.Paid, ledger.Delivered, ledger.Held, ledger.Released} {
		if err := at(t, phase).Apply(good); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", phase, err)
		}
	}
}

// The ramp grows with what was paid outside too, once all of it is acknowledged.
func TestOutsidePaymentsRaiseTheRamp(t *testing.T) {
	s := asked(t)
	e, _ := s.Answer(ours, outside(t, 9, transfer("a"), transfer("b")))
	apply(t, s, e, ledger.OrderAcknowledged{Order: 1})
	if got := s.Wallets[ours].Ramp; got != 0 {
		t.Errorf("half acknowledged: %d", got)
	}
	apply(t, s, ledger.OrderAcknowledged{Order: 2})
	if got := s.Wallets[ours].Ramp; got != 2 {
		t.Errorf("got %d", got)
	}
	if diff := cmp.Diff(e.Message, s.Message(s.Orders[1])); diff != "" || len(e.Message) == 0 {
		t.Error("the message that paid it is not kept")
	}
}
