package gitlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
)

// ErrDiverged says that the local store holds records that the branch doesn't,
// while the branch holds others in their place. None of the local ones was
// ever pushed, so nothing that relied on them has left the machine.
var ErrDiverged = errors.New("the local copy of the ledger has gone another way than its branch")

// A Local store holds a copy of the log, and what it adds up to.
type Local interface {
	// Append records events durably, or returns an error.
	Append(ctx context.Context, events []ledger.Event) error
	// Adopt appends records byte for byte.
	Adopt(ctx context.Context, log func(yield func(ledger.Record) error) error) error
	// Head is the newest record.
	Head(ctx context.Context) (ledger.Head, error)
	// RecordsAfter yields the records behind the one with the given number.
	RecordsAfter(ctx context.Context, seq int64, yield func(ledger.Record) error) error
}

// Synced is a local store whose records reach the branch before anything that
// relies on them leaves the machine. Its methods are not safe for concurrent
// use.
type Synced struct {
	log    *Log
	local  Local
	pushed ledger.Head // what the branch holds, as far as we know
	title  string      // of the commits: who writes
	begun  bool        // our pushes mark the branch as being worked on
	ours   bool        // what the local store holds and the branch doesn't, this run has recorded
	lost   error       // once another run has won, nothing is written any more
}

// Sync joins a store and a log. CatchUp comes next.
func Sync(log *Log, local Local) *Synced { return &Synced{log: log, local: local} }

// CatchUp reads the branch and takes what the local store misses. It reports
// how many records the local store holds that the branch doesn't. ErrDiverged
// and ErrNoBranch change nothing.
func (s *Synced) CatchUp(ctx context.Context) (ahead int, err error) {
	if err := s.log.Fetch(ctx); err != nil {
		return 0, err
	}
	own, err := s.local.Head(ctx)
	if err != nil {
		return 0, err
	}
	boundary, err := s.log.Boundary(ctx, own.Seq)
	if err != nil {
		return 0, err
	}
	// Both chains are compared from the last push that the local store has
	// whole: a hash stands for everything before it.
	at, err := s.at(ctx, boundary)
	if err != nil {
		return 0, err
	}
	s.pushed = at
	hashes := map[int64]ledger.Head{}
	if err := s.local.RecordsAfter(ctx, boundary, func(r ledger.Record) error {
		hashes[r.Seq] = r.Head()
		return nil
	}); err != nil {
		return 0, err
	}
	differs := false
	err = s.log.Records(ctx, at, func(r ledger.Record) error {
		if r.Seq <= own.Seq && hashes[r.Seq].Hash != r.Hash {
			differs = true
			return ErrDiverged
		}
		s.pushed = r.Head()
		return nil
	})
	if errors.Is(err, ErrLog) && boundary > 0 && s.soundAlone(ctx) {
		differs = true // the branch's own chain holds, so it is another one than ours
	}
	if differs {
		return 0, fmt.Errorf("%w: %s", ErrDiverged, s.log)
	}
	if err != nil {
		return 0, err
	}
	if s.pushed.Seq <= own.Seq {
		return int(own.Seq - s.pushed.Seq), nil
	}
	return 0, s.local.Adopt(ctx, func(yield func(ledger.Record) error) error {
		return s.log.Records(ctx, at, func(r ledger.Record) error {
			if r.Seq <= own.Seq {
				return nil
			}
			return yield(r)
		})
	})
}

// soundAlone reports whether the branch's log holds together from its first
// record on.
func (s *Synced) soundAlone(ctx context.Context) bool {
	return s.log.Records(ctx, ledger.Head{}, func(ledger.Record) error { return nil }) == nil
}

// at is the local store's record with a number.
func (s *Synced) at(ctx context.Context, seq int64) (h ledger.Head, err error) {
	if seq == 0 {
		return ledger.Head{}, nil
	}
	found := errors.New("found")
	err = s.local.RecordsAfter(ctx, seq-1, func(r ledger.Record) error {
		h = r.Head()
		return found
	})
	if errors.Is(err, found) {
		err = nil
	}
	return h, err
}

