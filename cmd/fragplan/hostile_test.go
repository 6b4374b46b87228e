package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// answers are what a Fragment says, by method; "page" is every page.
type answers map[string]string

// A bait is a purchase and the good answers to it.
type bait struct {
	item    product.Item
	price   string // decimal TON
	comment string
	answers answers
	asset   ton.Asset // the money that pays; "" is TON
	asks    ton.Asset // another one that Fragment is asked for, if it isn't ""
}

var (
	hostileSeed   = bytes.Repeat([]byte{0xc5}, ed25519.SeedSize)
	hostileKey    = ed25519.NewKeyFromSeed(hostileSeed)
	hostileWallet = ton.Wallet{Version: ton.V5R1, PublicKey: hostileKey.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
	collector     = "UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz"
)

const (
	hostileNow   = 1_790_000_000
	hostileUntil = hostileNow + 600
	goodRef      = "kpJ55h3BW"
)

// baits are one purchase of every kind, with comments of one cell and of two.
func baits() []bait {
	var list []bait
	for _, b := range []struct {
		kind     product.Kind
		quantity int64
		price    string
		comment  string
	}{
		{product.Stars, 50, "0.4609", "50 Telegram Stars"},
		{product.Stars, 10_000, "92.18", "10000 Telegram Stars"},
		{product.Premium, 3, "7.2811", "Telegram Premium for 3 months"},
		{product.Premium, 12, "17.3", "Telegram Premium for 1 year"},
		{product.TopUp, 7, "7", "Telegram account top up"},
	} {
		item := bait{item: product.Item{Kind: b.kind, Quantity: b.quantity}, price: b.price, comment: b.comment + " \n\nRef#" + goodRef}
		item.answers = item.good()
		list = append(list, item)
	}
	return list
}

func (b bait) nano() ton.Nano {
	n, err := ton.ParseNano(b.price)
	if err != nil {
		panic(err)
	}
	return n
}

// good are the answers of a service that means well, as they were recorded.
func (b bait) good() answers {
	const found = `{"ok":true,"found":{"myself":false,"recipient":"tok_EN-1","photo":"","name":"Jane &amp; Co"}}`
	const state = `{"ok":true,"mode":"new","need_update":false,"lv":7,"dh":12}`
	init := fmt.Sprintf(`{"req_id":"REQ_ID","myself":true,"to_bot":false,"amount":%q}`, b.price)
	link := fmt.Sprintf(`{"ok":true,"transaction":{"validUntil":%d,"from":%q,"messages":[{"address":%q,"amount":"%d","payload":%q}]},"confirm_method":"confirmReq","confirm_params":{"id":"REQ_ID"}}`,
		hostileUntil, hostileWallet.Address().Raw(), collector, int64(b.nano()), base64.RawURLEncoding.EncodeToString(packed(b.comment, 35)))
	a := answers{"page": `<script>ajInit({"version":505,"apiUrl":"\/api?hash=0123456789abcdef01","unauth":true});</script>`, "confirmReq": `{"ok":true}`}
	for _, methods := range [][4]string{
		{"searchStarsRecipient", "updateStarsBuyState", "initBuyStarsRequest", "getBuyStarsLink"},
		{"searchPremiumGiftRecipient", "updatePremiumState", "initGiftPremiumRequest", "getGiftPremiumLink"},
		{"searchAdsTopupRecipient", "updateAdsTopupState", "initAdsTopupRequest", "getAdsTopupLink"},
	} {
		for i, answer := range []string{found, state, init, link} {
			a[methods[i]] = answer
		}
	}
	return a
}

// methodsOf are search, state, init and link of a product.
func methodsOf(k product.Kind) (search, state, init, link string) {
	switch k {
	case product.Premium:
		return "searchPremiumGiftRecipient", "updatePremiumState", "initGiftPremiumRequest", "getGiftPremiumLink"
	case product.TopUp:
		return "searchAdsTopupRecipient", "updateAdsTopupState", "initAdsTopupRequest", "getAdsTopupLink"
	}
	return "searchStarsRecipient", "updateStarsBuyState", "initBuyStarsRequest", "getBuyStarsLink"
}

// packed is a comment whose first cell holds so many bytes of its text.
func packed(text string, first int) ton.BoC {
	first = min(first, len(text))
	b := cell.BeginCell().MustStoreUInt(0, 32).MustStoreSlice([]byte(text[:first]), uint(first)*8)
	if rest := text[first:]; rest != "" {
		b.MustStoreRef(cell.BeginCell().MustStoreSlice([]byte(rest), uint(len(rest))*8).EndCell())
	}
	return ton.BoCOf(b.EndCell())
}

// ServeHTTP is the API of somebody who answers whatever suits them.
func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := "page"
	if r.Method == http.MethodPost {
		name = r.PostFormValue("method")
	}
	if to, redirected := strings.CutPrefix(a[name], "redirect "); redirected {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		return
	}
	_, _ = io.WriteString(w, a[name])
}

// RoundTrip is the same without a network, for a million answers.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	name := "page"
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		name = form.Get("method")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(a[name])), Request: r}, nil
}

func (a answers) client(address string) *fragment.Client {
	c := &fragment.Client{
		BaseURL: address, Cookie: fragment.SecretOf("stel_ssid=1"), RetryPause: 1,
		Wallet: fragment.Account{Address: hostileWallet.Address(), PublicKey: hostileWallet.PublicKey, NetworkID: ton.Mainnet},
	}
	if address == "" {
		c.BaseURL, c.HTTP, c.Hash = "http://fragment.invalid", &http.Client{Transport: a}, fragment.SecretOf("0123456789abcdef01")
	}
	return c
}

