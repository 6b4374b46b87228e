package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/ledger/sqlite"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/signer"
)

// A ledger that is synced stands twice: in a file here, and as a log on a
// branch. The branch is the one that counts; the file can be made from it.

// synced reports whether the ledger's log is kept on a branch. A rehearsal's
// never is.
func (p *project) synced() bool { return p.spec.Ledger.Branch != "" && !p.program.sandbox }

func (p *project) openLog(ctx context.Context) (*gitlog.Log, error) {
	return p.branchLog(ctx, p.spec.Ledger.Branch)
}

// branchLog is the log on any branch, encrypted as fragplan.yaml says.
func (p *project) branchLog(ctx context.Context, branch string) (*gitlog.Log, error) {
	log, err := gitlog.Open(ctx, p.program.dir, p.spec.Ledger.Remote, branch, signer.Environment(os.Environ(), p.secretVariables()))
	if err != nil {
		return nil, err
	}
	log.Recipients, log.Identities = p.spec.Ledger.EncryptTo, p.identities
	return log, nil
}

// openSynced brings the file in step with the branch and opens it. A machine
// that has no file makes it from the branch.
func (p *project) openSynced(ctx context.Context) error {
	log, err := p.openLog(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(p.ledgerPath()); errors.Is(err, fs.ErrNotExist) {
		if err := log.Fetch(ctx); err != nil {
			return err
		}
		if err := p.restore(ctx, log); err != nil {
			return err
		}
	} else if p.store, err = kept(sqlite.Open(ctx, p.ledgerPath())); err != nil {
		return err
	}
	p.both = gitlog.Sync(log, p.store)
	_, err = p.both.CatchUp(ctx)
	switch {
	case errors.Is(err, gitlog.ErrNoBranch):
		if log.Known(ctx) {
			return fmt.Errorf("%w, and %s is here", err, p.ledgerPath())
		}
		return fmt.Errorf("%w, and %s is here: fragplan ledger init puts the log of that file there", err, p.ledgerPath())
	case errors.Is(err, gitlog.ErrDiverged):
		err = p.setAside(ctx, log)
	}
	if err != nil {
		return err
	}
	return p.reload(ctx)
}

// restore makes the file from what was fetched of the branch.
func (p *project) restore(ctx context.Context, log *gitlog.Log) (err error) {
	p.store, err = kept(sqlite.Restore(ctx, p.ledgerPath(), func(yield func(ledger.Record) error) error {
		return log.Records(ctx, ledger.Head{}, yield)
	}))
	return err
}

// publish puts the log of a file that was used alone on a new branch. One that
// was deleted is put back by hand: what stood on it is not known here.
func (p *project) publish(ctx context.Context) error {
	log, err := p.absent(ctx)
	if err != nil {
		return err
	}
	if log.Known(ctx) {
		return fmt.Errorf("%w %s any more", gitlog.ErrNoBranch, log)
	}
	if p.store, err = kept(sqlite.Open(ctx, p.ledgerPath())); err != nil {
		return err
	}
	if err := p.store.Lock(ctx, "ledger init"); err != nil {
		return err
	}
	p.both = gitlog.Sync(log, p.store)
	if err := p.both.Begin(ctx, gitlog.Writer("ledger init")); err != nil {
		return err
	}
	fmt.Fprintf(p.program.stdout, "The log of %s now stands on %s.\n", p.ledgerPath(), log)
	return nil
}

// unpublished reports whether there is a file and no branch yet.
func (p *project) unpublished(ctx context.Context) bool {
	if _, err := os.Lstat(p.ledgerPath()); err != nil || !p.synced() {
		return false
	}
	log, err := p.openLog(ctx)
	return err == nil && errors.Is(log.Fetch(ctx), gitlog.ErrNoBranch)
}

// setAside puts a file away whose newest records never reached the branch,
// because another run's did, and makes it anew. Nothing that left this machine
// relied on them, except what was recorded while the file was used without the
// branch: the chain shows the payments of that time, and requests to pay, which
// it doesn't show yet, are not forgotten.
func (p *project) setAside(ctx context.Context, log *gitlog.Log) error {
	before, err := p.store.Load(ctx)
	if err != nil {
		return err
	}
	back, err := p.keptBack(ctx, log)
	if err != nil {
		return err
	}
	if err := p.store.Lock(ctx, "set aside"); err != nil { // nobody else writes to it
		return err
	}
	if err := p.store.Close(); err != nil {
		return err
	}
	aside := p.ledgerPath() + ".unpushed-" + time.Now().UTC().Format("20060102T150405.000")
	if err := os.Rename(p.ledgerPath(), aside); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := p.restore(ctx, log); err != nil {
		return err
	}
	after, err := p.store.Load(ctx)
	if err != nil {
		return err
	}
	if key := forgotten(before, after, back); key != "" {
		err := errors.Join(p.store.Close(), os.Rename(aside, p.ledgerPath()))
		p.store = nil
		return errors.Join(fmt.Errorf("the ledger %s holds a request to pay for %s that its branch %s does not know, and other records of the branch. Either a run was killed while it wrote the request to the branch, and then nobody was given it, or the file was used without the branch. If nobody has the request, move the file away. Otherwise say what became of it while sync is taken out of fragplan.yaml (fragplan ledger resolve %s), then move the file away", p.ledgerPath(), key, log, key), err)
	}
	p.program.tell(fmt.Sprintf("the newest records of the ledger here never reached its branch, because another run's did; nothing that left this machine relied on them. That file is %s now, and the ledger was read anew from the branch", aside))
	p.both = gitlog.Sync(log, p.store)
	_, err = p.both.CatchUp(ctx)
	return err
}

// forgotten is the key of a request to pay that before has and after doesn't
// know, "" for none. What was kept back may be forgotten.
func forgotten(before, after *ledger.State, back map[ledger.RequestID]bool) string {
	for id := ledger.OrderID(1); id <= before.LastOrder; id++ {
		o := before.Orders[id]
		if o == nil || o.Phase != ledger.Offered || o.Invoice == nil || back[o.Request] {
			continue
		}
		if _, known := after.Refs[o.Invoice.Ref]; !known {
			return o.Key
		}
	}
	return ""
}

// keptBack are the requests to pay that were recorded here and never given to
// anybody, because they could not be written to the branch.
func (p *project) keptBack(ctx context.Context, log *gitlog.Log) (map[ledger.RequestID]bool, error) {
	after, last, err := log.Unpushed(ctx)
	if err != nil || last.Seq == 0 {
		return nil, err
	}
	requests, held := map[ledger.RequestID]bool{}, false
	err = p.store.RecordsAfter(ctx, after, func(r ledger.Record) error {
		if r.Seq > last.Seq {
			return nil
		}
		held = held || r.Head() == last
		e, err := ledger.Decode(r.Kind, r.Body)
		if asked, ok := e.(ledger.PaymentRequested); ok {
			requests[asked.Request] = true
		}
		return err
	})
	if err != nil || !held {
		return nil, err // none, or of another file
	}
	return requests, nil
}

// absent is the log for a ledger that is about to be made, whose branch must
// not exist.
func (p *project) absent(ctx context.Context) (*gitlog.Log, error) {
	log, err := p.openLog(ctx)
	if err != nil {
		return nil, err
	}
	switch err := log.Fetch(ctx); {
	case err == nil:
		return nil, fmt.Errorf("the branch %s exists already and holds a ledger: every command reads it by itself, so none is made", log)
	case !errors.Is(err, gitlog.ErrNoBranch):
		return nil, err
	}
	return log, nil
}

// recorder is where events go: to the file, and to the branch if there is one.
func (p *project) recorder() reconcile.Ledger {
	if p.both != nil {
		return p.both
	}
	return p.store
}

// unkept refuses to buy with a ledger that would be forgotten: on a machine of
// a CI service a file is gone with the run.
func (p *project) unkept() error {
	at := p.spec.Ledger
	if ci := strings.ToLower(p.program.getenv("CI")); ci == "" || ci == "false" || ci == "0" || p.program.sandbox || at.Branch != "" || at.URL != "" || at.Persistent {
		return nil
	}
	return fmt.Errorf(`%s: this is a CI machine (CI is set), and the ledger is a file on it alone: the next run would not know what this one has paid. Keep its log on a branch: ledger: {file: %s, sync: "git:fragplan-ledger"}, or the ledger in a database: ledger: postgres://user@host/database. If this folder is kept from run to run, say so: ledger: {file: %[2]s, persistent: true}`, at.Pos, at.File)
}
