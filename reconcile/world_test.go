package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// world is a market, a chain and a signer that behave. It answers one effect
// at a time, the oldest first, so that a test knows what happens when.
type world struct {
	*chain
	t    *testing.T
	log  []ledger.Event // the ledger: every event that was recorded
	pool []ton.BoC      // broadcast and not yet in a block

	price  func(product.Item) ton.Nano
	offers int
	handed []reconcile.Handout
	told   []ledger.OrderID // confirm calls that were answered with ok

	// answer, if it returns an event, answers an effect in the place of this
	// world; with an effect that has no answer it only watches.
	answer func(reconcile.Effect) reconcile.Event

	setup func(*reconcile.Setup) // changes what the next apply starts from

	state   *reconcile.State
	queue   []reconcile.Effect
	effects []reconcile.Effect // everything that was asked for
	stopped bool
	err     error
}

func newWorld(t *testing.T, version ton.WalletVersion) *world {
	t.Helper()
	w := &world{t: t, chain: newChain(version, 1000*ton.TON)}
	w.price = func(i product.Item) ton.Nano { return ton.Nano(i.Quantity) * 10_000_000 }
	w.log = []ledger.Event{ledger.Opened{Ledger: "test"}, ledger.Anchored{Wallet: w.account.Address, Version: version}}
	return w
}

// book is what the log adds up to, read anew as a new process reads it.
func (w *world) book() *ledger.State {
	w.t.Helper()
	s := ledger.NewState()
	for i, e := range w.log {
		if err := s.Apply(e); err != nil {
			w.t.Fatalf("event %d: %v", i, err)
		}
	}
	return s
}

var plenty = policy.Limits{
	Order: []ton.Amount{(1000 * ton.TON).Amount()}, Run: []ton.Amount{(1000 * ton.TON).Amount()},
	Month: []ton.Amount{(1000 * ton.TON).Amount()}, Undelivered: []ton.Amount{(1000 * ton.TON).Amount()},
	Price: []policy.Ceiling{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: (2 * ton.TON).Amount()}},
}

// stars wants 100 Stars for each person.
func stars(n int) (want []spec.Occurrence) {
	for i := range n {
		want = append(want, wants(fmt.Sprintf("g/p%02d", i), product.Stars, 100))
	}
	return want
}

// begin starts an apply of the difference, as a new process would.
func (w *world) begin(want []spec.Occurrence, limits policy.Limits) {
	w.t.Helper()
	book := w.book()
	w.start(reconcile.Diff(want, book, nil, limits), book)
}

func (w *world) start(plan *reconcile.Plan, book *ledger.State) {
	plan.Wallet = w.account.Address
	u := reconcile.Setup{Plan: plan, Wallet: w.wallet, Book: book, Host: "test", Rules: firewall.Rules{Destinations: firewall.DefaultDestinations()}}
	if w.setup != nil {
		w.setup(&u)
	}
	w.state = reconcile.NewState(u)
	w.queue, w.effects, w.stopped, w.err = nil, nil, false, nil
	w.step(reconcile.Started{})
}

// apply runs to the end.
func (w *world) apply(want []spec.Occurrence, limits policy.Limits) (reconcile.Result, error) {
	w.t.Helper()
	w.begin(want, limits)
	return w.finish()
}

// finish answers until the run stops by itself. A run that waits for nothing,
// or that never ends, fails the test.
func (w *world) finish() (reconcile.Result, error) {
	w.t.Helper()
	for range 20_000 {
		if w.stopped {
			return w.state.Result(), w.err
		}
		if len(w.queue) == 0 {
			w.t.Fatal("the run hangs: it waits for nothing and did not stop")
		}
		w.next()
	}
	w.t.Fatal("the run does not end")
	return reconcile.Result{}, nil
}

// silence is an answer that never comes.
type silence struct{ reconcile.Event }

// next answers the oldest effect.
func (w *world) next() {
	f := w.queue[0]
	w.queue = w.queue[1:]
	if w.answer != nil {
		switch e := w.answer(f).(type) {
		case nil:
		case silence:
			return
		default:
			w.step(e)
			return
		}
	}
	w.carry(f)
}

