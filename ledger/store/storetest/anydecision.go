package storetest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// anyDecision draws what a person decides, the same way.
func anyDecision(r *rapid.T, s *ledger.State, step int, order func(...ledger.Phase) ledger.OrderID, payment func() ledger.PaymentID) ledger.Event {
	n := func(lo, hi int) int { return rapid.IntRange(lo, max(lo, hi)).Draw(r, "n") }
	odd := func() bool { return rapid.IntRange(0, 19).Draw(r, "odd") == 13 }
	position := func() ton.Position { return ton.Position{LT: uint64(n(0, 50)), Hash: ton.Hash{byte(n(0, 3))}} }
	wallet := func() ton.Address { return rapid.SampledFrom([]ton.Address{ours, theirs, market}).Draw(r, "wallet") }
	key := func() string { return rapid.SampledFrom([]string{"a/x", "a/y", "b/x", "c/x", "d/x"}).Draw(r, "key") }
	found := func() ledger.FoundID {
		for id := ledger.FoundID(1); id <= s.LastFound; id++ {
			if s.Founds[id].Open() && !odd() {
				return id
			}
		}
		return ledger.FoundID(n(0, int(s.LastFound)+1))
	}
	reason := "asked"
	if odd() {
		reason = ""
	}
	switch step {
	case 18:
		e := ledger.WalletChecked{Wallet: wallet(), Position: position()}
		if w := s.Wallets[e.Wallet]; w != nil && n(0, 2) > 0 {
			e.Position.LT = w.Since().LT + uint64(n(0, 4))
		}
		return e
	case 19:
		e := ledger.BurnArmed{Payment: payment(), Reason: reason, Payload: ton.Payload{Wallet: ton.V5R1}}
		if p := s.Payments[e.Payment]; p != nil {
			e.Payload = p.Payload
			e.Payload.Transfers = nil
			switch n(0, 24) {
			case 0:
				e.Payload.Transfers = p.Payload.Transfers
			case 1:
				e.Payload.Seqno++
			case 2:
				e.Payload.ValidUntil++
			case 3:
				e.Payload.ValidUntil--
			case 4:
				e.Payload.Wallet = ton.V4R2
			case 5:
				e.Payload.WalletID++
			case 6:
				e.Payload.Wallet = "v9"
			}
		}
		return e
	case 20:
		e := ledger.BurnSigned{Payment: payment(), Message: body("burn")}
		if odd() {
			e.Message = nil
		}
		return e
	case 21:
		return ledger.OrderResolved{Order: order(ledger.Held, ledger.Offered), As: rapid.SampledFrom([]ledger.Phase{
			ledger.Delivered, ledger.Delivered, ledger.Released, ledger.Released, ledger.Paid}).Draw(r, "as"), Reason: reason}
	case 22:
		e := ledger.KeyReissued{Key: key(), Reason: reason}
		for _, k := range slices.Sorted(maps.Keys(s.Keys())) {
			if !odd() && !slices.ContainsFunc(s.ByKey(k), func(o *ledger.Order) bool { return o.Phase.Live() }) {
				e.Key = k
			}
		}
		e.Generation = s.Generation(e.Key) + n(0, 12)/6
		return e
	case 23:
		return ledger.TransactionExplained{Wallet: wallet(), Transaction: position(), Reason: reason}
	case 24:
		e := ledger.TransferFound{Found: s.LastFound + 1, Wallet: wallet(), Transaction: position(), Time: 7,
			Item: product.Item{Kind: product.Stars, Quantity: int64(n(0, 60))}, Amount: ton.Nano(n(0, 9)).Amount(), Ref: fmt.Sprintf("found-%d", s.LastFound)}
		if noted := slices.SortedFunc(maps.Keys(s.Noted), func(a, b ton.Position) int {
			return cmp.Or(cmp.Compare(a.LT, b.LT), bytes.Compare(a.Hash[:], b.Hash[:]))
		}); len(noted) > 0 && !odd() {
			e.Transaction = rapid.SampledFrom(noted).Draw(r, "noted")
		}
		switch n(0, 12) {
		case 0:
			e.Found++
		case 1:
			e.Ref = ""
		case 2:
			e.Ref = "ref-1-1"
		case 3:
			e.Ref = "found-0"
		}
		return e
	case 25:
		e := ledger.FoundAssigned{Found: found(), Order: s.LastOrder + 1, Key: key(), Person: "x", Handle: "x", Single: odd(), Reason: reason}
		e.Generation, e.Part, e.Prior = s.Generation(e.Key), s.NextPart(e.Key), s.Given(e.Key)
		switch n(0, 16) {
		case 0:
			e.Order++
		case 1:
			e.Generation++
		case 2:
			e.Part++
		case 3:
			e.Prior++
		}
		if f := s.Founds[e.Found]; f != nil && n(0, 2) == 0 {
			e.Row = listed(r, "x", f.Item, f.Amount)
		}
		return e
	case 32:
		e := ledger.KeyMoved{From: key(), To: key()}
		if known := slices.Sorted(maps.Keys(s.Keys())); len(known) > 0 && !odd() {
			e.From = rapid.SampledFrom(known).Draw(r, "from")
		}
		return e
	case 33:
		e := ledger.KeySettled{Key: key(), Person: "x", Handle: "x", Item: product.Item{Kind: product.Stars, Quantity: int64(n(0, 60))}, Reason: reason}
		e.Generation, e.Prior = s.Generation(e.Key), s.Given(e.Key)
		switch n(0, 16) {
		case 0:
			e.Item.Quantity = -1
		case 1:
			e.Generation++
		case 2:
			e.Prior++
		case 3:
			e.Key = ""
		}
		return e
	case 27:
		return ledger.RuleSeen{Grant: []string{"", "g", "g", "h", "h"}[n(0, 4)], Rule: fmt.Sprintf("every %d days", n(1, 3)), Since: int64(n(-1, 12) / 2)}
	}
	if step == 29 {
		e := ledger.PersonPinned{Order: order(ledger.Quoted), Reason: reason}
		e.Name, e.Photo = rapid.SampledFrom([]string{"", "Ann", "\x1b[2J\u202e", "Ann ", "=1+1"}).Draw(r, "name"), ton.Hash{byte(n(0, 1))}
		if n(0, 3) == 0 {
			e.Reason = ledger.PinConfirmed
		}
		return e
	}
	return ledger.FoundSetAside{Found: found(), Reason: reason}
}

// listed is a row of Fragment's list: mostly of that purchase, out of so few
// that they are taken already.
func listed(r *rapid.T, handle string, item product.Item, price ton.Amount) ledger.Row {
	n := func(hi int) int { return rapid.IntRange(0, hi).Draw(r, "row") }
	row := ledger.Row{Handle: handle, Item: item, Price: price, Time: uint32(1 + n(3))}
	if n(3) == 0 {
		row.Price = ton.Amount{}
	}
	switch n(20) {
	case 0:
		row.Handle += "x"
	case 1:
		row.Item.Quantity++
	case 2:
		row.Item.Kind = product.TopUp
	case 3:
		row.Price = ton.Nano(6).Amount()
	case 4:
		row.Price = ton.Amount{Asset: ton.AssetUSDT, Units: price.Units}
	}
	return row
}
