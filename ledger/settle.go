package ledger

import (
	"fmt"
	"slices"

	"github.com/fragplan/fragplan/ton"
)

func (s *State) applyPayment(e Event) error {
	switch e := e.(type) {
	case PaymentArmedEvent:
		return s.arm(e)
	case PaymentSignedEvent:
		p := s.Payments[e.Payment]
		if p == nil || p.Phase != PaymentArmed || len(e.Message) == 0 {
			return fmt.Errorf("payment %d: %w", e.Payment, ErrTransition)
		}
		p.Phase, p.Message = PaymentSigned, e.Message
		return nil
	case PaymentExecutedEvent:
		return s.execute(e)
	case PaymentDeadEvent:
		return s.bury(e)
	case BurnArmed:
		return s.armBurn(e)
	case BurnSigned:
		p := s.Payments[e.Payment]
		if p == nil || !p.Phase.Open() || p.Burn == nil || p.Burn.Message != nil || len(e.Message) == 0 {
			return fmt.Errorf("payment %d: %w", e.Payment, ErrTransition)
		}
		p.Burn.Message = e.Message
		return nil
	}
	return fmt.Errorf("unknown event %T: %w", e, ErrTransition)
}

// armBurn takes a message that can do nothing but take the payment's seqno,
// and that ends no later than the payment itself.
func (s *State) armBurn(e BurnArmed) error {
	p := s.Payments[e.Payment]
	switch {
	case p == nil || !p.Phase.Open() || p.Burn != nil || e.Reason == "":
		return fmt.Errorf("payment %d: %w", e.Payment, ErrTransition)
	case len(e.Payload.Transfers) > 0 || e.Payload.Seqno != p.Seqno || e.Payload.ValidUntil > p.Payload.ValidUntil || e.Payload.Wallet != p.Payload.Wallet || e.Payload.WalletID != p.Payload.WalletID:
		return fmt.Errorf("payment %d: the burn is not one of its seqno: %w", e.Payment, ErrTransition)
	}
	hash, err := e.Payload.Hash()
	if err != nil {
		return err
	}
	p.Burn = &Burn{Payload: e.Payload, Hash: hash, Reason: e.Reason}
	return nil
}

func (s *State) arm(e PaymentArmedEvent) error {
	if e.Payment != s.LastPayment+1 {
		return fmt.Errorf("payment %d after %d: %w", e.Payment, s.LastPayment, ErrTransition)
	}
	if len(e.Orders) == 0 || len(e.Orders) != len(e.Payload.Transfers) {
		return fmt.Errorf("payment %d: %d orders, %d transfers: %w", e.Payment, len(e.Orders), len(e.Payload.Transfers), ErrTransition)
	}
	for _, p := range s.Payments {
		if p.Wallet != e.Wallet {
			continue
		}
		if p.Phase.Open() {
			return fmt.Errorf("payment %d of the same wallet is open: %w", p.ID, ErrTransition)
		}
		if p.Phase == PaymentExecuted && p.Seqno == e.Payload.Seqno {
			return fmt.Errorf("payment %d was executed at seqno %d: %w", p.ID, p.Seqno, ErrTransition)
		}
	}
	for i, id := range e.Orders {
		o := s.Orders[id]
		if o == nil || o.Phase != Quoted || o.Wallet != e.Wallet || slices.Contains(e.Orders[:i], id) {
			return fmt.Errorf("order %d is not quoted for this wallet, or twice in it: %w", id, ErrTransition)
		}
		if !o.Invoice.Transfer.Equal(e.Payload.Transfers[i]) {
			return fmt.Errorf("order %d: the transfer is not its invoice's: %w", id, ErrTransition)
		}
	}
	hash, err := e.Payload.Hash()
	if err != nil {
		return err
	}
	for i, id := range e.Orders {
		o := s.Orders[id]
		o.Phase, o.Payment, o.Index = Armed, e.Payment, i
	}
	s.LastPayment = e.Payment
	s.Payments[e.Payment] = &Payment{
		ID: e.Payment, Run: e.Run, Wallet: e.Wallet, Seqno: e.Payload.Seqno, Payload: e.Payload, Hash: hash,
		Deploys: e.Deploys, Orders: e.Orders, Base: e.Base, Phase: PaymentArmed,
	}
	return nil
}

