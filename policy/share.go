package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

// A Share is a part of an amount, in hundredths of a percent.
type Share int64

// String prints the share as it stands in YAML.
func (s Share) String() string {
	text := fmt.Sprintf("%d.%02d", s/100, s%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// ParseShare reads "5%" or "0.25%", up to 100%.
func ParseShare(text string) (Share, error) {
	digits, percent := strings.CutSuffix(text, "%")
	whole, part, _ := strings.Cut(digits, ".")
	if strings.Trim(whole+part, "0123456789") == "" && percent && len(whole) > 0 && len(whole) < 4 && len(part) < 3 && !strings.HasSuffix(digits, ".") {
		if n, err := strconv.ParseInt(whole+part+"00"[len(part):], 10, 64); err == nil && n <= 10_000 {
			return Share(n), nil
		}
	}
	return 0, fmt.Errorf("%q is no share; write 5%% or 0.25%%, up to 100%%", text)
}

// Above is an amount and so much more, rounded down.
func (s Share) Above(a ton.Amount) ton.Amount {
	more := a.Units/10_000*int64(s) + a.Units%10_000*int64(s)/10_000
	a.Units += min(more, math.MaxInt64-a.Units)
	return a
}

// Slipped is the error of an offer that is dearer than the plan allows.
type Slipped struct {
	Share          Share
	Planned, Asked ton.Amount
}

func (e *Slipped) Error() string {
	return fmt.Sprintf("the plan was made at %s, limits.slippage allows %s more, and Fragment asks %s now: plan again, or raise limits.slippage in a reviewed commit", e.Planned, e.Share, e.Asked)
}

// CheckSlippage returns nil if an offer may be accepted whose price the plan
// knew, and *Slipped if not.
func (l Limits) CheckSlippage(planned, asked ton.Amount) error {
	if l.Slippage == 0 || asked.Asset == planned.Asset && asked.Units <= l.Slippage.Above(planned).Units {
		return nil
	}
	return &Slipped{l.Slippage, planned, asked}
}

// Left is what must stay in the wallet of an asset.
func (l Limits) Left(asset ton.Asset) ton.Amount { return of(l.Balance, asset) }
