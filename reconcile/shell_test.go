package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// sockets are a world behind the engine's sockets. Each checks that what it
// is asked to do was written before.
type sockets struct {
	mu     sync.Mutex
	w      *world
	book   *ledger.State // what is durable
	refuse func([]ledger.Event) error
	down   bool // no block comes
	gone   bool // and no server answers
}

// Append takes its time, so that whatever does not wait for it comes first.
func (s *sockets) Append(_ context.Context, events []ledger.Event) error {
	time.Sleep(time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		if err := s.refuse(events); err != nil {
			return err
		}
	}
	for _, e := range events {
		if err := s.book.Apply(e); err != nil {
			return err
		}
	}
	s.w.log = append(s.w.log, events...)
	return nil
}

func (s *sockets) Quote(_ context.Context, handle string, item product.Item, _ ton.Asset) (reconcile.Offer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.some(func(o *ledger.Order) bool { return o.Handle == handle && o.Phase == ledger.Reserved }) {
		s.w.t.Errorf("@%s is quoted and not reserved", handle)
	}
	return s.w.offer(reconcile.Ask{Handle: handle, Item: item}), nil
}

func (s *sockets) Confirm(_ context.Context, kind product.Kind, invoice ledger.Invoice, message ton.BoC) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind != product.Stars || len(message) == 0 || !s.some(func(o *ledger.Order) bool { return o.Phase == ledger.Paid && o.Invoice.Ref == invoice.Ref }) {
		s.w.t.Errorf("%s is confirmed and not recorded as paid", invoice.Ref)
	}
	return nil
}

func (s *sockets) Delivered(context.Context, product.Kind) (bool, error) { return true, nil }

func (s *sockets) History(context.Context, product.Kind) (reconcile.List, error) {
	return reconcile.List{}, nil
}

func (s *sockets) Sign(_ context.Context, p ton.Payload, _ bool, _ []string) (ton.BoC, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash, err := p.Hash()
	if err != nil || !slices.ContainsFunc(s.book.Open(), func(p *ledger.Payment) bool { return p.Hash == hash && p.Phase == ledger.PaymentArmed }) {
		s.w.t.Errorf("seqno %d is signed and not armed: %v", p.Seqno, err)
	}
	return s.w.sign(p), nil
}

func (s *sockets) Broadcast(_ context.Context, message ton.BoC) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.book.Open(), func(p *ledger.Payment) bool { return slices.Equal(p.Message, message) }) {
		s.w.t.Error("a message leaves that is not recorded as signed")
	}
	s.w.pool = append(s.w.pool, message)
	return nil
}

func (s *sockets) Look(_ context.Context, wallet ton.Address, v ton.WalletVersion, since ton.Position) (reconcile.Sight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return reconcile.Sight{}, errors.New("connection refused")
	}
	return s.w.sight(reconcile.Look{Wallet: wallet, Version: v, Since: since}).Sight, nil
}

func (s *sockets) Jetton(context.Context, ton.Address) (ton.Jetton, error) {
	return ton.Jetton{}, errors.New("nothing is paid in USDT here")
}

func (s *sockets) Trail(context.Context, ton.Address, ton.Address, uint64) (ledger.Trail, error) {
	return ledger.Trail{}, errors.New("nothing is paid in USDT here")
}

func (s *sockets) Emulate(_ context.Context, _ ton.Wallet, p ton.Payload) (reconcile.Emulation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.emulate(p), nil
}

