package network

import (
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// methodGas is how much gas a get method may use.
const methodGas = 1_000_000

// Bits of the mode of RunSmcMethod: what the answer is to hold.
const (
	wantProofs = 1
	wantState  = 2
	wantResult = 4
)

// runMethod answers RunSmcMethod.
func (n *Network) runMethod(q liteton.RunSmcMethod) (any, error) {
	a, err := n.lookAt(q.ID, q.Account, q.Mode&wantProofs != 0)
	if err != nil {
		return nil, err
	}
	r := liteton.RunMethodResult{Mode: q.Mode, ID: a.master.id, ShardBlock: a.shard.id, ShardProof: a.shardProof, Proof: a.proof}
	var state tlb.AccountState
	if a.found != nil {
		if err := tlb.Parse(&state, a.found.Account); err != nil {
			return nil, err
		}
	}
	if a.found == nil || state.Status != tlb.AccountStatusActive {
		r.ExitCode = liteton.ErrCodeContractNotInitialized
		r.Mode &^= wantState | wantResult
		return r, nil
	}
	if q.Mode&wantState != 0 {
		if r.StateProof, err = cell.CreateMerkleProof(a.found.Account); err != nil {
			return nil, err
		}
	}
	result, err := n.execMethod(&state, a.shard, q)
	if err != nil {
		return nil, err
	}
	r.ExitCode = int32(result.ExitCode)
	if q.Mode&wantResult == 0 {
		return r, nil
	}
	if r.ExitCode != 0 && r.ExitCode != 1 {
		r.Result = cell.BeginCell().MustStoreUInt(0, 24).EndCell() // an empty stack
		return r, nil
	}
	stack, err := wireStack(result.Stack)
	if err != nil {
		return nil, err
	}
	r.Result, err = stack.ToCell()
	return r, err
}

func (n *Network) execMethod(state *tlb.AccountState, b *block, q liteton.RunSmcMethod) (*tvm.ExecutionResult, error) {
	stack, err := arguments(q.Params)
	if err != nil {
		return nil, fmt.Errorf("arguments: %w", err)
	}
	if err := stack.PushSmallInt(int64(q.MethodID)); err != nil {
		return nil, err
	}
	info, err := n.contractInfo(state, b)
	if err != nil {
		return nil, err
	}
	return n.machine.ExecuteGetMethod(state.StateInit.Code, state.StateInit.Data, info,
		vm.GasWithLimit(methodGas), stack, tvm.ExecutionConfig{Config: n.config, Libraries: n.jettons.libraries})
}

// arguments reads the caller's stack, bottom first.
func arguments(boc []byte) (*vm.Stack, error) {
	stack := vm.NewStack()
	if len(boc) == 0 {
		return stack, nil
	}
	c, err := cell.FromBOC(boc)
	if err != nil {
		return nil, err
	}
	var args tlb.Stack
	if err := tlb.Parse(&args, c); err != nil {
		return nil, err
	}
	for args.Depth() > 0 {
		v, err := args.Pop()
		if err != nil {
			return nil, err
		}
		if err := stack.PushHostValue(v); err != nil {
			return nil, err
		}
	}
	return stack, nil
}

// contractInfo is the c7 register: what a contract knows of its surroundings.
func (n *Network) contractInfo(state *tlb.AccountState, b *block) (tuple.Tuple, error) {
	ctx, err := n.blockContext(b.time, b.startLT)
	if err != nil {
		return tuple.Tuple{}, err
	}
	seed, err := ctx.AccountRandSeed(state.Address)
	if err != nil {
		return tuple.Tuple{}, err
	}
	var params any
	if unpacked, ok := ctx.UnpackedConfig(); ok {
		params = unpacked
	}
	i := func(v int64) *big.Int { return big.NewInt(v) }
	nobody := cell.BeginCell().MustStoreUInt(0, 2).ToSlice()
	return tuple.NewTupleValue(tuple.NewTupleValue(
		i(0x076ef1ea), i(0), i(0), i(int64(b.time)), i(int64(b.startLT)), i(int64(b.startLT)),
		new(big.Int).SetBytes(seed),
		tuple.NewTupleValue(state.Balance.Nano(), nil),
		cell.BeginCell().MustStoreAddr(state.Address).ToSlice(),
		n.params, state.StateInit.Code,
		tuple.NewTupleValue(i(0), nil), // value of the message
		i(0), nil, params, i(0), nil,
		tuple.NewTupleValue(i(0), i(0), nobody, i(0), i(0), i(0), i(0), i(0), nil, nil), // the message
	)), nil
}

// wireStack turns the machine's stack into one that serializes, tuples too.
func wireStack(s *vm.Stack) (*tlb.Stack, error) {
	s = s.Copy()
	out := tlb.NewStack()
	for range s.Len() {
		v, err := s.PopAny()
		if err != nil {
			return nil, err
		}
		if v, err = wireValue(v); err != nil {
			return nil, err
		}
		out.Push(v)
	}
	return out, nil
}

func wireValue(v any) (any, error) {
	t, ok := v.(tuple.Tuple)
	if !ok {
		return v, nil
	}
	list := make([]any, t.Len())
	for i := range list {
		item, err := t.RawIndex(i)
		if err != nil {
			return nil, err
		}
		if list[i], err = wireValue(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}
