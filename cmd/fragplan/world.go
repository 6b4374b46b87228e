package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

// worldDir is where rehearsals keep their world and their ledger.
func (p *program) worldDir() string { return filepath.Join(p.dir, ".fragplan", "sandbox") }

func (p *project) openWorld(ctx context.Context) (*sandbox.World, error) {
	if p.world == nil {
		w, err := sandbox.Open(ctx, sandbox.Options{Dir: p.program.worldDir(), Version: p.spec.Wallet.Version})
		if err != nil {
			return nil, err
		}
		if w.Version != p.spec.Wallet.Version {
			return nil, errors.Join(fmt.Errorf("the sandbox in %s has a %s wallet and fragplan.yaml says %s: remove that folder to begin a new world", p.program.worldDir(), w.Version, p.spec.Wallet.Version), w.Close())
		}
		if err := p.rehearseUSDT(ctx, w); err != nil {
			return nil, errors.Join(err, w.Close())
		}
		p.world = w
	}
	return p.world, nil
}

func worldMnemonic(w *sandbox.World) wallet.Mnemonic {
	return wallet.MnemonicOf(strings.Join(w.Mnemonic, " "))
}

// rehearseUSDT gives the world's wallet USDT, once in its life, if the project
// pays with it.
func (p *project) rehearseUSDT(ctx context.Context, w *sandbox.World) error {
	if !slices.ContainsFunc(p.spec.Grants, func(g spec.Grant) bool { return g.PayWith == ton.AssetUSDT }) {
		return nil
	}
	books, err := w.Books(ctx)
	if err != nil || books.USDTMade {
		return err
	}
	return w.Set(ctx, "fund", "1000 USDT")
}

// usdtMaster is the contract that makes USDT: mainnet's, or the world's.
func (p *project) usdtMaster() ton.Address {
	if p.program.sandbox && p.world != nil {
		return p.world.USDTMaster
	}
	return p.program.usdtMaster
}

// networkID is mainnet's; rehearsals have the world's.
func (p *project) networkID() int32 {
	if p.program.sandbox && p.world != nil {
		return p.world.NetworkID
	}
	return ton.Mainnet
}
