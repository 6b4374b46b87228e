package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

// envChild makes this program the process that runs the world of a folder
// until its standard input ends, or it is killed.
const envChild = "FRAGPLAN_TEST_WORLD"

func TestMain(m *testing.M) {
	dir := os.Getenv(envChild)
	if dir == "" {
		os.Exit(m.Run())
	}
	w, err := sandbox.Open(context.Background(), sandbox.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("attached:", w.Attached())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := w.Close(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// elsewhere runs the world in a process of its own, and returns what kills it.
func elsewhere(t *testing.T, dir string) (kill func()) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), envChild+"="+dir)
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = c.Process.Kill(); _ = c.Wait() }
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "attached: false\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return kill
}

func open(t *testing.T, o sandbox.Options) *sandbox.World {
	t.Helper()
	w, err := sandbox.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, w) })
	return w
}

func shut(t *testing.T, w *sandbox.World) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func books(t *testing.T, w *sandbox.World) sandbox.Books {
	t.Helper()
	b, err := w.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// buyer is who takes part in a world with nothing but its Facts.
type buyer struct {
	world  *sandbox.World
	chain  *chain.Client
	wallet *wallet.Wallet
	market *fragment.Client
}

var keys sync.Map // by words: deriving one takes a tenth of a second

func newBuyer(t *testing.T, w *sandbox.World, trusted *chain.BlockID) *buyer {
	t.Helper()
	client, err := chain.Dial(t.Context(), w.GlobalConfig, chain.Options{Trusted: trusted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	words := strings.Join(w.Mnemonic, " ")
	known, ok := keys.Load(words)
	if !ok {
		if known, err = wallet.KeyFromMnemonic(wallet.MnemonicOf(words)); err != nil {
			t.Fatal(err)
		}
		keys.Store(words, known)
	}
	key := known.(wallet.Key)
	signer, err := wallet.New(w.Version, key, w.NetworkID)
	if err != nil {
		t.Fatal(err)
	}
	return &buyer{w, client, signer, &fragment.Client{
		BaseURL: w.FragmentURL, Cookie: fragment.SecretOf(w.Cookie),
		Wallet: fragment.Account{Address: w.Wallet, NetworkID: w.NetworkID},
	}}
}

// order asks for 100 Stars for somebody and returns what is to be paid.
func (b *buyer) order(t *testing.T, handle string) ton.Transfer {
	t.Helper()
	p, err := b.market.Buy(t.Context(), fragment.Stars, handle, 100)
	if err != nil {
		t.Fatal(err)
	}
	return p.Transfer
}

func (b *buyer) price(t *testing.T) ton.Nano {
	t.Helper()
	price, err := b.market.Price(t.Context(), fragment.Stars, 100)
	if err != nil {
		t.Fatal(err)
	}
	return price
}

// pay sends transfers in one message and waits until they were executed.
func (b *buyer) pay(t *testing.T, transfers ...ton.Transfer) {
	t.Helper()
	b.wait(t, b.send(t, transfers...))
}

// send signs and sends, and returns the wallet as it was before.
func (b *buyer) send(t *testing.T, transfers ...ton.Transfer) ton.Account {
	t.Helper()
	before := b.account(t)
	signed, err := b.wallet.Sign(ton.Payload{
		Wallet: b.world.Version, WalletID: b.wallet.Public().ID(), Seqno: before.Data.Seqno,
		ValidUntil: before.Time + 600, Transfers: transfers,
	}, !before.Active)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.chain.Broadcast(t.Context(), signed); err != nil {
		t.Fatal(err)
	}
	return before
}

// wait returns once the wallet has spent a seqno.
func (b *buyer) wait(t *testing.T, before ton.Account) {
	t.Helper()
	for after := before; after.Active == before.Active && after.Data.Seqno == before.Data.Seqno; after = b.account(t) {
		if err := b.chain.WaitBlock(t.Context(), after.Block); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *buyer) account(t *testing.T) ton.Account {
	t.Helper()
	a, err := b.chain.Account(t.Context(), b.world.Wallet, b.world.Version)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// history is the wallet's, by time and hash, proven from the block that the
// client trusts.
func (b *buyer) history(t *testing.T) []ton.Position {
	t.Helper()
	list, err := b.chain.History(t.Context(), b.world.Wallet, b.account(t).Last, ton.Position{})
	if err != nil {
		t.Fatal(err)
	}
	var positions []ton.Position
	for _, x := range list {
		positions = append(positions, x.Position)
	}
	return positions
}

// same is what of the Facts outlives the process that runs a world.
func same(w *sandbox.World) sandbox.Facts {
	f := w.Facts
	f.FragmentURL, f.GlobalConfig = "", nil
	return f
}

// A world that was closed and opened again is the same to all who knew it:
// wallet, session, money, books, and a chain that follows from the block that
// was trusted before.
func TestWorldOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for _, version := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			o := sandbox.Options{Dir: filepath.Join(t.TempDir(), "world"), Version: version, Balance: 50 * ton.TON}
			w := open(t, o)
			b := newBuyer(t, w, nil)
			b.pay(t, b.order(t, "ann_1"))
			first, facts, history, trusted := books(t, w), same(w), b.history(t), b.chain.Trusted()
			if len(first.Credits) != 1 || len(first.Strays) != 0 || first.Balance > 49_500*ton.TON/1000 || first.Balance < 48*ton.TON {
				t.Fatalf("after one payment: %+v", first)
			}
			shut(t, w)

			w = open(t, sandbox.Options{Dir: o.Dir})
			if d := cmp.Diff(facts, same(w)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(first, books(t, w)); d != "" {
				t.Error(d)
			}
			b = newBuyer(t, w, &trusted)
			if d := cmp.Diff(history, b.history(t)); d != "" {
				t.Error(d)
			}
			b.pay(t, b.order(t, "ann_2"))
			if got := books(t, w); len(got.Credits) != 2 || len(got.Strays) != 0 {
				t.Errorf("after a second payment: %+v", got)
			}
		})
	}
}

// Whoever opens a world that runs takes part in it, and closing that ends
// nothing.
func TestAttach(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir()}
	own := open(t, o)
	other := open(t, o)
	if own.Attached() || !other.Attached() {
		t.Error("both run it, or neither")
	}
	if d := cmp.Diff(own.Facts, other.Facts, cmp.Transformer("parsed", func(m json.RawMessage) (v any) {
		_ = json.Unmarshal(m, &v)
		return v
	})); d != "" {
		t.Error(d)
	}
	b := newBuyer(t, other, nil)
	b.pay(t, b.order(t, "ann_1"))
	if d := cmp.Diff(books(t, own), books(t, other)); d != "" || len(books(t, own).Credits) != 1 {
		t.Error(d, books(t, own))
	}
	shut(t, other)
	if b.pay(t, b.order(t, "ann_2")); len(books(t, own).Credits) != 2 {
		t.Error(books(t, own))
	}
	o.Record = filepath.Join(t.TempDir(), "record")
	if _, err := sandbox.Open(t.Context(), o); !errors.Is(err, sandbox.ErrAttached) {
		t.Errorf("a record of what another process executes: got %v, want ErrAttached", err)
	}
}

// However many begin at once, one runs the world and the others attach; when
// it ends, whoever comes next runs it.
func TestOneProcessRunsAWorld(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir()}
	const crowd = 6
	opened := make(chan *sandbox.World, crowd)
	for range crowd {
		go func() {
			w, err := sandbox.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			opened <- w
		}()
	}
	var owner *sandbox.World
	facts := map[string]bool{}
	for range crowd {
		w := <-opened
		if w == nil {
			continue
		}
		facts[w.Cookie+w.FragmentURL] = true
		if w.Attached() {
			continue
		}
		if owner != nil {
			t.Error("two run one world")
		}
		owner = w
	}
	if owner == nil || len(facts) != 1 {
		t.Fatalf("nobody runs it, or they see different worlds: %v", facts)
	}
	shut(t, owner)
	if open(t, o).Attached() {
		t.Error("nobody runs it, and it was attached to")
	}
}

