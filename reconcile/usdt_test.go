package reconcile_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

var (
	purse = ton.Address{Account: [32]byte{0x11}} // the wallet's jetton wallet
	till  = ton.Address{Account: [32]byte{0x12}} // the market's
)

// jettons are the two jetton wallets between a wallet and the market, and the
// market's own count of what arrived. They decide for themselves what goes
// through; the wallet's transaction never shows it.
type jettons struct {
	*world
	*rand.Rand
	calm  bool // nothing goes wrong any more
	stuck bool // nothing on its way goes on

	balance  int64
	asked    []asking             // transfers that the wallet sent, on their way to its jetton wallet
	moving   []ton.JettonTransfer // on their way to the market's
	bodies   []*cell.Cell         // of those
	sent     []ton.Transaction    // of the wallet's jetton wallet
	received []ton.Transaction    // of the market's
	arrived  map[string]int64     // by comment: micro-USDT
	times    map[string]int       // by comment: how often
	seen     map[string]int       // what happened
}

type asking struct {
	transfer ton.Transfer
	body     *cell.Cell
	jetton   ton.JettonTransfer
}

func playJettons(t *testing.T, seed uint64) *jettons {
	j := &jettons{world: newWorld(t, ton.V5R1), Rand: rand.New(rand.NewPCG(seed, 1)), arrived: map[string]int64{}, times: map[string]int{}, seen: map[string]int{}}
	j.world.chain.observe = func(_ ton.Transaction, m *external) {
		if m == nil {
			return
		}
		for _, x := range m.payload.Transfers {
			body, err := x.Body.Cell()
			if err != nil {
				t.Fatal(err)
			}
			if jetton, err := ton.ParseJettonTransfer(body); err == nil && x.To == purse {
				j.asked = append(j.asked, asking{x, body, jetton})
			}
		}
	}
	j.world.answer = j.replace
	return j
}

// chance reports whether something goes wrong, one time in n.
func (j *jettons) chance(n int, what string) bool {
	if j.calm || j.IntN(n) > 0 {
		return false
	}
	j.seen[what]++
	return true
}

// flow lets what is on its way go on, or not yet.
func (j *jettons) flow() {
	if j.stuck {
		return
	}
	for len(j.moving) > 0 && !j.chance(3, "the receiver is slow") {
		j.take(j.moving[0], j.bodies[0])
		j.moving, j.bodies = j.moving[1:], j.bodies[1:]
	}
	for len(j.asked) > 0 && !j.chance(3, "the jetton wallet is slow") {
		j.send(j.asked[0])
		j.asked = j.asked[1:]
	}
}

func (j *jettons) lt(list []ton.Transaction) uint64 {
	lt := j.account.Last.LT
	if n := len(list); n > 0 {
		lt = max(lt, list[n-1].LT)
	}
	return lt + 1
}

func (j *jettons) transaction(list []ton.Transaction, from ton.Address, body *cell.Cell, success bool) ton.Transaction {
	lt := j.lt(list)
	return ton.Transaction{Position: ton.Position{LT: lt, Hash: ton.Hash{1, byte(lt), byte(lt >> 8)}}, In: &ton.In{From: from, Body: body}, Success: success}
}

// send is what the wallet's jetton wallet does with a transfer.
func (j *jettons) send(a asking) {
	if a.jetton.Amount > j.balance || j.chance(4, "the jetton wallet bounces") {
		j.sent = append(j.sent, j.transaction(j.sent, j.account.Address, a.body, false))
		if a.transfer.Bounce {
			j.receive(ton.In{From: purse, Amount: a.transfer.Amount - 10_000_000, Bounced: true, Body: bounced(a.body, j.IntN(2) == 0)})
		}
		return
	}
	j.balance -= a.jetton.Amount
	note, err := a.jetton.Payload.Cell()
	if err != nil {
		j.t.Fatal(err)
	}
	body := cell.BeginCell().MustStoreUInt(0x178d4519, 32).MustStoreUInt(a.jetton.QueryID, 64).MustStoreCoins(uint64(a.jetton.Amount)).
		MustStoreAddr(j.account.Address.TLB()).MustStoreAddr(a.jetton.Response.TLB()).MustStoreCoins(1).MustStoreBoolBit(true).MustStoreRef(note).EndCell()
	t := j.transaction(j.sent, j.account.Address, a.body, true)
	t.Out = []ton.Out{{To: till, BodyHash: ton.Hash(body.Hash())}}
	j.sent = append(j.sent, t)
	j.moving, j.bodies = append(j.moving, a.jetton), append(j.bodies, body)
}

