package market_test

import (
	"testing"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
)

var jettons = ton.Address{Account: [32]byte{4, 5, 6}}

func sellsForUSDT(t *testing.T) *world {
	w := start(t)
	w.m.Close()
	w.opt.JettonWallet = func(owner ton.Address) ton.Address {
		if owner != buyer {
			t.Errorf("the jetton wallet of %s is asked for", owner)
		}
		return jettons
	}
	w.open()
	w.page("/stars/buy")
	w.call("updateStarsBuyState", "mode", "new")
	return w
}

// arrives tells the market of USDT, as the chain does.
func (c *chain) arrives(w *world, usdt int64, payload string) {
	j := w.transfer(payload)
	body, err := j.Payload.Cell()
	if err != nil {
		w.Fatal(err)
	}
	c.all = append(c.all, market.Payment{LT: uint64(len(c.all) + 1), From: buyer, USDT: usdt, Body: body, Time: uint32(w.now.Unix())})
}

func (w *world) transfer(payload string) ton.JettonTransfer {
	w.Helper()
	j, err := ton.ParseJettonTransfer(w.body(payload))
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// A request for USDT names its price in USDT, and its link has the payer's own
// jetton wallet send exactly that to the collector. The order is credited
// once, for exactly that sum, whatever TON arrives with its ref.
func TestUSDT(t *testing.T) {
	w := sellsForUSDT(t)
	a := w.call("initBuyStarsRequest", "recipient", w.recipient("@Ann_1"), "quantity", "50", "payment_method", "usdt_ton")
	if a["amount"] != "0.75" {
		t.Fatalf("got %v", a)
	}
	id, _ := a["req_id"].(string)
	inv := w.link("getBuyStarsLink", id)
	if to := ton.MustParseAddress(inv.address); to != jettons || inv.amount != ton.TON/20 {
		t.Errorf("the link asks %s for %s TON", to, inv.amount)
	}
	if j := w.transfer(inv.payload); j.Amount != 750_000 || j.Destination != market.Collector || j.Response != buyer || j.Forward != 1 || j.Inline {
		t.Errorf("the link has it send %+v", j)
	}
	w.chain.arrives(w, 749_999, inv.payload)
	w.chain.arrives(w, 750_000, inv.payload)
	w.chain.arrives(w, 750_000, inv.payload)
	w.call("updateStarsBuyState", "mode", "processing")
	if b := w.m.Books(); len(b) != 1 || b[0].USDT != 750_000 || b[0].Paid != 0 {
		t.Errorf("books %+v", b)
	}
	if s := w.m.Strays(); len(s) != 2 || s[0].Reason != market.StrayAmount || s[0].USDT != 749_999 || s[1].Reason != market.StrayAgain {
		t.Errorf("strays %+v", s)
	}
}

// TON is no USDT, though a number fits: 0.00075 TON are as many of their units
// as 0.75 USDT.
func TestAssetsAreNotConfused(t *testing.T) {
	w := sellsForUSDT(t)
	id, _ := w.call("initBuyStarsRequest", "recipient", w.recipient("@Ann_1"), "quantity", "50", "payment_method", "usdt_ton")["req_id"].(string)
	j := w.transfer(w.link("getBuyStarsLink", id).payload)
	w.chain.pay(750_000, j.Payload.Base64(), *w.now)
	w.call("updateStarsBuyState", "mode", "processing")
	if b, s := w.m.Books(), w.m.Strays(); len(b) != 0 || len(s) != 1 || s[0].Reason != market.StrayAmount {
		t.Errorf("books %+v, strays %+v", b, s)
	}
}

// What nobody has seen sold for USDT isn't, and a market without jettons sells
// nothing for it.
func TestUSDTIsRefused(t *testing.T) {
	w := sellsForUSDT(t)
	w.call("updateAdsTopupState", "mode", "new")
	w.page("/ads/topup")
	w.wants("Access denied", "initAdsTopupRequest", "recipient", w.recipient("@Ann_1"), "amount", "5", "payment_method", "usdt_ton")
	w = start(t)
	w.call("updateStarsBuyState", "mode", "new")
	w.wants("Access denied", "initBuyStarsRequest", "recipient", w.recipient("@Ann_1"), "quantity", "50", "payment_method", "usdt_ton")
}

// What links get wrong they get wrong for USDT too: the sum is that of the
// transfer, the address is the one that is asked to make it, and the comment
// stands in it.
func TestLinkFaultsOfUSDT(t *testing.T) {
	type paid struct {
		Address string
		USDT    int64
		Text    string
	}
	own := jettons.TLB().String() // it may bounce
	right := paid{own, 750_000, "50 Telegram Stars"}
	for _, c := range []struct {
		key, value string
		want       paid
	}{
		{"link_address", "foreign", paid{foreign.TLB().String(), 750_000, right.Text}},
		{"link_address", "bouncing", right}, // as it is anyway
		{"link_amount", "wrong", paid{own, 757_501, right.Text}},
		{"link_amount", "less", paid{own, 742_499, right.Text}},
		{"payload", "binary", paid{own, 750_000, "no comment"}},
		{"payload", "other_text", paid{own, 750_000, "51 Telegram Stars"}},
		{"payload", "corrupt", paid{own, 0, "no cell"}},
		{"payload", "actions", paid{own, 0, "no transfer"}},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			w := sellsForUSDT(t)
			id, _ := w.call("initBuyStarsRequest", "recipient", w.recipient("@Ann_1"), "quantity", "50", "payment_method", "usdt_ton")["req_id"].(string)
			w.set(c.key, c.value+"*1")
			for _, want := range []paid{c.want, right} {
				inv := w.link("getBuyStarsLink", id)
				got := paid{inv.address, 0, asked(inv)}
				if got.Text == "no comment" {
					j, err := ton.ParseJettonTransfer(w.body(inv.payload))
					if got.USDT, got.Text = j.Amount, "no transfer"; err == nil {
						got.Text = asked(invoice{payload: j.Payload.Base64()})
					}
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			}
		})
	}
}
