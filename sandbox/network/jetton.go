package network

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// jettons are the contracts of USDT on this network. The faucet is their
// administrator, so that anybody can be given some.
type jettons struct {
	master     ton.Address
	init       *tlb.StateInit // of the master, carried by every mint: the first one deploys it
	walletCode *cell.Cell     // the reference to the library
	libraries  []*cell.Cell   // the collection with it
}

// What a mint sends along: for the master's own life, and for the wallet's.
const (
	mintValue   = 2 * ton.TON
	mintForward = ton.TON / 10
)

func newJettons(admin ton.Address) (*jettons, error) {
	master, err := contractCode(jettonMasterCode, jettonMasterHash)
	if err != nil {
		return nil, err
	}
	wallet, err := contractCode(jettonWalletCode, jettonWalletHash)
	if err != nil {
		return nil, err
	}
	j := &jettons{}
	if j.walletCode, err = libraryReference(wallet); err != nil {
		return nil, err
	}
	// SimpleLib: whether it is public, and the library itself.
	libraries := cell.NewDict(256)
	key := cell.BeginCell().MustStoreSlice(wallet.Hash(), 256).EndCell()
	if err := libraries.Set(key, cell.BeginCell().MustStoreBoolBit(true).MustStoreRef(wallet).EndCell()); err != nil {
		return nil, err
	}
	j.libraries = []*cell.Cell{libraries.AsCell()}
	about := "https://fragplan.invalid/usdt.json"
	data := cell.BeginCell().
		MustStoreCoins(0). // supply
		MustStoreAddr(admin.TLB()).
		MustStoreUInt(0, 2). // no next administrator
		MustStoreRef(j.walletCode).
		MustStoreRef(cell.BeginCell().MustStoreSlice([]byte(about), uint(len(about))*8).EndCell()).
		EndCell()
	j.init = &tlb.StateInit{Code: master, Data: data}
	j.master, err = addressOf(j.init)
	return j, err
}

// libraryReference is the cell that stands for a library wherever it is used.
func libraryReference(library *cell.Cell) (*cell.Cell, error) {
	return cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(library.Hash(), 256).EndCellSpecial(true)
}

func addressOf(init *tlb.StateInit) (ton.Address, error) {
	c, err := tlb.ToCell(init)
	if err != nil {
		return ton.Address{}, err
	}
	return ton.Address{Account: [32]byte(c.Hash())}, nil
}

// walletOf is where the jettons of an owner are.
func walletOf(code *cell.Cell, master, owner ton.Address) (ton.Address, error) {
	return addressOf(&tlb.StateInit{Code: code, Data: cell.BeginCell().
		MustStoreUInt(0, 4). // not locked
		MustStoreCoins(0).MustStoreAddr(owner.TLB()).MustStoreAddr(master.TLB()).EndCell()})
}

// JettonMaster is the contract that makes this network's USDT.
func (n *Network) JettonMaster() ton.Address { return n.jettons.master }

// JettonWallet is the owner's jetton wallet, whether it exists or not.
func (n *Network) JettonWallet(owner ton.Address) ton.Address {
	a, err := walletOf(n.jettons.walletCode, n.jettons.master, owner)
	if err != nil {
		panic(fmt.Sprintf("network: a jetton wallet's data does not serialize: %v", err))
	}
	return a
}

// JettonBalance is what the owner has, in the smallest unit.
func (n *Network) JettonBalance(owner ton.Address) int64 {
	at := n.JettonWallet(owner)
	n.mu.RLock()
	defer n.mu.RUnlock()
	a := n.accounts[accountID(at.Account)]
	if a == nil || a.state.State() == nil || a.state.State().StateInit == nil {
		return 0
	}
	s, err := a.state.State().StateInit.Data.BeginParse()
	if err != nil {
		return 0
	}
	if _, err := s.LoadUInt(4); err != nil {
		return 0
	}
	units, err := s.LoadBigCoins()
	if err != nil {
		return 0
	}
	return units.Int64()
}

// Mint has the next block give so many of the smallest unit to the owner. The
// first mint makes the master.
func (n *Network) Mint(to ton.Address, units int64) error {
	if to.Workchain != 0 || to.IsZero() {
		return fmt.Errorf("mint to %s: %w", to.Raw(), errWorkchain)
	}
	if units <= 0 {
		return errors.New("mint: nothing is to be made")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken != nil {
		return n.broken
	}
	at := n.nextTime()
	if err := n.keep(mintInput(at, to, units)); err != nil {
		return err
	}
	return n.mint(to, units, at)
}

func mintInput(at uint32, to ton.Address, units int64) string {
	return fmt.Sprintf("mint %d %s %d", at, to.Raw(), units)
}

func (n *Network) mint(to ton.Address, units int64, at uint32) error {
	gift := cell.BeginCell().MustStoreUInt(0x178d4519, 32).MustStoreUInt(0, 64).MustStoreBigCoins(big.NewInt(units)).
		MustStoreUInt(0, 2).MustStoreUInt(0, 2). // from nobody, and nobody is answered
		MustStoreCoins(0).MustStoreBoolBit(false).EndCell()
	body := cell.BeginCell().MustStoreUInt(0x642b7d07, 32).MustStoreUInt(0, 64).MustStoreAddr(to.TLB()).
		MustStoreCoins(uint64(mintForward)).MustStoreRef(gift).EndCell()
	return n.deliver(&tlb.InternalMessage{
		DstAddr: n.jettons.master.TLB(), Amount: tlb.FromNanoTONU(uint64(mintValue)), StateInit: n.jettons.init, Body: body,
	}, at)
}
