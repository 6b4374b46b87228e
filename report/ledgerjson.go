package report

import (
	"io"
	"maps"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

type jsonOrder struct {
	Order       int64       `json:"order"`
	Key         string      `json:"key"`
	Generation  int         `json:"generation"`
	Part        int         `json:"part"`
	Run         int64       `json:"run"`
	Person      string      `json:"person"`
	Handle      string      `json:"handle"` // without @
	Product     string      `json:"product"`
	Quantity    int64       `json:"quantity"` // Stars, months or whole TON
	Phase       string      `json:"phase"`
	Spent       bool        `json:"spent"` // its money has left the wallet
	Reason      string      `json:"reason,omitempty"`
	Max         *jsonAmount `json:"max"`
	Price       *jsonAmount `json:"price,omitempty"` // of the newest offer
	Ref         string      `json:"ref,omitempty"`
	Payment     int64       `json:"payment,omitempty"`
	Request     int64       `json:"request,omitempty"`     // by which a person was asked to pay it
	Time        uint32      `json:"time,omitempty"`        // Unix seconds of the block that paid it
	Transaction string      `json:"transaction,omitempty"` // its hash
	Evidence    string      `json:"evidence,omitempty"`    // of delivery: history, page or person
	Listed      uint32      `json:"listed,omitempty"`      // Unix seconds of the row of Fragment's list that is the evidence
}

type jsonPin struct {
	Handle string `json:"handle"`          // without @
	Name   string `json:"name"`            // the display name; hostile
	Photo  string `json:"photo,omitempty"` // hash of the picture's place
	Order  int64  `json:"order"`           // with whose offer it was recorded
	Reason string `json:"reason"`
}

type jsonLedger struct {
	FormatVersion string      `json:"format_version"`
	Ledger        string      `json:"ledger"`
	Orders        []jsonOrder `json:"orders"` // the oldest first
	People        []jsonPin   `json:"people"` // how Fragment showed them, by handle
}

// LedgerJSON writes every order that the ledger ever held, oldest first, and
// how Fragment showed the people, by handle: one object with format_version,
// ledger, orders and people, on one line of ASCII.
func LedgerJSON(w io.Writer, state *ledger.State) error {
	orders := []jsonOrder{}
	for id := ledger.OrderID(1); id <= state.LastOrder; id++ {
		o := state.Orders[id]
		if o == nil {
			continue
		}
		j := jsonOrder{
			Order: int64(o.ID), Key: o.Key, Generation: o.Generation, Part: o.Part, Run: int64(o.Run), Person: o.Person, Handle: o.Handle,
			Product: string(o.Item.Kind), Quantity: o.Item.Quantity, Phase: string(o.Phase), Spent: o.Phase.Spent(), Reason: o.Reason,
			Max: amount(o.Cap), Payment: int64(o.Payment), Request: int64(o.Request), Time: o.Time, Evidence: o.Evidence, Listed: o.Row.Time,
		}
		if o.Invoice != nil {
			j.Price, j.Ref = amount(o.Invoice.Price), o.Invoice.Ref
		}
		if o.Settled != (ton.Position{}) {
			j.Transaction = o.Settled.Hash.String()
		}
		orders = append(orders, j)
	}
	people := []jsonPin{}
	for _, handle := range slices.Sorted(maps.Keys(state.Pins)) {
		p := state.Pins[handle]
		j := jsonPin{Handle: handle, Name: p.Name, Order: int64(p.Order), Reason: p.Reason}
		if !p.Photo.IsZero() {
			j.Photo = p.Photo.String()
		}
		people = append(people, j)
	}
	return writeJSON(w, jsonLedger{JSONFormat, state.Ledger, orders, people})
}
