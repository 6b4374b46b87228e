// Package chain reads the TON network through lite servers, checks the proof
// of all that they say against a pinned block, and broadcasts messages.
//
// It holds no keys and signs nothing.
package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm"
)

// BlockID names a block of the masterchain.
type BlockID struct {
	Shard    int64    `json:"shard,string"`
	Seqno    uint32   `json:"seqno"`
	RootHash ton.Hash `json:"root_hash"`
	FileHash ton.Hash `json:"file_hash"`
}

// Options are what may differ from one network to another. The zero Options
// are good for mainnet.
type Options struct {
	// Trusted is the block from which proofs begin; nil is the configuration's
	// init block. A block that Client.Trusted returned makes the start faster.
	Trusted *BlockID
	// QueryTimeout is how long one server may take for one answer; 0 is 15 s.
	QueryTimeout time.Duration
}

// Client is a connection to a TON network. Its methods may be called from
// several goroutines. What a method returns was proven to follow from the
// trusted block, unless its comment says otherwise.
type Client struct {
	pool    *liteclient.ConnectionPool
	api     *liteton.APIClient
	machine *tvm.TVM

	mu     sync.Mutex
	newest *liteton.BlockIDExt // the newest masterchain block that was proven; the pinned one at first
	config *tvm.PreparedBlockchainConfig
	keyed  uint32 // seqno of the key block that config stands in
}

// ErrNoInitBlock is returned for a configuration that pins no block.
var ErrNoInitBlock = errors.New("the network configuration has no validator.init_block to begin proofs with")

// ErrStale is returned, wrapped, when no server knows the newest block that
// another has proven.
var ErrStale = errors.New("the lite servers are behind")

const masterchain = -1

// Dial connects to the lite servers of a global.config.json and proves their
// newest block. Far from the trusted block that takes several round trips.
func Dial(ctx context.Context, config []byte, o Options) (*Client, error) {
	var g liteclient.GlobalConfig
	if err := json.Unmarshal(config, &g); err != nil {
		return nil, fmt.Errorf("network configuration: %w", err)
	}
	trusted, err := trust(&g, o.Trusted)
	if err != nil {
		return nil, err
	}
	if len(g.Liteservers) == 0 {
		return nil, errors.New("the network configuration has no liteservers")
	}
	if o.QueryTimeout <= 0 {
		o.QueryTimeout = 15 * time.Second
	}
	pool := liteclient.NewConnectionPool()
	if err := pool.AddConnectionsFromConfig(ctx, &g); err != nil {
		pool.Stop()
		return nil, fmt.Errorf("connecting to the lite servers: %w", err)
	}
	c := &Client{pool: pool, machine: tvm.NewTVM(), newest: trusted}
	c.api = liteton.NewAPIClient(&bounded{pool, o.QueryTimeout}, liteton.ProofCheckPolicySecure)
	c.api.SetTrustedBlock(trusted)
	if err := c.try(ctx, func(ctx context.Context) error {
		_, err := c.last(ctx, 0)
		return err
	}); err != nil {
		pool.Stop()
		return nil, fmt.Errorf("proving the newest block: %w", err)
	}
	return c, nil
}

func trust(g *liteclient.GlobalConfig, saved *BlockID) (*liteton.BlockIDExt, error) {
	if saved != nil {
		return &liteton.BlockIDExt{Workchain: masterchain, Shard: saved.Shard, SeqNo: saved.Seqno,
			RootHash: saved.RootHash[:], FileHash: saved.FileHash[:]}, nil
	}
	b := liteton.BlockIDExt(g.Validator.InitBlock)
	if b.Workchain != masterchain || len(b.RootHash) != 32 || len(b.FileHash) != 32 {
		return nil, ErrNoInitBlock
	}
	return &b, nil
}

// Close ends the connections.
func (c *Client) Close() { c.pool.Stop() }

// Trusted is the newest block that was proven, to be kept for the next start.
func (c *Client) Trusted() BlockID {
	b := c.seen()
	return BlockID{Shard: b.Shard, Seqno: b.SeqNo, RootHash: ton.Hash(b.RootHash), FileHash: ton.Hash(b.FileHash)}
}

func (c *Client) seen() *liteton.BlockIDExt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest
}

// last returns the newest masterchain block, not older than the newest that
// was ever seen and not older than least. The server is asked to wait for it.
func (c *Client) last(ctx context.Context, least uint32) (*liteton.BlockIDExt, error) {
	// The cached form of this call would return a block that is a second old.
	least = max(least, c.seen().SeqNo)
	b, err := c.api.WaitForBlock(least).GetMasterchainInfo(ctx)
	if err != nil {
		return nil, err
	}
	if b.SeqNo < least {
		return nil, fmt.Errorf("%w: block %d is known and the newest of this server is %d", ErrStale, least, b.SeqNo)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.SeqNo > c.newest.SeqNo {
		c.newest = b.Copy()
	}
	return b, nil
}

// maxServers is how many servers are asked before a question is given up.
const maxServers = 3

// try asks one server, and another if that fails. All questions of one f go to
// one server, because another may not know the block yet.
func (c *Client) try(ctx context.Context, f func(context.Context) error) error {
	asked := c.pool.StickyContext(ctx)
	for n := 1; ; n++ {
		err := guarded(asked, f)
		if err == nil || n == maxServers || ctx.Err() != nil {
			return err
		}
		next, none := c.pool.StickyContextNextNode(asked)
		if none != nil {
			return err
		}
		asked = next
	}
}

// guarded turns a panic into an error: some answers that no honest server
// gives make the library index out of range.
func guarded(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed answer of a lite server: %v", r)
		}
	}()
	return f(ctx)
}

// bounded gives every query its own time, so that one silent server can't use
// up the caller's.
type bounded struct {
	*liteclient.ConnectionPool
	timeout time.Duration
}

func (b *bounded) QueryLiteserver(ctx context.Context, payload, result tl.Serializable) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.ConnectionPool.QueryLiteserver(ctx, payload, result)
}
