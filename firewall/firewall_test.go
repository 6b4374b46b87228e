package firewall_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

var (
	ours      = ton.MustParseAddress("0:1111111111111111111111111111111111111111111111111111111111111111")
	stranger  = ton.MustParseAddress("0:2222222222222222222222222222222222222222222222222222222222222222")
	collector = firewall.DefaultDestinations()[0]
)

const now = 1_790_000_000

func comment(text string) ton.BoC {
	root := cell.BeginCell().MustStoreUInt(0, 32)
	first, rest := text, ""
	if len(text) > 35 {
		first, rest = text[:35], text[35:]
	}
	root.MustStoreSlice([]byte(first), uint(len(first))*8)
	if rest != "" {
		root.MustStoreRef(cell.BeginCell().MustStoreSlice([]byte(rest), uint(len(rest))*8).EndCell())
	}
	return ton.BoCOf(root.EndCell())
}

func rules() firewall.Rules {
	return firewall.Rules{Wallet: ours, Destinations: firewall.DefaultDestinations(),
		RefKnown: func(ref string) bool { return ref == "paidbefor" }}
}

func stars() (firewall.Want, firewall.Offer) {
	return firewall.Want{Item: product.Item{Kind: product.Stars, Quantity: 50}, Amount: 460_900_000, Cap: 500_000_000, Now: now},
		firewall.Offer{From: ours, ValidUntil: now + 300, Messages: []firewall.Message{{
			To: collector, Amount: 460_900_000, Payload: comment("50 Telegram Stars \n\nRef#QE9AF7lOm")}}}
}

// The offers that Fragment was seen to make pass, and their bodies are those that
// fragplan would build, byte for byte.
func TestRealOffersPass(t *testing.T) {
	for payload, item := range map[string]product.Item{
		"te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNRRTlBRjdsT20":                     {Kind: product.Stars, Quantity: 50},
		"te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNrcEo1NWgzQlc=":                    {Kind: product.Stars, Quantity: 50},
		"te6ccgEBAgEALQABTgAAAAAxMDAwMCBUZWxlZ3JhbSBTdGFycyAKClJlZiN6SWgwT0UxdgEAAmQ":             {Kind: product.Stars, Quantity: 10000},
		"te6ccgEBAgEANgABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAzIG1vbnRocyAKClJlZgEAFCMzcFdKdGJkYnU": {Kind: product.Premium, Quantity: 3},
		"te6ccgEBAgEANAABTgAAAABUZWxlZ3JhbSBQcmVtaXVtIGZvciAxIHllYXIgCgpSZWYjcgEAEE9OQnM2cmNt":    {Kind: product.Premium, Quantity: 12},
		"te6ccgEBAgEAMAABTgAAAABUZWxlZ3JhbSBhY2NvdW50IHRvcCB1cCAKClJlZiNrMXpDRQEACFkxd3g":         {Kind: product.TopUp, Quantity: 7},
		comment("Telegram Premium for 6 months \n\nRef#abc-_4").Base64():                          {Kind: product.Premium, Quantity: 6},
	} {
		body, err := ton.ParseBase64(payload)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := body.Cell(); err != nil {
			t.Error(err)
		} else if text, err := ton.Comment(c); err != nil || !bytes.Equal(firewall.Body(text), body) {
			t.Errorf("%q is packed otherwise than Fragment does: %v", text, err)
		}
		want, got := stars()
		want.Item, got.Messages[0].Payload = item, body
		if item.Kind == product.TopUp {
			want.Amount, want.Cap, got.Messages[0].Amount = 7*ton.TON, 7*ton.TON, 7*ton.TON
		}
		if err := firewall.Check(rules(), want, got); err != nil {
			t.Errorf("%v: %v", item, err)
		}
	}
}

