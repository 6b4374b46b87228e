package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fragplan/fragplan/fragment"
)

// soon is how long before its end a session is warned of.
const soon = 48 * time.Hour

// admit asks whether purchases can be made in the project's session: that
// somebody is logged in, with our wallet connected and the identity verified.
// It takes one page of Fragment's.
func (p *project) admit(ctx context.Context) (fragment.Profile, error) {
	client, err := p.session(ctx)
	if err != nil {
		return fragment.Profile{}, err
	}
	who, err := client.Check(ctx)
	left := time.Until(p.expires)
	switch {
	case p.expires.IsZero():
	case errors.Is(err, fragment.ErrLoggedOut) && left < 0:
		err = fmt.Errorf("%w; its cookies ended at %s", err, p.expires.UTC().Format(time.RFC3339))
	case err == nil && left < soon:
		p.program.tell(fmt.Sprintf("the cookies of the session end at %s: log in at fragment.com anew before that", p.expires.UTC().Format(time.RFC3339)))
	}
	return who, err
}

// barred reports whether an error says that Fragment lets nobody buy in this
// session. Others say that it could not be asked.
func barred(err error) bool {
	for _, kind := range []error{fragment.ErrLoggedOut, fragment.ErrNoWallet, fragment.ErrOtherWallet, fragment.ErrVerification} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// foresee warns, where a plan buys something, of what would stop its apply. A
// plan without a session is none the worse for it.
func (p *project) foresee(ctx context.Context) error {
	_, err := p.admit(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case barred(err):
		p.program.tell("apply would stop: " + err.Error() + ". " + p.program.hint(err))
	}
	return nil
}
