package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/report"
)

// patience is how long plan waits for the chain, without which it can do.
const patience = 10 * time.Second

// tide warns where the chain is ahead of the ledger, as it is of a copy that was
// restored: apply will buy nothing then. A project without a list of servers
// has no chain to ask yet.
func (p *project) tide(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := p.chain(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, address := range p.book.Addresses() {
		if err != nil {
			break
		}
		var sight reconcile.Sight
		w := p.book.Wallets[address]
		if sight, err = (lookout{Client: client}).Look(ctx, address, w.Version, w.Since()); err != nil {
			break
		}
		if ahead := reconcile.Unexplained(p.book, address, sight.History); len(ahead) > 0 {
			p.program.tell(p.program.complete(fmt.Sprintf("the chain is ahead of this ledger, so apply will buy nothing: %s of %s that it does not know, the first of %s. Restore the newest copy of the ledger; if there is none, or somebody paid by hand: fragplan ledger rebuild -reason TEXT",
				report.Count(len(ahead), "payment"), address, time.Unix(int64(ahead[0].Time), 0).UTC().Format(time.RFC3339))))
		}
	}
	if err != nil {
		p.program.tell("the chain can't be asked, so the plan can't say whether it is ahead of the ledger: " + err.Error())
	}
}
