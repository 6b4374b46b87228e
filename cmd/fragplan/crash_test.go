package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

var errCrash = errors.New("the process is gone")

// crashing is a ledger whose process dies at its n-th write: just before the
// write, or just after it.
type crashing struct {
	store  shelf
	n      int
	before bool
	writes int
}

func (c *crashing) Append(ctx context.Context, events []ledger.Event) error {
	c.writes++
	if c.writes == c.n && c.before {
		return errCrash
	}
	if err := c.store.Append(ctx, events); err != nil {
		return err
	}
	if c.writes == c.n {
		return errCrash
	}
	return nil
}

// rig is one project on one world whose runs come and go.
type rig struct {
	world  *sandbox.World
	ledger project // of it, only the place of its ledger is used
	limits policy.Limits
	want   []spec.Occurrence
}

// apply is one process, which dies at its n-th write.
func (r *rig) apply(t *testing.T, n int, before bool) (reconcile.Result, error) {
	t.Helper()
	return r.run(t, func(s shelf) reconcile.Ledger { return &crashing{store: s, n: n, before: before} })
}

// run is one process: it opens everything anew, plans, and buys.
func (r *rig) run(t *testing.T, over func(shelf) reconcile.Ledger) (reconcile.Result, error) {
	t.Helper()
	ctx := t.Context()
	store, err := r.ledger.openShelf(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Lock(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	book, err := store.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	client, err := chain.Dial(ctx, r.world.GlobalConfig, chain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	key, err := wallet.KeyFromMnemonic(worldMnemonic(r.world))
	if err != nil {
		t.Fatal(err)
	}
	w, err := wallet.New(r.world.Version, key, r.world.NetworkID)
	if err != nil {
		t.Fatal(err)
	}
	session := &fragment.Client{BaseURL: r.world.FragmentURL, Cookie: fragment.SecretOf(r.world.Cookie), Wallet: fragment.Account{Address: r.world.Wallet, NetworkID: r.world.NetworkID}}
	s := reconcile.NewState(reconcile.Setup{
		Plan: reconcile.Desired{Want: r.want}.Diff(book, nil, r.limits), Wallet: w.Public(), Book: book,
		Rules: firewall.Rules{Destinations: firewall.DefaultDestinations()}, Host: "test",
	})
	return reconcile.Apply(ctx, nil, s, reconcile.World{
		Ledger: over(store), Market: newMarket([]seat{{client: session}}), Signer: inside{w}, Chain: lookout{client, r.world.USDTMaster},
	})
}

// credited compares the world's own books with what is wanted.
func (r *rig) credited(t *testing.T) {
	t.Helper()
	books, err := r.world.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, c := range books.Credits {
		got = append(got, fmt.Sprintf("%s %s %d", c.Handle, c.Product, c.Quantity))
	}
	for _, o := range r.want {
		want = append(want, fmt.Sprintf("%s %s %d", o.Handle, o.Item.Kind, o.Item.Quantity))
	}
	sort.Strings(got)
	sort.Strings(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("credited (+) is not what is written (-):\n%s", d)
	}
	if len(books.Strays) > 0 {
		t.Fatalf("payments that bought nothing: %+v", books.Strays)
	}
}

// However a run dies around a write of the ledger, applying until nothing is
// left gives everybody exactly what is written: with every wallet, the bytes,
// the chain and the file being real.
func TestCrashAtEveryWrite(t *testing.T) {
	for name, version := range map[string]ton.WalletVersion{"v5r1": ton.V5R1, "v4r2": ton.V4R2, "database": ton.V5R1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			at := project{program: &program{dir: dir}, spec: &spec.Project{Ledger: spec.Ledger{File: "ledger/ledger.db"}}}
			if name == "database" {
				at.spec.Ledger = inDatabase(t)
			}
			world, err := sandbox.Open(t.Context(), sandbox.Options{Dir: filepath.Join(dir, "world"), Version: version, Balance: 100_000 * ton.TON, USDT: 100_000_000_000})
			if err != nil {
				t.Fatal(err)
			}
			defer world.Close()
			plenty := []ton.Amount{(100_000 * ton.TON).Amount(), {Asset: ton.AssetUSDT, Units: 100_000_000_000}}
			hundred := product.Item{Kind: product.Stars, Quantity: 100}
			r := &rig{world: world, ledger: at, limits: policy.Limits{
				Order: plenty, Run: plenty, Month: plenty, Undelivered: plenty,
				Price: []policy.Ceiling{{Item: hundred, Max: (2 * ton.TON).Amount()}, {Item: hundred, Max: ton.Amount{Asset: ton.AssetUSDT, Units: 2_000_000}}},
			}}
			r.init(t)
			crashed, stride := 0, 1
			if name == "database" && !thorough() {
				stride = 3
			}
			for _, before := range []bool{true, false} {
				for n := 1; ; n += stride {
					r.more(fmt.Sprintf("%d%t", n, before))
					_, err := r.apply(t, n, before)
					if err == nil {
						break // the run had fewer writes
					}
					if !errors.Is(err, errCrash) {
						t.Fatalf("write %d, before %t: %v", n, before, err)
					}
					crashed++
					for range 3 { // what the first recovery releases, the next buys
						result, err := r.apply(t, 0, false)
						if err != nil || len(result.Undelivered) > 0 {
							t.Fatalf("after a crash at write %d (before: %t): %v, undelivered %v", n, before, err, result.Undelivered)
						}
					}
					r.credited(t)
				}
			}
			r.credited(t)
			t.Logf("%d crashes, %d orders", crashed, len(r.want))
			if crashed < 12/stride {
				t.Errorf("only %d crashes: the run has more writes than that", crashed)
			}
		})
	}
}

func (r *rig) init(t *testing.T) {
	t.Helper()
	client, err := chain.Dial(t.Context(), r.world.GlobalConfig, chain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	a, err := client.Account(t.Context(), r.world.Wallet, r.world.Version)
	if err != nil {
		t.Fatal(err)
	}
	store, err := r.ledger.createShelf(t.Context(), []ledger.Event{
		ledger.Opened{Ledger: "test"},
		ledger.Anchored{Wallet: r.world.Wallet, Version: r.world.Version, Anchor: a.Last, Block: a.Block},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// more writes three more grants, the second in USDT.
func (r *rig) more(name string) {
	for i, quantity := range []int64{50, 75, 10_000} {
		handle := fmt.Sprintf("user_%s_%d", name, i)
		o := spec.Occurrence{
			Key: fmt.Sprintf("g%s-%d/@%s", name, i, handle), Grant: fmt.Sprintf("g%s-%d", name, i), Person: "@" + handle, Handle: handle,
			Item: product.Item{Kind: product.Stars, Quantity: quantity}, Single: true,
		}
		if i == 1 {
			o.PayWith = ton.AssetUSDT
		}
		r.want = append(r.want, o)
	}
}
