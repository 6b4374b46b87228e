package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

var strange = ton.Position{LT: 70, Hash: ton.Hash{7}}

func explained() ledger.TransactionExplained {
	return ledger.TransactionExplained{Wallet: ours, Transaction: strange, Reason: "a lost ledger"}
}

// found is a transfer of 50 Stars that this ledger did not make.
func found(id int, ref string) ledger.TransferFound {
	return ledger.TransferFound{Found: ledger.FoundID(id), Wallet: ours, Transaction: strange, Time: 700,
		Item: product.Item{Kind: product.Stars, Quantity: 50}, Amount: ton.TON.Amount(), Ref: ref}
}

func assigned(id, order int, key string) ledger.FoundAssigned {
	return ledger.FoundAssigned{Found: ledger.FoundID(id), Order: ledger.OrderID(order), Key: key, Generation: 1, Part: 1,
		Person: "ann", Handle: "ann", Reason: "bought by hand"}
}

// refused appends events of which the last may not follow.
func refused(t *testing.T, s Store, want error, events ...ledger.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events); !errors.Is(err, want) {
		t.Errorf("%+v: %v, want %v", events[len(events)-1], err, want)
	}
}

// A held order waits for a person, who says for a reason that it was delivered
// or that its money came back. What paid it stays on record.
func (k kit) AHeldOrderWaitsForAPerson(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(2)...)
	put(t, s, ledger.OrderHeld{Order: 1, Reason: "the money came back", Bounce: strange}, ledger.OrderHeld{Order: 2, Reason: "and of this one?", Bounce: strange})
	for _, e := range []ledger.Event{ledger.OrderDelivered{Order: 1, Evidence: ledger.EvidencePage}, ledger.OrderHeld{Order: 1, Reason: "again"},
		ledger.OrderResolved{Order: 1, As: ledger.Delivered}, ledger.OrderResolved{Order: 1, As: ledger.Paid, Reason: "x"}} {
		refused(t, s, ledger.ErrTransition, e)
	}
	for _, c := range []struct{ statement, reason string }{
		{`UPDATE orders SET phase = 'delivered', reason = '', evidence = 'person' WHERE id = 1`, "resolved by a person"},
		{`UPDATE orders SET phase = 'delivered', reason = 'x' WHERE id = 1`, "resolved by a person"},
		{`UPDATE orders SET phase = 'released', reason = '', invoice = NULL WHERE id = 1`, "given_up_for_a_reason"},
		{`UPDATE orders SET phase = 'released', invoice = NULL, settled_lt = NULL, settled_hash = NULL, time = NULL WHERE id = 1`, "what paid an order never changes"},
		{`UPDATE orders SET phase = 'paid' WHERE id = 1`, "this phase of an order may not follow"},
		{`UPDATE orders SET phase = 'reserved' WHERE id = 1`, "this phase of an order may not follow"},
		{`UPDATE noted SET reason = 'other'`, "what is noted never changes"},
		{`DELETE FROM noted`, "what is noted never changes"},
		{`UPDATE bounce SET order_id = 2`, "a bounce is never changed"},
		{`DELETE FROM bounce`, "a bounce is never deleted"},
		{`INSERT INTO bounce SELECT 3, order_id, lt, hash, reason FROM bounce WHERE id = 1`, "of an order that was paid"},
		{`UPDATE orders SET reason = 'y' WHERE id = 1`, "held only for a bounce"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
	// A second bounce may be about any of those that the first one holds.
	refused(t, s, ledger.ErrTransition, ledger.OrderHeld{Order: 1, Reason: "again", Bounce: strange})
	put(t, s, ledger.OrderHeld{Order: 1, Reason: "both came back", Bounce: ton.Position{LT: 80}})
	if o := load(t, s).Orders[1]; o.Bounce.LT != 80 || o.Reason != "both came back" {
		t.Errorf("got %+v", o)
	}
	put(t, s, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "it is back"}, ledger.OrderResolved{Order: 2, As: ledger.Delivered, Reason: "asked"})
	for _, back := range []string{"reserved", "paid", "delivered", "held"} {
		refuses(t, path, `UPDATE orders SET phase = '`+back+`' WHERE id = 1`, "this phase of an order may not follow")
	}
	refuses(t, path, `INSERT INTO bounce SELECT 9, 2, lt, hash, reason FROM bounce`, "a bounce follows the newest")
	// The bounces that are counted are no reason to hold it again.
	refuses(t, path, `UPDATE orders SET phase = 'held', reason = 'x' WHERE id = 2`, "held only for a bounce")
	refuses(t, path, `UPDATE orders SET phase = 'held', reason = 'x', bounces = 2 WHERE id = 2`, "a bounce counts once")
	if got := load(t, s); got.Orders[1].Settled.IsZero() || got.Orders[1].Invoice != nil || got.Orders[2].Evidence != ledger.EvidencePerson || got.Given("gift/p1") != 0 {
		t.Errorf("%+v\n%+v", got.Orders[1], got.Orders[2])
	}
}

