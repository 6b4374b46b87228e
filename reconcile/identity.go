package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// people is what the ledger knows of those who are bought for. A handle can
// change hands, and Fragment's answer can be another's: the chain shows
// neither. So each answer is compared with the pins of the person, and little
// is spent on somebody to whom nothing came yet.
type people struct {
	pins   ledger.Pins
	served map[string]bool         // handles that were given something with the pin that they have
	open   map[string][]ton.Amount // by handle: what is paid or may be, and nobody has acknowledged
}

func peopleOf(book *ledger.State) people {
	p := people{pins: maps.Clone(book.Pins), served: map[string]bool{}, open: map[string][]ton.Amount{}}
	for id := ledger.OrderID(1); id <= book.LastOrder; id++ {
		switch o := book.Orders[id]; {
		case o == nil:
		case o.Phase.Out() || o.Phase == ledger.Sent || o.Phase == ledger.Paid || o.Phase == ledger.Held:
			p.open[o.Handle] = append(p.open[o.Handle], o.Reserve)
		case (o.Phase == ledger.Acknowledged || o.Phase == ledger.Delivered) && o.Found == 0:
			if pin, ok := p.pins[o.Handle]; ok && id >= pin.Since {
				p.served[o.Handle] = true
			}
		}
	}
	return p
}

// known reports whether something has come to the person, under this handle or
// an earlier one, since it was pinned.
func (p people) known(handle string, was []string) bool {
	if p.served[handle] {
		return true
	}
	for _, h := range was {
		if p.served[ledger.Handle(h)] {
			return true
		}
	}
	return false
}

// firstTime denies a line that spends too much on somebody new, together with
// the lines before it.
func (j *judge) firstTime(a Action) (verdict, bool) {
	if !j.limitedAtFirst(a) {
		return verdict{}, false
	}
	if err := j.atFirst(a.Handle).Check(a.Estimate); err != nil {
		return verdict{Blocked, CodeFirstTime, tooMuchAtFirst(err, a.Handle, "…")}, true
	}
	return verdict{}, false
}

// limitedAtFirst reports whether a line is for somebody new whose name nobody has
// confirmed.
func (j *judge) limitedAtFirst(a Action) bool {
	return len(j.limits.FirstTime) > 0 && a.Confirmed == "" && !j.people.known(a.Handle, a.Was)
}

// atFirst is what may be spent on somebody new, of which is taken what was paid
// or may be, and what the lines before take.
func (j *judge) atFirst(handle string) *policy.Budget {
	b := j.first[handle]
	if b == nil {
		b = j.limits.Of(policy.FirstTime, j.people.open[handle]...)
		j.first[handle] = b
	}
	return b
}

func tooMuchAtFirst(err error, handle, name string) string {
	return fmt.Sprintf("nothing has come to @%s yet, and %v. Buy something smaller first; or look @%s up in Telegram, and write the name that you see beside people: %s", handle, err, handle, confirmLine(handle, name))
}

// whom is what the plan says of the person of an order.
type whom struct {
	was       []string
	confirmed string
	planned   ton.Amount // what it was to cost
}

// recognise judges how Fragment shows the person of an order whose offer would
// cost price. It returns the pin to record, if it isn't pinned so already, and
// what people should know, or why the order must not be paid.
//
// The answer is compared with the pin of the run's beginning and with the
// newest one: what a small order of this run has pinned doesn't vouch for a
// large one behind it.
func (s *State) recognise(o *ledger.Order, shown ledger.Identity, price ton.Amount) (pin *ledger.PersonPinned, warning string, refusal *Refusal) {
	who := s.whom[o.ID]
	before, known := s.people.pins.Of(o.Handle, who.was)
	last, seen := s.book.Pins.Of(o.Handle, who.was)
	reason := ledger.PinFirst
	switch {
	case who.confirmed != "" && ledger.NormalName(who.confirmed) == shown.Name:
		reason = ledger.PinConfirmed
	default:
		for _, p := range []struct {
			ledger.Pin
			ok bool
		}{{before, known}, {last, seen}} {
			if p.ok {
				if refusal := s.stranger(o, p.Pin, shown, price); refusal != nil {
					return nil, "", refusal
				}
			}
		}
		if refusal := s.newcomer(o, who, shown, price); refusal != nil {
			return nil, "", refusal
		}
		if seen && (last.Identity != shown || last.Vouched != shown.Name) { // the pin of an earlier handle, too
			reason = ledger.PinChanged
		}
		if seen && last.Identity != shown {
			warning = changed(o.Handle, last, shown)
		}
	}
	own, ok := s.book.Pins[o.Handle]
	if ok && own.Identity == shown && (reason != ledger.PinConfirmed || own.Vouched == shown.Name) {
		return nil, "", nil
	}
	return &ledger.PersonPinned{Order: o.ID, Identity: shown, Reason: reason}, warning, nil
}

