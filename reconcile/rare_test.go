package reconcile_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// stuck leaves a payment signed and open: its message never leaves.
func (w *world) stuck(n int) ledger.PaymentID {
	w.t.Helper()
	w.answer = func(f reconcile.Effect) reconcile.Event {
		switch f := f.(type) {
		case reconcile.Send:
			return silence{}
		case reconcile.Wait:
			return reconcile.Sighted{Wallet: f.Look.Wallet, Err: errors.New("down")}
		}
		return nil
	}
	if _, err := w.apply(stars(n), plenty); err == nil {
		w.t.Fatal("it was not stuck")
	}
	w.answer = nil
	open := w.book().Open()
	if len(open) != 1 {
		w.t.Fatalf("%d payments are open", len(open))
	}
	return open[0].ID
}

// A cancelled payment is burned: a message without transfers takes its seqno,
// and the payment itself is never sent again.
func TestCancel(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		w := newWorld(t, ton.V5R1)
		id := w.stuck(1)
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Send); ok {
				_, _, body, err := ton.ParseExternal(f.Message)
				if err != nil {
					t.Fatal(err)
				}
				payload, _, err := ton.SplitBody(ton.V5R1, body)
				if err != nil {
					t.Fatal(err)
				}
				if p, err := ton.ParsePayload(ton.V5R1, payload); err != nil || len(p.Transfers) != 0 {
					t.Errorf("it was sent again: %+v, %v", p, err)
				}
			}
			return nil
		}
		w.cancelling(id)
		if interrupted { // the process dies once the burn is signed
			for w.book().Payments[id].Burn == nil || w.book().Payments[id].Burn.Message == nil {
				w.next()
			}
			w.start(reconcile.Diff(nil, w.book(), nil, plenty), w.book())
		}
		if _, err := w.finish(); err != nil {
			t.Fatal(err)
		}
		if p := w.book().Payments[id]; p.Phase != ledger.PaymentDead || p.Certificate.Taken.IsZero() || len(w.paid()) != 0 {
			t.Errorf("%s, %d paid", p.Phase, len(w.paid()))
		}
		w.answer = nil
		if _, err := w.apply(stars(1), plenty); err != nil || len(w.paid()) != 1 {
			t.Errorf("afterwards: %v, %d paid", err, len(w.paid()))
		}
	}
}

// A message that another account brings takes the seqno of a payment that an
// earlier run left. The next run looks from further back than the payment's
// base, and buys again all the same, once.
func TestARelayedMessageEndsAnEarlierRunsPayment(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), ValidUntil: w.time + 60}) // before the base
	id := w.stuck(1)
	w.pool = nil
	w.relay()
	for range 2 { // settle, then buy
		if _, err := w.apply(stars(1), plenty); err != nil {
			t.Fatal(err)
		}
	}
	if book := w.book(); book.Payments[id].Phase != ledger.PaymentDead || len(w.paid()) != 1 {
		t.Errorf("%s, %d paid", book.Payments[id].Phase, len(w.paid()))
	}
}

// If the payment comes first it counts, whatever was burned.
func TestCancelledTooLate(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	id := w.stuck(1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Sign); ok && f.Burn {
			w.execute(w.book().Payments[id].Payload)
		}
		return nil
	}
	w.cancelling(id)
	if _, err := w.finish(); err != nil {
		t.Fatal(err)
	}
	if book := w.book(); book.Payments[id].Phase != ledger.PaymentExecuted || !book.Orders[1].Phase.Spent() || len(w.paid()) != 1 {
		t.Errorf("%s, %s, %d paid", book.Payments[id].Phase, book.Orders[1].Phase, len(w.paid()))
	}
}

func (w *world) cancelling(id ledger.PaymentID) {
	w.t.Helper()
	w.setup = func(u *reconcile.Setup) { u.Cancel, u.Reason = id, "wrong month" }
	w.start(reconcile.Diff(nil, w.book(), nil, plenty), w.book())
	w.setup = nil
}

