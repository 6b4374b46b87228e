package reconcile_test

import (
	"errors"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// A run buys what is written, each once, and a second run finds nothing to do.
func TestARunBuysWhatIsWritten(t *testing.T) {
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		w := newWorld(t, version)
		result, err := w.apply(stars(30), plenty)
		if err != nil || len(result.Bought) != 30 || len(result.Problems) != 0 {
			t.Fatalf("%s: %+v, %v", version, result, err)
		}
		if d := gocmp.Diff(all(ledger.Delivered, 30), w.phases()); d != "" {
			t.Errorf("%s: %s", version, d)
		}
		if result.Spent != 30*ton.TON || result.Fees != ton.Nano(result.Payments)*messageFee+30*transferFee {
			t.Errorf("%s: %+v", version, result)
		}
		if _, err := w.apply(stars(30), plenty); err != nil || len(w.paid()) != 30 {
			t.Errorf("%s: a second run: %d payments, %v", version, len(w.paid()), err)
		}
	}
}

// Batches grow only with what Fragment has acknowledged: 1, then at most 4
// times the largest so far.
func TestTheRamp(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(300), plenty); err != nil {
		t.Fatal(err)
	}
	largest := 0
	var sizes []int
	for _, e := range w.log {
		if e, ok := e.(ledger.PaymentArmedEvent); ok {
			if n := len(e.Orders); n > max(1, 4*largest) {
				t.Errorf("%d orders after batches of %v", n, sizes)
			}
			sizes = append(sizes, len(e.Orders))
			largest = max(largest, len(e.Orders))
		}
	}
	if len(sizes) > 10 {
		t.Errorf("batches of %v", sizes)
	}
}

// Whatever stops a run, it ends: an error while a payment is open, after
// another reason to stop, leaves the payment to the next run.
func TestARunAlwaysEnds(t *testing.T) {
	trouble := errors.New("trouble")
	faults := map[string]func(reconcile.Effect) reconcile.Event{
		"the chain can't be read": func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Wait); ok {
				return reconcile.Sighted{Wallet: f.Look.Wallet, Err: trouble}
			}
			return nil
		},
		"the signer fails": func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Sign); ok {
				return reconcile.Signed{Payment: f.Payment, Err: trouble}
			}
			return nil
		},
	}
	for name, fault := range faults {
		for _, interrupted := range []bool{false, true} {
			w := newWorld(t, ton.V5R1)
			w.answer = func(f reconcile.Effect) reconcile.Event {
				e := fault(f)
				if e != nil && interrupted {
					w.step(reconcile.Interrupted{})
				}
				return e
			}
			_, err := w.apply(stars(3), plenty)
			if err == nil {
				t.Errorf("%s, interrupted %t: no error", name, interrupted)
			}
			w.answer = nil
			for range 2 {
				if _, err := w.apply(stars(3), plenty); err != nil {
					t.Errorf("%s, interrupted %t: afterwards: %v", name, interrupted, err)
				}
			}
			if len(w.paid()) != 3 || len(w.told) < 3 {
				t.Errorf("%s, interrupted %t: %d paid, %d told", name, interrupted, len(w.paid()), len(w.told))
			}
		}
	}
}

// One unreadable moment does not end a run: it is looked again.
func TestAPassingFaultOfTheChainIsLookedOver(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	n := 0
	w.answer = func(f reconcile.Effect) reconcile.Event {
		var look reconcile.Look
		switch f := f.(type) {
		case reconcile.Look:
			look = f
		case reconcile.Wait:
			look = f.Look
		default:
			return nil
		}
		if n++; n%2 == 1 {
			return reconcile.Sighted{Wallet: look.Wallet, Err: errors.New("lite server: timeout")}
		}
		return nil
	}
	if result, err := w.apply(stars(6), plenty); err != nil || len(result.Bought) != 6 {
		t.Errorf("%+v, %v", result, err)
	}
}

