package market

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

// prices turns dollars into TON. Prices in TON have 4 decimals.
type prices struct {
	rate    int64 // micro-USD of one TON
	version int   // grows with every move; at least 1
}

// starMicro is the price of one Star in micro-USD.
const starMicro = 15_000

// premiumMicro are the prices of Premium, by months, in micro-USD.
var premiumMicro = map[int64]int64{3: 11_990_000, 6: 15_990_000, 12: 28_990_000}

const baseRate = 1_627_250 // 50 Stars are 0.4609 TON

// newPrices gives seed 0 the base rate and others one within 2 %.
func newPrices(seed int64) prices {
	rate := int64(baseRate)
	if seed != 0 {
		rate += int64(uint64(seed)*0x9e3779b97f4a7c15>>33)%65_091 - 32_545
	}
	return prices{rate, 1}
}

// move changes all prices in TON by basis points.
func (p prices) move(bp int64) prices {
	return prices{max(1, p.rate*10_000/(10_000+bp)), p.version + 1}
}

// ton is a price in TON, rounded to 4 decimals.
func (p prices) ton(micro int64) ton.Nano {
	return ton.Nano((micro*10_000+p.rate/2)/p.rate) * (ton.TON / 10_000)
}

// dh is the number by which a page says which prices it shows.
func (p prices) dh() int64 { return 1_000_000_000 + p.rate + int64(p.version)*10_000_019%1_000_000_000 }

func (p prices) rateText() string { return fmt.Sprintf("%d.%02d", p.rate/1_000_000, p.rate/10_000%100) }

// thousands puts commas into the whole part of a decimal number.
func thousands(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if frac != "" {
		whole += "." + frac
	}
	return whole
}

// priceHTML is a price as pages show it: TON large, dollars small.
func (p prices) priceHTML(micro int64) string {
	whole, frac, ok := strings.Cut(thousands(p.ton(micro).String()), ".")
	if ok {
		whole += `<span class="mini-frac">.` + frac + `</span>`
	}
	return `<div class="tm-value icon-before icon-ton">` + whole + `</div><div class="tm-radio-desc wide-only">` + dollars(micro) + `</div>`
}

func dollars(micro int64) string {
	return "&#036;" + thousands(strconv.FormatInt(micro/1_000_000, 10)+fmt.Sprintf(".%02d", micro/10_000%100))
}

func (p prices) starOptions() string {
	var b strings.Builder
	b.WriteString(`<div class="tm-form-radio-items js-stars-options">`)
	for _, n := range []int64{50, 75, 100, 150, 250, 350, 500, 750, 1000, 1500, 2500, 5000, 10000, 25000, 35000, 50000, 100000, 150000, 500000, 1000000} {
		fmt.Fprintf(&b, `<label class="tm-form-radio-item"><input type="radio" name="stars" value="%d"><span class="tm-radio-label">%s Stars</span>%s</label>`,
			n, thousands(strconv.FormatInt(n, 10)), p.priceHTML(n*starMicro))
	}
	b.WriteString(`</div>`)
	return b.String()
}

func (p prices) premiumOptions() string {
	var b strings.Builder
	for _, o := range []struct {
		months       int64
		label, badge string
	}{{12, "1 year", "-39%"}, {6, "6 months", "-33%"}, {3, "3 months", ""}} {
		fmt.Fprintf(&b, `<label class="tm-form-radio-item"><input type="radio" name="months" value="%d"><span class="tm-radio-label">%s`, o.months, html.EscapeString(o.label))
		if o.badge != "" {
			fmt.Fprintf(&b, `<span class="tm-radio-label-badge">%s</span>`, o.badge)
		}
		fmt.Fprintf(&b, `</span>%s</label>`, p.priceHTML(premiumMicro[o.months]))
	}
	return b.String()
}
