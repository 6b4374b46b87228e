package main

import (
	"errors"
	"slices"
	"sync"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/product"
)

// market sells through Fragment, in one session or several. An order stays with
// the session that quoted it.
type market struct {
	seats []seat

	mu   sync.Mutex
	busy []int                         // orders that each seat is quoting
	told map[product.Kind]map[int]bool // the seats that confirmed a payment in this run
}

func newMarket(seats []seat) *market {
	return &market{seats: seats, busy: make([]int, len(seats)), told: map[product.Kind]map[int]bool{}}
}

// take gives an order to the seat that is least busy.
func (m *market) take() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	least := 0
	for n := range m.busy {
		if m.busy[n] < m.busy[least] {
			least = n
		}
	}
	m.busy[least]++
	return least
}

func (m *market) leave(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy[n]--
}

// confirm tells the session that quoted an order of its payment. If that one is
// no longer listed, each is told, and one that doesn't know the order says so
// and does nothing.
func (m *market) confirm(kind product.Kind, session string, do func(*fragment.Client) error) error {
	var first error
	for n, s := range m.seats {
		if m.lists(session) && s.name != session {
			continue
		}
		err := do(s.client)
		if err == nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.told[kind] == nil {
				m.told[kind] = map[int]bool{}
			}
			m.told[kind][n] = true
			return nil
		}
		if first == nil || errors.Is(first, fragment.ErrOrderNotFound) {
			first = s.say(err)
		}
		if !errors.Is(err, fragment.ErrOrderNotFound) && !barred(err) {
			break // no answer about the order; the next try asks again
		}
	}
	return first
}

func (m *market) lists(session string) bool {
	return slices.ContainsFunc(m.seats, func(s seat) bool { return s.name == session })
}

// tellers are the seats that confirmed payments of a kind in this run, or all
// if none did.
func (m *market) tellers(kind product.Kind) []seat {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []seat
	for n, s := range m.seats {
		if m.told[kind] == nil || m.told[kind][n] {
			list = append(list, s)
		}
	}
	return list
}
