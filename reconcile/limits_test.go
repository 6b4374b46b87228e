package reconcile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// What is set aside gives its budget back once, not twice.
func TestBudgetsAreGivenBackOnce(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.Run = []ton.Amount{(3 * ton.TON).Amount()}
	want := stars(3)
	// Planned at 1 TON each, they turn out to cost 2: one may be bought. The
	// first does not fit and gives 1 back; then the second fits, and the third
	// does not.
	plan := reconcile.Diff(want, w.book(), reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, limits)
	w.price = func(product.Item) ton.Nano { return 2 * ton.TON }
	result, _ := w.applyPlan(plan)
	if result.Spent != 2*ton.TON || len(w.paid()) != 1 {
		t.Errorf("spent %s TON in %d transfers; the limit is 3", result.Spent, len(w.paid()))
	}
}

// The limit of one purchase holds for the invoice, not only for the estimate.
func TestTheOrderLimitHoldsForTheInvoice(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.Order = []ton.Amount{(3 * ton.TON / 2).Amount()}
	book := w.book()
	want := stars(1)
	plan := reconcile.Diff(want, book, reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, limits)
	w.price = func(product.Item) ton.Nano { return 19 * ton.TON / 10 }
	result, _ := w.applyPlan(plan)
	if len(w.paid()) != 0 || len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Reason, "limits.order") {
		t.Errorf("%d paid, %+v", len(w.paid()), result.Problems)
	}
}

// Fees are money too: they count against the limits.
func TestFeesCount(t *testing.T) {
	w := newWorld(t, ton.V4R2)
	limits := plenty
	limits.Month = []ton.Amount{(2 * ton.TON).Amount()}
	if _, err := w.apply(stars(1), limits); err != nil {
		t.Fatal(err)
	}
	// 1 TON and the fee of a message are used: another purchase of exactly 1
	// TON does not fit.
	result, _ := w.applyPlan(reconcile.Diff(stars(2), w.book(), reconcile.Prices{{Item: stars(1)[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, limits))
	if len(w.paid()) != 1 || len(result.Problems) != 1 {
		t.Errorf("%d paid, %+v", len(w.paid()), result.Problems)
	}
}

// The balance has to cover the fees too, whatever an emulation promises: it may
// be of an older state, and what a wallet can't pay for it leaves out in silence.
func TestTheBalanceCoversTheFees(t *testing.T) {
	for _, c := range []struct {
		name    string
		balance ton.Nano
		paid    int
	}{{"of one", ton.TON + firewall.Fees(1), 1}, {"of one but a nanoton", ton.TON + firewall.Fees(1) - 1, 0}} {
		w := newWorld(t, ton.V5R1)
		w.account.Balance = c.balance
		w.stand()
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Try); ok {
				return reconcile.Tried{Emulation: reconcile.Emulation{Accepted: true, Sent: len(f.Payload.Transfers), Fees: messageFee}}
			}
			return nil
		}
		result, err := w.apply(stars(1), plenty)
		if len(w.paid()) != c.paid || count[reconcile.Sign](w) != c.paid || errors.Is(err, reconcile.ErrFunds) != (c.paid == 0) {
			t.Errorf("%s: %d paid, %d signatures asked for, %+v, %v", c.name, len(w.paid()), count[reconcile.Sign](w), result, err)
		}
	}
}

// While Fragment has not acknowledged what was paid, nothing more is signed;
// an answer that comes late lets the run go on, and waiting is not busy.
func TestTheBreaker(t *testing.T) {
	limits := plenty
	limits.Undelivered = []ton.Amount{(2 * ton.TON).Amount()}
	dear := func(product.Item) ton.Nano { return 3 * ton.TON / 2 }
	t.Run("never acknowledged", func(t *testing.T) {
		w := newWorld(t, ton.V5R1)
		w.price = dear
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Tell); ok {
				return reconcile.Told{Order: f.Order, Err: errors.New("502")}
			}
			return nil
		}
		result, err := w.apply(stars(3), limits)
		if !errors.Is(err, reconcile.ErrBreaker) || len(w.paid()) != 1 || len(result.Undelivered) != 1 {
			t.Errorf("%v, %d paid, %+v", err, len(w.paid()), result)
		}
	})
	t.Run("acknowledged late", func(t *testing.T) {
		w := newWorld(t, ton.V5R1)
		w.price = dear
		var held []reconcile.Effect
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Tell); ok && held == nil {
				held = append(held, f)
				return silence{}
			}
			return nil
		}
		w.begin(stars(3), limits)
		for len(w.queue) > 0 {
			w.next()
			if len(w.effects) > 1000 {
				t.Fatal("it is busy while it waits")
			}
		}
		if len(held) != 1 || w.stopped {
			t.Fatalf("%d held, stopped %t", len(held), w.stopped)
		}
		w.carry(held[0])
		if result, err := w.finish(); err != nil || len(result.Bought) != 3 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// Nothing is signed for a wallet that is not the plain one we know.
func TestAnUnsoundWalletSignsNothing(t *testing.T) {
	for name, change := range map[string]func(*ton.Account){
		"frozen":              func(a *ton.Account) { a.Frozen, a.Active = true, false },
		"other code":          func(a *ton.Account) { a.CodeHash = ton.V4R2.CodeHash() },
		"extensions":          func(a *ton.Account) { a.Data.Plain = false },
		"another wallet's id": func(a *ton.Account) { a.Data.ID++ },
	} {
		w := newWorld(t, ton.V5R1)
		change(&w.account)
		if _, err := w.apply(stars(1), plenty); err == nil || count[reconcile.Sign](w) != 0 {
			t.Errorf("%s: %v, %d signed", name, err, count[reconcile.Sign](w))
		}
	}
}

// What the emulation would leave out is not signed: the batch is cut until
// everything in it leaves, whatever the balance says.
func TestNothingIsSignedThatWouldBeSkipped(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(2), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	cut := 0
	w.answer = func(f reconcile.Effect) reconcile.Event {
		switch f := f.(type) {
		case reconcile.Try:
			if n := len(f.Payload.Transfers); n > 1 {
				cut++
				return reconcile.Tried{Emulation: reconcile.Emulation{Accepted: true, Sent: n - 1, Skipped: 1}}
			}
		case reconcile.Sign:
			if n := len(f.Payload.Transfers); n != 1 {
				t.Errorf("%d transfers were signed", n)
			}
		}
		return nil
	}
	if _, err := w.apply(stars(5), plenty); err != nil || len(w.paid()) != 5 || cut == 0 {
		t.Errorf("%v, %d paid, %d cut", err, len(w.paid()), cut)
	}
}

// Money for half of the orders buys the first half, in the order of the plan,
// and says what is missing; with more money the rest follows.
func TestMoneyForHalf(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.account.Balance = 6*ton.TON + ton.TON/2
	_, err := w.apply(stars(12), plenty)
	if !errors.Is(err, reconcile.ErrFunds) || len(w.paid()) != 6 {
		t.Fatalf("%v, %d paid", err, len(w.paid()))
	}
	if d := gocmp.Diff(slices.Concat(all(ledger.Acknowledged, 6), all(ledger.Quoted, 6)), w.phases()); d != "" {
		t.Error(d)
	}
	w.account.Balance += 100 * ton.TON
	if _, err := w.apply(stars(12), plenty); err != nil {
		t.Fatal(err)
	}
	if len(w.paid()) != 12 {
		t.Errorf("%d paid", len(w.paid()))
	}
}
