// Package market is Fragment's HTTP API as a local server: pages, search,
// prices, requests, links and confirmations for Stars, Premium gifts and TON
// top-ups, with books of its own and faults on demand. It moves no money and
// knows no client: it learns of payments from a [Payments] and shares no code
// with those who talk to it.
//
// # People
//
// Every well-formed user name (4 to 32 letters, digits and underscores, a
// letter first; case does not matter) is a user, except that
//
//   - names that begin with nobody_ are unknown;
//   - names that end in _channel are channels, which only top-ups accept;
//   - names that end in bot are bots, which nothing accepts;
//   - names that begin with no_gifts_ can't receive Stars or Premium;
//   - names that begin with has_premium_ have Premium for ever;
//   - names that begin with hostile_ are shown under a name that is made to do
//     harm where it is printed.
//
// Premium that is sold here runs by the market's clock, and a second one is
// refused until it ends. Recipient tokens are stable for a name and a seed.
//
// # Choices
//
// Where nobody has seen what Fragment does, the market is strict, and says so
// at the place. [Market.Set] loosens it or makes it misbehave.
package market

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fragplan/fragplan/ton"
)

// Collector is the address that every link asks to pay.
var Collector = ton.MustParseAddress("UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz")

// The products, as Credit names them.
const (
	Stars   = "stars"
	Premium = "premium"
	TopUp   = "ton"
)

// Options says how a market is opened. The zero value is a market without a
// memory to which nobody pays.
type Options struct {
	// Seed decides tokens, refs, ids and the price of the coin.
	Seed int64
	// Clock is the market's time; nil means time.Now.
	Clock func() time.Time
	// Pay is the chain; nil means that nobody ever pays. It is called with the
	// market locked and must not call back.
	Pay Payments
	// JettonWallet is where an owner's USDT is; nil means that the market sells
	// for TON only. It must not call back.
	JettonWallet func(owner ton.Address) ton.Address
	// Log is the path of a JSON-lines file that the market appends to before
	// it answers and that Open replays; empty means to remember nothing. One
	// process at a time may have it open. It survives a killed process, not a
	// power cut.
	Log string
}

// Market is a running market. Its methods may be called concurrently.
type Market struct {
	opt Options

	mu       sync.Mutex
	log      io.WriteCloser // nil without Options.Log
	broken   error          // the log may end in half a line: nothing more is answered
	sessions map[string]*session
	orders   map[string]*order // by request id
	refs     map[string]*order
	accounts map[account]*tally
	premium  map[string]time.Time // by handle: when the last one sold here ends
	books    []Credit
	sold     []*order // credited, in the order of crediting
	strays   []Stray
	cursor   uint64   // every payment up to this logical time has been judged
	held     []*order // paid and not credited, in order of payment
	settings map[string]setting
	prices   prices
	hashes   int // generation of page hashes
	expired  int // sessions up to this number are over
}

type session struct {
	number int
	id     string
	wallet ton.Address
	synced map[string]int // by product: the price version that it was shown
	minute int64
	calls  int // in that minute
}

// order is one purchase request.
type order struct {
	id       string
	product  string
	handle   string
	quantity int64    // Stars, months or whole TON
	amount   ton.Nano // 0 if USDT pays
	usdt     int64    // micro-USDT; 0 if TON pays
	session  *session
	ref      string // set by the first link
	until    int64  // Unix seconds: the newest link's validUntil

	confirmed, cancelled bool
	paid                 uint64 // logical time of the payment, 0 for none
	paidAt               time.Time
	credited             bool
	creditedAt           time.Time
}

// account names the orders that one state call speaks of. It goes by wallet
// and not by session, so that a buyer who logs in again sees the old orders.
type account struct {
	wallet  ton.Address
	product string
}

type tally struct{ linked, paid, unpaidConfirmed, credited int }

