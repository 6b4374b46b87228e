package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// bounceLast sends the newest transfer back, with what a bounce keeps of it.
func (w *world) bounceLast(text string) {
	w.t.Helper()
	w.sendBack(w.history[len(w.history)-1].Out[0], text)
}

func (w *world) sendBack(last ton.Out, text string) {
	body := cell.BeginCell().MustStoreUInt(0xffffffff, 32).MustStoreUInt(0, 32).MustStoreSlice([]byte(text), uint(8*len(text))).EndCell()
	w.account.Balance += last.Amount - 400_000
	w.append(ton.Transaction{Time: w.time, In: &ton.In{From: last.To, Amount: last.Amount - 400_000, Bounced: true, Body: body}})
}

// Money that comes back holds its order: it is not bought again by itself, and
// a person decides.
func TestABounceIsHeld(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(3), plenty); err != nil {
		t.Fatal(err)
	}
	w.bounceLast("100 Telegram Stars \n\nRef#Ref")
	text := firewall.CommentOf(stars(1)[0].Item, w.book().Orders[3].Invoice.Ref)
	if !strings.HasPrefix(text, "100 Telegram Stars \n\nRef#Ref") {
		t.Fatal(text)
	}
	result, err := w.apply(stars(3), plenty)
	if err != nil || len(result.Problems) == 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	held := 0
	for _, phase := range w.phases() {
		if phase == ledger.Held {
			held++
		}
	}
	// All three are alike as far as the cut comment goes.
	if held != 3 || len(w.paid()) != 3 {
		t.Errorf("%v, %d paid", w.phases(), len(w.paid()))
	}
	if again, err := w.apply(stars(3), plenty); err != nil || len(again.Problems) != 0 || len(w.paid()) != 3 {
		t.Errorf("again: %+v, %v, %d paid", again, err, len(w.paid()))
	}
	// A person finds out that two were delivered and one was not.
	for id, as := range map[ledger.OrderID]ledger.Phase{1: ledger.Delivered, 2: ledger.Delivered, 3: ledger.Released} {
		w.log = append(w.log, ledger.OrderResolved{Order: id, As: as, Reason: "asked"})
	}
	if _, err := w.apply(stars(3), plenty); err != nil || len(w.paid()) != 4 {
		t.Errorf("resolved: %v, %d paid", err, len(w.paid()))
	}
}

// Where the ref can be told, only its order is held.
func TestABounceFindsItsOrder(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(5), plenty); err != nil {
		t.Fatal(err)
	}
	last := w.book().Orders[5]
	whole := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake(firewall.CommentOf(last.Item, last.Invoice.Ref)).EndCell()
	w.append(ton.Transaction{In: &ton.In{From: last.Invoice.Transfer.To, Amount: last.Invoice.Transfer.Amount - 1, Bounced: true,
		Body: cell.BeginCell().MustStoreUInt(0xfffffffe, 32).MustStoreRef(whole).EndCell()}})
	if _, err := w.apply(stars(5), plenty); err != nil {
		t.Fatal(err)
	}
	want := append(all(ledger.Delivered, 4), ledger.Held)
	if d := cmp.Diff(want, w.phases()); d != "" {
		t.Error(d)
	}
}

// What somebody else bounces to us concerns no order.
func TestAForeignBounceHoldsNothing(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	amount := w.book().Orders[1].Invoice.Transfer.Amount
	for _, in := range []ton.In{
		{From: ton.Address{Account: [32]byte{7}}, Amount: amount}, {From: firewall.DefaultDestinations()[0], Amount: amount + 1},
		{From: firewall.DefaultDestinations()[0], Amount: amount / 2},
	} {
		in.Bounced, in.Body = true, cell.BeginCell().EndCell()
		w.append(ton.Transaction{In: &in})
	}
	if result, err := w.apply(stars(1), plenty); err != nil || len(result.Problems) != 0 || w.book().Orders[1].Phase != ledger.Delivered {
		t.Errorf("%+v, %v", result, err)
	}
}

// A bounce that no order explains stays in sight: the next run looks at it
// again, however long the history is.
func TestAPuzzlingBounceStaysInSight(t *testing.T) {
	w := newWorld(t, ton.V4R2)
	if _, err := w.apply(stars(300), plenty); err != nil {
		t.Fatal(err)
	}
	w.append(ton.Transaction{In: &ton.In{From: ton.Address{Account: [32]byte{7}}, Amount: ton.TON, Bounced: true, Body: cell.BeginCell().EndCell()}})
	bounce := w.account.Last
	for range 2 {
		if _, err := w.apply(stars(300), plenty); err != nil {
			t.Fatal(err)
		}
		told := false
		for _, f := range w.effects {
			if f, ok := f.(reconcile.Notice); ok && f.Progress.Stage == "bounced" {
				told = true
			}
		}
		if !told || w.book().Wallets[w.account.Address].Checked.LT >= bounce.LT {
			t.Errorf("told %t, checked up to %d", told, w.book().Wallets[w.account.Address].Checked.LT)
		}
	}
}

