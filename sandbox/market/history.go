package market

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serveHistory lists what an account bought, in the shape in which the public
// parsers of these pages expect it. Who isn't signed in is sent away. Nobody has
// said whether Fragment lists an order before it is handed over; here it is
// listed with its credit.
func (m *Market) serveHistory(w http.ResponseWriter, r *http.Request) {
	page := histories[r.URL.Path]
	var bought []*order
	v, ok := m.visit(w, r, func(v visitor) (err error) {
		if v.login {
			bought, err = m.bought(v.session, page.product)
		}
		return err
	})
	switch {
	case !ok:
		return
	case !v.login:
		http.Redirect(w, r, "/", http.StatusFound)
		return
	case page.product == TopUp && r.URL.Query().Get("type") != "topup":
		bought = nil // the other kinds of the page are not sold here
	}
	if r.URL.Query().Get("sort") != "asc" {
		slices.Reverse(bought)
	}
	var b strings.Builder
	b.WriteString(`<table class="table tm-table"><thead><tr><th>Recipient</th><th>Quantity</th><th>Price</th><th>Date</th></tr></thead><tbody>`)
	for _, o := range bought {
		b.WriteString(o.row())
	}
	b.WriteString(`</tbody></table>`)
	v.write(w, r, page.title, b.String())
}

// bought is what the session's wallet was credited for, the oldest first, with
// the fault that is set.
func (m *Market) bought(s *session, product string) ([]*order, error) {
	if err := m.poll(); err != nil {
		return nil, err
	}
	fault, err := m.use("history")
	if err != nil {
		return nil, err
	}
	now := m.opt.Clock()
	var list []*order
	for _, o := range m.sold {
		if o.session.wallet != s.wallet || o.product != product || fault == "late" && now.Before(o.creditedAt.Add(late)) {
			continue
		}
		list = append(list, o)
		if fault == "repeated" {
			list = append(list, o)
		}
	}
	switch {
	case fault == "missing" && len(list) > 0:
		list = list[:len(list)-1]
	case fault == "shuffled":
		slices.SortStableFunc(list, func(a, b *order) int {
			x, y := m.derive("shuffle", a.ref), m.derive("shuffle", b.ref)
			return bytes.Compare(x[:], y[:])
		})
	}
	return list, nil
}

// row is one line of the table.
func (o *order) row() string {
	handle := html.EscapeString(o.handle)
	recipient, what := `<span class="tm-inline-nowrap">@`+handle+`</span>`, ""
	switch o.product {
	case Stars:
		what = `<td><div class="tm-value tm-nowrap">` + thousands(strconv.FormatInt(o.quantity, 10)) + `</div></td>`
	case Premium:
		length := fmt.Sprintf("%d months", o.quantity)
		if o.quantity == 12 {
			length = "1 year"
		}
		what = `<td><div class="tm-nowrap">` + length + `</div></td>`
	case TopUp:
		recipient = `<a href="https://t.me/` + handle + `" target="_blank">@` + handle + `</a>`
	}
	price, coin := thousands(o.amount.String()), "icon-ton"
	if o.usdt > 0 {
		price, coin = thousands(usdtText(o.usdt)), "icon-usdt"
	}
	if whole, frac, ok := strings.Cut(price, "."); ok {
		price = whole + `<span class="mini-frac">.` + frac + `</span>`
	}
	at := o.creditedAt.UTC()
	return fmt.Sprintf(`<tr><td><div class="table-cell">%s</div></td>%s<td><div class="tm-value icon-before %s">%s</div></td>`+
		`<td><div class="table-cell"><time datetime="%s" data-relative="text">%s</time></div></td></tr>`,
		recipient, what, coin, price, at.Format(time.RFC3339), at.Format("2 Jan 2006 at 15:04"))
}
