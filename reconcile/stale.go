package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ton"
)

// Stale is the error of a saved plan of which some purchases are no longer what
// was approved. It is ErrStale.
type Stale struct{ Lines []StaleLine }

// A StaleLine is one of them.
type StaleLine struct{ Key, Why string }

// maxStale is how many lines an error names.
const maxStale = 5

func (e *Stale) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", ErrStale)
	sep := ": "
	for i, l := range e.Lines {
		if i == maxStale {
			fmt.Fprintf(&b, "; and %d more", len(e.Lines)-i)
			break
		}
		fmt.Fprintf(&b, "%s%s is no longer what was approved: %s", sep, l.Key, l.Why)
		sep = "; "
	}
	return b.String()
}

func (e *Stale) Unwrap() error { return ErrStale }

// stale says what is different about a purchase that was approved. now is the
// line of its key today, if there is one.
func stale(approved, now Action, found bool) string {
	was, is := approved.decision(), now.decision()
	switch {
	case !found:
		return "it is no longer written"
	case !now.Buys() && now.Reason != "":
		return now.Reason
	case !now.Buys():
		return "it was given meanwhile"
	case was.Item != is.Item:
		return fmt.Sprintf("%s were approved, and now it is %s", approved.Item, now.Item)
	case was.Handle != is.Handle:
		return fmt.Sprintf("it was for @%s, and now it is for @%s", was.Handle, is.Handle)
	case was.Person != is.Person:
		return fmt.Sprintf("it was for %s, and now it is for %s", was.Person, is.Person)
	case was.Have != is.Have || was.Generation != is.Generation || was.Part != is.Part:
		return fmt.Sprintf("%d had been given when it was approved, and now it is %d", was.Have, is.Have)
	case was.Cap != is.Cap:
		return fmt.Sprintf("it was to cost at most %s, and now it is %s", was.Cap, is.Cap)
	case was.Scopes != is.Scopes:
		return "it is of another campaign now, or has other labels"
	}
	return "what is written of its recipient has changed"
}

// expired says why a plan is too old, or was made to last longer than it may.
func (p *Plan) expired(at Moment) error {
	switch {
	case p.Expires == 0 || at.Time == 0:
		return nil // it buys nothing, or nobody asks
	case at.Time > p.Expires:
		return fmt.Errorf("%w: it was good until %s", ErrStale, instant(p.Expires))
	case at.Lasts > 0 && p.Expires-at.Time > at.Lasts:
		return fmt.Errorf("%w: it would be good until %s, longer than plans may be in fragplan.yaml", ErrStale, instant(p.Expires))
	}
	return nil
}

func instant(seconds uint32) string {
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04 UTC")
}

// ErrOther: what would be bought is not what was approved by its digest.
var ErrOther = errors.New("this is not the plan that was approved")

// CheckDigest returns ErrOther, wrapped, unless the plan is the one that a digest
// names.
func (p *Plan) CheckDigest(digest ton.Hash) error {
	if now := p.Digest(); now != digest {
		return fmt.Errorf("%w: %s was approved, and what would be bought now has the digest %s", ErrOther, digest, now)
	}
	return nil
}
