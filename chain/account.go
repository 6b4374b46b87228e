package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Account returns the state of a wallet of version v at the newest masterchain
// block. An account that was never touched has no balance and is not active; of
// one that runs other code than v's the data is not read and stays zero.
func (c *Client) Account(ctx context.Context, a ton.Address, v ton.WalletVersion) (ton.Account, error) {
	var account ton.Account
	err := c.try(ctx, func(ctx context.Context) error {
		s, err := c.state(ctx, a)
		if err != nil {
			return err
		}
		account, err = s.account(a, v)
		return err
	})
	if err != nil {
		return ton.Account{}, fmt.Errorf("account %s: %w", a, err)
	}
	return account, nil
}

// state is an account as it stands at a masterchain block.
type state struct {
	id     *liteton.BlockIDExt
	master *tlb.Block
	time   uint32            // of the shard block
	shard  *tlb.ShardAccount // nil: the shard's state proves that there is no account
}

// state asks for the account and checks the proofs itself. The library's own
// call takes a proof that leaves the account out for a proof that there is none,
// and with it a server could have a paid message declared dead.
func (c *Client) state(ctx context.Context, a ton.Address) (*state, error) {
	if a.Workchain != 0 {
		return nil, errors.New("only accounts of the base workchain are read")
	}
	id, err := c.last(ctx, 0)
	if err != nil {
		return nil, err
	}
	master, err := c.block(ctx, id)
	if err != nil {
		return nil, err
	}
	var answer tl.Serializable
	if err := c.api.Client().QueryLiteserver(ctx, liteton.GetAccountState{
		ID: id, Account: liteton.AccountID{Workchain: int32(a.Workchain), ID: a.Account[:]},
	}, &answer); err != nil {
		return nil, err
	}
	t, err := as[liteton.AccountState](answer)
	if err != nil {
		return nil, err
	}
	if t.ID == nil || !t.ID.Equals(id) || t.Shard == nil || len(t.ShardProof) == 0 || len(t.Proof) == 0 {
		return nil, errors.New("answer without proofs, or for another block")
	}
	if err := liteton.CheckShardInMasterProofForAccount(id, t.ShardProof, t.Shard, a.TLB()); err != nil {
		return nil, fmt.Errorf("shard proof: %w", err)
	}
	shard, err := liteton.CheckBlockShardStateProof(t.Proof, t.Shard.RootHash)
	if err != nil {
		return nil, fmt.Errorf("state proof: %w", err)
	}
	s := &state{id: id, master: master, time: shard.GenUTime}
	if shard.Accounts.ShardAccounts == nil {
		return nil, errors.New("state proof: it leaves the accounts out")
	}
	value, _, err := shard.Accounts.ShardAccounts.LoadValueExtra(cell.BeginCell().MustStoreSlice(a.Account[:], 256).EndCell())
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state proof: %w", err)
	}
	s.shard = &tlb.ShardAccount{}
	if err := tlb.LoadFromCell(s.shard, value); err != nil {
		return nil, fmt.Errorf("state proof: %w", err)
	}
	if t.State == nil || ton.Hash(t.State.Hash()) != ton.Hash(s.shard.Account.Hash(0)) {
		return nil, errors.New("state proof: it is for another state")
	}
	s.shard.Account = t.State
	return s, nil
}

func (s *state) account(a ton.Address, v ton.WalletVersion) (ton.Account, error) {
	r := ton.Account{Address: a, Time: s.time, Block: s.id.SeqNo, BlockTime: s.master.BlockInfo.GenUtime}
	if s.shard == nil {
		return r, nil
	}
	var st tlb.AccountState
	if err := tlb.Parse(&st, s.shard.Account); err != nil {
		return ton.Account{}, fmt.Errorf("state: %w", err)
	}
	r.Last = ton.Position{LT: s.shard.LastTransLT, Hash: ton.Hash(s.shard.LastTransHash)}
	if !st.IsValid {
		return r, nil
	}
	balance := st.Balance.Nano()
	if !balance.IsInt64() {
		return ton.Account{}, fmt.Errorf("the balance is too large: %s", balance)
	}
	r.Balance = ton.Nano(balance.Int64())
	r.Frozen = st.Status == tlb.AccountStatusFrozen
	if st.Status != tlb.AccountStatusActive {
		return r, nil
	}
	if st.StateInit == nil || st.StateInit.Code == nil || st.StateInit.Data == nil {
		return ton.Account{}, errors.New("it is active without code or data")
	}
	r.Active, r.CodeHash = true, ton.Hash(st.StateInit.Code.Hash())
	if r.CodeHash != v.CodeHash() {
		return r, nil
	}
	var err error
	r.Data, err = ton.ParseWalletData(v, st.StateInit.Data)
	return r, err
}

// as returns the answer if it is a T. A lite server's error is returned as the
// library's LSError.
func as[T any](answer tl.Serializable) (T, error) {
	switch t := answer.(type) {
	case T:
		return t, nil
	case liteton.LSError:
		var none T
		return none, t
	}
	var none T
	return none, fmt.Errorf("a lite server answered with %T", answer)
}
