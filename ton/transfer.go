package ton

import (
	"bytes"
	"fmt"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Transfer is one message that leaves a wallet: so much, to there, with this
// body. Fragment's body is kept as it came and never encoded anew.
type Transfer struct {
	To     Address `json:"to"`
	Bounce bool    `json:"bounce"`
	Amount Nano    `json:"amount,string"`
	Body   BoC     `json:"body"`
}

// BodyHash is the hash of the body's root cell. Destination, amount and body
// hash together tell a transfer from all others, because every body that
// Fragment asks for holds its own ref.
func (t Transfer) BodyHash() (Hash, error) { return t.Body.Hash() }

// Equal reports whether both transfers are the same to the last byte.
func (t Transfer) Equal(u Transfer) bool {
	return t.To == u.To && t.Bounce == u.Bounce && t.Amount == u.Amount && bytes.Equal(t.Body, u.Body)
}

// cell builds the outbound message. The fields that the chain fills (source,
// time, fees) are zero, as every wallet leaves them.
func (t Transfer) cell() (*cell.Cell, error) {
	if t.Amount < 0 {
		return nil, fmt.Errorf("amount %s TON is negative", t.Amount)
	}
	body, err := t.Body.Cell()
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return tlb.ToCell(tlb.InternalMessage{
		IHRDisabled: true,
		Bounce:      t.Bounce,
		DstAddr:     t.To.TLB(),
		Amount:      tlb.FromNanoTONU(uint64(t.Amount)),
		Body:        body,
	})
}

// parseTransfer is the reverse of cell; a message that cell would not have
// built bit for bit is an error.
func parseTransfer(c *cell.Cell) (Transfer, error) {
	var m tlb.InternalMessage
	if err := tlb.Parse(&m, c); err != nil {
		return Transfer{}, err
	}
	to, ok := AddressOf(m.DstAddr)
	if !ok {
		return Transfer{}, fmt.Errorf("destination is no plain address")
	}
	if !m.Amount.Nano().IsInt64() {
		return Transfer{}, fmt.Errorf("amount is too large")
	}
	t := Transfer{To: to, Bounce: m.Bounce, Amount: Nano(m.Amount.Nano().Int64()), Body: BoCOf(m.Body)}
	again, err := t.cell()
	if err != nil {
		return Transfer{}, err
	}
	if Hash(again.Hash()) != Hash(c.Hash()) {
		return Transfer{}, fmt.Errorf("message has fields that fragplan never sets")
	}
	return t, nil
}