// Whatever differs from the approved purchase in one thing is refused by the
// rule for that thing.
func TestAttacksAreRefused(t *testing.T) {
	type attack struct {
		name   string
		code   firewall.Code
		change func(*firewall.Rules, *firewall.Want, *firewall.Offer)
	}
	offer := func(f func(*firewall.Offer)) func(*firewall.Rules, *firewall.Want, *firewall.Offer) {
		return func(_ *firewall.Rules, _ *firewall.Want, o *firewall.Offer) { f(o) }
	}
	message := func(f func(*firewall.Message)) func(*firewall.Rules, *firewall.Want, *firewall.Offer) {
		return offer(func(o *firewall.Offer) { f(&o.Messages[0]) })
	}
	text := func(s string) func(*firewall.Rules, *firewall.Want, *firewall.Offer) {
		return message(func(m *firewall.Message) { m.Payload = comment(s) })
	}
	body := func(b *cell.Builder) func(*firewall.Rules, *firewall.Want, *firewall.Offer) {
		return message(func(m *firewall.Message) { m.Payload = ton.BoCOf(b.EndCell()) })
	}
	good := comment("50 Telegram Stars \n\nRef#QE9AF7lOm")
	jetton, err := ton.ParseBase64("te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := ton.ParseBase64("te6ccgEBAQEAJwAaSgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNJbTJ5NWl0ZDY")
	if err != nil {
		t.Fatal(err)
	}
	chain := cell.BeginCell().MustStoreSlice([]byte("m"), 8)
	for range 9 {
		chain = cell.BeginCell().MustStoreSlice([]byte("O"), 8).MustStoreRef(chain.EndCell())
	}
	attacks := []attack{
		{"no rules at all", firewall.NotApproved, func(r *firewall.Rules, _ *firewall.Want, _ *firewall.Offer) { *r = firewall.Rules{} }},
		{"nothing approved", firewall.NotApproved, func(_ *firewall.Rules, w *firewall.Want, _ *firewall.Offer) { *w = firewall.Want{} }},
		{"an item that is not sold", firewall.NotApproved, func(_ *firewall.Rules, w *firewall.Want, _ *firewall.Offer) { w.Item.Quantity = 49 }},
		{"no cap", firewall.NotApproved, func(_ *firewall.Rules, w *firewall.Want, _ *firewall.Offer) { w.Cap = 0 }},
		{"no time", firewall.NotApproved, func(_ *firewall.Rules, w *firewall.Want, _ *firewall.Offer) { w.Now = 0 }},
		{"no message", firewall.MessageCount, offer(func(o *firewall.Offer) { o.Messages = nil })},
		{"a second message to a stranger", firewall.MessageCount, offer(func(o *firewall.Offer) {
			o.Messages = append(o.Messages, firewall.Message{To: stranger, Amount: ton.TON})
		})},
		{"the same message twice", firewall.MessageCount, offer(func(o *firewall.Offer) { o.Messages = append(o.Messages, o.Messages[0]) })},
		{"from another wallet", firewall.WrongSender, offer(func(o *firewall.Offer) { o.From = stranger })},
		{"from nobody", firewall.WrongSender, offer(func(o *firewall.Offer) { o.From = ton.Address{} })},
		{"expired at this second", firewall.Expired, offer(func(o *firewall.Offer) { o.ValidUntil = now })},
		{"expired long ago", firewall.Expired, offer(func(o *firewall.Offer) { o.ValidUntil = 1 })},
		{"no expiry", firewall.Expired, offer(func(o *firewall.Offer) { o.ValidUntil = 0 })},
		{"to a stranger", firewall.Destination, message(func(m *firewall.Message) { m.To = stranger })},
		{"to nobody", firewall.Destination, message(func(m *firewall.Message) { m.To = ton.Address{} })},
		{"to ourselves", firewall.Destination, message(func(m *firewall.Message) { m.To = ours })},
		{"to the collector's number in the masterchain", firewall.Destination, message(func(m *firewall.Message) { m.To.Workchain = -1 })},
		{"to one bit beside the collector", firewall.Destination, message(func(m *firewall.Message) { m.To.Account[31] ^= 1 })},
		{"empty list of destinations", firewall.Destination, func(r *firewall.Rules, _ *firewall.Want, _ *firewall.Offer) { r.Destinations = nil }},
		{"nobody on the list and nobody asked for", firewall.Destination, func(r *firewall.Rules, _ *firewall.Want, o *firewall.Offer) {
			r.Destinations, o.Messages[0].To = []ton.Address{{}}, ton.Address{}
		}},
		{"amount zero", firewall.AmountSign, message(func(m *firewall.Message) { m.Amount = 0 })},
		{"negative amount", firewall.AmountSign, message(func(m *firewall.Message) { m.Amount = -460_900_000 })},
		{"one nano more", firewall.AmountInvoice, message(func(m *firewall.Message) { m.Amount++ })},
		{"one nano less", firewall.AmountInvoice, message(func(m *firewall.Message) { m.Amount-- })},
		{"a thousandfold amount", firewall.AmountInvoice, message(func(m *firewall.Message) { m.Amount *= 1000 })},
		{"invoice over the cap", firewall.AmountCap, func(_ *firewall.Rules, w *firewall.Want, o *firewall.Offer) {
			w.Amount, o.Messages[0].Amount = w.Cap+1, w.Cap+1
		}},
		{"a top-up for less than it credits", firewall.TopUpAmount, func(_ *firewall.Rules, w *firewall.Want, o *firewall.Offer) {
			w.Item, w.Cap = product.Item{Kind: product.TopUp, Quantity: 5}, 5*ton.TON
			w.Amount, o.Messages[0].Amount = ton.TON, ton.TON
			o.Messages[0].Payload = comment("Telegram account top up \n\nRef#QE9AF7lOm")
		}},
		{"a price in another unit", firewall.AmountBand, func(_ *firewall.Rules, w *firewall.Want, o *firewall.Offer) {
			w.Unit, w.Amount, o.Messages[0].Amount = 9_218_000, 460_900, 460_900
		}},
		{"a state init", firewall.StateInit, message(func(m *firewall.Message) { m.StateInit = good })},
		{"no body", firewall.BodySize, message(func(m *firewall.Message) { m.Payload = nil })},
		{"a body of 2 KiB", firewall.BodySize, message(func(m *firewall.Message) { m.Payload = slices.Concat(good, make([]byte, 2048)) })},
		{"a body of ten cells", firewall.BodySize, body(chain)},
		{"a malformed bag that upsets parsers", firewall.BodyForm, message(func(m *firewall.Message) { m.Payload = broken })},
		{"bytes that are no bag", firewall.BodyForm, message(func(m *firewall.Message) { m.Payload = []byte("50 Telegram Stars") })},
		{"half a bag", firewall.BodyForm, message(func(m *firewall.Message) { m.Payload = good[:len(good)/2] })},
		{"a transfer of USDT", firewall.BodyComment, message(func(m *firewall.Message) { m.Payload = jetton })},
		{"an encrypted comment", firewall.BodyComment, body(cell.BeginCell().MustStoreUInt(0x2167da4b, 32))},
		{"an empty cell", firewall.BodyComment, body(cell.BeginCell())},
		{"a stray bit after the text", firewall.BodyComment, body(cell.BeginCell().MustStoreUInt(0, 32).
			MustStoreSlice([]byte("50 Telegram Stars \n\nRef#QE9AF7lOm"), 33*8).MustStoreBoolBit(true))},
		{"two children", firewall.BodyComment, body(cell.BeginCell().MustStoreUInt(0, 32).
			MustStoreRef(cell.BeginCell().EndCell()).MustStoreRef(cell.BeginCell().EndCell()))},
		{"broken UTF-8", firewall.BodyComment, text("50 Telegram Stars \n\nRef#QE9AF7l\xff\xfe")},
		{"no ref", firewall.BodyComment, text("50 Telegram Stars")},
		{"one line break", firewall.BodyComment, text("50 Telegram Stars \nRef#QE9AF7lOm")},
		{"no space before the ref", firewall.BodyComment, text("50 Telegram Stars\n\nRef#QE9AF7lOm")},
		{"empty text", firewall.BodyComment, text("")},
		{"fewer stars", firewall.WrongItem, text("49 Telegram Stars \n\nRef#QE9AF7lOm")},
		{"ten times the stars", firewall.WrongItem, text("500 Telegram Stars \n\nRef#QE9AF7lOm")},
		{"stars with a leading zero", firewall.WrongItem, text("050 Telegram Stars \n\nRef#QE9AF7lOm")},
		{"stars in other digits", firewall.WrongItem, text("５０ Telegram Stars \n\nRef#QE9AF7lOm")},
		{"Premium for stars", firewall.WrongItem, text("Telegram Premium for 3 months \n\nRef#QE9AF7lOm")},
		{"an advertiser's top-up", firewall.WrongItem, text("Telegram Ad account top up \n\nRef#QE9AF7lOm")},
		{"text before the item", firewall.WrongItem, text("x 50 Telegram Stars \n\nRef#QE9AF7lOm")},
		{"an invisible letter", firewall.WrongItem, text("50 Telegram\u200b Stars \n\nRef#QE9AF7lOm")},
		{"a terminal's escape", firewall.WrongItem, text("\x1b[2J50 Telegram Stars \n\nRef#QE9AF7lOm")},
		{"12 months", firewall.WrongItem, func(_ *firewall.Rules, w *firewall.Want, o *firewall.Offer) {
			w.Item = product.Item{Kind: product.Premium, Quantity: 12}
			o.Messages[0].Payload = comment("Telegram Premium for 12 months \n\nRef#QE9AF7lOm")
		}},
		{"empty ref", firewall.WrongRef, text("50 Telegram Stars \n\nRef#")},
		{"short ref", firewall.WrongRef, text("50 Telegram Stars \n\nRef#QE9AF")},
		{"long ref", firewall.WrongRef, text("50 Telegram Stars \n\nRef#" + strings.Repeat("a", 17))},
		{"text after the ref", firewall.WrongRef, text("50 Telegram Stars \n\nRef#QE9AF7lOm thanks")},
		{"line break after the ref", firewall.WrongRef, text("50 Telegram Stars \n\nRef#QE9AF7lOm\n")},
		{"a second ref", firewall.WrongRef, text("50 Telegram Stars \n\nRef#QE9AF7lOm \n\nRef#QE9AF7lOn")},
		{"a ref in other letters", firewall.WrongRef, text("50 Telegram Stars \n\nRef#QЕ9АF7lOm")},
		{"a ref that was paid", firewall.KnownRef, text("50 Telegram Stars \n\nRef#paidbefor")},
		{"no ledger to ask", firewall.KnownRef, func(r *firewall.Rules, _ *firewall.Want, _ *firewall.Offer) { r.RefKnown = nil }},
	}
	if len(attacks) < 40 {
		t.Fatalf("only %d attacks", len(attacks))
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			r := rules()
			w, o := stars()
			a.change(&r, &w, &o)
			err := firewall.Check(r, w, o)
			var refusal *firewall.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("not refused: %v", err)
			}
			if refusal.Code != a.code {
				t.Errorf("refused by %v, want %s", err, a.code)
			}
			if strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the refusal is not printable: %q", err)
			}
		})
	}
}

