package policy

import "github.com/fragplan/fragplan/ton"

// Approvals say how many people must have signed a plan before it is applied.
type Approvals struct {
	Signers string   // the file of those who may, in the project's folder
	Quorum  []Quorum // at least one
}

// A Quorum is how many signatures a plan needs that may cost more than an
// amount.
type Quorum struct {
	Above ton.Amount
	Count int
}

// Needs is how many people must sign what may cost so much, one amount an asset.
// For an asset that isn't listed it is the largest number that is.
func (a Approvals) Needs(cost []ton.Amount) (n int) {
	for _, c := range cost {
		listed, most := false, 0
		for _, q := range a.Quorum {
			most = max(most, q.Count)
			if q.Above.Asset == c.Asset {
				listed = true
				if c.Units > q.Above.Units {
					n = max(n, q.Count)
				}
			}
		}
		if !listed && c.Units > 0 {
			n = max(n, most)
		}
	}
	return n
}
