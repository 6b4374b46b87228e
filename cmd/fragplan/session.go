package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/spec"
)

// The variables that hold a session or name a file with it, in any form that
// fragment.ParseCookies reads. FRAGMENT_COOKIE is package fragment's own name
// for the first.
const (
	envSession     = "FRAGPLAN_SESSION"
	envSessionFile = "FRAGPLAN_SESSION_FILE"
)

// maxSession is more than a browser's whole export of cookies takes up.
const maxSession = 1 << 20

// livePace is the least time between two calls of the live service; people
// who search names there keep to 15 to 30 a minute.
const livePace = 2 * time.Second

// seat is a session at Fragment, with a pace of its own.
type seat struct {
	name    string // under which fragplan.yaml lists it; "" for the only one
	client  *fragment.Client
	expires time.Time // when its cookies end; zero if nobody says
}

// called names a seat in a sentence.
func (s seat) called() string {
	if s.name == "" {
		return "the session"
	}
	return "the session " + s.name
}

// seats are the sessions in which the project buys: those that fragplan.yaml
// lists, or the one of the environment, or the world's. There is at least one;
// without any it is ErrNoCredentials.
func (p *project) seats(ctx context.Context) ([]seat, error) {
	if p.market != nil {
		return p.market, nil
	}
	address, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	listed := p.spec.Sessions
	if len(listed) == 0 {
		listed = []spec.Session{{}}
	}
	via, err := p.program.proxy()
	if err != nil {
		return nil, err
	}
	var seats []seat
	for _, s := range listed {
		credentials, err := p.credentials(ctx, s)
		if err != nil {
			return nil, err
		}
		c := &fragment.Client{
			BaseURL: p.program.fragmentURL, Cookie: credentials.Cookie, Hash: credentials.Hash, Pace: livePace, Proxy: via,
			Wallet: fragment.Account{Address: address},
		}
		switch {
		case p.program.sandbox:
			c.BaseURL, c.Proxy = p.world.FragmentURL, nil
			c.Pace, c.RetryPause = 0, 50*time.Millisecond // nobody minds a rehearsal's haste
		case p.program.fragmentURL != "":
			c.Pace = 0
		}
		c.Wallet.NetworkID = p.networkID()
		seats = append(seats, seat{s.Name, c, credentials.Expires})
	}
	p.market = seats
	return seats, nil
}

// credentials reads the cookies of a session. In a rehearsal each is the
// world's own.
func (p *project) credentials(ctx context.Context, s spec.Session) (fragment.Credentials, error) {
	if p.program.sandbox {
		w, err := p.openWorld(ctx)
		if err != nil {
			return fragment.Credentials{}, err
		}
		return fragment.ParseCookies(w.Cookie)
	}
	if s.Name == "" {
		return p.program.fromEnvironment(ctx)
	}
	field := "sessions." + s.Name
	source := signer.Source{Kind: signer.Kind(s.Source.Kind), Name: s.Source.Name, Command: s.Source.Command}
	text, err := source.Secret(ctx, p.surroundings(), field, "the cookies of a session", maxSession)
	if err != nil {
		return fragment.Credentials{}, err
	}
	c, err := fragment.ParseCookies(text)
	if err != nil {
		return fragment.Credentials{}, fmt.Errorf("%s: %w", field, err)
	}
	return c, nil
}

// fromEnvironment reads the session that the environment holds or names. Files
// in it are named from the folder of the shell.
func (p *program) fromEnvironment(ctx context.Context) (fragment.Credentials, error) {
	var set []string
	for _, name := range []string{envSession, envSessionFile, fragment.EnvCookie} {
		if strings.TrimSpace(p.getenv(name)) != "" {
			set = append(set, name)
		}
	}
	switch {
	case len(set) == 0:
		return fragment.Credentials{}, fmt.Errorf("%w: neither %s nor %s is set", fragment.ErrNoCredentials, envSessionFile, envSession)
	case len(set) > 1:
		return fragment.Credentials{}, fmt.Errorf("both %s and %s are set: keep one", set[0], set[1])
	}
	text := p.getenv(set[0])
	if set[0] == envSessionFile {
		shell := signer.Surroundings{Dir: ".", Getenv: p.getenv}
		var err error
		if text, err = (signer.Source{Kind: signer.File, Name: text}).Secret(ctx, shell, envSessionFile, "the cookies of a session", maxSession); err != nil {
			return fragment.Credentials{}, fmt.Errorf("%s: %w", envSessionFile, err)
		}
	}
	c, err := fragment.ParseCookies(text)
	if err != nil {
		return fragment.Credentials{}, fmt.Errorf("%s: %w", set[0], err)
	}
	c.Hash = fragment.SecretOf(strings.TrimSpace(p.getenv(fragment.EnvHash)))
	return c, nil
}

// soon is how long before its end a session is warned of.
const soon = 48 * time.Hour

// admit asks whether purchases can be made in each of the project's sessions:
// that somebody is logged in, with our wallet connected and the identity
// verified. It takes one page of Fragment's for each.
func (p *project) admit(ctx context.Context) error {
	seats, err := p.seats(ctx)
	if err != nil {
		return err
	}
	for _, s := range seats {
		if _, err := s.admit(ctx); err != nil {
			return err
		}
		if ends := s.ends(time.Now().Add(soon)); ends != "" {
			p.program.tell(ends + ": log in at fragment.com anew before that")
		}
	}
	return nil
}

func (s seat) admit(ctx context.Context) (fragment.Profile, error) {
	who, err := s.client.Check(ctx)
	if ended := s.ends(time.Now()); ended != "" && errors.Is(err, fragment.ErrLoggedOut) {
		err = fmt.Errorf("%w; %s", err, ended)
	}
	return who, s.say(err)
}

// say names the seat in an error, where there are several.
func (s seat) say(err error) error {
	if err == nil || s.name == "" {
		return err
	}
	return fmt.Errorf("session %s: %w", s.name, err)
}

// ends says when the cookies end if that is before a time, and otherwise
// nothing.
func (s seat) ends(before time.Time) string {
	if s.expires.IsZero() || s.expires.After(before) {
		return ""
	}
	return fmt.Sprintf("the cookies of %s end at %s", s.called(), s.expires.UTC().Format(time.RFC3339))
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
	err := p.admit(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case barred(err):
		p.program.tell("apply would stop: " + err.Error() + ". " + p.program.hint(err))
	}
	return nil
}
