package market

import (
	"encoding/base64"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// rootText is how many bytes of a comment stand in its first cell; the rest
// is in one child.
const rootText = 35

// Comment returns the text that a payment for an order carries. quantity is
// Stars, months or whole TON.
func Comment(product string, quantity int64, ref string) string {
	what := "Telegram account top up"
	switch {
	case product == Stars:
		what = fmt.Sprintf("%d Telegram Stars", quantity)
	case product == Premium && quantity == 12:
		what = "Telegram Premium for 1 year"
	case product == Premium:
		what = fmt.Sprintf("Telegram Premium for %d months", quantity)
	}
	return what + " \n\nRef#" + ref
}

// CommentCell packs a text of at most 162 bytes as Fragment does: 32 zero bits and 35 bytes,
// then a child with the rest.
func CommentCell(text string) *cell.Cell {
	b := cell.BeginCell().MustStoreUInt(0, 32)
	if len(text) <= rootText {
		return b.MustStoreSlice([]byte(text), uint(len(text))*8).EndCell()
	}
	rest := []byte(text[rootText:])
	child := cell.BeginCell().MustStoreSlice(rest, uint(len(rest))*8).EndCell()
	return b.MustStoreSlice([]byte(text[:rootText]), rootText*8).MustStoreRef(child).EndCell()
}

// EncodePayload prints a cell as links have it: a bag of cells in the URL
// alphabet of base64.
func EncodePayload(c *cell.Cell, padded bool) string {
	if padded {
		return base64.URLEncoding.EncodeToString(ton.BoCOf(c))
	}
	return base64.RawURLEncoding.EncodeToString(ton.BoCOf(c))
}

// corruptPayload has a broken descriptor byte, which parsers have crashed on.
const corruptPayload = "te6ccgEBAQEAJwAaSgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNJbTJ5NWl0ZDY"

// walletActions is a body that a W5 wallet takes for an order of its own: its
// list of actions empties the wallet. Mode 128 sends all that it has.
func walletActions() *cell.Cell {
	message, err := tlb.ToCell(&tlb.InternalMessage{IHRDisabled: true, DstAddr: foreign.TLB(), Body: cell.BeginCell().EndCell()})
	if err != nil {
		panic("market: a message of constants: " + err.Error())
	}
	list := cell.BeginCell().MustStoreRef(cell.BeginCell().EndCell()).MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(128, 8).MustStoreRef(message).EndCell()
	b := cell.BeginCell().MustStoreUInt(0x73696e74, 32)                                // "sint": signed, from inside
	b.MustStoreUInt(0x7fffff11, 32).MustStoreUInt(0xffffffff, 32).MustStoreUInt(0, 32) // wallet id, time, seqno
	b.MustStoreMaybeRef(list).MustStoreBoolBit(false)                                  // no extensions
	return b.MustStoreSlice(make([]byte, 64), 512).EndCell()                           // a signature
}

// deployment is a state init, the code and the data of which are empty.
var deployment = cell.BeginCell().MustStoreUInt(0b00110, 5).MustStoreRef(cell.BeginCell().EndCell()).MustStoreRef(cell.BeginCell().EndCell()).EndCell()
