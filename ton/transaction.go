package ton

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Position is a place in an account's history: the logical time and the hash
// of a transaction. The zero Position is before the first.
type Position struct {
	LT   uint64 `json:"lt,string"`
	Hash Hash   `json:"hash"`
}

// IsZero reports whether p is before the account's first transaction.
func (p Position) IsZero() bool { return p.LT == 0 }

// Transaction is one transaction of a wallet as it stands on the chain.
type Transaction struct {
	Position
	Prev Position // the account's transaction before this one

	Time     uint32     // Unix seconds, of the block
	External *cell.Cell // body of the external message that caused it; nil if a message from another account did
	Out      []Out      // what left the wallet, in the order of creation
	Fees     Nano       // everything that left the wallet beside the amounts
	Success  bool       // compute and action phases succeeded with code 0
	ExitCode int32
	Skipped  int // transfers that the wallet could not pay for, silently left out

	In *In // the message from another account; nil if an external one caused it
}

// Out is a message that left the wallet.
type Out struct {
	To       Address
	Amount   Nano
	BodyHash Hash
	Comment  string // the body's text, or what a jetton transfer tells its destination; "" if it is no comment; from outside, hostile

	Jetton *JettonTransfer // what the body asks of a jetton wallet; nil if it is no such body
}

// Is reports whether the message is this transfer: the same destination,
// amount and body.
func (o Out) Is(t Transfer) bool {
	h, err := t.BodyHash()
	return err == nil && o.To == t.To && o.Amount == t.Amount && o.BodyHash == h
}

// In is a message that arrived from another account.
type In struct {
	From    Address
	Amount  Nano
	Bounced bool // one of our own transfers, sent back
	Body    *cell.Cell
}

// ParseTransaction reads a transaction's cell.
func ParseTransaction(c *cell.Cell) (Transaction, error) {
	var raw tlb.Transaction
	if err := tlb.Parse(&raw, c); err != nil {
		return Transaction{}, fmt.Errorf("transaction: %w", err)
	}
	t := Transaction{
		Position: Position{raw.LT, Hash(c.Hash())},
		Prev:     Position{raw.PrevTxLT, Hash(raw.PrevTxHash)},
		Time:     raw.Now,
	}
	if raw.IO.In != nil {
		t.readIn(raw.IO.In)
	}
	fees := raw.TotalFees.Coins.Nano().Int64()
	if raw.IO.Out != nil {
		list, err := raw.IO.Out.ToSlice()
		if err != nil {
			return Transaction{}, fmt.Errorf("transaction %d: out messages: %w", t.LT, err)
		}
		for i := range list {
			out, fwd, ok := readOut(&list[i])
			if ok {
				t.Out = append(t.Out, out)
				fees += fwd
			}
		}
	}
	t.Fees = Nano(fees)
	if d, ok := raw.Description.(tlb.TransactionDescriptionOrdinary); ok {
		t.readOutcome(d)
	}
	return t, nil
}

func (t *Transaction) readIn(m *tlb.Message) {
	switch m.MsgType {
	case tlb.MsgTypeExternalIn:
		t.External = m.AsExternalIn().Body
	case tlb.MsgTypeInternal:
		in := m.AsInternal()
		from, _ := AddressOf(in.SrcAddr)
		t.In = &In{From: from, Amount: Nano(in.Amount.Nano().Int64()), Bounced: in.Bounced, Body: in.Body}
	}
}

func readOut(m *tlb.Message) (out Out, forwardFee int64, ok bool) {
	if m.MsgType != tlb.MsgTypeInternal {
		return Out{}, 0, false
	}
	var err error
	msg := m.AsInternal()
	out.To, _ = AddressOf(msg.DstAddr)
	out.Amount = Nano(msg.Amount.Nano().Int64())
	out.BodyHash = Hash(msg.Body.Hash())
	if out.Comment, err = Comment(msg.Body); err != nil {
		out.readJetton(msg.Body)
	}
	return out, msg.FwdFee.Nano().Int64(), true
}

func (o *Out) readJetton(body *cell.Cell) {
	j, err := ParseJettonTransfer(body)
	if err != nil {
		return
	}
	o.Jetton = &j
	if payload, err := j.Payload.Cell(); err == nil {
		o.Comment, _ = Comment(payload)
	}
}

func (t *Transaction) readOutcome(d tlb.TransactionDescriptionOrdinary) {
	computed := false
	if vm, ok := d.ComputePhase.Phase.(tlb.ComputePhaseVM); ok {
		computed, t.ExitCode = vm.Success, vm.Details.ExitCode
	}
	if a := d.ActionPhase; a != nil {
		t.Skipped = int(a.SkippedActions)
		t.Success = computed && !d.Aborted && a.Success && a.ResultCode == 0 && t.ExitCode == 0
	}
}

// Account is a wallet's state at one block, as proven.
type Account struct {
	Address   Address
	Balance   Nano
	Active    bool // deployed; false for an account that was only funded, or never touched
	Frozen    bool // the account owes storage fees and does nothing
	CodeHash  Hash // zero unless active
	Data      WalletData
	Last      Position // its newest transaction
	Time      uint32   // Unix seconds of the shard block that holds the account: the clock that decides
	Block     uint32   // seqno of the masterchain block that proves it
	BlockTime uint32   // Unix seconds of that masterchain block
}
