package reconcile_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// process is one run of the program: it does with the engine's effects what
// [reconcile.Apply] does, but one thing at a time and in any order.
type process struct {
	*sim
	id     int
	file   file
	book   *ledger.State // as this process knows it
	branch int           // of the ledger: a new one for each that is restored or made anew

	want []spec.Occurrence
	files
	limits policy.Limits
	saved  *reconcile.Plan
	worst  reconcile.Worst // of the plan that is carried out
	cancel ledger.PaymentID
	only   bool // settle, and buy nothing
	byhand bool // sign nothing: ask a person to pay

	stage stage
	state *reconcile.State
	inbox []reconcile.Event // has happened, and the engine was not told yet
	tasks []*task           // under way
	seen  uint32            // the newest block that this process has proven

	orders   map[ledger.OrderID]ledger.OrderReserved
	terms    map[ledger.OrderID]terms // of the offers that they have
	open     map[ledger.PaymentID]ton.Hash
	founds   map[ledger.FoundID]*sale
	taken    map[ledger.OrderID]bool // made from those
	messages map[ledger.PaymentID]ton.BoC
	burns    map[string]bool           // messages that are to be burned
	requests map[ledger.RequestID]bool // that are durable
	moved    int                       // mutating effects that were carried out
	told     map[ledger.OrderID]bool   // confirm calls were made for them
	asked    int                       // inquiries
	puzzled  bool                      // it said that money came back of which it knows no order
	err      error
	ended    bool
	died     bool
}

// stage is how far an apply has come.
type stage int

const (
	settles stage = iota // what an earlier run left open
	buys
)

// task is an effect under way.
type task struct {
	effect reconcile.Effect
	answer reconcile.Event // nil until it was carried out
	block  uint32          // the newest when it began
}

// errDied ends a process without a word.
var errDied = errors.New("killed")

// launch starts a process on the ledger that stands here now.
func (s *sim) launch() *process {
	s.launched++
	p := &process{sim: s, id: s.launched, branch: s.branch, want: s.want, files: s.files, limits: s.limits, orders: map[ledger.OrderID]ledger.OrderReserved{}, terms: map[ledger.OrderID]terms{}, founds: map[ledger.FoundID]*sale{}, taken: map[ledger.OrderID]bool{}, open: map[ledger.PaymentID]ton.Hash{}, messages: map[ledger.PaymentID]ton.BoC{}, burns: map[string]bool{}, requests: map[ledger.RequestID]bool{}, told: map[ledger.OrderID]bool{}}
	file, err := s.disk.open()
	if err != nil {
		s.violate(19, "the ledger can't be opened: %v", err)
	}
	p.file = file
	p.book = p.load()
	s.tracef("p%d starts, epoch %d, ledger %d", p.id, p.book.Epoch, p.branch)
	return p
}

func (p *process) load() *ledger.State {
	book, err := p.file.load()
	if err != nil {
		p.violate(19, "the ledger can't be read: %v", err)
		return ledger.NewState()
	}
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		p.orders[id] = ledger.OrderReserved{Order: id, Key: o.Key, Generation: o.Generation, Part: o.Part}
		p.terms[id], p.taken[id] = termsOf(book, o), o.Found != 0
	}
	for _, open := range book.Open() {
		p.open[open.ID] = open.Hash
		p.messages[open.ID] = open.Message
		if open.Burn != nil && len(open.Message) > 0 {
			p.burns[string(open.Message)] = true
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		p.founds[id] = p.foundSale(book.Founds[id])
	}
	return book
}

// termsOf are those of the transfer that paid an order, or is to.
func termsOf(book *ledger.State, o *ledger.Order) terms {
	if f := book.Founds[o.Found]; f != nil {
		return terms{f.Ref, f.Amount}
	}
	if o.Invoice == nil {
		return terms{}
	}
	return termsIn(*o.Invoice)
}

// apply begins what the apply command does: settle first, then plan and buy.
func (p *process) apply() *process {
	p.begin(&reconcile.Plan{FormatVersion: reconcile.FormatVersion, Ledger: p.book.Ledger, Limits: p.limits}, p.book)
	return p
}

