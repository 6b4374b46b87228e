package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
)

// disk holds one ledger file: what survives every crash.
type disk interface {
	// open is what a process does that starts: it becomes the only writer, and
	// whoever wrote before can't any more.
	open() (file, error)
	// backup is a copy of the file, as an operator makes it.
	backup() (backup, error)
	// damage alters one record on it: a bit of it flips, or it is torn from its
	// middle on. n draws numbers below its argument.
	damage(n func(int) int, torn bool) error
	// audit reads everything that is durable, and checks that it is sound.
	audit() (*ledger.State, error)
	close() error
}

// backup makes a disk that holds the copy.
type backup func() (disk, error)

// file is a ledger that a process holds open.
type file interface {
	load() (*ledger.State, error)
	append([]ledger.Event) error
	close() error
}

// errEpoch is what a writer gets that was replaced.
var errEpoch = errors.New("another writer has taken the ledger over")

// memory is a ledger file without a file system. It refuses what the schema of
// the real one refuses.
type memory struct {
	log   []ledger.Event
	book  *ledger.State
	codec bool // every event goes through its encoding, as on a disk

	altered []ledger.Record // what the file holds since it was damaged
}

func newMemory(codec bool, first []ledger.Event) (*memory, error) {
	m := &memory{book: ledger.NewState(), codec: codec}
	return m, m.write(first)
}

func (m *memory) write(events []ledger.Event) error {
	for i, e := range events {
		if m.codec {
			b, err := ledger.Encode(e)
			if err != nil {
				return err
			}
			if e, err = ledger.Decode(ledger.KindOf(e), b); err != nil {
				return err
			}
		}
		if err := m.book.Apply(e); err != nil {
			if i > 0 { // all or none
				m.book = replay(m.log)
			}
			return err
		}
		events = slices.Clone(events)
		events[i] = e
	}
	m.log = append(m.log, events...)
	return nil
}

func replay(log []ledger.Event) *ledger.State {
	s := ledger.NewState()
	for i, e := range log {
		if err := s.Apply(e); err != nil {
			panic(fmt.Sprintf("event %d does not replay: %v", i, err))
		}
	}
	return s
}

// damage writes the log out as a file holds it, chained, and alters a record.
func (m *memory) damage(n func(int) int, torn bool) error {
	m.altered = nil
	var last ledger.Record
	for i, e := range m.log {
		body, err := ledger.Encode(e)
		if err != nil {
			return err
		}
		last = ledger.Record{Seq: int64(i + 1), Kind: ledger.KindOf(e), Body: body, Prev: last.Hash}
		last.Hash = last.Link()
		m.altered = append(m.altered, last)
	}
	alter(m.altered[n(len(m.altered))].Body, n, torn)
	return nil
}

// alter flips a bit, or loses everything from the middle on.
func alter(body []byte, n func(int) int, torn bool) {
	at, bit := n(len(body)), byte(1)<<n(7)
	if torn {
		clear(body[len(body)/2:])
	} else {
		body[at] ^= bit
	}
}

func (m *memory) open() (file, error) {
	for _, r := range m.altered {
		if r.Hash != r.Link() {
			return nil, fmt.Errorf("record %d: %w", r.Seq, sqlite.ErrCorrupt)
		}
	}
	epoch := m.book.Epoch + 1
	return &memoryFile{m, epoch}, m.write([]ledger.Event{ledger.EpochTaken{Epoch: epoch, Holder: "sim"}})
}

func (m *memory) backup() (backup, error) {
	log := slices.Clone(m.log)
	return func() (disk, error) { return newMemory(m.codec, log) }, nil
}

func (m *memory) audit() (*ledger.State, error) { return replay(m.log), nil }
func (m *memory) close() error                  { return nil }

type memoryFile struct {
	disk  *memory
	epoch int64
}

func (f *memoryFile) load() (*ledger.State, error) { return clone(f.disk.book), nil }
func (f *memoryFile) close() error                 { return nil }

func (f *memoryFile) append(events []ledger.Event) error {
	if f.disk.book.Epoch != f.epoch {
		return errEpoch
	}
	return f.disk.write(events)
}

