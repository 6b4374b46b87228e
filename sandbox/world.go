// Package sandbox is a world on this machine: Fragment's HTTP API (package
// market) and a TON network (package network) that know of each other's
// payments, with a funded wallet and a session, kept in one folder.
//
// It holds nothing real: its network has an id of its own, its coins are worth
// nothing, and it speaks to this machine's loopback only.
package sandbox

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/xssnick/tonutils-go/ton/wallet"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
)

// Options say how a world is made. Dir is the only required field.
type Options struct {
	Dir     string            // its folder, made if it is missing
	Version ton.WalletVersion // of the funded wallet; "" means V5R1
	Balance ton.Nano          // what the wallet is given when the world is made; 0 means 1,000 TON
	Empty   bool              // the wallet is given no TON
	USDT    int64             // micro-USDT that the wallet is given, once in the life of the world

	BlockEvery time.Duration // 0 means one second
	Listen     string        // address of Fragment's API, on this machine; "" means a free port of 127.0.0.1

	// Record is a file that every executed transaction is appended to (see
	// Recorded); "" means none.
	Record string
}

// World is a running world, or one that another process runs.
type World struct {
	Facts
	own    *running // nil: another process runs it
	failed chan error
}

// ErrAttached is returned, wrapped, where only the process that runs a world
// can do what was asked, and another process runs it.
var ErrAttached = errors.New("another process runs this world")

// Collector is the account that every world's Fragment asks to pay.
func Collector() ton.Address { return market.Collector }

// Facts are what a client needs to take part in a world.
type Facts struct {
	FragmentURL  string            `json:"fragment_url"`
	Cookie       string            `json:"cookie"`
	GlobalConfig json.RawMessage   `json:"global_config"`
	NetworkID    int32             `json:"network_id"`
	USDTMaster   ton.Address       `json:"usdt_master"`
	Version      ton.WalletVersion `json:"wallet_version"`
	Wallet       ton.Address       `json:"wallet"`
	Mnemonic     []string          `json:"mnemonic"` // of a wallet that exists in this world only
}

// birth is what a world is made from, once.
type birth struct {
	Seed     int64             `json:"seed"`
	Version  ton.WalletVersion `json:"wallet_version"`
	Mnemonic []string          `json:"mnemonic"`
	Balance  ton.Nano          `json:"balance,string"`
	Cookie   string            `json:"cookie,omitempty"`

	// PublicKey follows from the words, by a tenth of a second of hashing that
	// no later start needs.
	PublicKey ed25519.PublicKey `json:"public_key"`
}

// published is what the running process says of itself. Its run tells it from
// an earlier process, now dead, that left its file behind.
type published struct {
	Facts
	Run string `json:"run"`
}

type running struct {
	run     string
	lock    *flock.Flock
	network *network.Network
	record  *record
	lite    *network.Server
	market  *market.Market
	http    *http.Server
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

const (
	birthFile   = "world.json"   // made once
	addressFile = "running.json" // what the running process has published
	lockFile    = "world.lock"
)

// Exists reports whether a folder holds a world.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, birthFile))
	return err == nil
}

