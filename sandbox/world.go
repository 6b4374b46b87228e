// Package sandbox is a world on this machine: Fragment's HTTP API (package
// market) and a TON network (package network) that know of each other's
// payments, with a funded wallet and a session, kept in one folder.
//
// It holds nothing real: its network has an id of its own, its coins are worth
// nothing, and it speaks to this machine's loopback only.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/fragplan/fragplan/sandbox/market"
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

// published is what the running process says of itself. Its run tells it from
// an earlier process, now dead, that left its file behind.
type published struct {
	Facts
	Run string `json:"run"`
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
