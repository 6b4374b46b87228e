package main

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	shop "github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/ton"
)

// two are two sessions, each with a market of its own that knows nothing of the
// other's orders, and how many calls each has had. They answer once open is
// closed.
func two(t *testing.T, open chan struct{}) (seats []seat, calls []*atomic.Int32) {
	wallet := ton.Address{Account: [32]byte{1}}
	for i, name := range []string{"main", "night"} {
		m, err := shop.Open(shop.Options{Seed: int64(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		n := &atomic.Int32{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-open
			n.Add(1)
			m.Handler().ServeHTTP(w, r)
		}))
		t.Cleanup(func() { server.Close(); m.Close() })
		seats = append(seats, seat{name: name, client: &fragment.Client{
			BaseURL: server.URL, Cookie: fragment.SecretOf(m.NewSession(wallet)), Wallet: fragment.Account{Address: wallet},
		}})
		calls = append(calls, n)
	}
	return seats, calls
}

// Orders are spread over the sessions, and each is confirmed in the one that
// quoted it, also by a later run. An order whose session is no longer listed is
// confirmed by whichever knows it.
func TestOrdersStayWithTheirSession(t *testing.T) {
	open := make(chan struct{})
	seats, calls := two(t, open)
	m := newMarket(seats)
	go func() { // nobody is done before all have begun
		for taken := 0; taken < 6; runtime.Gosched() {
			m.mu.Lock()
			taken = m.busy[0] + m.busy[1]
			m.mu.Unlock()
		}
		close(open)
	}()
	offers := make([]reconcile.Offer, 6)
	var all sync.WaitGroup
	for i := range offers {
		all.Go(func() {
			var err error
			if offers[i], err = m.Quote(t.Context(), "ann_petrova", product.Item{Kind: product.Stars, Quantity: 50}, ton.AssetTON); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	of := map[string]int{}
	for _, o := range offers {
		of[o.Invoice.Session]++
	}
	if of["main"] != 3 || of["night"] != 3 {
		t.Fatalf("6 orders at once were spread as %v", of)
	}
	later := newMarket(seats)
	for _, o := range offers {
		before := [2]int32{calls[0].Load(), calls[1].Load()}
		if err := later.Confirm(t.Context(), product.Stars, o.Invoice, ton.BoC("signed")); err != nil {
			t.Error(err)
		}
		other := 0
		if o.Invoice.Session == "main" {
			other = 1
		}
		if calls[other].Load() != before[other] {
			t.Errorf("an order of the session %s was spoken of in the other one", o.Invoice.Session)
		}
		gone := o.Invoice
		gone.Session = "dismissed"
		if err := later.Confirm(t.Context(), product.Stars, gone, ton.BoC("signed")); err != nil {
			t.Errorf("of a session that is no longer listed: %v", err)
		}
	}
}
