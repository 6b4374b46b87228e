package reconcile_test

import (
	"fmt"
	"hash"
	"hash/fnv"
	"runtime/debug"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// The simulation runs the real engine over a store, a chain, a market, a
// signer and people that misbehave. It has one goroutine, and everything that
// happens, and when, is drawn from a seed: the same seed gives the same story.
//
// A seed has two parts. In the first, processes run and fail while what is
// wanted changes. Then the faults end, and with a person who does what the
// messages say everything must come to rest. The checker watches the chain all
// the while.

// sim is one seed's world.
type sim struct {
	*chance
	seed    uint64
	chain   *chain
	market  *market
	checker *checker

	newDisk func([]ledger.Event) (disk, error)
	disk    disk
	branch  int      // of the ledger that stands here now
	copies  []copied // of the ledger, as an operator made them

	want []spec.Occurrence
	gone []spec.Occurrence // what was written once
	files
	rules  map[string]string // of grants that were ever written; "" for those that don't recur
	limits policy.Limits

	launched int
	live     []*process
	orphans  []orphan    // effects that outlived their process
	pool     []floating  // broadcast and not yet in a block
	ever     []ton.BoC   // every message that was ever broadcast
	brink    ton.BoC     // the message that the network keeps until it is nearly over
	leaked   []ton.BoC   // signed, and the signer said that it was not
	returns  []returning // bounces on their way
	post     []post      // messages between jetton wallets
	returned map[ton.Position]*sale
	asked    []request          // that somebody has and may pay
	unsigned bool               // nothing is ever signed: a person is asked to pay
	apart    uint32             // when two ledgers could last have paid from the wallet, 0 for never
	saved    *reconcile.Plan    // made earlier
	planned  *reconcile.Plan    // the newest
	results  []reconcile.Result // of all engines
	thawed   uint32             // the block in which a frozen or changed account is itself again

	signerBack uint32 // the block in which a signer that is down is up again

	points, killAt int // places where a process may be killed; the one where it is, 0 for none

	trace      hash.Hash64
	story      func(string) // nil, or takes the trace as text
	violations []violation
}

type violation struct {
	invariant int
	text      string
}

func (v violation) String() string { return fmt.Sprintf("I%d: %s", v.invariant, v.text) }

type orphan struct {
	process *process
	task    *task
}

type floating struct {
	message ton.BoC
	due     uint32 // chain time from which on a block may hold it
}

type returning struct {
	in    ton.In
	sale  *sale // whose money it is
	block uint32
}

// request is what a person was asked to pay, and by which run.
type request struct {
	reconcile.Handout
	by armed
}

type copied struct {
	backup backup
	branch int
}

// newSim draws a world.
func newSim(seed uint64, newDisk func(codec bool, first []ledger.Event) (disk, error)) *sim {
	luck := newChance(seed)
	version := []ton.WalletVersion{ton.V5R1, ton.V4R2}[luck.IntN(2)]
	s := newWorldOf(luck, version, luck.between(50, 100_000)*ton.TON/1000, newDisk)
	s.seed = seed
	if s.IntN(2) == 0 { // a month ends soon
		s.chain.time = 1_801_440_000 - uint32(s.IntN(2000))
		s.chain.stand()
	}
	s.chain.purse.balance = int64(s.between(0, 150_000_000))
	s.chain.stand()
	if s.IntN(4) == 0 {
		s.chain.account.Active, s.chain.account.CodeHash, s.chain.account.Data = false, ton.Hash{}, ton.WalletData{}
		s.chain.stand()
	}
	s.drawLimits()
	s.drawWant()
	return s
}

// newWorldOf is a world in which nobody wants anything yet.
func newWorldOf(luck *chance, version ton.WalletVersion, balance ton.Nano, newDisk func(codec bool, first []ledger.Event) (disk, error)) *sim {
	s := &sim{chance: luck, trace: fnv.New64a(), rules: map[string]string{}, chain: newChain(version, balance), returned: map[ton.Position]*sale{}}
	codec := s.IntN(16) == 0
	s.newDisk = func(first []ledger.Event) (disk, error) { return newDisk(codec, first) }
	s.market = newMarket(s.chance, s.chain)
	s.checker = newChecker(s)
	s.chain.produce(1, func() {})
	return s
}

func (s *sim) tracef(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Fprintf(s.trace, "%d %s\n", s.chain.block, line)
	if s.story != nil {
		s.story(fmt.Sprintf("block %d, %d: %s", s.chain.block, s.chain.time, line))
	}
}

func (s *sim) violate(invariant int, format string, args ...any) {
	v := violation{invariant, fmt.Sprintf(format, args...)}
	s.violations = append(s.violations, v)
	s.tracef("VIOLATION %s", v)
}

// outcome is what a seed came to.
type outcome struct {
	seed       uint64
	hash       uint64
	counter    counters
	violations []violation
}

// run plays the seed. A panic is a violation too.
func (s *sim) run() (o outcome) {
	defer func() {
		if r := recover(); r != nil {
			s.violations = append(s.violations, violation{0, fmt.Sprintf("panic: %v\n%s", r, debug.Stack())})
		}
		o = outcome{s.seed, s.trace.Sum64(), s.counter, s.violations}
	}()
	s.createLedger(ton.Position{})
	for range 2 + s.IntN(5) {
		s.people()
		p := s.once()
		if s.IntN(2) == 0 {
			s.attend(p)
		}
		for range s.IntN(4) {
			s.produce()
		}
	}
	s.settleDown()
	s.checker.final()
	return o
}

// createLedger makes a ledger that answers for the wallet from a position on.
func (s *sim) createLedger(anchor ton.Position) {
	s.branch++
	first := []ledger.Event{
		ledger.Opened{Ledger: fmt.Sprint("ledger", s.branch)},
		ledger.Anchored{Wallet: s.chain.account.Address, Version: s.chain.wallet.Version, Anchor: anchor, Block: s.chain.block, Reason: "sim"},
	}
	var err error
	if s.disk, err = s.newDisk(first); err != nil {
		s.violate(19, "a ledger can't be made: %v", err)
	}
}

// once runs an apply to its end, and whatever began meanwhile.
func (s *sim) once() *process {
	p := s.start()
	s.live = append(s.live, p)
	s.drive()
	return p
}

// drive lets the processes that live run to their ends, one thing at a time.
func (s *sim) drive() {
	const bound = 30_000
	for n := 0; len(s.live) > 0 && len(s.violations) == 0; n++ {
		if n == bound {
			s.violate(24, "a run does not end")
			return
		}
		s.disturb()
		s.turn()
		s.live = slices.DeleteFunc(s.live, func(p *process) bool { return p.ended })
	}
}

// turn lets one thing happen. What can't be told apart in the real world, who
// is first, is drawn; without faults the oldest is.
func (s *sim) turn() {
	var choices []func()
	for _, p := range s.live {
		if len(p.inbox) > 0 {
			choices = append(choices, func() { p.handle(1 + s.IntN(len(p.inbox))) })
		}
		for _, t := range p.tasks {
			switch {
			case t.answer != nil:
				choices = append(choices, func() { p.arrive(t) })
			case s.ready(t):
				choices = append(choices, func() { p.carry(t) })
			}
		}
		if len(p.inbox) == 0 && len(p.tasks) == 0 && !p.ended {
			s.violate(24, "p%d waits for nothing and does not end", p.id)
			return
		}
	}
	for i, o := range s.orphans {
		choices = append(choices, func() {
			s.orphans = slices.Delete(s.orphans, i, i+1)
			s.tracef("late: %s of p%d", nameOf(o.task.effect), o.process.id)
			s.perform(o.process, o.task.effect)
		})
	}
	if len(choices) == 0 || s.IntN(8) == 0 {
		s.produce()
		return
	}
	if s.calm {
		choices[0]()
		return
	}
	choices[s.IntN(len(choices))]()
}

// ready: a wait is over when its block stands, and USDT is not asked after again
// before there is a new one; anything else can be done at any time.
func (s *sim) ready(t *task) bool {
	switch f := t.effect.(type) {
	case reconcile.Wait:
		return s.chain.block > f.After
	case reconcile.Trace:
		return f.Pause == 0 || s.chain.block > t.block
	}
	return true
}

// disturb is what happens to processes between two turns.
func (s *sim) disturb() {
	p := s.live[s.IntN(len(s.live))]
	switch {
	case s.hit(crashes):
		p.crash()
	case s.hit(isInterrupted):
		s.tracef("p%d is interrupted", p.id)
		p.inbox = append(p.inbox, reconcile.Interrupted{})
	case len(s.live) < 3 && s.hit(runsTwice):
		s.live = append(s.live, s.start())
	case len(s.copies) > 0 && len(s.live) < 3 && s.hit(ledgerRestoredWhileRunning):
		s.restore()
		s.live = append(s.live, s.start())
	}
}

// point is a place where a process may be killed.
func (s *sim) point() { s.points++ }

func (s *sim) killed() bool { return s.killAt != 0 && s.points == s.killAt }