func (p *process) begin(plan *reconcile.Plan, book *ledger.State) {
	p.state = reconcile.NewState(reconcile.Setup{
		Plan: plan, Wallet: p.chain.wallet, Book: book, Host: fmt.Sprint("p", p.id), Rules: firewall.Rules{Destinations: firewall.DefaultDestinations()},
		Unsigned: p.byhand, Cancel: p.cancel, Reason: "the simulated person changed their mind",
	})
	p.book, p.worst = book, plan.Worst()
	p.inbox = []reconcile.Event{reconcile.Started{}}
}

// handle tells the engine of the first n things that have happened, writes what
// it wants recorded in one commit, and only then begins the other effects.
func (p *process) handle(n int) {
	var effects []reconcile.Effect
	var records []ledger.Event
	events := p.inbox[:n]
	p.inbox = p.inbox[n:]
	for _, e := range events {
		for _, f := range p.state.Step(e) {
			if r, ok := f.(reconcile.Record); ok {
				records = append(records, r.Events...)
			} else {
				effects = append(effects, f)
			}
		}
	}
	if len(records) > 0 && !p.commit(records) {
		return
	}
	for _, f := range effects {
		switch f := f.(type) {
		case reconcile.Stop:
			p.finish(f.Err)
			return
		case reconcile.Notice:
			p.counter.add("notice " + f.Progress.Stage)
			p.puzzled = p.puzzled || f.Progress.Stage == "bounced"
		default:
			p.checker.decides(p, f)
			p.tasks = append(p.tasks, &task{effect: f, block: p.chain.block})
		}
	}
}

// commit writes events, and reports whether the process goes on.
func (p *process) commit(records []ledger.Event) bool {
	p.point()
	if p.strikes(crashesBeforeWriting, records) || p.killed() {
		p.count("crash before writing ", records)
		p.die()
		return false
	}
	if p.strikes(diskFull, records) {
		p.count("disk full at ", records)
		p.finish(fmt.Errorf("writing the ledger: %w", errFull))
		return false
	}
	if p.strikes(writeFails, records) {
		p.finish(fmt.Errorf("writing the ledger: %w", errIO))
		return false
	}
	if err := p.file.append(records); err != nil {
		p.finish(fmt.Errorf("writing the ledger: %w", err))
		return false
	}
	p.wrote(p, records)
	if p.strikes(commitUnknown, records) {
		p.finish(fmt.Errorf("writing the ledger: %w", errFull))
		return false
	}
	p.point()
	if p.strikes(crashesAfterWriting, records) || p.killed() {
		p.count("crash after writing ", records)
		p.die()
		return false
	}
	return true
}

// strikes draws whether a fault hits a commit: one that is rare more often.
func (p *process) strikes(f fault, records []ledger.Event) bool {
	if p.hit(f) {
		return true
	}
	rare := false
	for _, e := range records {
		switch e.(type) {
		case ledger.WalletChecked, ledger.BurnArmed, ledger.BurnSigned, ledger.PaymentDeadEvent, ledger.OrderHeld, ledger.TransferReceived, ledger.RuleSeen,
			ledger.OrderResolved, ledger.PaymentRequested, ledger.RequestPaid, ledger.KeyReissued, ledger.TransactionExplained, ledger.FoundAssigned, ledger.FoundSetAside:
			rare = true
		}
	}
	for n := 0; rare && n < 4; n++ {
		if p.hit(f) {
			return true
		}
	}
	return false
}

var (
	errFull = errors.New("no space left on device")
	errIO   = errors.New("input/output error")
)

func (p *process) count(what string, events []ledger.Event) {
	for _, e := range events {
		p.counter.add(what + ledger.KindOf(e))
	}
}

// finish takes the end of an engine. An apply that has settled goes on to plan
// and to buy.
func (p *process) finish(err error) {
	p.abandon()
	if p.state == nil {
		p.end(err)
		return
	}
	result := p.state.Result()
	for _, problem := range result.Problems {
		p.counter.add("problem: " + problem.Code)
	}
	p.results = append(p.results, result)
	if err == nil && p.stage == settles && p.cancel == 0 && !p.only {
		p.stage = buys
		if p.plan() {
			return
		}
	}
	p.end(err)
}

func (p *process) end(err error) {
	p.ended, p.err = true, err
	if p.branch != p.sim.branch {
		p.apart = p.chain.time
	}
	p.tracef("p%d ends: %s", p.id, ending(err))
	if errors.Is(err, ledger.ErrTransition) {
		p.violate(24, "p%d decided what its ledger refuses: %v", p.id, err)
	}
	if p.story != nil && err != nil {
		p.story("  " + err.Error())
	}
	p.counter.add("end: " + ending(err))
	if err := p.file.close(); err != nil {
		p.violate(19, "the ledger can't be closed: %v", err)
	}
}

