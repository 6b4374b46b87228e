package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// today is which day it is where the project's clocks are: by the proven
// chain's time. Only where nothing is bought, and the chain can't be reached,
// by this machine's. Zero if nothing that is written depends on it.
func (p *project) today(ctx context.Context) (schedule.Date, error) {
	if !p.spec.Dated() {
		return 0, nil
	}
	now, err := p.now(ctx)
	switch {
	case err == nil:
		return p.spec.Today(now), nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case p.buys:
		return 0, fmt.Errorf("what is due follows the chain's time: %w", err)
	}
	day := p.spec.Today(time.Now())
	p.program.tell(fmt.Sprintf("the TON network can't be read, so what is due follows this machine's clock, by which it is %s: %v", day, err))
	return day, nil
}

func (p *project) now(ctx context.Context) (time.Time, error) {
	c, err := p.chain(ctx)
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := c.Time(ctx)
	return time.Unix(int64(seconds), 0), err
}

// moment is when a plan is judged, by the proven chain's time, and what the
// wallet holds then, if a limit asks for it. Only where nothing is bought, and
// the chain can't be reached, this machine's clock will do.
func (p *project) moment(ctx context.Context) (reconcile.Moment, error) {
	asking := ctx
	if !p.buys {
		var cancel func()
		asking, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	now, err := p.now(asking)
	at := reconcile.Moment{Time: uint32(now.Unix()), Lasts: uint32(p.spec.PlanExpiry / time.Second)}
	if err == nil && len(p.spec.Limits.Balance) > 0 {
		at.Held, err = p.held(asking)
	}
	switch {
	case ctx.Err() != nil:
		return at, ctx.Err()
	case err != nil && p.buys:
		return at, fmt.Errorf("what may be spent follows the chain: %w", err)
	case err != nil:
		at.Time = uint32(time.Now().Unix())
	}
	return at, nil
}

// held is what the wallet holds of each asset that limits.balance names.
func (p *project) held(ctx context.Context) (list []ton.Amount, err error) {
	account, err := p.account(ctx)
	if err != nil {
		return nil, err
	}
	list = append(list, account.Balance.Amount())
	if p.spec.Limits.Left(ton.AssetUSDT).Units > 0 {
		usdt, err := p.usdt(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, usdt)
	}
	return list, nil
}

// usdt is what the wallet holds of USDT.
func (p *project) usdt(ctx context.Context) (ton.Amount, error) {
	client, err := p.chain(ctx)
	if err != nil {
		return ton.Amount{}, err
	}
	address, err := p.address(ctx)
	if err != nil {
		return ton.Amount{}, err
	}
	purse, err := lookout{client, p.usdtMaster()}.Jetton(ctx, address)
	return ton.Amount{Asset: ton.AssetUSDT, Units: purse.Balance}, err
}

// written finds what a key stands for; of grants that recur also on days past.
func (p *project) written(ctx context.Context, key string) (spec.Occurrence, bool, error) {
	day, err := p.today(ctx)
	if err != nil {
		return spec.Occurrence{}, false, err
	}
	if _, date, dated := strings.Cut(key, "@20"); dated {
		if then, err := schedule.ParseDate("20" + date); err == nil && then < day {
			day = then
		}
	}
	want := p.spec.Occurrences(day)
	i := slices.IndexFunc(want, func(o spec.Occurrence) bool { return o.Key == key })
	if i < 0 {
		return spec.Occurrence{}, false, nil
	}
	return want[i], true, nil
}
