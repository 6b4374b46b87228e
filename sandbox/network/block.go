package network

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"sort"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

const (
	wholeShard  int64 = -0x8000000000000000
	masterchain int32 = -1
	catchain          = 1 // there is only one session of validators, for ever
)

// block is a block with the state after it. Blocks with seqno 0 are the zero
// states and have no root.
type block struct {
	id             *liteton.BlockIDExt
	root           *cell.Cell
	state          *cell.Cell // nil for shard blocks whose state is forgotten
	time           uint32
	startLT, endLT uint64
	key            bool
	txs            map[accountID][]*transaction // of a shard block
	shard          *block                       // what a masterchain block commits
}

func (b *block) seqno() uint32 { return b.id.SeqNo }

// boc is how the block's file looks. It is packed when it is asked for, for it
// would take more memory than all else.
func (b *block) boc() []byte { return pack(b.root) }

func pack(root *cell.Cell) []byte {
	return root.ToBOCWithOptions(cell.BOCSerializeOptions{WithCRC32C: true, WithIndex: true})
}

func (b *block) ref() tlb.ExtBlkRef {
	return tlb.ExtBlkRef{EndLt: b.endLT, SeqNo: b.id.SeqNo, RootHash: b.id.RootHash, FileHash: b.id.FileHash}
}

// summary is what the masterchain block b shows of itself.
func (b *block) summary() Block {
	s := Block{Seqno: b.seqno(), RootHash: ton.Hash(b.id.RootHash), FileHash: ton.Hash(b.id.FileHash), Time: b.time}
	if b.shard != nil {
		for _, list := range b.shard.txs {
			s.Transactions += len(list)
		}
	}
	return s
}

func sortedAccounts(txs map[accountID][]*transaction) []accountID {
	ids := make([]accountID, 0, len(txs))
	for id := range txs {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return bytes.Compare(ids[i][:], ids[j][:]) < 0 })
	return ids
}

// accounts are those that the block changes, sorted.
func (d *draft) accounts() []accountID { return sortedAccounts(d.txs) }

// keyBlock is block 1, the only one that holds the configuration, or nil while
// it is being made.
func (n *Network) keyBlock() *block {
	if len(n.masters) < 2 {
		return nil
	}
	return n.masters[1]
}

// shardBlock builds the block that holds the draft's transactions.
func (n *Network) shardBlock(d *draft) (*block, error) {
	prev := n.lastShard()
	b := &block{id: &liteton.BlockIDExt{Workchain: 0, Shard: wholeShard, SeqNo: prev.seqno() + 1},
		time: d.time, startLT: d.start, endLT: d.end, txs: d.txs}
	accounts, err := n.dict.ToCell()
	if err != nil {
		return nil, err
	}
	total := n.total()
	b.state = n.state(0, b.seqno(), b.time, b.endLT, accounts, total, nil)
	changed, err := n.accountBlocks(d)
	if err != nil {
		return nil, err
	}
	return b, n.seal(b, prev, total, changed, nil)
}

// masterBlock builds the block that commits a shard block.
func (n *Network) masterBlock(s *block, key bool) (*block, error) {
	prev := n.lastMaster()
	b := &block{id: &liteton.BlockIDExt{Workchain: masterchain, Shard: wholeShard, SeqNo: prev.seqno() + 1},
		time: s.time, startLT: s.endLT + 1, endLT: s.endLT + 4, key: key, shard: s}
	if err := n.addAncestor(prev); err != nil {
		return nil, err
	}
	shards, err := shardList(b)
	if err != nil {
		return nil, err
	}
	extra, err := n.masterExtra(shards, prev.key)
	if err != nil {
		return nil, err
	}
	accounts, err := noAccounts()
	if err != nil {
		return nil, err
	}
	b.state = n.state(masterchain, b.seqno(), b.time, b.endLT, accounts, new(big.Int), extra)
	custom := cell.BeginCell().MustStoreUInt(0xcca5, 16).MustStoreBoolBit(key).
		MustStoreDict(shards).
		MustStoreBoolBit(false).MustStoreBuilder(noCoins()).MustStoreBuilder(noCoins()). // no fees of shards
		MustStoreRef(cell.BeginCell().MustStoreUInt(0, 3).EndCell())                     // nothing recovered or minted
	if key {
		custom.MustStoreBuilder(n.configParams())
	}
	changed, err := n.accountBlocks(&draft{})
	if err != nil {
		return nil, err
	}
	return b, n.seal(b, prev, new(big.Int), changed, custom.EndCell())
}

