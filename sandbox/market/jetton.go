package market

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Words for who pays how, as requests have them.
const (
	payTON  = "ton"
	payUSDT = "usdt_ton"
)

// jettonGas is what a link for USDT sends to the payer's jetton wallet; what
// is left of it comes back.
const jettonGas = ton.TON / 20

// usdtPrice is what a request costs in micro-USDT, or an error text. A USDT
// is a dollar here, as in every price that was seen.
func (m *Market) usdtPrice(r request) (quantity, usdt int64, text string) {
	quantity, _, text = m.price(r)
	switch {
	case text != "":
	case r.product == Stars:
		usdt = quantity * starMicro
	case r.product == Premium:
		usdt = premiumMicro[quantity]
	default:
		// Nobody has seen a top-up that is paid in USDT.
		text = errAccess
	}
	return quantity, usdt, text
}

// usdtText is an amount as requests show it: "0.75".
func usdtText(usdt int64) string {
	whole, frac := strconv.FormatInt(usdt/1_000_000, 10), fmt.Sprintf("%06d", usdt%1_000_000)
	if frac = strings.TrimRight(frac, "0"); frac != "" {
		return whole + "." + frac
	}
	return whole
}

// usdtMessage is what a link asks of the payer's jetton wallet: which one, with
// how much gas, and the body.
func (m *Market) usdtMessage(o *order, usdt int64, comment *cell.Cell) (ton.Address, ton.Nano, *cell.Cell, error) {
	fault, err := m.use("jetton")
	if err != nil {
		return ton.Address{}, 0, nil, err
	}
	query := m.derive("query", o.ref)
	t := jettonTransfer{binary.BigEndian.Uint64(query[:]), usdt, Collector, o.session.wallet, false, 1, comment}
	wallet, gas := m.opt.JettonWallet(o.session.wallet), jettonGas
	switch fault {
	case "foreign_destination":
		t.to = foreign
	case "foreign_wallet":
		wallet = foreign
	case "foreign_response":
		t.response = foreign
	case "more":
		t.usdt += t.usdt/100 + 1
	case "much_gas":
		gas = ton.TON
	case "little_gas":
		gas = ton.TON / 1000
	case "forward":
		t.forward = int64(ton.TON / 100)
	case "custom":
		t.custom = true
	}
	return wallet, gas, t.cell(), nil
}

// jettonTransfer asks a jetton wallet to pay usdt.
type jettonTransfer struct {
	query        uint64
	usdt         int64
	to, response ton.Address
	custom       bool // the comment stands as a custom payload too
	forward      int64
	comment      *cell.Cell
}

func (t jettonTransfer) cell() *cell.Cell {
	b := cell.BeginCell().MustStoreUInt(0x0f8a7ea5, 32).MustStoreUInt(t.query, 64).
		MustStoreBigCoins(big.NewInt(t.usdt)).MustStoreAddr(t.to.TLB()).MustStoreAddr(t.response.TLB()).
		MustStoreBoolBit(t.custom)
	if t.custom {
		b.MustStoreRef(t.comment)
	}
	return b.MustStoreBigCoins(big.NewInt(t.forward)).MustStoreBoolBit(true).MustStoreRef(t.comment).EndCell()
}

// JettonNotice reads what a jetton wallet tells its owner about USDT that has
// come in: how much, from whom, and what was written along.
func JettonNotice(body *cell.Cell) (usdt int64, from ton.Address, note *cell.Cell, ok bool) {
	if body == nil {
		return 0, ton.Address{}, nil, false
	}
	s, err := body.BeginParse()
	if err != nil {
		return 0, ton.Address{}, nil, false
	}
	if op, err := s.LoadUInt(32); err != nil || op != 0x7362d09c {
		return 0, ton.Address{}, nil, false
	}
	if _, err := s.LoadUInt(64); err != nil {
		return 0, ton.Address{}, nil, false
	}
	sum, err := s.LoadBigCoins()
	if err != nil || !sum.IsInt64() {
		return 0, ton.Address{}, nil, false
	}
	sender, err := s.LoadAddr()
	if err != nil {
		return 0, ton.Address{}, nil, false
	}
	from, _ = ton.AddressOf(sender)
	apart, err := s.LoadBoolBit()
	if err != nil {
		return 0, ton.Address{}, nil, false
	}
	if apart {
		note, err = s.LoadRefCell()
	} else {
		note, err = s.ToCell()
	}
	return sum.Int64(), from, note, err == nil
}
