package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/notify"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/spec"
)

// The variables with the secrets of the targets, where fragplan.yaml names no
// other place.
const (
	envTelegram = "FRAGPLAN_TELEGRAM_TOKEN"
	envSlack    = "FRAGPLAN_SLACK_HOOK"
	envWebhook  = "FRAGPLAN_WEBHOOK_SECRET"
	envAlive    = "FRAGPLAN_ALIVE_HOOK"
)

const (
	announcing = time.Minute // that a run spends on telling people, at most
	maxToken   = 4 << 10     // of a target's secret, in bytes
)

func (p *program) noticesCommand() *cobra.Command {
	c := &cobra.Command{Use: "notices", Short: "Tell people what became of a run"}
	c.AddCommand(&cobra.Command{
		Use: "test", Short: "Send a message to each target of fragplan.yaml, to see that it arrives", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			project, err := p.load()
			if err != nil {
				return err
			}
			defer project.Close()
			targets := project.targets()
			if len(targets) == 0 {
				return errors.New("fragplan.yaml names nobody to tell: write notices: {telegram: {chat: \"-1001234567890\"}}")
			}
			var failed []error
			for _, t := range targets {
				n := notify.Notice{Kind: "test", Text: "This is a test: fragplan tells you here what became of its runs."}
				if err := project.send(c.Context(), t, []notify.Notice{n}); err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", t.name, err))
					continue
				}
				fmt.Fprintf(p.stdout, "%s: sent\n", t.name)
			}
			return errors.Join(failed...)
		},
	})
	return c
}

// target is where fragplan.yaml wants people to be told.
type target struct {
	name   string
	on     []string // kinds; empty for all
	secret spec.KeySource
	env    string // of the secret, if it is in no other place
	what   string // the secret is
	to     func(secret string, via *url.URL) notify.Target
}

// targets are those of fragplan.yaml.
func (p *project) targets() (list []target) {
	n := p.spec.Notices
	if t := n.Telegram; t != nil {
		api := t.API
		if api == "" {
			api = notify.TelegramAPI
		}
		list = append(list, target{"telegram", t.On, t.Token, envTelegram, "the bot's token", func(secret string, via *url.URL) notify.Target {
			return notify.Telegram{API: api, Token: secret, Chat: t.Chat, Topic: t.Topic, Private: t.Private, Proxy: via}
		}})
	}
	if t := n.Slack; t != nil {
		list = append(list, target{"slack", t.On, t.Hook, envSlack, "the hook's address", func(secret string, via *url.URL) notify.Target {
			return notify.Slack{URL: secret, Private: t.Private, Proxy: via}
		}})
	}
	if t := n.Webhook; t != nil {
		list = append(list, target{"webhook", t.On, t.Secret, envWebhook, "the secret that signs", func(secret string, via *url.URL) notify.Target {
			return notify.Webhook{URL: t.URL, Secret: secret, Private: t.Private, Proxy: via}
		}})
	}
	return list
}

// hidden reads the secret of a target.
func (p *project) hidden(ctx context.Context, s spec.KeySource, env, field, what string) (string, error) {
	source := signer.Source{Kind: signer.Kind(s.Kind), Name: s.Name}
	if s.Kind == "" {
		source = signer.Source{Kind: signer.Env, Name: env}
	}
	secret, err := source.Secret(ctx, p.surroundings(), field, what, maxToken)
	return strings.TrimSpace(secret), err
}

func (p *project) send(ctx context.Context, t target, notices []notify.Notice) error {
	secret, err := p.hidden(ctx, t.secret, t.env, "notices."+t.name, t.what)
	if err != nil {
		return err
	}
	via, err := p.program.proxy()
	if err != nil {
		return err
	}
	return t.to(secret, via).Send(ctx, notify.Message{ID: "msg_" + rand.Text(), Project: p.spec.Notices.Project, Time: time.Now(), Notices: notices})
}

// tellOf tells people and machines what became of an apply that ended with err.
// Whether they can be told changes nothing of it.
func (p *project) tellOf(ctx context.Context, began time.Time, err error) {
	announces := p.announces(ctx)
	if p.program.metrics == "" && !announces {
		return
	}
	if p.store != nil && p.reload(ctx) != nil {
		p.book = nil
	}
	silence := p.recordEnd(ctx, err)
	if p.program.metrics != "" {
		if err := p.measure(p.program.path(p.program.metrics), began, err); err != nil {
			p.program.tell(err.Error())
		}
	}
	if announces {
		p.announce(ctx, err, silence)
	}
}

