package ton_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/fragplan/fragplan/ton"
	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A transfer of USDT that Fragment asked for, as a client recorded it: 50 Stars.
const realJettonTransfer = "te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE"

func realTransfer(t testing.TB) *cell.Cell {
	b, err := ton.ParseBase64(realJettonTransfer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Cell()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What Fragment really asks for is read to its last field, and what was read
// is the same bag of cells, byte for byte.
func TestRealJettonTransfer(t *testing.T) {
	c := realTransfer(t)
	if got := hex.EncodeToString(c.Hash()); got != "12a26b6606aef0bbc435ac0a079cb52f73d86197bd46df262aba05cc0ff08832" {
		t.Fatalf("the sample is another one: %s", got)
	}
	got, err := ton.ParseJettonTransfer(c)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := got.Payload.Cell()
	if err != nil {
		t.Fatal(err)
	}
	text, err := ton.Comment(payload)
	if err != nil || text != "50 Telegram Stars \n\nRef#m9JhZwApQ" {
		t.Errorf("comment %q, %v", text, err)
	}
	want := ton.JettonTransfer{
		QueryID: 0x4ff3ce5d85c72276, Amount: 750_000,
		Destination: ton.MustParseAddress("0:852443f8599fe6a5da34fe43049ac4e0beb3071bb2bfb56635ea9421287c283a"),
		Response:    ton.MustParseAddress("0:5d632e570ca26968e51253c25f239c30dd7dd85cec48104163ea150f488f22cf"),
		Forward:     1, Payload: got.Payload,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	again, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sample, _ := ton.ParseBase64(realJettonTransfer)
	if d := cmp.Diff(sample, ton.BoCOf(again)); d != "" {
		t.Errorf("encoded again it is another bag: %s", d)
	}
}

// The payload may stand in the body itself, and the response address may be
// none; both come back as they were.
func TestJettonTransferForms(t *testing.T) {
	comment := cell.BeginCell().MustStoreUInt(0, 32).MustStoreSlice([]byte("50 Telegram"), 88).EndCell()
	full := ton.JettonTransfer{QueryID: 7, Amount: 1, Destination: ton.USDTMaster, Response: ton.USDTMaster, Forward: 1, Payload: ton.BoCOf(comment)}
	inline, silent, nothing := full, full, full
	inline.Inline = true
	silent.Response = ton.Address{}
	nothing.Amount, nothing.Forward, nothing.Payload, nothing.Inline = 0, 0, ton.BoCOf(cell.BeginCell().EndCell()), true
	for name, want := range map[string]ton.JettonTransfer{"apart": full, "inline": inline, "no response": silent, "empty": nothing} {
		c, err := want.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ton.ParseJettonTransfer(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Whatever is not exactly a transfer is refused: a bit more, a bit less,
// another operation, a custom payload, an amount that is written longer than
// it has to be.
func TestJettonTransferIsExact(t *testing.T) {
	c := realTransfer(t)
	a := ton.USDTMaster.TLB()
	head := func(op uint64) *cell.Builder { return cell.BeginCell().MustStoreUInt(op, 32).MustStoreUInt(7, 64) }
	note := cell.BeginCell().MustStoreUInt(0, 32).EndCell()
	rest := func(b *cell.Builder, custom bool) *cell.Builder {
		b.MustStoreAddr(a).MustStoreAddr(a).MustStoreBoolBit(custom)
		if custom {
			b.MustStoreRef(note)
		}
		return b.MustStoreCoins(1).MustStoreBoolBit(true)
	}
	for name, c := range map[string]*cell.Cell{
		"another operation": rest(head(0x178d4519).MustStoreCoins(5), false).MustStoreRef(note).EndCell(),
		"a custom payload":  rest(head(0x0f8a7ea5).MustStoreCoins(5), true).MustStoreRef(note).EndCell(),
		"a bit more":        cell.BeginCell().MustStoreBuilder(c.ToBuilder()).MustStoreUInt(0, 1).EndCell(),
		"a reference more":  cell.BeginCell().MustStoreBuilder(c.ToBuilder()).MustStoreRef(note).EndCell(),
		"no payload":        rest(head(0x0f8a7ea5).MustStoreCoins(5), false).EndCell(),
		"a long amount":     rest(head(0x0f8a7ea5).MustStoreUInt(2, 4).MustStoreUInt(5, 16), false).MustStoreRef(note).EndCell(),
		"a huge amount":     rest(head(0x0f8a7ea5).MustStoreUInt(15, 4).MustStoreSlice(make([]byte, 15), 119).MustStoreUInt(1, 1), false).MustStoreRef(note).EndCell(),
		"a destination of none": head(0x0f8a7ea5).MustStoreCoins(5).MustStoreUInt(0, 2).MustStoreUInt(0, 2).MustStoreUInt(0, 1).
			MustStoreCoins(1).MustStoreBoolBit(true).MustStoreRef(note).EndCell(),
		"nothing": cell.BeginCell().EndCell(),
	} {
		if _, err := ton.ParseJettonTransfer(c); !errors.Is(err, ton.ErrNoJetton) {
			t.Errorf("%s: %v, want ErrNoJetton", name, err)
		}
	}
}

// What comes back of a transfer still names it, in both forms of bounces, and
// so does what is left of its gas.
func TestJettonAnswers(t *testing.T) {
	c := realTransfer(t)
	const query = 0x4ff3ce5d85c72276
	sent, err := ton.ParseJettonTransfer(c)
	if err != nil {
		t.Fatal(err)
	}
	first := c.MustBeginParse().MustLoadSlice(256)
	for name, b := range map[string]*cell.Cell{
		"old": cell.BeginCell().MustStoreUInt(0xffffffff, 32).MustStoreSlice(first, 256).EndCell(),
		"new": cell.BeginCell().MustStoreUInt(0xfffffffe, 32).MustStoreRef(c).EndCell(),
	} {
		if got, units, ok := ton.BouncedJetton(b); !ok || got != query || units != sent.Amount {
			t.Errorf("%s bounce: %x, %t", name, got, ok)
		}
	}
	if _, _, ok := ton.BouncedJetton(c); ok {
		t.Error("the transfer itself is taken for a bounce")
	}
	left := cell.BeginCell().MustStoreUInt(0xd53276db, 32).MustStoreUInt(query, 64).EndCell()
	if got, ok := ton.JettonExcesses(left); !ok || got != query {
		t.Errorf("excesses: %x, %t", got, ok)
	}
	if _, ok := ton.JettonExcesses(c); ok {
		t.Error("a transfer is taken for excesses")
	}
}

// Whatever the bytes: no panic, and what parses encodes to the same cell.
func FuzzJettonTransfer(f *testing.F) {
	real, _ := ton.ParseBase64(realJettonTransfer)
	f.Add([]byte(real))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ton.BoC(b).Cell()
		if err != nil {
			return
		}
		ton.BouncedJetton(c)
		ton.JettonExcesses(c)
		_, _ = ton.ParseJettonInternal(c)
		got, err := ton.ParseJettonTransfer(c)
		if err != nil {
			return
		}
		again, err := got.Encode()
		if err != nil || ton.Hash(again.Hash()) != ton.Hash(c.Hash()) {
			t.Errorf("%+v encodes to another cell: %v", got, err)
		}
	})
}
