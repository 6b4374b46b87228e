package fragment

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/fragplan/fragplan/ton"
)

// Client speaks to fragment.com within one session. The only required field is
// Cookie, and Wallet for Buy and Confirm. Set the fields before the first
// call; the methods may be called at the same time.
type Client struct {
	// Cookie is the Cookie header of the session.
	Cookie Secret

	// Hash is the API hash of the session. If it is empty, or no longer
	// accepted, it is taken from the page on which a method is used.
	Hash Secret

	// Wallet is the wallet that is connected to the session and will pay.
	Wallet Account

	// ShowSender tells the recipient who the present is from.
	ShowSender bool

	// Pace is the least time between the beginnings of two requests. The
	// service's own limits aren't known; people who search names keep to 15
	// to 30 a minute.
	Pace time.Duration

	// RetryPause is the pause before the first repetition of a call that may
	// be repeated; each further pause is twice as long. 0 means one second.
	RetryPause time.Duration

	// BaseURL is where the service is; empty means https://fragment.com.
	BaseURL string

	// UserAgent is sent with every request; empty means a default that names
	// this program.
	UserAgent string

	// Proxy is what the requests go through, such as http://proxy:3128; nil
	// means none, whatever the environment says. HTTP, if it is set, decides
	// for itself.
	Proxy *url.URL

	// HTTP sends the requests. Nil means a client with TLS 1.2 or later and a
	// timeout of 30 seconds. Its CheckRedirect isn't used:
	// the session must not travel to another host.
	HTTP *http.Client

	turns   turns
	session door // one order of the session at a time: state, init and link
	hashing door // one page load for a hash at a time

	mu     sync.Mutex
	hashes map[string]Secret    // by page
	seen   map[Product]revision // what the last state of each product was

	once sync.Once
	http *http.Client
}

// revision is what a page tells the server about what it shows.
type revision struct{ lv, dh string }

// Account is a wallet as TON Connect describes it.
type Account struct {
	Address   ton.Address
	PublicKey ed25519.PublicKey
	StateInit ton.BoC // of the contract's code and data; optional
	NetworkID int32   // the network's global id; 0 means ton.Mainnet
}

func (a Account) network() string {
	if a.NetworkID == 0 {
		return strconv.Itoa(int(ton.Mainnet))
	}
	return strconv.Itoa(int(a.NetworkID))
}

// A Product is one of the things that Fragment sells.
type Product string

// The products. Quantities are counted in Stars, in months and in whole TON.
const (
	Stars   Product = "stars"
	Premium Product = "premium"
	TopUp   Product = "topup"
)

// A catalogue entry: how the API calls what it does for a product.
type entry struct {
	page                      string
	search, state, init, link string
	quantity                  string // the name of init's field
}

var catalogue = map[Product]entry{
	Stars: {
		page:   "/stars/buy",
		search: "searchStarsRecipient", state: "updateStarsBuyState",
		init: "initBuyStarsRequest", link: "getBuyStarsLink",
		quantity: "quantity",
	},
	Premium: {
		page:   "/premium/gift",
		search: "searchPremiumGiftRecipient", state: "updatePremiumState",
		init: "initGiftPremiumRequest", link: "getGiftPremiumLink",
		quantity: "months",
	},
	TopUp: {
		page:   "/ads/topup",
		search: "searchAdsTopupRecipient", state: "updateAdsTopupState",
		init: "initAdsTopupRequest", link: "getAdsTopupLink",
		quantity: "amount",
	},
}

// lookup checks product and quantity before the network is troubled.
func lookup(p Product, quantity int64) (entry, error) {
	e, ok := catalogue[p]
	sold := false
	switch p {
	case Stars:
		sold = quantity >= 50 && quantity <= 10_000_000
	case Premium:
		sold = quantity == 3 || quantity == 6 || quantity == 12
	case TopUp:
		sold = quantity >= 1 && quantity <= 1_000_000_000
	}
	if !ok {
		return entry{}, fmt.Errorf("fragment: %w: %q", ErrProduct, p)
	}
	if !sold {
		return entry{}, fmt.Errorf("fragment: %w: %d of %s", ErrQuantity, quantity, p)
	}
	return e, nil
}

// Recipient is somebody who can be given a product.
type Recipient struct {
	Token  string // Fragment's opaque name for the person, in this session
	Name   string // the person's own words, unescaped: hostile; UTF-8 without NUL
	Photo  string // address of a picture, or empty
	Myself bool   // the session's own account
}

// Search finds who stands behind a handle ("name", "@name" or a t.me address)
// and whether that account can be given so much of p. It returns
// ErrNoRecipient, ErrNotEligible or ErrAlreadyPremium if not.
func (c *Client) Search(ctx context.Context, p Product, handle string, quantity int64) (Recipient, error) {
	e, err := lookup(p, quantity)
	if err != nil {
		return Recipient{}, err
	}
	form := url.Values{"query": {handle}}
	if p != TopUp {
		form.Set(e.quantity, strconv.FormatInt(quantity, 10))
	}
	var answer struct {
		Found json.RawMessage `json:"found"`
	}
	r := request{page: e.page, method: e.search, form: form, class: classLook, harmless: true}
	if err := c.call(ctx, r, &answer); err != nil {
		return Recipient{}, err
	}
	var found struct {
		Recipient loose `json:"recipient"`
		Name      loose `json:"name"`
		Photo     loose `json:"photo"`
		Myself    loose `json:"myself"`
	}
	if err := json.Unmarshal(answer.Found, &found); err != nil || !token.MatchString(string(found.Recipient)) {
		return Recipient{}, badAnswer(e.search, "no recipient in it")
	}
	return Recipient{
		Token:  string(found.Recipient),
		Name:   cut(plain(string(found.Name)), 512),
		Photo:  photo(string(found.Photo)),
		Myself: found.Myself.bool(),
	}, nil
}

