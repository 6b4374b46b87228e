package firewall

import (
	"fmt"

	"github.com/fragplan/fragplan/ton"
)

// Approved is what a whole wallet message must be.
type Approved struct {
	Wallet    ton.Wallet
	Seqno     uint32
	Now       uint32         // the proven chain's time, Unix seconds
	Latest    uint32         // the message must expire no later; Unix seconds
	Transfers []ton.Transfer // each of them passed Check, in this order
}

// CheckPayload reports why the message must not be signed, as a *Refusal, or
// nil if it makes exactly the approved transfers, each in send mode 3, from
// the approved wallet at the approved seqno. A message without transfers is
// right where none are approved: it only uses the seqno up.
func CheckPayload(p ton.Payload, want Approved) error {
	const rule = "a message must hold what was approved and nothing else"
	no := func(expected, received string) error {
		return &Refusal{Code: WrongPayload, Rule: rule, Expected: expected, Received: received}
	}
	c, err := p.Encode()
	if err != nil {
		return no("a message that encodes", err.Error())
	}
	// The bits are judged, not the fields that they were made from. Only
	// messages whose sends are all in mode 3 parse.
	if p, err = ton.ParsePayload(p.Wallet, c); err != nil {
		return no("a message that parses", err.Error())
	}
	switch {
	case p.Wallet != want.Wallet.Version || p.WalletID != want.Wallet.ID():
		return no(fmt.Sprintf("%s wallet %d", want.Wallet.Version, want.Wallet.ID()), fmt.Sprintf("%s wallet %d", p.Wallet, p.WalletID))
	case p.Seqno != want.Seqno:
		return no(fmt.Sprintf("seqno %d", want.Seqno), fmt.Sprint(p.Seqno))
	case p.ValidUntil <= want.Now || p.ValidUntil > want.Latest:
		return no(fmt.Sprintf("expiry after %d and not after %d", want.Now, want.Latest), fmt.Sprint(p.ValidUntil))
	case len(p.Transfers) != len(want.Transfers):
		return no(fmt.Sprintf("%d transfers", len(want.Transfers)), fmt.Sprint(len(p.Transfers)))
	}
	for i, t := range p.Transfers {
		w := want.Transfers[i]
		got, err := t.BodyHash()
		if err != nil {
			return no("a body", err.Error())
		}
		approved, err := w.BodyHash()
		if err != nil {
			return no("an approved body", err.Error())
		}
		if t.To != w.To || t.Bounce != w.Bounce || t.Amount != w.Amount || t.Amount <= 0 || got != approved {
			return no(fmt.Sprintf("transfer %d: %s TON to %s with body %s", i, w.Amount, w.To, approved),
				fmt.Sprintf("%s TON to %s with body %s", t.Amount, t.To, got))
		}
	}
	return nil
}

// Fees is the allowance for the network's fees of a message with so many
// transfers: what is kept back for it, and what plans count as its worst case.
// Measured costs are 1.42 mTON a transfer and 3 mTON a message.
func Fees(transfers int) ton.Nano { return ton.Nano(transfers)*1_500_000 + 10_000_000 }

// JettonFee is what comes to that for each transfer that pays in USDT: its body
// is larger. Measured costs are 1.96 mTON a transfer.
const JettonFee ton.Nano = 700_000

// CheckFees reports why a message must not be signed that would cost those
// fees, as a *Refusal, or nil if they are within the allowance. So many of its
// transfers pay in USDT.
func CheckFees(fees ton.Nano, transfers, inUSDT int) error {
	if most := Fees(transfers) + ton.Nano(inUSDT)*JettonFee; fees < 0 || fees > most {
		return refuse(FeeAllowance, "the network's fees must be within their allowance", "at most "+most.String()+" TON", "%s TON", fees)
	}
	return nil
}
