//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/sandbox"
)

// victim is a project whose applies are killed, with a world in a process of
// its own.
type victim struct {
	testing.TB
	binary, dir string
	rng         *rand.Rand
	world       *sandbox.World
	toll        *toll

	people   []string
	requests int // to pay by phone
	grants   []*award
	hurt     bool // the run before was killed
	log      []string
}

// award is a grant of the YAML.
type award struct {
	name, unit string // unit: stars, premium or ton
	to         []string
	quantity   int64
	single     bool
	usdt       bool // pays
}

// purse is what a world's wallet has in USDT at first.
const purse = 1_000_000

// doomed makes a project and starts its world.
func doomed(t *testing.T, binary string, seed uint64, toll *toll) *victim {
	t.Helper()
	v := &victim{TB: t, binary: binary, dir: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 3)), toll: toll}
	version := "v5r1"
	if seed%3 == 0 {
		version = "v4r2"
	}
	v.write("fragplan.yaml", `version: 1
wallet: {version: `+version+`, address: UQAvlj98pJ6wDTtREnn8mG3cjKtAuxoEltMTQUNJfK4I5oCk}
ledger: .fragplan/ledger.db
limits:
  order: [1000 TON, 1000 USDT]
  run: [1000000 TON, 1000000 USDT]
  month: [1000000 TON, 1000000 USDT]
  undelivered: [1000000 TON, 1000000 USDT]
  price:
    100 stars: [1.30 TON, 1.6 USDT]
    premium 3 months: [12 TON, 13 USDT]
    premium 6 months: [16 TON, 17 USDT]
    premium 12 months: [30 TON, 32 USDT]
files: [people.yaml, grants.yaml]
`)
	v.world = serve(t, binary, v.dir, "-wallet", version, "-balance", fmt.Sprintf("1000000 TON, %d USDT", purse))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last runs:\n%s", strings.Join(v.log[max(0, len(v.log)-12):], "\n"))
		}
	})
	return v
}

// serve runs the project's world in a process of its own until the test ends.
func serve(t *testing.T, binary, dir string, args ...string) *sandbox.World {
	t.Helper()
	c := exec.Command(binary, append([]string{"-chdir", dir, "sandbox"}, args...)...)
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGINT)
		if err := <-ended; err != nil {
			t.Errorf("the world: %v\n%s", err, said.String())
		}
	})
	home := filepath.Join(dir, ".fragplan", "sandbox")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		// Only one that is running: nobody else may become the world.
		if _, err := os.Stat(filepath.Join(home, "running.json")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the world did not begin")
		}
	}
	w, err := sandbox.Open(t.Context(), sandbox.Options{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	if !w.Attached() {
		t.Fatal("the test runs the world itself")
	}
	return w
}

func (v *victim) write(name, text string) {
	v.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o644); err != nil {
		v.Fatal(err)
	}
}

// change writes new grants and raises old ones.
func (v *victim) change() {
	v.Helper()
	for range 1 + v.rng.IntN(5) {
		a := &award{name: fmt.Sprintf("g%d", len(v.grants)), single: true}
		switch v.rng.IntN(4) {
		case 0:
			a.unit, a.quantity, a.to = "premium", []int64{3, 6, 12}[v.rng.IntN(3)], []string{v.newcomer()}
		case 1:
			a.unit, a.quantity, a.to = "ton", 1+v.rng.Int64N(5), []string{v.somebody()}
		case 2:
			a.unit, a.quantity, a.to = "stars", 50+v.rng.Int64N(500), []string{v.somebody()}
		case 3:
			a.unit, a.quantity, a.single = "stars", 50+v.rng.Int64N(200), false
			for range 2 + v.rng.IntN(3) {
				if p := v.somebody(); !slices.Contains(a.to, p) {
					a.to = append(a.to, p)
				}
			}
		}
		a.usdt = a.unit != "ton" && v.rng.IntN(3) == 0
		v.grants = append(v.grants, a)
	}
	for range v.rng.IntN(3) {
		switch a := v.grants[v.rng.IntN(len(v.grants))]; a.unit {
		case "stars":
			a.quantity += 50 + v.rng.Int64N(300)
		case "ton":
			a.quantity += 1 + v.rng.Int64N(3)
		}
	}
	var people, grants strings.Builder
	people.WriteString("people:\n")
	for _, p := range v.people {
		fmt.Fprintf(&people, "  %s: \"@user_%s\"\n", p, p)
	}
	grants.WriteString("grants:\n")
	for _, a := range v.grants {
		to, unit := strings.Join(a.to, ", "), ""
		if !a.single {
			to = "[" + to + "]"
		}
		if a.unit == "premium" {
			unit = " months"
		}
		if a.usdt {
			unit += ", pay_with: usdt"
		}
		fmt.Fprintf(&grants, "  %s: {to: %s, %s: %d%s}\n", a.name, to, a.unit, a.quantity, unit)
	}
	v.write("people.yaml", people.String())
	v.write("grants.yaml", grants.String())
	// A slow market makes the moments between two steps longer.
	v.set("latency", []string{"0s", "2ms", "15ms"}[v.rng.IntN(3)])
}

