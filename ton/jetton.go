package ton

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// USDTMaster is the contract on mainnet that makes USDT: every jetton wallet
// of USDT follows from it and from who owns the wallet.
var USDTMaster = MustParseAddress("EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs")

// Operations of jettons, as TEP-74 has them.
const (
	opJettonTransfer = 0x0f8a7ea5 // owner to its jetton wallet: send so much
	opJettonInternal = 0x178d4519 // jetton wallet to jetton wallet: take so much
	opJettonExcesses = 0xd53276db // jetton wallet to the response address: what is left of the gas
	opBounced        = 0xffffffff
	opBouncedWhole   = 0xfffffffe // the newer form of bounces, with the whole body in a cell
)

// ErrNoJetton is returned, wrapped, for a body that is not exactly what was to
// be read.
var ErrNoJetton = errors.New("not such a jetton message")

// JettonTransfer is the body with which an owner has its jetton wallet send
// jettons: TEP-74's transfer, without a custom payload.
type JettonTransfer struct {
	QueryID     uint64
	Amount      int64   // in the jetton's smallest unit, such as micro-USDT
	Destination Address // the account that is to own them, not its jetton wallet
	Response    Address // gets what is left of the gas; zero for nobody
	Forward     Nano    // goes on to the destination, with Payload
	Payload     BoC     // what the destination is told: one cell
	Inline      bool    // Payload stands in the body itself, and not in a cell of its own
}

// Encode builds the body.
func (t JettonTransfer) Encode() (*cell.Cell, error) {
	if t.Amount < 0 || t.Forward < 0 {
		return nil, errors.New("jetton transfer: an amount is negative")
	}
	payload, err := t.Payload.Cell()
	if err != nil {
		return nil, fmt.Errorf("jetton transfer: payload: %w", err)
	}
	b := cell.BeginCell().MustStoreUInt(opJettonTransfer, 32).MustStoreUInt(t.QueryID, 64).
		MustStoreBigCoins(big.NewInt(t.Amount)).
		MustStoreAddr(t.Destination.TLB()).MustStoreAddr(t.Response.orNone()).
		MustStoreBoolBit(false). // no custom payload
		MustStoreBigCoins(big.NewInt(int64(t.Forward))).
		MustStoreBoolBit(!t.Inline)
	if !t.Inline {
		return b.MustStoreRef(payload).EndCell(), nil
	}
	if err := b.StoreBuilder(payload.ToBuilder()); err != nil {
		return nil, fmt.Errorf("jetton transfer: payload: %w", err)
	}
	return b.EndCell(), nil
}

func (a Address) orNone() *address.Address {
	if a.IsZero() {
		return address.NewAddressNone()
	}
	return a.TLB()
}

// ParseJettonTransfer reads a transfer bit by bit. What it returns encodes to
// the same cell; anything else, a custom payload among it, is ErrNoJetton.
func ParseJettonTransfer(c *cell.Cell) (JettonTransfer, error) {
	t, err := parseJettonTransfer(c)
	if err != nil {
		return JettonTransfer{}, fmt.Errorf("jetton transfer: %w: %w", ErrNoJetton, err)
	}
	again, err := t.Encode()
	if err != nil {
		return JettonTransfer{}, fmt.Errorf("jetton transfer: %w: %w", ErrNoJetton, err)
	}
	if Hash(again.Hash()) != Hash(c.Hash()) {
		return JettonTransfer{}, fmt.Errorf("jetton transfer: %w: it holds more than a transfer", ErrNoJetton)
	}
	return t, nil
}

func parseJettonTransfer(c *cell.Cell) (t JettonTransfer, err error) {
	s, err := jettonHead(c, opJettonTransfer, &t.QueryID)
	if err != nil {
		return t, err
	}
	if t.Amount, err = loadUnits(s); err != nil {
		return t, err
	}
	if t.Destination, err = loadAddress(s); err != nil {
		return t, err
	}
	if t.Destination.IsZero() {
		return t, errors.New("it goes to nobody")
	}
	if t.Response, err = loadAddress(s); err != nil {
		return t, err
	}
	if custom, err := s.LoadBoolBit(); err != nil || custom {
		return t, errors.New("it has a custom payload")
	}
	forward, err := loadUnits(s)
	if err != nil {
		return t, err
	}
	t.Forward = Nano(forward)
	t.Payload, t.Inline, err = loadEither(s)
	return t, err
}

