package reconcile

import (
	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ton"
)

// armBurn writes the message that cancels a payment: no transfers, the same
// seqno, no later end. From here on the payment itself is not broadcast.
func (s *State) armBurn(p *ledger.Payment, now uint32) bool {
	payload := p.Payload
	payload.Transfers = nil
	payload.ValidUntil = min(now+validity, p.Payload.ValidUntil)
	if now >= payload.ValidUntil {
		return true // it dies by itself
	}
	err := firewall.CheckPayload(payload, firewall.Approved{Wallet: s.wallet, Seqno: p.Seqno, Now: now, Latest: p.Payload.ValidUntil})
	if err != nil {
		s.blind = true
		s.stop(err)
		return false
	}
	return s.record(ledger.BurnArmed{Payment: p.ID, Payload: payload, Reason: s.reason})
}

// pursueBurn is pursue for a payment that is to be cancelled.
func (s *State) pursueBurn(p *ledger.Payment, wait Wait) {
	switch {
	case p.Burn.Message != nil:
		s.notice(Progress{Stage: "burning", Payment: p.ID, Orders: len(p.Orders)})
		s.do(Send{p.Burn.Message}, wait)
	case p.Wallet == s.self && !s.byhand:
		s.do(Sign{Payment: p.ID, Burn: true, Payload: p.Burn.Payload, Deploys: p.Deploys})
	default:
		s.do(wait) // its key is not here: both end at the payment's valid_until
	}
}

// burning takes the signature of a burn.
func (s *State) burning(p *ledger.Payment, message ton.BoC) {
	if p.Phase.Open() && p.Burn != nil && p.Burn.Message == nil && s.record(ledger.BurnSigned{Payment: p.ID, Message: message}) {
		s.pursueBurn(p, Wait{After: s.account.Block, Look: s.look(p.Wallet)})
	}
}
