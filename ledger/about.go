package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
)

// About reports whether a record of this state's past belongs to the story of
// a key: it names the key, also by an earlier name, one of its orders, or a
// payment of one.
// It goes by what the fields of all events are called, whatever the event.
func (s *State) About(r Record, key string) (bool, error) {
	var names struct {
		Key     string    `json:"key"`
		From    string    `json:"from"`
		Order   OrderID   `json:"order"`
		Orders  []OrderID `json:"orders"`
		Paid    []OrderID `json:"paid"`
		Sent    []OrderID `json:"sent"`
		Payment PaymentID `json:"payment"`
	}
	if err := json.Unmarshal(r.Body, &names); err != nil {
		return false, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	orders := slices.Concat(names.Orders, names.Paid, names.Sent, []OrderID{names.Order})
	if p := s.Payments[names.Payment]; p != nil {
		orders = append(orders, p.Orders...)
	}
	for _, name := range []string{names.Key, names.From} {
		if name != "" && s.Now(name) == key {
			return true, nil
		}
	}
	return slices.ContainsFunc(orders, func(id OrderID) bool {
		o := s.Orders[id]
		return o != nil && o.Key == key
	}), nil
}
