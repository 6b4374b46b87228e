package chain

import (
	"context"
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// block returns the header of a block whose id is proven, with the network's
// id; its other parts may be missing.
func (c *Client) block(ctx context.Context, id *liteton.BlockIDExt) (*tlb.Block, error) {
	var answer tl.Serializable
	if err := c.api.Client().QueryLiteserver(ctx, liteton.GetBlockHeader{ID: id}, &answer); err != nil {
		return nil, err
	}
	t, err := as[liteton.BlockHeader](answer)
	if err != nil {
		return nil, err
	}
	proof, err := cell.FromBOC(t.HeaderProof)
	if err != nil {
		return nil, fmt.Errorf("header of block %d: %w", id.SeqNo, err)
	}
	b, err := liteton.CheckBlockProof(proof, id.RootHash)
	if err != nil {
		return nil, fmt.Errorf("header of block %d: %w", id.SeqNo, err)
	}
	if b.BlockInfo.SeqNo != id.SeqNo || b.BlockInfo.GenUtime == 0 {
		return nil, fmt.Errorf("header of block %d is another block's or incomplete", id.SeqNo)
	}
	return b, nil
}

func (c *Client) newestBlock(ctx context.Context) (b *tlb.Block, err error) {
	err = c.try(ctx, func(ctx context.Context) error {
		id, err := c.last(ctx, 0)
		if err != nil {
			return err
		}
		b, err = c.block(ctx, id)
		return err
	})
	return b, err
}

// Time is the newest masterchain block's, in Unix seconds.
func (c *Client) Time(ctx context.Context) (uint32, error) {
	b, err := c.newestBlock(ctx)
	if err != nil {
		return 0, fmt.Errorf("chain time: %w", err)
	}
	return b.BlockInfo.GenUtime, nil
}

// NetworkID is the network's global id, -239 for mainnet.
func (c *Client) NetworkID(ctx context.Context) (int32, error) {
	b, err := c.newestBlock(ctx)
	if err != nil {
		return 0, fmt.Errorf("network id: %w", err)
	}
	return b.GlobalID, nil
}

// The servers are asked to wait; these are the pauses when they do not.
const (
	firstPause   = 20 * time.Millisecond
	longestPause = 2 * time.Second
)

// WaitBlock returns once a masterchain block after the given seqno is proven.
// Servers that fail meanwhile are waited for: its only error is the context's,
// with the last failure.
func (c *Client) WaitBlock(ctx context.Context, after uint32) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := c.try(ctx, func(ctx context.Context) error {
			_, err := c.last(ctx, after+1)
			return err
		})
		if err == nil {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waiting for block %d: %w (%v)", after+1, ctx.Err(), err)
		case <-timer.C:
		}
	}
}
