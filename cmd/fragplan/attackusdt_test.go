package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// hostilePurse is the wallet's own jetton wallet, as the chain proves it.
var hostilePurse = ton.Address{Account: [32]byte{0x77, 31: 1}}

// usdtLink is what a link for USDT asks for, to be changed.
type usdtLink struct {
	to       ton.Address
	gas      ton.Nano
	transfer ton.JettonTransfer
	body     *cell.Cell // in place of the transfer
	more     string     // JSON behind the payload
	second   bool       // the message stands twice
	before   string     // JSON before the messages
	from     ton.Address
	until    int64
}

func goodUSDT() usdtLink {
	return usdtLink{to: hostilePurse, gas: ton.TON / 20, from: hostileWallet.Address(), until: hostileUntil, transfer: ton.JettonTransfer{
		QueryID: 7, Amount: 750_000, Destination: ton.MustParseAddress(collector), Response: hostileWallet.Address(), Forward: 1,
		Payload: packed("50 Telegram Stars \n\nRef#"+goodRef, 35),
	}}
}

func (l usdtLink) answer() string {
	body := l.body
	if body == nil {
		var err error
		if body, err = l.transfer.Encode(); err != nil {
			panic(err)
		}
	}
	message := fmt.Sprintf(`{"address":%q,"amount":"%d","payload":%q%s}`, l.to.TLB(), int64(l.gas), base64.RawURLEncoding.EncodeToString(ton.BoCOf(body)), l.more)
	if l.second {
		message += "," + message
	}
	return fmt.Sprintf(`{"ok":true,"transaction":{"validUntil":%d,"from":%q,%s"messages":[%s]},"confirm_method":"confirmReq","confirm_params":{"id":"REQ_ID"}}`,
		l.until, l.from.Raw(), l.before, message)
}

// baitOfUSDT are 50 Stars for 0.75 USDT and the good answers to that.
func baitOfUSDT() bait {
	b := bait{item: product.Item{Kind: product.Stars, Quantity: 50}, price: "0.75", asset: ton.AssetUSDT}
	b.answers = b.good()
	b.answers["getBuyStarsLink"] = goodUSDT().answer()
	return b
}

