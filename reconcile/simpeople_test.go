package reconcile_test

import (
	"errors"
	"slices"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// people do between two runs whatever they like.
func (s *sim) people() {
	for s.hit(wantEdited) && s.IntN(2) == 0 {
		s.edit()
	}
	if s.hit(keyRenamed) {
		s.rename()
	}
	if s.hit(keyMoved) {
		s.move()
	}
	if s.hit(keySettled) {
		s.settle()
	}
	if s.hit(handleChanged) {
		s.rehandle()
	}
	if len(s.copies) < 4 && s.IntN(2) == 0 {
		s.backup()
	}
	if s.hit(savedPlan) {
		s.save()
	}
	switch {
	case len(s.copies) > 0 && s.hit(ledgerRestored):
		s.restore()
	case s.hit(ledgerLost):
		s.lose()
	case s.hit(recordFlipped):
		s.damage(false)
	case s.hit(pageTorn):
		s.damage(true)
	}
	if s.hit(keyReissued) {
		s.reissue()
	}
}

func (s *sim) backup() {
	b, err := s.disk.backup()
	if err != nil {
		s.violate(19, "the ledger can't be copied: %v", err)
		return
	}
	s.copies = append(s.copies, copied{b, s.branch})
}

// restore puts an old copy in the ledger's place. A process that has the other
// one open keeps it.
func (s *sim) restore() {
	d, err := s.copies[s.IntN(len(s.copies))].backup()
	if err != nil {
		s.violate(19, "a copy can't be restored: %v", err)
		return
	}
	s.branch++
	s.disk = d
	s.asked, s.apart = nil, s.chain.time // what it does not know of is thrown away
	s.tracef("an old ledger is restored, as ledger %d", s.branch)
	s.checker.forgotten()
}

// damage alters the ledger's file. Nobody may begin on it; a copy takes its
// place, or, where there is none, what the chain shows.
func (s *sim) damage(torn bool) {
	if err := s.disk.damage(s.IntN, torn); err != nil {
		s.violate(19, "the ledger can't be damaged: %v", err)
		return
	}
	if f, err := s.disk.open(); !errors.Is(err, sqlite.ErrCorrupt) {
		s.violate(19, "a ledger that was altered is opened: %v", err)
		if err == nil {
			f.close()
		}
		return
	}
	s.counter.add("an altered ledger is refused")
	if len(s.copies) > 0 {
		s.restore()
	} else {
		s.lose()
	}
}

// lose makes the ledger anew from the chain.
func (s *sim) lose() {
	s.createLedger(ton.Position{})
	s.asked, s.apart = nil, s.chain.time
	s.tracef("the ledger is lost, and made anew as ledger %d", s.branch)
	s.checker.forgotten()
	s.rebuild()
}

// save makes a plan for later.
func (s *sim) save() {
	p := s.launch()
	p.end(nil)
	book := p.book
	plan := s.desired(s.want).Diff(book, s.prices(s.want), s.limits)
	plan.Wallet = s.chain.account.Address
	s.saved = plan
}

// prices are what people see now, or nothing.
func (s *sim) prices(want []spec.Occurrence) reconcile.Prices {
	if s.calm || s.IntN(2) == 0 {
		return nil
	}
	prices := reconcile.Prices{}
	for _, o := range want {
		goods := reconcile.Goods{Item: o.Item, Asset: o.Asset()}
		if _, known := prices[goods]; !known {
			prices[goods] = s.market.price(o.Item, o.Asset())
		}
	}
	return prices
}

// start launches an apply, or the burn of a payment that is open.
func (s *sim) start() *process {
	p := s.launch()
	if open := p.book.Open(); len(open) > 0 && s.hit(paymentCancelled) {
		p.cancel = open[0].ID
		s.tracef("p%d cancels payment %d", p.id, p.cancel)
	} else if s.saved != nil && s.IntN(2) == 0 {
		p.saved, s.saved = s.saved, nil
	}
	p.byhand = s.unsigned || p.cancel == 0 && s.hit(askedByHand)
	return p.apply()
}

// rebuild is what the command of that name does: payments that the ledger knows
// of are settled, and then it takes in what else the chain shows.
func (s *sim) rebuild() {
	p := s.launch()
	if len(p.book.Open()) > 0 {
		p.only = true
		s.live = append(s.live, p.apply())
		s.drive()
		if p.err != nil && !errors.Is(p.err, reconcile.ErrTide) {
			return
		}
		p = s.launch()
	}
	book := p.book
	wallet := s.chain.account.Address
	e := s.sighted(p, reconcile.Look{Wallet: wallet, Since: book.Wallets[wallet].Anchor}).(reconcile.Sighted)
	if e.Err != nil {
		p.end(e.Err)
		return
	}
	events, err := reconcile.Answers(book, wallet, e.Sight.History)
	if err != nil {
		s.violate(24, "what was paid by phone can't be recorded: %v", err)
	}
	events = append(events, reconcile.TakeIn(book, wallet, e.Sight.History, "sim")...)
	if p.count("decided ", events); len(events) > 0 && !p.commit(events) {
		return
	}
	if s.hit(personWaits) {
		s.chain.produce(3600, func() {
			s.strangers()
			s.include()
			s.bounce()
			s.deliver()
		})
	}
	p.decide(p.recognizes(p.load()))
}

// decide records what a person decided.
func (p *process) decide(events []ledger.Event) {
	p.count("decided ", events)
	if len(events) == 0 || p.commit(events) {
		p.end(nil)
	}
}

// reissue has a key bought again that was paid.
func (s *sim) reissue() {
	p := s.launch()
	book := p.book
	var events []ledger.Event
	for id := ledger.OrderID(1); id <= book.LastOrder && events == nil; id++ {
		key := book.Orders[id].Key
		live := slices.ContainsFunc(book.ByKey(key), func(o *ledger.Order) bool { return o.Phase.Live() })
		spent := slices.ContainsFunc(book.ByKey(key), func(o *ledger.Order) bool { return o.Phase.Spent() })
		if spent && !live && s.IntN(2) == 0 {
			events = append(events, ledger.KeyReissued{Key: key, Generation: book.Generation(key) + 1, Reason: "sim"})
		}
	}
	p.decide(events)
}

// attend does what the messages of a run ask a person for. It reports whether
// there was anything.
func (s *sim) attend(p *process) bool {
	acted := false
	switch {
	case errors.Is(p.err, reconcile.ErrTide):
		s.rebuild()
		acted = true
	case errors.Is(p.err, reconcile.ErrFunds):
		s.topUp(s.between(1, 300) * ton.TON)
		acted = true
	case p.err != nil && (ending(p.err) == errFrozen.Error() || ending(p.err) == errCode.Error()):
		s.thaw()
		acted = true
	}
	if p.state != nil && slices.ContainsFunc(p.state.Result().Problems, func(p reconcile.Problem) bool { return p.Code == "funds" }) {
		s.chain.purse.locked = false
		s.topUpUSDT(int64(s.between(1, 300_000_000)))
		acted = true
	}
	if s.planned != nil && len(s.planned.Violations) > 0 {
		s.tracef("a person mends: %s", s.planned.Violations[0].Message)
		s.unrename()
		s.planned = nil
		acted = true
	}
	acted = s.right(p) || acted
	if p.puzzled {
		acted = s.claim() || acted
	}
	if p.state != nil && s.confirm(p.state.Result().Problems) {
		acted = true
	}
	if p.branch == s.branch && p.err == nil && !s.asks(p.book) {
		return acted
	}
	return s.answer() || acted
}

// confirm looks up those whom the market shows otherwise than before, and writes
// the names that it finds.
func (s *sim) confirm(problems []reconcile.Problem) (acted bool) {
	want := slices.Clone(s.want)
	for _, p := range problems {
		i := slices.IndexFunc(want, func(o spec.Occurrence) bool { return o.Key == p.Key })
		if p.Code != reconcile.CodeIdentity || i < 0 {
			continue
		}
		handle := want[i].Handle
		for i := range want {
			if want[i].Handle == handle && want[i].Confirmed != s.market.shown[handle].Name {
				want[i].Confirmed, acted = s.market.shown[handle].Name, true
			}
		}
	}
	if acted {
		s.want = want
		s.counter.add("a person is confirmed")
	}
	return acted
}

// asks reports whether something waits for a person.
func (s *sim) asks(book *ledger.State) bool {
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		if o := book.Orders[id]; o.Phase == ledger.Held || s.unanswered(o) || s.mistaken(book, o) || s.undone(book, o) || s.nobodyPays(o) {
			return true
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		if book.Founds[id].Open() {
			return true
		}
	}
	return false
}

// unanswered: it is paid, and the market will never say so.
func (s *sim) unanswered(o *ledger.Order) bool {
	return o.Phase == ledger.Paid && s.market.known[termsIn(*o.Invoice)].lost
}

// mistaken: its money came back, and was taken for another order's.
func (s *sim) mistaken(book *ledger.State, o *ledger.Order) bool {
	if o.Phase != ledger.Paid {
		return false
	}
	sold := s.market.known[termsIn(*o.Invoice)]
	return !sold.out() && slices.ContainsFunc(s.chain.history, func(t ton.Transaction) bool {
		return s.returned[t.Position] == sold && book.Explained(t.Position)
	})
}

// nobodyPays: a person was asked for it, nobody has paid, and nobody has the
// request any more.
func (s *sim) nobodyPays(o *ledger.Order) bool {
	if o.Phase != ledger.Offered || s.wanted(o.Invoice.Transfer) {
		return false
	}
	return s.market.known[termsIn(*o.Invoice)].left == 0
}

// claim says of every bounce that no order is held for whose money it was.
func (s *sim) claim() bool {
	p := s.launch()
	var events []ledger.Event
	for _, t := range s.chain.history {
		sold := s.returned[t.Position]
		if sold == nil || p.book.Explained(t.Position) || s.open(p.book, sold) || s.unsettled(p, sold) {
			continue // or it is to be said first whom it was for, or apply says it
		}
		var order *ledger.Order
		for id := ledger.OrderID(1); id <= p.book.LastOrder; id++ {
			if o := p.book.Orders[id]; !o.Settled.IsZero() && s.market.known[p.terms[id]] == sold {
				order = o
			}
		}
		if order == nil && len(p.book.Open()) > 0 {
			continue // it may be an open payment's money: apply comes first
		}
		e, err := reconcile.Claim(p.book, s.chain.account.Address, t, order, "asked")
		if err == nil {
			err = p.book.Apply(e)
		}
		if err != nil {
			s.violate(24, "a person can't say whose money came back: %v", err)
			continue
		}
		s.counter.add("claimed with " + ledger.KindOf(e))
		events = append(events, e)
	}
	p.decide(events)
	return len(events) > 0
}

// unsettled: what paid for it is in flight, as far as the ledger knows. The next
// apply finds that it was executed, and whose money came back.
func (s *sim) unsettled(p *process, sold *sale) bool {
	for id := ledger.OrderID(1); id <= p.book.LastOrder; id++ {
		if o := p.book.Orders[id]; (o.Phase == ledger.Armed || o.Phase == ledger.Offered) && s.market.known[p.terms[id]] == sold {
			return true
		}
	}
	return false
}

// open reports whether nobody has said yet whom a sale was for.
func (s *sim) open(book *ledger.State, sold *sale) bool {
	return slices.ContainsFunc(book.Unclaimed(sold.item.Kind), func(f *ledger.Found) bool { return s.foundSale(f) == sold })
}

// answer decides what waits for a person: held orders, found transfers, and
// payments that the market will never acknowledge.
func (s *sim) answer() bool {
	p := s.launch()
	book := p.book
	var events []ledger.Event
	add := func(e ledger.Event) {
		if err := book.Apply(e); err != nil {
			s.violate(24, "a person can't decide %s: %v", ledger.KindOf(e), err)
			return
		}
		events = append(events, e)
	}
	later := s.moving(book) // keys of which nothing can be said yet
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		o := book.Orders[id]
		switch {
		case o.Phase == ledger.Held:
			as := ledger.Delivered
			if !s.market.known[p.terms[id]].out() {
				as = ledger.Released
			}
			add(ledger.OrderResolved{Order: id, As: as, Reason: "asked"})
		case s.nobodyPays(o):
			s.counter.add("a request is given up")
			add(ledger.OrderResolved{Order: id, As: ledger.Released, Reason: "never scanned"})
		case s.unanswered(o):
			add(ledger.OrderHeld{Order: id, Reason: "Fragment does not answer"})
			add(ledger.OrderResolved{Order: id, As: ledger.Delivered, Reason: "asked"})
		case s.mistaken(book, o):
			s.counter.add("a bounce was taken for another order's")
			add(ledger.OrderHeld{Order: id, Reason: "Fragment does not answer"})
			add(ledger.OrderResolved{Order: id, As: ledger.Released, Reason: "its money came back"})
		case s.undone(book, o):
			add(ledger.KeyReissued{Key: o.Key, Generation: book.Generation(o.Key) + 1, Reason: "its money came back"})
			later[o.Key] = true // what else was found for it was before that
		}
	}
	for id := ledger.FoundID(1); id <= book.LastFound; id++ {
		if f := book.Founds[id]; f.Open() {
			if e := s.assignment(book, f); !later[keyOf(e)] {
				add(e)
			}
		}
	}
	p.decide(events)
	return len(events) > 0
}

