package reconcile_test

import (
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// What would cost more fees than plans count is not signed, and not recorded.
func TestFeesAreBounded(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Try); ok {
			n := len(f.Payload.Transfers)
			return reconcile.Tried{Emulation: reconcile.Emulation{Accepted: true, Sent: n, Fees: firewall.Fees(n) + 1}}
		}
		return nil
	}
	_, err := w.apply(stars(3), plenty)
	var refusal *firewall.Refusal
	if !errors.As(err, &refusal) || refusal.Code != firewall.FeeAllowance {
		t.Errorf("got %v", err)
	}
	if n := count[reconcile.Sign](w); n != 0 || len(w.book().Payments) != 0 {
		t.Errorf("%d signatures were asked for, %d payments are recorded", n, len(w.book().Payments))
	}
}

// A price that is a tenth of the last one or less is refused, in whatever
// quantity; one that has merely fallen is not.
func TestPricesAreLikeThoseBefore(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	if _, err := w.apply(stars(1), plenty); err != nil {
		t.Fatal(err)
	}
	first := w.price
	for _, c := range []struct {
		divisor ton.Nano
		bought  int
	}{{20, 0}, {5, 1}} {
		w.price = func(i product.Item) ton.Nano { return first(i) / c.divisor }
		want := append(stars(1), wants("more/ann", product.Stars, 5000))
		result, err := w.apply(want, plenty)
		if err != nil || len(result.Bought) != c.bought {
			t.Errorf("at a price divided by %d: %d bought, %v, %+v", c.divisor, len(result.Bought), err, result.Problems)
		}
		if c.bought == 0 && (len(result.Problems) != 1 || result.Problems[0].Code != string(firewall.AmountBand)) {
			t.Errorf("problems: %+v", result.Problems)
		}
	}
}

// Who asks for another account is refused with the line that a person would
// have to review.
func TestARefusedAccountShowsWhatToReview(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Ask); ok {
			offer := w.offer(f)
			offer.Invoice.Transfer.To = stranger
			return reconcile.Offered{Order: f.Order, Offer: offer}
		}
		return nil
	}
	result, err := w.apply(stars(1), plenty)
	if err != nil || len(result.Problems) != 1 {
		t.Fatalf("%v, %+v", err, result.Problems)
	}
	p := result.Problems[0]
	line := firewall.Line(append(firewall.DefaultDestinations(), stranger))
	if p.Code != string(firewall.Destination) || !strings.Contains(p.Reason, "received "+stranger.String()) || !strings.HasSuffix(p.Reason, line) {
		t.Errorf("%s: %s", p.Code, p.Reason)
	}
	if n := count[reconcile.Sign](w); n != 0 {
		t.Errorf("%d signatures", n)
	}
}