// A special cell's bits are not its content, so none is accepted.
func TestSpecialCellsAreRefused(t *testing.T) {
	hidden := cell.BeginCell().MustStoreUInt(0, 32).MustStoreSlice([]byte("50 Telegram Stars \n\nRef#QE9AF7lOm"), 33*8).EndCell()
	library, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(hidden.Hash(), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	w, o := stars()
	o.Messages[0].Payload = ton.BoCOf(library)
	var refusal *firewall.Refusal
	if err := firewall.Check(rules(), w, o); !errors.As(err, &refusal) || refusal.Code != firewall.BodyForm {
		t.Errorf("got %v", err)
	}
}

func approved() (ton.Payload, firewall.Approved) {
	wallet := ton.Wallet{Version: ton.V5R1, PublicKey: make([]byte, 32), NetworkID: ton.Mainnet}
	_, o := stars()
	m := o.Messages[0]
	transfers := []ton.Transfer{
		{To: m.To, Amount: m.Amount, Body: m.Payload},
		{To: m.To, Amount: 2 * m.Amount, Body: comment("100 Telegram Stars \n\nRef#QE9AF7lOn")},
	}
	return ton.Payload{Wallet: ton.V5R1, WalletID: wallet.ID(), Seqno: 9, ValidUntil: now + 180, Transfers: slices.Clone(transfers)},
		firewall.Approved{Wallet: wallet, Seqno: 9, Now: now, Latest: now + 180, Transfers: transfers}
}

// A whole message passes only as approved: wallet, seqno, expiry, and each
// transfer in its place.
func TestCheckPayload(t *testing.T) {
	p, a := approved()
	if err := firewall.CheckPayload(p, a); err != nil {
		t.Fatalf("the approved message: %v", err)
	}
	burn, none := approved()
	burn.Transfers, none.Transfers = nil, nil
	if err := firewall.CheckPayload(burn, none); err != nil {
		t.Fatalf("an approved message without transfers: %v", err)
	}
	for name, change := range map[string]func(*ton.Payload){
		"another version":    func(p *ton.Payload) { p.Wallet = ton.V4R2 },
		"no version":         func(p *ton.Payload) { p.Wallet = "" },
		"another wallet id":  func(p *ton.Payload) { p.WalletID++ },
		"another seqno":      func(p *ton.Payload) { p.Seqno++ },
		"expired":            func(p *ton.Payload) { p.ValidUntil = now },
		"valid for too long": func(p *ton.Payload) { p.ValidUntil++ },
		"a transfer less":    func(p *ton.Payload) { p.Transfers = p.Transfers[:1] },
		"no transfers":       func(p *ton.Payload) { p.Transfers = nil },
		"a transfer more":    func(p *ton.Payload) { p.Transfers = append(p.Transfers, p.Transfers[0]) },
		"another order":      func(p *ton.Payload) { slices.Reverse(p.Transfers) },
		"one twice":          func(p *ton.Payload) { p.Transfers[1] = p.Transfers[0] },
		"another amount":     func(p *ton.Payload) { p.Transfers[0].Amount++ },
		"negative amount":    func(p *ton.Payload) { p.Transfers[0].Amount = -1 },
		"another account":    func(p *ton.Payload) { p.Transfers[1].To = stranger },
		"another bounce":     func(p *ton.Payload) { p.Transfers[1].Bounce = true },
		"another body":       func(p *ton.Payload) { p.Transfers[1].Body = p.Transfers[0].Body },
		"no body":            func(p *ton.Payload) { p.Transfers[1].Body = nil },
	} {
		p, a := approved()
		change(&p)
		var refusal *firewall.Refusal
		if err := firewall.CheckPayload(p, a); !errors.As(err, &refusal) || refusal.Code != firewall.WrongPayload {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// An offer changed in any way is refused or is still the same purchase: the
// same destination, amount and text.
func FuzzMutatedOffers(f *testing.F) {
	_, o := stars()
	body := o.Messages[0].Payload
	f.Add([]byte(body), []byte(collector.Account[:]), int64(460_900_000), uint32(now+300))
	f.Add([]byte(comment("50 Telegram Stars \n\nRef#QE9AF7lOm0000000")), []byte(collector.Account[:]), int64(460_900_000), uint32(now+1))
	f.Add([]byte(body[:20]), []byte{}, int64(-1), uint32(0))
	f.Fuzz(func(t *testing.T, payload, account []byte, amount int64, until uint32) {
		w, o := stars()
		m := &o.Messages[0]
		m.Payload, m.Amount, o.ValidUntil, m.To = payload, ton.Nano(amount), until, ton.Address{}
		copy(m.To.Account[:], account)
		if firewall.Check(rules(), w, o) != nil {
			return
		}
		c, err := m.Payload.Cell()
		if err != nil {
			t.Fatal(err)
		}
		text, err := ton.Comment(c)
		if err != nil || !slices.Contains(firewall.DefaultDestinations(), m.To) || m.Amount != w.Amount || until <= now {
			t.Fatalf("accepted %s TON to %s until %d, %v", m.Amount, m.To, until, err)
		}
		ref, ok := strings.CutPrefix(text, "50 Telegram Stars \n\nRef#")
		if !ok || !firewall.ValidRef(ref) {
			t.Fatalf("accepted %q", text)
		}
	})
}

// What was bought is read back from the comment that Fragment writes for it,
// and from nothing else.
func TestRecognize(t *testing.T) {
	for _, item := range []product.Item{
		{Kind: product.Stars, Quantity: 50}, {Kind: product.Stars, Quantity: 1_000_000}, {Kind: product.Premium, Quantity: 3},
		{Kind: product.Premium, Quantity: 12}, {Kind: product.TopUp, Quantity: 5},
	} {
		got, ref, ok := firewall.Recognize(firewall.CommentOf(item, "AbCd_-123"), 5*ton.TON)
		if !ok || got != item || ref != "AbCd_-123" {
			t.Errorf("%s: %v %q %t", item, got, ref, ok)
		}
	}
	for _, text := range []string{
		"", "hello", "50 Telegram Stars", "50 Telegram Stars \n\nRef#", "50 Telegram Stars \n\nRef#a b", "050 Telegram Stars \n\nRef#AbCd_-123",
		"-5 Telegram Stars \n\nRef#AbCd_-123", "Telegram Premium for 4 months \n\nRef#AbCd_-123", "Telegram Premium for 12 months \n\nRef#AbCd_-123",
	} {
		if got, ref, ok := firewall.Recognize(text, 5*ton.TON); ok {
			t.Errorf("%q: %v %q", text, got, ref)
		}
	}
	if got, _, ok := firewall.Recognize(firewall.CommentOf(product.Item{Kind: product.TopUp, Quantity: 5}, "AbCd_-123"), 5*ton.TON+1); ok {
		t.Errorf("a top-up of a fraction: %v", got)
	}
}

// What leaves is exactly what was recorded: any other byte, wallet, signature
// or deployment is refused.
func TestCheckMessage(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0xc5}, ed25519.SeedSize))
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		w := ton.Wallet{Version: version, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
		p := ton.Payload{Wallet: version, WalletID: w.ID(), Seqno: 7, ValidUntil: now + 60, Transfers: []ton.Transfer{{To: collector, Amount: ton.TON, Body: comment("hi")}}}
		signed := func(p ton.Payload, key ed25519.PrivateKey, to ton.Address, deploys bool) ton.BoC {
			hash, err := p.Hash()
			if err != nil {
				t.Fatal(err)
			}
			body, err := p.Sign(ed25519.Sign(key, hash[:]))
			if err != nil {
				t.Fatal(err)
			}
			init := w.StateInit()
			if !deploys {
				init = nil
			}
			message, err := ton.External(to, init, body)
			if err != nil {
				t.Fatal(err)
			}
			return message
		}
		for _, deploys := range []bool{false, true} {
			if err := firewall.CheckMessage(signed(p, key, w.Address(), deploys), p, w, deploys); err != nil {
				t.Errorf("%s: %v", version, err)
			}
		}
		other := p
		other.Seqno++
		thief := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
		for name, message := range map[string]ton.BoC{
			"nothing": nil, "another payload": signed(other, key, w.Address(), false), "another key": signed(p, thief, w.Address(), false),
			"another wallet": signed(p, key, stranger, false), "a deployment": signed(p, key, w.Address(), true),
		} {
			var r *firewall.Refusal
			if err := firewall.CheckMessage(message, p, w, false); !errors.As(err, &r) || r.Code != firewall.WrongMessage {
				t.Errorf("%s, %s: %v", version, name, err)
			}
		}
	}
}

// Of 100 signed messages of both wallets, with 0 to 4 transfers, deploying
// and not, none passes with any one of its bits flipped, not even where it
// still reads as the same cells.
func TestFlippedBitsAreRefused(t *testing.T) {
	t.Parallel()
	n := 100
	if testing.Short() {
		n = 10
	}
	flips := 0
	for i := range n {
		version := []ton.WalletVersion{ton.V5R1, ton.V4R2}[i%2]
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i)}, ed25519.SeedSize))
		w := ton.Wallet{Version: version, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
		p := ton.Payload{Wallet: version, WalletID: w.ID(), Seqno: uint32(i * i), ValidUntil: now + uint32(i)}
		for k := range i / 2 % 5 {
			p.Transfers = append(p.Transfers, ton.Transfer{To: collector, Amount: ton.Nano(1+k) * 460_900_000,
				Body: comment(firewall.CommentOf(product.Item{Kind: product.Stars, Quantity: int64(50 + 4000*k)}, "QE9AF7lOm"))})
		}
		hash, err := p.Hash()
		if err != nil {
			t.Fatal(err)
		}
		body, err := p.Sign(ed25519.Sign(key, hash[:]))
		if err != nil {
			t.Fatal(err)
		}
		deploys := i%5 == 0
		init := w.StateInit()
		if !deploys {
			init = nil
		}
		good, err := ton.External(w.Address(), init, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := firewall.CheckMessage(good, p, w, deploys); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		for bit := range 8 * len(good) {
			bad := slices.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := firewall.CheckMessage(bad, p, w, deploys); err == nil {
				t.Fatalf("message %d passes with bit %d flipped", i, bit)
			}
			flips++
		}
		again := ton.BoC(append(slices.Clone(good), 0))
		if err := firewall.CheckMessage(again, p, w, deploys); err == nil {
			t.Fatalf("message %d passes with a byte more", i)
		}
	}
	t.Logf("%d flips of %d messages", flips, n)
}

// Every code has its line in the documentation, once, and no other has.
func TestTheCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/firewall.md")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, name := range []string{"firewall.go", "jetton.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	var want, got []string
	for _, m := range regexp.MustCompile(`Code = "(FW-\d+)"`).FindAllSubmatch(source, -1) {
		want = append(want, string(m[1]))
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (FW-\d+) \|`).FindAllSubmatch(page, -1) {
		got = append(got, string(m[1]))
	}
	slices.Sort(got) // they stand under what they are about
	slices.Sort(want)
	if !slices.Equal(want, got) {
		t.Errorf("documented are %v, and there are %v", got, want)
	}
	for _, a := range firewall.DefaultDestinations() {
		if !bytes.Contains(page, []byte(a.String())) {
			t.Errorf("%s is not documented", a)
		}
	}
}
