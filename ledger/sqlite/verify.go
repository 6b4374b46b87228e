package sqlite

import (
	"context"
	"fmt"
	"reflect"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// Verify checks the whole ledger: the file's structure, that its tables and
// triggers are those of this program, the chain of records from the first to
// the newest, and that the tables are what a replay of the events gives. It
// returns the newest record, whose hash then stands for everything before it.
// What doesn't hold is ErrCorrupt.
func (s *Store) Verify(ctx context.Context) (ledger.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var head ledger.Head
	err := s.read(ctx, func() (err error) {
		head, err = s.verify(ctx)
		return err
	})
	if err != nil {
		return ledger.Head{}, err
	}
	return head, nil
}

// What a writer checks before it begins is bounded, so that the time for it
// doesn't grow with the ledger: up to wholeRecords everything, as Verify does,
// and above that the chain of the newest recentRecords.
const (
	wholeRecords  = 1 << 14
	recentRecords = 1 << 15
)

// sound checks what a writer is about to rely on.
func (s *Store) sound(ctx context.Context) error {
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	if head.Seq <= wholeRecords {
		_, err := s.verify(ctx)
		return err
	}
	var last ledger.Record
	return s.log(ctx, head.Seq-recentRecords, func(r ledger.Record) error {
		if r.Hash != r.Link() || last.Seq > 0 && (r.Prev != last.Hash || r.Seq != last.Seq+1) {
			return fmt.Errorf("ledger %s: record %d doesn't follow record %d: %w", s.path, r.Seq, r.Seq-1, ErrCorrupt)
		}
		last = r
		return nil
	})
}

func (s *Store) verify(ctx context.Context) (ledger.Head, error) {
	damage := func(format string, args ...any) error {
		return fmt.Errorf("ledger %s: %w: %w", s.path, ErrCorrupt, fmt.Errorf(format, args...))
	}
	var verdict string
	if err := s.conn.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return ledger.Head{}, s.failed("quick_check", err)
	}
	if verdict != "ok" {
		return ledger.Head{}, damage("%q", verdict)
	}
	want, err := intended()
	if err != nil {
		return ledger.Head{}, err
	}
	has, err := schema(ctx, s.conn)
	if err != nil {
		return ledger.Head{}, s.failed("schema", err)
	}
	if name := altered(has, want); name != "" {
		return ledger.Head{}, damage("its schema was altered: %q is not what fragplan makes", name)
	}
	var head ledger.Head
	replay := ledger.NewState()
	err = s.records(ctx, func(r ledger.Record) error {
		if r.Seq != head.Seq+1 || r.Prev != head.Hash || r.Hash != r.Link() {
			return damage("record %d doesn't follow record %d", r.Seq, head.Seq)
		}
		head = r.Head()
		e, err := ledger.Decode(r.Kind, r.Body)
		if err == nil {
			err = replay.Apply(e)
		}
		if err != nil {
			return damage("record %d: %w", r.Seq, err)
		}
		if r.Epoch != replay.Epoch {
			return damage("record %d is of epoch %d, not %d", r.Seq, r.Epoch, replay.Epoch)
		}
		return nil
	})
	if err != nil {
		return ledger.Head{}, err
	}
	tables, err := s.load(ctx, true)
	if err != nil {
		return ledger.Head{}, err
	}
	if where := differs(replay, tables); where != "" {
		return ledger.Head{}, damage("%s in the tables is not what the log says", where)
	}
	return head, nil
}

// Records yields the log from the first record to the newest, on one
// unchanging view. yield must not call the store.
func (s *Store) Records(ctx context.Context, yield func(ledger.Record) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, func() error { return s.records(ctx, yield) })
}

func (s *Store) records(ctx context.Context, yield func(ledger.Record) error) error {
	return s.log(ctx, 0, yield)
}

