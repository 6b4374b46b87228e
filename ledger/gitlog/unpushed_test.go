package gitlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ton"
)

// A request to pay whose push is lost stands in the local store, and nobody was
// given it: the repository says so, until a push has taken what stands there.
func TestALostRequestIsKnownAsSuch(t *testing.T) {
	remote := server(t)
	check(t, founder(t, remote).begin(t))
	loser := newcomer(t, remote)
	check(t, loser.begin(t))
	check(t, loser.both.Append(t.Context(), reserves(loser, 1)))
	invoice := ledger.Invoice{N: 1, RequestID: "q", Ref: "Ref000001", Recipient: "r", Price: ton.TON.Amount(), ValidUntil: 100, Confirm: "c",
		Transfer: ton.Transfer{To: payer, Amount: ton.TON, Body: ton.BoCOf(cell.BeginCell().EndCell())}}
	check(t, loser.both.Append(t.Context(), []ledger.Event{ledger.OrderQuoted{Order: 1, Invoice: invoice}}))
	begun := loser.head(t).Seq - 3 // a run, an order and its offer
	if _, last, err := loser.log.Unpushed(t.Context()); err != nil || last.Seq != 0 {
		t.Errorf("no push has failed, and record %d is not relied on: %v", last.Seq, err)
	}
	check(t, newcomer(t, remote).begin(t))
	asks := []ledger.Event{ledger.PaymentRequested{Request: 1, Run: 1, Wallet: payer, ValidUntil: 40, Orders: []ledger.OrderID{1}}}
	if err := loser.both.Append(t.Context(), asks); !errors.Is(err, gitlog.ErrLost) {
		t.Fatal(err)
	}
	again := open(t, loser.dir) // another process
	if after, last, err := again.Unpushed(t.Context()); err != nil || after != begun || last != loser.head(t) {
		t.Errorf("nothing relied on records %d to %v, and %d to %v are known as such: %v", begun, loser.head(t), after, last, err)
	}
}

// What a failed push left is no longer disowned once a push has taken it.
func TestWhatIsPushedLaterIsNotDisowned(t *testing.T) {
	remote := server(t)
	r := founder(t, remote)
	check(t, r.begin(t))
	hook := filepath.Join(remote, "hooks", "pre-receive")
	check(t, os.WriteFile(hook, []byte("#!/bin/sh\nexit 1\n"), 0o755))
	if err := r.both.Append(t.Context(), decides(8)); !errors.Is(err, gitlog.ErrRefused) {
		t.Fatal(err)
	}
	if _, last, err := r.log.Unpushed(t.Context()); err != nil || last != r.head(t) {
		t.Errorf("record %d is not relied on, want %d: %v", last.Seq, r.head(t).Seq, err)
	}
	check(t, os.Remove(hook))
	again := gitlog.Sync(r.log, r.store)
	if ahead, err := again.CatchUp(t.Context()); err != nil || ahead != 1 {
		t.Fatalf("%d records ahead: %v", ahead, err)
	}
	check(t, again.Begin(t.Context(), "test"))
	if _, last, err := r.log.Unpushed(t.Context()); err != nil || last.Seq != 0 {
		t.Errorf("pushed, and record %d is said not to be relied on: %v", last.Seq, err)
	}
}

// What was recorded without the branch may be relied on: a push of it that fails
// says nothing of it.
func TestWhatWasRecordedAloneIsNotDisowned(t *testing.T) {
	remote := server(t)
	check(t, founder(t, remote).begin(t))
	alone := newcomer(t, remote)
	check(t, alone.store.Lock(t.Context(), "alone"))
	check(t, alone.store.Append(t.Context(), decides(3)))
	check(t, newcomer(t, remote).begin(t))
	if err := alone.both.Begin(t.Context(), "test"); !errors.Is(err, gitlog.ErrLost) {
		t.Fatal(err)
	}
	_ = alone.both.Append(t.Context(), decides(4))
	_ = alone.both.Close(t.Context())
	if _, last, err := alone.log.Unpushed(t.Context()); err != nil || last.Seq != 0 {
		t.Errorf("record %d is not relied on: %v", last.Seq, err)
	}
}
