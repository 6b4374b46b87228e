package network

import "github.com/fragplan/fragplan/ton"

// JettonWalletOf is the address of a jetton wallet of another master's.
func JettonWalletOf(master, owner ton.Address) (ton.Address, error) {
	j, err := newJettons(owner)
	if err != nil {
		return ton.Address{}, err
	}
	return walletOf(j.walletCode, master, owner)
}