// stranger refuses somebody who is too different from the pin. Much is spent
// only under a name that somebody vouches for, however long another is known.
func (s *State) stranger(o *ledger.Order, p ledger.Pin, shown ledger.Identity, price ton.Amount) *Refusal {
	switch large := s.plan.Limits.CheckFirst(price); {
	case shown.Name != p.Name && shown.Photo != p.Photo:
		return &Refusal{CodeIdentity, fmt.Sprintf("Fragment shows somebody else for @%s: %s with another photo, and with order %d it was %s. %s", o.Handle, said(shown.Name), p.Order, said(p.Name), lookUp(o.Handle, shown.Name))}
	case shown.Name != p.Vouched && large != nil:
		return &Refusal{CodeIdentity, fmt.Sprintf("Fragment shows another name for @%s: %s, and at first it was %s. %v, so the name must be confirmed. %s", o.Handle, said(shown.Name), said(p.Vouched), large, lookUp(o.Handle, shown.Name))}
	}
	return nil
}

// newcomer refuses to spend much on somebody to whom nothing came yet, and
// anything if the name is not the one that somebody confirmed.
func (s *State) newcomer(o *ledger.Order, who whom, shown ledger.Identity, price ton.Amount) *Refusal {
	if s.people.known(o.Handle, who.was) {
		return nil
	}
	if who.confirmed != "" {
		return &Refusal{CodeIdentity, fmt.Sprintf("%s is confirmed for @%s, and Fragment shows %s. %s", said(who.confirmed), o.Handle, said(shown.Name), lookUp(o.Handle, shown.Name))}
	}
	used := slices.Clone(s.people.open[o.Handle])
	for _, id := range s.newcomers[o.Handle] {
		switch other := s.book.Orders[id]; other.Phase {
		case ledger.Reserved, ledger.Released:
		default:
			used = append(used, other.Reserve)
		}
	}
	if err := s.plan.Limits.CheckFirst(price, used...); err != nil {
		return &Refusal{string(CodeFirstTime), tooMuchAtFirst(err, o.Handle, shown.Name)}
	}
	return nil
}

// changed is the warning of a change that blocks nothing.
func changed(handle string, before ledger.Pin, now ledger.Identity) string {
	if before.Name != now.Name {
		return fmt.Sprintf("Fragment shows another name for @%s: %s, and with order %d it was %s", handle, said(now.Name), before.Order, said(before.Name))
	}
	return fmt.Sprintf("Fragment shows another photo for @%s (%s): %s, and with order %d it was %s", handle, said(now.Name), short(now.Photo), before.Order, short(before.Photo))
}

func short(photo ton.Hash) string {
	if photo.IsZero() {
		return "none"
	}
	return photo.String()[:12]
}

func lookUp(handle, name string) string {
	if name == "" {
		return "Without a name this can't be confirmed"
	}
	return fmt.Sprintf("Look @%s up in Telegram; if it is the right person, write beside people: %s", handle, confirmLine(handle, name))
}

// confirmLine is what is pasted into YAML to confirm a name.
func confirmLine(handle, name string) string {
	return fmt.Sprintf(`confirmed: {"@%s": %s}`, handle, quoted(name))
}

// said is a name in a sentence, not too long.
func said(name string) string {
	if r := []rune(name); len(r) > 64 {
		name = string(r[:64]) + "…"
	}
	if name == "" {
		return "no name"
	}
	return quoted(name)
}

// quoted is a text as YAML has it in double quotes. What isn't plainly visible,
// or changes its neighbours, is escaped, so that no printer need change it.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < unicode.MaxASCII && unicode.IsPrint(r), unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.Sc, unicode.Sm, unicode.So) && !blank(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// blank reports letters and symbols that show nothing.
func blank(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800, unicode.ReplacementChar:
		return true
	}
	return !unicode.IsPrint(r)
}