func (s *sockets) WaitBlock(ctx context.Context, _ uint32) error {
	if s.down {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(5 * time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w.produce()
	return nil
}

func (s *sockets) some(is func(*ledger.Order) bool) bool {
	for _, o := range s.book.Orders {
		if is(o) {
			return true
		}
	}
	return false
}

// run applies the difference through the real shell.
func (s *sockets) run(ctx context.Context, interrupt <-chan struct{}, n int) (reconcile.Result, error) {
	w := s.w
	s.book = w.book()
	plan := reconcile.Diff(stars(n), w.book(), nil, plenty)
	state := reconcile.NewState(reconcile.Setup{Plan: plan, Wallet: w.wallet, Book: w.book(), Host: "test", Rules: firewall.Rules{Destinations: firewall.DefaultDestinations()}})
	return reconcile.Apply(ctx, interrupt, state, reconcile.World{Ledger: s, Market: s, Signer: s, Chain: s})
}

// Nothing happens outside before the events that it relies on are durable.
func TestNothingHappensBeforeItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sockets{w: newWorld(t, ton.V5R1)}
		if result, err := s.run(t.Context(), nil, 30); err != nil || len(result.Bought) != 30 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// A ledger that can't be written ends the run at once, whatever it was to
// write, and nothing that relied on it has happened.
func TestAFullDiskEndsTheRun(t *testing.T) {
	full := errors.New("disk full")
	for _, kind := range []string{"run_started", "order_quoted", "payment_armed", "payment_signed", "payment_executed", "order_acknowledged", "run_finished"} {
		synctest.Test(t, func(t *testing.T) {
			s := &sockets{w: newWorld(t, ton.V5R1)}
			s.refuse = func(events []ledger.Event) error {
				if slices.ContainsFunc(events, func(e ledger.Event) bool { return ledger.KindOf(e) == kind }) {
					return full
				}
				return nil
			}
			if _, err := s.run(t.Context(), nil, 6); !errors.Is(err, full) {
				t.Errorf("%s: %v", kind, err)
			}
			s.refuse = nil
			for range 2 {
				if _, err := s.run(t.Context(), nil, 6); err != nil {
					t.Errorf("%s, afterwards: %v", kind, err)
				}
			}
			if n := len(s.w.paid()); n != 6 {
				t.Errorf("%s: %d paid", kind, n)
			}
		})
	}
}

// An interrupt lets what may live settle first; a cancelled context does not
// wait. Applying again pays the rest, once.
func TestInterruptAndCancel(t *testing.T) {
	for after := time.Duration(0); after < 60*time.Second; after += 1500 * time.Millisecond {
		for _, hard := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := &sockets{w: newWorld(t, ton.V5R1)}
				ctx, cancel := context.WithCancel(t.Context())
				interrupt := make(chan struct{})
				time.AfterFunc(after, func() {
					if hard {
						cancel()
					} else {
						close(interrupt)
					}
				})
				_, err := s.run(ctx, interrupt, 6)
				if open := s.w.book().Open(); !hard && len(open) > 0 {
					t.Errorf("after %s: %v, %d payments are open", after, err, len(open))
				}
				for range 2 {
					if _, err := s.run(t.Context(), nil, 6); err != nil {
						t.Errorf("after %s, again: %v", after, err)
					}
				}
				if n := len(s.w.paid()); n != 6 {
					t.Errorf("after %s: %d paid", after, n)
				}
				cancel()
			})
		}
	}
}

// A chain that is gone after something was sent ends the run in a while, and
// one that only stands still is watched: the same bytes are sent again.
func TestAChainThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sockets{w: newWorld(t, ton.V5R1)}
		sent := 0
		time.AfterFunc(3*time.Second, func() { s.down = true })
		time.AfterFunc(10*time.Minute, func() { sent, s.gone = len(s.w.pool), true })
		began := time.Now()
		if _, err := s.run(t.Context(), nil, 1); err == nil || sent < 20 {
			t.Errorf("%v; sent %d times in 10 minutes", err, sent)
		}
		if took := time.Since(began); took > 15*time.Minute {
			t.Errorf("it took %s", took)
		}
		s.down, s.gone = false, false
		if _, err := s.run(t.Context(), nil, 1); err != nil || len(s.w.paid()) != 1 {
			t.Errorf("afterwards: %v, %d paid", err, len(s.w.paid()))
		}
	})
}