var hostileLimits = policy.Limits{
	Order: plenty(), Run: plenty(), Month: plenty(), Undelivered: plenty(),
	Price: []policy.Ceiling{
		{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: (13 * ton.TON / 10).Amount()},
		{Item: product.Item{Kind: product.Premium, Quantity: 3}, Max: (10 * ton.TON).Amount()},
		{Item: product.Item{Kind: product.Premium, Quantity: 12}, Max: (25 * ton.TON).Amount()},
		{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: ton.Amount{Asset: ton.AssetUSDT, Units: 1_600_000}},
	},
}

func plenty() []ton.Amount {
	return []ton.Amount{(1_000_000 * ton.TON).Amount(), {Asset: ton.AssetUSDT, Units: 1_000_000_000_000}}
}

// account is the wallet as a chain that stands still proves it.
func hostileAccount() ton.Account {
	return ton.Account{
		Address: hostileWallet.Address(), Balance: 100_000 * ton.TON, Active: true, CodeHash: hostileWallet.Version.CodeHash(),
		Data: ton.WalletData{Seqno: 9, ID: hostileWallet.ID(), PublicKey: hostileWallet.PublicKey, Plain: true},
		Last: ton.Position{LT: 100, Hash: ton.Hash{1}}, Time: hostileNow, Block: 50, BlockTime: hostileNow,
	}
}

// hostileBook is a new ledger of that wallet, in which the events happened.
func hostileBook(events ...ledger.Event) *ledger.State {
	book := ledger.NewState()
	first := []ledger.Event{ledger.Opened{Ledger: "test"}, ledger.Anchored{Wallet: hostileWallet.Address(), Version: hostileWallet.Version, Anchor: ton.Position{LT: 100, Hash: ton.Hash{1}}}}
	for _, e := range append(first, events...) {
		if err := book.Apply(e); err != nil {
			panic(err)
		}
	}
	return book
}

// engine is a run that wants the item.
func (b bait) engine(book *ledger.State) *reconcile.State {
	want := []spec.Occurrence{{Key: "g/ann", Grant: "g", Person: "ann", Handle: "ann", Item: b.item, PayWith: b.asset}}
	return reconcile.NewState(reconcile.Setup{
		Plan: reconcile.Desired{Want: want}.Diff(book, nil, hostileLimits), Wallet: hostileWallet, Book: book, Host: "test",
		Rules: firewall.Rules{Destinations: firewall.DefaultDestinations()},
	})
}

// inspected lets the engine ask the market once. It returns the payload that
// it would go on to sign, or nil if it takes nothing of what was offered.
func (b bait) inspected(ctx context.Context, a answers) *ton.Payload {
	s := b.engine(hostileBook())
	events := []reconcile.Event{reconcile.Started{}}
	for len(events) > 0 {
		e := events[0]
		events = events[1:]
		for _, f := range s.Step(e) {
			switch f := f.(type) {
			case reconcile.Look:
				events = append(events, reconcile.Sighted{Wallet: f.Wallet, Sight: reconcile.Sight{Account: hostileAccount()}})
			case reconcile.Ask:
				offer, err := newMarket([]seat{{client: a.client("")}}).Quote(ctx, f.Handle, f.Item, ton.AssetTON)
				events = append(events, reconcile.Offered{Order: f.Order, Offer: offer, Err: err})
			case reconcile.Try:
				return &f.Payload
			case reconcile.Sign, reconcile.Send:
				panic("nothing was tried")
			}
		}
	}
	return nil
}

// stillness is a chain on which nothing moves, a ledger and a key: what is
// left of the world when only the market and the signer act.
type stillness struct {
	sign   func(ton.Payload) (ton.BoC, error) // nil: nothing may be signed
	tried  int
	signed int
	sent   int
	end    func() // the run, once something was sent: nothing would come of it
}

func (s *stillness) Append(context.Context, []ledger.Event) error { return nil }

func (s *stillness) Look(context.Context, ton.Address, ton.WalletVersion, ton.Position) (reconcile.Sight, error) {
	return reconcile.Sight{Account: hostileAccount()}, nil
}

func (s *stillness) Emulate(_ context.Context, _ ton.Wallet, p ton.Payload) (reconcile.Emulation, error) {
	s.tried++
	return reconcile.Emulation{Accepted: true, Sent: len(p.Transfers)}, nil
}

func (s *stillness) Broadcast(context.Context, ton.BoC) error {
	s.sent++
	s.end()
	return nil
}

func (s *stillness) WaitBlock(context.Context, uint32) error { return nil }

var errNoKey = errors.New("the key is not here")

func (s *stillness) Sign(_ context.Context, p ton.Payload, _ bool, _ []string) (ton.BoC, error) {
	s.signed++
	if s.sign == nil {
		return nil, errNoKey
	}
	return s.sign(p)
}

func (s *stillness) Jetton(context.Context, ton.Address) (ton.Jetton, error) {
	return ton.Jetton{Wallet: hostilePurse, Balance: 1_000_000_000, Time: hostileNow}, nil
}

func (s *stillness) Trail(context.Context, ton.Address, ton.Address, uint64) (ledger.Trail, error) {
	return ledger.Trail{}, errors.New("nothing is paid in USDT here")
}