func (v *victim) newcomer() string {
	v.people = append(v.people, fmt.Sprintf("p%d", len(v.people)))
	return v.people[len(v.people)-1]
}

func (v *victim) somebody() string {
	if n := len(v.people); n > 0 && v.rng.IntN(3) > 0 {
		return v.people[v.rng.IntN(n)]
	}
	return v.newcomer()
}

func (v *victim) set(key, value string) {
	v.Helper()
	if err := v.world.Set(v.Context(), key, value); err != nil {
		v.Fatal(err)
	}
}

// compare looks for anybody who has more than is written, or, when a run has
// come to its end, for anybody who has less.
func (v *victim) compare() {
	v.Helper()
	books, err := v.world.Books(context.Background())
	if err != nil {
		v.Fatal(err)
	}
	if len(books.Strays) > 0 {
		v.Fatalf("payments that bought nothing: %+v", books.Strays)
	}
	want, got := v.written(), map[string]int64{}
	for _, c := range books.Credits {
		got[c.Handle+" "+c.Product] += c.Quantity
	}
	if v.hurt {
		for k, n := range got {
			if n > want[k] {
				v.Fatalf("%s was given %d, and %d is written", k, n, want[k])
			}
		}
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		v.Fatalf("credited (+) is not what is written (-):\n%s", d)
	}
}

// written is what each person must have of each product.
func (v *victim) written() map[string]int64 {
	want := map[string]int64{}
	for _, a := range v.grants {
		for _, p := range a.to {
			want["user_"+p+" "+a.unit] += a.quantity
		}
	}
	return want
}

// agree compares the world's books, the ledger and the YAML to the last order,
// and the ledger with the chain.
func (v *victim) agree() {
	v.Helper()
	orders := v.ledger()
	books, err := v.world.Books(context.Background())
	if err != nil {
		v.Fatal(err)
	}
	var paid, credited []string
	usdt := 0
	given, want := map[string]int64{}, map[string]int64{}
	for _, o := range orders {
		if !o.Spent {
			continue
		}
		money := "TON"
		if v.inUSDT(o.Key) {
			money = "USDT"
			usdt++
		}
		paid = append(paid, fmt.Sprintf("%s: %s %d for %s in %s", o.Ref, o.Product, o.Quantity, o.Handle, money))
		given[o.Key] += o.Quantity
		if o.Phase != "acknowledged" && o.Phase != "delivered" {
			v.Errorf("%s is %s", o.Key, o.Phase)
		}
	}
	left := int64(purse) * 1_000_000
	for _, c := range books.Credits {
		money := "TON"
		if c.USDT > 0 {
			money = "USDT"
		}
		left -= c.USDT
		credited = append(credited, fmt.Sprintf("%s: %s %d for %s in %s", c.Ref, c.Product, c.Quantity, c.Handle, money))
	}
	if books.USDT != left {
		v.Errorf("the wallet has %d micro-USDT, and by what was credited it has %d", books.USDT, left)
	}
	for _, a := range v.grants {
		for _, p := range a.to {
			want[a.name+"/"+p] = a.quantity
		}
	}
	sort.Strings(paid)
	sort.Strings(credited)
	if d := cmp.Diff(paid, credited); d != "" {
		v.Errorf("the world's books (+) are not the ledger (-):\n%s", d)
	}
	if d := cmp.Diff(want, given); d != "" {
		v.Errorf("the ledger (+) is not the YAML (-):\n%s", d)
	}
	v.command("ledger", "verify")
	v.command("ledger", "audit")
	v.command("plan", "-detailed-exitcode")
	v.toll.mu.Lock()
	defer v.toll.mu.Unlock()
	v.toll.orders, v.toll.usdt = v.toll.orders+len(paid), v.toll.usdt+usdt
}

// inUSDT reports whether a key is paid in USDT.
func (v *victim) inUSDT(key string) bool {
	grant, _, _ := strings.Cut(key, "/")
	i := slices.IndexFunc(v.grants, func(a *award) bool { return a.name == grant })
	return i >= 0 && v.grants[i].usdt
}

type recorded struct {
	Key      string `json:"key"`
	Handle   string `json:"handle"`
	Product  string `json:"product"`
	Quantity int64  `json:"quantity"`
	Phase    string `json:"phase"`
	Spent    bool   `json:"spent"`
	Ref      string `json:"ref"`
}

func (v *victim) ledger() []recorded {
	v.Helper()
	var list struct {
		Orders []recorded `json:"orders"`
	}
	if err := json.Unmarshal([]byte(v.command("ledger", "list", "-json")), &list); err != nil {
		v.Fatal(err)
	}
	return list.Orders
}

// command runs one that must succeed.
func (v *victim) command(args ...string) string {
	v.Helper()
	c := exec.Command(v.binary, append([]string{"-chdir", v.dir, "-sandbox"}, args...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		v.Fatalf("fragplan %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}