func (s *State) execute(e PaymentExecutedEvent) error {
	p := s.Payments[e.Payment]
	if p == nil || !p.Phase.Open() || e.Transaction.IsZero() || (len(e.Message) > 0) != (len(p.Message) == 0) || len(e.Paid)+len(e.Sent)+len(e.Skipped) != len(p.Orders) {
		return fmt.Errorf("payment %d: %w", e.Payment, ErrTransition)
	}
	verdicts := slices.Concat(e.Paid, e.Sent, e.Skipped)
	for i, id := range verdicts {
		if o := s.Orders[id]; o == nil || o.Payment != p.ID || o.Phase != Armed || slices.Contains(verdicts[:i], id) {
			return fmt.Errorf("order %d is not in payment %d, or has two verdicts: %w", id, p.ID, ErrTransition)
		}
	}
	for i, id := range verdicts[:len(e.Paid)+len(e.Sent)] {
		if err := s.Orders[id].settles(i >= len(e.Paid)); err != nil {
			return err
		}
	}
	for i, id := range verdicts[:len(e.Paid)+len(e.Sent)] {
		o := s.Orders[id]
		o.Phase, o.Settled, o.Time = Paid, e.Transaction, e.Time
		if i >= len(e.Paid) {
			o.Phase = Sent
		}
	}
	for _, id := range e.Skipped {
		o := s.Orders[id]
		o.Phase, o.Reason, o.Invoice = Released, ReasonSkipped, nil
	}
	p.Phase, p.Settled, p.Time, p.Fees = PaymentExecuted, e.Transaction, e.Time, e.Fees
	if len(e.Message) > 0 {
		p.Message = e.Message
	}
	return nil
}

// settles refuses that USDT is taken for paid, or TON only for sent: a wallet's
// own transaction shows that TON arrived, and nothing of USDT.
func (o *Order) settles(sent bool) error {
	if usdt := o.Cap.Asset != ton.AssetTON; usdt != sent {
		return fmt.Errorf("order %d is in %s, and so it is not known to be paid, or not only sent: %w", o.ID, o.Cap.Asset, ErrTransition)
	}
	return nil
}

// ReasonSkipped is why an order is released whose transfer the wallet left out.
const ReasonSkipped = "the wallet could not pay for it: its transfer is not in the executed transaction"

func (s *State) bury(e PaymentDeadEvent) error {
	p := s.Payments[e.Payment]
	if p == nil || !p.Phase.Open() {
		return fmt.Errorf("payment %d: %w", e.Payment, ErrTransition)
	}
	for _, id := range p.Orders {
		o := s.Orders[id]
		o.Phase, o.Invoice, o.Payment, o.Index = Reserved, nil, 0, -1
		o.Deaths++
	}
	certificate := e.Certificate
	p.Phase, p.Certificate = PaymentDead, &certificate
	return nil
}

func (s *State) acknowledge(e OrderAcknowledged) error {
	if err := s.move(e.Order, Acknowledged, "", Paid); err != nil {
		return err
	}
	o := s.Orders[e.Order]
	known := 0
	for _, id := range s.batch(o) {
		switch s.Orders[id].Phase {
		case Offered, Sent, Paid, Held:
			return nil // not acknowledged whole
		case Acknowledged, Delivered:
			known++ // a skipped transfer showed Fragment nothing
		}
	}
	if w := s.Wallets[o.Wallet]; w != nil {
		w.Ramp = max(w.Ramp, known)
	}
	return nil
}

// Open returns the payments that may still be executed, the oldest first.
func (s *State) Open() []*Payment {
	// A settled payment never opens again, so those up to the first open one
	// are looked at once.
	for p := s.Payments[s.settled+1]; p != nil && !p.Phase.Open(); p = s.Payments[s.settled+1] {
		s.settled++
	}
	var open []*Payment
	for id := s.settled + 1; id <= s.LastPayment; id++ {
		if p := s.Payments[id]; p != nil && p.Phase.Open() {
			open = append(open, p)
		}
	}
	return open
}

