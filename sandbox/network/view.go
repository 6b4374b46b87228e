package network

import (
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// view is an account as it stood at a block.
type view struct {
	master, shard     *block // the same, if the query named a shard block
	shardProof, proof []*cell.Cell
	found             *tlb.ShardAccount // nil: it did not exist
}

func (n *Network) lookAt(id *liteton.BlockIDExt, account liteton.AccountID, proofs bool) (*view, error) {
	if account.Workchain != 0 || len(account.ID) != 32 {
		return nil, refuse(codeBadQuery, "%v", errWorkchain)
	}
	b, err := n.find(id)
	if err != nil {
		return nil, err
	}
	v := &view{master: b, shard: b}
	if b.shard != nil {
		v.shard = b.shard
		if proofs {
			header, err := b.proveHeader()
			if err != nil {
				return nil, err
			}
			shards, err := b.proveState(parts{shards: true})
			if err != nil {
				return nil, err
			}
			v.shardProof = []*cell.Cell{header, shards}
		}
	}
	if v.shard.state == nil {
		return nil, refuse(codeNotFound, "state of block %d is not in db any more", v.shard.seqno())
	}
	p, found, err := v.shard.proveAccount(accountID(account.ID))
	if err != nil {
		return nil, err
	}
	v.found = found
	if proofs {
		header, err := v.shard.proveHeader()
		if err != nil {
			return nil, err
		}
		v.proof = []*cell.Cell{header, p}
	}
	return v, nil
}

func (n *Network) accountState(q liteton.GetAccountState) (tl.Serializable, error) {
	v, err := n.lookAt(q.ID, q.Account, true)
	if err != nil {
		return nil, err
	}
	r := liteton.AccountState{ID: v.master.id, Shard: v.shard.id, ShardProof: v.shardProof, Proof: v.proof}
	if v.found != nil {
		r.State = v.found.Account
	}
	return r, nil
}
