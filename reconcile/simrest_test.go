package reconcile_test

import (
	"slices"

	"github.com/fragplan/fragplan/ton"
)

// settleDown ends the faults. Applies, and a person who does what they ask for,
// must come to rest soon; then an apply does nothing.
func (s *sim) settleDown() {
	const rounds = 25
	s.calm, s.saved = true, nil
	s.tracef("the faults end")
	for _, o := range s.orphans {
		s.perform(o.process, o.task.effect)
	}
	s.orphans, s.asked = nil, nil
	s.thaw()
	s.topUp(1000 * ton.TON)
	s.topUpUSDT(1000_000_000)
	s.limits = generous()
	rest := 0
	for n := 0; rest < 2; n++ {
		if n == rounds {
			s.violate(24, "after %d applies without faults there is still something to do", n)
			return
		}
		if n == rounds/2 { // a bounce may be long on its way
			s.outlast()
		}
		calls, length := s.market.calls, len(s.chain.history)
		p := s.once()
		if len(s.violations) > 0 {
			return
		}
		s.checker.followed(p)
		did := p.moved > 0 || s.onItsWay() || s.market.calls > calls || len(s.chain.history) > length
		if acted := s.attend(p); acted || did || p.err != nil {
			if rest == 1 && !acted && p.err == nil {
				s.violate(25, "an apply that has nothing to do made %d calls, and %d transactions came", p.moved, len(s.chain.history)-length)
			}
			rest = 0
			continue
		}
		if rest++; rest == 1 {
			s.outlast()
		}
	}
}

// outlast waits until no message that was ever signed can be executed.
func (s *sim) outlast() {
	until := uint32(0)
	for _, message := range slices.Concat(s.ever, s.leaked) {
		until = max(until, s.chain.signed[string(message)].payload.ValidUntil)
	}
	for s.chain.time <= until || len(s.returns) > 0 || s.onItsWay() {
		s.produce()
	}
}
