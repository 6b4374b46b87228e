package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

// A hand signs for the project's wallet.
type hand interface {
	reconcile.Signer
	Public() ton.Wallet
}

// signer reads the key, or asks the program that holds it, and checks that it
// is the project's. A rehearsal signs with the world's own.
func (p *project) signer(ctx context.Context) (hand, error) {
	if p.key != nil {
		return p.key, nil
	}
	want, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	if !p.program.sandbox && p.spec.Wallet.Signer.Command != nil {
		p.key, err = p.program.outside(ctx, p, want)
		return p.key, err
	}
	words, err := p.mnemonic(ctx)
	if err != nil {
		return nil, err
	}
	key, err := wallet.KeyFromMnemonic(words)
	if err != nil {
		return nil, err
	}
	w, err := wallet.New(p.spec.Wallet.Version, key, p.networkID())
	if err != nil {
		return nil, err
	}
	if w.Address() != want {
		return nil, p.foreign("recovery phrase", "the words of that wallet", key.Public(), w.Address(), want)
	}
	p.key = inside{w}
	return p.key, nil
}

// surroundings are what secrets and programs of fragplan.yaml are looked for in.
func (p *project) surroundings() signer.Surroundings {
	return signer.Surroundings{Dir: p.program.dir, Getenv: p.program.getenv, Environ: os.Environ, Secret: p.secretVariables()}
}

// secretVariables are those in which fragplan.yaml says that secrets are. No
// program gets them, one that is asked for another secret no more than git.
func (p *project) secretVariables() (names []string) {
	sources := []spec.KeySource{p.spec.Wallet.Key, p.spec.Ledger.Identity}
	for _, s := range p.spec.Sessions {
		sources = append(sources, s.Source)
	}
	for _, t := range p.targets() {
		sources = append(sources, t.secret)
	}
	if alive := p.spec.Notices.Alive; alive != nil {
		sources = append(sources, alive.Hook)
	}
	for _, s := range sources {
		if signer.Kind(s.Kind) == signer.Env {
			names = append(names, s.Name)
		}
	}
	return names
}

// outside is the program that signs for the wallet.
func (p *program) outside(ctx context.Context, project *project, want ton.Address) (hand, error) {
	s := project.spec.Wallet
	o := outside{program: signer.Program{Command: s.Signer.Command, Timeout: s.Signer.Timeout, In: project.surroundings()}}
	o.usdt = func(ctx context.Context) (ton.Address, error) {
		client, err := project.chain(ctx)
		if err != nil {
			return ton.Address{}, err
		}
		jetton, err := lookout{client, project.usdtMaster()}.Jetton(ctx, want)
		return jetton.Wallet, err
	}
	public := s.PublicKey
	if public == nil {
		var err error
		if public, err = o.program.PublicKey(ctx); err != nil {
			return nil, err
		}
	}
	o.wallet = ton.Wallet{Version: s.Version, PublicKey: public, NetworkID: project.networkID()}
	if has := o.wallet.Address(); has != want {
		return nil, project.foreign("signer's public key", "the key of that wallet", public, has, want)
	}
	return o, nil
}

// payer is the public side of the wallet that somebody else signs for. Its key
// is known from fragplan.yaml, or from the chain once the wallet is deployed.
func (p *project) payer(ctx context.Context, client *chain.Client) (ton.Wallet, error) {
	want, err := p.address(ctx)
	if err != nil {
		return ton.Wallet{}, err
	}
	public := p.spec.Wallet.PublicKey
	if p.program.sandbox {
		own, err := p.signer(ctx)
		if err != nil {
			return ton.Wallet{}, err
		}
		public = own.Public().PublicKey
	}
	if public == nil {
		account, err := client.Account(ctx, want, p.spec.Wallet.Version)
		if err != nil {
			return ton.Wallet{}, err
		}
		if !account.Active {
			return ton.Wallet{}, fmt.Errorf("the wallet %s has never sent anything, so the chain does not show its public key: write public_key: under wallet in fragplan.yaml, or send something from it first", want)
		}
		if account.CodeHash != p.spec.Wallet.Version.CodeHash() {
			return ton.Wallet{}, fmt.Errorf("the code of wallet %s is not that of a %s wallet, so the chain does not show its public key", want, p.spec.Wallet.Version)
		}
		public = account.Data.PublicKey
	}
	w := ton.Wallet{Version: p.spec.Wallet.Version, PublicKey: public, NetworkID: p.networkID()}
	if has := w.Address(); has != want {
		return ton.Wallet{}, p.foreign("public key", "the key of that wallet", public, has, want)
	}
	return w, nil
}

// foreign is the error for a key that is not the project's. The usual mistake
// is the other version of the right wallet.
func (p *project) foreign(what, use string, public ed25519.PublicKey, has, want ton.Address) error {
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		other := ton.Wallet{Version: version, PublicKey: public, NetworkID: p.networkID()}
		if other.Address() == want {
			return fmt.Errorf("the wallet %s is the %s wallet of this key, and fragplan.yaml says %s: write version: %s there", want, version, p.spec.Wallet.Version, version)
		}
	}
	return fmt.Errorf("the %s is that of %s (as a %s wallet), and the project's wallet is %s: nothing is signed with another wallet's key. Use %s, or correct the address in fragplan.yaml", what, has, p.spec.Wallet.Version, want, use)
}

// mnemonic reads the words from where the project says that they are, or takes
// those of the world.
func (p *project) mnemonic(ctx context.Context) (wallet.Mnemonic, error) {
	if p.program.sandbox {
		w, err := p.openWorld(ctx)
		if err != nil {
			return wallet.Mnemonic{}, err
		}
		return worldMnemonic(w), nil
	}
	k := p.spec.Wallet.Key
	source := signer.Source{Kind: signer.Kind(k.Kind), Name: k.Name, Command: k.Command}
	return source.Mnemonic(ctx, p.surroundings())
}
