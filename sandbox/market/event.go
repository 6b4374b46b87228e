package market

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fragplan/fragplan/ton"
)

// event is one line of the log; exactly one field is set. The state is what
// the events since the first one make of an empty market: nothing else
// changes it, so a replay ends where the process before it did.
type event struct {
	Seed    *int64        `json:"seed,omitempty"`
	Set     *setting      `json:"set,omitempty"`
	Used    string        `json:"used,omitempty"` // a setting with a count was used once
	Session *sessionEvent `json:"session,omitempty"`
	Sync    *syncEvent    `json:"sync,omitempty"`
	Order   *orderEvent   `json:"order,omitempty"`
	Link    *linkEvent    `json:"link,omitempty"`
	Confirm string        `json:"confirm,omitempty"` // request id
	Cancel  string        `json:"cancel,omitempty"`  // request id
	Paid    *paidEvent    `json:"paid,omitempty"`
	Stray   *Stray        `json:"stray,omitempty"`
	Credit  *creditEvent  `json:"credit,omitempty"`
}

type sessionEvent struct {
	ID     string      `json:"id"`
	Wallet ton.Address `json:"wallet"`
}

type syncEvent struct {
	Session string `json:"session"`
	Product string `json:"product"`
	Version int    `json:"version"`
}

type orderEvent struct {
	ID       string   `json:"id"`
	Session  string   `json:"session"`
	Product  string   `json:"product"`
	Handle   string   `json:"handle"`
	Quantity int64    `json:"quantity"`
	Amount   ton.Nano `json:"amount"`
	USDT     int64    `json:"usdt,omitempty"`
}

type linkEvent struct {
	ID    string `json:"id"`
	Ref   string `json:"ref"`
	Until int64  `json:"until"`
}

type paidEvent struct {
	Ref string `json:"ref"`
	LT  uint64 `json:"lt"`
	At  int64  `json:"at"` // Unix seconds of the market's clock
}

type creditEvent struct {
	Ref string `json:"ref"`
	At  int64  `json:"at"`
}

// record writes events in one piece and then lets them happen.
func (m *Market) record(events ...event) error {
	if m.broken != nil {
		return m.broken
	}
	if m.log != nil {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		for _, e := range events {
			if err := enc.Encode(e); err != nil {
				return fmt.Errorf("market log: %w", err)
			}
		}
		if _, err := m.log.Write(b.Bytes()); err != nil {
			m.broken = fmt.Errorf("market log: %w", err)
			return m.broken
		}
	}
	for _, e := range events {
		if err := m.apply(e); err != nil {
			m.broken = err
			return err
		}
	}
	return nil
}

var errUnknown = errors.New("it speaks of something that was never made")

func (m *Market) apply(e event) error {
	switch {
	case e.Seed != nil:
	case e.Set != nil:
		m.applySetting(*e.Set)
	case e.Used != "":
		s := m.settings[e.Used]
		if s.Count--; s.Count <= 0 {
			delete(m.settings, e.Used)
			m.end(s)
		} else {
			m.settings[e.Used] = s
		}
	case e.Session != nil:
		m.sessions[e.Session.ID] = &session{
			number: len(m.sessions) + 1, id: e.Session.ID, wallet: e.Session.Wallet, synced: map[string]int{},
		}
	case e.Sync != nil:
		s := m.sessions[e.Sync.Session]
		if s == nil {
			return errUnknown
		}
		s.synced[e.Sync.Product] = e.Sync.Version
	case e.Order != nil:
		s := m.sessions[e.Order.Session]
		if s == nil {
			return errUnknown
		}
		m.orders[e.Order.ID] = &order{
			id: e.Order.ID, session: s, product: e.Order.Product, handle: e.Order.Handle,
			quantity: e.Order.Quantity, amount: e.Order.Amount, usdt: e.Order.USDT,
		}
	case e.Link != nil:
		o := m.orders[e.Link.ID]
		if o == nil {
			return errUnknown
		}
		if o.ref == "" {
			m.tally(o).linked++
		}
		o.ref, o.until = e.Link.Ref, e.Link.Until
		m.refs[o.ref] = o
	case e.Confirm != "":
		o := m.orders[e.Confirm]
		if o == nil {
			return errUnknown
		}
		if !o.confirmed && o.paid == 0 {
			m.tally(o).unpaidConfirmed++
		}
		if !o.confirmed && o.paid != 0 && !o.credited && m.value("confirm") == "required" {
			m.held = append(m.held, o)
		}
		o.confirmed = true
	case e.Cancel != "":
		o := m.orders[e.Cancel]
		if o == nil {
			return errUnknown
		}
		o.cancelled = true
	case e.Paid != nil:
		o := m.refs[e.Paid.Ref]
		if o == nil {
			return errUnknown
		}
		o.paid, o.paidAt = e.Paid.LT, time.Unix(e.Paid.At, 0)
		m.held = append(m.held, o)
		m.cursor = max(m.cursor, e.Paid.LT)
		t := m.tally(o)
		t.paid++
		if o.confirmed {
			t.unpaidConfirmed--
		}
	case e.Stray != nil:
		m.strays = append(m.strays, *e.Stray)
		m.cursor = max(m.cursor, e.Stray.LT)
	case e.Credit != nil:
		o := m.refs[e.Credit.Ref]
		if o == nil {
			return errUnknown
		}
		m.applyCredit(o, time.Unix(e.Credit.At, 0))
	}
	return nil
}

func (m *Market) applyCredit(o *order, at time.Time) {
	o.credited, o.creditedAt = true, at
	m.tally(o).credited++
	if o.product == Premium {
		from := m.premium[o.handle]
		if from.Before(at) {
			from = at
		}
		m.premium[o.handle] = from.UTC().AddDate(0, int(o.quantity), 0)
	}
	m.sold = append(m.sold, o)
	m.books = append(m.books, Credit{o.handle, o.product, o.quantity, o.ref, o.amount, o.usdt, o.paid, o.session.id})
}

func (m *Market) tally(o *order) *tally {
	key := account{o.session.wallet, o.product}
	t := m.accounts[key]
	if t == nil {
		t = &tally{}
		m.accounts[key] = t
	}
	return t
}

// openLog reads a log and leaves it open at its end, without a torn last line.
func openLog(path string) (*os.File, []event, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	var events []event
	var whole int64
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		var e event
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			f.Close()
			return nil, nil, fmt.Errorf("line %d: %w", len(events)+1, err)
		}
		events = append(events, e)
		whole += int64(len(line))
	}
	if err := f.Truncate(whole); err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, events, nil
}
