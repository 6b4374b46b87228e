package network

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fragplan/fragplan/ton"
)

// Block is a masterchain block, with what the shard block that it commits
// holds.
type Block struct {
	Seqno        uint32
	RootHash     ton.Hash
	FileHash     ton.Hash
	Time         uint32 // Unix seconds
	Transactions int
}

// keepStates is how many newest shard blocks keep their state. Older ones are
// proven still; only what accounts were at them is not known any more.
const keepStates = 1024

// gather is how long Run waits after a message has come, for others to share
// the block.
const gather = 3 * time.Millisecond

// Produce makes one shard block of all that waits, and one masterchain block
// that commits it.
func (n *Network) Produce() (Block, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.produce(n.nextTime())
}

func (n *Network) produce(at uint32) (Block, error) {
	if n.broken != nil {
		return Block{}, n.broken
	}
	m, err := n.makeBlocks(at)
	if err == nil {
		err = n.keep(blockInput(m))
	}
	if err != nil {
		// Accounts may have changed without a block that says so.
		n.broken = fmt.Errorf("the network has stopped: %w", err)
		return Block{}, n.broken
	}
	n.shards = append(n.shards, m.shard)
	n.masters = append(n.masters, m)
	if old := len(n.shards) - 1 - keepStates; old > 0 {
		n.shards[old].state = nil
	}
	select {
	case <-n.wake: // what waited is in the block
	default:
	}
	close(n.changed)
	n.changed = make(chan struct{})
	return m.summary(), nil
}

func (n *Network) makeBlocks(at uint32) (*block, error) {
	d, err := n.execute(at)
	if err != nil {
		return nil, err
	}
	for _, id := range d.accounts() {
		if err := n.save(n.accounts[id]); err != nil {
			return nil, fmt.Errorf("account %x: %w", id, err)
		}
	}
	s, err := n.shardBlock(d)
	if err != nil {
		return nil, fmt.Errorf("shard block: %w", err)
	}
	m, err := n.masterBlock(s, false)
	if err != nil {
		return nil, fmt.Errorf("masterchain block: %w", err)
	}
	return m, nil
}

// Stall stops Run from making blocks, or lets it go on. Produce is not
// stopped.
func (n *Network) Stall(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stalled = on
	if !on {
		n.hurry()
	}
}

// hurry tells Run that something waits for a block.
func (n *Network) hurry() {
	select {
	case n.wake <- struct{}{}:
	default: // it is told already
	}
}

// Run makes a block every so often, and within milliseconds after a message
// was sent or an account funded, until ctx ends. It returns an error only if blocks can't be made
// any more.
func (n *Network) Run(ctx context.Context, every time.Duration) error {
	if every <= 0 {
		return errors.New("the time between blocks is not positive")
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-n.wake:
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(gather):
			}
		}
		if err := n.runOnce(); err != nil {
			return err
		}
	}
}

func (n *Network) runOnce() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stalled {
		return nil
	}
	_, err := n.produce(n.nextTime())
	return err
}
