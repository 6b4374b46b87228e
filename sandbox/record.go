package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fragplan/fragplan/sandbox/network"
	"github.com/fragplan/fragplan/ton"
)

// Recorded is one line of a record: an executed transaction with all that went
// into it, so that another TVM can execute it again and compare. Bytes are
// base64 in JSON, and cells are bags of cells with one root; 64-bit numbers are
// strings. There are no libraries, and contracts are shown no earlier blocks.
//
// A line is written before its block is made. What a killed process had
// executed and not put into a block is executed and recorded again.
type Recorded struct {
	Before          ton.BoC `json:"before"`              // ShardAccount; an account that never was has account_none
	Message         ton.BoC `json:"message"`             // the inbound message, which names the account
	Config          ton.BoC `json:"config"`              // root of the configuration's dictionary, by 32-bit numbers
	Libraries       ton.BoC `json:"libraries,omitempty"` // root of the dictionary of libraries (SimpleLib), by hash; only where the account's code is one
	Time            uint32  `json:"time"`                // Unix seconds, of the block
	BlockLT         uint64  `json:"block_lt,string"`     // where the block begins
	LT              uint64  `json:"lt,string"`           // the least that the transaction may begin at
	RandSeed        []byte  `json:"rand_seed"`           // 32 bytes, of the block
	After           ton.BoC `json:"after"`               // ShardAccount
	Transaction     ton.BoC `json:"transaction"`         //
	TransactionHash []byte  `json:"transaction_hash"`    // 32 bytes, of the transaction's root cell
}

// record is a file of Recorded, appended to.
type record struct {
	f       *os.File
	regular bool
	size    int64 // of the whole lines in a regular file
}

func openRecord(path string) (*record, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("record: %w", err), f.Close())
	}
	r := &record{f: f, regular: info.Mode().IsRegular(), size: info.Size()}
	if r.regular && r.size > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], r.size-1); err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(fmt.Errorf("record: %w", err), f.Close())
		}
		if last[0] != '\n' {
			return nil, errors.Join(fmt.Errorf("record %s: its last line is not whole, so nothing is appended to it", path), f.Close())
		}
	}
	return r, nil
}

// add appends one line, or takes back what of it was written.
func (r *record) add(e network.Executed) error {
	recorded := Recorded{
		Before: ton.BoCOf(e.Before), Message: ton.BoCOf(e.Message), Config: ton.BoCOf(e.Config),
		Time: e.Time, BlockLT: e.BlockLT, LT: e.LT, RandSeed: e.RandSeed[:],
		After: ton.BoCOf(e.After), Transaction: ton.BoCOf(e.Transaction), TransactionHash: e.Transaction.Hash(),
	}
	if e.Libraries != nil {
		recorded.Libraries = ton.BoCOf(e.Libraries)
	}
	line, err := json.Marshal(recorded)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	n, err := r.f.Write(append(line, '\n'))
	if err == nil {
		r.size += int64(n)
		return nil
	}
	err = fmt.Errorf("record: %w", err)
	if r.regular && n > 0 {
		err = errors.Join(err, r.f.Truncate(r.size))
	}
	return err
}
