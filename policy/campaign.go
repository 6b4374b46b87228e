package policy

import (
	"fmt"

	"github.com/fragplan/fragplan/ton"
)

// A Campaign is several grants that must not cost more than a budget together.
type Campaign struct {
	Name   string
	Grants []string `json:"-"`          // which those are is judged line by line
	Max    []Rate   `json:",omitempty"` // empty means that it is not limited
}

// Of is the budget in an asset. One that isn't listed is 0, for good.
func (c Campaign) Of(asset ton.Asset) Rate { return ratesOf(c.Max, asset)[0] }

// Over is why a campaign can't pay for something more, or nil: what was used
// already and what it takes are of one asset.
func (c Campaign) Over(used, want ton.Amount) error {
	b := c.Of(want.Asset)
	if len(c.Max) == 0 || want.Units <= b.Max.Units && used.Units <= b.Max.Units-want.Units {
		return nil
	}
	return fmt.Errorf("the budget of campaign %s is %s, of which %s is used, and this takes up to %s", c.Name, b, used, want)
}