const cut = "100 Telegram Stars \n\nRef#" // what a bounce of any of them keeps

// reasons are why orders are held, by id.
func (w *world) reasons() (list []string) {
	book := w.book()
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; o.Phase == ledger.Held {
			list = append(list, fmt.Sprint(o.ID, ": ", o.Reason))
		}
	}
	return list
}

// Several bounces that can't be told apart hold the same orders, and each of
// these names all of them, whether they come at once or one by one. Once as
// many came as there are orders, a further one is nobody's.
func TestEqualBouncesNameOneAnother(t *testing.T) {
	for _, atOnce := range []bool{true, false} {
		t.Run(fmt.Sprint("at once: ", atOnce), func(t *testing.T) {
			w := newWorld(t, ton.V5R1)
			if _, err := w.apply(stars(3), plenty); err != nil {
				t.Fatal(err)
			}
			last := w.history[len(w.history)-1].Out[0]
			var back []ton.Transaction
			for range 2 {
				w.sendBack(last, cut)
				back = append(back, w.history[len(w.history)-1])
				if atOnce && len(back) < 2 {
					continue
				}
				if result, err := w.apply(stars(3), plenty); err != nil || len(result.Problems) == 0 {
					t.Fatalf("%+v, %v", result, err)
				}
			}
			reasons := strings.Join(w.reasons(), "\n")
			for _, t2 := range back {
				if !strings.Contains(reasons, t2.Hash.String()) || !w.book().Explained(t2.Position) {
					t.Errorf("%s is not named or not noted:\n%s", t2.Hash, reasons)
				}
			}
			if got := strings.Count(reasons, "any of the orders 1, 2, 3"); got != 3 || atOnce && strings.Count(reasons, back[1].Hash.String()) != 3 {
				t.Errorf("%d of 3 name all orders:\n%s", got, reasons)
			}
			// A third is the money of the last one, a fourth that of none.
			for n := range 2 {
				w.sendBack(last, cut)
				if _, err := w.apply(stars(3), plenty); err != nil {
					t.Fatal(err)
				}
				if got := w.book().Explained(w.history[len(w.history)-1].Position); got != (n == 0) {
					t.Errorf("bounce %d: explained %t", n+3, got)
				}
			}
		})
	}
}

// taken is a world whose ledger was lost and made anew: what it had paid for
// one key is found, and a person has said for whom it was.
func taken(t *testing.T) *world {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	w.log = []ledger.Event{ledger.Opened{Ledger: "again"}, ledger.Anchored{Wallet: w.account.Address, Version: ton.V5R1}}
	w.log = append(w.log, reconcile.TakeIn(w.book(), w.account.Address, w.history, "the notebook was stolen")...)
	w.log = append(w.log, ledger.FoundAssigned{Found: 1, Order: 1, Key: "g/p00", Generation: 1, Part: 1, Person: "p00", Handle: "p00", Reason: "asked"})
	if got := w.book().Orders[1]; got.Phase != ledger.Delivered || got.Found != 1 {
		t.Fatalf("got %+v", got)
	}
	return w
}

// Also the money of an order that was found in the chain may come back: its
// order is held like any other, and can be bought again when a person says so.
func TestABounceOfWhatWasFoundIsHeld(t *testing.T) {
	w := taken(t)
	w.bounceLast(cut)
	if result, err := w.apply(stars(1), plenty); err != nil || len(result.Problems) != 1 || len(w.paid()) != 1 {
		t.Fatalf("%+v, %v, %d paid", result, err, len(w.paid()))
	}
	if got := w.book().Orders[1]; got.Phase != ledger.Held || !strings.Contains(got.Reason, "came back") {
		t.Fatalf("got %+v", got)
	}
	w.log = append(w.log, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "it is back"})
	if _, err := w.apply(stars(1), plenty); err != nil || len(w.paid()) != 2 {
		t.Errorf("resolved: %v, %d paid", err, len(w.paid()))
	}
	// Another amount, or another product, is not its money.
	for _, other := range []struct {
		name   string
		amount ton.Nano
		text   string
	}{{"less", ton.TON / 2, cut}, {"more", 2 * ton.TON, cut}, {"other goods", ton.TON - 1, "50 Telegram Stars \n\nRef#"}} {
		w := taken(t)
		out := w.history[len(w.history)-1].Out[0]
		out.Amount = other.amount
		w.sendBack(out, other.text)
		if _, err := w.apply(stars(1), plenty); err != nil || w.book().Orders[1].Phase != ledger.Delivered {
			t.Errorf("%s: %v, %s", other.name, err, w.book().Orders[1].Phase)
		}
	}
}