func (n *Network) addAncestor(b *block) error {
	ref, err := tlb.ToCell(b.ref())
	if err != nil {
		return err
	}
	return n.ancestry.Set(cell.BeginCell().MustStoreUInt(uint64(b.seqno()), 32).EndCell(),
		cell.BeginCell().MustStoreBoolBit(b.key).MustStoreBuilder(ref.ToBuilder()).EndCell())
}

// shardList is the ShardHashes of a masterchain block: one shard, or none in
// the zero state.
func shardList(b *block) (*cell.Dictionary, error) {
	list := cell.NewDict(32)
	if b.shard == nil {
		return list, nil
	}
	s := b.shard
	c, err := tlb.ToCell(tlb.ShardDesc{
		SeqNo: s.seqno(), RegMcSeqno: b.seqno(), StartLT: s.startLT, EndLT: s.endLT,
		RootHash: s.id.RootHash, FileHash: s.id.FileHash,
		NextCatchainSeqNo: catchain, NextValidatorShard: wholeShard, GenUTime: s.time,
		SplitMergeAt: tlb.FutureSplitMergeNone{},
	})
	if err != nil {
		return nil, err
	}
	leaf := cell.BeginCell().MustStoreBoolBit(false).MustStoreBuilder(c.ToBuilder()).EndCell()
	return list, list.SetIntKey(new(big.Int), cell.BeginCell().MustStoreRef(leaf).EndCell())
}

// accountBlocks is the ShardAccountBlocks: for each account, its transactions
// and the hashes of its state before and after.
func (n *Network) accountBlocks(d *draft) (*cell.Cell, error) {
	dict, err := cell.NewAugDict(256, tlb.AugShardAccountBlocks{})
	if err != nil {
		return nil, err
	}
	for _, id := range d.accounts() {
		txs, err := transactionDict(d.txs[id])
		if err != nil {
			return nil, fmt.Errorf("account %x: %w", id, err)
		}
		hashes := cell.BeginCell().MustStoreUInt(0x72, 8).
			MustStoreSlice(d.before[id], 256).
			MustStoreSlice(n.accounts[id].state.ShardAccount().Account.Hash(), 256).EndCell()
		entry := cell.BeginCell().MustStoreUInt(5, 4).MustStoreSlice(id[:], 256).
			MustStoreBuilder(txs.ToBuilder()).MustStoreRef(hashes).EndCell()
		if err := dict.Set(id.key(), entry); err != nil {
			return nil, fmt.Errorf("account %x: %w", id, err)
		}
	}
	return dict.ToCell()
}

// transactionDict is the root of a dictionary of transactions by logical time,
// without the bit and the sum that stand before it elsewhere.
func transactionDict(txs []*transaction) (*cell.Cell, error) {
	dict, err := cell.NewAugDict(64, tlb.AugAccountTransactions{})
	if err != nil {
		return nil, err
	}
	for _, t := range txs {
		if err := dict.Set(ltKey(t.lt), cell.BeginCell().MustStoreRef(t.cell).EndCell()); err != nil {
			return nil, err
		}
	}
	c, err := dict.ToCell()
	if err != nil {
		return nil, err
	}
	return c.PeekRef(0)
}

func ltKey(lt uint64) *cell.Cell { return cell.BeginCell().MustStoreUInt(lt, 64).EndCell() }

// seal puts the block's parts together and names it.
func (n *Network) seal(b, prev *block, total *big.Int, accounts, custom *cell.Cell) error {
	header, err := n.header(b, prev)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	update, err := stateUpdate(prev.state, b.state)
	if err != nil {
		return fmt.Errorf("state update: %w", err)
	}
	seed := n.randSeed(b.startLT)
	// The descriptions of messages stay empty: no proof that a client asks for
	// goes through them.
	in := cell.BeginCell().MustStoreBoolBit(false).MustStoreUInt(0, 4).MustStoreBuilder(noCoins()).EndCell()
	out := cell.BeginCell().MustStoreBoolBit(false).MustStoreBuilder(noCoins()).EndCell()
	extra := cell.BeginCell().MustStoreUInt(0x4a33f6fd, 32).
		MustStoreRef(in).MustStoreRef(out).MustStoreRef(accounts).
		MustStoreSlice(seed[:], 256).MustStoreSlice(make([]byte, 32), 256).
		MustStoreMaybeRef(custom).EndCell()
	b.root = cell.BeginCell().
		MustStoreUInt(0x11ef55aa, 32).
		MustStoreInt(int64(n.globalID), 32).
		MustStoreRef(header).MustStoreRef(valueFlow(total)).MustStoreRef(update).MustStoreRef(extra).
		EndCell()
	file := sha256.Sum256(b.boc())
	b.id.RootHash, b.id.FileHash = b.root.Hash(), file[:]
	for _, list := range b.txs {
		for _, t := range list {
			t.block = b
		}
	}
	return nil
}