// History is walked once, because servers forget it: a run notes how far it is
// explained, its own payments included, and the next one needs nothing of what
// came before. What comes later is looked at all the same.
func TestTheHistoryIsWalkedOnce(t *testing.T) {
	w := newWorld(t, ton.V4R2)
	w.append(ton.Transaction{In: &ton.In{From: stranger, Amount: ton.TON}})
	for range 3 {
		forgotten := w.account.Last // servers know nothing up to here
		w.answer = func(f reconcile.Effect) reconcile.Event {
			if f, ok := f.(reconcile.Look); ok && f.Since.LT < forgotten.LT && len(w.paid()) > 0 {
				return reconcile.Sighted{Wallet: f.Wallet, Err: errServer}
			}
			return nil
		}
		if _, err := w.apply(stars(1+len(w.paid())), plenty); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.paid()); n != 3 {
		t.Fatalf("%d paid", n)
	}
	if got := w.book().Wallets[w.account.Address].Checked; got != w.account.Last {
		t.Errorf("noted up to %d of %d", got.LT, w.account.Last.LT)
	}
	w.answer = nil
	w.execute(ton.Payload{Wallet: ton.V4R2, WalletID: w.wallet.ID(), Seqno: w.account.Data.Seqno, ValidUntil: w.time + 60,
		Transfers: []ton.Transfer{w.offer(reconcile.Ask{Item: product.Item{Kind: product.Stars, Quantity: 50}}).Invoice.Transfer}})
	for range 2 {
		if _, err := w.apply(stars(3), plenty); !errors.Is(err, reconcile.ErrTide) {
			t.Errorf("%v, want ErrTide", err)
		}
	}
}

// What was interrupted, too, leaves nothing behind that the next run must walk
// again.
func TestAnInterruptedRunNotesHowFarItCame(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if _, ok := f.(reconcile.Send); ok {
			w.answer = nil
			w.carry(f)
			return reconcile.Interrupted{}
		}
		return nil
	}
	if _, err := w.apply(stars(1), plenty); !errors.Is(err, reconcile.ErrInterrupted) || len(w.paid()) != 1 {
		t.Fatalf("%v, %d paid", err, len(w.paid()))
	}
	if got := w.book().Wallets[w.account.Address].Checked; got != w.account.Last {
		t.Errorf("noted up to %d of %d", got.LT, w.account.Last.LT)
	}
}

// A person may explain what the ledger did not do; then the run goes on, but
// never buys what that may have paid for.
func TestExplained(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	transfer := w.offer(reconcile.Ask{Item: product.Item{Kind: product.Stars, Quantity: 100}}).Invoice.Transfer
	w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), ValidUntil: w.time + 60, Transfers: []ton.Transfer{transfer}})
	if _, err := w.apply(stars(2), plenty); !errors.Is(err, reconcile.ErrTide) {
		t.Fatalf("%v, want ErrTide", err)
	}
	at := w.account.Last
	w.log = append(w.log, ledger.TransactionExplained{Wallet: w.account.Address, Transaction: at, Reason: "a lost ledger"},
		ledger.TransferFound{Found: 1, Wallet: w.account.Address, Transaction: at, Time: 1, Item: stars(1)[0].Item, Amount: transfer.Amount.Amount(), Ref: "Lost00001"})
	if _, err := w.apply(stars(2), plenty); err != nil || len(w.paid()) != 1 {
		t.Fatalf("%v, %d paid", err, len(w.paid()))
	}
	w.log = append(w.log, ledger.FoundAssigned{Found: 1, Order: w.book().LastOrder + 1, Key: "g/p01", Generation: 1, Part: 1, Person: "p01", Handle: "p01", Reason: "she says so"})
	if _, err := w.apply(stars(2), plenty); err != nil || len(w.paid()) != 2 {
		t.Errorf("assigned: %v, %d paid", err, len(w.paid()))
	}
	if got := fmt.Sprint(w.book().Given("g/p00"), w.book().Given("g/p01")); got != "100 100" {
		t.Error(got)
	}
}

// A person may pay the same link twice. It is found once, and its second
// transfer keeps nobody from taking the chain in.
func TestPaidTwiceByHand(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	transfer := w.offer(reconcile.Ask{Item: product.Item{Kind: product.Stars, Quantity: 100}}).Invoice.Transfer
	for seqno := range uint32(2) {
		w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), Seqno: seqno, ValidUntil: w.time + 60, Transfers: []ton.Transfer{transfer}})
	}
	w.log = append(w.log, reconcile.TakeIn(w.book(), w.account.Address, w.history, "by hand")...)
	if book := w.book(); book.LastFound != 1 || len(book.Noted) != 2 {
		t.Errorf("%d found, %d explained", book.LastFound, len(book.Noted))
	}
	if _, err := w.apply(stars(1), plenty); err != nil || len(w.paid()) != 2 {
		t.Errorf("%v, %d paid", err, len(w.paid()))
	}
}

