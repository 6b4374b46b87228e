package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tl"
	liteton "github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ErrPruned is returned, wrapped, when no server has the history any more. It
// says nothing about what happened.
var ErrPruned = errors.New("the lite servers do not have this part of the account's history")

// ErrForeignHistory is returned, wrapped, when the walk passes the point where
// it should end without meeting it.
var ErrForeignHistory = errors.New("the account's history does not hold the transaction where it should begin")

// maxPage is how many transactions servers give at a time.
const maxPage = 16

// History returns the account's transactions from the newest, from, back to
// and without until, oldest first. The zero until is before the first. Each
// transaction is proven by its hash, which the next one holds; from must come
// from a proven account.
func (c *Client) History(ctx context.Context, a ton.Address, from, until ton.Position) ([]ton.Transaction, error) {
	var history []ton.Transaction
	for at := from; at != until; {
		if at.LT <= until.LT {
			return nil, fmt.Errorf("history of %s: %w: %d", a, ErrForeignHistory, until.LT)
		}
		page, err := c.Page(ctx, a, at)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			history = append(history, t)
			if at = t.Prev; at == until || at.LT <= until.LT {
				break
			}
		}
	}
	slices.Reverse(history)
	return history, nil
}

// Page returns what one answer holds of the account's transactions from the one
// at a position back, newest first: at least one, each proven as in History. at
// must come from a proven account, or be the Prev of a transaction of a page. It
// asks one server after the other.
func (c *Client) Page(ctx context.Context, a ton.Address, at ton.Position) (page []ton.Transaction, err error) {
	err = c.try(ctx, func(ctx context.Context) (err error) {
		page, err = c.page(ctx, a, at)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("history of %s before %d: %w", a, at.LT, err)
	}
	return page, nil
}

// page returns at least one transaction, newest first, beginning at.
func (c *Client) page(ctx context.Context, a ton.Address, at ton.Position) ([]ton.Transaction, error) {
	var answer tl.Serializable
	if err := c.api.Client().QueryLiteserver(ctx, liteton.GetTransactions{
		Limit: maxPage,
		AccID: &liteton.AccountID{Workchain: int32(a.Workchain), ID: a.Account[:]},
		LT:    int64(at.LT), TxHash: at.Hash[:],
	}, &answer); err != nil {
		return nil, err
	}
	list, err := as[liteton.TransactionList](answer)
	if err != nil {
		return nil, pruned(err)
	}
	if len(list.Transactions) == 0 {
		return nil, fmt.Errorf("%w: empty answer", ErrPruned)
	}
	cells, err := cell.FromBOCMultiRoot(list.Transactions)
	if err != nil {
		return nil, fmt.Errorf("transactions: %w", err)
	}
	var page []ton.Transaction
	for _, tx := range cells[:min(len(cells), maxPage)] {
		if at.IsZero() {
			break
		}
		if ton.Hash(tx.Hash()) != at.Hash {
			return nil, fmt.Errorf("the transaction at %d is not the one that the next names", at.LT)
		}
		t, err := ton.ParseTransaction(tx)
		if err != nil {
			return nil, err
		}
		if t.LT != at.LT || t.Prev.LT >= t.LT {
			return nil, fmt.Errorf("the transaction at %d has the time %d, after %d", at.LT, t.LT, t.Prev.LT)
		}
		if t.Prev.IsZero() {
			t.Prev = ton.Position{} // the first one's has a hash of zeros, or none
		}
		page = append(page, t)
		at = t.Prev
	}
	if len(page) == 0 {
		return nil, fmt.Errorf("%w: empty answer", ErrPruned)
	}
	return page, nil
}

// pruned marks the errors by which servers say that they no longer have a
// transaction: not found, not in the database, not ready.
func pruned(err error) error {
	var ls liteton.LSError
	if errors.As(err, &ls) {
		switch ls.Code {
		case 0, 651, -400:
			return fmt.Errorf("%w: %w", ErrPruned, err)
		}
	}
	return err
}
