package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

// From a line of the record alone a TVM comes to the same transaction and the
// same account: a first payment and a later one of both wallets, money that
// comes back, and credits.
func TestRecordCanBeReplayed(t *testing.T) {
	t.Parallel()
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			o := sandbox.Options{Dir: t.TempDir(), Version: version, Record: filepath.Join(t.TempDir(), "record.jsonl")}
			w := open(t, o)
			b := newBuyer(t, w, nil)
			bounced := b.order(t, "ann_1")
			bounced.Bounce = true
			b.pay(t, bounced)
			shut(t, w)
			w = open(t, o) // the file is appended to, and what was executed before is not repeated
			b = newBuyer(t, w, nil)
			b.pay(t, b.order(t, "ann_2"), b.order(t, "ann_3"))
			history := b.history(t)
			shut(t, w)

			seen := map[ton.Hash]int{}
			for _, line := range lines(t, o.Record) {
				seen[replay(t, line)]++
			}
			// Funded, paid, sent back, taken back; paid, and two credits.
			if len(seen) != 7 {
				t.Errorf("%d transactions, want 7", len(seen))
			}
			for _, at := range history {
				if seen[at.Hash] != 1 {
					t.Errorf("transaction %s stands there %d times", at.Hash, seen[at.Hash])
				}
			}
		})
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
}

// line is what another program knows of a record: its keys and their JSON
// types, and nothing of fragplan's.
type line struct {
	Before          []byte `json:"before"`
	Message         []byte `json:"message"`
	Config          []byte `json:"config"`
	Libraries       []byte `json:"libraries"`
	Time            uint32 `json:"time"`
	BlockLT         int64  `json:"block_lt,string"`
	LT              int64  `json:"lt,string"`
	RandSeed        []byte `json:"rand_seed"`
	After           []byte `json:"after"`
	Transaction     []byte `json:"transaction"`
	TransactionHash []byte `json:"transaction_hash"`
}

func replay(t *testing.T, text string) ton.Hash {
	t.Helper()
	var l line
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root := func(boc []byte) *cell.Cell {
		t.Helper()
		c, err := cell.FromBOC(boc)
		must(err)
		return c
	}
	config, err := tvm.PrepareBlockchainConfig(root(l.Config))
	must(err)
	options := tvm.BlockOptions{Now: l.Time, BlockLT: l.BlockLT, RandSeed: l.RandSeed}
	if len(l.Libraries) > 0 {
		options.Libraries = []*cell.Cell{root(l.Libraries)}
	}
	block, err := config.NewBlockContext(options)
	must(err)
	message, err := tvm.PrepareMessage(root(l.Message))
	must(err)
	var to *address.Address
	if m := message.Message(); m.MsgType == tlb.MsgTypeExternalIn {
		to = m.AsExternalIn().DstAddr
	} else {
		to = m.AsInternal().DstAddr
	}
	var before tlb.ShardAccount
	must(tlb.Parse(&before, root(l.Before)))
	account, err := tvm.PrepareAccount(&before, to)
	must(err)
	r, err := tvm.NewTVM().EmulateTransaction(block, account, message, tvm.TransactionOptions{LogicalTime: l.LT})
	must(err)
	if got := r.TransactionCell.Hash(); !bytes.Equal(got, l.TransactionHash) || !bytes.Equal(got, root(l.Transaction).Hash()) {
		t.Errorf("transaction %x, recorded as %x", got, l.TransactionHash)
	}
	if got, want := r.NextAccount.ShardAccountCell().Hash(), root(l.After).Hash(); !bytes.Equal(got, want) {
		t.Errorf("the account after is %x, recorded as %x", got, want)
	}
	// Wallets ask for neither of these, so that the replay doesn't show them.
	if len(l.RandSeed) != 32 || bytes.Equal(l.RandSeed, make([]byte, 32)) || l.BlockLT <= 0 || l.BlockLT >= l.LT {
		t.Errorf("seed %x, block at %d, transaction at %d", l.RandSeed, l.BlockLT, l.LT)
	}
	return ton.Hash(l.TransactionHash)
}

// A line has just the documented keys, bytes are base64, and 64-bit numbers
// are strings, which no reader rounds.
func TestRecordKeys(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir(), Record: filepath.Join(t.TempDir(), "record.jsonl")}
	shut(t, open(t, o))
	var got map[string]any
	if err := json.Unmarshal([]byte(lines(t, o.Record)[0]), &got); err != nil {
		t.Fatal(err)
	}
	base64, decimal := regexp.MustCompile(`^[A-Za-z0-9+/]{8,}={0,2}$`), regexp.MustCompile(`^[0-9]+$`)
	kinds := map[string]string{}
	for key, v := range got {
		switch v := v.(type) {
		case float64:
			kinds[key] = "number"
		case string:
			kinds[key] = "?"
			if decimal.MatchString(v) {
				kinds[key] = "decimal"
			} else if base64.MatchString(v) {
				kinds[key] = "base64"
			}
		}
	}
	if d := cmp.Diff(map[string]string{
		"before": "base64", "message": "base64", "config": "base64", "time": "number", "block_lt": "decimal", "lt": "decimal",
		"rand_seed": "base64", "after": "base64", "transaction": "base64", "transaction_hash": "base64",
	}, kinds); d != "" {
		t.Error(d)
	}
}

// Where the record can't be written the world stops and says why, and what
// was under way is executed when it runs again, once.
func TestRecordOnFullDisk(t *testing.T) {
	t.Parallel()
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("this system has no " + full)
	}
	if _, err := sandbox.Open(t.Context(), sandbox.Options{Dir: t.TempDir(), Record: full}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a world that is made: got %v, want ENOSPC", err)
	}
	o := sandbox.Options{Dir: t.TempDir()}
	shut(t, open(t, o))
	o.Record = full
	w := open(t, o)
	b := newBuyer(t, w, nil)
	b.send(t, b.order(t, "ann_1"))
	select {
	case err := <-w.Failed():
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v, want ENOSPC", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the world goes on")
	}
	shut(t, w)

	o.Record = filepath.Join(t.TempDir(), "record.jsonl")
	w = open(t, o)
	b = newBuyer(t, w, nil)
	if a := b.account(t); !a.Active || a.Data.Seqno != 1 {
		b.wait(t, a)
	}
	if got := books(t, w); len(got.Credits) != 1 || len(got.Strays) != 0 {
		t.Errorf("after the disk had space again: %+v", got)
	}
	for _, line := range lines(t, o.Record) {
		replay(t, line)
	}
}

// Half a line is never continued: the file is not touched.
func TestRecordWithHalfALine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("{}\n{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.Open(t.Context(), sandbox.Options{Dir: t.TempDir(), Record: path}); err == nil || !strings.Contains(err.Error(), "last line") {
		t.Errorf("got %v", err)
	}
	if got := lines(t, path); len(got) != 2 || got[1] != "{" {
		t.Errorf("the file is now %q", got)
	}
}