// take is what the market's jetton wallet does.
func (j *jettons) take(a ton.JettonTransfer, body *cell.Cell) {
	refused := j.chance(8, "the receiver refuses")
	t := j.transaction(j.received, purse, body, !refused)
	t.LT = max(t.LT, j.lt(j.sent))
	j.received = append(j.received, t)
	if refused {
		j.balance += a.Amount
		return
	}
	note, _ := a.Payload.Cell()
	text, _ := ton.Comment(note)
	j.arrived[text] += a.Amount
	j.times[text]++
	// What is left of the gas comes back, and means nothing.
	j.receive(ton.In{From: till, Amount: 20_000_000, Body: cell.BeginCell().MustStoreUInt(0xd53276db, 32).MustStoreUInt(a.QueryID, 64).EndCell()})
}

func after(list []ton.Transaction, lt uint64) (rest []ton.Transaction) {
	for _, t := range list {
		if t.LT > lt {
			rest = append(rest, t)
		}
	}
	return rest
}

// replace answers what has to do with USDT.
func (j *jettons) replace(f reconcile.Effect) reconcile.Event {
	j.flow()
	switch f := f.(type) {
	case reconcile.Look:
		return j.look(f)
	case reconcile.Wait:
		j.produce()
		return j.look(f.Look)
	case reconcile.Ask:
		if f.Asset == ton.AssetUSDT {
			return reconcile.Offered{Order: f.Order, Offer: j.offerUSDT(f)}
		}
	case reconcile.Trace:
		if j.chance(5, "the trail can't be read") {
			return reconcile.Traced{Wallet: f.Wallet, Owner: f.Owner, After: f.After, Err: errServer}
		}
		trail := ledger.Trail{Wallet: f.Wallet, Receiver: till, Sent: after(j.sent, f.After), Received: after(j.received, f.After)}
		if n := len(trail.Received); n > 0 && j.chance(4, "the trail is old") {
			trail.Received = trail.Received[:j.IntN(n)]
		}
		return reconcile.Traced{Wallet: f.Wallet, Owner: f.Owner, After: f.After, Trail: trail}
	case reconcile.Tell:
		if o := j.book().Orders[f.Order]; o.Cap.Asset == ton.AssetUSDT && j.times[firewall.CommentOf(o.Item, o.Invoice.Ref)] != 1 {
			j.t.Errorf("order %d is reported as paid, and arrived %d times", f.Order, j.times[firewall.CommentOf(o.Item, o.Invoice.Ref)])
		}
	}
	return nil
}

func (j *jettons) look(f reconcile.Look) reconcile.Event {
	e := j.sight(f)
	if f.USDT {
		e.Sight.USDT = ton.Jetton{Wallet: purse, Balance: j.balance, Time: j.time}
	}
	return e
}

func (j *jettons) offerUSDT(f reconcile.Ask) reconcile.Offer {
	o := j.offer(f)
	price := ton.Amount{Asset: ton.AssetUSDT, Units: f.Item.Quantity * 15_000}
	body, err := ton.JettonTransfer{QueryID: uint64(j.offers), Amount: price.Units, Destination: firewall.DefaultDestinations()[0],
		Response: j.account.Address, Forward: 1, Payload: o.Invoice.Transfer.Body}.Encode()
	if err != nil {
		j.t.Fatal(err)
	}
	o.Invoice.Price = price
	o.Invoice.Transfer = ton.Transfer{To: purse, Bounce: j.IntN(4) > 0, Amount: ton.TON / 20, Body: ton.BoCOf(body)}
	return o
}

