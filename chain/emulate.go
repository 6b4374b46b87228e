package chain

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Emulation is what a message would do to the wallet as it stands now.
type Emulation struct {
	Accepted bool     // the wallet would take it and pay for it; all else is zero otherwise, but for ExitCode
	Success  bool     // and run through without an error
	Sent     int      // messages that would leave
	Skipped  int      // messages that the balance would not suffice for
	Fees     ton.Nano // what would leave the wallet beside the amounts
	ExitCode int32    // of the contract
}

// Emulate runs the payload on the wallet's proven state, under the proven
// configuration of the network, as if it were signed. A wallet that is not
// deployed is deployed by it. A payload that the wallet would refuse is not an
// error.
func (c *Client) Emulate(ctx context.Context, w ton.Wallet, p ton.Payload) (Emulation, error) {
	var e Emulation
	err := c.try(ctx, func(ctx context.Context) error {
		s, err := c.state(ctx, w.Address())
		if err != nil {
			return err
		}
		config, err := c.configAt(ctx, s)
		if err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
		e, err = c.run(s, config, w, p)
		return err
	})
	if err != nil {
		return Emulation{}, fmt.Errorf("emulating a message of %s: %w", w.Address(), err)
	}
	return e, nil
}

func (c *Client) run(s *state, config *tvm.PreparedBlockchainConfig, w ton.Wallet, p ton.Payload) (Emulation, error) {
	address := w.Address()
	shard, active := s.shard, false
	if shard == nil {
		shard = &tlb.ShardAccount{Account: cell.BeginCell().MustStoreBoolBit(false).EndCell(), LastTransHash: make([]byte, 32)}
	} else {
		a, err := s.account(address, w.Version)
		if err != nil {
			return Emulation{}, err
		}
		if active = a.Active; active && a.CodeHash != w.Version.CodeHash() {
			return Emulation{}, fmt.Errorf("it is no %s wallet: its code is %s", w.Version, a.CodeHash)
		}
	}
	account, err := tvm.PrepareAccount(shard, address.TLB())
	if err != nil {
		return Emulation{}, fmt.Errorf("state: %w", err)
	}
	var init *tlb.StateInit
	if !active {
		init = w.StateInit()
	}
	message, err := unsigned(address, init, p)
	if err != nil {
		return Emulation{}, err
	}
	// The next shard block is not older than the masterchain block.
	block, err := config.NewBlockContext(tvm.BlockOptions{
		Now: max(s.time, s.master.BlockInfo.GenUtime), RandSeed: make([]byte, 32),
	})
	if err != nil {
		return Emulation{}, err
	}
	r, err := c.machine.EmulateTransaction(block, account, message, tvm.TransactionOptions{SignatureCheckAlwaysSucceed: true})
	if err != nil {
		return Emulation{}, err
	}
	if r.TransactionCell == nil {
		return Emulation{ExitCode: int32(r.ExitCode)}, nil
	}
	t, err := ton.ParseTransaction(r.TransactionCell)
	if err != nil {
		return Emulation{}, err
	}
	return Emulation{Accepted: true, Success: t.Success, Sent: len(t.Out), Skipped: t.Skipped, Fees: t.Fees, ExitCode: t.ExitCode}, nil
}

// unsigned is the message with zeros in the place of the signature.
func unsigned(to ton.Address, init *tlb.StateInit, p ton.Payload) (*tvm.PreparedMessage, error) {
	body, err := p.Sign(make([]byte, ed25519.SignatureSize))
	if err != nil {
		return nil, err
	}
	boc, err := ton.External(to, init, body)
	if err != nil {
		return nil, err
	}
	m, err := boc.Cell()
	if err != nil {
		return nil, err
	}
	return tvm.PrepareMessage(m)
}

// configAt returns the network's configuration at the state's block. It changes
// in key blocks only, so it is asked for once for each.
func (c *Client) configAt(ctx context.Context, s *state) (*tvm.PreparedBlockchainConfig, error) {
	key := s.master.BlockInfo.PrevKeyBlockSeqno
	if s.master.BlockInfo.KeyBlock {
		key = s.id.SeqNo
	}
	c.mu.Lock()
	config := c.config
	if c.keyed != key {
		config = nil
	}
	c.mu.Unlock()
	if config != nil {
		return config, nil
	}
	params, err := c.api.GetBlockchainConfig(ctx, s.id)
	if err != nil {
		return nil, err
	}
	if config, err = tvm.PrepareBlockchainConfig(params.Root); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.config, c.keyed = config, key
	return config, nil
}
