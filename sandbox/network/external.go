package network

import (
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Limits of an external message, as mainnet has them.
const (
	maxExternalBytes = 65535
	maxExternalDepth = 512
)

// ErrNotAccepted is returned, wrapped, by Send when the account would not
// accept the message as it stands now.
var ErrNotAccepted = errors.New("cannot apply external message to current state: External message was not accepted")

// ErrRefused and ErrAnswerLost are returned, wrapped, by Send when a Fate says
// so.
var (
	ErrRefused    = errors.New("the server refuses the message")
	ErrAnswerLost = errors.New("timeout")
)

// Fate is what becomes of an external message that the account would accept.
// The zero Fate is the usual one: taken, and in the next block.
type Fate struct {
	Refuse     bool   // an error, and it is not taken
	Drop       bool   // no error, and it is not taken
	AnswerLost bool   // an error, although it is taken
	Delay      uint32 // taken, but for a block at least so many after the next
}

// SetFates has fate decide what becomes of every external message, by the hash
// of its root cell; nil ends that. It must not call the network.
func (n *Network) SetFates(fate func(message ton.Hash) Fate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fate = fate
}

// external is a message in the pool.
type external struct {
	message *tvm.PreparedMessage
	to      accountID
	hash    ton.Hash
	from    uint32 // the first shard block that may hold it
}

// Send takes an external message as a lite server does: nil means that the
// account would accept it now and that it is in the pool, and promises
// nothing more. A message that is in the pool already is taken and not doubled.
func (n *Network) Send(boc []byte) error {
	e, err := parseExternal(boc)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken != nil {
		return n.broken
	}
	if n.pooled[e.hash] {
		return nil
	}
	if err := n.wouldAccept(e); err != nil {
		return err
	}
	var fate Fate
	if n.fate != nil {
		fate = n.fate(e.hash)
	}
	switch {
	case fate.Refuse:
		return fmt.Errorf("message %s: %w", e.hash, ErrRefused)
	case fate.Drop:
		return nil
	}
	e.from = n.lastShard().seqno() + 1 + fate.Delay
	if err := n.keep(externalInput(e.from, e.message.Cell())); err != nil {
		return err
	}
	n.enter(e)
	if fate.AnswerLost {
		return fmt.Errorf("message %s: %w", e.hash, ErrAnswerLost)
	}
	return nil
}

// enter puts a message into the pool.
func (n *Network) enter(e external) {
	n.pool = append(n.pool, e)
	n.pooled[e.hash] = true
	n.hurry()
}

// parseExternal reads bytes from outside.
func parseExternal(boc []byte) (e external, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("external message: %v", r)
		}
	}()
	if len(boc) > maxExternalBytes {
		return external{}, fmt.Errorf("external message: %d bytes, and %d are allowed", len(boc), maxExternalBytes)
	}
	root, err := ton.BoC(boc).Cell()
	if err != nil {
		return external{}, fmt.Errorf("external message: %w", err)
	}
	return readExternal(root)
}

func readExternal(root *cell.Cell) (external, error) {
	if root.Depth() > maxExternalDepth {
		return external{}, fmt.Errorf("external message: %d cells deep, and %d are allowed", root.Depth(), maxExternalDepth)
	}
	m, err := tvm.PrepareMessage(root)
	if err != nil {
		return external{}, fmt.Errorf("external message: %w", err)
	}
	if m.Message().MsgType != tlb.MsgTypeExternalIn {
		return external{}, errors.New("external message: it is one of another kind")
	}
	to, ok := idOf(m.Message().AsExternalIn().DstAddr)
	if !ok {
		return external{}, fmt.Errorf("external message: %w", errWorkchain)
	}
	return external{message: m, to: to, hash: ton.Hash(root.Hash())}, nil
}

// wouldAccept asks the account as it stands, at the time that it is now.
func (n *Network) wouldAccept(e external) error {
	a, err := n.account(e.to)
	if err != nil {
		return err
	}
	lt := n.nextLT()
	ctx, err := n.blockContext(n.nextTime(), lt)
	if err != nil {
		return err
	}
	ok, err := n.machine.CheckExternalMessageAccepted(ctx, a.state, e.message,
		tvm.TransactionOptions{LogicalTime: int64(lt), AccountStorageStat: a.usage})
	if err != nil {
		return fmt.Errorf("%w: %v", ErrNotAccepted, err)
	}
	if !ok {
		return ErrNotAccepted
	}
	return nil
}
