//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/sandbox"
)

// However often and whenever apply is killed, running it again until nothing
// is left gives everybody exactly what is written: the world's own books, the
// ledger and the YAML agree, and the ledger explains the whole chain.
//
// KILLS=n is how many kills; SEED=n runs that one project alone. `make kill`
// runs many and prints the figures.
func TestKill(t *testing.T) {
	kills, each := number(t, "KILLS", 24), 50
	if !thorough() {
		each = 12
	}
	first, projects := uint64(1), (kills+each-1)/each
	if seed := number(t, "SEED", 0); seed > 0 {
		first, projects, kills = uint64(seed), 1, each
	}
	toll := &toll{killed: map[string][2]int{}}
	binary := command(t)
	begin := time.Now()
	t.Run("projects", func(t *testing.T) {
		for i := range projects {
			seed := first + uint64(i)
			t.Run(fmt.Sprintf("SEED=%d", seed), func(t *testing.T) {
				t.Parallel()
				v := doomed(t, binary, seed, toll)
				for n := min(each, kills-i*each); n > 0; {
					v.change()
					n -= v.round(n)
				}
				v.agree()
			})
		}
	})
	toll.print(t, time.Since(begin))
}

// command is the program as an executable file: the one that the scripts run,
// or for make kill the one that make build makes.
func command(t *testing.T) string {
	t.Helper()
	if thorough() {
		return built(t)
	}
	name, err := exec.LookPath("fragplan")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// thorough reports whether this is make kill, which takes its time.
func thorough() bool { return os.Getenv("KILLS") != "" }

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// toll is what all projects together went through.
type toll struct {
	mu     sync.Mutex
	killed map[string][2]int // stage reached: of first runs, and of runs after a kill
	opened []time.Duration   // from the restart until the ledger was open
	chosen []time.Duration   // from the restart until the first decision
	orders int
	rounds int
}

func (o *toll) print(t *testing.T, took time.Duration) {
	t.Helper()
	var b strings.Builder
	sum := [2]int{}
	fmt.Fprintf(&b, "\n%-14s %9s %9s\n", "last seen", "first run", "recovery")
	for _, s := range stagesOfLife {
		if n := o.killed[s]; n != [2]int{} {
			fmt.Fprintf(&b, "%-14s %9d %9d\n", s, n[0], n[1])
			sum[0], sum[1] = sum[0]+n[0], sum[1]+n[1]
		}
	}
	fmt.Fprintf(&b, "%-14s %9d %9d\n", "all kills", sum[0], sum[1])
	fmt.Fprintf(&b, "%d orders in %d changes, %s.", o.orders, o.rounds, took.Round(time.Second))
	if t.Failed() {
		b.WriteString(" FAILED: see above.\n")
	} else {
		b.WriteString(" No double payment, no lost order, no corrupt ledger.\n")
	}
	fmt.Fprintf(&b, "from a restart to the open ledger    median %s, p99 %s\n", quantile(o.opened, 50), quantile(o.opened, 99))
	fmt.Fprintf(&b, "from a restart to the first decision median %s, p99 %s\n", quantile(o.chosen, 50), quantile(o.chosen, 99))
	t.Log(b.String())
}

func quantile(list []time.Duration, percent int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[(len(list)-1)*percent/100].Round(time.Millisecond)
}

// The stages of an apply, as its JSON lines tell them, in order.
var stagesOfLife = []string{"start", "opened", "waiting", "unreadable", "dead", "planned", "quoted", "armed", "signed", "paid", "undelivered", "acknowledged", "delivered", "finished"}

// victim is a project whose applies are killed, with a world in a process of
// its own.
type victim struct {
	testing.TB
	binary, dir string
	rng         *rand.Rand
	world       *sandbox.World
	toll        *toll

	people []string
	grants []*award
	hurt   bool // the run before was killed
	log    []string
}

// award is a grant of the YAML.
type award struct {
	name, unit string // unit: stars, premium or ton
	to         []string
	quantity   int64
	single     bool
}

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
  order: 1000 TON
  run: 1000000 TON
  month: 1000000 TON
  undelivered: 1000000 TON
  price: {100 stars: 1.30 TON, premium 3 months: 12 TON, premium 6 months: 16 TON, premium 12 months: 30 TON}
files: [people.yaml, grants.yaml]
`)
	v.world = serve(t, binary, v.dir, "-wallet", version, "-balance", "1000000 TON")
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

// round applies until nothing is left, and kills at most so many of the runs.
func (v *victim) round(most int) (kills int) {
	v.Helper()
	for kills < min(most, 12) {
		killed := false
		if v.rng.IntN(6) == 0 {
			killed = v.stuck()
		} else {
			killed = v.run(v.aim())
		}
		v.compare()
		if !killed {
			return kills
		}
		kills++
	}
	if v.run(nil) {
		v.Fatal("killed by somebody else")
	}
	v.compare()
	return kills
}

// stuck kills a run on a network that makes no blocks. Afterwards its payment
// is executed late, or its time has run out and it never can be.
func (v *victim) stuck() (killed bool) {
	v.Helper()
	v.set("blocks", "off")
	killed = v.run(&strike{stage: []string{"signed", "waiting"}[v.rng.IntN(2)], nth: 1, delay: time.Duration(v.rng.Int64N(int64(50 * time.Millisecond))), latest: time.Second})
	if v.rng.IntN(2) == 0 {
		v.set("time", "20m")
	}
	v.set("blocks", "on")
	return killed
}

func (v *victim) set(key, value string) {
	v.Helper()
	if err := v.world.Set(v.Context(), key, value); err != nil {
		v.Fatal(err)
	}
}

// strike says when a run is killed: some time after the nth line of a stage,
// or after its start.
type strike struct {
	stage  string
	nth    int
	delay  time.Duration
	latest time.Duration // kill it then if the line has not come; 0 means never
}

func (v *victim) aim() *strike {
	if v.rng.IntN(2) == 0 {
		return &strike{stage: "start", nth: 1, delay: time.Duration(v.rng.Int64N(int64(600 * time.Millisecond)))}
	}
	stages := []string{"opened", "waiting", "planned", "quoted", "armed", "signed", "paid", "acknowledged", "delivered", "finished"}
	s := &strike{stage: stages[v.rng.IntN(len(stages))], nth: 1 + v.rng.IntN(3)}
	if v.rng.IntN(2) == 0 {
		s.delay = time.Duration(v.rng.Int64N(int64(8 * time.Millisecond)))
	}
	return s
}

// line is what the test reads of one line of apply -json.
type line struct {
	Type   string           `json:"type"`
	Result *json.RawMessage `json:"result"`
	Hook   struct {
		Stage string `json:"stage"`
	} `json:"hook"`
}

func (l line) stage() string {
	switch {
	case l.Type == "version":
		return "opened"
	case l.Type == "change_summary" && l.Result != nil:
		return "finished"
	case l.Type == "change_summary" || l.Type == "planned_change":
		return "planned"
	}
	return l.Hook.Stage
}

// run is one apply. It reports whether it was killed; one that was not must
// have bought everything.
func (v *victim) run(s *strike) (killed bool) {
	v.Helper()
	c := exec.Command(v.binary, "-chdir", v.dir, "-sandbox", "apply", "-auto-approve", "-json")
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		v.Fatal(err)
	}
	begin := time.Now()
	if err := c.Start(); err != nil {
		v.Fatal(err)
	}
	seen := map[string]int{}
	kill := func() { _ = c.Process.Kill() }
	if s != nil && (s.stage == "start" || s.latest > 0) {
		timer := time.AfterFunc(max(s.delay, s.latest), kill)
		defer timer.Stop()
	}
	var opened, chosen time.Duration
	var said []string
	last := "start"
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue // cut off by the kill
		}
		said = append(said, lines.Text())
		stage := l.stage()
		switch {
		case stage == "":
			continue
		case stage == "opened":
			opened = time.Since(begin)
		case chosen == 0:
			chosen = time.Since(begin)
		}
		last = stage
		if seen[stage]++; s != nil && s.stage == stage && s.nth == seen[stage] {
			time.AfterFunc(s.delay, kill)
		}
	}
	err = c.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status, _ := exit.Sys().(syscall.WaitStatus)
		killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	v.log = append(v.log, fmt.Sprintf("killed %t, last stage %s: %v", killed, last, err))
	v.toll.count(v.hurt, killed, last, opened, chosen)
	v.hurt = killed
	if err != nil && !killed {
		v.Fatalf("apply: %v\n%s\n%s", err, stderr.String(), strings.Join(said, "\n"))
	}
	return killed
}

func (o *toll) count(after, killed bool, stage string, opened, chosen time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if after && opened > 0 {
		o.opened = append(o.opened, opened)
	}
	if after && chosen > 0 {
		o.chosen = append(o.chosen, chosen)
	}
	switch n := o.killed[stage]; {
	case !killed:
		o.rounds++
	case after:
		n[1]++
		o.killed[stage] = n
	default:
		n[0]++
		o.killed[stage] = n
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
	given, want := map[string]int64{}, map[string]int64{}
	for _, o := range orders {
		if !o.Spent {
			continue
		}
		paid = append(paid, fmt.Sprintf("%s: %s %d for %s", o.Ref, o.Product, o.Quantity, o.Handle))
		given[o.Key] += o.Quantity
		if o.Phase != "acknowledged" && o.Phase != "delivered" {
			v.Errorf("%s is %s", o.Key, o.Phase)
		}
	}
	for _, c := range books.Credits {
		credited = append(credited, fmt.Sprintf("%s: %s %d for %s", c.Ref, c.Product, c.Quantity, c.Handle))
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
	v.toll.orders += len(paid)
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