// inBoth are limits for TON and for USDT.
func inBoth() policy.Limits {
	l := plenty
	usdt := ton.Amount{Asset: ton.AssetUSDT, Units: 1_000_000_000}
	for _, list := range []*[]ton.Amount{&l.Order, &l.Run, &l.Month, &l.Undelivered} {
		*list = []ton.Amount{(*list)[0], usdt}
	}
	l.Price = append([]policy.Ceiling{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: ton.Amount{Asset: ton.AssetUSDT, Units: 1_600_000}}}, l.Price...)
	return l
}

// inUSDT wants 100 Stars for each person, and every second one in USDT.
func inUSDT(n int) []spec.Occurrence {
	want := stars(n)
	for i := range want {
		if i%2 == 0 {
			want[i].PayWith = ton.AssetUSDT
		}
	}
	return want
}

// Played with many seeds, in which jetton wallets bounce and refuse, trails are
// slow, old or unreadable and the process is killed at any moment: what the
// ledger calls paid has arrived once, with exactly its sum; what it holds has
// not arrived; and nobody is given more than is written.
func TestUSDTArrivesOnce(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(300) {
		j := playJettons(t, seed)
		j.balance = int64(4+j.IntN(8)) * 1_500_000
		want := inUSDT(6)
		for range 12 {
			j.queue = nil // as if it were killed
			j.begin(want, inBoth())
			for n := j.IntN(120); n > 0 && !j.stopped && len(j.queue) > 0; n-- {
				j.next()
			}
			j.check(want)
		}
		j.calm = true
		j.balance += 100_000_000
		for range 6 {
			j.queue = nil
			j.begin(want, inBoth())
			_, _ = j.finish()
			j.check(want)
			for _, o := range j.book().Orders { // a person looks after what is held, rightly
				if o.Phase == ledger.Held {
					seen["held"]++
					j.log = append(j.log, ledger.OrderResolved{Order: o.ID, As: ledger.Released, Reason: "it came back"})
				}
			}
		}
		book := j.book()
		for _, o := range want {
			if book.Given(o.Key) != 100 {
				t.Errorf("seed %d: %s was given %d", seed, o.Key, book.Given(o.Key))
			}
		}
		for what, n := range j.seen {
			seen[what] += n
		}
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, j.seen)
		}
	}
	t.Log(seen)
	for _, what := range []string{"the receiver is slow", "the jetton wallet is slow", "the jetton wallet bounces", "the receiver refuses", "the trail can't be read", "the trail is old", "held"} {
		if seen[what] == 0 {
			t.Errorf("%s: never", what)
		}
	}
}

// check compares the ledger with what the market counted.
func (j *jettons) check(want []spec.Occurrence) {
	j.t.Helper()
	book := j.book()
	most, got := map[string]int64{}, map[string]int64{}
	for _, o := range want {
		most[o.Key] = o.Item.Quantity
	}
	for text, n := range j.times {
		if n != 1 || j.arrived[text] != 1_500_000 {
			j.t.Errorf("%q arrived %d times, %d in all", text, n, j.arrived[text])
		}
	}
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		if o.Cap.Asset != ton.AssetUSDT || o.Invoice == nil {
			continue
		}
		n := j.times[firewall.CommentOf(o.Item, o.Invoice.Ref)]
		switch o.Phase {
		case ledger.Paid, ledger.Acknowledged, ledger.Delivered:
			if n != 1 {
				j.t.Errorf("order %d is %s and arrived %d times", id, o.Phase, n)
			}
		case ledger.Held, ledger.Quoted:
			if n != 0 {
				j.t.Errorf("order %d is %s and arrived", id, o.Phase)
			}
		}
		if got[o.Key] += int64(n) * o.Item.Quantity; got[o.Key] > most[o.Key] {
			j.t.Errorf("%s was given %d", o.Key, got[o.Key])
		}
	}
}