// recordEnd writes down a run that ended well, and returns the silence before it,
// or the one that goes on.
func (p *project) recordEnd(ctx context.Context, err error) *report.Silence {
	if p.program.sandbox || ctx.Err() != nil {
		return nil
	}
	now := p.clock(ctx)
	silence := p.silence(now, err)
	if err == nil {
		p.remember(ctx, ledger.AllWell{Time: now.Unix()})
	}
	return silence
}

// announces reports whether anybody is to be told: not of a rehearsal, nor of a
// run that somebody has interrupted and is looking at.
func (p *project) announces(ctx context.Context) bool {
	named := p.spec.Notices.Alive != nil || len(p.targets()) > 0
	return named && !p.program.sandbox && ctx.Err() == nil && !p.program.interrupted()
}

// announce tells each target of what it asks for, of a silence that goes on only
// once.
func (p *project) announce(ctx context.Context, err error, silence *report.Silence) {
	ctx, cancel := context.WithTimeout(ctx, announcing)
	defer cancel()
	o := p.outcome(ctx, err)
	o.Silence = silence
	said, told := report.Notices(o), false
	for _, t := range p.targets() {
		var notices []notify.Notice
		for _, n := range said {
			if len(t.on) == 0 || slices.Contains(t.on, n.Kind) {
				notices = append(notices, notify.Notice(n))
			}
		}
		if len(notices) == 0 {
			continue
		}
		if err := p.send(ctx, t, notices); err != nil {
			p.program.tell(fmt.Sprintf("nobody was told by %s: %v", t.name, err))
			continue
		}
		told = told || slices.ContainsFunc(notices, func(n notify.Notice) bool { return n.Kind == "silent" })
	}
	if told && !silence.Over {
		p.remember(ctx, ledger.SilenceTold{Since: silence.Since.Unix()})
	}
	if alive := p.spec.Notices.Alive; alive != nil && err == nil {
		if err := p.knock(ctx, alive); err != nil {
			p.program.tell(fmt.Sprintf("the good run was not reported: %v", err))
		}
	}
}

// knock tells a service that a run was good.
func (p *project) knock(ctx context.Context, alive *spec.AliveNotices) error {
	address, err := p.hidden(ctx, alive.Hook, envAlive, "notices.alive", "the address")
	if err != nil {
		return err
	}
	via, err := p.program.proxy()
	if err != nil {
		return err
	}
	return notify.Alive{URL: address, Private: alive.Private, Proxy: via}.Knock(ctx)
}

// outcome gathers what there is to tell.
func (p *project) outcome(ctx context.Context, err error) report.Outcome {
	o := report.Outcome{Plan: p.applied.plan, Book: p.book, Result: p.applied.result}
	if status := (*exit)(nil); err != nil && (!errors.As(err, &status) || status.err != nil) {
		o.Err, o.Hint = err, p.program.hint(err)
	}
	if o.Plan != nil && o.Plan.Today != 0 {
		o.Today, o.Want = o.Plan.Today, p.spec.Occurrences(o.Plan.Today)
	}
	for _, s := range p.market {
		if ends := s.ends(time.Now().Add(soon)); ends != "" {
			o.Sessions = append(o.Sessions, ends)
		}
	}
	if err == nil && o.Book != nil {
		o.Today, o.Dry = p.dry(ctx, o.Today)
	}
	return o
}

// dry is when the wallet runs dry, and what day it is. What can't be known is
// not told; warnings were printed with the plan.
func (p *project) dry(ctx context.Context, today schedule.Date) (schedule.Date, *reconcile.Dry) {
	told, collects := p.program.warnings, p.program.collects
	p.program.collects = true
	f, err := p.forecast(ctx, 2)
	p.program.warnings, p.program.collects = told, collects
	if err != nil {
		return today, nil
	}
	if len(f.Dry) == 0 {
		return f.Today, nil
	}
	return f.Today, &f.Dry[0]
}

// applied is what an apply has come to, for those who are told of it.
type applied struct {
	plan   *reconcile.Plan
	result reconcile.Result
}

// and adds what another part of the run did.
func (a *applied) and(r reconcile.Result) {
	t := &a.result
	t.Bought = append(t.Bought, r.Bought...)
	t.Problems = append(t.Problems, r.Problems...)
	t.Spent += r.Spent
	t.Fees += r.Fees
	t.SpentUSDT.Units += r.SpentUSDT.Units
}
