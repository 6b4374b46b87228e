package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Codes of a lite server's errors.
const (
	codeNotAccepted int32 = 0
	codeBadQuery    int32 = -400
	codeNotFound    int32 = 651
	codeTimeout     int32 = 652
)

const (
	serverVersion      = 0x101
	serverCapabilities = 7
	maxTransactions    = 16               // of one answer about an account
	maxBlockList       = 256              // of one answer about a block
	maxWait            = 10 * time.Second // for a block to come
)

func refuse(code int32, format string, a ...any) liteton.LSError {
	return liteton.LSError{Code: code, Text: fmt.Sprintf(format, a...)}
}

// answer answers any query, with an LSError where it must. A query is from
// outside: whatever it holds, it can't end the program.
func (n *Network) answer(ctx context.Context, query tl.Serializable) (r tl.Serializable) {
	defer func() {
		if p := recover(); p != nil {
			r = refuse(codeBadQuery, "the query could not be read: %v", p)
		}
	}()
	if list, ok := query.([]tl.Serializable); ok && len(list) > 0 {
		for _, q := range list[:len(list)-1] {
			if w, ok := q.(liteton.WaitMasterchainSeqno); ok && !n.await(ctx, uint32(w.Seqno), time.Duration(w.Timeout)*time.Millisecond) {
				return refuse(codeTimeout, "timeout")
			}
		}
		query = list[len(list)-1]
	}
	r, err := n.dispatch(query)
	var refusal liteton.LSError
	switch {
	case err == nil:
		return r
	case errors.As(err, &refusal):
		return refusal
	}
	return refuse(codeBadQuery, "%v", err)
}