// While Fragment's side is not seen nothing is paid, and the next apply asks
// again instead of buying.
func TestSentIsNeitherPaidNorBoughtAgain(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 10_000_000
	blind := true
	replace := j.world.answer
	j.world.answer = func(f reconcile.Effect) reconcile.Event {
		if f, ok := f.(reconcile.Trace); ok && blind {
			return reconcile.Traced{Wallet: f.Wallet, Owner: f.Owner, After: f.After, Err: errors.New("pruned")}
		}
		return replace(f)
	}
	want := inUSDT(1)
	for range 2 {
		if result, err := j.apply(want, inBoth()); err != nil || len(result.Bought) != 0 || len(result.Undelivered) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		if got := fmt.Sprint(j.phases()); got != "[sent]" {
			t.Fatalf("the orders are %s", got)
		}
	}
	plan := reconcile.Diff(want, j.book(), nil, inBoth())
	if plan.Actions[0].Verb != reconcile.Unknown {
		t.Errorf("the plan is %+v", plan.Actions[0])
	}
	blind = false
	if result, err := j.apply(want, inBoth()); err != nil || len(result.Bought) != 1 || result.SpentUSDT.Units != 1_500_000 {
		t.Errorf("%+v, %v", result, err)
	}
}

// What is on its way is not there any more, whatever the jetton wallet shows:
// a second order that only the same USDT would cover is set aside.
func TestUSDTOnItsWayIsNotSpentTwice(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.stuck, j.balance = true, true, 2_000_000
	want := inUSDT(3) // the first and the third
	result, err := j.apply(want, inBoth())
	if err != nil || len(result.Problems) != 1 || result.Problems[0].Key != want[2].Key || result.Problems[0].Code != "funds" || len(j.asked) != 1 {
		t.Errorf("%d transfers, %+v, %v", len(j.asked), result, err)
	}
	if said := result.Problems[0].Reason; !strings.Contains(said, "holds 2 USDT, of which up to 1.5 USDT may be on its way out;") {
		t.Errorf("the wallet still holds all of it: %s", said)
	}
	j.stuck = false
	if result, err = j.apply(want, inBoth()); err != nil || len(result.Bought) != 1 || len(j.sent) != 1 || !j.sent[0].Success {
		t.Errorf("later: %+v, %v", result, err)
	}
}

// What is on its way is not acknowledged either: as long as it may still arrive,
// no more is sent than limits.undelivered allows, in this run and in the next.
func TestUSDTOnItsWayCountsAsUndelivered(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.stuck, j.balance = true, true, 100_000_000
	want := inUSDT(3) // the first and the third
	limits := inBoth()
	limits.Undelivered = []ton.Amount{limits.Undelivered[0], {Asset: ton.AssetUSDT, Units: 2_000_000}}
	for range 2 {
		if _, err := j.apply(want, limits); !errors.Is(err, reconcile.ErrBreaker) || len(j.asked) != 1 {
			t.Fatalf("%d transfers, %v", len(j.asked), err)
		}
	}
	j.stuck = false
	if _, err := j.apply(want, limits); err != nil || len(j.received) != 2 {
		t.Errorf("later: %d arrived, %v", len(j.received), err)
	}
}

// The gas counts as TON: with none allowed, nothing is paid in USDT, and what
// is given up gives all of it back.
func TestGasCountsAsTON(t *testing.T) {
	j := playJettons(t, 1)
	j.calm, j.balance = true, 100_000_000
	limits := inBoth()
	limits.Run = []ton.Amount{(ton.TON / 10).Amount(), limits.Run[1]}
	want := inUSDT(6)
	want = []spec.Occurrence{want[0], want[2], want[4]}
	result, err := j.apply(want, limits)
	if err != nil || len(result.Bought) != 2 || result.Gas != ton.TON/10 || len(result.Problems) != 1 || result.Problems[0].Code != "run_limit" {
		t.Errorf("%+v, %v", result, err)
	}
}