// Verdict is what the proven history of a wallet says of an open payment.
// history holds every transaction of the wallet after the payment's base, the
// oldest first, and account the proven state at its end; what stands before
// the base is passed over, for a run's first look begins where the ledger's
// notes end. It returns an executed or a dead event, or nil: unknown, to be
// broadcast again.
//
// A message in the history has not always taken its seqno: a v4r2 wallet whose
// action phase fails rolls everything back but the fee, and the same seqno is
// free again. Only the proven seqno says that it was taken, and then the last
// message that carried it took it.
func Verdict(p *Payment, account ton.Account, history []ton.Transaction) (Event, error) {
	history = after(p.Base, history)
	taken := account.Active && account.Data.Seqno > p.Seqno
	var taker *ton.Transaction
	for i := range history {
		t := &history[i]
		hash, seqno, ok := carried(p.Payload.Wallet, t)
		switch {
		case !ok || seqno != p.Seqno:
		case hash == p.Hash && len(t.Out) > 0:
			// What left and the seqno change in one transaction.
			return executed(p, *t)
		default:
			taker = t
		}
	}
	proof := Certificate{Seqno: account.Data.Seqno, Time: account.Time, Block: account.Block}
	switch {
	case account.Active && account.CodeHash != p.Payload.Wallet.CodeHash():
		return nil, fmt.Errorf("payment %d: the code of wallet %s is not that of a %s wallet, so what became of the payment can't be told", p.ID, p.Wallet, p.Payload.Wallet)
	case taken && taker == nil && whole(p, account, history):
		// A message of another form took it: a v5r1 wallet also takes signed
		// ones that another account brings. All that happened is here, and
		// none of it is ours.
		proof.Taken = history[len(history)-1].Position
		return PaymentDeadEvent{p.ID, proof}, nil
	case taken && taker == nil:
		return nil, fmt.Errorf("payment %d: the wallet's seqno is %d, past %d, but its history since the payment was armed does not show what took it", p.ID, account.Data.Seqno, p.Seqno)
	case taken:
		if hash, _, _ := carried(p.Payload.Wallet, taker); hash == p.Hash {
			return executed(p, *taker)
		}
		proof.Taken = taker.Position
		return PaymentDeadEvent{p.ID, proof}, nil
	case account.Time >= p.Payload.ValidUntil:
		return PaymentDeadEvent{p.ID, proof}, nil
	}
	return nil, nil
}

// after cuts off what stands in the history up to the base.
func after(base ton.Position, history []ton.Transaction) []ton.Transaction {
	i := slices.IndexFunc(history, func(t ton.Transaction) bool { return t.Position == base })
	return history[i+1:]
}

// whole reports whether the history holds everything from the payment's base to
// the account's newest transaction, each linked to the one before it.
func whole(p *Payment, account ton.Account, history []ton.Transaction) bool {
	at := p.Base
	for _, t := range history {
		if t.Prev != at {
			return false
		}
		at = t.Position
	}
	return len(history) > 0 && at == account.Last
}

// carried reads which payload an external message brought, and its seqno.
func carried(v ton.WalletVersion, t *ton.Transaction) (hash ton.Hash, seqno uint32, ok bool) {
	if t.External == nil {
		return ton.Hash{}, 0, false
	}
	payload, _, err := ton.SplitBody(v, t.External)
	if err != nil {
		return ton.Hash{}, 0, false
	}
	seqno, err = ton.ParseSeqno(v, payload)
	return ton.Hash(payload.Hash()), seqno, err == nil
}

// executed matches every order to its own out message. A spent seqno is not a
// payment: transfers that the balance did not cover are skipped silently.
func executed(p *Payment, t ton.Transaction) (Event, error) {
	e := PaymentExecutedEvent{Payment: p.ID, Transaction: t.Position, Time: t.Time, Fees: t.Fees, Paid: []OrderID{}}
	if len(p.Message) == 0 {
		var err error
		if e.Message, err = ton.External(p.Wallet, nil, t.External); err != nil {
			return nil, err
		}
	}
	type name struct {
		to     ton.Address
		amount ton.Nano
		body   ton.Hash
	}
	left := map[name]int{}
	for _, o := range t.Out {
		left[name{o.To, o.Amount, o.BodyHash}]++
	}
	for i, id := range p.Orders {
		transfer := p.Payload.Transfers[i]
		body, err := transfer.BodyHash()
		n := name{transfer.To, transfer.Amount, body}
		if err == nil && left[n] > 0 {
			left[n]--
			if asks(transfer.Body) {
				e.Sent = append(e.Sent, id)
			} else {
				e.Paid = append(e.Paid, id)
			}
		} else {
			e.Skipped = append(e.Skipped, id)
		}
	}
	return e, nil
}