// endings are the errors with which a run ends.
var endings = []error{
	reconcile.ErrTide, reconcile.ErrFunds, reconcile.ErrBreaker, reconcile.ErrInterrupted,
	errFull, errIO, errDied, errSession, errSigner, errHand, errServer, errProof, errEpoch, errFrozen, errCode, errMessage,
}

// These stand for an engine's words.
var (
	errFrozen  = errors.New("frozen")
	errCode    = errors.New("the code of wallet")
	errMessage = errors.New("what leaves must be what was recorded")
)

func ending(err error) string {
	if err == nil {
		return "well"
	}
	for _, known := range endings {
		if errors.Is(err, known) || strings.Contains(err.Error(), known.Error()) {
			return known.Error()
		}
	}
	return err.Error()
}

// plan reads the ledger anew and begins to buy. It reports false if there is
// nothing to do.
func (p *process) plan() bool {
	book := p.load()
	if events := p.recognizes(book); len(events) > 0 {
		if p.count("decided ", events); !p.commit(events) {
			return true // it has ended
		}
		book = p.load()
	}
	plan := p.saved
	if plan == nil {
		plan = p.files.desired(p.want).Diff(book, p.prices(p.want), p.limits)
		plan.Judge(book, reconcile.Moment{Time: p.chain.time})
		plan.Wallet = p.chain.account.Address
	} else if err := p.files.desired(p.want).CheckSaved(plan, p.chain.account.Address, book, p.limits, reconcile.Moment{Time: p.chain.time}); err != nil {
		p.counter.add("a saved plan is refused")
		return false
	} else {
		p.counter.add("a saved plan is applied")
	}
	p.planned = plan
	for _, a := range plan.Actions {
		if a.Code != "" {
			p.counter.add("plan: " + string(a.Code))
		}
	}
	if len(plan.Violations) > 0 {
		p.counter.add("plan: " + plan.Violations[0].Rule)
		return false
	}
	if !plan.Changes() {
		return !p.note(plan, book)
	}
	p.tracef("p%d plans %d purchases", p.id, plan.Summary().Buy+plan.Summary().TopUp)
	p.begin(plan, book)
	return true
}

// die is the end of a process that is killed.
func (p *process) die() {
	p.died = true
	p.abandon()
	p.end(errDied)
}

// abandon drops what is under way. Some of it had left already and still takes
// effect, now or later; nobody hears the answer.
func (p *process) abandon() {
	for _, t := range p.tasks {
		if t.answer == nil && p.hit(effectOutlivesProcess) {
			p.orphans = append(p.orphans, orphan{p, t})
		}
	}
	p.tasks, p.inbox = nil, nil
}

// crash kills a process between two turns.
func (p *process) crash() {
	for _, t := range p.tasks {
		if t.answer == nil {
			p.counter.add("crash before " + nameOf(t.effect))
		} else {
			p.counter.add("crash between the answer to " + nameOf(t.effect) + " and its arrival")
		}
	}
	p.die()
}

func nameOf(f reconcile.Effect) string { return strings.TrimPrefix(fmt.Sprintf("%T", f), "reconcile.") }

// carry carries an effect out.
func (p *process) carry(t *task) {
	p.point()
	if p.killed() {
		p.die()
		return
	}
	t.answer = p.perform(p, t.effect)
	p.point()
	if p.killed() {
		p.die()
		return
	}
	if _, mute := t.effect.(reconcile.Send); mute {
		p.drop(t)
	}
}

// arrive tells the process of an answer.
func (p *process) arrive(t *task) {
	p.inbox = append(p.inbox, t.answer)
	if !p.hit(answerComesTwice) || !repeatable(t.answer) {
		p.drop(t)
	}
}

// repeatable: an answer that says what it answers may come twice. Those to a
// look and to an emulation don't, and the shell gives each exactly once.
func repeatable(e reconcile.Event) bool {
	switch e.(type) {
	case reconcile.Tried, reconcile.Sighted:
		return false
	}
	return true
}

func (p *process) drop(t *task) {
	for i, other := range p.tasks {
		if other == t {
			p.tasks = append(p.tasks[:i], p.tasks[i+1:]...)
			return
		}
	}
}
