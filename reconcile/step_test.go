package reconcile_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
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

// What is set aside gives its budget back once, not twice.
func TestBudgetsAreGivenBackOnce(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.Run = []ton.Amount{(3 * ton.TON).Amount()}
	want := stars(3)
	// Planned at 1 TON each, they turn out to cost 2: one may be bought. The
	// first does not fit and gives 1 back; then the second fits, and the third
	// does not.
	plan := reconcile.Diff(want, w.book(), reconcile.Prices{want[0].Item: ton.TON.Amount()}, limits)
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
	plan := reconcile.Diff(want, book, reconcile.Prices{want[0].Item: ton.TON.Amount()}, limits)
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
	result, _ := w.applyPlan(reconcile.Diff(stars(2), w.book(), reconcile.Prices{stars(1)[0].Item: ton.TON.Amount()}, limits))
	if len(w.paid()) != 1 || len(result.Problems) != 1 {
		t.Errorf("%d paid, %+v", len(w.paid()), result.Problems)
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

// A batch leaves before the offer that ends first, wherever it stands in it.
func TestABatchLeavesBeforeItsOffersEnd(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(30), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	var last reconcile.Ask
	w.answer = func(f reconcile.Effect) reconcile.Event {
		ask, ok := f.(reconcile.Ask)
		if !ok {
			return nil
		}
		offer := w.offer(ask)
		if strings.HasSuffix(ask.Handle, "31") {
			offer.Invoice.ValidUntil = w.time + 150
		}
		if strings.HasSuffix(ask.Handle, "34") { // this answer does not come
			last = ask
			return silence{}
		}
		return reconcile.Offered{Order: ask.Order, Offer: offer}
	}
	w.begin(stars(35), plenty)
	for len(w.queue) > 0 && !w.stopped {
		w.next()
	}
	if got := len(w.paid()); got != 34 {
		t.Errorf("%d paid while %s was not answered, want 34", got, last.Handle)
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

// applyPlan runs a plan that is already made.
func (w *world) applyPlan(plan *reconcile.Plan) (reconcile.Result, error) {
	w.t.Helper()
	w.start(plan, w.book())
	return w.finish()
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

// An offer that ends before a message could is never paid: it is asked anew, a
// few times, and then set aside.
func TestOffersThatEndTooSoon(t *testing.T) {
	for name, c := range map[string]struct{ short, paid int }{"the first": {1, 1}, "all": {100, 0}} {
		w := newWorld(t, ton.V5R1)
		w.answer = func(f reconcile.Effect) reconcile.Event {
			ask, ok := f.(reconcile.Ask)
			if !ok {
				return nil
			}
			offer := w.offer(ask)
			if w.offers <= c.short {
				offer.Invoice.ValidUntil = w.time + 100
			}
			return reconcile.Offered{Order: ask.Order, Offer: offer}
		}
		result, err := w.apply(stars(1), plenty)
		if err != nil || len(w.paid()) != c.paid || len(result.Problems) != 1-c.paid || w.offers > 3 {
			t.Errorf("%s: %+v, %v, %d offers", name, result, err, w.offers)
		}
	}
}

// A message ends a minute before the first of the offers that it pays: what it
// can still pay later, Fragment may no longer count.
func TestAMessageEndsBeforeItsOffers(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(2), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	ends := map[ledger.OrderID]uint32{}
	w.answer = func(f reconcile.Effect) reconcile.Event {
		switch f := f.(type) {
		case reconcile.Ask:
			offer := w.offer(f)
			offer.Invoice.ValidUntil = w.time + 600
			if strings.HasSuffix(f.Handle, "03") {
				offer.Invoice.ValidUntil = w.time + 200
			}
			ends[f.Order] = offer.Invoice.ValidUntil
			return reconcile.Offered{Order: f.Order, Offer: offer}
		case reconcile.Sign:
			for _, id := range w.book().Payments[f.Payment].Orders {
				if f.Payload.ValidUntil+60 > ends[id] {
					t.Errorf("the message lives until %d, the offer of order %d ends at %d", f.Payload.ValidUntil, id, ends[id])
				}
			}
		}
		return nil
	}
	if _, err := w.apply(stars(5), plenty); err != nil || len(w.paid()) != 5 {
		t.Errorf("%v, %d paid", err, len(w.paid()))
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

// Offers are answered in any order and paid in the plan's: with money for some
// the first are bought, not the ones whose offer came first.
func TestThePlansOrderHolds(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.account.Balance = 3*ton.TON + ton.TON/2
	w.begin(stars(12), plenty)
	for !w.stopped {
		// Everything else comes before the questions, and of these the newest
		// is answered first.
		slices.SortStableFunc(w.queue, func(a, b reconcile.Effect) int { return cmp.Compare(newest(a), newest(b)) })
		w.next()
	}
	if !errors.Is(w.err, reconcile.ErrFunds) {
		t.Error(w.err)
	}
	for id, o := range w.book().Orders {
		if o.Phase.Spent() != (id <= 3) {
			t.Errorf("order %d is %s", id, o.Phase)
		}
	}
}

func newest(f reconcile.Effect) ledger.OrderID {
	if f, ok := f.(reconcile.Ask); ok {
		return 1_000_000 - f.Order
	}
	return 0
}

// An order that has to be asked for again keeps its place, and nobody waits
// for ever.
func TestAskedAgainKeepsItsPlace(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(30), plenty); err != nil { // the ramp is up
		t.Fatal(err)
	}
	dead := false
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Wait); ok && !dead {
			dead = true
			w.pool = nil // the first message is lost until it has ended
			w.time += 600
			return w.sight(f.Look)
		}
		return nil
	}
	if result, err := w.apply(stars(400), plenty); err != nil || len(result.Bought) != 370 || len(w.paid()) != 400 {
		t.Errorf("%d bought, %v", len(result.Bought), err)
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
