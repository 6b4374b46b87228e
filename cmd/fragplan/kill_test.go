//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
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

// round applies until nothing is left, and kills at most so many of the runs.
func (v *victim) round(most int) (kills int) {
	v.Helper()
	for kills < min(most, 12) {
		killed := false
		switch v.rng.IntN(7) {
		case 0:
			killed = v.stuck()
		case 1:
			if killed = v.byPhone(); !killed {
				v.compare()
				continue // there may be more to buy
			}
		default:
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

// byPhone kills a run that asks a person to pay. A request that was written is
// paid, and one that nobody can have seen is given up.
func (v *victim) byPhone() (killed bool) {
	v.Helper()
	v.requests++
	name := fmt.Sprintf("pay%d.json", v.requests)
	killed = v.run(&strike{stage: []string{"quoted", "offered"}[v.rng.IntN(2)], nth: 1, delay: time.Duration(v.rng.Int64N(int64(8 * time.Millisecond))), latest: 2 * time.Second}, "-unsigned", name)
	v.hurt = true // or only in part
	b, _ := os.ReadFile(filepath.Join(v.dir, name))
	if json.Valid(b) {
		v.command("sandbox", "pay", name)
		v.toll.scanned()
		return killed
	}
	for _, o := range v.ledger() {
		if o.Phase == "offered" {
			v.command("ledger", "resolve", o.Key, "-as", "unpaid", "-all", "-reason", "there is no request")
		}
	}
	return killed
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
	stages := []string{"opened", "waiting", "planned", "quoted", "armed", "signed", "sent", "paid", "acknowledged", "delivered", "finished"}
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
// have bought everything, unless it asks a person to pay.
func (v *victim) run(s *strike, unsigned ...string) (killed bool) {
	v.Helper()
	c := exec.Command(v.binary, append([]string{"-chdir", v.dir, "-sandbox", "apply", "-auto-approve", "-json"}, unsigned...)...)
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
	if err != nil && !killed && len(unsigned) == 0 {
		v.Fatalf("apply: %v\n%s\n%s", err, stderr.String(), strings.Join(said, "\n"))
	}
	return killed
}