// attacksOnUSDT are those that only a payment in USDT is open to, and those that
// look different there.
func attacksOnUSDT() []attack {
	var list []attack
	add := func(by any, name string, change func(*usdtLink)) {
		list = append(list, attack{name: "USDT: " + name, by: by, usdt: true, change: func(a answers) {
			l := goodUSDT()
			change(&l)
			a["getBuyStarsLink"] = l.answer()
		}})
	}
	stranger := ton.Address{Account: [32]byte{0xbb, 1}}
	for name, to := range map[string]ton.Address{"a stranger": stranger, "the shop itself": ton.MustParseAddress(collector), "the paying wallet": hostileWallet.Address(), "who makes USDT": ton.USDTMaster, "the same account in the masterchain": {Workchain: -1, Account: hostilePurse.Account}} {
		add(firewall.JettonWallet, "asks "+name+" to pay", func(l *usdtLink) { l.to = to })
	}
	for name, gas := range map[string]ton.Nano{"a nanoTON too much": firewall.MaxGas + 1, "1 TON": ton.TON, "all that the wallet has": 100_000 * ton.TON} {
		add(firewall.JettonGas, "gas of "+name, func(l *usdtLink) { l.gas = gas })
	}
	add(firewall.InvoiceForm, "no gas", func(l *usdtLink) { l.gas = 0 })
	for name, to := range map[string]ton.Address{"a stranger": stranger, "the payer's own jetton wallet": hostilePurse, "the payer": hostileWallet.Address(), "the shop's account in the masterchain": {Workchain: -1, Account: ton.MustParseAddress(collector).Account}} {
		add(firewall.JettonDestination, "pays "+name, func(l *usdtLink) { l.transfer.Destination = to })
	}
	for name, to := range map[string]ton.Address{"a stranger": stranger, "the shop": ton.MustParseAddress(collector), "nobody": {}} {
		add(firewall.JettonResponse, "what is left goes to "+name, func(l *usdtLink) { l.transfer.Response = to })
	}
	for name, forward := range map[string]ton.Nano{"nothing": 0, "2 nanoTON": 2, "0.04 TON": ton.TON / 25, "more than the gas": ton.TON} {
		add(firewall.JettonForward, name+" goes on", func(l *usdtLink) { l.transfer.Forward = forward })
	}
	for name, units := range map[string]int64{"none": 0, "one unit less": 749_999, "one unit more": 750_001, "nine decimals": 750_000_000, "all": 1_000_000_000} {
		add(firewall.InvoiceForm, "a sum of "+name, func(l *usdtLink) { l.transfer.Amount = units })
	}
	list = append(list, attack{name: "USDT: one unit above the ceiling", by: firewall.JettonCap, usdt: true, change: func(a answers) {
		l := goodUSDT()
		l.transfer.Amount = 800_001
		a["initBuyStarsRequest"], a["getBuyStarsLink"] = strings.Replace(a["initBuyStarsRequest"], `"0.75"`, `"0.800001"`, 1), l.answer()
	}})
	add(firewall.WrongItem, "a comment about fewer Stars", func(l *usdtLink) { l.transfer.Payload = packed("49 Telegram Stars \n\nRef#"+goodRef, 35) })
	add(firewall.InvoiceForm, "a comment without a ref", func(l *usdtLink) { l.transfer.Payload = packed("50 Telegram Stars", 35) })
	add(firewall.InvoiceForm, "no comment", func(l *usdtLink) { l.transfer.Payload = ton.BoCOf(cell.BeginCell().EndCell()) })
	add(firewall.InvoiceForm, "two messages", func(l *usdtLink) { l.second = true })
	add(firewall.InvoiceForm, "a contract to deploy", func(l *usdtLink) { l.more = `,"stateInit":"te6ccgEBAQEAAgAAAA=="` })

	// The link around it.
	add(fragment.ErrOtherWallet, "another wallet is to pay", func(l *usdtLink) { l.from = stranger })
	add(fragment.ErrOtherWallet, "the jetton wallet itself is to pay", func(l *usdtLink) { l.from = hostilePurse })
	add(firewall.InvoiceForm, "on a test network", func(l *usdtLink) { l.before = `"network":"-3",` })
	for name, until := range map[string]int64{"a moment ago": hostileNow - 1, "by now": hostileNow, "long ago": 1} {
		add(firewall.Expired, "valid until "+name, func(l *usdtLink) { l.until = until })
	}
	add(firewall.Expired, "valid without an end", func(l *usdtLink) { l.until = 0 })
	add(firewall.BodyRebuilt, "a comment that is packed otherwise", func(l *usdtLink) { l.transfer.Payload = packed("50 Telegram Stars \n\nRef#"+goodRef, 20) })
	add(firewall.BodyRebuilt, "a comment within the transfer", func(l *usdtLink) { l.transfer.Inline = true })
	add(firewall.InvoiceForm, "a comment with more behind the ref", func(l *usdtLink) { l.transfer.Payload = packed("50 Telegram Stars \n\nRef#"+goodRef+" thanks", 35) })
	add(firewall.InvoiceForm, "TON to the shop in place of USDT", func(l *usdtLink) {
		l.to, l.body = ton.MustParseAddress(collector), mustCell(packed("50 Telegram Stars \n\nRef#"+goodRef, 35))
	})

	// What the ledger knows.
	unchanged := func(answers) {}
	list = append(list,
		attack{name: "USDT: a query id that another order had", by: firewall.JettonQuery, usdt: true, before: paidInUSDT("Older0001", 7), change: unchanged},
		attack{name: "USDT: a ref that another order had", by: firewall.KnownRef, usdt: true, before: paidInUSDT(goodRef, 8), change: unchanged},
		attack{name: "USDT: an offer in TON", by: firewall.OtherAsset, usdt: true, asks: ton.AssetTON, change: func(a answers) {
			for method, answer := range baits()[0].good() {
				a[method] = answer
			}
		}},
		attack{name: "an offer in USDT", by: firewall.OtherAsset, asks: ton.AssetUSDT, change: func(a answers) {
			for method, answer := range baitOfUSDT().answers {
				a[method] = answer
			}
		}},
		attack{name: "a transfer of USDT in place of TON", by: firewall.InvoiceForm, change: func(a answers) { a["getBuyStarsLink"] = goodUSDT().answer() }},
	)

	good, err := goodUSDT().transfer.Encode()
	if err != nil {
		panic(err)
	}
	comment, err := goodUSDT().transfer.Payload.Cell()
	if err != nil {
		panic(err)
	}
	head := func(op uint64) *cell.Builder { return cell.BeginCell().MustStoreUInt(op, 32).MustStoreUInt(7, 64) }
	custom := head(0x0f8a7ea5).MustStoreUInt(3, 4).MustStoreUInt(750_000, 24).MustStoreAddr(ton.MustParseAddress(collector).TLB()).
		MustStoreAddr(hostileWallet.Address().TLB()).MustStoreBoolBit(true).MustStoreRef(comment).MustStoreUInt(1, 4).MustStoreUInt(1, 8).MustStoreBoolBit(true).MustStoreRef(comment).EndCell()
	for name, body := range map[string]*cell.Cell{
		"a custom payload": custom, "a comment in place of the transfer": comment, "a burn": head(0x595f07bc).MustStoreUInt(3, 4).MustStoreUInt(750_000, 24).MustStoreUInt(0, 2).MustStoreBoolBit(false).EndCell(),
		"a transfer of an NFT": head(0x5fcc3d14).EndCell(), "a stray bit behind the transfer": good.ToBuilder().MustStoreBoolBit(false).EndCell(), "a cell below the transfer": good.ToBuilder().MustStoreRef(comment).EndCell(),
		"an order to the wallet": head(0x73696e74).EndCell(),
	} {
		add(firewall.InvoiceForm, name, func(l *usdtLink) { l.body = body })
	}
	return list
}