// undone: the order was made from a found transfer, and its money came back.
// There is nothing to hold, so it is issued again.
func (s *sim) undone(book *ledger.State, o *ledger.Order) bool {
	if o.Found == 0 || o.Phase != ledger.Delivered || o.Generation != book.Generation(o.Key) || s.foundSale(book.Founds[o.Found]).out() {
		return false
	}
	return !slices.ContainsFunc(book.ByKey(o.Key), func(o *ledger.Order) bool { return o.Phase.Live() })
}

func (s *sim) foundSale(f *ledger.Found) *sale {
	return s.market.known[terms{f.Ref, f.Amount}]
}

// assignment says whom a found transfer was for.
func (s *sim) assignment(book *ledger.State, f *ledger.Found) ledger.Event {
	sold := s.foundSale(f)
	key, handle := s.called(sold.key), sold.handle
	if i := slices.IndexFunc(s.want, func(o spec.Occurrence) bool { return o.Item.Kind == f.Item.Kind && o.Key != key }); i >= 0 && s.hit(assignedWrongly) {
		key, handle = s.want[i].Key, s.want[i].Handle
	} else if key == "" || !sold.out() && s.IntN(2) == 0 || sold.closed {
		return ledger.FoundSetAside{Found: f.ID, Reason: "asked"}
	}
	single := slices.ContainsFunc(s.want, func(o spec.Occurrence) bool { return o.Key == key && o.Single })
	return ledger.FoundAssigned{
		Found: f.ID, Order: book.LastOrder + 1, Key: key, Generation: book.Generation(key), Part: book.NextPart(key), Prior: book.Given(key),
		Person: handle, Handle: handle, Single: single, Reason: "asked",
	}
}