// Names that the server gives and that are sent back: recipients, orders,
// methods and the names of their parameters.
var (
	token      = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
)

// Price is PriceIn for TON, in nanoTON.
func (c *Client) Price(ctx context.Context, p Product, quantity int64) (ton.Nano, error) {
	a, err := c.PriceIn(ctx, ton.AssetTON, p, quantity)
	return ton.Nano(a.Units), err
}

// PriceIn asks what so much of p costs now in the asset. The price that counts
// is the one that BuyWith returns: pages show dollars and not USDT. A top-up
// costs what it credits, in TON.
func (c *Client) PriceIn(ctx context.Context, asset ton.Asset, p Product, quantity int64) (ton.Amount, error) {
	e, err := lookup(p, quantity)
	if err != nil {
		return ton.Amount{}, err
	}
	if methods[asset] == "" || asset != ton.AssetTON && p == TopUp {
		return ton.Amount{}, fmt.Errorf("fragment: %w: %s for %s", ErrAsset, asset, p)
	}
	n := strconv.FormatInt(quantity, 10)
	switch p {
	case Premium:
		body, err := c.page(ctx, e.page+"?months="+n, classLook)
		if err != nil {
			return ton.Amount{}, err
		}
		price, err := premiumPrice(asset, body, quantity)
		if err != nil {
			return ton.Amount{}, badAnswer("GET "+e.page, err.Error())
		}
		return price, nil
	case TopUp:
		return (ton.Nano(quantity) * ton.TON).Amount(), nil
	}
	const method = "updateStarsPrices"
	var answer struct {
		Price loose `json:"cur_price"`
	}
	r := request{page: e.page, method: method, class: classLook, harmless: true,
		form: url.Values{"stars": {"0"}, "quantity": {n}}}
	if err := c.call(ctx, r, &answer); err != nil {
		return ton.Amount{}, err
	}
	price, err := iconPrice(asset, string(answer.Price))
	if err != nil {
		return ton.Amount{}, badAnswer(method, err.Error())
	}
	return price, nil
}

// A Mode is where a session stands with its present order.
type Mode string

// The modes.
const (
	ModeNew        Mode = "new"
	ModeProcessing Mode = "processing"
	ModeDone       Mode = "done"
)

// State is what the session's page of a product would show.
type State struct {
	Mode Mode
	Done bool // the order was carried out, as far as the page knows
}

// State tells Fragment which mode the session believes it is in, and returns
// the mode it is in. Poll it with ModeProcessing after a payment until Done.
// It speaks of the session's latest order of that product, not of a given one.
func (c *Client) State(ctx context.Context, p Product, mode Mode) (State, error) {
	if _, ok := catalogue[p]; !ok {
		return State{}, fmt.Errorf("fragment: %w: %q", ErrProduct, p)
	}
	leave, err := c.session.enter(ctx)
	if err != nil {
		return State{}, err
	}
	defer leave()
	return c.state(ctx, p, mode, classLook)
}

func (c *Client) state(ctx context.Context, p Product, mode Mode, cl class) (State, error) {
	e := catalogue[p]
	c.mu.Lock()
	rev, ok := c.seen[p]
	c.mu.Unlock()
	if !ok {
		// dh names the options that a page shows. Nothing is shown here, so
		// any number will do; the answer then brings the true one.
		rev = revision{lv: "false", dh: strconv.Itoa(100_000_000 + rand.IntN(1_900_000_000))}
	}
	var answer struct {
		OK     loose           `json:"ok"`
		Mode   loose           `json:"mode"`
		Update loose           `json:"need_update"`
		LV     json.RawMessage `json:"lv"`
		DH     loose           `json:"dh"`
	}
	r := request{page: e.page, method: e.state, class: cl, harmless: true,
		form: url.Values{"mode": {string(mode)}, "lv": {rev.lv}, "dh": {rev.dh}}}
	if err := c.call(ctx, r, &answer); err != nil {
		return State{}, err
	}
	if answer.Mode == "" && !answer.OK.bool() {
		return State{}, badAnswer(e.state, "no mode in it")
	}
	if lv := verbatim(answer.LV); lv != "" && len(lv) <= 256 {
		rev.lv = lv
	}
	if answer.DH != "" && len(answer.DH) <= 64 {
		rev.dh = string(answer.DH)
	}
	c.mu.Lock()
	if c.seen == nil {
		c.seen = map[Product]revision{}
	}
	c.seen[p] = rev
	c.mu.Unlock()
	return State{
		Mode: Mode(cut(string(answer.Mode), 64)),
		Done: answer.Mode == loose(ModeDone) && !answer.Update.bool(),
	}, nil
}