// What was bought counts wherever it was paid to: a rebuilt ledger holds also
// what went to an account that is not on the list.
func TestPaymentsToOtherAccountsAreTakenIn(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	item := product.Item{Kind: product.Stars, Quantity: 50}
	w.execute(ton.Payload{Wallet: w.wallet.Version, WalletID: w.wallet.ID(), Seqno: w.account.Data.Seqno, ValidUntil: w.time + 60,
		Transfers: []ton.Transfer{{To: stranger, Amount: ton.TON / 2, Body: comment(firewall.CommentOf(item, "AbCdEf123"))}}})
	var found []ledger.Event
	for _, e := range reconcile.TakeIn(w.book(), w.account.Address, w.history, "the runner lost it") {
		if f, ok := e.(ledger.TransferFound); ok {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Errorf("%d transfers were found", len(found))
	}
}

// The accounts that may be paid are part of what is approved.
func TestAPlanIsForItsAccounts(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.Destinations = firewall.DefaultDestinations()
	plan := reconcile.Diff(stars(1), w.book(), nil, limits)
	plan.Wallet = w.account.Address
	if err := reconcile.CheckSaved(plan, w.account.Address, stars(1), w.book(), limits, reconcile.Moment{}); err != nil {
		t.Fatal(err)
	}
	other := limits
	other.Destinations = append(firewall.DefaultDestinations(), stranger)
	if err := reconcile.CheckSaved(plan, w.account.Address, stars(1), w.book(), other, reconcile.Moment{}); !errors.Is(err, reconcile.ErrStale) || !strings.Contains(err.Error(), "accounts") {
		t.Errorf("with other accounts: %v", err)
	}
	if reconcile.Diff(stars(1), w.book(), nil, other).Digest() == plan.Digest() {
		t.Error("the digest knows no accounts")
	}
}

// The worst case is what the caps allow, and no more than the limits do; with
// what is under way, and with the network's fees. A plan that is stopped buys
// nothing.
func TestTheWorstCase(t *testing.T) {
	tons := func(n ton.Nano) []ton.Amount { return []ton.Amount{n.Amount()} }
	book := newWorld(t, ton.V5R1).book()
	prices := reconcile.Prices{{Item: stars(1)[0].Item, Asset: ton.AssetTON}: (3 * ton.TON / 2).Amount()}
	for name, c := range map[string]struct {
		limits func(*policy.Limits)
		people int
		want   ton.Nano
	}{
		"nothing":             {func(*policy.Limits) {}, 0, 0},
		"two ceilings":        {func(*policy.Limits) {}, 2, 4*ton.TON + 2*firewall.Fees(1)},
		"the limit of a run":  {func(l *policy.Limits) { l.Run = tons(7 * ton.TON) }, 3, 6*ton.TON + 3*firewall.Fees(1)},
		"a tighter month":     {func(l *policy.Limits) { l.Month = tons(5 * ton.TON) }, 3, 5*ton.TON + 3*firewall.Fees(1)},
		"a stopped plan":      {func(l *policy.Limits) { l.Run = tons(ton.TON) }, 3, 0},
		"blocked by an order": {func(l *policy.Limits) { l.Order = tons(ton.TON) }, 3, 0},
	} {
		limits := plenty
		c.limits(&limits)
		var got ton.Nano
		plan := reconcile.Diff(stars(c.people), book, prices, limits)
		plan.Judge(book, reconcile.Moment{})
		for _, a := range plan.Worst().Total {
			got += ton.Nano(a.Units)
		}
		if got != c.want {
			t.Errorf("%s: %s TON, want %s", name, got, c.want)
		}
	}
	w := newWorld(t, ton.V5R1)
	w.begin(stars(1), plenty)
	for count[reconcile.Send](w) == 0 {
		w.next()
	}
	plan := reconcile.Diff(stars(3), w.book(), nil, plenty)
	open := w.book().Orders[1].Invoice.Transfer.Amount + firewall.Fees(1)
	if got := plan.Worst(); len(got.Open) != 1 || ton.Nano(got.Open[0].Units) != open || ton.Nano(got.Total[0].Units) != open+4*ton.TON+2*firewall.Fees(1) {
		t.Errorf("with a payment under way: %+v", got)
	}
}

// What a person was asked to pay may leave at any time, so it is in the worst
// case of every plan until it is paid, or a person has said that it never will
// be.
func TestTheWorstCaseHasWhatIsHandedOut(t *testing.T) {
	w := acknowledged(t, ton.V5R1)
	if result, err := w.ask(kept(stars(2))); err != nil || len(result.Offered) != 2 {
		t.Fatalf("%+v, %v", result, err)
	}
	open := firewall.Fees(2)
	for _, transfer := range w.handed[0].Transfers {
		open += transfer.Amount
	}
	worst := func(want []spec.Occurrence) reconcile.Worst {
		return reconcile.Diff(want, w.book(), nil, plenty).Worst()
	}
	amounts := []ton.Amount{open.Amount()}
	if diff := gocmp.Diff(reconcile.Worst{Open: amounts, Total: amounts}, worst(kept(stars(2)))); diff != "" {
		t.Error(diff)
	}
	more := open + 2*ton.TON + firewall.Fees(1)
	if diff := gocmp.Diff([]ton.Amount{more.Amount()}, worst(kept(stars(3))).Total); diff != "" {
		t.Errorf("with one to buy: %s", diff)
	}
	w.phone(w.handed[0].Transfers...)
	if _, err := w.apply(kept(stars(2)), plenty); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(reconcile.Worst{}, worst(kept(stars(2)))); diff != "" {
		t.Errorf("when it is paid: %s", diff)
	}
}

// A saved plan that was interrupted keeps to the limit of one run as a whole.
func TestAResumedPlanKeepsToOneRun(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.Run = []ton.Amount{(4 * ton.TON).Amount()}
	prices := reconcile.Prices{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Asset: ton.AssetTON}: ton.TON.Amount()}
	plan := reconcile.Diff(stars(4), w.book(), prices, limits)
	plan.Nonce = "approved"
	w.price = func(product.Item) ton.Nano { return 19 * ton.TON / 10 } // nearly the ceiling
	w.start(plan, w.book())
	for len(w.paid()) == 0 {
		w.next()
	}
	for range 2 { // the process is gone
		w.start(plan, w.book())
		if _, err := w.finish(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.paid()); n != 2 {
		t.Errorf("%d were paid for 1.9 TON each, and a run may spend 4 TON", n)
	}
}

// A saved plan that asks a person in several requests keeps to the limit of one
// run as a whole: what was asked for may be paid at any time.
func TestAPlanThatAsksKeepsToOneRun(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.Run = []ton.Amount{(4 * ton.TON).Amount()}
	prices := reconcile.Prices{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Asset: ton.AssetTON}: ton.TON.Amount()}
	plan := reconcile.Diff(stars(4), w.book(), prices, limits)
	plan.Nonce = "approved"
	w.price = func(product.Item) ton.Nano { return 19 * ton.TON / 10 } // nearly the ceiling
	w.setup = func(u *reconcile.Setup) { u.Unsigned = true }
	for range 4 {
		w.start(plan, w.book())
		if _, err := w.finish(); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.handed) != 2 {
		t.Errorf("%d were asked for at 1.9 TON each, and a run may spend 4 TON", len(w.handed))
	}
}

