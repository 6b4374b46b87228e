package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// dying is a ledger whose process dies just before it records that USDT arrived.
type dying struct{ store shelf }

func (d dying) Append(ctx context.Context, events []ledger.Event) error {
	if slices.ContainsFunc(events, func(e ledger.Event) bool { _, is := e.(ledger.TransferReceived); return is }) {
		return errCrash
	}
	return d.store.Append(ctx, events)
}

// A person can't say of USDT that it came back when the chain shows that it
// arrived, also if no run has seen that yet. It is not bought again.
func TestNobodyTakesBackWhatArrived(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"grants.yaml": "grants:\n  best: {to: [\"@ann_a\"], stars: 50}\n",
		"fragplan.yaml": `version: 1
wallet: {version: v5r1, address: UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk}
ledger: .fragplan/ledger.db
limits:
  order: [20 TON, 30 USDT]
  run: [60 TON, 100 USDT]
  month: [200 TON, 500 USDT]
  undelivered: [25 TON, 50 USDT]
  price: {100 stars: [1.30 TON, 1.6 USDT]}
pay_with: usdt
files: [grants.yaml]
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	world := rich(t, dir)
	if err := world.Set(t.Context(), "fund", "1000 USDT"); err != nil {
		t.Fatal(err)
	}
	both := []ton.Amount{(100 * ton.TON).Amount(), {Asset: ton.AssetUSDT, Units: 100_000_000}}
	r := &rig{world: world, ledger: project{program: &program{dir: dir}, spec: &spec.Project{Ledger: spec.Ledger{File: ".fragplan/sandbox/ledger.db"}}}, limits: policy.Limits{
		Order: both, Run: both, Month: both, Undelivered: both,
		Price: []policy.Ceiling{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: ton.Amount{Asset: ton.AssetUSDT, Units: 2_000_000}}},
	}}
	r.init(t)
	r.want = []spec.Occurrence{{Key: "best/@ann_a", Grant: "best", Person: "@ann_a", Handle: "ann_a", Item: product.Item{Kind: product.Stars, Quantity: 50}, PayWith: ton.AssetUSDT}}
	_, err := r.run(t, func(store shelf) reconcile.Ledger { return dying{store} })
	if !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	code, _, said := fragplanSays(t.Context(), dir, "ledger", "resolve", "best/@ann_a", "-as", "returned", "-reason", "I see nothing")
	if code != 1 || !strings.Contains(said, "its USDT has arrived") {
		t.Fatalf("exit status %d: %s", code, said)
	}
	fragplan(t.Context(), t, dir, "apply", "-auto-approve")
	r.credited(t)
}
