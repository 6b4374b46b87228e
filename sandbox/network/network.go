// Package network is a TON network on this machine: real blocks and states,
// Merkle proofs, the signature of its one validator, and contracts run in the
// TVM, served over ADNL as a lite server.
//
// It knows nothing of Fragment, and it is no node: it has one shard, keeps no
// accounts in the masterchain, knows no library but that of jetton wallets, and
// speaks to no other network. Its global id is never mainnet's.
//
// # The story of a message
//
// [Network.Send] checks an external message against the account as it stands
// and puts it into the pool. [Network.Produce] executes the pool and every
// message that follows from it, makes one shard block of the transactions and
// one masterchain block that commits and signs the shard block. From then on
// the lite server ([Network.Serve]) proves all of it, down to block 1, which a
// client pins.
//
// [Network.Fund] and [Network.Mint] give an account coins and USDT, whose
// contracts are mainnet's.
//
// Everything is a function of the seed, the times of the blocks and what was
// sent, in its order. Those inputs are what [Open] keeps in its file.
package network

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
)

// DefaultGlobalID is the network id where Options give none.
const DefaultGlobalID int32 = -7791

// Options are what a network is made of. The zero value works.
type Options struct {
	// Seed is where all keys and all randomness come from.
	Seed [32]byte
	// GlobalID is the network's id: 0 means DefaultGlobalID; mainnet's is
	// refused, because a V5R1 signature made here would be valid there.
	GlobalID int32
	// Clock is the time of the machine; nil means time.Now.
	Clock func() time.Time
	// OnTransaction is called for every transaction when it is executed, and
	// not again when Open replays it. It must not call the network. An error
	// stops the network before the transaction's block is made.
	OnTransaction func(Executed) error
}

// Executed is one transaction with all that went into it, so that another TVM
// can execute it again and compare.
type Executed struct {
	Before, After *cell.Cell // the ShardAccount
	Message       *cell.Cell // the inbound message
	Transaction   *cell.Cell
	Config        *cell.Cell // root of the configuration's dictionary
	Time          uint32     // Unix seconds, of the block
	BlockLT, LT   uint64     // where the block and the transaction were told to begin
	RandSeed      [32]byte   // of the block
	Libraries     *cell.Cell // the collection of libraries; nil unless the account's code is one of them
}

// Network is a running network. All methods may be called at any time from any
// goroutine.
type Network struct {
	onTransaction func(Executed) error
	clock         func() time.Time
	seed          [32]byte
	globalID      int32
	validator     validator

	machine *tvm.TVM
	config  *tvm.PreparedBlockchainConfig
	params  *cell.Cell // the configuration's dictionary
	version tlb.GlobalVersion
	jettons *jettons

	wake chan struct{} // told that something waits for a block

	mu      sync.RWMutex
	changed chan struct{} // closed and replaced with every masterchain block
	broken  error         // set once memory and file may differ; nothing is taken any more
	log     *inputLog     // nil: nothing is kept
	replay  bool
	shift   time.Duration // how far AdvanceTime has moved the clock
	fate    func(ton.Hash) Fate
	stalled bool

	accounts map[accountID]*account
	dict     *cell.AugmentedDictionary // every account that exists
	pool     []external
	pooled   map[ton.Hash]bool
	queue    internalQueue

	zero     *liteton.ZeroStateIDExt
	masters  []*block // by seqno; 0 is the zero state
	shards   []*block
	ancestry *cell.AugmentedDictionary // OldMcBlocksInfo
}

// ErrMainnet is returned, wrapped, where a network would take mainnet's id.
var ErrMainnet = errors.New("the global id is mainnet's")

// New makes a network that lives in memory and has its first two blocks: the
// key block and nothing in it.
func New(o Options) (*Network, error) {
	n, err := prepare(o)
	if err != nil {
		return nil, err
	}
	return n, n.begin(uint32(n.now().Unix()))
}

// prepare makes everything that does not depend on when the network begins.
func prepare(o Options) (*Network, error) {
	if o.GlobalID == 0 {
		o.GlobalID = DefaultGlobalID
	}
	if o.GlobalID == ton.Mainnet {
		return nil, fmt.Errorf("network %d: %w", o.GlobalID, ErrMainnet)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	n := &Network{
		onTransaction: o.OnTransaction,
		clock:         o.Clock,
		seed:          o.Seed,
		globalID:      o.GlobalID,
		machine:       tvm.NewTVM(),
		wake:          make(chan struct{}, 1),
		changed:       make(chan struct{}),
		accounts:      map[accountID]*account{},
		pooled:        map[ton.Hash]bool{},
	}
	n.validator = newValidator(n.derive("validator"))
	var err error
	if n.jettons, err = newJettons(n.Faucet()); err != nil {
		return nil, fmt.Errorf("jettons: %w", err)
	}
	if n.dict, err = cell.NewAugDict(256, tlb.AugShardAccounts{}); err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	if n.ancestry, err = cell.NewAugDict(32, ancestry{}); err != nil {
		return nil, fmt.Errorf("block list: %w", err)
	}
	return n, nil
}

// begin makes the configuration, the zero states and block 1.
func (n *Network) begin(now uint32) error {
	var err error
	if n.params, err = buildConfig(n.validator.public(), n.globalID, now); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if n.config, err = tvm.PrepareBlockchainConfig(n.params); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if n.version, err = (&tlb.BlockchainConfig{Root: n.params}).GetGlobalVersion(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return n.genesis(now)
}

// derive makes 32 bytes from the seed that are good for one purpose only.
func (n *Network) derive(purpose string) [32]byte {
	return sha256.Sum256(append([]byte("fragplan sandbox network "+purpose+" "), n.seed[:]...))
}

// GlobalID is the network's id, on which V5R1 wallets depend.
func (n *Network) GlobalID() int32 { return n.globalID }

// Now is the network's time: the clock's, moved by AdvanceTime.
func (n *Network) Now() time.Time {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.now()
}

func (n *Network) now() time.Time { return n.clock().Add(n.shift) }

// AdvanceTime moves the network's clock forward; the next block shows it.
func (n *Network) AdvanceTime(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shift += d
}

// Changed returns a channel that is closed when the next block is made.
func (n *Network) Changed() <-chan struct{} {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.changed
}

// Last is the newest masterchain block.
func (n *Network) Last() Block {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.lastMaster().summary()
}

// First is masterchain block 1, the key block that a client pins.
func (n *Network) First() Block {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.masters[1].summary()
}

func (n *Network) lastMaster() *block { return n.masters[len(n.masters)-1] }
func (n *Network) lastShard() *block  { return n.shards[len(n.shards)-1] }

// validator is the one key that signs masterchain blocks.
type validator struct{ key ed25519.PrivateKey }

func newValidator(seed [32]byte) validator { return validator{ed25519.NewKeyFromSeed(seed[:])} }

func (v validator) public() ed25519.PublicKey { return v.key.Public().(ed25519.PublicKey) }
