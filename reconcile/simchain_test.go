package reconcile_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// chain is one wallet's part of a TON chain, and the wallet contract. It does
// what it is told and nothing by itself: which messages reach a block, and
// when, is the caller's choice.
type chain struct {
	wallet      ton.Wallet
	time, block uint32
	account     ton.Account
	history     []ton.Transaction
	lt          uint64       // of the newest transaction of any account here
	purse, till jettonWallet // the wallet's and the market's

	past   []moment            // the state after each block, for servers that lag behind
	signed map[string]external // every message that was ever signed, by its bytes
	// observe, if set, is told of every transaction, with the message that caused it.
	observe func(ton.Transaction, *external)

	owed  ton.Nano // storage fees: the next message pays them before anything else
	fails bool     // the action phase of the next message fails as a whole
}

// moment is the wallet after a block.
type moment struct {
	account        ton.Account
	length         int // of the history
	usdt           ton.Jetton
	sent, received int // of the histories of both jetton wallets
}

// external is a signed message, taken apart.
type external struct {
	payload ton.Payload
	body    *cell.Cell
	deploys bool
}

// What a message costs, and each transfer in it.
const (
	messageFee  = 3_000_000
	transferFee = 1_400_000
)

func newChain(version ton.WalletVersion, balance ton.Nano) *chain {
	c := &chain{time: 1_800_000_000, block: 100, signed: map[string]external{}}
	c.purse.address, c.till.address = purse, till
	c.wallet = ton.Wallet{Version: version, PublicKey: publicKey, NetworkID: ton.Mainnet}
	c.account = ton.Account{Address: c.wallet.Address(), Balance: balance}
	c.deploy()
	return c
}

var (
	privateKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0xc5}, ed25519.SeedSize))
	publicKey  = privateKey.Public().(ed25519.PublicKey)
)

func (c *chain) deploy() {
	c.account.Active = true
	c.account.CodeHash = c.wallet.Version.CodeHash()
	c.account.Data = ton.WalletData{ID: c.wallet.ID(), PublicKey: publicKey, Plain: true, Seqno: c.account.Data.Seqno}
}

// sign makes the external message of a payload. Equal payloads give equal bytes.
func (c *chain) sign(p ton.Payload, deploys bool) ton.BoC {
	hash, err := p.Hash()
	if err != nil {
		panic(fmt.Sprintf("hashing: %v", err))
	}
	body, err := p.Sign(ed25519.Sign(privateKey, hash[:]))
	if err != nil {
		panic(fmt.Sprintf("signing: %v", err))
	}
	var init *tlb.StateInit
	if deploys {
		init = c.wallet.StateInit()
	}
	message, err := ton.External(c.account.Address, init, body)
	if err != nil {
		panic(fmt.Sprintf("wrapping: %v", err))
	}
	c.signed[string(message)] = external{p, body, deploys}
	return message
}

// own is a message of the wallet's key that no ledger knows.
func (c *chain) own(transfers ...ton.Transfer) ton.BoC {
	return c.sign(ton.Payload{Wallet: c.wallet.Version, WalletID: c.wallet.ID(), Seqno: c.account.Data.Seqno, ValidUntil: c.time + 60, Transfers: transfers}, false)
}

// accept is what the wallet contract does with a message. It reports whether
// it took it.
func (c *chain) accept(message ton.BoC) bool {
	m, known := c.signed[string(message)]
	if !known {
		panic("a message that nobody signed")
	}
	a, p := &c.account, m.payload
	if a.Frozen || a.Active && a.CodeHash != c.wallet.Version.CodeHash() || !a.Active && !m.deploys || p.Seqno != a.Data.Seqno || c.time >= p.ValidUntil || a.Balance < messageFee {
		return false
	}
	if !a.Active {
		c.deploy()
	}
	a.Balance -= min(messageFee+c.owed, a.Balance)
	c.owed = 0
	t := ton.Transaction{Time: c.time, External: m.body, Fees: messageFee, Success: true}
	if c.fails && c.wallet.Version == ton.V4R2 {
		// Everything is rolled back but the fee, and the same bytes stay valid.
		t.Success, t.ExitCode = false, 37
		c.append(t, &m)
		return true
	}
	a.Data.Seqno++
	for _, x := range p.Transfers {
		if x.Amount+transferFee > a.Balance {
			t.Skipped++
			continue
		}
		a.Balance -= x.Amount + transferFee
		t.Fees += transferFee
		t.Out = append(t.Out, outOf(x))
	}
	c.append(t, &m)
	return true
}