// A transaction that the ledger can't explain stops the run before it buys,
// and what our own payment became is recorded all the same.
func TestTheTideStopsAndSettlesFirst(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if _, ok := f.(reconcile.Send); ok {
			w.carry(f)
			w.produce()
			// Somebody else uses the key.
			w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), Seqno: w.account.Data.Seqno, ValidUntil: w.time + 60,
				Transfers: []ton.Transfer{w.offer(reconcile.Ask{Item: product.Item{Kind: product.Stars, Quantity: 50}}).Invoice.Transfer}})
			w.answer = nil
			return silence{}
		}
		return nil
	}
	_, err := w.apply(stars(3), plenty)
	if !errors.Is(err, reconcile.ErrTide) {
		t.Fatalf("%v, want ErrTide", err)
	}
	book := w.book()
	if got := book.Payments[1].Phase; got != ledger.PaymentExecuted || book.LastPayment != 1 {
		t.Errorf("payment 1 is %s; %d payments", got, book.LastPayment)
	}
	if _, err := w.apply(stars(3), plenty); !errors.Is(err, reconcile.ErrTide) || len(w.paid()) != 2 {
		t.Errorf("a second run: %v, %d transfers", err, len(w.paid()))
	}
}

// A payment that is recorded as dead and stands in the chain all the same is
// no explanation: the run stops.
func TestTheDeadDoNotPay(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if _, ok := f.(reconcile.Send); ok {
			return silence{}
		}
		return nil
	}
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Logf("the payment never leaves: %v", err)
	}
	book := w.book()
	if book.Payments[1].Phase != ledger.PaymentDead {
		t.Fatalf("payment 1 is %s", book.Payments[1].Phase)
	}
	w.answer = nil
	w.time -= 10_000 // a chain that lied about its time
	w.execute(book.Payments[1].Payload)
	if _, err := w.apply(stars(1), plenty); !errors.Is(err, reconcile.ErrTide) {
		t.Errorf("%v, want ErrTide", err)
	}
}

// A message that another one displaced is dead, and its orders are offered
// anew with new refs: nothing is paid twice.
func TestADisplacedPaymentIsOfferedAnew(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	once := false
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if _, ok := f.(reconcile.Send); ok && !once {
			once = true
			// A message without transfers takes the seqno.
			w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), Seqno: w.account.Data.Seqno, ValidUntil: w.time + 60})
		}
		return nil
	}
	result, err := w.apply(stars(1), plenty)
	if err != nil || len(result.Bought) != 1 || len(w.paid()) != 1 {
		t.Errorf("%+v, %v, %d paid", result, err, len(w.paid()))
	}
	if got := w.book().Payments[1].Phase; got != ledger.PaymentDead {
		t.Errorf("payment 1 is %s", got)
	}
}

// A payment may be executed though its signature was never seen here, by a
// signer outside. Fragment is then shown the message that the chain holds.
func TestSignedUnseen(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Sign); ok {
			w.execute(f.Payload)
			return reconcile.Signed{Payment: f.Payment, Err: errors.New("no answer")}
		}
		return nil
	}
	if _, err := w.apply(stars(1), plenty); err == nil {
		t.Fatal("no error")
	}
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Tell); ok {
			if to, _, body, err := ton.ParseExternal(f.Message); err != nil || to != w.account.Address || body == nil {
				t.Errorf("told of %x: %v", f.Message, err)
			}
		}
		return nil
	}
	if _, err := w.apply(stars(1), plenty); err != nil || len(w.told) != 1 || len(w.paid()) != 1 {
		t.Errorf("%v, %d told, %d paid", err, len(w.told), len(w.paid()))
	}
}

// Interrupted, a run begins nothing new and ends; the next one goes on.
func TestInterruptedAnywhere(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld(t, ton.V5R1)
		w.begin(stars(6), plenty)
		for i := 0; i < n && !w.stopped; i++ {
			w.next()
		}
		done := w.stopped
		w.step(reconcile.Interrupted{})
		if _, err := w.finish(); !done && err != nil && !errors.Is(err, reconcile.ErrInterrupted) {
			t.Fatalf("after %d effects: %v", n, err)
		}
		if open := w.book().Open(); len(open) > 0 && !done && !slices.Contains(w.phases(), ledger.Armed) {
			t.Errorf("after %d effects: %d payments are open", n, len(open))
		}
		for range 2 {
			if _, err := w.apply(stars(6), plenty); err != nil {
				t.Fatalf("after %d effects, again: %v", n, err)
			}
		}
		if len(w.paid()) != 6 {
			t.Fatalf("after %d effects: %d paid", n, len(w.paid()))
		}
		if done {
			return
		}
	}
}
