package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// project is a folder with everything that commands open of it. What is
// expensive is opened at first use.
type project struct {
	program *program
	spec    *spec.Project
	store   shelf
	both    *gitlog.Synced // the store and its branch; nil without one
	book    *ledger.State

	world  *sandbox.World
	client *chain.Client
	market []seat // the sessions at Fragment; nil until they are read
	key    hand

	writes bool // this run has taken the ledger
	atWork bool // this run has made the ledger's branch, so who is at work there is itself
	buys   bool // what is decided is bought, so nothing is taken from this machine's clock

	budgeted bool  // only what campaign budgets allow is bought
	unsigned bool  // nothing is signed: a person is asked to pay
	till     *till // where the request goes; nil before there is something to buy

	applied applied // what an apply has come to

	imported, refused map[string]string         // by key: what became of the imports
	past              map[ton.Address]*backward // what the wallets did, where an import asked for it

	cancel ledger.PaymentID // a payment to be burned; 0 for none
	reason string           // of a person's decision
}

func (p *program) load() (*project, error) {
	switch info, err := os.Stat(p.dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the folder %q does not exist; -chdir names the project's folder", p.dir)
	case err == nil && !info.IsDir():
		return nil, fmt.Errorf("%q is not a folder; -chdir names the project's folder", p.dir)
	}
	if err := p.guarded(secretNames); err != nil {
		return nil, err
	}
	s, err := spec.Load(p.dir)
	if err != nil {
		return nil, err
	}
	project := &project{program: p, spec: s}
	if err := p.guarded(project.secretVariables()); err != nil {
		return nil, err
	}
	return project, nil
}

func (p *project) Close() {
	if p.both != nil {
		if err := p.both.Close(context.Background()); err != nil {
			p.program.tell(err.Error())
		}
	}
	if p.store != nil {
		_ = p.store.Close()
	}
	if p.client != nil {
		p.client.Close()
	}
	if p.world != nil {
		if err := p.world.Close(); err != nil {
			fmt.Fprintln(p.program.stderr, "fragplan:", err)
		}
	}
}

// path is a file that a person names: in the folder that -chdir names, or here.
func (p *program) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.dir, name)
}

func (p *project) ledgerPath() string {
	if p.program.sandbox {
		return filepath.Join(p.program.worldDir(), "ledger.db")
	}
	return filepath.Join(p.program.dir, filepath.FromSlash(p.spec.Ledger.File))
}

// openLedger opens the ledger. The sandbox's own is made on first use; a real
// one only by `ledger init`.
func (p *project) openLedger(ctx context.Context) error {
	if p.program.sandbox {
		made, err := p.makeLedger(ctx, p.anchor, "")
		if made || err != nil && !errors.Is(err, fs.ErrExist) { // another rehearsal may have been faster
			return err
		}
	}
	if p.synced() {
		return p.openSynced(ctx)
	}
	var err error
	if p.store, err = p.openShelf(ctx); err != nil {
		return err
	}
	return p.reload(ctx)
}

func (p *project) reload(ctx context.Context) (err error) {
	p.book, err = p.store.Load(ctx)
	return err
}

// makeLedger makes the ledger where nothing stands in its place, with the
// wallet's history beginning as since says, and opens it. It reports whether
// it did.
func (p *project) makeLedger(ctx context.Context, since func(context.Context, string) (ledger.Anchored, error), reason string) (made bool, err error) {
	if exists, err := p.ledgerExists(ctx); exists || err != nil {
		return false, err
	}
	var log *gitlog.Log
	if p.synced() {
		if log, err = p.absent(ctx); err != nil {
			return false, err
		}
	}
	anchor, err := since(ctx, reason)
	if err == nil {
		var id [16]byte
		_, _ = rand.Read(id[:]) // it never fails
		p.store, err = p.createShelf(ctx, []ledger.Event{ledger.Opened{Ledger: hex.EncodeToString(id[:])}, anchor})
	}
	if err != nil {
		return false, fmt.Errorf("making the ledger %s: %w", p.ledgerName(), err)
	}
	if log != nil {
		p.both = gitlog.Sync(log, p.store)
		if err := p.both.Begin(ctx, gitlog.Writer("ledger init")); err != nil {
			return true, err
		}
		p.atWork = true
	}
	return true, p.reload(ctx)
}