// Whatever another run did with this ledger's offers, taking it in can be
// recorded: both offers of one order paid, the offers of two orders of a key,
// a purchase at an account that is no longer on the list.
func TestTakenInWhateverHappened(t *testing.T) {
	pay := func(w *world, refs ...string) {
		var transfers []ton.Transfer
		for i, ref := range refs {
			transfer := w.offer(reconcile.Ask{Item: stars(1)[0].Item}).Invoice.Transfer
			transfer.Body = ton.BoCOf(cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(firewall.CommentOf(stars(1)[0].Item, ref)).EndCell())
			if i%2 == 1 {
				transfer.To = ton.Address{Account: [32]byte{9}} // an account of earlier days
			}
			transfers = append(transfers, transfer)
		}
		w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), Seqno: w.account.Data.Seqno, ValidUntil: w.time + 60, Transfers: transfers})
	}
	reserved := func(id ledger.OrderID) ledger.OrderReserved {
		return ledger.OrderReserved{Order: id, Run: 1, Key: "g/p00", Generation: 1, Part: 1, Person: "p00", Handle: "p00", Item: stars(1)[0].Item}
	}
	quoted := func(w *world, id ledger.OrderID, n int, ref string) ledger.OrderQuoted {
		offer := w.offer(reconcile.Ask{Item: stars(1)[0].Item}).Invoice
		offer.N, offer.Ref = n, ref
		return ledger.OrderQuoted{Order: id, Invoice: offer}
	}
	for name, c := range map[string]struct {
		log  func(w *world) []ledger.Event
		refs []string
	}{
		"two offers of one order": {func(w *world) []ledger.Event {
			return []ledger.Event{reserved(1), quoted(w, 1, 1, "Lost00001"), ledger.InvoiceDropped{Order: 1, Reason: "expired"}, quoted(w, 1, 2, "Lost00002")}
		}, []string{"Lost00001", "Lost00002"}},
		"two orders of a key": {func(w *world) []ledger.Event {
			return []ledger.Event{reserved(1), quoted(w, 1, 1, "Lost00001"), ledger.OrderReleased{Order: 1, Reason: "interrupted"}, reserved(2), quoted(w, 2, 1, "Lost00002")}
		}, []string{"Lost00001", "Lost00002"}},
		"nobody's, at two accounts": {func(*world) []ledger.Event { return nil }, []string{"Lost00001", "Lost00002"}},
	} {
		w := newWorld(t, ton.V5R1)
		w.log = append(w.log, ledger.RunStarted{Run: 1})
		for _, e := range c.log(w) {
			if r, ok := e.(ledger.OrderReserved); ok {
				r.Wallet, r.Cap, r.Reserve = w.account.Address, ton.TON.Amount(), ton.TON.Amount()
				e = r
			}
			w.log = append(w.log, e)
		}
		pay(w, c.refs...)
		events := reconcile.TakeIn(w.book(), w.account.Address, w.history, "a lost copy")
		book := w.book()
		for _, e := range events {
			if err := book.Apply(e); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(book.Founds) != 2 {
			t.Errorf("%s: %d of 2 purchases are found", name, len(book.Founds))
		}
	}
}

// Money that left the wallet this month counts against its limit, also what
// another run spent and nobody has claimed.
func TestFoundMoneyCountsInItsMonth(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	transfer := w.offer(reconcile.Ask{Item: product.Item{Kind: product.Stars, Quantity: 100}}).Invoice.Transfer
	w.execute(ton.Payload{Wallet: ton.V5R1, WalletID: w.wallet.ID(), ValidUntil: w.time + 60, Transfers: []ton.Transfer{transfer}})
	w.log = append(w.log, reconcile.TakeIn(w.book(), w.account.Address, w.history, "by hand")...)
	w.log = append(w.log, ledger.FoundSetAside{Found: 1, Reason: "for a friend"})
	limits := plenty
	limits.Month = []ton.Amount{(2 * ton.TON).Amount()}
	want := stars(2)
	// 1 TON is gone: of two purchases of 1 TON, one fits.
	result, err := w.applyPlan(reconcile.Diff(want, w.book(), reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, limits))
	if err != nil || len(result.Bought) != 1 || len(result.Problems) != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}