// Begin names the writer in the commits that follow, and pushes what the local
// store holds and the branch doesn't: from then on this run is the one that
// writes, and others' pushes are refused.
func (s *Synced) Begin(ctx context.Context, writer string) error {
	s.title = writer
	err := s.Flush(ctx, true)
	s.ours = err == nil
	s.begun = !errors.Is(err, ErrSealed) && !errors.Is(err, ErrRefused) // then nothing of ours stands there
	return err
}

// Close pushes what the branch doesn't hold yet and marks it as left, so that
// others need not wait. A run that has lost or never begun leaves it alone.
func (s *Synced) Close(ctx context.Context) error {
	if !s.begun || s.lost != nil {
		return nil
	}
	s.begun = false
	return s.Flush(ctx, false)
}

// Append records events locally, and on the branch if anything may leave the
// machine that relies on them. After an error nothing may; see [Log.Unpushed].
func (s *Synced) Append(ctx context.Context, events []ledger.Event) error {
	if s.lost != nil {
		return s.lost
	}
	if err := s.local.Append(ctx, events); err != nil {
		return err
	}
	for _, e := range events {
		if waits(e) {
			continue
		}
		if err := s.Flush(ctx, true); err != nil {
			return s.disown(ctx, err)
		}
		return nil
	}
	return nil
}

// waits reports whether an event may reach the branch with a later one. What
// is forgotten of these is found again: nothing was spent on an offer, the chain
// goes on showing what became of a payment, and Fragment answers as often as it
// is asked.
func waits(e ledger.Event) bool {
	switch e.(type) {
	case ledger.RunStarted, ledger.RunFinished, ledger.AllWell, ledger.SilenceTold, ledger.OrderReserved, ledger.OrderQuoted, ledger.InvoiceDropped, ledger.OrderReleased,
		ledger.PaymentExecutedEvent, ledger.PaymentDeadEvent, ledger.OrderAcknowledged, ledger.OrderDelivered, ledger.WalletChecked:
		return true
	}
	return false
}

// Flush pushes what the branch doesn't hold yet. open says that this run goes
// on writing.
func (s *Synced) Flush(ctx context.Context, open bool) error {
	if s.lost != nil {
		return s.lost
	}
	var records []ledger.Record
	if err := s.local.RecordsAfter(ctx, s.pushed.Seq, func(r ledger.Record) error {
		records = append(records, r)
		return nil
	}); err != nil || len(records) == 0 && open {
		return err
	}
	head := s.pushed
	if len(records) > 0 {
		head = records[len(records)-1].Head()
	}
	err := s.log.Push(ctx, records, subject(s.title, open, head.Seq))
	if errors.Is(err, ErrLost) {
		s.lost = fmt.Errorf("%w. This run stops; what it recorded since its last push was relied on by nothing that left this machine. The next run goes on from what the other one has written", err)
		return s.lost
	}
	if err == nil {
		s.pushed = head
	}
	return err
}

// lease is how long an open run that has pushed nothing is left alone. It is
// politeness: of two that go on, the remote takes one's pushes.
const lease = 2 * time.Minute

// marks of a commit's subject.
const (
	goesOn = "fragplan, at work: "
	closed = "fragplan: "
)

func subject(title string, open bool, last int64) string {
	mark := closed
	if open {
		mark = goesOn
	}
	return fmt.Sprintf("%s%s, up to record %d", mark, title, last)
}

// BusyError says that another run wrote to the branch a moment ago and has not
// closed it.
type BusyError struct {
	Writer string
	Age    time.Duration // of its newest push, by its clock and ours
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another run is at work: %s, last heard of %s ago. Wait for its end, or run again after %s of silence", e.Writer, e.Age.Round(time.Second), lease)
}

// Busy returns a *BusyError if another run seems to be at work.
func (s *Synced) Busy(ctx context.Context) error {
	if s.log.tip == "" {
		return nil
	}
	at, title, err := s.log.Tip(ctx)
	if err != nil {
		return err
	}
	writer, working := strings.CutPrefix(title, goesOn)
	if age := time.Since(at); working && age >= 0 && age < lease {
		return &BusyError{Writer: writer, Age: age}
	}
	return nil
}

// Writer names this process for the branch.
func Writer(command string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s on %s, process %d", command, host, os.Getpid())
}