// Open starts the world of a folder, or attaches to the process that runs it.
// With a Record it never attaches: the error is ErrAttached.
func Open(ctx context.Context, o Options) (*World, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	lock := flock.New(filepath.Join(o.Dir, lockFile))
	for {
		free, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		if free {
			break
		}
		if o.Record != "" {
			return nil, fmt.Errorf("sandbox %s: record: %w", o.Dir, ErrAttached)
		}
		w, err := attach(ctx, o.Dir)
		if err == nil {
			return w, nil
		}
		// It may be starting, or ending, or have died this moment.
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("sandbox %s: another process has it locked and does not say where it listens: %w", o.Dir, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	w, err := start(o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox %s: %w", o.Dir, err), lock.Unlock())
	}
	w.own.lock = lock
	return w, nil
}

// attach believes what is published only if its door answers for the same run.
func attach(ctx context.Context, dir string) (*World, error) {
	var p published
	if err := readJSON(filepath.Join(dir, addressFile), &p); err != nil {
		return nil, err
	}
	w := &World{Facts: p.Facts}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	run, err := w.ask(ctx, http.MethodGet, "/sandbox/run", nil)
	if err != nil {
		return nil, err
	}
	if string(run) != p.Run {
		return nil, fmt.Errorf("%s: %s is somebody else", addressFile, p.FragmentURL)
	}
	return w, nil
}

// Attached reports whether another process runs the world.
func (w *World) Attached() bool { return w.failed == nil }

// Failed yields the error that stopped the world, if one does: blocks or
// answers can't be made any more, mostly because its disk is full. It yields
// nothing for a world that another process runs.
func (w *World) Failed() <-chan error { return w.failed }

func start(o Options) (*World, error) {
	b, born, err := bear(o)
	if err != nil {
		return nil, err
	}
	r := &running{run: rand.Text()}
	w := &World{own: r, failed: make(chan error, 2)}
	w.Version, w.Mnemonic = b.Version, b.Mnemonic
	options := network.Options{Seed: seed(b.Seed)}
	if o.Record != "" {
		if r.record, err = openRecord(o.Record); err != nil {
			return nil, err
		}
		options.OnTransaction = r.record.add
	}
	if r.network, err = network.Open(filepath.Join(o.Dir, "network.jsonl"), options); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.NetworkID, w.USDTMaster = r.network.GlobalID(), r.network.JettonMaster()
	w.Wallet = ton.Wallet{Version: b.Version, PublicKey: b.PublicKey, NetworkID: w.NetworkID}.Address()
	if r.market, err = market.Open(market.Options{Seed: b.Seed, Clock: r.network.Now, Pay: payments{r.network}, JettonWallet: r.network.JettonWallet, Log: filepath.Join(o.Dir, "market.jsonl")}); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if born {
		if b.Balance > 0 {
			if err := r.network.Fund(w.Wallet, b.Balance); err != nil {
				return nil, errors.Join(err, w.Close())
			}
		}
		if _, err := r.network.Produce(); err != nil {
			return nil, errors.Join(err, w.Close())
		}
		if b.Cookie = r.market.NewSession(w.Wallet); b.Cookie == "" {
			return nil, errors.Join(errors.New("the market's log can't be written"), w.Close())
		}
		if err := writeJSON(filepath.Join(o.Dir, birthFile), b); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	w.Cookie = b.Cookie
	if o.USDT > 0 && r.network.Balance(r.network.JettonMaster()) == 0 {
		if err := r.mint(w.Wallet, o.USDT); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	if err := w.serve(o); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// bear reads the folder's world, or decides what a new one is made of. A world
// that was not funded to the end has no file and is made anew.
func bear(o Options) (b birth, born bool, err error) {
	err = readJSON(filepath.Join(o.Dir, birthFile), &b)
	if err == nil && len(b.PublicKey) != ed25519.PublicKeySize {
		return birth{}, false, fmt.Errorf("%s: it has no public_key: another version made it; remove the folder to begin a new world", birthFile)
	}
	if err == nil {
		return b, false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return birth{}, false, err
	}
	for _, half := range []string{"network.jsonl", "market.jsonl"} {
		if err := os.Remove(filepath.Join(o.Dir, half)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return birth{}, false, err
		}
	}
	var n [8]byte
	if _, err := rand.Read(n[:]); err != nil {
		return birth{}, false, err
	}
	b = birth{Seed: int64(binary.BigEndian.Uint64(n[:]) >> 1), Version: o.Version, Mnemonic: wallet.NewSeed(), Balance: o.Balance}
	key, err := wallet.SeedToPrivateKeyWithOptions(b.Mnemonic)
	if err != nil {
		return birth{}, false, err
	}
	b.PublicKey = key.Public().(ed25519.PublicKey)
	if b.Version == "" {
		b.Version = ton.V5R1
	}
	switch {
	case o.Empty:
		b.Balance = 0
	case b.Balance == 0:
		b.Balance = 1000 * ton.TON
	}
	return b, true, nil
}

func seed(n int64) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("network"), uint64(n)))
}

// serve opens both doors, makes blocks, and publishes where to knock.
func (w *World) serve(o Options) error {
	r := w.own
	var err error
	if r.lite, err = r.network.Serve("127.0.0.1:0"); err != nil {
		return err
	}
	w.GlobalConfig = r.network.GlobalConfig(r.lite)
	listen := o.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s is open to other machines: listen on 127.0.0.1", l.Addr()), l.Close())
	}
	w.FragmentURL = "http://" + l.Addr().String()
	r.http = &http.Server{Handler: w.doors(), ReadHeaderTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.done.Go(func() {
		if err := r.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			w.failed <- fmt.Errorf("sandbox: %w", err)
		}
	})
	every := o.BlockEvery
	if every == 0 {
		every = time.Second
	}
	r.done.Go(func() {
		if err := r.network.Run(ctx, every); err != nil {
			w.failed <- fmt.Errorf("sandbox: %w", err)
		}
	})
	return writeJSON(filepath.Join(o.Dir, addressFile), published{w.Facts, r.run})
}

// Close ends a world that this process runs, and leaves one that another
// process runs alone.
func (w *World) Close() error {
	r := w.own
	if r == nil {
		return nil
	}
	w.own = nil
	var errs []error
	if r.lock != nil {
		// First, so that nobody is sent to a door that is about to close.
		errs = append(errs, os.Remove(filepath.Join(filepath.Dir(r.lock.Path()), addressFile)))
	}
	if r.cancel != nil {
		r.cancel()
	}
	if r.http != nil {
		errs = append(errs, r.http.Close())
	}
	if r.lite != nil {
		errs = append(errs, r.lite.Close())
	}
	r.done.Wait()
	if r.market != nil {
		errs = append(errs, r.market.Close())
	}
	if r.network != nil {
		errs = append(errs, r.network.Close())
	}
	if r.record != nil {
		errs = append(errs, r.record.f.Close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Unlock())
	}
	return errors.Join(errs...)
}

// payments shows the market what arrives on the network.
type payments struct{ network *network.Network }

func (p payments) Received(collector ton.Address, after uint64) []market.Payment {
	var list []market.Payment
	jettons := p.network.JettonWallet(collector)
	for _, c := range p.network.Received(collector, after) {
		if c.Bounced {
			continue // the collector's own money, come back
		}
		if usdt, from, note, ok := market.JettonNotice(c.Body); ok {
			// Anybody can write such a notice; only the collector's own jetton
			// wallet is believed.
			if c.From == jettons {
				list = append(list, market.Payment{LT: c.LT, From: from, USDT: usdt, Body: note, Time: c.Time})
			}
			continue
		}
		list = append(list, market.Payment{LT: c.LT, From: c.From, Amount: c.Amount, Body: c.Body, Time: c.Time})
	}
	return list
}

// mint gives somebody micro-USDT.
func (r *running) mint(to ton.Address, usdt int64) error {
	if err := r.network.Mint(to, usdt); err != nil {
		return err
	}
	_, err := r.network.Produce()
	return err
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeJSON replaces the file whole, so that a reader never sees half of it.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
