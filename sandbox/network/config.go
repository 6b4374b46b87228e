package network

import (
	"crypto/ed25519"
	_ "embed"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// realParams are the parameters of mainnet's configuration that transactions
// and proofs need (prices, limits, the global version), as a dictionary of 32
// bits to cells. Fees here are mainnet's because of them.
//
//go:embed slim_config.boc
var realParams []byte

// Numbers of configuration parameters.
const (
	paramGlobalID   = 19
	paramCatchain   = 28
	paramValidators = 34
)

const (
	validatorWeight = 1 << 40
	validFor        = 10 * 365 * 24 * 3600 // seconds
)

// buildConfig puts our validator and our network id into the real parameters.
func buildConfig(key ed25519.PublicKey, globalID int32, now uint32) (*cell.Cell, error) {
	root, err := cell.FromBOC(realParams)
	if err != nil {
		return nil, err
	}
	params := root.AsDict(32)
	set := func(param int64, v *cell.Cell) error {
		return params.SetIntKey(big.NewInt(param), cell.BeginCell().MustStoreRef(v).EndCell())
	}
	validators, err := validatorSet(key, now)
	if err != nil {
		return nil, fmt.Errorf("validators: %w", err)
	}
	if err := set(paramValidators, validators); err != nil {
		return nil, err
	}
	id := cell.BeginCell().MustStoreInt(int64(globalID), 32).EndCell()
	if err := set(paramGlobalID, id); err != nil {
		return nil, err
	}
	return params.AsCell(), nil
}

func validatorSet(key ed25519.PublicKey, now uint32) (*cell.Cell, error) {
	only, err := tlb.ToCell(describe(key))
	if err != nil {
		return nil, err
	}
	list := cell.NewDict(16)
	if err := list.SetIntKey(big.NewInt(0), only); err != nil {
		return nil, err
	}
	return tlb.ToCell(tlb.ValidatorSetExt{
		UTimeSince: now - 3600, UTimeUntil: now + validFor,
		Total: 1, Main: 1, TotalWeight: validatorWeight, List: list,
	})
}

func describe(key ed25519.PublicKey) tlb.ValidatorAddr {
	return tlb.ValidatorAddr{
		PublicKey: tlb.SigPubKeyED25519{Key: key},
		Weight:    validatorWeight,
		ADNLAddr:  make([]byte, 32),
	}
}