// A killed process takes nothing with it: what was paid is credited once,
// also what the market had not seen yet, and half-written last lines are
// dropped.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := elsewhere(t, dir)
	w := open(t, sandbox.Options{Dir: dir})
	if !w.Attached() {
		t.Fatal("two processes run one world")
	}
	b := newBuyer(t, w, nil)
	b.pay(t, b.order(t, "ann_1"))
	before := books(t, w)
	b.pay(t, b.order(t, "ann_2"), b.order(t, "ann_3")) // nobody asks the market after this
	facts, history, trusted := same(w), b.history(t), b.chain.Trusted()
	kill()
	for name, torn := range map[string]string{
		"network.jsonl": "external 1", "market.jsonl": `{"paid":{"re`, "running.json.new": "{", "world.json.new": "{",
	} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(torn); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if _, err := os.Stat(filepath.Join(dir, "running.json")); err != nil {
		t.Fatalf("this test wants what a killed process leaves behind: %v", err)
	}

	for range 2 {
		w = open(t, sandbox.Options{Dir: dir})
		if d := cmp.Diff(facts, same(w)); w.Attached() || d != "" {
			t.Errorf("attached to the dead, or another world: %s", d)
		}
		got := books(t, w)
		if len(got.Credits) != 3 || len(got.Strays) != 0 || !cmp.Equal(before.Credits, got.Credits[:1]) {
			t.Errorf("credited before %+v, after %+v", before, got)
		}
		if d := cmp.Diff(history, newBuyer(t, w, &trusted).history(t)); d != "" {
			t.Error(d)
		}
		shut(t, w)
	}
}

