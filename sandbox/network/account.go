package network

import (
	"errors"
	"fmt"
	"sort"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// accountID names an account of the base workchain, the only one with accounts.
type accountID [32]byte

func (id accountID) address() *address.Address { return address.NewAddress(0, 0, id[:]) }
func (id accountID) key() *cell.Cell {
	return cell.BeginCell().MustStoreSlice(id[:], 256).EndCell()
}

// errWorkchain is the answer for addresses where no account can be.
var errWorkchain = errors.New("only accounts of the base workchain exist here")

func idOf(a *address.Address) (accountID, bool) {
	t, ok := ton.AddressOf(a)
	return accountID(t.Account), ok && t.Workchain == 0
}

// account is what an account is now, and its whole history.
type account struct {
	id    accountID
	state *tvm.PreparedAccount
	usage *cell.Cell // what its state takes up, carried from one transaction to the next
	txs   []*transaction
}

// transaction is an executed transaction and the shard block that holds it.
type transaction struct {
	lt    uint64
	cell  *cell.Cell
	block *block
}

// account returns the account with this id; one that never was is not kept
// until a transaction makes it.
func (n *Network) account(id accountID) (*account, error) {
	if a := n.accounts[id]; a != nil {
		return a, nil
	}
	nothing := &tlb.ShardAccount{
		Account:       cell.BeginCell().MustStoreBoolBit(false).EndCell(),
		LastTransHash: make([]byte, 32),
	}
	state, err := tvm.PrepareAccount(nothing, id.address())
	if err != nil {
		return nil, fmt.Errorf("account %x: %w", id, err)
	}
	return &account{id: id, state: state}, nil
}

// save writes the account into the dictionary that the next state holds.
func (n *Network) save(a *account) error {
	if s := a.state.State(); s != nil && s.IsValid {
		return n.dict.Set(a.id.key(), a.state.ShardAccountCell())
	}
	if err := n.dict.Delete(a.id.key()); err != nil && !errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return err
	}
	return nil
}

// after returns the transactions with a logical time above lt.
func (a *account) after(lt uint64) []*transaction {
	return a.txs[sort.Search(len(a.txs), func(i int) bool { return a.txs[i].lt > lt }):]
}

// Balance is what the account has; 0 for one that does not exist.
func (n *Network) Balance(of ton.Address) ton.Nano {
	n.mu.RLock()
	defer n.mu.RUnlock()
	a := n.accounts[accountID(of.Account)]
	if of.Workchain != 0 || a == nil || a.state.State() == nil || !a.state.State().IsValid {
		return 0
	}
	return ton.Nano(a.state.State().Balance.Nano().Int64())
}

// Credit is one internal message that an account was credited with.
type Credit struct {
	LT      uint64   // of the transaction that credited it
	Hash    ton.Hash // of that transaction
	From    ton.Address
	Amount  ton.Nano
	Body    *cell.Cell
	Bounced bool   // one of the account's own messages, sent back
	Time    uint32 // Unix seconds, of the block
}

// Received returns what the account was credited with in transactions after
// the logical time lt, oldest first. A message that the account sent back is
// not among it.
func (n *Network) Received(by ton.Address, lt uint64) []Credit {
	n.mu.RLock()
	defer n.mu.RUnlock()
	a := n.accounts[accountID(by.Account)]
	if a == nil || by.Workchain != 0 {
		return nil
	}
	var credits []Credit
	for _, t := range a.after(lt) {
		if c, ok := t.credit(); ok {
			credits = append(credits, c)
		}
	}
	return credits
}

func (t *transaction) credit() (Credit, bool) {
	var tx tlb.Transaction
	if err := tlb.Parse(&tx, t.cell); err != nil {
		panic(fmt.Sprintf("network: a transaction that was executed here does not parse: %v", err))
	}
	if tx.IO.In == nil || tx.IO.In.MsgType != tlb.MsgTypeInternal || sentBack(&tx) {
		return Credit{}, false
	}
	m := tx.IO.In.AsInternal()
	from, _ := ton.AddressOf(m.SrcAddr)
	return Credit{
		LT: t.lt, Hash: ton.Hash(t.cell.Hash()), From: from,
		Amount: ton.Nano(m.Amount.Nano().Int64()), Body: m.Body, Bounced: m.Bounced, Time: tx.Now,
	}, true
}

func sentBack(tx *tlb.Transaction) bool {
	d, ok := tx.Description.(tlb.TransactionDescriptionOrdinary)
	if !ok || d.BouncePhase == nil {
		return false
	}
	_, ok = d.BouncePhase.Phase.(tlb.BouncePhaseOk)
	return ok
}
