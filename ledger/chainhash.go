package ledger

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/fragplan/fragplan/ton"
)

// Record is an event as it stands in the log.
type Record struct {
	Seq   int64    // from 1, without gaps
	Epoch int64    // of the writer
	Time  int64    // Unix milliseconds of the writer's clock; for people, never for a decision
	Kind  string   // of the event
	Body  []byte   // Encode's JSON
	Prev  ton.Hash // Hash of the record before it; zero for the first
	Hash  ton.Hash // Link of everything above
}

// Head names the newest record of a log, and by its hash all before it. The
// zero Head is that of an empty log.
type Head struct {
	Seq  int64
	Hash ton.Hash
}

// Head is the head of a log that ends with the record.
func (r Record) Head() Head { return Head{r.Seq, r.Hash} }

// Link is the hash that chains a record to the ones before it: changing,
// moving or removing any record changes every hash after it.
func (r Record) Link() ton.Hash {
	h := sha256.New()
	var n [24]byte
	binary.BigEndian.PutUint64(n[0:], uint64(r.Seq))
	binary.BigEndian.PutUint64(n[8:], uint64(r.Epoch))
	binary.BigEndian.PutUint64(n[16:], uint64(r.Time))
	h.Write(n[:])
	kind := sha256.Sum256([]byte(r.Kind))
	body := sha256.Sum256(r.Body)
	h.Write(kind[:])
	h.Write(body[:])
	h.Write(r.Prev[:])
	return ton.Hash(h.Sum(nil))
}