// What a killed process had taken is executed by the next one, and credited
// once, whenever the killing was.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	const rounds = 3
	dir := t.TempDir()
	for round := range rounds {
		kill := elsewhere(t, dir)
		w := open(t, sandbox.Options{Dir: dir})
		b := newBuyer(t, w, nil)
		if a := b.account(t); round > 0 && (!a.Active || a.Data.Seqno != uint32(round)) {
			b.wait(t, a)
		}
		b.send(t, b.order(t, fmt.Sprintf("ann_%d", round)))
		kill()
	}
	w := open(t, sandbox.Options{Dir: dir})
	b := newBuyer(t, w, nil)
	if a := b.account(t); a.Data.Seqno != rounds {
		b.wait(t, a)
	}
	got := books(t, w)
	var names []string
	for _, c := range got.Credits {
		names = append(names, c.Handle)
	}
	if d := cmp.Diff([]string{"ann_0", "ann_1", "ann_2"}, names); d != "" || len(got.Strays) != 0 {
		t.Error(d, got.Strays)
	}
}

// What a dead process said of itself is not believed while the next one is
// starting: neither when its door is shut nor when somebody else has it now.
func TestStaleAddress(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	foreign := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, "{}") }))
	t.Cleanup(foreign.Close) // after the subtests
	stranger := open(t, sandbox.Options{Dir: t.TempDir()})
	for name, url := range map[string]string{
		"shut": "http://" + closed.Addr().String(), "another program": foreign.URL, "another world": stranger.FragmentURL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := open(t, sandbox.Options{Dir: dir})
			path := filepath.Join(dir, "running.json")
			fresh, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			stale := strings.ReplaceAll(string(fresh), w.FragmentURL, url)
			if err := os.WriteFile(path, []byte(stale), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
			defer cancel()
			if other, err := sandbox.Open(ctx, sandbox.Options{Dir: dir}); err == nil {
				t.Errorf("attached to %s", other.FragmentURL)
			}
			if err := os.WriteFile(path, fresh, 0o600); err != nil {
				t.Fatal(err)
			}
			if other := open(t, sandbox.Options{Dir: dir}); other.FragmentURL != w.FragmentURL {
				t.Errorf("attached to %s", other.FragmentURL)
			}
		})
	}
}

// Who waits for a process that never says where it listens takes its place
// when it is gone.
func TestWaitingTakesOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := elsewhere(t, dir)
	if err := os.Remove(filepath.Join(dir, "running.json")); err != nil {
		t.Fatal(err)
	}
	opened := make(chan *sandbox.World)
	go func() {
		w, err := sandbox.Open(t.Context(), sandbox.Options{Dir: dir})
		if err != nil {
			t.Error(err)
		}
		opened <- w
	}()
	kill()
	if w := <-opened; w != nil {
		if w.Attached() {
			t.Error("attached to the dead")
		}
		shut(t, w)
	}
}

// A world that was not made to the end is made anew, and has the money and the
// session of a whole one.
func TestInterruptedMaking(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]map[string]string{
		"nothing funded": {"network.jsonl": "network 1 -7791 17", "market.jsonl": ""},
		"half a file":    {"world.json.new": `{"seed": 12`, "market.jsonl": "{\"seed\":12}\n{\"session\":{\"id\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			shut(t, open(t, sandbox.Options{Dir: dir}))
			if err := os.Remove(filepath.Join(dir, "world.json")); err != nil {
				t.Fatal(err)
			}
			for file, text := range left {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w := open(t, sandbox.Options{Dir: dir, Balance: 30 * ton.TON})
			if got := books(t, w); got.Balance < 30*ton.TON-ton.TON/100 || got.Balance > 30*ton.TON {
				t.Errorf("it holds %s TON", got.Balance)
			}
			b := newBuyer(t, w, nil)
			if b.pay(t, b.order(t, "ann_1")); len(books(t, w).Credits) != 1 {
				t.Error(books(t, w))
			}
		})
	}
}

