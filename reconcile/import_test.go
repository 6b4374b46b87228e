package reconcile_test

import (
	"strings"
	"testing"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// A purchase without fragplan counts for the key that the files name, if the
// transaction bought that product, once, from an account that may be paid, and no
// more than is written; and for nothing else.
func TestImport(t *testing.T) {
	fragments, other := ton.Address{Account: [32]byte{7}}, ton.Address{Account: [32]byte{8}}
	wallet := ton.Address{Account: [32]byte{1}}
	out := func(to ton.Address, stars int64, ref string) ton.Out {
		return ton.Out{To: to, Amount: ton.TON, Comment: firewall.CommentOf(product.Item{Kind: product.Stars, Quantity: stars}, ref)}
	}
	bought := func(outs ...ton.Out) ton.Transaction {
		return ton.Transaction{Position: ton.Position{LT: 50, Hash: ton.Hash{5}}, Time: 1000, Out: outs}
	}
	book := func(orders ...ledger.Order) *ledger.State {
		s := past(orders...)
		s.Wallets[wallet] = &ledger.Wallet{Address: wallet, Version: ton.V5R1}
		return s
	}
	held := book()
	for _, e := range []ledger.Event{
		ledger.TransactionExplained{Wallet: wallet, Transaction: ton.Position{LT: 50, Hash: ton.Hash{5}}, Reason: "by hand"},
		ledger.TransferFound{Found: 1, Wallet: wallet, Transaction: ton.Position{LT: 50, Hash: ton.Hash{5}}, Item: product.Item{Kind: product.Stars, Quantity: 100}, Amount: ton.TON.Amount(), Ref: "Abcdefgh1"},
		ledger.FoundSetAside{Found: 1, Reason: "a gift of her own"},
	} {
		if err := held.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		book   *ledger.State
		tx     ton.Transaction
		ref    string
		total  int64
		kind   product.Kind
		refuse string // "" takes it in
	}{
		"what was bought counts":                {book(), bought(out(fragments, 100, "Abcdefgh1")), "", 100, product.Stars, ""},
		"beside what was given":                 {book(order("g/ann", ledger.Delivered, product.Stars, 50)), bought(out(fragments, 100, "Abcdefgh1")), "", 250, product.Stars, ""},
		"what was only reserved is given up":    {book(order("g/ann", ledger.Reserved, product.Stars, 100)), bought(out(fragments, 100, "Abcdefgh1")), "", 100, product.Stars, ""},
		"one of several is named by its ref":    {book(), bought(out(fragments, 50, "Abcdefgh0"), out(fragments, 100, "Abcdefgh1")), "Abcdefgh1", 100, product.Stars, ""},
		"several are not told apart":            {book(), bought(out(fragments, 50, "Abcdefgh0"), out(fragments, 100, "Abcdefgh1")), "", 100, product.Stars, "name one by its ref, of Abcdefgh0, Abcdefgh1"},
		"another ref":                           {book(), bought(out(fragments, 100, "Abcdefgh1")), "Abcdefgh2", 100, product.Stars, "bought nothing under the ref Abcdefgh2"},
		"another account":                       {book(), bought(out(other, 100, "Abcdefgh1")), "", 100, product.Stars, "none of the accounts that may be paid"},
		"another product":                       {book(), bought(out(fragments, 100, "Abcdefgh1")), "", 3, product.Premium, "and g/ann gives premium 3 months"},
		"more than is written":                  {book(order("g/ann", ledger.Delivered, product.Stars, 50)), bought(out(fragments, 100, "Abcdefgh1")), "", 100, product.Stars, "more than g/ann gives"},
		"nothing of Fragment's":                 {book(), bought(ton.Out{To: fragments, Amount: ton.TON, Comment: "for lunch"}), "", 100, product.Stars, "bought nothing on Fragment"},
		"a payment of the key is under way":     {book(order("g/ann", ledger.Armed, product.Stars, 100)), bought(out(fragments, 100, "Abcdefgh1")), "", 200, product.Stars, "is armed: that is settled first"},
		"somebody said that it was for nothing": {held, bought(out(fragments, 100, "Abcdefgh1")), "", 100, product.Stars, "somebody said: a gift of her own"},
	} {
		i := spec.Import{Key: "g/ann", Transaction: c.tx.Hash, Ref: c.ref, Reason: "by hand"}
		o := wants("g/ann", c.kind, c.total)
		before := c.book.Given("g/ann")
		events, err := reconcile.Import(c.book, wallet, c.tx, i, o, []ton.Address{fragments})
		switch {
		case c.refuse != "" && (err == nil || !strings.Contains(err.Error(), c.refuse)):
			t.Errorf("%s: %v, want %q", name, err, c.refuse)
		case c.refuse != "":
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			for _, e := range events {
				if err := c.book.Apply(e); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if name == "what was only reserved is given up" {
				before = 0
			}
			if got := c.book.Given("g/ann"); got != before+100 || !reconcile.TakenIn(c.book, i) {
				t.Errorf("%s: %d were given, and %d before", name, got, before)
			}
			if again, err := reconcile.Import(c.book, wallet, c.tx, i, o, []ton.Address{fragments}); err == nil {
				t.Errorf("%s: it is taken in twice: %+v", name, again)
			}
		}
	}
}

// A transaction may also have paid a ref that was offered for the same key and
// given up: both count, each decided on what the one before it has given.
func TestImportBesideAnOfferedRef(t *testing.T) {
	fragments, wallet := ton.Address{Account: [32]byte{7}}, ton.Address{Account: [32]byte{1}}
	tx := ton.Transaction{Position: ton.Position{LT: 50, Hash: ton.Hash{5}}, Time: 1000}
	for ref, n := range map[string]int64{"Offered01": 50, "Byhand001": 100} {
		tx.Out = append(tx.Out, ton.Out{To: fragments, Amount: ton.TON, Comment: firewall.CommentOf(product.Item{Kind: product.Stars, Quantity: n}, ref)})
	}
	i := spec.Import{Key: "g/ann", Transaction: tx.Hash, Ref: "Byhand001", Reason: "by hand"}
	for _, offered := range []ledger.Phase{ledger.Released, ledger.Quoted} {
		book := past(order("g/ann", ledger.Delivered, product.Stars, 50), order("g/ann", offered, product.Stars, 50), order("g/ann", ledger.Reserved, product.Stars, 50))
		book.Wallets[wallet] = &ledger.Wallet{Address: wallet, Version: ton.V5R1}
		book.Refs["Offered01"] = 2
		if _, err := reconcile.Import(book, wallet, tx, i, wants("g/ann", product.Stars, 150), []ton.Address{fragments}); err == nil || !strings.Contains(err.Error(), "with the 100 that were given already") {
			t.Errorf("offered and now %s: 50 more than is written: %v", offered, err)
		}
		events, err := reconcile.Import(book, wallet, tx, i, wants("g/ann", product.Stars, 200), []ton.Address{fragments})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := book.Apply(e); err != nil {
				t.Fatalf("offered and now %s: %v", offered, err)
			}
		}
		if given := book.Given("g/ann"); given != 200 || !reconcile.TakenIn(book, i) {
			t.Errorf("offered and now %s: %d were given, want 50, 50 and 100", offered, given)
		}
	}
}
