package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
	unasked  bool  // nobody has looked at the plan, or is asked
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
