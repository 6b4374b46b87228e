package network

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/xssnick/tonutils-go/tl"
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
