package storetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
)

// A key that was moved has its history under the new name alone: what is
// reserved is counted from there, and nothing is ever reserved under the old one.
func (k kit) AMovedKeyTakesItsHistoryAlong(t *testing.T) {
	s, path := k.locked(t)
	put(t, s, story(2)...)
	refused(t, s, ledger.ErrTransition, ledger.KeyMoved{From: "gift/p9", To: "new/p9"})
	refused(t, s, ledger.ErrTransition, ledger.KeyMoved{From: "gift/p1", To: "gift/p2"})
	refused(t, s, ledger.ErrTransition, ledger.KeyMoved{From: "gift/p1", To: "gift/p1"})
	put(t, s, ledger.KeyMoved{From: "gift/p1", To: "new/p1"})
	refused(t, s, ledger.ErrTransition, ledger.KeyMoved{From: "gift/p1", To: "new/p1"})
	refused(t, s, ledger.ErrTransition, ledger.KeyMoved{From: "gift/p2", To: "gift/p1"}) // the name is used up

	again := reserved(3)
	again.Key = "gift/p1"
	refused(t, s, ledger.ErrTransition, again)
	again.Part, again.Prior = 2, 50
	refused(t, s, ledger.ErrTransition, again)
	again.Key, again.Part, again.Prior = "new/p1", 1, 0
	refused(t, s, ledger.ErrPrior, again)
	again.Part, again.Prior = 2, 50
	put(t, s, again)

	// On, and back again: the name before is free for it alone.
	put(t, s, ledger.KeyMoved{From: "new/p1", To: "newer/p1"}, ledger.KeyMoved{From: "newer/p1", To: "gift/p1"})
	refused(t, s, ledger.ErrTransition, ledger.KeyMoved{From: "gift/p2", To: "new/p1"})
	book := load(t, s)
	if diff := cmp.Diff(map[string]string{"new/p1": "gift/p1", "newer/p1": "gift/p1"}, book.Names); diff != "" {
		t.Error(diff)
	}
	if got := book.Given("gift/p1"); got != 100 || len(book.ByKey("gift/p1")) != 2 || len(book.ByKey("new/p1")) != 0 || book.Orders[1].Key != "gift/p1" {
		t.Errorf("%d were given, keys %v", got, book.Keys())
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ statement, reason string }{
		{`INSERT INTO moved VALUES (4, 'new/p1', 'x/y')`, "a key that is moved has a history"},
		{`INSERT INTO moved VALUES (4, 'gift/p1', 'gift/p2')`, "a name without a history"},
		{`INSERT INTO moved VALUES (9, 'gift/p1', 'x/y')`, "a move follows the newest"},
		{`UPDATE moved SET to_key = 'x'`, "a move is never changed"},
		{`DELETE FROM moved`, "a move is never deleted"},
		{`INSERT INTO name VALUES ('x', 'y')`, "a name changes with a move"},
		{`UPDATE name SET now = 'x'`, "a name changes with a move"},
		{`DELETE FROM name`, "a name is never deleted"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
}

// What a person says was given counts for its key, under each name of it, until
// the key is issued again; it is said only of what nothing is open of.
func (k kit) WhatWasGivenOtherwiseCounts(t *testing.T) {
	s, path := k.locked(t)
	hand := ledger.KeySettled{Key: "gift/p1", Generation: 1, Person: "p1", Handle: "h", Item: product.Item{Kind: product.Stars, Quantity: 30}, Reason: "by hand"}
	put(t, s, reserved(1))
	refused(t, s, ledger.ErrTransition, hand)
	put(t, s, ledger.OrderReleased{Order: 1, Reason: "not now"})
	late := hand
	late.Prior = 50
	refused(t, s, ledger.ErrPrior, late)
	silent := hand
	silent.Reason = ""
	refused(t, s, ledger.ErrTransition, silent)
	put(t, s, hand, ledger.KeyMoved{From: "gift/p1", To: "new/p1"})
	refused(t, s, ledger.ErrTransition, hand)

	more := reserved(2)
	more.Key = "new/p1"
	refused(t, s, ledger.ErrPrior, more)
	more.Prior = 30
	put(t, s, more, ledger.OrderReleased{Order: 2, Reason: "not now"})
	if got := load(t, s).Given("new/p1"); got != 30 {
		t.Errorf("%d were given, want 30", got)
	}
	put(t, s, ledger.KeyReissued{Key: "new/p1", Generation: 2, Reason: "it was another ann"})
	if got := load(t, s).Given("new/p1"); got != 0 {
		t.Errorf("%d were given to the new generation", got)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ statement, reason string }{
		{`INSERT INTO settled VALUES (2, 'gift/p1', 2, 0, '', '', 'stars', 5, 'x')`, "this name of a key is used up"},
		{`INSERT INTO settled VALUES (2, 'new/p1', 1, 0, '', '', 'stars', 5, 'x')`, "prior sum"},
		{`INSERT INTO settled VALUES (2, 'new/p1', 2, 0, '', '', 'stars', -5, 'x')`, "what was given, and why"},
		{`INSERT INTO settled VALUES (3, 'new/p1', 2, 0, '', '', 'stars', 5, 'x')`, "follows the newest statement"},
		{`UPDATE settled SET quantity = 1`, "a statement is never changed"},
		{`DELETE FROM settled`, "a statement is never deleted"},
	} {
		refuses(t, path, c.statement, c.reason)
	}
}

// The name that a key had stands in the log for ever, and is found from the
// name that it has.
func (k kit) TheStoryOfAMovedKey(t *testing.T) {
	s, _ := k.locked(t)
	put(t, s, story(1)...)
	put(t, s, ledger.KeyMoved{From: "gift/p1", To: "new/p1"})
	book := load(t, s)
	var kinds []string
	err := s.Records(t.Context(), func(r ledger.Record) error {
		about, err := book.About(r, "new/p1")
		if about {
			kinds = append(kinds, r.Kind)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "order_reserved ") || !strings.HasSuffix(got, " key_moved") {
		t.Errorf("its story is %s", got)
	}
}