func mustCell(b ton.BoC) *cell.Cell {
	c, err := b.Cell()
	if err != nil {
		panic(err)
	}
	return c
}

// paidInUSDT is an earlier order that was paid under the ref and the query id.
func paidInUSDT(ref string, query uint64) []ledger.Event {
	l := goodUSDT()
	l.transfer.QueryID, l.transfer.Payload = query, packed("50 Telegram Stars \n\nRef#"+ref, 35)
	body, err := l.transfer.Encode()
	if err != nil {
		panic(err)
	}
	events := purchase(ref)
	price := ton.Amount{Asset: ton.AssetUSDT, Units: 750_000}
	for i, e := range events {
		switch e := e.(type) {
		case ledger.OrderReserved:
			e.Cap, e.Reserve = price, price
			events[i] = e
		case ledger.OrderQuoted:
			e.Invoice.Price, e.Invoice.Transfer = price, ton.Transfer{To: l.to, Bounce: true, Amount: l.gas, Body: ton.BoCOf(body)}
			events[i] = e
		case ledger.PaymentArmedEvent:
			e.Payload.Transfers = []ton.Transfer{{To: l.to, Bounce: true, Amount: l.gas, Body: ton.BoCOf(body)}}
			events[i] = e
		case ledger.PaymentExecutedEvent:
			e.Paid, e.Sent = nil, e.Paid
			events[i] = e
		case ledger.OrderAcknowledged:
			events = slices.Insert(events, i, ledger.Event(ledger.TransferReceived{Order: 1, Transaction: ton.Position{LT: 105, Hash: ton.Hash{5}}}))
			return events
		}
	}
	return events
}

// mistaken is a market that asks Fragment for an offer in another money than
// the plan's.
type mistaken struct {
	*market
	asks ton.Asset
}

func (m mistaken) Quote(ctx context.Context, handle string, item product.Item, _ ton.Asset) (reconcile.Offer, error) {
	return m.market.Quote(ctx, handle, item, m.asks)
}
