package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// An attack is what somebody does who sits in Fragment's place, and who
// refuses: a rule by its code, or the client by what it takes the answer for.
type attack struct {
	name   string
	change func(answers) // of the good answers for 50 Stars
	by     any           // a firewall.Code, another code, or an error of package fragment
	item   product.Item  // another item than 50 Stars
	usdt   bool          // it is about 50 Stars that are paid in USDT
	asks   ton.Asset     // another money than the plan's, that Fragment is asked for by mistake; "" for none
	before []ledger.Event
}

// Who sits in Fragment's place and asks for anything but the approved purchase
// gets no signature, whatever they answer: over HTTP, through the client that
// users have and the engine that decides.
func TestAttacksAreRefused(t *testing.T) {
	var good []string
	for _, b := range append(baits(), baitOfUSDT()) {
		s := &stillness{}
		if err := b.attacked(t, b.answers, s, hostileBook()); !errors.Is(err, errNoKey) || s.signed != 1 {
			t.Fatalf("%s: the good answers are refused: %v", b.item, err)
		}
		good = append(good, b.item.String())
	}
	attacks := append(attacks(), attacksOnUSDT()...)
	names := map[string]bool{}
	for _, a := range attacks {
		if names[a.name] {
			t.Errorf("two attacks are %q", a.name)
		}
		names[a.name] = true
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			b := baits()[0]
			for _, other := range baits() {
				if other.item == a.item {
					b = other
				}
			}
			if a.usdt {
				b = baitOfUSDT()
			}
			a.change(b.answers)
			s := &stillness{}
			b.asks = a.asks
			err := b.attacked(t, b.answers, s, hostileBook(a.before...))
			if s.tried+s.signed+s.sent > 0 {
				t.Fatalf("emulated %d times, signed %d, sent %d", s.tried, s.signed, s.sent)
			}
			switch by := a.by.(type) {
			case firewall.Code:
				var r *refused
				if !errors.As(err, &r) || r.Code != string(by) {
					t.Errorf("got %v, want a refusal by %s", err, by)
				} else if !strings.HasPrefix(r.Reason, string(by)+": ") {
					t.Errorf("the reason does not begin with the code: %s", r.Reason)
				}
			case string:
				var r *refused
				if !errors.As(err, &r) || r.Code != by {
					t.Errorf("got %v, want %s", err, by)
				}
			case error:
				if !errors.Is(err, by) {
					t.Errorf("got %v, want %v", err, by)
				}
			}
			if text := fmt.Sprint(err); strings.ContainsAny(text, "\x1b\x00\r") || strings.ContainsRune(text, '\u202e') {
				t.Errorf("the refusal holds raw text of the attacker: %q", text)
			}
		})
	}
	t.Logf("%d attacks; good answers for %s pass", len(attacks), strings.Join(good, ", "))
	if len(attacks) < 200 {
		t.Errorf("only %d attacks", len(attacks))
	}
}

// refused is the problem that an order ended with.
type refused struct{ reconcile.Problem }

func (r *refused) Error() string { return r.Code + " " + r.Reason }

// attacked applies a purchase against a server with those answers.
func (b bait) attacked(t *testing.T, a answers, s *stillness, book *ledger.State) error {
	t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.end = cancel
	world := reconcile.World{Ledger: s, Market: newMarket([]seat{{client: a.client(server.URL)}}), Signer: s, Chain: s}
	if b.asks != "" {
		world.Market = mistaken{newMarket([]seat{{client: a.client(server.URL)}}), b.asks}
	}
	result, err := reconcile.Apply(ctx, nil, b.engine(book), world)
	if err != nil {
		return err
	}
	if len(result.Problems) == 1 {
		return &refused{result.Problems[0]}
	}
	return fmt.Errorf("%+v", result)
}

