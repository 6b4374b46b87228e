package network

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// blockLTs is how far apart shard blocks begin in logical time.
const blockLTs = 1_000_000

// draft is a shard block in the making.
type draft struct {
	time       uint32
	start, end uint64 // logical times
	context    *tvm.BlockContext
	txs        map[accountID][]*transaction
	before     map[accountID][]byte // hash of the account before the block
	refused    error                // what OnTransaction said
}

// Faucet is the account that Fund's money comes from. It has no state.
func (n *Network) Faucet() ton.Address {
	return ton.Address{Account: n.derive("faucet")}
}

// Fund has the next block credit an account, from nowhere, with a message that
// does not bounce.
func (n *Network) Fund(to ton.Address, amount ton.Nano) error {
	if to.Workchain != 0 || to.IsZero() {
		return fmt.Errorf("fund %s: %w", to.Raw(), errWorkchain)
	}
	if amount <= 0 {
		return fmt.Errorf("fund %s: the amount is %s", to.Raw(), amount)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken != nil {
		return n.broken
	}
	at := n.nextTime()
	if err := n.keep(fundInput(at, to, amount)); err != nil {
		return err
	}
	return n.fund(to, amount, at)
}

func (n *Network) fund(to ton.Address, amount ton.Nano, at uint32) error {
	return n.deliver(&tlb.InternalMessage{
		DstAddr: to.TLB(), Amount: tlb.FromNanoTONU(uint64(amount)), Body: cell.BeginCell().EndCell(),
	}, at)
}

// deliver puts a message of the faucet's on its way.
func (n *Network) deliver(of *tlb.InternalMessage, at uint32) error {
	of.IHRDisabled, of.SrcAddr, of.CreatedLT, of.CreatedAt = true, n.Faucet().TLB(), n.lastShard().endLT, at
	c, err := tlb.ToCell(of)
	if err != nil {
		return fmt.Errorf("message to %s: %w", of.DstAddr, err)
	}
	var m tlb.Message
	if err := tlb.Parse(&m, c); err != nil {
		return fmt.Errorf("message to %s: %w", of.DstAddr, err)
	}
	n.queue.add(c, &m)
	n.hurry()
	return nil
}

// nextLT is where the next shard block begins.
func (n *Network) nextLT() uint64 {
	return (n.lastShard().endLT/blockLTs + 1) * blockLTs
}

// nextTime is the time of a block made now. Time never runs backwards.
func (n *Network) nextTime() uint32 {
	return max(uint32(n.now().Unix()), n.lastShard().time)
}

func (n *Network) randSeed(lt uint64) [32]byte {
	s := n.derive("block")
	return sha256.Sum256(binary.BigEndian.AppendUint64(s[:], lt))
}

func (n *Network) blockContext(time uint32, lt uint64) (*tvm.BlockContext, error) {
	seed := n.randSeed(lt)
	return n.config.NewBlockContext(tvm.BlockOptions{Now: time, BlockLT: int64(lt), RandSeed: seed[:], Libraries: n.jettons.libraries})
}

// execute empties the pool and the queue into a draft.
func (n *Network) execute(time uint32) (*draft, error) {
	lt := n.nextLT()
	ctx, err := n.blockContext(time, lt)
	if err != nil {
		return nil, err
	}
	d := &draft{time: time, start: lt, end: lt + 1, context: ctx,
		txs: map[accountID][]*transaction{}, before: map[accountID][]byte{}}
	var later []external
	for _, e := range n.pool {
		if e.from > n.lastShard().seqno()+1 {
			later = append(later, e)
			continue
		}
		delete(n.pooled, e.hash)
		// What is not accepted any more, or breaks the machine, vanishes, as
		// from a real pool.
		if _ = n.transact(d, e.to, e.message); d.refused != nil {
			return nil, d.refused
		}
	}
	n.pool = later
	for n.queue.Len() > 0 {
		q := heap.Pop(&n.queue).(internal)
		to, ok := idOf(q.message.AsInternal().DstAddr)
		if !ok {
			continue // there is nobody in other workchains
		}
		m, err := tvm.PrepareParsedMessage(q.cell, q.message)
		if err != nil {
			return nil, err
		}
		if err := n.transact(d, to, m); d.refused != nil {
			return nil, d.refused
		} else if err != nil {
			return nil, fmt.Errorf("message to %x: %w", to, err)
		}
	}
	return d, nil
}

// transact executes one message on one account. An external message that is
// not accepted leaves no trace.
func (n *Network) transact(d *draft, to accountID, m *tvm.PreparedMessage) error {
	a, err := n.account(to)
	if err != nil {
		return err
	}
	lt := d.start + 1
	r, err := n.machine.EmulateTransaction(d.context, a.state, m,
		tvm.TransactionOptions{LogicalTime: int64(lt), AccountStorageStat: a.usage})
	if err != nil || r.TransactionCell == nil {
		return err
	}
	if n.onTransaction != nil && !n.replay {
		err := n.onTransaction(Executed{
			Before: a.state.ShardAccountCell(), After: r.NextAccount.ShardAccountCell(),
			Message: m.Cell(), Transaction: r.TransactionCell, Config: n.params,
			Time: d.time, BlockLT: d.start, LT: lt, RandSeed: n.randSeed(d.start), Libraries: n.needed(r.NextAccount),
		})
		if err != nil {
			d.refused = err
			return err
		}
	}
	if d.before[to] == nil {
		d.before[to] = a.state.ShardAccount().Account.Hash()
	}
	a.state, a.usage = r.NextAccount, r.AccountStorageStat
	n.accounts[to] = a
	t := &transaction{lt: a.state.ShardAccount().LastTransLT, cell: r.TransactionCell}
	a.txs = append(a.txs, t)
	d.txs[to] = append(d.txs[to], t)
	d.end = max(d.end, r.EndLT)
	for _, out := range r.OutMessages {
		if out.Msg != nil && out.Msg.MsgType == tlb.MsgTypeInternal {
			n.queue.add(out.Cell, out.Msg)
		}
	}
	return nil
}

// needed is the collection of libraries, for an account whose code is one.
func (n *Network) needed(a *tvm.PreparedAccount) *cell.Cell {
	s := a.State()
	if s == nil || s.StateInit == nil || s.StateInit.Code == nil || !s.StateInit.Code.IsSpecial() {
		return nil
	}
	return n.jettons.libraries[0]
}

// internal is a message on its way from one account to another.
type internal struct {
	cell    *cell.Cell
	message *tlb.Message
	arrival uint64
}

// internalQueue is a heap that gives messages out in the order of their
// creation, and of their arrival where that is the same.
type internalQueue struct {
	list     []internal
	arrivals uint64
}

func (q *internalQueue) add(c *cell.Cell, m *tlb.Message) {
	q.arrivals++
	heap.Push(q, internal{c, m, q.arrivals})
}

func (q *internalQueue) Len() int { return len(q.list) }
func (q *internalQueue) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	if x, y := a.message.AsInternal().CreatedLT, b.message.AsInternal().CreatedLT; x != y {
		return x < y
	}
	return a.arrival < b.arrival
}
func (q *internalQueue) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *internalQueue) Push(x any)    { q.list = append(q.list, x.(internal)) }
func (q *internalQueue) Pop() any {
	last := q.list[len(q.list)-1]
	q.list[len(q.list)-1] = internal{}
	q.list = q.list[:len(q.list)-1]
	return last
}
