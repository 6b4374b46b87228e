package firewall_test

import (
	"errors"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

var purse = ton.MustParseAddress("0:3333333333333333333333333333333333333333333333333333333333333333")

func jettonRules() firewall.Rules {
	r := rules()
	r.Jetton = purse
	r.QueryKnown = func(id uint64) bool { return id == 7 }
	return r
}

// good is the transfer that Fragment asks for: 50 Stars for 0.75 USDT.
func good() ton.JettonTransfer {
	return ton.JettonTransfer{QueryID: 0x4ff3ce5d85c72276, Amount: 750_000, Destination: collector, Response: ours, Forward: 1,
		Payload: comment("50 Telegram Stars \n\nRef#QE9AF7lOm")}
}

func offered(t *testing.T, j ton.JettonTransfer) (firewall.JettonWant, firewall.Offer) {
	t.Helper()
	c, err := j.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return firewall.JettonWant{Item: product.Item{Kind: product.Stars, Quantity: 50}, Amount: 750_000, Cap: 800_000, Now: now},
		firewall.Offer{From: ours, ValidUntil: now + 300, Messages: []firewall.Message{{
			To: purse, Bounce: true, Amount: ton.TON / 20, Payload: ton.BoCOf(c)}}}
}

// The offer that Fragment was seen to make in USDT passes, where the wallet is
// the one that was asked, and so does one for Premium.
func TestRealJettonOfferPasses(t *testing.T) {
	body, err := ton.ParseBase64("te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE")
	if err != nil {
		t.Fatal(err)
	}
	payer := ton.MustParseAddress("0:5d632e570ca26968e51253c25f239c30dd7dd85cec48104163ea150f488f22cf")
	want, offer := offered(t, good())
	r := jettonRules()
	r.Wallet, offer.From, offer.Messages[0].Payload = payer, payer, body
	if err := firewall.CheckJetton(r, want, offer); err != nil {
		t.Error(err)
	}
	j := good()
	j.Payload, j.Amount = comment("Telegram Premium for 6 months \n\nRef#QE9AF7lOm"), 15_990_000
	want, offer = offered(t, j)
	want.Item, want.Amount, want.Cap = product.Item{Kind: product.Premium, Quantity: 6}, 15_990_000, 16_000_000
	if err := firewall.CheckJetton(jettonRules(), want, offer); err != nil {
		t.Error(err)
	}
}

// Whatever differs from the approved payment in USDT in one thing is refused
// by the rule for that thing.
func TestJettonAttacksAreRefused(t *testing.T) {
	inside := func(change func(*ton.JettonTransfer)) func(*firewall.Rules, *firewall.JettonWant, *firewall.Offer) {
		return func(_ *firewall.Rules, _ *firewall.JettonWant, o *firewall.Offer) {
			j := good()
			change(&j)
			_, changed := offered(t, j)
			o.Messages[0].Payload = changed.Messages[0].Payload
		}
	}
	message := func(f func(*firewall.Message)) func(*firewall.Rules, *firewall.JettonWant, *firewall.Offer) {
		return func(_ *firewall.Rules, _ *firewall.JettonWant, o *firewall.Offer) { f(&o.Messages[0]) }
	}
	raw := func(b *cell.Builder) func(*firewall.Rules, *firewall.JettonWant, *firewall.Offer) {
		return message(func(m *firewall.Message) { m.Payload = ton.BoCOf(b.EndCell()) })
	}
	note, _ := good().Payload.Cell()
	custom := cell.BeginCell().MustStoreUInt(0x0f8a7ea5, 32).MustStoreUInt(1, 64).MustStoreCoins(750_000).
		MustStoreAddr(collector.TLB()).MustStoreAddr(ours.TLB()).MustStoreBoolBit(true).MustStoreRef(note).
		MustStoreCoins(1).MustStoreBoolBit(true).MustStoreRef(note)
	burn := cell.BeginCell().MustStoreUInt(0x595f07bc, 32).MustStoreUInt(1, 64).MustStoreCoins(750_000).MustStoreAddr(ours.TLB()).MustStoreBoolBit(false)
	for _, a := range []struct {
		name   string
		code   firewall.Code
		change func(*firewall.Rules, *firewall.JettonWant, *firewall.Offer)
	}{
		{"no cap", firewall.NotApproved, func(_ *firewall.Rules, w *firewall.JettonWant, _ *firewall.Offer) { w.Cap = 0 }},
		{"two messages", firewall.MessageCount, func(_ *firewall.Rules, _ *firewall.JettonWant, o *firewall.Offer) {
			o.Messages = append(o.Messages, o.Messages[0])
		}},
		{"another session", firewall.WrongSender, func(_ *firewall.Rules, _ *firewall.JettonWant, o *firewall.Offer) { o.From = stranger }},
		{"over", firewall.Expired, func(_ *firewall.Rules, _ *firewall.JettonWant, o *firewall.Offer) { o.ValidUntil = now }},
		{"no jetton wallet known", firewall.JettonWallet, func(r *firewall.Rules, _ *firewall.JettonWant, o *firewall.Offer) {
			r.Jetton, o.Messages[0].To = ton.Address{}, ton.Address{}
		}},
		{"another jetton wallet", firewall.JettonWallet, message(func(m *firewall.Message) { m.To = stranger })},
		{"the collector itself is asked", firewall.JettonWallet, message(func(m *firewall.Message) { m.To = collector })},
		{"no gas", firewall.JettonGas, message(func(m *firewall.Message) { m.Amount = 0 })},
		{"much gas", firewall.JettonGas, message(func(m *firewall.Message) { m.Amount = firewall.MaxGas + 1 })},
		{"code comes along", firewall.StateInit, message(func(m *firewall.Message) { m.StateInit = ton.BoC{1} })},
		{"no body", firewall.BodySize, message(func(m *firewall.Message) { m.Payload = nil })},
		{"bytes", firewall.BodyForm, message(func(m *firewall.Message) { m.Payload = ton.BoC("hello") })},
		{"a comment for the jetton wallet", firewall.JettonBody, message(func(m *firewall.Message) { m.Payload = good().Payload })},
		{"a burn", firewall.JettonBody, raw(burn)},
		{"a custom payload", firewall.JettonBody, raw(custom)},
		{"a hundredth more", firewall.JettonAmount, inside(func(j *ton.JettonTransfer) { j.Amount = 757_500 })},
		{"a unit less", firewall.JettonAmount, inside(func(j *ton.JettonTransfer) { j.Amount = 749_999 })},
		{"nine decimals for six", firewall.JettonAmount, inside(func(j *ton.JettonTransfer) { j.Amount = 750_000_000 })},
		{"above the cap", firewall.JettonCap, func(_ *firewall.Rules, w *firewall.JettonWant, _ *firewall.Offer) { w.Cap = 749_999 }},
		{"somebody else is paid", firewall.JettonDestination, inside(func(j *ton.JettonTransfer) { j.Destination = stranger })},
		{"we are paid", firewall.JettonDestination, inside(func(j *ton.JettonTransfer) { j.Destination = ours })},
		{"the same account of the masterchain", firewall.JettonDestination, inside(func(j *ton.JettonTransfer) { j.Destination.Workchain = -1 })},
		{"somebody else gets the gas", firewall.JettonResponse, inside(func(j *ton.JettonTransfer) { j.Response = stranger })},
		{"nobody gets the gas", firewall.JettonResponse, inside(func(j *ton.JettonTransfer) { j.Response = ton.Address{} })},
		{"coins go on", firewall.JettonForward, inside(func(j *ton.JettonTransfer) { j.Forward = ton.TON / 100 })},
		{"nobody is told", firewall.JettonForward, inside(func(j *ton.JettonTransfer) { j.Forward = 0 })},
		{"a query id that another order has", firewall.JettonQuery, inside(func(j *ton.JettonTransfer) { j.QueryID = 7 })},
		{"nobody knows the query ids", firewall.JettonQuery, func(r *firewall.Rules, _ *firewall.JettonWant, _ *firewall.Offer) { r.QueryKnown = nil }},
		{"a price in another unit than the last one's", firewall.AmountBand, func(_ *firewall.Rules, w *firewall.JettonWant, o *firewall.Offer) {
			inside(func(j *ton.JettonTransfer) { j.Amount = 749 })(nil, nil, o)
			w.Unit, w.Amount = 15_000, 749
		}},
		{"a comment within the transfer", firewall.BodyRebuilt, inside(func(j *ton.JettonTransfer) { j.Inline = true })},
		{"a comment that is cut elsewhere", firewall.BodyRebuilt, inside(func(j *ton.JettonTransfer) { j.Payload = chained("50 Telegram Stars \n\nRef#QE9AF7lOm", false) })},
		{"an empty cell behind the comment", firewall.BodyRebuilt, inside(func(j *ton.JettonTransfer) { j.Payload = chained("50 Telegram Stars \n\nRef#QE9AF7lOm", true) })},
		{"nothing is written along", firewall.BodyComment, inside(func(j *ton.JettonTransfer) { j.Payload = ton.BoCOf(cell.BeginCell().EndCell()) })},
		{"another text", firewall.BodyComment, inside(func(j *ton.JettonTransfer) { j.Payload = comment("Ref#QE9AF7lOm") })},
		{"for more Stars", firewall.WrongItem, inside(func(j *ton.JettonTransfer) { j.Payload = comment("51 Telegram Stars \n\nRef#QE9AF7lOm") })},
		{"a broken ref", firewall.WrongRef, inside(func(j *ton.JettonTransfer) { j.Payload = comment("50 Telegram Stars \n\nRef#QE9A") })},
		{"a ref that was paid", firewall.KnownRef, inside(func(j *ton.JettonTransfer) { j.Payload = comment("50 Telegram Stars \n\nRef#paidbefor") })},
	} {
		r := jettonRules()
		want, offer := offered(t, good())
		a.change(&r, &want, &offer)
		err := firewall.CheckJetton(r, want, offer)
		var refusal *firewall.Refusal
		if !errors.As(err, &refusal) || refusal.Code != a.code {
			t.Errorf("%s: %v, want %s", a.name, err, a.code)
		}
	}
}

// chained is a comment that is not packed as Fragment packs it: cut after 20
// bytes, or whole and with an empty cell behind it.
func chained(text string, empty bool) ton.BoC {
	first, rest := text[:20], text[20:]
	if empty {
		first, rest = text, ""
	}
	return ton.BoCOf(cell.BeginCell().MustStoreUInt(0, 32).MustStoreSlice([]byte(first), uint(len(first))*8).
		MustStoreRef(cell.BeginCell().MustStoreSlice([]byte(rest), uint(len(rest))*8).EndCell()).EndCell())
}

// A price in USDT is measured by those in USDT: a tenth of what a unit cost
// passes, and so does a tenth of a lower ceiling.
func TestThePriceBandInUSDT(t *testing.T) {
	for _, c := range []struct {
		name      string
		unit, cap int64
		amount    int64
		refused   bool
	}{
		{"a tenth", 15_000, 800_000, 75_000, false},
		{"less than a tenth", 15_000, 800_000, 74_999, true},
		{"a tenth of a lower ceiling", 15_000, 80_000, 8_000, false},
		{"never bought", 0, 800_000, 1, false},
	} {
		j := good()
		j.Amount = c.amount
		want, offer := offered(t, j)
		want.Unit, want.Cap, want.Amount = c.unit, c.cap, c.amount
		var refusal *firewall.Refusal
		if err := firewall.CheckJetton(jettonRules(), want, offer); errors.As(err, &refusal) != c.refused || c.refused && refusal.Code != firewall.AmountBand {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Only the money that was approved pays.
func TestTheApprovedMoneyPays(t *testing.T) {
	var refusal *firewall.Refusal
	if err := firewall.CheckAsset(ton.AssetUSDT, ton.AssetTON); !errors.As(err, &refusal) || refusal.Code != firewall.OtherAsset {
		t.Error(err)
	}
	if err := firewall.CheckAsset(ton.AssetUSDT, ton.AssetUSDT); err != nil {
		t.Error(err)
	}
}

// Every single bit of a body in USDT counts: no flipped one passes.
func TestFlippedJettonBits(t *testing.T) {
	want, offer := offered(t, good())
	body := offer.Messages[0].Payload
	root, err := body.Cell()
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(body) * 8 {
		flipped := append(ton.BoC{}, body...)
		flipped[i/8] ^= 1 << (7 - i%8)
		offer.Messages[0].Payload = flipped
		if c, err := flipped.Cell(); err == nil && ton.Hash(c.Hash()) == ton.Hash(root.Hash()) {
			continue // the same cells, packed in another way
		}
		if err := firewall.CheckJetton(jettonRules(), want, offer); err == nil {
			// The query id may be any, and the ref is whatever is well-formed.
			j, _ := flipped.Cell()
			got, err := ton.ParseJettonTransfer(j)
			if err != nil {
				t.Fatalf("bit %d passes and is no transfer", i)
			}
			same := good()
			same.QueryID, same.Payload = got.QueryID, got.Payload
			if c, _ := same.Encode(); ton.Hash(c.Hash()) != ton.Hash(j.Hash()) {
				t.Errorf("bit %d passes: %+v", i, got)
			}
		}
	}
}
