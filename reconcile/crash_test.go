package reconcile_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// The crash matrix: a process is killed before and after each commit, and
// before each effect and between it and its answer, at every such place of an
// apply; and then at every such place of the recovery. Nothing else goes wrong.
// Whatever happened, applying again buys everything that is missing, once.
func TestCrashMatrix(t *testing.T) {
	for _, m := range matrices() {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			m.t, m.newDisk, m.singles, m.step = t, inMemory, 1, 1
			if m.orders > 1 && os.Getenv("MATRIX") == "" {
				m.step = 31 // MATRIX=all tries every pair of many
			}
			m.run()
		})
	}
}

// The matrix over real files that are opened anew. MATRIX=all kills at every
// place, and of one order at every pair of places; of the pairs of several
// batches it tries those of every seventh first place, another seventh for each
// wallet and way to pay. Without it there is a sample of all.
func TestCrashMatrixOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("it opens thousands of files")
	}
	folder := memoryFolder(t)
	for i, m := range matrices() {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			m.t, m.singles, m.step = t, max(2, m.orders), 21
			m.newDisk = func(_ bool, first []ledger.Event) (disk, error) { return newReal(folder, first) }
			if os.Getenv("MATRIX") != "" {
				m.singles, m.step, m.offset = 1, m.orders, i%m.orders
			} else if m.orders > 1 {
				m.step = 1000 // no pairs
			}
			m.run()
		})
	}
}

// How the orders of a matrix are paid.
const (
	inTON       = "in TON"
	mixed       = "in both" // the first in USDT, and then every second
	byPhone     = "by phone"
	byPhoneBoth = "by phone, in both"
)

// matrices are both wallets, one order and several batches, and all ways to
// pay.
func matrices() (list []*matrix) {
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		for _, orders := range []int{1, 7} { // 7 are batches of 1, 4 and 2
			for _, way := range []string{inTON, mixed, byPhone, byPhoneBoth} {
				list = append(list, &matrix{version: version, orders: orders, way: way})
			}
		}
	}
	return list
}

type matrix struct {
	t       *testing.T
	version ton.WalletVersion
	orders  int
	way     string // to pay
	newDisk func(bool, []ledger.Event) (disk, error)
	singles int // of so many places, one is tried
	step    int // of the first kill, for pairs
	offset  int // of those
}

func (m *matrix) String() string { return fmt.Sprintf("%s, %d orders, %s", m.version, m.orders, m.way) }

func (m *matrix) run() {
	singles, pairs, last := 0, 0, 0
	begun := time.Now()
	for first := 1; m.killed(first, 0); first += m.singles {
		singles, last = singles+1, first
		if first%m.step != m.offset {
			continue
		}
		for second := 1; m.killed(first, second); second++ {
			pairs++
		}
	}
	m.t.Logf("%d places, %d pairs, %s", singles, pairs, time.Since(begun).Round(time.Second))
	if last+m.singles <= 20 {
		m.t.Errorf("only %d places to die at", last)
	}
}

// killed plays the story with a kill at the first place of the first run, and
// at the second of the next; 0 is no kill. It reports whether the last of the
// places was reached.
func (m *matrix) killed(first, second int) (reached bool) {
	s := m.world()
	for _, place := range []int{first, second} {
		s.points, s.killAt = 0, place
		p := s.once()
		if place != 0 {
			reached = p.died
		}
		s.checker.followed(p)
		s.scan()
	}
	s.killAt = 0
	for n := 0; s.once().moved > 0 || s.scan(); n++ {
		if n == 3+3*m.orders {
			s.violate(24, "it does not come to rest")
			break
		}
	}
	s.checker.final()
	if n := len(s.chain.sent()); n != m.orders {
		s.violate(2, "%d of %d orders were paid", n, m.orders)
	}
	for _, v := range s.violations {
		m.t.Errorf("killed at %d and at %d: %s", first, second, v)
	}
	return reached && !m.t.Failed()
}

// world is one without faults that wants the orders.
func (m *matrix) world() *sim {
	s := newWorldOf(newChance(1), m.version, 1000*ton.TON, m.newDisk)
	s.calm, s.unsigned = true, m.way == byPhone || m.way == byPhoneBoth
	s.limits = generous()
	s.chain.purse.balance = 1000_000_000
	s.chain.stand()
	want := stars(m.orders)
	if m.way == mixed || m.way == byPhoneBoth {
		want = inUSDT(m.orders)
	}
	for _, o := range want {
		s.write(o)
	}
	s.createLedger(ton.Position{})
	return s
}

// scan is what a person does who was asked to pay: all of it. What nobody was
// asked for, because the process died before it could, is given up.
func (s *sim) scan() (acted bool) {
	for len(s.asked) > 0 {
		s.chain.produce(1, func() { s.phone(0) })
		acted = true
	}
	return s.unsigned && s.answer() || acted
}

// sent are the transfers that left the wallet.
func (c *chain) sent() (list []ton.Out) {
	for _, t := range c.history {
		list = append(list, t.Out...)
	}
	return list
}
