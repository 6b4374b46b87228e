package ledger

import "fmt"

// Well is when a run last ended well, as far as anybody is to be told of it. No
// purchase depends on it.
type Well struct {
	Time int64 // Unix seconds; 0 if no such run is recorded
	Told bool  // people were told that none has ended well since
}

// watch folds how runs end, for those who are told. Clocks may be set back, so
// a later run may have an earlier time.
func (s *State) watch(e Event) error {
	switch e := e.(type) {
	case AllWell:
		if e.Time <= 0 {
			return fmt.Errorf("a run that ended well at %d: %w", e.Time, ErrTransition)
		}
		s.Well = Well{Time: e.Time}
	case SilenceTold:
		if s.Well.Time == 0 || s.Well.Told || e.Since != s.Well.Time {
			return fmt.Errorf("no silence since %d is to be told: %w", e.Since, ErrTransition)
		}
		s.Well.Told = true
	}
	return nil
}
