package reconcile_test

import (
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// allUSDT wants 100 Stars for each person, all in USDT.
func allUSDT(n int) []spec.Occurrence {
	want := stars(n)
	for i := range want {
		want[i].PayWith = ton.AssetUSDT
	}
	return want
}

// underQuery gives a transfer of USDT another query id.
func underQuery(t *testing.T, b ton.BoC, id uint64) ton.BoC {
	t.Helper()
	c, err := b.Cell()
	if err != nil {
		t.Fatal(err)
	}
	transfer, err := ton.ParseJettonTransfer(c)
	if err != nil {
		t.Fatal(err)
	}
	transfer.QueryID = id
	if c, err = transfer.Encode(); err != nil {
		t.Fatal(err)
	}
	return ton.BoCOf(c)
}

// reply has the world's answers changed before they are given.
func (j *jettons) reply(change func(reconcile.Event) reconcile.Event) {
	answer := j.world.answer
	j.world.answer = func(f reconcile.Effect) reconcile.Event { return change(answer(f)) }
}

// A query id is used once for each jetton wallet, in this run and ever after,
// whatever became of the order that had it: of two nobody could say which came
// back.
func TestAQueryIDIsUsedOnce(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	j.reply(func(e reconcile.Event) reconcile.Event {
		if e, ok := e.(reconcile.Offered); ok {
			e.Offer.Invoice.Transfer.Body = underQuery(t, e.Offer.Invoice.Transfer.Body, 7)
			return e
		}
		return e
	})
	for run, want := range []int{1, 0} {
		result, err := j.apply(allUSDT(3), inBoth())
		if err != nil || len(result.Bought) != want || len(result.Problems) != 3-1 {
			t.Fatalf("run %d: %+v, %v", run, result, err)
		}
		for _, p := range result.Problems {
			if p.Code != string(firewall.JettonQuery) {
				t.Errorf("run %d: %+v", run, p)
			}
		}
		if len(j.sent) != 1 {
			t.Errorf("run %d: %d transfers", run, len(j.sent))
		}
	}
}

// A bounce of USDT holds the order whose query id and sum it brings back, and
// no other: what came back with another sum is nobody's.
func TestABounceOfUSDTIsOfItsSum(t *testing.T) {
	for _, c := range []struct {
		name  string
		units int64
		phase ledger.Phase
	}{{"another sum", 1_499_999, ledger.Sent}, {"its own", 1_500_000, ledger.Held}} {
		j := playJettons(t, 1)
		j.calm, j.stuck, j.balance = true, true, 100_000_000
		if _, err := j.apply(allUSDT(1), inBoth()); err != nil || len(j.asked) != 1 {
			t.Fatal(err)
		}
		j.comeBack(j.asked[0].jetton.QueryID, c.units)
		_, _ = j.apply(allUSDT(1), inBoth())
		if got := j.book().Orders[1].Phase; got != c.phase {
			t.Errorf("%s: the order is %s, want %s", c.name, got, c.phase)
		}
	}
}

// Older ledgers may hold two orders of one query id. Of these the trails tell
// which came back: what arrived is paid, however the bounce reads.
func TestTwoOrdersOfOneQueryID(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	j.reply(func(e reconcile.Event) reconcile.Event {
		if e, ok := e.(reconcile.Offered); ok {
			j.state.ForgetQueries()
			e.Offer.Invoice.Transfer.Body = underQuery(t, e.Offer.Invoice.Transfer.Body, 7)
			return e
		}
		return e
	})
	if result, err := j.apply(allUSDT(1), inBoth()); err != nil || len(result.Bought) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	j.stuck = true
	want := allUSDT(2)
	if _, err := j.apply(want, inBoth()); err != nil || len(j.asked) != 1 {
		t.Fatal(len(j.asked), err)
	}
	// Only the second waits, and it could be either's money.
	j.comeBack(7, 1_500_000)
	_, _ = j.apply(want, inBoth())
	if o := j.book().Orders[2]; o.Phase != ledger.Sent {
		t.Errorf("in doubt the second order is %s: %s", o.Phase, o.Reason)
	}
	j.stuck = false
	_, _ = j.apply(want, inBoth())
	if o := j.book().Orders[2]; o.Phase != ledger.Acknowledged && o.Phase != ledger.Delivered || j.times[firewall.CommentOf(o.Item, o.Invoice.Ref)] != 1 {
		t.Errorf("the second order is %s: %s", o.Phase, o.Reason)
	}
}

// comeBack is a bounce from the wallet's own jetton wallet.
func (j *jettons) comeBack(query uint64, units int64) {
	j.t.Helper()
	note, _ := ton.JettonTransfer{QueryID: query, Amount: units, Destination: till, Response: j.account.Address, Forward: 1, Payload: ton.BoCOf(cell.BeginCell().EndCell())}.Encode()
	j.receive(ton.In{From: purse, Amount: ton.TON / 25, Bounced: true, Body: bounced(note, false)})
}

// The price band holds in USDT: once a price is known, an offer in another
// unit is refused.
func TestThePriceBandHoldsInUSDT(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	j.reply(func(e reconcile.Event) reconcile.Event {
		if e, ok := e.(reconcile.Offered); ok && e.Order == 2 {
			c, _ := e.Offer.Invoice.Transfer.Body.Cell()
			transfer, _ := ton.ParseJettonTransfer(c)
			transfer.Amount = 1
			c, _ = transfer.Encode()
			e.Offer.Invoice.Transfer.Body, e.Offer.Invoice.Price.Units = ton.BoCOf(c), 1
			return e
		}
		return e
	})
	if result, err := j.apply(allUSDT(1), inBoth()); err != nil || len(result.Bought) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	result, err := j.apply(allUSDT(2), inBoth())
	if err != nil || len(result.Problems) != 1 || result.Problems[0].Code != string(firewall.AmountBand) {
		t.Errorf("%+v, %v", result, err)
	}
}

// An offer in the money that was not approved is refused by a rule with a code.
func TestAnOfferInAnotherMoney(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	j.reply(func(e reconcile.Event) reconcile.Event {
		if e, ok := e.(reconcile.Offered); ok {
			e.Offer.Invoice.Price.Asset = ton.AssetTON
			return e
		}
		return e
	})
	result, err := j.apply(allUSDT(1), inBoth())
	if err != nil || len(result.Problems) != 1 || result.Problems[0].Code != string(firewall.OtherAsset) || !strings.HasPrefix(result.Problems[0].Reason, "FW-049: ") {
		t.Errorf("%+v, %v", result, err)
	}
}

// Locked USDT is not paid behind an order in TON either.
func TestLockedUSDTIsNotPaidInABatch(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	if _, err := j.apply(stars(4), inBoth()); err != nil { // the ramp is up
		t.Fatal(err)
	}
	j.reply(func(e reconcile.Event) reconcile.Event {
		if e, ok := e.(reconcile.Sighted); ok && j.offers >= 6 { // after both offers are here
			e.Sight.USDT.Locked = true
			return e
		}
		return e
	})
	want := stars(6)
	want[5].PayWith = ton.AssetUSDT
	result, err := j.apply(want, inBoth())
	if err != nil || len(result.Bought) != 1 || len(result.Problems) != 1 || result.Problems[0].Code != "funds" || len(j.asked)+len(j.sent) != 0 {
		t.Errorf("%d asked, %d sent, %+v, %v", len(j.asked), len(j.sent), result, err)
	}
}

// Without the money for an order in TON Fragment is not asked for it.
func TestTONIsCountedBeforeFragmentIsAsked(t *testing.T) {
	w := newWorld(t, ton.V5R1)
	w.account.Balance = ton.TON / 2
	item := stars(1)[0].Item
	prices := reconcile.Prices{{Item: item, Asset: ton.AssetTON}: ton.TON.Amount()}
	_, err := w.applyPlan(reconcile.Diff(stars(1), w.book(), prices, plenty))
	if err == nil || !strings.Contains(err.Error(), "holds 0.5 TON; g/p00 costs 1 TON and about 0.0115 TON of fees: "+reconcile.ErrFunds.Error()) || w.offers != 0 {
		t.Errorf("%v, after %d offers", err, w.offers)
	}
	// Money for two of three: the third is not asked for.
	w.account.Balance = 5 * ton.TON / 2
	_, _ = w.applyPlan(reconcile.Diff(stars(3), w.book(), prices, plenty))
	if len(w.paid()) != 2 || w.offers != 2 {
		t.Errorf("%d paid, %d offers", len(w.paid()), w.offers)
	}
}
