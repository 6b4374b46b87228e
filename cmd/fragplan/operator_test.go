package main

import (
	"context"
	"database/sql"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// capture NAME PATTERN sets $NAME to what the pattern's group matches in the
// last command's stdout.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("stdout does not hold %q with one group", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// byhand stars|premium|ton QUANTITY HANDLE buys on Fragment with the wallet of
// this folder's world, past fragplan, as a person does with a wallet app. byhand
// send TON pays some TON to an account that is not Fragment's, and byhand bounce
// TON has them sent back from there. $TRANSACTION is then its hash.
func byhand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: byhand stars|premium|ton QUANTITY HANDLE, byhand send TON, or byhand bounce TON")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w, err := sandbox.Open(ctx, sandbox.Options{Dir: ts.MkAbs(".fragplan/sandbox")})
	ts.Check(err)
	defer w.Close()
	var transfer ton.Transfer
	if args[0] == "send" || args[0] == "bounce" {
		amount, err := ton.ParseNano(args[1])
		ts.Check(err)
		to, _, err := ton.ParseAddress(placeholder)
		ts.Check(err)
		transfer = ton.Transfer{To: to, Bounce: args[0] == "bounce", Amount: amount, Body: ton.BoCOf(cell.BeginCell().EndCell())}
	} else {
		quantity, err := strconv.ParseInt(args[1], 10, 64)
		ts.Check(err)
		session := &fragment.Client{BaseURL: w.FragmentURL, Cookie: fragment.SecretOf(w.Cookie), Wallet: fragment.Account{Address: w.Wallet, NetworkID: w.NetworkID}}
		offer, err := session.Buy(ctx, products[product.Kind(args[0])], args[2], quantity)
		ts.Check(err)
		transfer = offer.Transfer
	}
	hash, err := pay(ctx, w, math.MaxUint32, transfer)
	ts.Check(err)
	ts.Setenv("TRANSACTION", hash.String())
}

// lose takes the messages that no block holds yet from the network of this
// folder's world, which must not be running.
func lose(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: lose")
	}
	const name = ".fragplan/sandbox/network.jsonl"
	lines := strings.SplitAfter(ts.ReadFile(name), "\n")
	kept := len(lines)
	for kept > 0 && !strings.HasPrefix(lines[kept-1], "block ") {
		kept--
	}
	if !strings.Contains(strings.Join(lines[kept:], ""), "external ") {
		ts.Fatalf("no message waits for a block")
	}
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(strings.Join(lines[:kept], "")), 0o600))
}

// halfway LEDGER leaves a ledger as a writer does that is killed in the midst of
// a commit: half of it is in the file, and what undoes it in the journal.
func halfway(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: halfway LEDGER")
	}
	file := ts.MkAbs(args[0])
	db, err := sql.Open("sqlite", file)
	ts.Check(err)
	db.SetMaxOpenConns(1)
	for _, q := range []string{`PRAGMA cache_size = 1`, `PRAGMA cache_spill = 1`, `BEGIN IMMEDIATE`, `DROP TRIGGER event_is_never_deleted`, `DELETE FROM event`} {
		_, err := db.Exec(q)
		ts.Check(err)
	}
	left := map[string][]byte{}
	for _, name := range []string{file, file + "-journal"} {
		left[name], err = os.ReadFile(name)
		ts.Check(err)
	}
	_, err = db.Exec(`ROLLBACK`)
	ts.Check(err)
	ts.Check(db.Close())
	for name, b := range left {
		ts.Check(os.WriteFile(name, b, 0o600))
	}
}
