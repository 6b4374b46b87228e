package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// State is what the engine knows. It is the whole mind of an apply: it acts
// only through the effects that Step returns.
type State struct {
	explainer // with the book, which is what the ledger holds

	plan   *Plan
	wallet ton.Wallet
	self   ton.Address
	rules  firewall.Rules
	host   string
	cancel ledger.PaymentID
	byhand bool   // nothing is signed: a person is asked to pay
	reason string // of cancelling it
	pause  time.Duration

	stage   stage
	run     ledger.RunID
	unseen  map[ton.Address]bool         // wallets whose history was not checked yet
	seen    map[ton.Address]ton.Position // history up to here is explained
	account ton.Account                  // the newest sight of our wallet
	usdt    bool                         // the plan pays for something in USDT
	purse   ton.Jetton                   // the newest sight of our USDT
	tracing map[way]bool                 // in flight
	traces  map[way]int                  // inquiries made
	puzzled map[ton.Address]bool         // wallets with a transaction that nothing explains
	misses  map[ton.Address]int          // looks that failed in a row
	blind   bool                         // an open payment can't be followed any further in this run

	people    people // as the run found them
	whom      map[ledger.OrderID]whom
	newcomers map[string][]ledger.OrderID // by handle: the orders of this run

	jobs    map[ledger.OrderID]bool // orders of this run that are neither paid nor given up
	waiting []ledger.OrderID        // reserved, to be quoted, in plan order
	quoting []ledger.OrderID        // asked for, in plan order
	ready   []ledger.OrderID        // quoted, to be paid, in plan order
	short   bool                    // the first that waits is not asked for: there is no money for it
	draft   *draft                  // the payment that is being prepared
	handing bool                    // a request is being handed over
	failed  int                     // emulations that failed in a row
	braked  bool                    // the breaker waits for an acknowledgement
	telling map[ledger.OrderID]int  // confirm calls made for an order
	asked   map[product.Kind]int    // delivery inquiries made
	inquiry map[product.Kind]bool   // in flight
	units   map[priced]ton.Amount   // what a Star or a month cost when it was last bought
	queries map[query]bool          // that orders have; nil until the first offer in USDT
	budget  *policy.Budget          // of the run

	counts   counting         // for whom and for what an order counts
	accounts *policy.Accounts // of the limits that sum up over time; nil until the run begins

	result  Result
	stopped error // nothing new is begun
	ended   bool
	out     []Effect
}

type stage int

const (
	settling stage = iota // every payment that may live is settled first
	buying
)

// Limits of one run: how often an order is offered anew, may see its payment
// die, and has its confirm call repeated before people are told.
const (
	maxInvoices  = 3
	maxDeaths    = 3
	maxTelling   = 6
	maxInquiries = 20
	maxMisses    = 6   // reads of the chain that fail in a row
	validity     = 180 // seconds of chain time that a message lives
	expiryMargin = 60  // seconds by which an invoice must outlive its message
	askAhead     = 4   // offers asked for beyond the next batch
)

// draft is a payment before it is armed.
type draft struct {
	orders  []ledger.OrderID
	payload ton.Payload
	deploys bool
	base    ton.Position
}

// Result is what an apply did.
type Result struct {
	Run         ledger.RunID
	Bought      []ledger.OrderID // found paid in this run
	Offered     []ledger.OrderID // a person was asked to pay them
	Left        int              // orders that did not fit into the request
	Problems    []Problem        // orders that were not bought
	Undelivered []ledger.OrderID // paid, and Fragment has not acknowledged it
	Settled     int              // payments of earlier runs that were settled first
	Payments    int
	Spent, Fees ton.Nano
	SpentUSDT   ton.Amount // what arrived of it
	Gas         ton.Nano   // that was sent along with USDT; most of it comes back
}

// Result returns what was done so far.
func (s *State) Result() Result { return s.result }

// Problem is an action that was not carried out.
type Problem struct {
	Key    string
	Code   string
	Reason string
}

// Failure reports whether a person must mend it. Premium that still runs only
// waits for its turn.
func (p Problem) Failure() bool { return p.Code != string(CodePremiumRuns) }

// Failed reports whether a person must look at something.
func (r Result) Failed() bool {
	return len(r.Undelivered) > 0 || slices.ContainsFunc(r.Problems, Problem.Failure)
}

// Setup is what an apply starts from.
type Setup struct {
	Plan   *Plan
	Wallet ton.Wallet // public part of the key that signs
	Book   *ledger.State
	Rules  firewall.Rules
	Host   string // who applies, for the ledger

	// Pause is the shortest time before something is tried again; 0 means a
	// second. Longer ones follow it.
	Pause time.Duration

	// Unsigned asks a person to pay, in one request, in the place of signing.
	Unsigned bool

	// Cancel is an open payment to be burned, for a reason; 0 for none.
	Cancel ledger.PaymentID
	Reason string
}

