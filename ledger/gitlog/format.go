package gitlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ledger"
)

// ErrLog is matched by errors about what stands on the branch: it is no log,
// or its records don't hold together.
var ErrLog = errors.New("the branch holds no sound log")

// maxLine bounds a record; the largest ones hold a signed message of 255
// transfers.
const maxLine = 1 << 20

// line is a record as it stands in a file. Its body is JSON already, and stays
// byte for byte what was hashed.
type line struct {
	Seq   int64  `json:"seq"`
	Epoch int64  `json:"epoch"`
	Time  int64  `json:"time"` // Unix milliseconds
	Kind  string `json:"kind"`
	Body  string `json:"body"`
	Hash  string `json:"hash"` // 64 hexadecimal digits
}

// encode writes records as JSON lines.
func encode(records []ledger.Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, r := range records {
		if err := e.Encode(line{r.Seq, r.Epoch, r.Time, r.Kind, string(r.Body), r.Hash.String()}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// decode reads what encode wrote and goes on with the chain after head. Every
// record must have the next number and hash to what it says.
func decode(file []byte, head ledger.Head) ([]ledger.Record, error) {
	var records []ledger.Record
	s := bufio.NewScanner(bytes.NewReader(file))
	s.Buffer(nil, maxLine)
	for s.Scan() {
		var l line
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrLog, head.Seq+1, err)
		}
		r := ledger.Record{Seq: l.Seq, Epoch: l.Epoch, Time: l.Time, Kind: l.Kind, Body: []byte(l.Body), Prev: head.Hash}
		r.Hash = r.Link()
		if r.Seq != head.Seq+1 {
			return nil, fmt.Errorf("%w: record %d follows record %d", ErrLog, r.Seq, head.Seq)
		}
		if r.Hash.String() != l.Hash {
			return nil, fmt.Errorf("%w: record %d is not what its hash says, or not the one that followed record %d", ErrLog, r.Seq, head.Seq)
		}
		records = append(records, r)
		head = r.Head()
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("%w: after record %d: %w", ErrLog, head.Seq, err)
	}
	return records, nil
}