// log yields the records after one, the oldest first.
func (s *Store) log(ctx context.Context, after int64, yield func(ledger.Record) error) error {
	var stopped error
	err := s.each(ctx, fmt.Sprintf(`SELECT seq, epoch, time, kind, body, prev, hash FROM event WHERE seq > %d ORDER BY seq`, after), func(r *row) error {
		record := ledger.Record{Seq: r.number(), Epoch: r.number(), Time: r.number(), Kind: r.word(), Body: []byte(r.text()), Prev: r.hash(), Hash: r.hash()}
		if r.err != nil {
			return nil
		}
		stopped = yield(record)
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		return s.failed("event", err)
	}
	return nil
}

// differs names the first difference of two states, "" if there is none.
func differs(a, b *ledger.State) string {
	switch {
	case a.Ledger != b.Ledger || a.Epoch != b.Epoch:
		return "the ledger's id or epoch"
	case a.LastOrder != b.LastOrder || a.LastPayment != b.LastPayment || a.LastRun != b.LastRun || a.LastFound != b.LastFound || a.LastRequest != b.LastRequest:
		return "the newest order, payment, run, found transfer or request"
	case !reflect.DeepEqual(a.Keys(), b.Keys()):
		return "the orders of a key"
	case !reflect.DeepEqual(a.Refs, b.Refs):
		return "a ref"
	case !reflect.DeepEqual(a.Wallets, b.Wallets):
		return "a wallet"
	case !reflect.DeepEqual(a.Runs, b.Runs):
		return "a run"
	case !reflect.DeepEqual(a.Pins, b.Pins):
		return "how Fragment showed a person"
	case !reflect.DeepEqual(a.Founds, b.Founds):
		return "a found transfer"
	case !reflect.DeepEqual(a.Requests, b.Requests):
		return "a request"
	case !reflect.DeepEqual(a.Outside, b.Outside):
		return "a payment from outside"
	case !reflect.DeepEqual(a.Noted, b.Noted):
		return "a transaction that is explained"
	case !reflect.DeepEqual(a.Reissues, b.Reissues):
		return "a reissue"
	case !reflect.DeepEqual(a.Names, b.Names):
		return "the name of a key"
	case !reflect.DeepEqual(a.Settled, b.Settled):
		return "what was given otherwise"
	case !reflect.DeepEqual(a.Rules, b.Rules):
		return "a recurring grant's rule"
	case len(a.Orders) != len(b.Orders) || len(a.Payments) != len(b.Payments):
		return "the number of orders or payments"
	}
	for id := ledger.OrderID(1); id <= a.LastOrder; id++ {
		if !sameOrder(a.Orders[id], b.Orders[id]) {
			return fmt.Sprintf("order %d", id)
		}
	}
	for id := ledger.PaymentID(1); id <= a.LastPayment; id++ {
		if !samePayment(a.Payments[id], b.Payments[id]) {
			return fmt.Sprintf("payment %d", id)
		}
	}
	return ""
}

func sameOrder(a, b *ledger.Order) bool {
	if a == nil || b == nil || (a.Invoice == nil) != (b.Invoice == nil) {
		return a == b
	}
	x, y := *a, *b
	if x.Invoice != nil {
		x.Invoice, y.Invoice = plain(x.Invoice), plain(y.Invoice)
	}
	return reflect.DeepEqual(x, y)
}

func samePayment(a, b *ledger.Payment) bool {
	if a == nil || b == nil || (a.Burn == nil) != (b.Burn == nil) {
		return a == b
	}
	x, y := *a, *b
	if x.Burn != nil {
		if !sameBurn(*x.Burn, *y.Burn) {
			return false
		}
		x.Burn, y.Burn = nil, nil
	}
	return reflect.DeepEqual(x, y)
}

// sameBurn knows that the payload of a burn holds no transfers, however that
// is written.
func sameBurn(a, b ledger.Burn) bool {
	if len(a.Payload.Transfers)+len(b.Payload.Transfers) > 0 {
		return false
	}
	a.Payload.Transfers, b.Payload.Transfers = nil, nil
	return reflect.DeepEqual(a, b)
}

// plain makes an empty body or no params one value: a file can't tell them apart.
func plain(i *ledger.Invoice) *ledger.Invoice {
	p := *i
	if len(p.Transfer.Body) == 0 {
		p.Transfer.Body = ton.BoC(nil)
	}
	if len(p.Params) == 0 {
		p.Params = nil
	}
	return &p
}