// An order that was never paid has nothing that paid it, also when it is
// released.
func (k kit) OnlyThePaymentSettlesAnOrder(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, reserved(1))
	refuses(t, path, `UPDATE orders SET phase = 'released', reason = 'x', settled_lt = 1, settled_hash = zeroblob(32), time = 1`, "settled when it is paid")
	refuses(t, path, `UPDATE orders SET phase = 'released', reason = 'x', bounces = 1`, "a bounce counts once")
}

// A key is bought again only in a generation that a person began, which never
// happens while an order of it may still be paid.
func (k kit) OnlyAPersonBeginsAGeneration(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(1)...)
	again := reserved(2)
	again.Key, again.Generation = "gift/p1", 2
	refused(t, s, ledger.ErrPrior, again)
	reissue := ledger.KeyReissued{Key: "gift/p1", Generation: 2, Reason: "stolen"}
	put(t, s, reissue)
	old := reserved(2)
	old.Key, old.Part, old.Prior = "gift/p1", 2, 50
	refused(t, s, ledger.ErrPrior, old)
	put(t, s, again)
	refused(t, s, ledger.ErrTransition, ledger.KeyReissued{Key: "gift/p1", Generation: 3, Reason: "x"})
	for _, c := range []struct{ statement, reason string }{
		{`INSERT INTO reissue VALUES ('gift/p1', 3, 'x')`, "may still be paid"},
		{`INSERT INTO reissue VALUES ('gift/p9', 2, 'x')`, "a key that was given"},
		{`DROP TRIGGER reissue_waits_for_live_orders; INSERT INTO reissue VALUES ('gift/p1', 3, '')`, "reissued_for_a_reason"},
		{`INSERT INTO reissue VALUES ('gift/p1', 2, 'x')`, "a generation follows the newest"},
		{`INSERT INTO reissue VALUES ('gift/p1', 4, 'x')`, "a generation follows the newest"},
		{`UPDATE reissue SET reason = 'y'`, "a reissue is never changed"},
		{`DELETE FROM reissue`, "a reissue is never deleted"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
}

// A transfer that this ledger did not make is found once, in a transaction
// that is noted, under a ref that nothing else bears.
func (k kit) AFoundTransferIsOneForEver(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, reserved(1), quoted(1, 1), reserved(2), quoted(2, 1), ledger.OrderReleased{Order: 2, Reason: "given up"})
	refused(t, s, ledger.ErrTransition, found(1, "r"))
	put(t, s, explained())
	refused(t, s, ledger.ErrTransition, explained())
	refused(t, s, ledger.ErrTransition, found(1, "ref-1-1"))
	put(t, s, found(1, "r"), found(2, "ref-2-1"))
	refused(t, s, ledger.ErrTransition, found(3, "r"))
	stale := quoted(1, 2)
	stale.Invoice.Ref = "r"
	refused(t, s, ledger.ErrTransition, ledger.InvoiceDropped{Order: 1, Reason: "expired"}, stale)
	again := `INSERT INTO found SELECT 3, wallet, lt, hash, time, kind, quantity, asset, amount, `
	for _, c := range []struct{ statement, reason string }{
		{again + `'ref-1-1', NULL, '' FROM found WHERE id = 1`, "a ref is used once"},
		{again + `'r', NULL, '' FROM found WHERE id = 1`, "UNIQUE constraint failed: found.ref|found_ref_is_used_once"},
		{again + `'', NULL, '' FROM found WHERE id = 1`, "found_has_a_ref"},
		{again + `'s', NULL, 'x' FROM found WHERE id = 1`, "begins open"},
		{again + `'s', 3, '' FROM found WHERE id = 1`, "begins open"},
		{`INSERT INTO found SELECT 9, wallet, lt, hash, time, kind, quantity, asset, amount, 's', NULL, '' FROM found WHERE id = 1`, "begins open"},
		{`INSERT INTO found SELECT 3, wallet, lt + 1, hash, time, kind, quantity, asset, amount, 's', NULL, '' FROM found WHERE id = 1`, "a transaction that is noted"},
		{`INSERT INTO found SELECT 3, wallet, lt, hash, time, kind, 0, asset, amount, 's', NULL, '' FROM found WHERE id = 1`, "found_is_something"},
		{`UPDATE found SET quantity = 9, reason = 'x'`, "what was found never changes"},
		{`UPDATE found SET reason = ''`, "said once, for a reason"},
		{`DELETE FROM found`, "a found transfer is never deleted"},
		{`INSERT INTO invoice SELECT order_id, 2, request_id, 'r', recipient, name, destination, bounce, amount, body, price_asset, price, quoted, valid_until, confirm, params, session
			FROM invoice WHERE order_id = 1`, "a ref is used once"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
}

// Whom a found transfer was for is said once. It becomes one order, which is
// delivered, buys what was found and has no payment of this ledger.
func (k kit) AFoundTransferBecomesOneOrder(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, explained(), found(1, "r"), found(2, "s"), found(3, "t"), ledger.FoundSetAside{Found: 2, Reason: "for a friend"})
	prior := assigned(1, 1, "a/ann")
	prior.Prior = 1
	refused(t, s, ledger.ErrPrior, prior)
	put(t, s, assigned(1, 1, "a/ann"))
	refused(t, s, ledger.ErrTransition, assigned(1, 2, "b/bob"))
	refused(t, s, ledger.ErrTransition, assigned(2, 2, "b/bob"))
	refused(t, s, ledger.ErrTransition, ledger.FoundSetAside{Found: 1, Reason: "x"})
	const columns = `(id, run, key, generation, part, prior, person, handle, single, kind, quantity, wallet, cap_asset, cap, reserve_asset, reserve,
		phase, reason, settled_lt, settled_hash, time, evidence, found)`
	copied := func(id, quantity, phase, run, from string) string {
		return `INSERT INTO orders ` + columns + ` SELECT ` + id + `, ` + run + `, 'b/bob', 1, 1, 0, person, handle, single, kind, ` + quantity + `, wallet, cap_asset, cap, reserve_asset, reserve,
			` + phase + `, reason, settled_lt, settled_hash, time, evidence, ` + from + ` FROM orders WHERE id = 1`
	}
	said := `UPDATE found SET order_id = 2, reason = 'bought by hand' WHERE id = 3; `
	for _, c := range []struct{ statement, reason string }{
		{copied("2", "quantity", "phase", "run", "1"), "is what was found"},
		{copied("2", "quantity", "phase", "run", "2"), "is what was found"},
		{copied("2", "quantity", "phase", "run", "3"), "is what was found"},
		{copied("2", "quantity", "phase", "run", "NULL"), "an order begins reserved"},
		{said + copied("2", "51", "phase", "run", "3"), "is what was found"},
		{said + copied("2", "quantity", "'held'", "run", "3"), "is what was found"},
		{said + copied("2", "quantity", "phase", "1", "3"), "found_was_never_bought"},
		{said + copied("2", "quantity", "'reserved'", "run", "NULL"), "is what was found"},
		{`UPDATE found SET order_id = 1, reason = 'x' WHERE id = 3`, "becomes the next order"},
		{`UPDATE found SET order_id = 3, reason = 'x' WHERE id = 3`, "becomes the next order"},
		{`UPDATE found SET order_id = NULL, reason = 'x' WHERE id = 1`, "said once"},
		{`UPDATE orders SET found = 3, phase = 'held', reason = 'x', bounces = 1 WHERE id = 1`, "what an order buys never changes|a bounce counts once"},
		{`UPDATE orders SET found = NULL, phase = 'released', reason = 'x' WHERE id = 1`, "what an order buys never changes"},
	} {
		refuses(t, path, `BEGIN; `+c.statement+`; COMMIT`, c.reason)
	}
	refuses(t, path, `PRAGMA foreign_keys = 1; BEGIN; `+said+`COMMIT`, "FOREIGN KEY|found_order_id_fkey") // the order that it says must follow
	// Its money may come back, too.
	put(t, s, ledger.OrderHeld{Order: 1, Reason: "bounced", Bounce: ton.Position{LT: 80}}, ledger.OrderResolved{Order: 1, As: ledger.Released, Reason: "it is back"})
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A burn can do nothing but take its payment's seqno, and ends no later.
func (k kit) ABurnOnlyTakesTheSeqno(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(1)...)
	two := quoted(2, 1)
	pay := armed(2, 7, two)
	put(t, s, reserved(2), two, pay)
	burn := ledger.BurnArmed{Payment: 2, Reason: "wrong month", Payload: pay.Payload}
	refused(t, s, ledger.ErrTransition, burn) // it would pay
	burn.Payload.Transfers = nil
	refused(t, s, ledger.ErrTransition, ledger.BurnSigned{Payment: 2, Message: body("b")})
	put(t, s, burn)
	refused(t, s, ledger.ErrTransition, burn)
	refused(t, s, ledger.ErrTransition, ledger.BurnSigned{Payment: 2})
	insert := `DELETE FROM burn; INSERT INTO burn SELECT payment, version, wallet_id, seqno, valid_until, hash, payload, message, reason FROM b`
	other := func(change string) string {
		return `DROP TRIGGER burn_stays; CREATE TEMP TABLE b AS SELECT * FROM burn; UPDATE b SET ` + change + `; ` + insert
	}
	for _, c := range []struct{ statement, reason string }{
		{other(`seqno = 8`), "takes the seqno of its payment"},
		{other(`valid_until = 901`), "takes the seqno of its payment"},
		{other(`wallet_id = 6`), "takes the seqno of its payment"},
		{other(`version = 'v4r2'`), "takes the seqno of its payment"},
		{other(`reason = ''`), "burned_for_a_reason"},
		{other(`message = x'00'`), "a burn begins armed"},
		{other(`payment = 1, seqno = 1`), "while its payment is open"},
		{`UPDATE burn SET payload = x'00', message = x'00'`, "what a burn says never changes"},
		{`UPDATE burn SET message = NULL`, "signed once"},
		{`DELETE FROM burn`, "a burn is never deleted"},
	} {
		refuses(t, path, `BEGIN; `+c.statement, c.reason)
	}
	put(t, s, ledger.BurnSigned{Payment: 2, Message: body("b")})
	refuses(t, path, `UPDATE burn SET message = x'00'`, "signed once")
	put(t, s, ledger.PaymentDeadEvent{Payment: 2, Certificate: ledger.Certificate{Taken: strange, Seqno: 8}})
	got := load(t, s).Payments[2].Burn
	if got == nil || got.Reason != burn.Reason || !cmp.Equal(got.Message, body("b")) || got.Payload.ValidUntil != 900 {
		t.Errorf("%+v", got)
	}
}

// How far a wallet's history is checked only goes forward.
func (k kit) TheCheckOfAWalletOnlyAdvances(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, ledger.WalletChecked{Wallet: ours, Position: ton.Position{LT: 9, Hash: ton.Hash{9}}})
	for _, lt := range []string{"9", "7", "NULL"} {
		refuses(t, path, `UPDATE wallet SET checked_lt = `+lt+`, checked_hash = NULL WHERE anchor_lt > 0`, "only advances")
	}
	refused(t, s, ledger.ErrTransition, ledger.WalletChecked{Wallet: theirs})
	if got := load(t, s).Wallets[ours].Since(); got != (ton.Position{LT: 9, Hash: ton.Hash{9}}) {
		t.Errorf("since %+v", got)
	}
}