// await waits until there is a masterchain block with this seqno.
func (n *Network) await(ctx context.Context, seqno uint32, timeout time.Duration) bool {
	t := time.NewTimer(min(timeout, maxWait))
	defer t.Stop()
	for {
		n.mu.RLock()
		last, changed := n.lastMaster().seqno(), n.changed
		n.mu.RUnlock()
		if last >= seqno {
			return true
		}
		select {
		case <-changed:
		case <-t.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (n *Network) dispatch(query tl.Serializable) (tl.Serializable, error) {
	if q, ok := query.(liteton.SendMessage); ok {
		if err := n.Send(q.Body); err != nil {
			return nil, refuse(codeNotAccepted, "%v", err)
		}
		return liteton.SendMessageStatus{Status: 1}, nil
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	last := n.lastMaster()
	switch q := query.(type) {
	case liteton.GetMasterchainInf:
		return liteton.MasterchainInfo{Last: last.id, StateRootHash: last.state.Hash(), Init: n.zero}, nil
	case liteton.GetMasterchainInfoExt:
		return liteton.MasterchainInfoExt{Version: serverVersion, Capabilities: serverCapabilities, Last: last.id,
			LastUTime: last.time, Now: uint32(n.now().Unix()), StateRootHash: last.state.Hash(), Init: n.zero}, nil
	case liteton.GetTime:
		return liteton.CurrentTime{Now: uint32(n.now().Unix())}, nil
	case liteton.GetVersion:
		return liteton.Version{Version: serverVersion, Capabilities: serverCapabilities, Now: uint32(n.now().Unix())}, nil
	case liteton.LookupBlock:
		b, err := n.lookup(q)
		if err != nil {
			return nil, err
		}
		return headerAnswer(b, q.Mode)
	case liteton.GetBlockHeader:
		b, err := n.find(q.ID)
		if err != nil {
			return nil, err
		}
		return headerAnswer(b, q.Mode)
	case liteton.GetBlockData:
		b, err := n.find(q.ID)
		if err != nil {
			return nil, err
		}
		return liteton.BlockData{ID: b.id, Payload: b.boc()}, nil
	case liteton.GetAllShardsInfo:
		return n.shardsInfo(q)
	case liteton.GetAccountState:
		return n.accountState(q)
	case liteton.RunSmcMethod:
		return n.runMethod(q)
	case liteton.GetTransactions:
		return n.transactions(q)
	case liteton.GetOneTransaction:
		return n.oneTransaction(q)
	case liteton.ListBlockTransactions:
		return n.blockTransactions(q)
	case liteton.GetConfigAll:
		return n.configAnswer(q.BlockID, int(q.Mode), parts{allParams: true})
	case liteton.GetConfigParams:
		var want parts
		for _, p := range q.Params {
			want.params = append(want.params, int64(p))
		}
		return n.configAnswer(q.BlockID, int(q.Mode), want)
	case liteton.GetLibraries:
		return liteton.LibraryResult{}, nil
	case liteton.GetBlockProof:
		return n.chainAnswer(q)
	}
	return nil, refuse(codeBadQuery, "queries of type %T are not answered here", query)
}

// find returns the block with exactly this id, hashes included.
func (n *Network) find(id *liteton.BlockIDExt) (*block, error) {
	if id == nil {
		return nil, refuse(codeBadQuery, "no block is named")
	}
	list := n.shards
	if id.Workchain == masterchain {
		list = n.masters
	}
	if id.SeqNo == 0 || int64(id.SeqNo) >= int64(len(list)) || !list[id.SeqNo].id.Equals(id) {
		return nil, refuse(codeNotFound, "block (%d,%x,%d) is not in db", id.Workchain, uint64(id.Shard), id.SeqNo)
	}
	return list[id.SeqNo], nil
}

// lookup finds a block by seqno (mode 1), by logical time (2) or by time (4).
func (n *Network) lookup(q liteton.LookupBlock) (*block, error) {
	list := n.shards
	if q.ID.Workchain == masterchain {
		list = n.masters
	}
	at := 0 // 0 is never found: it is no block
	switch {
	case q.Mode&1 != 0:
		at = int(q.ID.Seqno)
	case q.Mode&2 != 0:
		at = sort.Search(len(list), func(i int) bool { return i > 0 && list[i].endLT >= q.LT })
	case q.Mode&4 != 0:
		at = sort.Search(len(list), func(i int) bool { return list[i].time > q.UTime }) - 1
	}
	if at <= 0 || at >= len(list) {
		return nil, refuse(codeNotFound, "block is not in db")
	}
	return list[at], nil
}

func headerAnswer(b *block, mode uint32) (tl.Serializable, error) {
	p, err := b.proveHeader()
	if err != nil {
		return nil, err
	}
	return liteton.BlockHeader{ID: b.id, Mode: mode, HeaderProof: p.ToBOC()}, nil
}

func (n *Network) shardsInfo(q liteton.GetAllShardsInfo) (tl.Serializable, error) {
	b, err := n.find(q.ID)
	if err != nil {
		return nil, err
	}
	if b.shard == nil {
		return nil, refuse(codeBadQuery, "only masterchain blocks list shards")
	}
	p, err := b.proveShards()
	if err != nil {
		return nil, err
	}
	list, err := shardList(b)
	if err != nil {
		return nil, err
	}
	return liteton.AllShardsInfo{ID: b.id, Proof: []*cell.Cell{p}, Data: cell.BeginCell().MustStoreDict(list).EndCell()}, nil
}

func (n *Network) configAnswer(id *liteton.BlockIDExt, mode int, want parts) (tl.Serializable, error) {
	b, err := n.find(id)
	if err != nil {
		return nil, err
	}
	if b.shard == nil {
		return nil, refuse(codeBadQuery, "only masterchain blocks have a configuration")
	}
	header, err := b.proveHeader()
	if err != nil {
		return nil, err
	}
	params, err := b.proveState(want)
	if err != nil {
		return nil, err
	}
	return liteton.ConfigAll{Mode: mode, ID: b.id, StateProof: header.ToBOC(), ConfigProof: params.ToBOC()}, nil
}

func (n *Network) chainAnswer(q liteton.GetBlockProof) (tl.Serializable, error) {
	from, err := n.find(q.KnownBlock)
	if err != nil {
		return nil, err
	}
	to := n.lastMaster()
	if q.Mode&1 != 0 {
		if to, err = n.find(q.TargetBlock); err != nil {
			return nil, err
		}
	}
	if from.shard == nil || to.shard == nil {
		return nil, refuse(codeBadQuery, "only masterchain blocks are linked")
	}
	return n.proveChain(from, to)
}

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

// transactions answers with an account's history, newest first.
func (n *Network) transactions(q liteton.GetTransactions) (tl.Serializable, error) {
	if q.AccID == nil || len(q.AccID.ID) != 32 || q.AccID.Workchain != 0 {
		return nil, refuse(codeBadQuery, "%v", errWorkchain)
	}
	a := n.accounts[accountID(q.AccID.ID)]
	if a == nil {
		return nil, refuse(codeNotAccepted, "the account has no transactions")
	}
	at := len(a.txs) - len(a.after(uint64(q.LT))) - 1 // the newest that is not after LT
	if at < 0 || a.txs[at].lt != uint64(q.LT) {
		return nil, refuse(codeBadQuery, "cannot compute block with specified transaction: lt not in db")
	}
	if !bytes.Equal(a.txs[at].cell.Hash(), q.TxHash) {
		return nil, refuse(codeBadQuery, "transaction hash mismatch")
	}
	var r liteton.TransactionList
	var roots []*cell.Cell
	for ; at >= 0 && len(roots) < min(int(q.Limit), maxTransactions); at-- {
		roots = append(roots, a.txs[at].cell)
		r.IDs = append(r.IDs, a.txs[at].block.id)
	}
	r.Transactions = cell.ToBOCWithOptions(roots, cell.BOCSerializeOptions{WithCRC32C: true})
	return r, nil
}

func (n *Network) oneTransaction(q liteton.GetOneTransaction) (tl.Serializable, error) {
	b, err := n.find(q.ID)
	if err != nil {
		return nil, err
	}
	if q.AccID == nil || len(q.AccID.ID) != 32 {
		return nil, refuse(codeBadQuery, "%v", errWorkchain)
	}
	id := accountID(q.AccID.ID)
	for _, t := range b.txs[id] {
		if t.lt != uint64(q.LT) {
			continue
		}
		p, err := b.proveTransactions(place{id, t.lt})
		if err != nil {
			return nil, err
		}
		return liteton.TransactionInfo{ID: b.id, Proof: p.ToBOC(), Transaction: t.cell.ToBOC()}, nil
	}
	return liteton.TransactionInfo{ID: b.id}, nil
}

// Bits of the mode of ListBlockTransactions.
const (
	listProof = 32
	listAfter = 128
)

func (n *Network) blockTransactions(q liteton.ListBlockTransactions) (tl.Serializable, error) {
	b, err := n.find(q.ID)
	if err != nil {
		return nil, err
	}
	r := liteton.BlockTransactions{ID: b.id, ReqCount: int32(q.Count)}
	var places []place
	for _, id := range sortedAccounts(b.txs) {
		for _, t := range b.txs[id] {
			if q.Mode&listAfter != 0 && !after(id, t.lt, q.After) {
				continue
			}
			if len(places) >= min(int(q.Count), maxBlockList) {
				r.Incomplete = true
				break
			}
			r.TransactionIds = append(r.TransactionIds, liteton.TransactionID{
				Flags: q.Mode & 7, Account: bytes.Clone(id[:]), LT: t.lt, Hash: t.cell.Hash()})
			places = append(places, place{id, t.lt})
		}
	}
	if q.Mode&listProof != 0 {
		if r.Proof, err = b.proveTransactions(places...); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func after(id accountID, lt uint64, mark *liteton.TransactionID3) bool {
	c := bytes.Compare(id[:], mark.Account)
	return c > 0 || c == 0 && lt > mark.LT
}
