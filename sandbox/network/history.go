package network

import (
	"bytes"

	"github.com/xssnick/tonutils-go/tl"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

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