func (n *Network) header(b, prev *block) (*cell.Cell, error) {
	h := tlb.BlockHeader{}
	h.NotMaster = b.id.Workchain != masterchain
	h.KeyBlock = b.key
	h.Flags = 1 // the software's version follows
	h.SeqNo = b.seqno()
	h.Shard = tlb.ShardIdent{WorkchainID: b.id.Workchain}
	h.GenUtime = b.time
	h.StartLt, h.EndLt = b.startLT, b.endLT
	h.GenValidatorListHashShort = n.validator.setHash()
	h.GenCatchainSeqno = catchain
	if key := n.keyBlock(); key != nil {
		h.PrevKeyBlockSeqno = key.seqno()
	}
	h.GenSoftware = &tlb.GlobalVersion{Version: n.version.Version, Capabilities: n.version.Capabilities}
	if h.NotMaster {
		master := n.lastMaster().ref()
		h.MasterRef = &master
		h.MinRefMcSeqno = master.SeqNo
	}
	h.PrevRef = tlb.BlkPrevInfo{Prev1: prev.ref()}
	return h.ToCell()
}

// stateUpdate binds both states' hashes to the block without the states: no
// client applies an update.
func stateUpdate(from, to *cell.Cell) (*cell.Cell, error) {
	l, err := cell.CreatePrunedBranch(from, 1, 0)
	if err != nil {
		return nil, err
	}
	r, err := cell.CreatePrunedBranch(to, 1, 0)
	if err != nil {
		return nil, err
	}
	return cell.CreateMerkleUpdate(l, r)
}

// valueFlow is simplified: it says that as much was there before as after.
func valueFlow(total *big.Int) *cell.Cell {
	moved := cell.BeginCell().MustStoreBuilder(coins(total)).MustStoreBuilder(coins(total)).
		MustStoreBuilder(noCoins()).MustStoreBuilder(noCoins()).EndCell()
	other := cell.BeginCell().MustStoreBuilder(noCoins()).MustStoreBuilder(noCoins()).
		MustStoreBuilder(noCoins()).MustStoreBuilder(noCoins()).EndCell()
	return cell.BeginCell().MustStoreUInt(0xb8e48dfb, 32).MustStoreRef(moved).
		MustStoreBuilder(noCoins()).MustStoreRef(other).EndCell()
}

// genesis makes the zero states and the first two blocks. Block 1 of the
// masterchain is the key block.
func (n *Network) genesis(now uint32) error {
	accounts, err := noAccounts()
	if err != nil {
		return err
	}
	shard := zeroBlock(0, now, n.state(0, 0, now, 0, accounts, new(big.Int), nil))
	n.shards = []*block{shard}

	none, err := shardList(&block{})
	if err != nil {
		return err
	}
	extra, err := n.masterExtra(none, false)
	if err != nil {
		return fmt.Errorf("zero state: %w", err)
	}
	master := zeroBlock(masterchain, now, n.state(masterchain, 0, now, 0, accounts, new(big.Int), extra))
	n.masters = []*block{master}
	n.zero = &liteton.ZeroStateIDExt{Workchain: masterchain, RootHash: master.id.RootHash, FileHash: master.id.FileHash}

	s, err := n.shardBlock(&draft{time: now, start: blockLTs, end: blockLTs + 1})
	if err != nil {
		return fmt.Errorf("first shard block: %w", err)
	}
	m, err := n.masterBlock(s, true)
	if err != nil {
		return fmt.Errorf("key block: %w", err)
	}
	n.shards = append(n.shards, s)
	n.masters = append(n.masters, m)
	return nil
}

func zeroBlock(workchain int32, time uint32, state *cell.Cell) *block {
	file := sha256.Sum256(state.ToBOC())
	return &block{
		id:    &liteton.BlockIDExt{Workchain: workchain, Shard: wholeShard, RootHash: state.Hash(), FileHash: file[:]},
		state: state, time: time,
	}
}
