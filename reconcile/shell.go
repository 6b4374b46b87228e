package reconcile

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fragplan/fragplan/ledger"
)

// World is the sockets, and somebody who watches.
type World struct {
	Ledger Ledger
	Market Market
	Signer Signer
	Till   Till // of a run that signs nothing; otherwise nil
	Chain  Chain
	Watch  func(Progress) // may be nil; called from one goroutine
}

// Apply carries a plan out. Its result is valid with an error too: what was
// bought was bought. Cancelling interrupt stops cleanly, with what may live
// still watched until it settles; cancelling ctx stops at once. Running Apply
// again is the whole recovery.
func Apply(ctx context.Context, interrupt <-chan struct{}, s *State, w World) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	sh := &shell{world: w, events: make(chan Event, 1024)}
	defer sh.running.Wait()
	defer cancel()
	pending := []Event{Started{}}
	for {
		done, err := sh.carryOut(ctx, s, pending)
		if done || err != nil {
			return s.Result(), err
		}
		select {
		case <-ctx.Done():
			return s.Result(), ctx.Err()
		case <-interrupt:
			interrupt = nil
			pending = []Event{Interrupted{}}
		case e := <-sh.events:
			pending = sh.drain(e)
		}
	}
}

type shell struct {
	world   World
	events  chan Event
	running sync.WaitGroup
}

// drain takes everything that has happened by now, so that one commit serves
// many events.
func (sh *shell) drain(first Event) []Event {
	events := []Event{first}
	for {
		select {
		case e := <-sh.events:
			events = append(events, e)
		default:
			return events
		}
	}
}

// carryOut steps through the events, writes everything that they want
// recorded in one commit, and only then begins the other effects: recording
// earlier than an effect needs is always safe.
func (sh *shell) carryOut(ctx context.Context, s *State, events []Event) (done bool, err error) {
	var effects []Effect
	var records []ledger.Event
	for _, e := range events {
		for _, f := range s.Step(e) {
			if r, ok := f.(Record); ok {
				records = append(records, r.Events...)
			} else {
				effects = append(effects, f)
			}
		}
	}
	if len(records) > 0 {
		if err := sh.world.Ledger.Append(ctx, records); err != nil {
			return false, fmt.Errorf("writing the ledger: %w", err)
		}
	}
	for _, f := range effects {
		switch f := f.(type) {
		case Stop:
			return true, f.Err
		case Notice:
			if sh.world.Watch != nil {
				sh.world.Watch(f.Progress)
			}
		default:
			sh.running.Go(func() { sh.carry(ctx, f) })
		}
	}
	return false, nil
}

// carry does one effect and reports what came of it.
func (sh *shell) carry(ctx context.Context, f Effect) {
	var e Event
	w := sh.world
	switch f := f.(type) {
	case Look:
		sight, err := w.look(ctx, f)
		e = Sighted{f.Wallet, sight, err}
	case Wait:
		pause(ctx, f.Pause)
		w.waitBlock(ctx, f.After)
		sight, err := w.look(ctx, f.Look)
		e = Sighted{f.Look.Wallet, sight, err}
	case Ask:
		offer, err := w.Market.Quote(ctx, f.Handle, f.Item, f.Asset)
		e = Offered{f.Order, offer, err}
	case Trace:
		pause(ctx, f.Pause)
		trail, err := w.Chain.Trail(ctx, f.Wallet, f.Owner, f.After)
		e = Traced{f.Wallet, f.Owner, f.After, trail, err}
	case Try:
		emulation, err := w.Chain.Emulate(ctx, f.Wallet, f.Payload)
		e = Tried{emulation, err}
	case Sign:
		message, err := w.Signer.Sign(ctx, f.Payload, f.Deploys, f.Keys)
		e = Signed{f.Payment, f.Burn, message, err}
	case Hand:
		e = Handed{f.Handout.Request, w.Till.Hand(ctx, f.Handout)}
	case Send:
		// The chain decides what became of it; an error here proves nothing.
		_ = w.Chain.Broadcast(ctx, f.Message)
		return
	case Tell:
		pause(ctx, f.After)
		e = Told{f.Order, w.Market.Confirm(ctx, f.Kind, f.Invoice, f.Message)}
	case Inquire:
		pause(ctx, f.After)
		done, err := w.Market.Delivered(ctx, f.Kind)
		list, _ := w.Market.History(ctx, f.Kind) // without it the page's word must do
		e = Learned{f.Kind, done, err, list}
	default:
		panic(fmt.Sprintf("reconcile: no way to carry out %T", f))
	}
	select {
	case sh.events <- e:
	case <-ctx.Done():
	}
}

func (w World) look(ctx context.Context, f Look) (Sight, error) {
	sight, err := w.Chain.Look(ctx, f.Wallet, f.Version, f.Since)
	if err == nil && f.USDT {
		sight.USDT, err = w.Chain.Jetton(ctx, f.Wallet)
	}
	return sight, err
}

// longestWait is how long a block is waited for before the wallet is looked at
// all the same: where none comes, it is said, and what was sent is sent again.
const longestWait = 20 * time.Second

func (w World) waitBlock(ctx context.Context, after uint32) {
	if after == 0 {
		return // any block will do
	}
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	_ = w.Chain.WaitBlock(ctx, after) // the look that follows says more
}

func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
