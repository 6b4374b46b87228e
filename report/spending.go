package report

import (
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// A Purchase is one order whose money has left the wallet.
type Purchase struct {
	Time        time.Time // of the block that paid it
	Order       ledger.OrderID
	Key         string
	Person      string // id under people, or "@handle"
	Handle      string // without "@"
	Item        product.Item
	Price       ton.Amount
	Phase       ledger.Phase
	Evidence    string // of delivery: its kind
	Ref         string // Fragment's mark in the payment
	Payment     ledger.PaymentID
	Transaction ton.Position // on the chain of Wallet
	Wallet      ton.Address
}

// Spending is what a ledger's wallets paid in a span of time.
type Spending struct {
	Ledger    string
	From, To  time.Time  // purchases at From and before To are counted
	Purchases []Purchase // the oldest first
	Fees      ton.Nano   // of the payments in that span
	Part      bool       // of one grant: Fees are not split
}

// SpendingOf collects what was paid at from and before to. A zero time leaves
// that side open.
func SpendingOf(book *ledger.State, from, to time.Time) Spending {
	s := Spending{Ledger: book.Ledger, From: from, To: to}
	within := func(seconds uint32) bool {
		t := time.Unix(int64(seconds), 0)
		return !t.Before(from) && (to.IsZero() || t.Before(to))
	}
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; o != nil && o.Phase.Spent() && within(o.Time) {
			s.Purchases = append(s.Purchases, purchaseOf(book, o))
		}
	}
	for id := ledger.PaymentID(1); id <= book.LastPayment; id++ {
		if p := book.Payments[id]; p != nil && p.Phase == ledger.PaymentExecuted && within(p.Time) {
			s.Fees += p.Fees
		}
	}
	for _, t := range book.Outside {
		if within(t.Time) {
			s.Fees += t.Fees
		}
	}
	slices.SortStableFunc(s.Purchases, func(a, b Purchase) int { return a.Time.Compare(b.Time) })
	return s
}

func purchaseOf(book *ledger.State, o *ledger.Order) Purchase {
	p := Purchase{
		Time: time.Unix(int64(o.Time), 0).UTC(), Order: o.ID, Key: o.Key, Person: o.Person, Handle: o.Handle, Item: o.Item,
		Price: o.Reserve, Phase: o.Phase, Evidence: o.Evidence, Payment: o.Payment, Transaction: o.Settled, Wallet: o.Wallet,
	}
	if o.Invoice != nil {
		p.Price, p.Ref = o.Invoice.Price, o.Invoice.Ref
	}
	if f := book.Founds[o.Found]; f != nil {
		p.Price, p.Ref = f.Amount, f.Ref
	}
	return p
}

// Of is the part that was bought for one grant. Fees are not split: a payment
// is for several.
func (s Spending) Of(grant string) Spending {
	s.Purchases = slices.DeleteFunc(slices.Clone(s.Purchases), func(p Purchase) bool { return byGrant(p) != grant })
	s.Fees, s.Part = 0, true
	return s
}

// Grants lists the grants for which something was bought, sorted.
func (s Spending) Grants() []string {
	var names []string
	for _, p := range s.Purchases {
		names = append(names, byGrant(p))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Assets lists what was paid with, sorted.
func (s Spending) Assets() []ton.Asset {
	var found []ton.Asset
	for _, p := range s.Purchases {
		if !slices.Contains(found, p.Price.Asset) {
			found = append(found, p.Price.Asset)
		}
	}
	slices.Sort(found)
	return found
}

// A Share is what was spent on one part of the whole.
type Share struct {
	Name  string
	Spent ton.Amount
	Count int // purchases
}

// By adds up what was spent in one asset on each name that of gives a
// purchase, the largest first.
func (s Spending) By(asset ton.Asset, of func(Purchase) string) []Share {
	place := map[string]int{}
	var shares []Share
	for _, p := range s.Purchases {
		if p.Price.Asset != asset {
			continue
		}
		name := of(p)
		i, known := place[name]
		if !known {
			i = len(shares)
			place[name] = i
			shares = append(shares, Share{Name: name, Spent: ton.Amount{Asset: asset}})
		}
		shares[i].Spent.Units += p.Price.Units
		shares[i].Count++
	}
	slices.SortFunc(shares, func(a, b Share) int {
		if a.Spent.Units != b.Spent.Units {
			return int(max(-1, min(1, b.Spent.Units-a.Spent.Units)))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return shares
}

// Weeks adds up what was spent in one asset in each week from the first
// purchase's to the last one's, also in those without any. A week is named
// after its Monday (UTC).
func (s Spending) Weeks(asset ton.Asset) []Share {
	spent := map[time.Time]*Share{}
	var first, last time.Time
	for _, p := range s.Purchases {
		if p.Price.Asset != asset {
			continue
		}
		week := monday(p.Time)
		if first.IsZero() {
			first = week
		}
		last = week // purchases are sorted
		if spent[week] == nil {
			spent[week] = &Share{Spent: ton.Amount{Asset: asset}}
		}
		spent[week].Spent.Units += p.Price.Units
		spent[week].Count++
	}
	var weeks []Share
	for w := first; !w.IsZero() && !w.After(last); w = w.AddDate(0, 0, 7) {
		share := Share{Spent: ton.Amount{Asset: asset}}
		if spent[w] != nil {
			share = *spent[w]
		}
		share.Name = w.Format(time.DateOnly)
		weeks = append(weeks, share)
	}
	return weeks
}

func monday(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d-(int(t.UTC().Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
}

// Totals are the sums of all purchases, one an asset.
func (s Spending) Totals() []ton.Amount {
	var sums []ton.Amount
	for _, p := range s.Purchases {
		sums = plus(sums, p.Price)
	}
	return sums
}

// The names by which spending is split.
var (
	byPerson = func(p Purchase) string { return "@" + p.Handle }
	byGrant  = func(p Purchase) string { grant, _, _ := strings.Cut(p.Key, "/"); return grant }
	byKind   = func(p Purchase) string { return kindName(p.Item.Kind) }
)

func kindName(k product.Kind) string {
	switch k {
	case product.Stars:
		return "Stars"
	case product.Premium:
		return "Premium"
	case product.TopUp:
		return "Top-ups"
	}
	return string(k)
}
