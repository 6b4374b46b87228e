package fragment

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A class orders calls that wait for their turn: money that is out first, then
// what brings an order to its end, then what begins one, then what only looks.
type class int

const (
	classConfirm class = iota
	classLink
	classInit
	classLook
)

// turns spaces calls by a pace. Those that wait are let through by class, and
// within a class in the order in which they came.
type turns struct {
	mu      sync.Mutex
	next    time.Time // no call before
	armed   bool      // a timer will let the next one through
	waiting []*waiter
}

type waiter struct {
	class class
	gone  bool
	ready chan struct{}
}

// wait returns when it is the caller's turn.
func (t *turns) wait(ctx context.Context, pace time.Duration, c class) error {
	w := &waiter{class: c, ready: make(chan struct{})}
	t.mu.Lock()
	at, _ := slices.BinarySearchFunc(t.waiting, c, func(w *waiter, c class) int {
		if w.class <= c {
			return -1
		}
		return 1
	})
	t.waiting = slices.Insert(t.waiting, at, w)
	t.arm(pace)
	t.mu.Unlock()

	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		t.mu.Lock()
		w.gone = true
		t.mu.Unlock()
		return ctx.Err()
	}
}

// arm lets the first one through now, or sets the timer that will.
func (t *turns) arm(pace time.Duration) {
	for !t.armed && len(t.waiting) > 0 {
		if d := time.Until(t.next); d > 0 {
			t.armed = true
			time.AfterFunc(d, func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.armed = false
				t.arm(pace)
			})
			return
		}
		w := t.waiting[0]
		t.waiting = t.waiting[1:]
		if w.gone {
			continue
		}
		t.next = time.Now().Add(pace)
		close(w.ready)
	}
}

// hold keeps everybody back for d, because the server asked for it.
func (t *turns) hold(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.next) {
		t.next = until
	}
}

// A door lets one in at a time, and those who wait give up with their context.
type door struct {
	once sync.Once
	in   chan struct{}
}

func (d *door) enter(ctx context.Context) (leave func(), err error) {
	d.once.Do(func() { d.in = make(chan struct{}, 1) })
	select {
	case d.in <- struct{}{}:
		return func() { <-d.in }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
