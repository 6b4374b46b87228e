package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// jettonWalletCode is the hash of the code of USDT's jetton wallets, which is
// a reference to the library 8f452d7a… on mainnet. Only with this code is it
// known what their data mean.
const jettonWalletCode = "89468f02c78e570802e39979c8516fc38df07ea76a48357e0536f2ba7b3ee37b"

// errJettonWallet is for an account that is not what a jetton wallet must be.
var errJettonWallet = errors.New("it is no jetton wallet of USDT's")

// Jetton returns where the owner's jettons are and how many there are. The
// address is what the master's own get_wallet_address says, run here on the
// master's proven state; the balance stands in the proven state of that
// address. A wallet that was never used has nothing.
func (c *Client) Jetton(ctx context.Context, master, owner ton.Address) (ton.Jetton, error) {
	var j ton.Jetton
	err := c.try(ctx, func(ctx context.Context) error {
		var err error
		if j.Wallet, err = c.jettonWallet(ctx, master, owner); err != nil {
			return fmt.Errorf("master %s: %w", master, err)
		}
		s, err := c.state(ctx, j.Wallet)
		if err != nil {
			return fmt.Errorf("jetton wallet %s: %w", j.Wallet, err)
		}
		j.Time = s.time
		if j.Balance, j.Locked, err = balanceOf(s.shard, master, owner); err != nil {
			return fmt.Errorf("jetton wallet %s: %w", j.Wallet, err)
		}
		return nil
	})
	if err != nil {
		return ton.Jetton{}, fmt.Errorf("jettons of %s: %w", owner, err)
	}
	return j, nil
}

// jettonWallet runs the master's get_wallet_address on its proven state.
func (c *Client) jettonWallet(ctx context.Context, master, owner ton.Address) (ton.Address, error) {
	s, err := c.state(ctx, master)
	if err != nil {
		return ton.Address{}, err
	}
	st, err := active(s.shard)
	if err != nil {
		return ton.Address{}, err
	}
	config, err := c.configAt(ctx, s)
	if err != nil {
		return ton.Address{}, fmt.Errorf("configuration: %w", err)
	}
	stack := vm.NewStack()
	if err := stack.PushSlice(cell.BeginCell().MustStoreAddr(owner.TLB()).ToSlice()); err != nil {
		return ton.Address{}, err
	}
	if err := stack.PushSmallInt(int64(tlb.MethodNameHash("get_wallet_address"))); err != nil {
		return ton.Address{}, err
	}
	info := surroundings(st, s, config)
	r, err := c.machine.ExecuteGetMethod(st.StateInit.Code, st.StateInit.Data, info, vm.GasWithLimit(1_000_000), stack, tvm.ExecutionConfig{Config: config})
	if err != nil {
		return ton.Address{}, fmt.Errorf("get_wallet_address: %w", err)
	}
	if r.ExitCode != 0 && r.ExitCode != 1 {
		return ton.Address{}, fmt.Errorf("get_wallet_address ends with exit code %d", r.ExitCode)
	}
	answer, err := r.Stack.PopSlice()
	if err != nil {
		return ton.Address{}, fmt.Errorf("get_wallet_address: %w", err)
	}
	at, err := answer.LoadAddr()
	if err != nil {
		return ton.Address{}, fmt.Errorf("get_wallet_address: %w", err)
	}
	a, ok := ton.AddressOf(at)
	if !ok || a.Workchain != 0 {
		return ton.Address{}, errors.New("get_wallet_address returned no plain address")
	}
	return a, nil
}

// surroundings is what a get method is told of the world (the register c7).
func surroundings(st *tlb.AccountState, s *state, config *tvm.PreparedBlockchainConfig) tuple.Tuple {
	i := func(v int64) *big.Int { return big.NewInt(v) }
	return tuple.NewTupleValue(tuple.NewTupleValue(
		i(0x076ef1ea), i(0), i(0), i(int64(s.time)), i(0), i(0), i(0),
		tuple.NewTupleValue(st.Balance.Nano(), nil),
		cell.BeginCell().MustStoreAddr(st.Address).ToSlice(),
		config.Root(), st.StateInit.Code,
		tuple.NewTupleValue(i(0), nil), i(0), nil, nil, i(0), nil, nil,
	))
}

func active(shard *tlb.ShardAccount) (*tlb.AccountState, error) {
	if shard == nil {
		return nil, errors.New("there is no such account")
	}
	var st tlb.AccountState
	if err := tlb.Parse(&st, shard.Account); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if !st.IsValid || st.Status != tlb.AccountStatusActive || st.StateInit == nil || st.StateInit.Code == nil || st.StateInit.Data == nil {
		return nil, errors.New("it is not active")
	}
	return &st, nil
}

// balanceOf takes the balance out of a jetton wallet's proven state, if it is
// the owner's and the master's. An account that was never used has none.
func balanceOf(shard *tlb.ShardAccount, master, owner ton.Address) (balance int64, locked bool, err error) {
	if shard == nil {
		return 0, false, nil
	}
	var account tlb.AccountState
	if err := tlb.Parse(&account, shard.Account); err != nil {
		return 0, false, fmt.Errorf("state: %w", err)
	}
	if !account.IsValid || account.Status == tlb.AccountStatusUninit {
		return 0, false, nil // somebody only sent coins there
	}
	st, err := active(shard)
	if err != nil {
		return 0, false, err
	}
	if code := ton.Hash(st.StateInit.Code.Hash()); code.String() != jettonWalletCode {
		return 0, false, fmt.Errorf("%w: its code is %s", errJettonWallet, code)
	}
	s, err := st.StateInit.Data.BeginParse()
	if err != nil {
		return 0, false, err
	}
	status, err := s.LoadUInt(4)
	if err != nil {
		return 0, false, err
	}
	units, err := s.LoadBigCoins()
	if err != nil {
		return 0, false, err
	}
	for _, want := range []ton.Address{owner, master} {
		a, err := s.LoadAddr()
		if err != nil {
			return 0, false, err
		}
		if got, ok := ton.AddressOf(a); !ok || got != want {
			return 0, false, fmt.Errorf("%w: it belongs to %s", errJettonWallet, a)
		}
	}
	if !units.IsInt64() {
		return 0, false, errors.New("the balance is too large")
	}
	return units.Int64(), status&1 != 0, nil
}

// ErrLongTrail is returned, wrapped, where an account has had more transactions
// than are walked to find one message.
var ErrLongTrail = errors.New("the account has had too many transactions since")

// maxTrail bounds how many transactions are walked back for one message.
const maxTrail = 4096

// Trail returns the transactions of any account after a logical time, oldest
// first, linked by their hashes to its proven state.
func (c *Client) Trail(ctx context.Context, a ton.Address, after uint64) ([]ton.Transaction, error) {
	var at ton.Position
	if err := c.try(ctx, func(ctx context.Context) error {
		s, err := c.state(ctx, a)
		if err == nil && s.shard != nil {
			at = ton.Position{LT: s.shard.LastTransLT, Hash: ton.Hash(s.shard.LastTransHash)}
		}
		return err
	}); err != nil {
		return nil, fmt.Errorf("account %s: %w", a, err)
	}
	var trail []ton.Transaction
	for at.LT > after {
		if len(trail) > maxTrail {
			return nil, fmt.Errorf("account %s: %w", a, ErrLongTrail)
		}
		page, err := c.Page(ctx, a, at)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			if t.LT <= after {
				at = ton.Position{}
				break
			}
			trail, at = append(trail, t), t.Prev
		}
	}
	slices.Reverse(trail)
	return trail, nil
}
