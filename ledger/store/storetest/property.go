package storetest

import (
	"errors"
	"flag"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// The tables refuse what State.Apply refuses and take what it takes, and both
// come to the same state: projections equal a replay of the events.
func (k kit) TablesEqualAReplayOfTheEvents(t *testing.T) {
	// Every check makes a durable file; -rapid.checks=N asks for more of them.
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(strconv.Itoa(k.checks)); err != nil {
			t.Fatal(err)
		}
	}
	taken, refusals := map[string]int{}, map[string]int{}
	check := func(r *rapid.T) {
		s, err := k.place(t).Create(t.Context(), First())
		if err != nil {
			r.Fatal(err)
		}
		if err := s.Lock(t.Context(), "test"); err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		state := load(t, s)
		var batch []ledger.Event
		flush := func() {
			if err := s.Append(t.Context(), batch); err != nil {
				r.Fatalf("%+v: %v", batch, err)
			}
			batch = nil
		}
		for range rapid.IntRange(40, 160).Draw(r, "events") {
			e := anyEvent(r, state)
			want := state.Apply(e)
			if want == nil {
				taken[ledger.KindOf(e)]++
				if batch = append(batch, e); len(batch) == 20 {
					flush()
				}
				continue
			}
			flush()
			got := s.Append(t.Context(), []ledger.Event{e})
			kind := ledger.KindOf(e)
			if got == nil || errors.Is(want, ledger.ErrPrior) != errors.Is(got, ledger.ErrPrior) ||
				errors.Is(want, ledger.ErrTransition) != errors.Is(got, ledger.ErrTransition) {
				r.Fatalf("%s %+v: state says %v, store says %v", kind, e, want, got)
			}
			refusals[kind]++
		}
		flush()
		if diff := gocmp.Diff(light(state), load(t, s), cmpopts.IgnoreUnexported(ledger.State{}), cmpopts.EquateEmpty()); diff != "" {
			r.Fatalf("(-events +tables)\n%s", diff)
		}
		if diff := gocmp.Diff(state.Keys(), load(t, s).Keys()); diff != "" {
			r.Fatal(diff)
		}
		if _, err := s.Verify(t.Context()); err != nil {
			r.Fatal(err)
		}
	}
	// Luck decides which events come up; more rounds are played until all have.
	for round := 0; round == 0 || round < maxRounds && len(missing(taken)) > 0; round++ {
		rapid.Check(t, check)
	}
	t.Log("taken", taken, "refused", refusals)
	for _, kind := range missing(taken) {
		t.Errorf("%s never happened: the test doesn't reach it", kind)
	}
}

// maxRounds bounds how often the property is checked anew for an event that
// has not come up.
const maxRounds = 20

// missing lists the events of a ledger's life that never happened.
func missing(taken map[string]int) []string {
	return slices.DeleteFunc([]string{
		"order_quoted", "invoice_dropped", "order_released", "payment_armed", "payment_signed", "payment_executed",
		"payment_dead", "transfer_received", "order_acknowledged", "order_delivered", "order_held", "wallet_checked", "burn_armed", "burn_signed", "order_resolved",
		"payment_requested", "request_paid", "key_reissued", "transaction_explained", "transfer_found", "found_assigned", "found_set_aside", "rule_seen", "person_pinned", "key_moved", "key_settled", "all_well", "silence_told",
	}, func(kind string) bool { return taken[kind] > 0 })
}

// light drops what Load leaves on disk.
func light(s *ledger.State) *ledger.State {
	for _, o := range s.Orders {
		if o.Invoice != nil && o.Invoice.Price.Asset != ton.AssetUSDT && (o.Phase == ledger.Acknowledged || o.Phase == ledger.Delivered) {
			o.Invoice.Params, o.Invoice.Transfer.Body = nil, nil
		}
	}
	for _, t := range s.Outside {
		if !slices.ContainsFunc(t.Orders, func(id ledger.OrderID) bool {
			return s.Orders[id].Phase == ledger.Paid || s.Orders[id].Phase == ledger.Sent
		}) {
			t.Message = nil
		}
	}
	for _, p := range s.Payments {
		bulky := p.Phase.Open()
		for _, id := range p.Orders {
			bulky = bulky || p.Phase == ledger.PaymentExecuted && (s.Orders[id].Phase == ledger.Paid || s.Orders[id].Phase == ledger.Sent)
		}
		if !bulky {
			p.Payload.Transfers, p.Message = nil, nil
		}
	}
	return s
}