// NewState prepares an apply. Nothing happens before the first Step.
func NewState(u Setup) *State {
	return &State{
		plan: u.Plan, wallet: u.Wallet, self: u.Wallet.Address(), explainer: newExplainer(u.Book), rules: u.Rules, host: u.Host, cancel: u.Cancel, reason: u.Reason, byhand: u.Unsigned, pause: cmp.Or(u.Pause, time.Second),
		unseen: map[ton.Address]bool{}, seen: map[ton.Address]ton.Position{}, misses: map[ton.Address]int{}, puzzled: map[ton.Address]bool{},
		whom: map[ledger.OrderID]whom{}, newcomers: map[string][]ledger.OrderID{},
		usdt: u.Plan.pays(ton.AssetUSDT), tracing: map[way]bool{}, traces: map[way]int{}, result: Result{SpentUSDT: ton.Amount{Asset: ton.AssetUSDT}},
		jobs: map[ledger.OrderID]bool{}, telling: map[ledger.OrderID]int{}, asked: map[product.Kind]int{}, inquiry: map[product.Kind]bool{},
		budget: u.Plan.Limits.Of(policy.Run),
	}
}

// Step takes what just happened and returns what to do next. Records come
// before the effects that rely on them.
func (s *State) Step(e Event) []Effect {
	s.out = nil
	if s.ended {
		return nil
	}
	switch e := e.(type) {
	case Started:
		s.start()
	case Sighted:
		s.sighted(e)
	case Offered:
		s.offered(e)
	case Traced:
		s.traced(e)
	case Tried:
		s.tried(e)
	case Signed:
		s.signed(e)
	case Handed:
		s.handed(e)
	case Told:
		s.told(e)
	case Learned:
		s.learned(e)
	case Interrupted:
		s.stop(ErrInterrupted)
	}
	if !s.ended {
		s.advance()
	}
	return s.out
}

func (s *State) do(e ...Effect) { s.out = append(s.out, e...) }

// record folds events into the book and has them written. What the book
// refuses is a broken promise of ours or another run: everything stops.
func (s *State) record(events ...ledger.Event) bool {
	for _, e := range events {
		if err := s.book.Apply(e); err != nil {
			// The events before it are in the book and not on disk, so
			// nothing more may be decided or written.
			s.stopped, s.ended = err, true
			s.do(Stop{err})
			return false
		}
	}
	s.do(Record{events})
	return true
}

func (s *State) notice(p Progress) { s.do(Notice{p}) }

func (s *State) noticeOrder(stage string, o *ledger.Order) {
	s.notice(Progress{Stage: stage, Key: o.Key, Handle: o.Handle, Item: o.Item, Order: o.ID, Payment: o.Payment, Amount: o.Reserve, Text: o.Reason})
}

// stop begins nothing new. What may live is still watched until it settles.
func (s *State) stop(err error) {
	if s.stopped == nil {
		s.stopped = err
	}
}

func (s *State) problem(key, code, reason string) {
	s.result.Problems = append(s.result.Problems, Problem{key, code, reason})
	s.notice(Progress{Stage: "refused", Key: key, Text: reason})
}

// advance begins whatever can begin now.
func (s *State) advance() {
	if s.stage == settling && s.stopped == nil && len(s.unseen) == 0 && len(s.book.Open()) == 0 {
		s.begin()
	}
	if s.stage == buying && s.stopped == nil {
		s.askMore()
		s.prepare()
	}
	if !s.ended {
		s.finish()
	}
}

// finish ends the run when nothing is left to do or to wait for.
func (s *State) finish() {
	if s.ended || len(s.book.Open()) > 0 && !s.abandoned() || len(s.telling)+len(s.tracing) > 0 || s.handing {
		return
	}
	if s.stopped == nil {
		if s.stage == settling || len(s.jobs) > 0 || s.draft != nil {
			return
		}
		if s.inquire() {
			return
		}
	}
	if s.conclude(); s.ended {
		return
	}
	s.ended = true
	s.do(Stop{s.stopped})
}

// abandoned: an open payment stays open, and the next apply settles it. That
// is so if it can't be followed, or if an earlier run left it and this one
// has begun nothing.
func (s *State) abandoned() bool {
	return s.stopped != nil && (s.run == 0 || s.blind)
}

func (s *State) conclude() {
	if s.checkpoint(); s.ended {
		return
	}
	for id := ledger.OrderID(1); id <= s.book.LastOrder; id++ {
		if o := s.book.Orders[id]; o != nil && (o.Phase == ledger.Paid || o.Phase == ledger.Sent) {
			s.result.Undelivered = append(s.result.Undelivered, id)
		}
	}
	if s.run == 0 || len(s.jobs) > 0 || s.result.Left > 0 || len(s.book.Open()) > 0 {
		return // the run stays unfinished, and the same plan may go on
	}
	outcome := "complete"
	if len(s.result.Problems) > 0 {
		outcome = "partial"
	}
	s.record(ledger.RunFinished{Run: s.run, Outcome: outcome})
}
