package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
)

// running is a world while this process runs it.
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

// mint gives somebody micro-USDT.
func (r *running) mint(to ton.Address, usdt int64) error {
	if err := r.network.Mint(to, usdt); err != nil {
		return err
	}
	_, err := r.network.Produce()
	return err
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