// anchor is where the wallet's history begins for the ledger: now.
func (p *project) anchor(ctx context.Context, reason string) (ledger.Anchored, error) {
	address, err := p.address(ctx)
	if err != nil {
		return ledger.Anchored{}, err
	}
	account, err := p.account(ctx)
	if err != nil {
		return ledger.Anchored{}, err
	}
	if account.Active && account.CodeHash != p.spec.Wallet.Version.CodeHash() {
		return ledger.Anchored{}, fmt.Errorf("the code of wallet %s is not that of a %s wallet", address, p.spec.Wallet.Version)
	}
	if past := past(account); past != "" && reason == "" {
		return ledger.Anchored{}, fmt.Errorf("the wallet %s %s, and the ledger knows nothing of it. If a ledger was lost: fragplan ledger rebuild -reason TEXT. If none of it was bought by fragplan, say so: fragplan ledger init -from-now -reason TEXT", address, past)
	}
	return ledger.Anchored{Wallet: address, Version: p.spec.Wallet.Version, Anchor: account.Last, Block: account.Block, Reason: reason}, nil
}

// origin is anchor for a ledger that takes in everything that the wallet ever
// did.
func (p *project) origin(ctx context.Context, reason string) (ledger.Anchored, error) {
	anchor, err := p.anchor(ctx, reason)
	anchor.Anchor = ton.Position{}
	return anchor, err
}

// past says why a wallet may have paid something before, "" if it can't have.
func past(account ton.Account) string {
	switch {
	case account.Frozen:
		return "is frozen, so it was in use before"
	case account.Active && account.Data.Seqno > 0:
		return fmt.Sprintf("has paid before (its seqno is %d)", account.Data.Seqno)
	}
	return ""
}

// address is the wallet that pays: the one in fragplan.yaml, or in a rehearsal
// the world's own.
func (p *project) address(ctx context.Context) (ton.Address, error) {
	if !p.program.sandbox {
		return p.spec.Wallet.Address, nil
	}
	if p.book != nil {
		if known := p.book.Addresses(); len(known) > 0 {
			return known[0], nil
		}
	}
	w, err := p.openWorld(ctx)
	if err != nil {
		return ton.Address{}, err
	}
	return w.Wallet, nil
}

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

// envConfig names the file with the lite servers and the trusted block.
const envConfig = "FRAGPLAN_TON_CONFIG"

// chain dials the network: the world's, or the one of global.config.json.
func (p *project) chain(ctx context.Context) (*chain.Client, error) {
	if p.client != nil {
		return p.client, nil
	}
	var config []byte
	if p.program.sandbox {
		w, err := p.openWorld(ctx)
		if err != nil {
			return nil, err
		}
		config = w.GlobalConfig
	} else {
		name := p.program.getenv(envConfig)
		if name == "" {
			name = filepath.Join(p.program.dir, "global.config.json")
		}
		var err error
		if config, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("the list of TON servers: %w. Save https://ton.org/global-config.json as global.config.json in the project, or name a file in %s", err, envConfig)
		}
	}
	c, err := chain.Dial(ctx, config, chain.Options{})
	if err != nil {
		return nil, err
	}
	p.client = c
	return c, nil
}

// account reads the account of the wallet that pays.
func (p *project) account(ctx context.Context) (ton.Account, error) {
	client, err := p.chain(ctx)
	if err != nil {
		return ton.Account{}, err
	}
	address, err := p.address(ctx)
	if err != nil {
		return ton.Account{}, err
	}
	return client.Account(ctx, address, p.spec.Wallet.Version)
}

// networkID is mainnet's; rehearsals have the world's.
func (p *project) networkID() int32 {
	if p.program.sandbox && p.world != nil {
		return p.world.NetworkID
	}
	return ton.Mainnet
}