func outOf(t ton.Transfer) ton.Out {
	body, err := t.Body.Cell()
	if err != nil {
		panic(fmt.Sprintf("body of a transfer: %v", err))
	}
	out := ton.Out{To: t.To, Amount: t.Amount, BodyHash: ton.Hash(body.Hash())}
	if out.Comment, err = ton.Comment(body); err == nil {
		return out
	}
	if j, err := ton.ParseJettonTransfer(body); err == nil {
		out.Jetton = &j
		out.Comment, _ = ton.Comment(cellOf(j.Payload))
	}
	return out
}

// relay is a signed message without transfers that another account brings, as
// a v5r1 wallet takes it: the seqno is spent, and no external message shows it.
func (c *chain) relay() {
	c.account.Data.Seqno++
	c.receive(ton.In{From: stranger})
}

// receive is money from another account.
func (c *chain) receive(in ton.In) {
	c.account.Balance += in.Amount
	c.append(ton.Transaction{Time: c.time, In: &in, Success: true}, nil)
}

func (c *chain) append(t ton.Transaction, m *external) {
	t.Prev = c.account.Last
	c.lt = max(c.lt, t.Prev.LT) + 10
	t.LT = c.lt
	binary.BigEndian.PutUint64(t.Hash[:], t.LT)
	t.Hash[31] = 1
	c.account.Last = t.Position
	c.history = append(c.history, t)
	if c.observe != nil {
		c.observe(t, m)
	}
}

// bounced is what a bounce keeps of a transfer's body: all of it in the newer
// form, and 32 bytes in the older.
func bounced(body *cell.Cell, whole bool) *cell.Cell {
	if whole {
		return cell.BeginCell().MustStoreUInt(0xfffffffe, 32).MustStoreRef(body).EndCell()
	}
	s := body.MustBeginParse()
	bits := min(s.BitsLeft(), 256)
	return cell.BeginCell().MustStoreUInt(0xffffffff, 32).MustStoreSlice(s.MustLoadSlice(bits), bits).EndCell()
}

// produce ends a block that lasted so many seconds. Its transactions carry the
// time at its end.
func (c *chain) produce(seconds uint32, transact func()) {
	c.block++
	c.time += seconds
	transact()
	c.stand()
}

// stand makes what is now what servers show.
func (c *chain) stand() {
	a := c.account
	a.Time, a.Block, a.BlockTime = c.time, c.block, c.time
	c.past = append(c.past, moment{a, len(c.history), ton.Jetton{Wallet: purse, Balance: c.purse.balance, Locked: c.purse.locked, Time: c.time}, len(c.purse.history), len(c.till.history)})
}

// ago is the state so many blocks ago.
func (c *chain) ago(blocks int) moment { return c.past[max(0, len(c.past)-1-blocks)] }

// errForeign is what a walk ends with that passes the place where it should end.
var errForeign = errors.New("the account's history does not hold the transaction where it should begin")

// look is what a server answers that is so many blocks behind.
func (c *chain) look(f reconcile.Look, behind int) (reconcile.Sight, error) {
	m := c.ago(behind)
	if m.account.Last.LT < f.Since.LT {
		return reconcile.Sight{}, errForeign
	}
	if m.account.CodeHash != c.wallet.Version.CodeHash() {
		m.account.Data = ton.WalletData{} // nobody knows how other code keeps it
	}
	history := c.history[:m.length]
	from, found := slices.BinarySearchFunc(history, f.Since.LT, func(t ton.Transaction, lt uint64) int {
		return int(int64(t.LT) - int64(lt))
	})
	if found {
		from++
	}
	return reconcile.Sight{Account: m.account, History: history[from:]}, nil
}

// emulate says what the contract would do with a payload.
func (c *chain) emulate(p ton.Payload, behind int) reconcile.Emulation {
	a := c.ago(behind).account
	e := reconcile.Emulation{Accepted: !a.Frozen && p.Seqno == a.Data.Seqno && a.Time < p.ValidUntil && a.Balance >= messageFee, Fees: messageFee}
	left := a.Balance - messageFee
	for _, t := range p.Transfers {
		if t.Amount+transferFee > left {
			e.Skipped++
			continue
		}
		left -= t.Amount + transferFee
		e.Fees += transferFee
		e.Sent++
	}
	return e
}