// JettonInternal is the body with which one jetton wallet gives jettons to
// another. Nobody else can make a jetton wallet take it.
type JettonInternal struct {
	QueryID  uint64
	Amount   int64
	From     Address // the owner that sent them
	Response Address
	Forward  Nano
	Payload  BoC
}

// ParseJettonInternal reads such a body; another one is ErrNoJetton.
func ParseJettonInternal(c *cell.Cell) (t JettonInternal, err error) {
	defer func() {
		if err != nil {
			t, err = JettonInternal{}, fmt.Errorf("jetton message: %w: %w", ErrNoJetton, err)
		}
	}()
	s, err := jettonHead(c, opJettonInternal, &t.QueryID)
	if err != nil {
		return t, err
	}
	if t.Amount, err = loadUnits(s); err != nil {
		return t, err
	}
	if t.From, err = loadAddress(s); err != nil {
		return t, err
	}
	if t.Response, err = loadAddress(s); err != nil {
		return t, err
	}
	forward, err := loadUnits(s)
	if err != nil {
		return t, err
	}
	t.Forward = Nano(forward)
	t.Payload, _, err = loadEither(s)
	return t, err
}

// BouncedJetton reads the query id and the amount, in the jetton's smallest
// unit, of a jetton transfer that came back. It reports false for a message
// that is none.
func BouncedJetton(body *cell.Cell) (query uint64, units int64, ok bool) {
	s, err := body.BeginParse()
	if err != nil {
		return 0, 0, false
	}
	op, err := s.LoadUInt(32)
	if err == nil && op == opBouncedWhole && s.RefsNum() > 0 {
		if s, err = s.LoadRef(); err != nil {
			return 0, 0, false
		}
	} else if err != nil || op != opBounced {
		return 0, 0, false
	}
	if op, err = s.LoadUInt(32); err != nil || op != opJettonTransfer {
		return 0, 0, false
	}
	if query, err = s.LoadUInt(64); err != nil {
		return 0, 0, false
	}
	units, err = loadUnits(s) // with all of it 220 bits at most, of the 256 that come back
	return query, units, err == nil
}

// JettonExcesses reports whether a body returns what was left of the gas of a
// jetton transfer, and of which.
func JettonExcesses(body *cell.Cell) (query uint64, ok bool) {
	_, err := jettonHead(body, opJettonExcesses, &query)
	return query, err == nil
}

// Jetton is what an account has of one jetton, as proven.
type Jetton struct {
	Wallet  Address // the owner's jetton wallet, which follows from the master
	Balance int64   // in the jetton's smallest unit; 0 for a wallet that never was
	Locked  bool    // who makes the jetton keeps the owner from sending any
	Time    uint32  // Unix seconds of the shard block that holds the wallet
}

func jettonHead(c *cell.Cell, op uint64, query *uint64) (*cell.Slice, error) {
	if c == nil || c.IsSpecial() || c.BitsSize() < 32+64 {
		return nil, errors.New("too short")
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	if got, err := s.LoadUInt(32); err != nil || got != op {
		return nil, fmt.Errorf("operation %08x", got)
	}
	*query, err = s.LoadUInt(64)
	return s, err
}

// loadUnits reads a VarUInteger 16 that fits an int64.
func loadUnits(s *cell.Slice) (int64, error) {
	n, err := s.LoadVarUInt(16)
	if err != nil {
		return 0, err
	}
	if !n.IsInt64() {
		return 0, errors.New("the amount is too large")
	}
	return n.Int64(), nil
}

func loadAddress(s *cell.Slice) (Address, error) {
	a, err := s.LoadAddr()
	if err != nil {
		return Address{}, err
	}
	if a.IsAddrNone() {
		return Address{}, nil
	}
	plain, ok := AddressOf(a)
	if !ok {
		return Address{}, errors.New("an address is not a plain one")
	}
	return plain, nil
}

// loadEither reads a payload that stands in a cell of its own or fills the rest.
func loadEither(s *cell.Slice) (payload BoC, inline bool, err error) {
	apart, err := s.LoadBoolBit()
	if err != nil {
		return nil, false, err
	}
	var c *cell.Cell
	if apart {
		c, err = s.LoadRefCell()
	} else {
		c, err = s.ToCell()
	}
	if err != nil {
		return nil, false, err
	}
	return BoCOf(c), !apart, nil
}
