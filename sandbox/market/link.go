package market

import (
	"encoding/json"
	"strconv"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// link answers what is to be paid. Asked again it names the same ref and
// amount with a new time; a paid or cancelled order has no link.
func (m *Market) link(r request) (answer, error) {
	for _, key := range []string{"account", "device"} {
		if v := r.form.Get(key); v != "" && json.Unmarshal([]byte(v), &map[string]any{}) != nil {
			return refuse(errBadRequest)
		}
	}
	o := m.own(r, r.form.Get("id"))
	switch {
	case r.form.Get("transaction") != "1":
		return refuse(errBadRequest)
	case o == nil || o.product != r.product || o.cancelled || o.paid != 0:
		return refuse(errNoOrder)
	}
	if m.value("session") == "kyc" {
		if _, err := m.use("session"); err != nil {
			return nil, err
		}
		return answer{"need_verify": true, "popup": `<div class="popup-container"><button class="js-wallet-check-btn">Verify</button></div>`}, nil
	}
	ref := o.ref
	if ref == "" {
		ref = m.newRef()
	}
	until := r.now.Add(m.duration("valid_for")).Unix()
	if err := m.record(event{Link: &linkEvent{o.id, ref, until}}); err != nil {
		return nil, err
	}
	messages, err := m.messages(o)
	if err != nil {
		return nil, err
	}
	return answer{
		"ok":             true,
		"transaction":    answer{"validUntil": until, "from": m.connected(r.visitor).Raw(), "messages": messages},
		"confirm_method": "confirmReq",
		"confirm_params": answer{"id": o.id},
	}, nil
}

// foreign is where links send money that ask for it to go astray: nobody has
// its key.
var foreign = ton.Address{Account: [32]byte{0xbd, 31: 1}}

// messages are what a link asks to sign: one message, and what link_extra adds
// to it.
func (m *Market) messages(o *order) ([]answer, error) {
	one, err := m.message(o)
	if err != nil {
		return nil, err
	}
	extra, err := m.use("link_extra")
	if err != nil {
		return nil, err
	}
	switch extra {
	case "message":
		return []answer{one, {"address": foreign.String(), "amount": strconv.FormatInt(int64(ton.TON), 10), "payload": one["payload"]}}, nil
	case "state_init":
		one["stateInit"] = EncodePayload(deployment, m.on("padded"))
	}
	return []answer{one}, nil
}

// message is what pays an order. A fault of the sum is one of what is paid, in
// TON or in USDT; one of the address and the payload is of the message itself,
// but that the comment of USDT stands inside the transfer.
func (m *Market) message(o *order) (answer, error) {
	comment, fault, err := m.comment(o)
	if err != nil {
		return nil, err
	}
	amount, usdt, err := m.asked(o)
	if err != nil {
		return nil, err
	}
	to, bounce, body := Collector, false, comment
	if o.usdt > 0 {
		if to, amount, body, err = m.usdtMessage(o, usdt, comment); err != nil {
			return nil, err
		}
		bounce = true // a failure sends the gas back
	}
	wrong, err := m.use("link_address")
	if err != nil {
		return nil, err
	}
	switch wrong {
	case "foreign":
		to = foreign
	case "bouncing":
		// No contract stands at the collector, so what may come back does. A
		// jetton wallet is asked in this form anyway.
		bounce = true
	}
	payload := EncodePayload(body, m.on("padded"))
	switch fault {
	case "corrupt":
		payload = corruptPayload
	case "actions":
		payload = EncodePayload(walletActions(), m.on("padded"))
	}
	return answer{"address": to.TLB().Bounce(bounce).String(), "amount": strconv.FormatInt(int64(amount), 10), "payload": payload}, nil
}

// asked is how much a link asks for: one of the two, as the order has it.
func (m *Market) asked(o *order) (ton.Nano, int64, error) {
	amount, usdt := o.amount, o.usdt
	fault, err := m.use("link_amount")
	switch fault {
	case "wrong":
		amount, usdt = astray(amount, 1), astray(usdt, 1)
	case "less":
		amount, usdt = astray(amount, -1), astray(usdt, -1)
	}
	return amount, usdt, err
}

// astray moves a sum by one in a hundred, and by one; none stays none.
func astray[N ton.Nano | int64](sum, sign N) N {
	if sum == 0 {
		return 0
	}
	return sum + sign*(sum/100+1)
}

// comment is the body by which a payment is known, and which fault of payloads
// acts.
func (m *Market) comment(o *order) (*cell.Cell, string, error) {
	ref := o.ref
	if old := m.lastPaid(); old != nil {
		fault, err := m.use("link_ref")
		if err != nil {
			return nil, "", err
		}
		if fault == "reused" {
			ref = old.ref
		}
	}
	fault, err := m.use("payload")
	switch fault {
	case "binary":
		return cell.BeginCell().MustStoreUInt(0x0f8a7ea5, 32).MustStoreUInt(0, 64).EndCell(), fault, err
	case "other_text":
		return CommentCell(Comment(o.product, o.quantity+1, ref)), fault, err
	}
	return CommentCell(Comment(o.product, o.quantity, ref)), fault, err
}

// lastPaid is the order that was paid last, or nil.
func (m *Market) lastPaid() (last *order) {
	for _, o := range m.orders {
		if o.paid != 0 && (last == nil || o.paid > last.paid) {
			last = o
		}
	}
	return last
}

// newRef derives the ref of the next order that gets one.
func (m *Market) newRef() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for n := len(m.refs); ; n++ {
		d := m.derive("ref", strconv.Itoa(n))
		b := make([]byte, 9)
		for i := range b {
			b[i] = alphabet[(int(d[2*i])<<8|int(d[2*i+1]))%len(alphabet)]
		}
		if m.refs[string(b)] == nil {
			return string(b)
		}
	}
}