// What is asked for in an earlier run of a saved plan is one of the keys that
// it may buy for the first time.
func TestAPlanThatAsksKeepsToItsNewGrants(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	limits := plenty
	limits.NewGrants = 2
	plan := reconcile.Diff(stars(4), w.book(), nil, limits)
	plan.Nonce = "approved"
	w.setup = func(u *reconcile.Setup) { u.Unsigned = true }
	for range 4 {
		w.start(plan, w.book())
		if _, err := w.finish(); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.handed) != 2 {
		t.Errorf("%d keys were asked for, and limits.new_grants allows 2", len(w.handed))
	}
}

// The network's fees of the earlier runs of a saved plan, by whomever they were
// paid, count for its limit of one run.
func TestAResumedPlanCountsItsFees(t *testing.T) {
	for name, byhand := range map[string]bool{"signed": false, "by phone": true} {
		w := newWorld(t, ton.V5R1)
		limits := plenty
		limits.Run = []ton.Amount{(2 * ton.TON).Amount()}
		prices := reconcile.Prices{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Asset: ton.AssetTON}: ton.TON.Amount()}
		plan := reconcile.Diff(stars(2), w.book(), prices, limits)
		plan.Nonce = "approved"
		w.setup = func(u *reconcile.Setup) { u.Unsigned = byhand }
		w.start(plan, w.book())
		for len(w.paid()) == 0 && !w.stopped {
			w.next()
		}
		if byhand {
			w.phone(w.handed[0].Transfers...)
		}
		w.start(plan, w.book()) // another process finds it paid
		result, err := w.finish()
		if err != nil || len(result.Problems) != 1 || result.Problems[0].Code != "run_limit" || len(w.paid()) != 1 {
			t.Errorf("%s: 1 TON and its fees are spent of 2 TON: %+v, %v, %d paid", name, result, err, len(w.paid()))
		}
	}
}

// So does the gas that goes along with USDT, whose limit leaves room for more.
func TestAPlanThatAsksCountsItsGas(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	limits := inBoth()
	limits.Run[0] = (ton.TON / 8).Amount() // for two, with 0.05 TON each
	want := stars(4)
	for i := range want {
		want[i].PayWith = ton.AssetUSDT
	}
	plan := reconcile.Diff(want, j.book(), nil, limits)
	plan.Nonce = "approved"
	j.setup = func(u *reconcile.Setup) { u.Unsigned = true }
	for range 4 {
		j.start(plan, j.book())
		if _, err := j.finish(); err != nil {
			t.Fatal(err)
		}
	}
	if len(j.handed) != 2 {
		t.Errorf("%d were asked for, and the gas of two is within limits.run", len(j.handed))
	}
}
