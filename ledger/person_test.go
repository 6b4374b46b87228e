package ledger_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

var strange = ton.Position{LT: 70, Hash: ton.Hash{7}}

// found is a transfer of 50 Stars that this ledger did not make.
func found(id int, ref string) ledger.TransferFound {
	return ledger.TransferFound{Found: ledger.FoundID(id), Wallet: ours, Transaction: strange, Time: 700,
		Item: product.Item{Kind: product.Stars, Quantity: 50}, Amount: ton.TON.Amount(), Ref: ref}
}

func assigned(order int, key string) ledger.FoundAssigned {
	return ledger.FoundAssigned{Found: 1, Order: ledger.OrderID(order), Key: key, Generation: 1, Part: 1, Person: "ann", Handle: "ann", Reason: "bought by hand"}
}

// A held order waits for a person, who says what became of it: given, or the
// money came back. Only then does it count, or stop to count.
func TestAPersonResolvesAHeldOrder(t *testing.T) {
	for as, given := range map[ledger.Phase]int64{ledger.Delivered: 50, ledger.Released: 0} {
		s := at(t, ledger.Held)
		if got := s.Given("a/ann"); got != 50 {
			t.Errorf("held, %d are given", got)
		}
		apply(t, s, ledger.OrderResolved{Order: 1, As: as, Reason: "asked ann"})
		if got := s.Given("a/ann"); got != given || s.Orders[1].Phase != as || s.Orders[1].Reason != "asked ann" || s.Orders[1].Settled.IsZero() {
			t.Errorf("%s: %d are given, %+v", as, got, s.Orders[1])
		}
	}
	for name, e := range map[string]ledger.OrderResolved{
		"without a reason": {Order: 1, As: ledger.Delivered}, "as paid": {Order: 1, As: ledger.Paid, Reason: "x"}, "nobody's order": {Order: 9, As: ledger.Delivered, Reason: "x"},
	} {
		if err := at(t, ledger.Held).Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, phase := range []ledger.Phase{ledger.Reserved, ledger.Armed, ledger.Paid, ledger.Delivered, ledger.Released} {
		if err := at(t, phase).Apply(ledger.OrderResolved{Order: 1, As: ledger.Delivered, Reason: "x"}); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s is resolved: %v", phase, err)
		}
	}
}

// Money that came back is noted, and holds the order even if Fragment had said
// that it was delivered.
func TestABounceHoldsItsOrder(t *testing.T) {
	s := at(t, ledger.Delivered)
	held := ledger.OrderHeld{Order: 1, Reason: "the money came back", Bounce: strange}
	apply(t, s, held)
	if s.Orders[1].Phase != ledger.Held || !s.Explained(strange) {
		t.Errorf("%+v", s.Orders[1])
	}
	if err := s.Apply(held); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("twice: %v", err)
	}
}

// A key is bought again only after a person reissued it, in a generation of
// its own, and never while an order of it may still be paid.
func TestReissue(t *testing.T) {
	s := at(t, ledger.Delivered)
	second := reserved(2, "a/ann")
	second.Generation = 2
	if err := s.Apply(second); !errors.Is(err, ledger.ErrPrior) {
		t.Errorf("a generation that nobody ordered: %v", err)
	}
	apply(t, s, ledger.KeyReissued{Key: "a/ann", Generation: 2, Reason: "the account was stolen"})
	if s.Generation("a/ann") != 2 || s.Given("a/ann") != 0 || s.NextPart("a/ann") != 1 {
		t.Errorf("generation %d, %d given", s.Generation("a/ann"), s.Given("a/ann"))
	}
	first := reserved(2, "a/ann")
	first.Part, first.Prior = 2, 50
	if err := s.Apply(first); !errors.Is(err, ledger.ErrPrior) {
		t.Errorf("the old generation goes on: %v", err)
	}
	apply(t, s, second)
	for name, e := range map[string]ledger.KeyReissued{
		"while it may be paid": {Key: "a/ann", Generation: 3, Reason: "x"}, "never bought": {Key: "b/ann", Generation: 2, Reason: "x"},
	} {
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := at(t, ledger.Paid).Apply(ledger.KeyReissued{Key: "a/ann", Generation: 2}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("without a reason: %v", err)
	}
}

// A transfer that the ledger did not make is found once, and belongs to nobody
// until a person says to whom: then it counts as given.
func TestFoundTransfers(t *testing.T) {
	s := ledger.NewState()
	apply(t, s, ledger.Anchored{Wallet: ours})
	if err := s.Apply(found(1, "r")); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("before its transaction is explained: %v", err)
	}
	apply(t, s, ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "a lost ledger"}, found(1, "r"))
	if err := s.Apply(ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "again"}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("explained twice: %v", err)
	}
	if err := s.Apply(found(2, "r")); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("a ref twice: %v", err)
	}
	apply(t, s, reserved(1, "b/bob"))
	if err := s.Apply(quoted(1, "r")); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("its ref is offered again: %v", err)
	}
	if got := s.Unclaimed(product.Stars); len(got) != 1 {
		t.Errorf("%d of them may have paid for Stars", len(got))
	}
	if got := s.Unclaimed(product.TopUp); len(got) != 0 {
		t.Errorf("it may have paid for a top-up: %v", got)
	}
	apply(t, s, assigned(2, "a/ann"))
	if got := s.Orders[2]; s.Given("a/ann") != 50 || got.Phase != ledger.Delivered || got.Settled != strange || got.Time != 700 || got.Found != 1 || s.Refs["r"] != 2 {
		t.Errorf("%+v", got)
	}
	if got := s.Unclaimed(product.Stars); len(got) != 0 {
		t.Errorf("assigned and open: %v", got)
	}
	for name, e := range map[string]ledger.Event{"assigned twice": assigned(3, "c/cleo"), "set aside afterwards": ledger.FoundSetAside{Found: 1, Reason: "x"}} {
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A ref that an order was offered and gave up may turn out to be paid, by
// another run of the same project.
func TestFoundUnderAnOldRef(t *testing.T) {
	for phase, ok := range map[ledger.Phase]bool{ledger.Released: true, ledger.Quoted: false, ledger.Armed: false, ledger.Paid: false} {
		s := ledger.NewState()
		one := quoted(1, "r")
		steps := map[ledger.Phase][]ledger.Event{
			ledger.Released: {ledger.OrderReleased{Order: 1, Reason: "x"}}, ledger.Quoted: {},
			ledger.Armed: {armed(1, 3, one)}, ledger.Paid: {armed(1, 3, one), executed1},
		}
		apply(t, s, append([]ledger.Event{ledger.Anchored{Wallet: ours}, reserved(1, "a/ann"), one}, steps[phase]...)...)
		apply(t, s, ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "an old copy"})
		if err := s.Apply(found(1, "r")); (err == nil) != ok {
			t.Errorf("%s: %v", phase, err)
		}
	}
}