// clone copies a state as a new process would read it.
func clone(s *ledger.State) *ledger.State {
	c := ledger.NewState()
	c.Ledger, c.Epoch = s.Ledger, s.Epoch
	for id := ledger.OrderID(1); id <= s.LastOrder; id++ {
		o := *s.Orders[id]
		c.Add(&o)
	}
	for id, p := range s.Payments {
		p := *p
		if p.Burn != nil {
			burn := *p.Burn
			p.Burn = &burn
		}
		c.Payments[id] = &p
	}
	for a, w := range s.Wallets {
		w := *w
		c.Wallets[a] = &w
	}
	for id, r := range s.Runs {
		r := *r
		c.Runs[id] = &r
	}
	for id, f := range s.Founds {
		f := *f
		c.Founds[id] = &f
	}
	for id, q := range s.Requests {
		q := *q
		c.Requests[id] = &q
	}
	for at, paid := range s.Outside {
		paid := *paid
		c.Outside[at] = &paid
	}
	for ref, id := range s.Refs {
		c.Refs[ref] = id
	}
	for handle, p := range s.Pins {
		c.Pins[handle] = p
	}
	for at, reason := range s.Noted {
		c.Noted[at] = reason
	}
	for grant, rules := range s.Rules {
		c.Rules[grant] = slices.Clone(rules)
	}
	for key, r := range s.Reissues {
		c.Reissues[key] = r
	}
	maps.Copy(c.Names, s.Names)
	for key, list := range s.Settled {
		c.Settled[key] = slices.Clone(list)
	}
	c.LastPayment, c.LastRun, c.LastFound, c.LastRequest = s.LastPayment, s.LastRun, s.LastFound, s.LastRequest
	return c
}

// real is the real store: a SQLite file in a folder of its own.
type real struct{ folder string }

const realName = "ledger.db"

func newReal(parent string, first []ledger.Event) (*real, error) {
	folder, err := os.MkdirTemp(parent, "ledger")
	if err != nil {
		return nil, err
	}
	d := &real{folder}
	s, err := sqlite.Create(context.Background(), d.path(), first)
	if err != nil {
		return nil, err
	}
	return d, s.Close()
}

func (d *real) path() string { return filepath.Join(d.folder, realName) }

// open takes the lock from whoever has it, as if somebody had removed the lock
// file: correctness must not depend on it.
func (d *real) open() (file, error) {
	if err := os.Remove(d.path() + ".lock"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	s, err := sqlite.Open(context.Background(), d.path())
	if err != nil {
		return nil, err
	}
	return realFile{s}, s.Lock(context.Background(), "sim")
}

// backup copies the file while nobody writes.
func (d *real) backup() (backup, error) {
	b, err := os.ReadFile(d.path())
	return func() (disk, error) {
		folder, err := os.MkdirTemp(filepath.Dir(d.folder), "ledger")
		if err != nil {
			return nil, err
		}
		restored := &real{folder}
		return restored, os.WriteFile(restored.path(), b, 0o600)
	}, err
}

// damage alters a record in the file, wherever its text stands: pages that were
// split keep old copies.
func (d *real) damage(n func(int) int, torn bool) error {
	s, err := sqlite.Open(context.Background(), d.path())
	if err != nil {
		return err
	}
	var bodies [][]byte
	err = s.Records(context.Background(), func(r ledger.Record) error {
		bodies = append(bodies, r.Body)
		return nil
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	content, err := os.ReadFile(d.path())
	if err != nil {
		return err
	}
	// Only the first part of a long text stands in one piece.
	text := bodies[n(len(bodies))]
	short := text[:min(len(text), 400)]
	broken := bytes.Clone(short)
	alter(broken, n, torn)
	if !bytes.Contains(content, short) {
		return fmt.Errorf("no page holds %q", short)
	}
	return os.WriteFile(d.path(), bytes.ReplaceAll(content, short, broken), 0o600)
}

func (d *real) audit() (*ledger.State, error) {
	s, err := sqlite.Open(context.Background(), d.path())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if _, err := s.Verify(context.Background()); err != nil {
		return nil, err
	}
	return s.LoadFull(context.Background())
}

// close keeps the folder: a backup in it may be restored later.
func (d *real) close() error { return nil }

type realFile struct{ store *sqlite.Store }

func (f realFile) load() (*ledger.State, error) { return f.store.Load(context.Background()) }
func (f realFile) close() error                 { return f.store.Close() }

func (f realFile) append(events []ledger.Event) error {
	return f.store.Append(context.Background(), events)
}
