package main

import (
	"os"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ton"
)

// A new ledger begins with a wallet that can't have paid anything yet. A frozen
// one was in use, and the chain no longer shows its seqno.
func TestPast(t *testing.T) {
	for _, c := range []struct {
		account ton.Account
		want    string
	}{
		{ton.Account{}, ""},
		{ton.Account{Balance: ton.TON}, ""},
		{ton.Account{Active: true}, ""},
		{ton.Account{Active: true, Data: ton.WalletData{Seqno: 3}}, "has paid before (its seqno is 3)"},
		{ton.Account{Frozen: true}, "is frozen, so it was in use before"},
	} {
		if got := past(c.account); got != c.want {
			t.Errorf("%+v: %q, want %q", c.account, got, c.want)
		}
	}
}

// The example that people copy pays from the same nobody as a new project.
func TestTheExampleIsNobodys(t *testing.T) {
	text, err := os.ReadFile("../../examples/quickstart/fragplan.yaml")
	if err != nil || !strings.Contains(string(text), placeholder) {
		t.Errorf("the example does not name %s: %v", placeholder, err)
	}
}