// Set aside, it paid for nothing that is written, and holds nobody up.
func TestFoundAndSetAside(t *testing.T) {
	s := ledger.NewState()
	apply(t, s, ledger.Anchored{Wallet: ours}, ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "by hand"}, found(1, "r"),
		ledger.FoundSetAside{Found: 1, Reason: "for a friend"})
	if got := s.Unclaimed(product.Stars); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A burn takes the payment's seqno and nothing else, and ends no later than
// the payment; whichever the chain holds decides.
func TestABurnCanOnlyBurn(t *testing.T) {
	s := at(t, ledger.Armed)
	p := s.Payments[1]
	burn := ledger.BurnArmed{Payment: 1, Reason: "wrong month", Payload: ton.Payload{Wallet: ton.V5R1, Seqno: 3, ValidUntil: 900}}
	for name, change := range map[string]func(*ledger.BurnArmed){
		"another seqno":   func(e *ledger.BurnArmed) { e.Payload.Seqno = 4 },
		"a later end":     func(e *ledger.BurnArmed) { e.Payload.ValidUntil = 901 },
		"a transfer":      func(e *ledger.BurnArmed) { e.Payload.Transfers = p.Payload.Transfers },
		"another wallet":  func(e *ledger.BurnArmed) { e.Payload.WalletID = 1 },
		"no reason":       func(e *ledger.BurnArmed) { e.Reason = "" },
		"another payment": func(e *ledger.BurnArmed) { e.Payment = 2 },
	} {
		e := burn
		change(&e)
		if err := s.Apply(e); !errors.Is(err, ledger.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Apply(ledger.BurnSigned{Payment: 1, Message: body("b")}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("signed before it is armed: %v", err)
	}
	apply(t, s, burn, ledger.BurnSigned{Payment: 1, Message: body("b")})
	account := ton.Account{Active: true, CodeHash: ton.V5R1.CodeHash(), Data: ton.WalletData{Seqno: 4}, Time: 500, Block: 7}
	took := ton.Transaction{Position: strange, External: signed(t, burn.Payload, 1)}
	verdict, err := ledger.Verdict(p, account, []ton.Transaction{took})
	want := ledger.PaymentDeadEvent{Payment: 1, Certificate: ledger.Certificate{Taken: strange, Seqno: 4, Time: 500, Block: 7}}
	if diff := cmp.Diff(ledger.Event(want), verdict); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if err := at(t, ledger.Paid).Apply(burn); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("what is executed is burned: %v", err)
	}
}

// How far a wallet's history was checked only goes forward.
func TestTheCheckOnlyAdvances(t *testing.T) {
	s := ledger.NewState()
	apply(t, s, ledger.Anchored{Wallet: ours, Anchor: ton.Position{LT: 5}}, ledger.WalletChecked{Wallet: ours, Position: ton.Position{LT: 9}})
	if got := s.Wallets[ours].Since().LT; got != 9 {
		t.Errorf("since %d", got)
	}
	if err := s.Apply(ledger.WalletChecked{Wallet: ours, Position: ton.Position{LT: 8}}); !errors.Is(err, ledger.ErrTransition) {
		t.Errorf("back: %v", err)
	}
}