func (w *world) step(e reconcile.Event) {
	for _, f := range w.state.Step(e) {
		w.effects = append(w.effects, f)
		switch f := f.(type) {
		case reconcile.Record:
			w.log = append(w.log, f.Events...)
		case reconcile.Stop:
			w.stopped, w.err = true, f.Err
		case reconcile.Notice:
		default:
			w.queue = append(w.queue, f)
		}
	}
}

func (w *world) carry(f reconcile.Effect) {
	switch f := f.(type) {
	case reconcile.Look:
		w.step(w.sight(f))
	case reconcile.Wait:
		w.produce()
		w.step(w.sight(f.Look))
	case reconcile.Ask:
		w.step(reconcile.Offered{Order: f.Order, Offer: w.offer(f)})
	case reconcile.Try:
		w.step(reconcile.Tried{Emulation: w.emulate(f.Payload)})
	case reconcile.Sign:
		w.step(reconcile.Signed{Payment: f.Payment, Burn: f.Burn, Message: w.sign(f.Payload)})
	case reconcile.Hand:
		w.handed = append(w.handed, f.Handout)
		w.step(reconcile.Handed{Request: f.Handout.Request})
	case reconcile.Send:
		w.pool = append(w.pool, f.Message)
	case reconcile.Tell:
		w.told = append(w.told, f.Order)
		w.step(reconcile.Told{Order: f.Order})
	case reconcile.Inquire:
		w.step(reconcile.Learned{Kind: f.Kind, Done: true})
	default:
		w.t.Fatalf("no way to carry out %T", f)
	}
}

// sight is what the chain shows at this moment, between two blocks.
func (w *world) sight(f reconcile.Look) reconcile.Sighted {
	w.chain.stand()
	sight, err := w.chain.look(f, 0)
	return reconcile.Sighted{Wallet: f.Wallet, Sight: sight, Err: err}
}

func (w *world) offer(f reconcile.Ask) reconcile.Offer {
	w.offers++
	ref := fmt.Sprintf("Ref%06d", w.offers)
	price := w.price(f.Item)
	return reconcile.Offer{From: w.account.Address, Invoice: ledger.Invoice{
		RequestID: ref, Ref: ref, Price: price.Amount(), ValidUntil: w.time + 600, Confirm: "confirmReq",
		Transfer: ton.Transfer{To: firewall.DefaultDestinations()[0], Amount: price,
			Body: comment(firewall.CommentOf(f.Item, ref))},
	}}
}

func (w *world) emulate(p ton.Payload) reconcile.Emulation {
	w.chain.stand()
	return w.chain.emulate(p, 0)
}

func (w *world) sign(p ton.Payload) ton.BoC { return w.chain.sign(p, false) }

// produce makes a block of what was broadcast.
func (w *world) produce() {
	pool := w.pool
	w.pool = nil
	w.chain.produce(5, func() {
		for _, message := range pool {
			w.accept(message)
		}
	})
}

// execute puts a payload into the chain by another way than the pool.
func (w *world) execute(p ton.Payload) { w.accept(w.sign(p)) }

func (w *world) append(t ton.Transaction) { w.chain.append(t, nil) }

// paid lists the bodies that left the wallet, which name what was bought.
func (w *world) paid() (bodies []ton.Hash) {
	for _, t := range w.history {
		for _, o := range t.Out {
			bodies = append(bodies, o.BodyHash)
		}
	}
	return bodies
}

// count is how often an effect of that type was asked for.
func count[F reconcile.Effect](w *world) int {
	n := 0
	for _, f := range w.effects {
		if _, ok := f.(F); ok {
			n++
		}
	}
	return n
}

// phases are those of all orders, in their order.
func (w *world) phases() (phases []ledger.Phase) {
	book := w.book()
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		phases = append(phases, book.Orders[id].Phase)
	}
	return phases
}

func all(phase ledger.Phase, n int) []ledger.Phase {
	return slices.Repeat([]ledger.Phase{phase}, n)
}