// What a person says of a bounce that no order explains ends the finding. It
// can only be said of money that came back, once, and of an order that was paid
// before it, with no less.
func TestAPersonClaimsABounce(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	want := stars(3)
	if _, err := w.apply(want, plenty); err != nil {
		t.Fatal(err)
	}
	w.sendBack(ton.Out{To: stranger, Amount: ton.TON}, cut)
	back := w.history[len(w.history)-1]
	wallet := w.account.Address
	bounces := func() int {
		return len(slices.DeleteFunc(reconcile.Audit(w.book(), wallet, w.history), func(f reconcile.Finding) bool { return f.Code != reconcile.FindingBounce }))
	}
	if bounces() != 1 {
		t.Fatalf("%d findings", bounces())
	}
	book := w.book()
	elsewhere, unpaid, small, later := *book.Orders[1], *book.Orders[1], *book.Orders[1], *book.Orders[1]
	elsewhere.Wallet, unpaid.Settled, small.Reserve, later.Settled = stranger, ton.Position{}, ton.Nano(5).Amount(), ton.Position{LT: back.LT + 1}
	for _, o := range []*ledger.Order{&elsewhere, &unpaid, &small, &later} {
		if e, err := reconcile.Claim(book, wallet, back, o, "a guess"); err == nil {
			t.Errorf("%+v: got %+v", o, e)
		}
	}
	if e, err := reconcile.Claim(book, wallet, w.history[0], nil, "a slip"); err == nil {
		t.Errorf("a payment: got %+v", e)
	}
	for _, c := range []struct {
		name  string
		order *ledger.Order
		held  bool
	}{{"nobody's", nil, false}, {"an order's", book.Orders[2], true}} {
		e, err := reconcile.Claim(book, wallet, back, c.order, "asked")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		log := w.log
		w.log = append(slices.Clone(log), e)
		if held := w.book().Orders[2].Phase == ledger.Held; held != c.held || bounces() != 0 {
			t.Errorf("%s: held %t, %d findings", c.name, held, bounces())
		}
		if e, err := reconcile.Claim(w.book(), wallet, back, nil, "again"); err == nil {
			t.Errorf("%s: claimed again with %+v", c.name, e)
		}
		w.log = log
	}
	// A person had said before that its money came back.
	w.log = append(w.log, ledger.OrderHeld{Order: 3, Reason: "x", Bounce: ton.Position{LT: 5}}, ledger.OrderResolved{Order: 3, As: ledger.Released, Reason: "support says so"})
	e, err := reconcile.Claim(w.book(), wallet, back, w.book().Orders[3], "this is it")
	if w.log = append(w.log, e); err != nil || w.book().Orders[3].Phase != ledger.Released || bounces() != 0 {
		t.Errorf("%+v, %v, %d findings", e, err, bounces())
	}
}

// While a payment of the wallet is open, nobody can say of a bounce that it
// brought back nothing that was bought: it may be that payment's money.
func TestABounceIsNobodysOnlyWhenAllIsSettled(t *testing.T) {
	wallet, other := ton.Address{Account: [32]byte{1}}, ton.Address{Account: [32]byte{2}}
	bounce := ton.Transaction{Position: ton.Position{LT: 7, Hash: ton.Hash{7}}, In: &ton.In{Bounced: true, Amount: ton.TON}}
	book := ledger.NewState()
	book.Wallets[wallet], book.Wallets[other] = &ledger.Wallet{Address: wallet}, &ledger.Wallet{Address: other}
	p := &ledger.Payment{ID: 1, Wallet: wallet, Phase: ledger.PaymentSigned}
	book.Payments[1], book.LastPayment = p, 1
	if _, err := reconcile.Claim(book, wallet, bounce, nil, "a friend's"); err == nil || !strings.Contains(err.Error(), "payment 1 of this wallet is not settled") {
		t.Errorf("while it is open: %v", err)
	}
	p.Wallet = other
	if _, err := reconcile.Claim(book, wallet, bounce, nil, "a friend's"); err != nil {
		t.Errorf("while another wallet's is open: %v", err)
	}
	p.Wallet, p.Phase = wallet, ledger.PaymentExecuted
	if _, err := reconcile.Claim(book, wallet, bounce, nil, "a friend's"); err != nil {
		t.Errorf("when all is settled: %v", err)
	}
}
