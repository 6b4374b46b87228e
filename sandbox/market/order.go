package market

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

func (m *Market) search(r request) (answer, error) {
	handle, ok := m.handleOf(r.form.Get("query"))
	if !ok {
		return refuse(errNobody)
	}
	if text := m.refusal(r.product, handle); text != "" {
		return refuse(text)
	}
	return answer{"ok": true, "found": m.found(handle)}, nil
}

func (m *Market) quote(r request) (answer, error) {
	n, ok := starCount(r.form.Get("quantity"))
	if !ok {
		return refuse("Quantity is invalid") // nobody has seen the real text
	}
	return answer{"ok": true, "cur_price": m.prices.priceHTML(n * starMicro), "options_html": m.prices.starOptions(), "dh": m.prices.dh()}, nil
}

// state shows the session the prices of now, and tells how its orders stand:
// done when all that were paid or confirmed are credited.
func (m *Market) state(r request) (answer, error) {
	if r.session.synced[r.product] != m.prices.version {
		if err := m.record(event{Sync: &syncEvent{r.session.id, r.product, m.prices.version}}); err != nil {
			return nil, err
		}
	}
	mode, again := r.form.Get("mode"), false
	lv := 0
	if t := m.accounts[account{r.session.wallet, r.product}]; t != nil {
		lv = t.credited
		if mode != "new" {
			waiting := t.paid - t.credited + t.unpaidConfirmed
			switch {
			case waiting == 0 && t.credited > 0:
				mode = "done"
			case t.linked > 0:
				mode, again = "processing", true
			default:
				mode = "new"
			}
		}
	} else {
		mode = "new"
	}
	return answer{"ok": true, "mode": mode, "need_update": again, "lv": lv, "dh": m.prices.dh()}, nil
}

func (m *Market) init(r request) (answer, error) {
	payment := r.form.Get("payment_method")
	switch {
	case payment == "" && r.product != TopUp && m.on("strict_payment_method"):
		return refuse(errAccess)
	case payment != "" && payment != payTON && (payment != payUSDT || m.opt.JettonWallet == nil):
		return refuse(errAccess) // other money isn't taken here
	}
	handle, ok := m.recipient(r.form.Get("recipient"))
	if !ok {
		return refuse(errBadRequest)
	}
	if text := m.refusal(r.product, handle); text != "" {
		return refuse(text)
	}
	quantity, amount, text := m.price(r)
	usdt := int64(0)
	if payment == payUSDT {
		amount = 0
		quantity, usdt, text = m.usdtPrice(r)
	}
	if text != "" {
		return refuse(text)
	}
	synced := r.session.synced[r.product]
	if m.on("require_state_sync") && (synced == 0 || synced != m.prices.version && r.product != TopUp) {
		return refuse(errMoved)
	}
	if m.value("price") == "changed" {
		if _, err := m.use("price"); err != nil {
			return nil, err
		}
		return refuse(errMoved)
	}
	digest := m.derive("request", strconv.Itoa(len(m.orders)))
	id := fmt.Sprintf("%x", digest[:16])
	if err := m.record(event{Order: &orderEvent{id, r.session.id, r.product, handle, quantity, amount, usdt}}); err != nil {
		return nil, err
	}
	shown := amount.String()
	if usdt > 0 {
		shown = usdtText(usdt)
	}
	if m.on("commas") {
		shown = thousands(shown)
	}
	a := answer{"req_id": id, "myself": false, "to_bot": false, "amount": shown}
	if r.product == TopUp {
		a["ok"] = true
	}
	return a, nil
}

// price is what a request is for and costs, or an error text.
func (m *Market) price(r request) (quantity int64, amount ton.Nano, text string) {
	switch r.product {
	case Stars:
		n, ok := starCount(r.form.Get("quantity"))
		if !ok {
			return 0, 0, "Quantity is invalid"
		}
		return n, m.prices.ton(n * starMicro), ""
	case Premium:
		months, _ := strconv.ParseInt(r.form.Get("months"), 10, 8)
		if premiumMicro[months] == 0 {
			return 0, 0, errBadRequest
		}
		return months, m.prices.ton(premiumMicro[months]), ""
	}
	n, err := strconv.ParseUint(r.form.Get("amount"), 10, 31)
	if err != nil || n < 1 || n > 1_000_000_000 {
		return 0, 0, "Amount is invalid"
	}
	return int64(n), ton.Nano(n) * ton.TON, ""
}

func starCount(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int64(n), err == nil && n >= 50 && n <= 10_000_000
}

// own finds an order of the sender's wallet, from this session or an older one.
func (m *Market) own(r request, id string) *order {
	o := m.orders[id]
	if o == nil || o.session.wallet != r.session.wallet {
		return nil
	}
	return o
}

// confirm notes that the buyer says it has paid. It may be repeated.
func (m *Market) confirm(r request) (answer, error) {
	if m.value("confirm") == "refused" {
		if _, err := m.use("confirm"); err != nil {
			return nil, err
		}
		return answer{"ok": false, "error": errNoOrder}, nil
	}
	o := m.own(r, r.form.Get("id"))
	switch {
	case o == nil || o.ref == "":
		return answer{"ok": false, "error": errNoOrder}, nil
	case strings.TrimSpace(r.form.Get("boc")) == "":
		return refuse(errBadRequest)
	}
	if !o.confirmed {
		if err := m.record(event{Confirm: o.id}); err != nil {
			return nil, err
		}
		if err := m.deliver(r.now); err != nil {
			return nil, err
		}
	}
	return answer{"ok": true}, nil
}

func (m *Market) cancel(r request) (answer, error) {
	o := m.own(r, r.form.Get("req_id"))
	if o == nil || o.paid != 0 {
		return refuse(errNoOrder)
	}
	if !o.cancelled {
		if err := m.record(event{Cancel: o.id}); err != nil {
			return nil, err
		}
	}
	return answer{"ok": true}, nil
}

func (m *Market) repeat(request) (answer, error) { return answer{"ok": true}, nil }
