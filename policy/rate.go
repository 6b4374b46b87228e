package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ton"
)

// A Period is how long a rate counts before it begins anew, in UTC by the
// chain's time. The empty one never does.
type Period string

// The periods.
const (
	Ever     Period = ""
	PerDay   Period = "day"
	PerMonth Period = "month"
)

// Holds reports whether what left at a time, in Unix seconds, is of the same
// period as now. What may leave at any time has time 0, and is of every period.
func (p Period) Holds(at, now uint32) bool { return p == Ever || at == 0 || at >= p.begin(now) }

func (p Period) begin(now uint32) uint32 {
	t := time.Unix(int64(now), 0).UTC()
	year, month, day := t.Date()
	if p == PerMonth {
		day = 1
	}
	return uint32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix())
}

// A Rate is an amount for good, or for each period.
type Rate struct {
	Max ton.Amount
	Per Period `json:",omitempty"`
}

// String prints the rate as it stands in YAML.
func (r Rate) String() string {
	if r.Per != Ever {
		return r.Max.String() + " per " + string(r.Per)
	}
	return r.Max.String()
}

// ParseRate reads "55 TON", "5 TON per day" or "70 TON per month".
func ParseRate(s string) (Rate, error) {
	text, per, has := strings.Cut(s, " per ")
	r := Rate{Per: Period(per)}
	if has && r.Per != PerDay && r.Per != PerMonth {
		return Rate{}, fmt.Errorf("%q is no period; per day and per month are", per)
	}
	var err error
	r.Max, err = ton.ParseAmount(text)
	return r, err
}

// ratesOf are the rates of one asset; one that isn't listed is limited to 0.
func ratesOf(list []Rate, asset ton.Asset) (rates []Rate) {
	for _, r := range list {
		if r.Max.Asset == asset {
			rates = append(rates, r)
		}
	}
	if len(rates) == 0 {
		rates = []Rate{{Max: ton.Amount{Asset: asset}}}
	}
	return rates
}

func per(list []ton.Amount, p Period) []Rate {
	rates := make([]Rate, len(list))
	for i, a := range list {
		rates[i] = Rate{a, p}
	}
	return rates
}