// Money that comes back is no payment, money that is paid twice buys once, and
// the market and the chain agree on what the wallet has left.
func TestPayments(t *testing.T) {
	t.Parallel()
	w := open(t, sandbox.Options{Dir: t.TempDir()})
	b := newBuyer(t, w, nil)
	start := books(t, w).Balance
	bounced := b.order(t, "ann_1")
	bounced.Bounce = true // nobody has deployed the collector, so this money returns
	b.pay(t, bounced)
	got := books(t, w)
	if len(got.Credits)+len(got.Strays) != 0 || start-got.Balance > ton.TON/20 {
		t.Errorf("after a payment that bounced: %+v, from %s TON", got, start)
	}
	again := bounced
	again.Bounce = false
	b.pay(t, again, again)
	for range 2 {
		got = books(t, w)
		if len(got.Credits) != 1 || len(got.Strays) != 1 || got.Strays[0].Amount != again.Amount {
			t.Errorf("after two payments of one order: %+v", got)
		}
	}
	if a := b.account(t); a.Balance != got.Balance {
		t.Errorf("the chain says %s TON, the books %s", a.Balance, got.Balance)
	}
}

// What lies in the folder is its owner's alone, even where others may look.
func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "world")
	record := filepath.Join(filepath.Dir(dir), "record.jsonl")
	w := open(t, sandbox.Options{Dir: dir, Record: record})
	if err := w.Set(t.Context(), "commas", "on"); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := filepath.WalkDir(filepath.Dir(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			got[filepath.Base(path)] = info.Mode().String()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{
		"a": "drwx------", "world": "drwx------", "world.json": "-rw-------", "running.json": "-rw-------", "world.lock": "-rw-------",
		"network.jsonl": "-rw-------", "market.jsonl": "-rw-------", "record.jsonl": "-rw-------",
	}, got); d != "" {
		t.Error(d)
	}
}

// A wallet begins with what the world was told to give it, also with nothing,
// and a world that was made already gives nothing more.
func TestBalance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    sandbox.Options
		want ton.Nano
	}{
		{sandbox.Options{}, 1000 * ton.TON},
		{sandbox.Options{Balance: 3 * ton.TON}, 3 * ton.TON},
		{sandbox.Options{Empty: true}, 0},
	} {
		c.o.Dir = t.TempDir()
		if sandbox.Exists(c.o.Dir) {
			t.Error("a world exists in an empty folder")
		}
		for range 2 {
			w := open(t, c.o)
			if got := books(t, w).Balance; got != c.want || !sandbox.Exists(c.o.Dir) {
				t.Errorf("%+v: the wallet holds %s TON, want %s", c.o, got, c.want)
			}
			shut(t, w)
		}
	}
}

// Settings that nobody knows are refused with what is known, and those that
// are known outlive the process.
func TestSet(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Dir: t.TempDir()}
	w := open(t, o)
	for _, c := range []struct{ key, value, want string }{
		{"nonsense", "1", "known are blocks, fund, time, api, commas"},
		{"", "", "known are blocks, fund, time, api, commas"},
		{"payload", "nonsense", "known are ok, corrupt, binary, other_text"},
		{"time", "-1s", "10m"},
		{"time", "soon", "10m"},
		{"time", "2000000h", "2100"},
		{"fund", "much", "much"},
		{"fund", "-1", "-1"},
		{"blocks", "stop", "on or off"},
	} {
		if err := w.Set(t.Context(), c.key, c.value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: got %v, want something with %q", c.key, c.value, err, c.want)
		}
	}
	b := newBuyer(t, w, nil)
	price := b.price(t)
	before, clock := books(t, w).Balance, b.account(t).BlockTime
	for key, value := range map[string]string{"fund": "25", "time": "24h", "price": "+100%"} {
		if err := w.Set(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, w)
	w = open(t, o)
	b = newBuyer(t, w, nil)
	if got := books(t, w).Balance - before; got < 25*ton.TON-ton.TON/100 || got > 25*ton.TON {
		t.Errorf("funded with 25 TON it has %s TON more", got)
	}
	if got := b.account(t).BlockTime - clock; got < 24*3600 {
		t.Errorf("a day later, the clock has moved by %d s", got)
	}
	if got := b.price(t); got < 2*price-ton.TON/1000 || got > 2*price+ton.TON/1000 {
		t.Errorf("100 Stars cost %s TON, and twice as much as %s was asked for", got, price)
	}
}

// A world listens on this machine only.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		w, err := sandbox.Open(t.Context(), sandbox.Options{Dir: t.TempDir(), Listen: listen})
		if err == nil {
			t.Errorf("%s: listens on %s", listen, w.FragmentURL)
			shut(t, w)
		}
	}
}