// attacks is the table. Its rows are made from lists where only a value differs.
func attacks() []attack {
	var list []attack
	add := func(by any, name string, change func(answers)) {
		list = append(list, attack{name: name, change: change, by: by})
	}
	const link, init, search, state = "getBuyStarsLink", "initBuyStarsRequest", "searchStarsRecipient", "updateStarsBuyState"
	in := func(method, old, new string) func(answers) {
		return func(a answers) {
			if !strings.Contains(a[method], old) {
				panic(fmt.Sprintf("%s does not hold %q", method, old))
			}
			a[method] = strings.Replace(a[method], old, new, 1)
		}
	}
	whole := func(method, answer string) func(answers) { return func(a answers) { a[method] = answer } }
	goodAmount, goodFrom := `"amount":"460900000"`, hostileWallet.Address().Raw()
	goodPayload := base64.RawURLEncoding.EncodeToString(packed("50 Telegram Stars \n\nRef#"+goodRef, 35))
	stranger := ton.Address{Account: [32]byte{0xbb, 1}}
	evil := fmt.Sprintf(`{"address":%q,"amount":"460900000","payload":%q}`, stranger, goodPayload)
	one := fmt.Sprintf(`{"address":%q,"amount":"460900000","payload":%q}`, collector, goodPayload)
	badAnswer, invoice := fragment.ErrBadAnswer, firewall.InvoiceForm

	// The answer as a whole.
	for name, answer := range map[string]string{
		"no answer": "", "a page in place of the link": "<html><body>Fragment</body></html>", "a null link": "null", "a number for a link": "460900000", "a list for a link": "[]", "a text for a link": `"ok"`,
		"an empty link": "{}", "a link without a transaction": `{"ok":true}`, "a transaction that is text": `{"ok":true,"transaction":"sign this"}`, "a transaction that is null": `{"ok":true,"transaction":null}`,
		"a transaction that is a list": `{"ok":true,"transaction":[]}`, "half a link": `{"ok":true,"transaction":{"validUntil":1790000600,"from":"`, "a link behind a byte order mark": "\ufeff{}",
		"a megabyte and more": `{"ok":true,"x":"` + strings.Repeat("a", 1<<20) + `"}`, "a link of the legacy kind": `{"ok":true,"link":"ton://transfer/` + stranger.String() + `","qr_link":"x","expire_after":600}`,
		"an invoice on another chain": `{"ok":true,"evm":true}`,
	} {
		by := any(badAnswer)
		switch name {
		case "a transaction that is null":
			by = invoice
		}
		add(by, name, whole(link, answer))
	}
	for name, c := range map[string][2]string{
		"an amount twice, the false one last":    {goodAmount, goodAmount + `,"amount":"999000000000"`},
		"an amount twice, the false one first":   {goodAmount, `"amount":"999000000000",` + goodAmount},
		"an amount in capitals beside the other": {goodAmount, goodAmount + `,"AMOUNT":"999000000000"`},
		"an amount with an escaped name":         {goodAmount, goodAmount + `,"\u0061mount":"999000000000"`},
		"an address twice":                       {`"address":`, fmt.Sprintf(`"address":%q,"address":`, stranger)},
		"an address in other letters":            {`"address":`, fmt.Sprintf(`"addreſs":%q,"address":`, stranger)},
		"messages twice":                         {`"messages":`, `"messages":[` + evil + `],"messages":`},
		"a transaction twice":                    {`"transaction":`, `"transaction":{},"transaction":`},
		"a from twice":                           {`"from":`, fmt.Sprintf(`"from":%q,"from":`, stranger.Raw())},
		"a payload twice":                        {`"payload":`, `"payload":"te6ccgEBAQEAAgAAAA","payload":`},
		"a second value behind the link":         {`"confirm_params":{"id":"REQ_ID"}}`, `"confirm_params":{"id":"REQ_ID"}}{"ok":true}`},
		"words behind the link":                  {`"confirm_params":{"id":"REQ_ID"}}`, `"confirm_params":{"id":"REQ_ID"}} done`},
		"a comment of programmers":               {`"ok":true,`, `"ok":true,/* fine */`},
		"a comma too many":                       {`"REQ_ID"}}`, `"REQ_ID"},}`},
		"single quotes":                          {`"ok":true`, `'ok':true`},
		"not a number":                           {`"ok":true`, `"ok":NaN`},
		"broken text":                            {`"ok":true`, "\"ok\":true,\"x\":\"\xff\xfe\""},
		"nested a hundred deep":                  {`"ok":true`, `"ok":true,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)},
	} {
		add(badAnswer, name, in(link, c[0], c[1]))
	}
	add("refused", "an error beside a transaction", in(link, `"ok":true`, `"ok":true,"error":"Sign quickly"`))
	add(fragment.ErrVerification, "a wish for papers beside a transaction", in(link, `"ok":true`, `"ok":true,"need_verify":true,"popup":"<b>Sign</b>"`))
	add(fragment.ErrNoWallet, "a wish for a wallet beside a transaction", in(link, `"ok":true`, `"ok":true,"need_ton":true`))
	add(badAnswer, "a redirect of the form to another host", whole(link, "redirect http://127.0.0.2:9/api"))
	add(badAnswer, "a redirect of the page to another host", whole("page", "redirect http://127.0.0.2:9/stars/buy"))
	add(badAnswer, "a page without a hash", whole("page", "<html></html>"))
	add(fragment.ErrBlocked, "a guard's page", whole("page", "<html><title>Just a moment...</title></html>"))

	// How much.
	for _, amount := range []string{
		`"460900001"`, `"460899999"`, `"4609000000"`, `"460900000000"`, `"46090000"`, `"1"`, `"999000000000"`, `"9223372036854775807"`, `460900001`,
		`"0"`, `0`, `"-460900000"`, `-460900000`, `"+460900000"`, `" 460900000"`, `"460900000 "`, `"460900000.0"`, `460900000.0`, `"4609e5"`, `4609e5`, `"0x1b78c6a0"`, `"460,900,000"`, `"460_900_000"`,
		`"0460900000"`, `"４６０９０００００"`, `"460900000\u0000"`, `"460900000\n"`, `"9223372036854775808"`, `"18446744074170451616"`, `"` + strings.Repeat("9", 200) + `"`, `""`, `null`, `true`, `false`, `[]`, `["460900000"]`, `{}`, `"0.4609"`, `"half"`, `"\u202e000009064"`,
	} {
		add(invoice, "the link's amount is "+printable(amount), in(link, goodAmount, `"amount":`+amount))
	}
	for _, amount := range []string{
		`"0.4609000001"`, `"0,4609"`, `"-0.4609"`, `"+0.4609"`, `"4609e-4"`, `"0x1"`, `".4609"`, `"0.4609 TON"`, `"1,00.4609"`, `"92233720368.5"`, `""`, `null`, `"0"`, `"0.0"`, `false`, `{}`, `[]`, `"NaN"`, `"∞"`, `"` + strings.Repeat("1", 100) + `"`,
	} {
		add(badAnswer, "the order's amount is "+printable(amount), in(init, `"amount":"0.4609"`, `"amount":`+amount))
	}
	for _, amount := range []string{`"0.46090001"`, `"4.609"`, `"460900000"`, `"0.4608"`, `"1,000.4609"`, `1`} {
		add(invoice, "the order's amount is not the link's but "+amount, in(init, `"amount":"0.4609"`, `"amount":`+amount))
	}
	both := func(decimal, nano string) func(answers) {
		return func(a answers) {
			in(init, `"0.4609"`, `"`+decimal+`"`)(a)
			in(link, goodAmount, `"amount":"`+nano+`"`)(a)
		}
	}
	add(firewall.AmountCap, "one nano above the ceiling", both("0.650000001", "650000001"))
	add(firewall.AmountCap, "a thousandfold price", both("460.9", "460900000000"))
	add(firewall.AmountCap, "all that there is", both("9223372036.854775807", "9223372036854775807"))
	list = append(list,
		attack{name: "a price in another unit than the last one's", by: firewall.AmountBand, before: purchase("Older0001"), change: both("0.0004609", "460900")},
		attack{name: "a price of one nano", by: firewall.AmountBand, before: purchase("Older0001"), change: both("0.000000001", "1")},
		attack{name: "a ref that was paid before", by: firewall.KnownRef, before: purchase(goodRef), change: func(answers) {}},
		attack{name: "a top-up for less than it credits", by: firewall.TopUpAmount, item: product.Item{Kind: product.TopUp, Quantity: 7}, change: func(a answers) {
			in("initAdsTopupRequest", `"7"`, `"1"`)(a)
			in("getAdsTopupLink", `"7000000000"`, `"1000000000"`)(a)
		}},
		attack{name: "a top-up for more than is written", by: firewall.AmountCap, item: product.Item{Kind: product.TopUp, Quantity: 7}, change: func(a answers) {
			in("initAdsTopupRequest", `"7"`, `"70"`)(a)
			in("getAdsTopupLink", `"7000000000"`, `"70000000000"`)(a)
		}},
		attack{name: "half a year for a quarter", by: firewall.WrongItem, item: product.Item{Kind: product.Premium, Quantity: 3}, change: in("getGiftPremiumLink",
			base64.RawURLEncoding.EncodeToString(packed("Telegram Premium for 3 months \n\nRef#"+goodRef, 35)), base64.RawURLEncoding.EncodeToString(packed("Telegram Premium for 6 months \n\nRef#"+goodRef, 35)))},
		attack{name: "12 months that are called so", by: firewall.WrongItem, item: product.Item{Kind: product.Premium, Quantity: 12}, change: in("getGiftPremiumLink",
			base64.RawURLEncoding.EncodeToString(packed("Telegram Premium for 1 year \n\nRef#"+goodRef, 35)), base64.RawURLEncoding.EncodeToString(packed("Telegram Premium for 12 months \n\nRef#"+goodRef, 35)))},
	)

	// To whom.
	flipped := func(bit int) string {
		a := ton.MustParseAddress(collector)
		a.Account[bit/8] ^= 1 << (bit % 8)
		return a.String()
	}
	for name, address := range map[string]string{
		"to a stranger": stranger.String(), "to a stranger in the raw form": stranger.Raw(), "to ourselves": hostileWallet.Address().String(), "to nobody": ton.Address{}.Raw(),
		"one bit beside the collector": flipped(0), "the last bit beside the collector": flipped(255), "a middle bit beside the collector": flipped(100),
		"to the master of USDT":                         "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs",
		"to another account with Fragment's name":       "0:5e69bec3dfc448c32a5e81b37b619810cf00db6fc41f30cc18f28b89737a8f97",
		"to the treasury of Telegram":                   "0:8c397c43f9ff0b49659b5d0a302b1a93af7ccc63e5f5c0c4f25a9dc1f8b47ab3",
		"to the collector's number in the masterchain":  "-1:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a",
		"to a friendly address of the masterchain":      ton.Address{Workchain: -1, Account: [32]byte{0x85}}.String(),
		"to a stranger in the other alphabet of base64": strings.NewReplacer("-", "+", "_", "/").Replace(stranger.String()),
	} {
		add(firewall.Destination, name, in(link, collector, address))
	}
	for name, address := range map[string]string{
		"a workchain that there is not": "1:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a", "a workchain with a sign": "+0:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a",
		"a short raw address": "0:852443f8", "a long raw address": "0:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a00", "a checksum that is wrong": "UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFy",
		"a letter of another alphabet": "UQСFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz", "an address with a line break": `UQCFJEP4WZ_mpdo0_kMEmsTg\nvrMHG7K_tWY16pQhKHwoOtFz`, "an address with a space before it": " " + collector, "two addresses": collector + "," + stranger.String(),
		"an address of a test network": "kQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOjE4", "a domain": "fragment.ton", "a link as an address": "ton://transfer/" + collector, "no address": "", "half an address": collector[:24],
	} {
		add(invoice, name, in(link, collector, address))
	}
	for name, address := range map[string]string{"an address that is null": "null", "an address that is a number": "0", "an address that is a list": `["` + collector + `"]`, "an address that is an object": "{}"} {
		add(invoice, name, in(link, `"`+collector+`"`, address))
	}

	// How many messages.
	for name, messages := range map[string]string{
		"no message": "", "a second message to a stranger": one + "," + evil, "a stranger's message before the good one": evil + "," + one, "the good message twice": one + "," + one,
		"255 messages": strings.Repeat(one+",", 254) + one, "a message that is null": "null", "two messages that are null": "null,null", "an empty message": "{}",
	} {
		add(invoice, name, in(link, "["+one+"]", "["+messages+"]"))
	}
	add(badAnswer, "messages that are an object", in(link, "["+one+"]", one))
	add(invoice, "messages that are null", in(link, "["+one+"]", "null"))
	add(badAnswer, "a message in a list of its own", in(link, "["+one+"]", "[["+one+"]]"))

	// What is deployed with it.
	for name, value := range map[string]string{
		"code to deploy": `"` + goodPayload + `"`, "code to deploy that is no code": `"x"`, "code to deploy that is a number": "1", "code to deploy that is true": "true", "code to deploy in an object": `{"code":"x"}`, "code to deploy in a list": "[]",
	} {
		add(invoice, name, in(link, `"payload":`, `"stateInit":`+value+`,"payload":`))
	}
	add(invoice, "code to deploy in capitals", in(link, `"payload":`, `"STATEINIT":"`+goodPayload+`","payload":`))

	// From whom, where and until when.
	other := ton.Wallet{Version: ton.V4R2, PublicKey: hostileWallet.PublicKey, NetworkID: ton.Mainnet}
	for name, from := range map[string]string{"from a stranger": stranger.Raw(), "from the other wallet of the key": other.Address().Raw(), "from our number in the masterchain": "-1" + goodFrom[1:], "from the collector": collector} {
		add(fragment.ErrOtherWallet, name, in(link, goodFrom, from))
	}
	for name, from := range map[string]string{"from nobody": `""`, "from null": "null", "from a number": "0", "from a list": "[]", "from half an address": `"0:1234"`} {
		add(invoice, name, in(link, `"`+goodFrom+`"`, from))
	}
	for _, network := range []string{`"-3"`, `-3`, `"0"`, `"mainnet"`, `"239"`, `"-239 "`, `"-2390"`, `true`} {
		add(invoice, "on the network "+network, in(link, `"from"`, `"network":`+network+`,"from"`))
	}
	until := fmt.Sprintf(`"validUntil":%d`, hostileUntil)
	for _, end := range []string{`-1`, `1790000600000`, `4294967296`, `1790000600.5`, `1.79e9`, `"soon"`, `"2026-11-23T00:00:00Z"`, `null`, `""`, `true`, `[]`, `{}`, `" 1790000600"`, `"0x6ab1bd80"`} {
		add(invoice, "valid until "+end, in(link, until, `"validUntil":`+end))
	}
	add(invoice, "valid until nobody says when", in(link, until+",", ""))
	for _, end := range []int{0, 1, hostileNow - 600, hostileNow - 1, hostileNow} {
		add(firewall.Expired, fmt.Sprintf("valid until %d, and it is %d", end, hostileNow), in(link, until, fmt.Sprintf(`"validUntil":%d`, end)))
	}

	// What stands in the body.
	body := func(b []byte) func(answers) { return in(link, goodPayload, base64.RawURLEncoding.EncodeToString(b)) }
	for name, text := range map[string]string{
		"fewer Stars": "49 Telegram Stars \n\nRef#kpJ55h3BW", "more Stars": "500 Telegram Stars \n\nRef#kpJ55h3BW", "a leading zero": "050 Telegram Stars \n\nRef#kpJ55h3BW", "a sign": "+50 Telegram Stars \n\nRef#kpJ55h3BW", "a fraction": "50.0 Telegram Stars \n\nRef#kpJ55h3BW", "other digits": "５０ Telegram Stars \n\nRef#kpJ55h3BW",
		"a space before": " 50 Telegram Stars \n\nRef#kpJ55h3BW", "two spaces": "50  Telegram Stars \n\nRef#kpJ55h3BW", "small letters": "50 telegram stars \n\nRef#kpJ55h3BW", "a foreign letter": "50 Telеgram Stars \n\nRef#kpJ55h3BW", "an invisible letter": "50 Telegram\u200b Stars \n\nRef#kpJ55h3BW",
		"text that runs backwards": "\u202e50 Telegram Stars \n\nRef#kpJ55h3BW", "a terminal's escape": "\x1b[2J50 Telegram Stars \n\nRef#kpJ55h3BW", "a zero byte": "50 Telegram Stars\x00 \n\nRef#kpJ55h3BW", "Premium for Stars": "Telegram Premium for 3 months \n\nRef#kpJ55h3BW", "a top-up for Stars": "Telegram account top up \n\nRef#kpJ55h3BW",
		"an advertiser's top-up": "Telegram Ad account top up \n\nRef#kpJ55h3BW", "a fee": "Bot Username Upgrade Fee \n\nRef#kpJ55h3BW", "a promise": "Receive 5,000 USDT \n\nRef#kpJ55h3BW", "two purchases": "50 Telegram Stars 50 Telegram Stars \n\nRef#kpJ55h3BW",
	} {
		add(firewall.WrongItem, "a comment with "+name, body(packed(text, 35)))
	}
	for name, text := range map[string]string{
		"no line break": "50 Telegram Stars Ref#kpJ55h3BW", "one line break": "50 Telegram Stars \nRef#kpJ55h3BW", "no space before the break": "50 Telegram Stars\n\nRef#kpJ55h3BW", "a carriage return": "50 Telegram Stars \r\n\r\nRef#kpJ55h3BW", "a tab": "50 Telegram Stars\t\n\nRef#kpJ55h3BW", "a mark in small letters": "50 Telegram Stars \n\nref#kpJ55h3BW",
	} {
		by := any(firewall.BodyComment)
		if strings.Contains(text, "ref#") {
			by = invoice
		}
		add(by, "a comment with "+name, body(packed(text, 35)))
	}
	for name, text := range map[string]string{
		"no ref": "50 Telegram Stars", "an empty ref": "50 Telegram Stars \n\nRef#", "a short ref": "50 Telegram Stars \n\nRef#kpJ55", "a long ref": "50 Telegram Stars \n\nRef#" + strings.Repeat("k", 17), "a ref with a space": "50 Telegram Stars \n\nRef#kpJ55 h3BW", "a ref with a foreign letter": "50 Telegram Stars \n\nRef#kpЈ55h3BW",
		"text behind the ref": "50 Telegram Stars \n\nRef#kpJ55h3BW thanks", "a line break behind the ref": "50 Telegram Stars \n\nRef#kpJ55h3BW\n", "no text": "", "a ref in a link": "50 Telegram Stars \n\nRef#https://t.me", "broken text": "50 Telegram Stars \n\nRef#kpJ55h3B\xff",
	} {
		add(invoice, "a comment with "+name, body(packed(text, 35)))
	}
	add(firewall.WrongRef, "a comment with two refs", body(packed("50 Telegram Stars \n\nRef#kpJ55h3BW \n\nRef#kpJ55h3BX", 35)))
	text := "50 Telegram Stars \n\nRef#" + goodRef
	for _, first := range []int{0, 1, 16, 23, 32} {
		add(firewall.BodyRebuilt, fmt.Sprintf("a comment that is cut after %d bytes", first), body(packed(text, first)))
	}
	long := "10000 Telegram Stars \n\nRef#" + goodRef
	for _, first := range []int{0, 34, 36} {
		list = append(list, attack{name: fmt.Sprintf("a longer comment that is cut after %d bytes", first), by: firewall.BodyRebuilt, item: product.Item{Kind: product.Stars, Quantity: 10_000},
			change: in(link, base64.RawURLEncoding.EncodeToString(packed(long, 35)), base64.RawURLEncoding.EncodeToString(packed(long, first)))})
	}
	store := func(op uint64) *cell.Builder { return cell.BeginCell().MustStoreUInt(op, 32) }
	said := func() *cell.Builder { return store(0).MustStoreSlice([]byte(text), uint(len(text))*8) }
	empty := cell.BeginCell().EndCell()
	add(firewall.BodyRebuilt, "an empty cell below the comment", body(ton.BoCOf(said().MustStoreRef(empty).EndCell())))
	for name, c := range map[string]*cell.Cell{
		"an empty body": empty, "an operation alone": store(1).EndCell(), "an encrypted comment": store(0x2167da4b).MustStoreSlice([]byte(text), uint(len(text))*8).EndCell(),
		"a transfer of an NFT": store(0x5fcc3d14).MustStoreUInt(1, 64).EndCell(), "a burn of USDT": store(0x595f07bc).MustStoreUInt(1, 64).EndCell(), "a change of owner": store(0x6501f354).EndCell(), "an exchange of coins": store(0xea06185d).EndCell(),
		"a request to the wallet itself": store(0x73696e74).EndCell(), "an extension for the wallet": store(0x6578746e).MustStoreUInt(2, 8).EndCell(), "a stray bit behind the text": said().MustStoreBoolBit(true).EndCell(), "a stray bit before the text": cell.BeginCell().MustStoreUInt(0, 33).MustStoreSlice([]byte(text), uint(len(text))*8).EndCell(),
		"two cells below the comment": said().MustStoreRef(empty).MustStoreRef(empty).EndCell(), "a USDT transfer": store(0x0f8a7ea5).MustStoreUInt(1, 64).MustStoreUInt(3, 4).MustStoreUInt(750_000, 24).MustStoreUInt(0, 2).EndCell(),
	} {
		add(invoice, name+" in the body", body(ton.BoCOf(c)))
	}
	library, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(said().EndCell().Hash(), 256).EndCellSpecial(true)
	if err != nil {
		panic(err)
	}
	add(invoice, "a library in the body", body(ton.BoCOf(library)))
	chain := cell.BeginCell().MustStoreSlice([]byte(text), uint(len(text))*8)
	for range 9 {
		chain = cell.BeginCell().MustStoreRef(chain.EndCell())
	}
	add(firewall.BodySize, "a comment of ten cells", body(ton.BoCOf(store(0).MustStoreRef(chain.EndCell()).EndCell())))
	good := packed(text, 35)
	levels := append([]byte{}, good...)
	levels[len(levels)-len(text)-4-2] |= 1 << 5
	for name, b := range map[string][]byte{
		"a body that upsets parsers": mustBase64("te6ccgEBAQEAJwAaSgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNJbTJ5NWl0ZDY"), "text that is no bag": []byte(text), "a bag without its end": good[:len(good)-1], "half a bag": good[:len(good)/2], "the first bytes of a bag": good[:4], "a bag of another kind": append([]byte{0xb5, 0xee, 0x9c, 0x73}, good[4:]...),
		"a cell that claims a level": levels,
	} {
		add(invoice, name+" in the body", body(b))
	}
	for name, payload := range map[string]string{
		"no base64": `"payload":"***"`, "base64 that is cut": `"payload":"` + goodPayload[:len(goodPayload)-1] + `"`, "hexadecimal": `"payload":"b5ee9c72"`, "nothing": `"payload":""`, "null": `"payload":null`, "a number": `"payload":1`, "a list": `"payload":[]`, "an object": `"payload":{}`, "far too much": `"payload":"` + strings.Repeat("A", 70_000) + `"`,
	} {
		add(invoice, "a payload of "+name, in(link, `"payload":"`+goodPayload+`"`, payload))
	}

	// How to confirm, and who it is for.
	for name, c := range map[string][2]string{
		"a confirmation that is an address": {`"confirmReq"`, `"../api?hash=1"`}, "a confirmation with a line break": {`"confirmReq"`, `"confirm\r\nHost: x"`}, "a confirmation that sets the message": {`{"id":"REQ_ID"}`, `{"id":"REQ_ID","boc":"x"}`}, "a confirmation that sets the method": {`{"id":"REQ_ID"}`, `{"method":"logOut"}`},
		"a confirmation that sets the account": {`{"id":"REQ_ID"}`, `{"account":"{}"}`}, "parameters that are a list": {`{"id":"REQ_ID"}`, `["REQ_ID"]`}, "parameters of odd names": {`{"id":"REQ_ID"}`, `{"a b":"x"}`}, "a parameter of two KiB": {`{"id":"REQ_ID"}`, `{"id":"` + strings.Repeat("x", 2048) + `"}`},
	} {
		add(badAnswer, name, in(link, c[0], c[1]))
	}
	for name, c := range map[string][3]string{
		"an order without a name": {init, `"REQ_ID"`, `""`}, "an order with a name of odd letters": {init, `"REQ_ID"`, `"a&b=c"`}, "an order with an endless name": {init, `"REQ_ID"`, `"` + strings.Repeat("R", 300) + `"`}, "an order that is a list": {init, `"REQ_ID"`, `[]`}, "an order twice": {init, `"req_id"`, `"req_id":"X","req_id"`},
		"a recipient without a name": {search, `"tok_EN-1"`, `""`}, "a recipient of odd letters": {search, `"tok_EN-1"`, `"a b"`}, "a recipient that is a list": {search, `"tok_EN-1"`, `["x"]`}, "a recipient twice": {search, `"recipient"`, `"recipient":"x","recipient"`}, "nobody found, and no error": {search, `"found"`, `"lost"`}, "a state without a mode": {state, `{"ok":true,"mode":"new"`, `{"ok":false,"x":"new"`},
	} {
		add(badAnswer, name, in(c[0], c[1], c[2]))
	}
	return list
}

func mustBase64(s string) []byte {
	b, err := ton.ParseBase64(s)
	if err != nil {
		panic(err)
	}
	return b
}

// purchase is a ledger's memory of 50 Stars that were bought for 0.4609 TON.
func purchase(ref string) []ledger.Event {
	item := product.Item{Kind: product.Stars, Quantity: 50}
	price := ton.Nano(460_900_000)
	transfer := ton.Transfer{To: ton.MustParseAddress(collector), Amount: price, Body: packed("50 Telegram Stars \n\nRef#"+ref, 35)}
	wallet := hostileWallet.Address()
	payload := ton.Payload{Wallet: hostileWallet.Version, WalletID: hostileWallet.ID(), Seqno: 8, ValidUntil: hostileNow - 500, Transfers: []ton.Transfer{transfer}}
	message, err := signedBy(payload, func(h []byte) []byte { return hostileSign(h) })
	if err != nil {
		panic(err)
	}
	return []ledger.Event{
		ledger.RunStarted{Run: 1, Digest: ton.Hash{7}},
		ledger.OrderReserved{Order: 1, Run: 1, Key: "earlier/bob", Generation: 1, Part: 1, Person: "bob", Handle: "bob", Item: item, Wallet: wallet, Cap: price.Amount(), Reserve: price.Amount()},
		ledger.OrderQuoted{Order: 1, Invoice: ledger.Invoice{N: 1, RequestID: "OLD", Ref: ref, Transfer: transfer, Price: price.Amount(), ValidUntil: hostileNow - 400}},
		ledger.PaymentArmedEvent{Payment: 1, Run: 1, Wallet: wallet, Payload: payload, Orders: []ledger.OrderID{1}},
		ledger.PaymentSignedEvent{Payment: 1, Message: message},
		ledger.PaymentExecutedEvent{Payment: 1, Transaction: ton.Position{LT: 100, Hash: ton.Hash{1}}, Time: hostileNow - 600, Fees: 3_000_000, Paid: []ledger.OrderID{1}},
		ledger.OrderAcknowledged{Order: 1},
		ledger.RunFinished{Run: 1, Outcome: "complete"},
	}
}

var _ http.Handler = answers{}