// LoadFull reads what Load leaves on disk.
func (k kit) LoadFullReadsTheBulk(t *testing.T) {
	s, _ := k.locked(t)
	put(t, s, story(2)...)
	if got := load(t, s); len(got.Payments[1].Payload.Transfers) > 0 || len(got.Orders[1].Invoice.Params) > 0 {
		t.Error("Load reads the bulk of what is settled")
	}
	full, err := s.LoadFull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.NewState()
	err = s.Records(t.Context(), func(r ledger.Record) error { return want.Apply(must(ledger.Decode(r.Kind, r.Body))) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Payments, full.Payments); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want.Orders, full.Orders); diff != "" {
		t.Error(diff)
	}
}

// The rules of a recurring grant stay, each with the day since which it holds:
// without them an edited rule could make dates in the past.
func (k kit) RulesStay(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, ledger.RuleSeen{Grant: "thanks", Rule: "every month"}, ledger.RuleSeen{Grant: "thanks", Rule: "every week", Since: 20_800},
		ledger.RuleSeen{Grant: "other", Rule: "every day"})
	for _, e := range []ledger.RuleSeen{
		{Grant: "thanks", Rule: "every week", Since: 20_900}, {Grant: "thanks", Rule: "every day", Since: 20_799}, {Grant: "thanks", Rule: "every day"},
		{Grant: "new", Rule: "every day", Since: 1}, {Grant: "", Rule: "every day"}, {Grant: "new", Rule: ""},
	} {
		refused(t, s, ledger.ErrTransition, e)
	}
	for _, c := range []struct{ statement, reason string }{
		{`INSERT INTO rule VALUES ('thanks', 4, 'x', 20900)`, "a rule follows another one"},
		{`DROP TRIGGER rule_follows_another; INSERT INTO rule VALUES ('thanks', 3, 'x', 0)`, "only_the_first_rule_has_no_day"},
		{`UPDATE rule SET since = 1 WHERE n = 2`, "a rule is never changed"},
		{`DELETE FROM rule`, "a rule is never deleted"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
	put(t, s, ledger.RuleSeen{Grant: "thanks", Rule: "every month", Since: 20_800})
	want := []ledger.Rule{{Text: "every month"}, {Text: "every week", Since: 20_800}, {Text: "every month", Since: 20_800}}
	if d := cmp.Diff(want, load(t, s).Rules["thanks"]); d != "" {
		t.Error(d)
	}
}