// Credit is one order that was paid and delivered.
type Credit struct {
	Handle   string   `json:"handle"` // lower case, without @
	Product  string   `json:"product"`
	Quantity int64    `json:"quantity"` // Stars, months or whole TON
	Ref      string   `json:"ref"`
	Paid     ton.Nano `json:"paid"`           // 0 for what was paid in USDT
	USDT     int64    `json:"usdt,omitempty"` // micro-USDT
	LT       uint64   `json:"lt"`             // of the payment
	Session  string   `json:"session"`        // the stel_ssid that asked for it
}

// Stray is a payment that was kept and bought nothing.
type Stray struct {
	Reason string      `json:"reason"` // one of the Stray constants
	Ref    string      `json:"ref,omitempty"`
	LT     uint64      `json:"lt"`
	From   ton.Address `json:"from"`
	Amount ton.Nano    `json:"amount"`
	USDT   int64       `json:"usdt,omitempty"` // micro-USDT; then Amount is 0
}

// Why a payment is a stray.
const (
	StrayNoRef     = "no ref"
	StrayUnknown   = "unknown ref"
	StrayAmount    = "wrong amount"
	StrayLate      = "late"
	StrayAgain     = "paid again"
	StrayCancelled = "cancelled"
)

// Open starts a market and replays its log. A torn last line is dropped,
// because no answer was given for it; any other damage is an error.
func Open(opt Options) (*Market, error) {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	m := &Market{
		opt:      opt,
		sessions: map[string]*session{},
		orders:   map[string]*order{},
		refs:     map[string]*order{},
		accounts: map[account]*tally{},
		premium:  map[string]time.Time{},
		settings: map[string]setting{},
		prices:   newPrices(opt.Seed),
	}
	if opt.Log == "" {
		return m, nil
	}
	f, events, err := openLog(opt.Log)
	if err != nil {
		return nil, fmt.Errorf("market log %s: %w", opt.Log, err)
	}
	m.log = f
	if len(events) == 0 {
		err = m.record(event{Seed: &opt.Seed})
	}
	for i, e := range events {
		if i == 0 && (e.Seed == nil || *e.Seed != opt.Seed) {
			err = fmt.Errorf("it was begun with another seed than %d", opt.Seed)
		}
		if err == nil {
			err = m.apply(e)
		}
		if err != nil {
			err = fmt.Errorf("line %d: %w", i+1, err)
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("market log %s: %w", opt.Log, err)
	}
	return m, nil
}

// Close ends the market; requests after it are answered with status 500.
func (m *Market) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == nil {
		m.broken = fmt.Errorf("the market is closed")
	}
	if m.log == nil {
		return nil
	}
	err := m.log.Close()
	m.log = nil
	return err
}

// NewSession logs somebody in and returns the value of the Cookie header that
// says so: stel_ssid, stel_dt and stel_token, and stel_ton_token unless the
// wallet is zero, which leaves the session without one. It returns "" if the
// log can't be written.
func (m *Market) NewSession(wallet ton.Address) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	number := len(m.sessions) + 1
	digest := m.derive("session", fmt.Sprint(number))
	id := fmt.Sprintf("%x_%d", digest[:9], binary.BigEndian.Uint64(digest[9:17]))
	if err := m.record(event{Session: &sessionEvent{id, wallet}}); err != nil {
		return ""
	}
	cookie := "stel_ssid=" + id + "; stel_dt=-180; stel_token=" + m.token("stel_token", id)
	if !wallet.IsZero() {
		cookie += "; stel_ton_token=" + m.token("stel_ton_token", id)
	}
	return cookie
}

// Books returns every credited order, once, in the order of crediting.
func (m *Market) Books() []Credit {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Credit(nil), m.books...)
}

// Strays returns the payments that bought nothing, in the order of their
// logical times.
func (m *Market) Strays() []Stray {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Stray(nil), m.strays...)
}

// derive is the only source of chance: equal seeds and arguments give equal
// bytes.
func (m *Market) derive(what, of string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s", m.opt.Seed, what, of))
}

func (m *Market) token(name, id string) string {
	d := m.derive(name, id)
	return fmt.Sprintf("%x", d[:20])
}
